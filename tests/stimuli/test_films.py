"""Any container, rate and shape: what decoding says of it, and that the player shows what decoding says."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from protocol.window.decode import read_format, read_frames, read_sound
from stimuli.decode import decode, findings
from stimuli.manifest import Entry
from stimuli.measures import most_flashes
from tests.stimuli.film import CONTAINERS, Film, write

NTSC_FILM = Fraction(24000, 1001)
RATES = [("mp4", NTSC_FILM), ("mov", Fraction(25)), ("mkv", Fraction(50)), ("webm", Fraction(60)), ("mkv", NTSC_FILM)]
IRREGULAR_S = (0.0, 0.04, 0.08, 0.2, 0.24, 0.5, 0.7, 0.75, 0.9, 1.0)


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_is_read_whole(tmp_path: Path, container: str) -> None:
    facts = decode(write(tmp_path / f"film.{container}"))
    assert facts.faults == ()
    assert (facts.n_frames, facts.n_played, facts.width, facts.height) == (30, 30, 64, 48)
    assert facts.codecs[0] in ("h264", "mpeg4", "hevc", "vp9", "mpeg2video") and len(facts.codecs) == 2
    assert facts.sound_s == pytest.approx(1.0, abs=0.05)
    assert (facts.rotation, facts.pixel_aspect, facts.flashes) == (0, 1.0, 1)  # from dark to bright, once


@pytest.mark.parametrize(("container", "rate"), RATES)
def test_rates_are_measured_and_constant(tmp_path: Path, container: str, rate: Fraction) -> None:
    facts = decode(write(tmp_path / f"film.{container}", Film(rate=rate)))
    assert facts.fps == pytest.approx(float(rate), rel=2e-3)  # Matroska rounds times to a millisecond
    assert facts.constant_rate
    assert facts.picture_s == pytest.approx(30 / float(rate), abs=2e-3)


@pytest.mark.parametrize("container", ["mp4", "mkv", "webm", "mov"])
def test_a_variable_rate_is_told(tmp_path: Path, container: str) -> None:
    facts = decode(write(tmp_path / f"film.{container}", Film(n_frames=10, times=IRREGULAR_S)))
    assert (facts.faults, facts.n_frames, facts.constant_rate) == ((), 10, False)
    assert facts.fps == pytest.approx(9.0)


def numbers(path: Path, start_s: float, stop_s: float) -> list[int]:
    """Return which frames the player would show, read from their shades."""
    return [round((float(f.rgb.mean()) - 20) / 5) for f in read_frames(path, start_s=start_s, stop_s=stop_s)]


POINTS = [(0.0, 1.0), (0.2, 0.5), (0.21, 0.49), (0.5, 0.501), (0.9, 1.0)]


@pytest.mark.parametrize(("start_s", "stop_s"), POINTS)
@pytest.mark.parametrize("container", ["mp4", "mkv", "webm", "mov"])
def test_in_and_out_points_are_exact_to_the_frame(tmp_path: Path, container: str, start_s: float, stop_s: float) -> None:
    path = write(tmp_path / f"film.{container}", Film(rate=Fraction(25), n_frames=25))
    first, last = math.floor(start_s * 25 + 1e-6), math.ceil(stop_s * 25 - 1e-6) - 1
    assert numbers(path, start_s, stop_s) == list(range(first, last + 1))
    assert decode(path, start_s=start_s, stop_s=stop_s).n_played == last - first + 1


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_film_that_is_searched_shows_what_it_shows_when_it_is_read_from_its_beginning(tmp_path: Path, container: str) -> None:
    """AVI, MPEG-TS and MOV are searched by times of decoding: with B-frames they land behind the in point."""
    path = write(tmp_path / f"film.{container}", Film(n_frames=80, rate=Fraction(25), b_frames=2, gop=24))
    whole = [(f.pts_s, float(f.rgb.mean())) for f in read_frames(path, start_s=0.0, stop_s=10.0)]
    for start_s, stop_s in ((0.2, 0.5), (0.5, 1.5), (1.3, 2.0), (2.05, 2.9)):
        first = max(n for n, (t, _) in enumerate(whole) if t <= start_s + 0.001)
        wanted = [shade for t, shade in whole[first:] if t < stop_s - 0.001]
        shown = [float(f.rgb.mean()) for f in read_frames(path, start_s=start_s, stop_s=stop_s)]
        assert shown == pytest.approx(wanted, abs=2.0), start_s
        assert decode(path, start_s=start_s, stop_s=stop_s).n_played == len(wanted)
        sound = read_sound(path, start_s=start_s, stop_s=stop_s)
        assert sound is not None
        assert np.abs(sound.reshape(-1, 480, 2)).max(axis=(1, 2)).min() > 0.2  # a tone from the in point to the out point


@pytest.mark.parametrize(("start_s", "stop_s", "wanted"), [(0.0, 0.2, 3), (0.1, 0.6, 4), (0.3, 0.4, 1), (0.5, 1.1, 5)])
def test_points_in_a_film_of_variable_rate_count_frames_by_their_own_times(
    tmp_path: Path, start_s: float, stop_s: float, wanted: int
) -> None:
    path = write(tmp_path / "film.mp4", Film(n_frames=10, times=IRREGULAR_S))
    assert decode(path, start_s=start_s, stop_s=stop_s).n_played == len(numbers(path, start_s, stop_s)) == wanted


SHAPES = [
    (Film(size=(48, 64)), (48, 64), 0),  # portrait
    (Film(size=(64, 48), pixel_aspect=Fraction(4, 3)), (85, 48), 0),  # wide, stored narrow
    (Film(size=(64, 48), rotation=90), (48, 64), 90),  # a telephone held upright
    (Film(size=(64, 48), rotation=180), (64, 48), 180),
    (Film(size=(64, 48), rotation=270, pixel_aspect=Fraction(4, 3)), (48, 85), 270),
]


@pytest.mark.parametrize(("film", "shown", "rotation"), SHAPES)
def test_shapes_are_told_as_they_are_shown(tmp_path: Path, film: Film, shown: tuple[int, int], rotation: int) -> None:
    path = write(tmp_path / "film.mp4", replace(film, with_sound=False, n_frames=3))
    facts = decode(path)
    assert (facts.shown_px, facts.rotation, facts.sound_s, facts.lufs) == (shown, rotation, None, None)
    assert read_format(path).aspect == pytest.approx(shown[0] / shown[1], abs=0.01)


@pytest.mark.parametrize(("amplitude", "lufs"), [(10 ** (-23 / 20), -23.0), (10 ** (-33 / 20), -33.0)])
def test_loudness_is_what_the_standard_says(tmp_path: Path, amplitude: float, lufs: float) -> None:
    """EBU Tech 3341, cases 1 and 2: a tone of -23 dB on both channels measures -23 +- 0.1 LUFS, and -33 dB -33."""
    facts = decode(write(tmp_path / "film.mkv", Film(n_frames=60, amplitude=amplitude)))
    assert facts.lufs == pytest.approx(lufs, abs=0.1)


def test_loudness_is_that_of_the_part_that_is_played(tmp_path: Path) -> None:
    path = write(tmp_path / "film.mkv", Film(n_frames=90, amplitude=0.1))
    assert decode(path, start_s=1.0, stop_s=3.0).lufs == pytest.approx(-20.0, abs=0.2)
    assert decode(path, start_s=2.8, stop_s=3.0).lufs is None  # shorter than the standard's 0.4 s
    assert decode(write(tmp_path / "silent.mkv", Film(amplitude=0.0))).lufs is None


# ---- damage


def without(path: Path, target: Path, dropped: range) -> Path:
    """Copy a film's packets but some of its pictures."""
    with av.open(str(path)) as source, av.open(str(target), "w") as copy:
        stream, n = copy.add_stream_from_template(source.streams.video[0]), 0
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None and (n := n + 1) not in dropped:
                packet.stream = stream
                copy.mux(packet)
    return target


