"""Odd rates, variable rates, pictures that lie, silent clips, points between frames: every frame at its own time."""

from __future__ import annotations

import queue
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from protocol.window import layout
from protocol.window.decode import Frame, read_format, read_frames, read_sound
from protocol.window.playhead import Playhead
from tests.barcode_clips import read_code, write_clip

FILM = Fraction(24000, 1001)
RATES = [FILM, Fraction(25), Fraction(30), Fraction(50), Fraction(60)]


def codes(path: Path, start_s: float, stop_s: float) -> list[int | None]:
    return [read_code(frame.rgb) for frame in read_frames(path, start_s=start_s, stop_s=stop_s)]


def shown_at(frames: list[Frame], duration_s: float, *, refresh_hz: float = 60.0) -> tuple[list[int], Playhead]:
    """Play frames on a screen that flips on time, and return which one each flip leaves there."""
    waiting = [*frames, None]

    def take() -> Frame | None:
        if not waiting:
            raise queue.Empty
        return waiting.pop(0)

    head = Playhead(take, frame_s=1 / 30, duration_s=duration_s)
    first = head.first()
    assert first is not None
    seen, flip = [first.index], 1
    while not head.over(media_s := flip / refresh_hz + 0.5 / refresh_hz):
        frame = head.advance(media_s)
        seen.append(seen[-1] if frame is None else frame.index)
        flip += 1
    head.count_rest()
    return seen, head


@pytest.mark.parametrize("fps", RATES, ids=str)
def test_every_frame_of_any_rate_is_read_once_and_shown_at_its_time(tmp_path: Path, fps: Fraction) -> None:
    n = round(2 * fps)
    path = write_clip(tmp_path / "clip.mp4", n_frames=n, fps=fps)
    frames = list(read_frames(path, start_s=0.0, stop_s=float(n / fps)))
    assert [read_code(frame.rgb) for frame in frames] == list(range(n))
    assert [frame.pts_s for frame in frames] == pytest.approx([float(i / fps) for i in range(n)], abs=1e-4)
    assert read_format(path).fps == pytest.approx(float(fps), rel=1e-3)
    seen, head = shown_at(frames, float(n / fps))
    assert (head.shown, head.dropped, head.repeated, head.missing_s) == (n, 0, 0, 0.0)
    assert [seen.index(i) for i in range(n)] == [round(float(i / fps) * 60) for i in range(n)]


@pytest.mark.parametrize("fps", RATES, ids=str)
def test_points_are_kept_to_the_frame_at_any_rate_and_two_parts_share_none(tmp_path: Path, fps: Fraction) -> None:
    path = write_clip(tmp_path / "clip.mp4", n_frames=round(3 * fps), fps=fps)
    cut, last = round(fps), round(2 * fps)
    cut_s, last_s = round(float(cut / fps), 3), round(float(last / fps), 3)  # as a table of clips has them
    assert codes(path, 0.0, cut_s) == list(range(cut))
    assert codes(path, cut_s, last_s) == list(range(cut, last))


def test_between_two_frames_a_clip_begins_with_the_one_that_is_to_be_seen_there(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", n_frames=50, fps=Fraction(25))
    frames = list(read_frames(path, start_s=1.03, stop_s=1.13))  # frame 25 stands from 1.00 to 1.04
    assert [read_code(frame.rgb) for frame in frames] == [25, 26, 27, 28]
    assert [frame.pts_s for frame in frames] == pytest.approx([0.0, 0.01, 0.05, 0.09], abs=1e-4)


def test_a_variable_rate_shows_each_frame_for_as_long_as_the_file_says(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.15, 0.2, 0.7, 0.75, 1.5]  # as a screen recorder writes: only when something changes
    path = write_clip(tmp_path / "clip.mp4", n_frames=len(times), times_s=times)
    frames = list(read_frames(path, start_s=0.0, stop_s=2.0))
    assert [frame.pts_s for frame in frames] == pytest.approx(times, abs=1e-4)
    seen, head = shown_at(frames, 1.53)
    assert (head.shown, head.dropped, head.repeated) == (7, 0, 0)
    assert [seen.index(i) for i in range(7)] == [round(t * 60) for t in times]
    assert codes(path, 0.3, 0.72) == [3, 4]  # in the middle of a long frame
    assert codes(path, 0.3, 0.6) == [3]


@pytest.mark.parametrize(("rotation", "turned"), [(90, -1), (180, 2), (270, 1)])
def test_a_picture_that_lies_is_shown_upright_and_not_distorted(tmp_path: Path, rotation: int, turned: int) -> None:
    lying = write_clip(tmp_path / "lying.mp4", n_frames=10, size_px=(320, 180))
    path = write_clip(tmp_path / "clip.mp4", n_frames=10, size_px=(320, 180), rotation=rotation)
    (stored, *_), (frame, *_) = (list(read_frames(p, start_s=0.0, stop_s=0.3)) for p in (lying, path))
    assert np.array_equal(frame.rgb, np.rot90(stored.rgb, turned))
    form = read_format(path)
    assert (form.width_px, form.height_px) == (frame.rgb.shape[1], frame.rgb.shape[0])
    portrait = rotation != 180
    assert form.aspect == pytest.approx(180 / 320 if portrait else 320 / 180)
    assert layout.letterbox(form.aspect, (1280, 720)) == ((405, 720) if portrait else (1280, 720))


def test_a_silent_clip_has_frames_and_no_sound(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", n_frames=10)
    assert read_sound(path, start_s=0.0, stop_s=0.3) is None
    assert codes(path, 0.0, 0.3) == list(range(9))


def test_the_burst_stands_where_it_was_written_whatever_the_codec_adds_before_it(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", n_frames=60, pitch_hz=1000.0, burst_at_s=0.5)
    sound = read_sound(path, start_s=0.25, stop_s=1.0)
    assert sound is not None
    first = np.flatnonzero(np.abs(sound[:, 0]) > 0.3)[0] / 48000
    assert first == pytest.approx(0.25, abs=0.005)
