"""Which frame goes onto the screen, and the account of all of them."""

import queue
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.window.decode import ClipError, Frame
from protocol.window.playhead import Playhead

FRAME_S = 1 / 30
PICTURE = np.zeros((1, 1, 3), np.uint8)


class Frames:
    """Gives frames like the decoder; ``decoded`` says how many of them there are by now."""

    def __init__(self, n: int, *, decoded: int | None = None) -> None:
        self.frames = [Frame(i, i * FRAME_S, PICTURE) for i in range(n)]
        self.decoded = n + 1 if decoded is None else decoded
        self.taken = 0

    def __call__(self) -> Frame | None:
        if self.taken >= self.decoded:
            raise queue.Empty
        self.taken += 1
        return self.frames[self.taken - 1] if self.taken <= len(self.frames) else None


def play(head: Playhead, media_s: Sequence[float]) -> list[int]:
    """Return the index of the frame on the screen after each flip."""
    first = head.first()
    assert first is not None
    seen = [first.index]
    for t in media_s:
        frame = head.advance(t)
        seen.append(seen[-1] if frame is None else frame.index)
    return seen


def test_a_30_hz_clip_on_a_60_hz_screen_shows_each_frame_twice() -> None:
    head = Playhead(Frames(4), frame_s=FRAME_S, duration_s=4 * FRAME_S)
    assert play(head, [(k + 0.5) / 60 for k in range(1, 8)]) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert (head.shown, head.dropped, head.repeated) == (4, 0, 0)
    assert head.over(4 * FRAME_S) and not head.over(4 * FRAME_S - 0.001)
    assert head.missing_s == 0


def test_a_stall_of_the_screen_drops_the_frames_whose_time_has_passed() -> None:
    head = Playhead(Frames(10), frame_s=FRAME_S, duration_s=10 * FRAME_S)
    assert play(head, [5.5 * FRAME_S]) == [0, 5]
    assert (head.shown, head.dropped, head.repeated) == (2, 4, 0)
    head.count_rest()
    assert head.shown + head.dropped == 10


def test_a_slow_decoder_repeats_the_frame_on_the_screen() -> None:
    frames = Frames(4, decoded=2)
    head = Playhead(frames, frame_s=FRAME_S, duration_s=4 * FRAME_S)
    assert play(head, [1.5 * FRAME_S, 2.5 * FRAME_S]) == [0, 1, 1]
    assert head.repeated == 1
    frames.decoded = 5
    assert head.advance(3.5 * FRAME_S) == frames.frames[3]
    assert (head.shown, head.dropped, head.repeated) == (3, 1, 1)


def test_a_file_that_ends_early_is_over_and_says_how_much_is_missing() -> None:
    head = Playhead(Frames(30), frame_s=FRAME_S, duration_s=2.0)
    play(head, [k * FRAME_S + 0.01 for k in range(1, 30)])
    head.advance(29.9 * FRAME_S)
    assert head.over(30 * FRAME_S)
    assert head.missing_s == pytest.approx(1.0)


def test_a_screen_that_stood_still_at_the_end_of_a_clip_does_not_make_its_file_short() -> None:
    head = Playhead(Frames(30), frame_s=FRAME_S, duration_s=1.0)
    play(head, [0.1, 0.5])
    assert head.over(1.2)  # the next flip came 0.7 s later
    head.count_rest()
    assert (head.shown + head.dropped, head.missing_s) == (30, 0.0)


def test_a_decoder_that_gives_nothing_for_seconds_has_failed() -> None:
    head = Playhead(Frames(300, decoded=1), frame_s=FRAME_S, duration_s=10.0)
    assert play(head, [4.9]) == [0, 0]
    with pytest.raises(ClipError, match="no frame was decoded for 5 s"):
        head.advance(5.1)


def test_a_clip_without_frames_has_no_first() -> None:
    assert Playhead(Frames(0), frame_s=FRAME_S, duration_s=1.0).first() is None


@given(st.lists(st.floats(0.001, 0.2), max_size=40), st.integers(1, 40))
def test_every_frame_is_shown_or_dropped_whatever_the_flips_do(intervals: list[float], n: int) -> None:
    head = Playhead(Frames(n), frame_s=FRAME_S, duration_s=n * FRAME_S)
    seen = play(head, list(np.cumsum(intervals)))
    head.count_rest()
    assert head.shown + head.dropped == n
    assert head.shown == len(set(seen))
    assert seen == sorted(seen)


def test_a_last_frame_that_stands_long_by_its_own_word_is_no_missing_end() -> None:
    frames = [Frame(0, 0.0, PICTURE, 0.5), Frame(1, 0.5, PICTURE, 1.0), None]
    head = Playhead(lambda: frames.pop(0), frame_s=FRAME_S, duration_s=1.5)
    assert play(head, [0.3, 0.6, 1.4]) == [0, 0, 1, 1]
    head.count_rest()
    assert (head.missing_s, head.repeated, head.dropped) == (0.0, 0, 0)