def test_pictures_that_are_missing_in_the_middle_are_found(tmp_path: Path) -> None:
    whole = write(tmp_path / "film.mp4", Film(n_frames=60, with_sound=False, shade=lambda n: 20 + n * 37 % 200))
    assert decode(without(whole, tmp_path / "copy.mp4", range(0))).faults == ()
    facts = decode(without(whole, tmp_path / "cut.mp4", range(20, 24)))
    assert facts.gaps == ((0.6, pytest.approx(5 / 30, abs=1e-3)),)


@pytest.mark.parametrize(("container", "least"), [("mp4", 8), ("mkv", 8), ("mov", 8)])
def test_most_holes_of_zeros_are_found_without_the_hash(tmp_path: Path, container: str, least: int) -> None:
    """Codecs carry no checksum: some damage decodes to another picture or tone, silently. The hash finds it all."""
    data = write(tmp_path / f"film.{container}", Film(n_frames=60, shade=lambda n: 20 + n * 37 % 200)).read_bytes()
    rng, found = np.random.default_rng(1), 0
    for start in rng.integers(len(data) // 5, len(data) * 4 // 5, 12):
        (tmp_path / f"hole.{container}").write_bytes(data[:start] + bytes(60) + data[start + 60 :])
        found += bool(decode(tmp_path / f"hole.{container}").faults)
    assert found >= least


def test_damage_between_the_pictures_is_heard_of(tmp_path: Path) -> None:
    """FFmpeg finds its way again in a damaged WebM, decodes every frame, and says so in its log alone."""
    data = write(tmp_path / "film.webm", Film(n_frames=60, size=(160, 120), shade=lambda n: 20 + n * 37 % 200)).read_bytes()
    faults = []
    for start in range(len(data) // 5, len(data) * 4 // 5, len(data) // 40):
        (tmp_path / "hole.webm").write_bytes(data[:start] + bytes(60) + data[start + 60 :])
        faults += decode(tmp_path / "hole.webm").faults
    assert sum(fault.startswith("is damaged (") for fault in faults) >= 2


def test_what_ffmpeg_only_speaks_of_is_heard_and_does_not_stay_on() -> None:
    decode(Path("nowhere.mp4"))
    assert av.logging.get_level() is None


# ---- flashes


def waves(hz: float, middle: float = 0.5, swing: float = 0.21) -> np.ndarray:
    return (middle - swing * np.cos(2 * np.pi * hz * np.arange(180) / 30))[:, None]


@pytest.mark.parametrize(
    ("light", "wanted"),
    [
        (waves(5), 5),
        (waves(3), 3),
        (waves(2), 2),
        (waves(5, swing=0.04), 0),  # less than a tenth
        (waves(5, middle=0.9, swing=0.09), 0),  # the darker picture is bright
        (np.full((180, 1), 0.5), 0),
        (np.linspace(0, 1, 180)[:, None], 1),  # one change is half a pair
        (np.hstack([waves(1), waves(4)]), 4),  # the busiest part counts
    ],
)
def test_general_flashes_are_counted_as_wcag_does(light: np.ndarray, wanted: int) -> None:
    assert most_flashes(np.arange(len(light)) / 30, light) == wanted


@pytest.mark.parametrize(("frames_each", "wanted"), [(3, 5), (6, 3), (15, 1)])
def test_a_film_that_flashes_is_measured(tmp_path: Path, frames_each: int, wanted: int) -> None:
    film = Film(n_frames=60, with_sound=False, shade=lambda n: 230 if n // frames_each % 2 else 20)
    assert decode(write(tmp_path / "film.mp4", film)).flashes == wanted


def test_only_what_is_played_counts_as_a_flash(tmp_path: Path) -> None:
    film = Film(n_frames=90, with_sound=False, shade=lambda n: 230 if n < 45 and n // 3 % 2 else 20)
    path = write(tmp_path / "film.mp4", film)
    assert (decode(path).flashes, decode(path, start_s=1.6, stop_s=3.0).flashes) == (5, 0)


def test_points_between_which_there_is_nothing_are_found(tmp_path: Path) -> None:
    path = write(tmp_path / "film.mp4", Film(with_sound=False))
    entry = Entry(path, "a", "fear", 1.5, 1.6, "0" * 64, where="clips.tsv, line 2")
    found = findings(entry, decode(path, start_s=1.5, stop_s=1.6))
    assert found == ["clips.tsv, line 2: stop_s = 1.6: the picture lasts 1.000 s; write that or less"]
