"""Which frame of a clip belongs on the screen at a flip, and what became of every frame. Pure."""

from __future__ import annotations

import queue
from collections.abc import Callable

from protocol.window.decode import ClipError, Frame

SHORT_S = 0.25  # a clip that ends this much before its out point is not the clip that the manifest names
STALLED_S = 5.0  # without a frame for so long, a clip has failed


class Playhead:
    """Follows the media time, flip by flip.

    Parameters
    ----------
    take : callable
        Returns the next frame, or None after the last; raises ``queue.Empty`` when it is not decoded yet and
        :class:`~protocol.window.decode.ClipError` when it cannot be.
    frame_s : float
        How long a frame is to be seen that does not say it itself.
    duration_s : float
        From in point to out point.

    Attributes
    ----------
    shown, dropped : int
        Frames that reached the screen, and frames whose time passed before they could. Together: every frame of the clip.
    lost : list of int
        The frames that were dropped, by index.
    repeated : int
        Flips that had to show a frame beyond its time, because the next one was not decoded.
    """

    def __init__(self, take: Callable[[], Frame | None], *, frame_s: float, duration_s: float) -> None:
        self._take, self._frame_s, self._duration_s = take, frame_s, duration_s
        self.shown = self.repeated = 0
        self.lost: list[int] = []
        self.current: Frame | None = None
        self._next: Frame | None = None
        self._ended = False
        self._known_s = 0.0  # end of the last frame that the file gave, shown or not

    def first(self) -> Frame | None:
        """Return the first frame, which is shown at the onset, however late that is; None when there is none."""
        frame = self._pull()
        if frame is not None:
            self._next = None
            self._show(frame)
        return frame

    def advance(self, media_s: float) -> Frame | None:
        """Return the frame that the flip at ``media_s`` brings, or None when the one on the screen stays."""
        due: Frame | None = None
        while (frame := self._pull()) is not None and frame.pts_s <= media_s:
            if due is not None:
                self.lost.append(due.index)
            due, self._next = frame, None
        if due is not None:
            self._show(due)
        elif frame is None and not self._ended and media_s >= self._current_ends_s:
            self.repeated += 1
            if media_s > self._current_ends_s + STALLED_S:
                raise ClipError(f"no frame was decoded for {STALLED_S:.0f} s")
        return due

    def over(self, media_s: float) -> bool:
        """Return whether the flip at ``media_s`` is the one that clears the clip."""
        ends_s = min(self._duration_s, self._current_ends_s) if self._ended else self._duration_s
        return media_s >= ends_s

    def count_rest(self) -> None:
        """Count the frames that were never shown as dropped; call it when the clip is over and decoding has ended."""
        while (frame := self._pull()) is not None:
            self._next = None
            self.lost.append(frame.index)

    @property
    def dropped(self) -> int:
        """Frames whose time passed before they could reach the screen."""
        return len(self.lost)

    @property
    def missing_s(self) -> float:
        """How much before the out point the file ended; 0 for a whole clip."""
        gap_s = self._duration_s - max(self._known_s, self._current_ends_s)
        return gap_s if self._ended and self._next is None and gap_s > SHORT_S else 0.0

    @property
    def _current_ends_s(self) -> float:
        return self.current.pts_s + (self.current.duration_s or self._frame_s) if self.current else self._frame_s

    def _show(self, frame: Frame) -> None:
        self.current = frame
        self.shown += 1

    def _pull(self) -> Frame | None:
        """Look at the next frame without using it up."""
        if self._next is None and not self._ended:
            try:
                self._next = self._take()
                self._ended = self._next is None
                if self._next is not None:
                    self._known_s = self._next.pts_s + (self._next.duration_s or self._frame_s)
            except queue.Empty:
                pass
        return self._next
