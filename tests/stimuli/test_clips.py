"""The drawn clips, and what decoding finds in good and in damaged files."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from stimuli import manifest
from stimuli.decode import Facts, decode, findings
from stimuli.manifest import Entry
from stimuli.measures import Flashes
from stimuli.scenes import scene_of
from stimuli.synthetic import RATE_HZ, Form, make_clips, write_clip

COLORS = {"happiness": "#E69F00", "sadness": "#0072B2", "fear": "#CC79A7", "neutral": "#7F7F7F"}
SIZE = (320, 240)


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> tuple[Entry, ...]:
    folder = tmp_path_factory.mktemp("study")
    return manifest.load(make_clips(folder, COLORS, per_emotion=2, duration_s=2.0, size_px=SIZE, fps=30, seed=1))


def pictures(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)])


def sound(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def test_each_emotion_gets_its_clips_with_hash_target_and_licence(entries: tuple[Entry, ...]) -> None:
    assert [e.stim_id for e in entries] == [f"{emotion}0{n}" for emotion in COLORS for n in (1, 2)]
    assert all(e.target == e.stim_id[:-2] and e.licence == "CC0-1.0" and e.duration_s == 2.0 for e in entries)
    manifest.verify(entries)


def test_picture_and_sound_are_as_asked_and_equally_long(entries: tuple[Entry, ...]) -> None:
    for entry in entries:
        with av.open(str(entry.file)) as container:
            video, audio = container.streams.video[0], container.streams.audio[0]
            assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
            assert (video.width, video.height, video.average_rate) == (*SIZE, 30)
            assert video.codec_context.pix_fmt == "yuv420p"
            assert video.duration * video.time_base == 2
            assert audio.duration * audio.time_base == 2
        facts = decode(entry.file)
        assert (facts.n_frames, facts.picture_s, facts.faults) == (60, pytest.approx(2.0), ())
        assert findings(entry, facts) == []


def test_the_rate_of_american_television_gives_exact_frames(tmp_path: Path) -> None:
    form = Form(1.0, SIZE, 30000 / 1001)
    assert (form.rate, form.n_frames, form.n_samples) == (Fraction(30000, 1001), 30, 48048)
    write_clip(tmp_path / "a.mp4", scene_of("fear", 0, "#CC79A7"), form, seed=1)
    facts = decode(tmp_path / "a.mp4")
    assert (facts.n_frames, facts.fps) == (30, pytest.approx(30000 / 1001))


def test_the_same_seed_draws_the_same_clips_and_another_seed_others(tmp_path: Path, entries: tuple[Entry, ...]) -> None:
    asked = {"per_emotion": 1, "duration_s": 2.0, "size_px": SIZE, "fps": 30.0}
    again = manifest.load(make_clips(tmp_path / "a", COLORS, seed=1, **asked))
    other = manifest.load(make_clips(tmp_path / "b", COLORS, seed=2, **asked))
    assert [e.sha256 for e in again] == [e.sha256 for e in entries[::2]]
    assert not {e.sha256 for e in other} & {e.sha256 for e in again}


def test_emotions_look_different_at_every_moment(entries: tuple[Entry, ...]) -> None:
    """Clips of one emotion have nearer mean colours than clips of two emotions."""
    colors = np.array([pictures(e.file).mean(axis=(1, 2)) for e in entries])  # clip, frame, colour
    apart = np.abs(colors[:, None] - colors[None]).max(axis=(2, 3))
    same = np.array([[a.target == b.target for a in entries] for b in entries])
    assert apart[same].max() < 15
    assert np.abs(colors[:, None] - colors[None]).max(axis=3).min(axis=2)[~same].min() > 25


def test_every_clip_moves(entries: tuple[Entry, ...]) -> None:
    for entry in entries:
        frames = pictures(entry.file)[::15].astype(float)
        assert np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3)).min() > 0.3, entry.stim_id


def test_emotions_sound_different_and_equally_loud(entries: tuple[Entry, ...]) -> None:
    heard = {e.stim_id: sound(e.file) for e in entries}
    levels = [20 * np.log10(np.sqrt(np.mean(x**2))) for x in heard.values()]
    assert max(levels) - min(levels) < 2.0  # dB
    assert all(np.abs(x).max() < 1.0 for x in heard.values())

    def tone(x: np.ndarray) -> np.ndarray:
        """Share of the power by octave from 62.5 Hz."""
        power = np.abs(np.fft.rfft(x)) ** 2
        octave = np.log2(np.maximum(np.fft.rfftfreq(len(x), 1 / RATE_HZ), 1.0) / 62.5).astype(int).clip(0, 8)
        return np.bincount(octave, power, 9) / power.sum()

    shares = {stim_id: tone(x) for stim_id, x in heard.items()}
    for a in shares:
        for b in shares:
            if a[:-2] != b[:-2]:
                assert np.abs(shares[a] - shares[b]).sum() > 0.2, (a, b)


@pytest.mark.parametrize("emotion", COLORS)
def test_nothing_flashes(emotion: str) -> None:
    paint, seen = scene_of(emotion, 0, COLORS[emotion]).painter((160, 90), np.random.default_rng(3)), Flashes()
    for n in range(180):
        seen.add(av.VideoFrame.from_ndarray(paint(n / 30), format="bgr24"), n / 30)
    assert seen.most_in_a_second <= 3


def test_an_unknown_emotion_takes_a_scene_in_its_own_colour() -> None:
    awe, anger = (scene_of(name, n, "#00FF00") for n, name in enumerate(("awe", "anger")))
    rng = np.random.default_rng
    assert awe.painter((64, 48), rng(1))(0.0).mean(axis=(0, 1))[1] > 200
    assert not np.array_equal(awe.painter((64, 48), rng(1))(0.0), anger.painter((64, 48), rng(1))(0.0))


def test_no_half_written_clip_has_a_final_name(tmp_path: Path) -> None:
    def full_disk(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        raise OSError("No space left on device")

    scene = replace(scene_of("fear", 0, "#CC79A7"), play=full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_clip(tmp_path / "a.mp4", scene, Form(1.0, SIZE, 30), seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["a.part"]


def test_large_pictures_are_enlarged_without_changing_their_colours(tmp_path: Path) -> None:
    scene = scene_of("happiness", 0, "#E69F00")
    for name, form in (("small", Form(0.1, (640, 360), 30)), ("large", Form(0.1, (1280, 720), 30))):
        write_clip(tmp_path / f"{name}.mp4", scene, form, seed=1)
    small, large = (pictures(tmp_path / f"{name}.mp4").astype(float) for name in ("small", "large"))
    assert large.shape == (3, 720, 1280, 3)
    assert np.abs(large.reshape(3, 360, 2, 640, 2, 3).mean(axis=(2, 4)) - small).mean() < 2.0


def broken(entry: Entry, folder: Path, change: str) -> Path:
    data = bytearray(entry.file.read_bytes())
    if change == "cut":
        data = data[: len(data) // 2]
    elif change == "zeroed inside":
        middle = len(data) // 2
        data[middle : middle + 300] = bytes(300)
    elif change == "text":
        data = bytearray(b"no film")
    (folder / "broken.mp4").write_bytes(data)
    return folder / "broken.mp4"


@pytest.mark.parametrize(
    ("change", "said"),
    [("cut", "cannot be decoded"), ("text", "cannot be decoded"), ("zeroed inside", "damaged"), ("none", None)],
)
def test_a_damaged_file_is_found(entries: tuple[Entry, ...], tmp_path: Path, change: str, said: str | None) -> None:
    facts = decode(broken(entries[0], tmp_path, change))
    assert [said in fault for fault in facts.faults] == ([True] if said else [])


def remuxed(entry: Entry, path: Path, *, frames: int, with_sound: bool = True, until_s: float = 9.0) -> Path:
    """Copy a clip's packets: only the first ``frames`` of the picture, and sound until a time."""
    with av.open(str(entry.file)) as source, av.open(str(path), "w") as target:
        streams = {0: target.add_stream_from_template(source.streams.video[0])}
        if with_sound:
            streams[1] = target.add_stream_from_template(source.streams.audio[0])
        n = 0
        for packet in source.demux():
            stream = streams.get(packet.stream.index)
            if stream is None or packet.dts is None:
                continue
            n += packet.stream.type == "video"
            if n <= frames and not (packet.stream.type == "audio" and float(packet.pts * packet.time_base) >= until_s):
                packet.stream = stream
                target.mux(packet)
    return path


