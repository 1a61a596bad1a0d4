"""A tiny BIDS-like root with simulated EEG: what the models read, and nothing more."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pybv
from numpy.typing import NDArray

from models.eeg.scalp_map import CHANNELS

SFREQ = 256.0
EMOTIONS = ("happiness", "sadness", "fear", "neutral")
EVENT_COLUMNS = (
    "onset",
    "duration",
    "trial_type",
    "trial",
    "block",
    "stim_id",
    "target",
    "valence",
    "arousal",
    "rating",
    "end",
)
# what each emotion strengthens: centre of the rhythm in Hz, and whose channels
EFFECTS = {"happiness": (40.0, "T"), "sadness": (6.0, "F"), "fear": (20.0, "C"), "neutral": (10.0, "PO")}


def clip_eeg(
    rng: np.random.Generator, emotion: str, n_times: int, *, effect: float, names: Sequence[str] = CHANNELS
) -> NDArray[np.float64]:
    """Return pink noise with an emotion's rhythm, microvolts, shape (n_channels, n_times); effect 1 doubles the amplitude."""
    hertz = np.fft.rfftfreq(n_times, 1 / SFREQ)
    spectrum = 30 / np.sqrt(np.maximum(hertz, 0.5))
    centre, region = EFFECTS[emotion]
    gain = 1 + effect * np.exp(-0.5 * ((hertz - centre) / (0.2 * centre)) ** 2)
    amplitude = np.array([spectrum * (gain if name[0] in region else 1) for name in names])
    noise = rng.standard_normal((2, *amplitude.shape))
    return np.fft.irfft(amplitude * (noise[0] + 1j * noise[1]), n_times, axis=1) * np.sqrt(n_times) / 10


def write_root(
    root: Path,
    *,
    participants: Sequence[str] = ("01", "02", "03"),
    clips_per_emotion: int = 2,
    clip_s: float = 3.0,
    effect: float = 2.0,
    seed: int = 1,
    names: Sequence[str] = CHANNELS,
) -> Path:
    """Write a root with everybody included and consenting; `names` are its electrodes."""
    root.mkdir(parents=True)
    (root / "dataset_description.json").write_text(json.dumps({"Name": "tiny", "BIDSVersion": "1.11.1", "License": "CC0"}))
    write_participants(root, [(name, "yes", "eeg+face+train") for name in participants])
    for index, name in enumerate(participants):
        rng = np.random.default_rng([seed, index])
        order = rng.permutation([(emotion, k) for emotion in EMOTIONS for k in range(clips_per_emotion)])
        blocks, events, onset = [], [], 1.0
        for trial, (emotion, k) in enumerate(order, start=1):
            n_times = round((clip_s + 2) * SFREQ)
            blocks.append(clip_eeg(rng, emotion, n_times, effect=effect, names=names))
            events.append(
                {"onset": onset, "duration": clip_s, "trial_type": f"clip/{emotion}", "trial": trial, "block": 1,
                 "stim_id": f"{emotion}{k}", "target": emotion, "rating": emotion, "end": "complete"}
            )  # fmt: skip
            onset += n_times / SFREQ
        write_recording(root, name, np.hstack(blocks), events, names=names)
    return root


def write_participants(root: Path, rows: Sequence[tuple[str, str, str]]) -> None:
    """Write ``participants.tsv``: (label, included, consent)."""
    lines = ["participant_id\tincluded\tconsent", *(f"sub-{name}\t{included}\t{consent}" for name, included, consent in rows)]
    (root / "participants.tsv").write_text("\n".join(lines) + "\n")


def write_recording(
    root: Path,
    participant: str,
    eeg: NDArray[np.float64],
    events: Sequence[dict[str, object]],
    *,
    names: Sequence[str] = CHANNELS,
    bad: Sequence[str] = (),
    sfreq: float = SFREQ,
) -> Path:
    """Write one recording (microvolts) with its tables; return the header's path."""
    folder = root / f"sub-{participant}" / "ses-01" / "eeg"
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"sub-{participant}_ses-01_task-emotion_run-01"
    pybv.write_brainvision(
        data=eeg * 1e-6, sfreq=sfreq, ch_names=list(names), fname_base=f"{stem}_eeg", folder_out=folder, unit="µV",
        overwrite=True,
    )  # fmt: skip
    channels = ["name\ttype\tunits\tstatus", *(f"{name}\tEEG\tuV\t{'bad' if name in bad else 'good'}" for name in names)]
    (folder / f"{stem}_channels.tsv").write_text("\n".join(channels) + "\n")
    (folder / f"{stem}_eeg.json").write_text(json.dumps({"TaskName": "emotion", "PowerLineFrequency": 50}))
    levels = {name: name for name in EMOTIONS}
    (folder / f"{stem}_events.json").write_text(json.dumps({"target": {"Levels": levels}}))
    write_events(folder / f"{stem}_events.tsv", events)
    return folder / f"{stem}_eeg.vhdr"


def write_events(path: Path, events: Sequence[dict[str, object]]) -> None:
    """Write an events table; what an event does not name is n/a."""
    lines = ["\t".join(EVENT_COLUMNS), *("\t".join(str(row.get(name, "n/a")) for name in EVENT_COLUMNS) for row in events)]
    path.write_text("\n".join(lines) + "\n")
