"""Studies of every shape: what a laboratory could have recorded, drawn from a seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mne
import numpy as np

from collector import finish, xdf
from protocol import folder, study
from protocol.folder import Consent, Run, Session
from protocol.markers import Marker
from tests.bids_export import lab

EMOTIONS = ("joy", "sadness", "fear", "anger", "disgust", "surprise", "neutral", "calm")
HED = ("Joyful", "Sad", "Fearful", "Angry", "Disgusted", "Awed", "Emotionally-neutral", "Content")
NAMES = ("Cảm xúc qua phim", "Émotions & films", "情動と映像", 'Two "quoted" emotions', "Эмоции", "Plain")
MONTAGES = ("GSN-HydroCel-256", "GSN-HydroCel-128", "biosemi256", "biosemi64", "colin27_1005", "colin27_1020")
DURATION_S = 9.0


@dataclass(frozen=True)
class Drawn:
    """What one session of one study is like."""

    n_channels: int
    sfreq: float
    emotions: tuple[str, ...]
    name: str
    montage: str
    channels: tuple[str, ...]
    lost: tuple[tuple[int, int], ...]
    video: int
    eeg: bool
    quality: bool
    end: str | None
    n_runs: int

    @property
    def text(self) -> str:
        """The study file."""
        emotions = "\n".join(f'{e} = {{ hed = "{HED[EMOTIONS.index(e)]}", color = "#0072B2" }}' for e in self.emotions)
        stream = '{ name = "EmotivDataStream-Contact-Quality" }'
        quality = f"contact_quality_stream = {stream}" if self.quality else ""
        camera = "[camera]\nsize_px = [160, 120]\nfps = 5\n" if self.video else "camera = false\n"
        top = "" if self.video else camera
        name = self.name.replace('"', '\\"')
        return (
            f'{top}[study]\nname = "{name}"\nauthors = ["Đỗ Thị Ánh", "Bo Example"]\n\n[emotions]\n{emotions}\n\n[eeg]\n'
            f'montage = "{self.montage}"\nchannels = {list(self.channels)!r}\n{quality}\n\n{camera if self.video else ""}'
            '[contact_quality]\nthreshold = 0.0\n\n[consent]\nversion = "1"\n'
        ).replace("'", '"')


def draw(seed: int) -> Drawn:
    """Draw a study; the first ones are the corners."""
    rng = np.random.default_rng(seed)
    corner = {0: (1, 100.0), 1: (256, 2000.0), 2: (256, 100.0), 3: (1, 2000.0)}
    n_channels, sfreq = corner.get(
        seed, (int(2 ** rng.uniform(0, 8)), float(rng.choice([100, 128, 250, 256, 500, 1000, 2000])))
    )
    fitting = [m for m in MONTAGES if len(_labels(m)) >= n_channels]
    montage = str(rng.choice(fitting))
    n_emotions = int(rng.integers(2, 9))
    gap = (round(float(rng.uniform(4, 5)) * sfreq), int(rng.integers(1, round(2 * sfreq))))
    eeg = seed % 10 != 7
    return Drawn(
        n_channels=n_channels, sfreq=sfreq, emotions=EMOTIONS[:n_emotions], name=NAMES[seed % len(NAMES)], montage=montage,
        channels=tuple(_labels(montage)[:n_channels]), lost=(gap,) if seed % 3 == 0 else (),
        video=0 if eeg and seed % 4 == 1 else 2 if seed % 8 == 2 else 1, eeg=eeg, quality=seed % 5 != 4,
        end=("complete", "aborted", "recovered", None)[seed % 4], n_runs=2 if seed % 6 == 5 else 1,
    )  # fmt: skip


def _labels(montage: str) -> Sequence[str]:
    return list(mne.channels.make_standard_montage(montage).ch_names)


def record(data: Path, drawn: Drawn, *, participant: str) -> list[Run]:
    """Write its session, as a recorder does."""
    runs = []
    for n in range(drawn.n_runs):
        run = folder.create(data, participant=participant, session="01", task="emotion")
        Session(
            uid=f"{participant}{n}", participant=run.participant, session=run.session, run=run.run, task=run.task,
            simulated=False, study_sha256="0" * 64, resumes=runs[0].stem if runs else None, created_wall="2026-09-21T13:33:20Z",
            created_lsl=5000.0, boot="b", person=folder.Person(age_y=30), versions={},
            consent=Consent(version="1", scopes=("eeg", "face"), t_wall="2026-09-21T13:33:00Z"),
        ).save(run.session_json)  # fmt: skip
        run.study_toml.write_text(drawn.text, encoding="utf-8")
        with xdf.Writer(run.xdf) as writer:
            _write(writer, run, drawn)
        if drawn.end:
            finish.write_manifest(run, study.load(run.study_toml), end=drawn.end, closed_wall="2026-09-21T13:40:00Z")
        runs.append(run)
    return runs


def _write(writer: xdf.Writer, run: Run, drawn: Drawn) -> None:
    rng = np.random.default_rng(len(drawn.channels))
    truth = lab.Truth(
        duration_s=DURATION_S,
        fps=5.0 if drawn.video else 0,
        clips=((2.0, 4.0, drawn.emotions[0]), (5.0, 7.5, drawn.emotions[1])),
    )
    if drawn.eeg:
        index = np.arange(round(DURATION_S * drawn.sfreq))
        for first, n in drawn.lost:
            index = index[(index < first) | (index >= first + n)]
        labels = (*drawn.channels, "Counter")
        values = np.column_stack([rng.normal(4200, 50, (len(index), drawn.n_channels)), index])
        header = xdf.StreamHeader("EmotivDataStream-EEG", "EEG", len(labels), drawn.sfreq, "double64", labels=labels)
        lab._add(writer, 1, header, truth.start + index / drawn.sfreq, values)
    if drawn.quality:
        times = truth.start + np.arange(0, DURATION_S, 0.5)
        header = xdf.StreamHeader("EmotivDataStream-Contact-Quality", "CQ", 1, 2.0, "double64", labels=("Overall",))
        lab._add(writer, 2, header, times, np.full((len(times), 1), 90.0))
    rows = [(t, m) for t, m in lab.markers(truth) if drawn.end == "complete" or t < truth.start + 6.5]
    if drawn.end != "complete":
        rows.append((truth.start + 6.6, Marker("abort", {"reason": "cap = slipped, 3 %"})))
    header = xdf.StreamHeader("emolab-markers", "Markers", 1, 0.0, "string")
    lab._add(writer, 4, header, np.array([t for t, _ in rows]), [[str(marker)] for _, marker in rows])
    lab._wall(writer, truth)
    if drawn.video:
        lab._video(writer, run, truth)
    if drawn.video == 2:
        _second_video(writer, run, truth)


def _second_video(writer: xdf.Writer, run: Run, truth: lab.Truth) -> None:
    """The camera was opened again: a second file with a stream of its own."""
    from collector.camera import frames_header
    from collector.video import VideoWriter

    path, times = run.video(2), truth.start + truth.duration_s + np.arange(0, 1, 0.2)
    with VideoWriter(path, truth.size_px, truth.fps) as video:
        pts = [video.write(np.full((*truth.size_px[::-1], 3), 90, np.uint8), t - times[0]) for t in times]
    rows = np.column_stack([np.arange(len(times)), pts, times, times])
    lab._add(writer, 7, frames_header(path.name), times, rows)