def test_sound_that_ends_before_the_picture_is_found(entries: tuple[Entry, ...], tmp_path: Path) -> None:
    facts = decode(remuxed(entries[0], tmp_path / "a.mp4", frames=60, until_s=1.0))
    assert [fault[:10] for fault in facts.faults] == ["its sound "]


def test_a_silent_clip_is_good(entries: tuple[Entry, ...], tmp_path: Path) -> None:
    facts = decode(remuxed(entries[0], tmp_path / "a.mkv", frames=60, with_sound=False))
    assert (facts.sound_s, facts.codecs, facts.faults) == (None, ("h264",), ())


def test_a_file_without_a_picture_is_found(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = RATE_HZ
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert decode(tmp_path / "a.mp4").faults == ("has no picture",)


@pytest.mark.parametrize(("stop_s", "n"), [(2.0, 0), (2.016, 0), (2.02, 1), (6.0, 1)])
def test_a_stop_after_the_picture_s_end_is_found(entries: tuple[Entry, ...], stop_s: float, n: int) -> None:
    entry = replace(entries[0], stop_s=stop_s)
    found = findings(entry, decode(entry.file))
    assert len(found) == n
    assert all("the picture lasts 2.000 s" in line for line in found)


def test_faults_are_told_with_line_and_file(entries: tuple[Entry, ...]) -> None:
    (line,) = findings(entries[0], Facts(faults=("has no picture",)))
    assert line == f"{entries[0].where}: file = 'happiness01.mp4': has no picture"
