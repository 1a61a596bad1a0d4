"""The PsychoPy window: one page at a time, flips with their stamps on both clocks, keys and clicks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pylsl

from protocol.ports import Stamp, Stopped
from protocol.study import Screen as ScreenPart
from protocol.window import habits, layout, pictures
from protocol.window.errors import WindowError
from protocol.window.pacing import Pacer, Refresh, judge_refresh
from protocol.window.pictures import Picture
from protocol.window.texture import Texture
from protocol.window.wire import Wire

ESCAPE = "escape"
STILL_S = 0.1  # from flip to flip of what does not change, on a display without a pace of its own
_SETTLING, _MEASURED = 10, 40  # flips: the first ones of a window are slow


class Display:
    """What everything on the screen is drawn to.

    Parameters
    ----------
    screen : Screen
        The study's table of that name.
    size_px : tuple of int
        Of the window.
    fullscreen : bool
        The whole screen instead, whatever its size.
    wire : Wire
        Is told of every flip; gives keys of the simulated participant and the wish to stop.
    flips : FlipLog
        Where every flip is written down.

    Attributes
    ----------
    sheet : Sheet
        The screen's size and letters.
    refresh : Refresh
        Its pace.
    n_flips : int
        So far.

    Raises
    ------
    WindowError
        When there is no screen.
    """

    def __init__(
        self, screen: ScreenPart, *, size_px: tuple[int, int], fullscreen: bool, wire: Wire, flips: habits.FlipLog
    ) -> None:
        self._wire, self._flips, self.n_flips = wire, flips, 0
        self._window = _open(screen, size_px=size_px, fullscreen=fullscreen)
        # whoever closes the window means to stop
        self._window.winHandle.on_close = lambda: wire.stop("window closed")
        width, height = (int(n) for n in self._window.size)
        pixel_m = screen.width_m / screen.size_px[0]
        self.sheet = layout.sheet((width, height), pixel_m=pixel_m, distance_m=screen.distance_m)
        self._page = Texture(width, height)
        self._page.upload(pictures.blank(self.sheet))
        self._keys: list[str] = []
        self._mouse = _mouse(self._window)
        self._was_down = False
        self._t_flip = self.now()
        self._pacer: Pacer | None = None
        self.refresh = self._measure(screen.refresh_hz)
        self._pacer = Pacer(self.refresh, now=self.now, sleep=time.sleep)

    @staticmethod
    def now() -> Stamp:
        """Return LSL seconds."""
        return float(pylsl.local_clock())

    @property
    def due_s(self) -> Stamp:
        """When the next flip is expected."""
        assert self._pacer is not None
        return self._pacer.due_s

    @property
    def period_s(self) -> float:
        """From flip to flip."""
        return self.refresh.period_s

    def put(self, picture: Picture) -> None:
        """Make a picture the page, from the next :meth:`flip_page` on."""
        self._page.upload(picture)

    def flip_page(self, on_flip: Callable[[Stamp], None] | None = None) -> Stamp:
        """Flip to the page."""
        self._page.draw(1, 1)
        return self.flip(on_flip)

    def keep_page(self) -> None:
        """Let the page stand for one more period."""
        self.keep(lambda: self._page.draw(1, 1))

    def keep(self, draw: Callable[[], None]) -> None:
        """Let what is on the screen stand for one more period, and listen.

        A display of its own pace gets a flip at every refresh. One that is drawn in software would take a processor core to
        draw the same again: it gets one now and then, which shows that the window lives.

        Parameters
        ----------
        draw : callable
            Draws what is on the screen.

        Raises
        ------
        Stopped
            When somebody wants to end the session.
        """
        assert self._pacer is not None
        if self.refresh.vsync or self.due_s - self._t_flip >= STILL_S:
            draw()
            self.flip()
            return
        self._pacer.wait()
        self._pacer.passed()
        self._listen()

    def flip(self, on_flip: Callable[[Stamp], None] | None = None) -> Stamp:
        """Flip to what was drawn.

        Parameters
        ----------
        on_flip : callable, optional
            Called with the stamp, directly after the flip.

        Returns
        -------
        float
            LSL seconds of the flip.

        Raises
        ------
        Stopped
            After the flip, when somebody wants to end the session.
        """
        stamp = self._flip(on_flip)
        self._listen()
        return stamp

    def clear(self) -> None:
        """Flip to the calm screen, whoever wants to end the session."""
        self.put(pictures.blank(self.sheet))
        self._flip_calm()

    def _flip_calm(self) -> Stamp:
        self._page.draw(1, 1)
        return self._flip(None)

    def _flip(self, on_flip: Callable[[Stamp], None] | None) -> Stamp:
        stamps: list[Stamp] = []

        def stamp() -> None:
            stamps.append(self.now())
            if on_flip is not None:
                on_flip(stamps[0])

        if self._pacer is not None:
            self._pacer.wait()
        self._window.callOnFlip(stamp)
        psychopy_s = self._window.flip()
        if self._pacer is not None:
            self._pacer.flipped(stamps[0])
        self.n_flips += 1
        self._t_flip = stamps[0]
        self._flips.add(self.n_flips, stamps[0], psychopy_s)
        self._wire.flipped(self.n_flips, stamps[0])
        return stamps[0]

    def take_keys(self) -> list[str]:
        """Return the keys pressed since the last call, the simulated participant's too, oldest first."""
        pressed, self._keys = [*self._keys, *self._wire.presses()], []
        return [key.removeprefix("num_") for key in pressed]

    def forget_input(self) -> None:
        """Drop what was pressed before now; call it at the flip that shows what the next keys and clicks are meant for."""
        from psychopy import event

        self._was_down = bool(self._mouse.getPressed()[0])  # a button that is still down is no new click

        self._keys = [key for key in (*self._keys, *event.getKeys()) if key == ESCAPE]

    def take_click(self) -> tuple[float, float] | None:
        """Return where the mouse was just pressed, pixels from the top left corner."""
        down = bool(self._mouse.getPressed()[0])
        clicked, self._was_down = down and not self._was_down, down
        x, y = self._mouse.getPos()
        return (x + self.sheet.width_px / 2, self.sheet.height_px / 2 - y) if clicked else None

    def show_mouse(self, *, visible: bool) -> None:
        """Show the mouse's arrow, or hide it."""
        self._window.mouseVisible = visible

    def close(self) -> None:
        """Close the window."""
        self._page.close()
        self._window.close()

    def _listen(self) -> None:
        from psychopy import event

        self._keys += event.getKeys()
        if ESCAPE in self._keys:
            raise Stopped(ESCAPE)
        if (reason := self._wire.stopped) is not None:
            raise Stopped(reason)

    def _measure(self, refresh_hz: float) -> Refresh:
        """Flip without pacing and see what the display does."""
        stamps = [self._flip_calm() for _ in range(_SETTLING + _MEASURED)][_SETTLING:]
        return judge_refresh([b - a for a, b in pairwise(stamps)], refresh_hz)


def _open(screen: ScreenPart, *, size_px: tuple[int, int], fullscreen: bool) -> Any:
    habits.quieten()
    try:
        from psychopy import visual
    except Exception as error:
        if type(error).__name__ != "NoSuchDisplayException":  # pyglet defines it only where there is X
            raise
        display = os.environ.get("DISPLAY", "")
        raise WindowError(f"DISPLAY = {display!r}: no such screen; log in to a desktop, or run under xvfb-run") from error
    return visual.Window(
        size_px, fullscr=fullscreen, winType="pyglet", monitor=habits.monitor(screen), units="pix",
        color=pictures.BACKGROUND, colorSpace="rgb255", checkTiming=False, allowGUI=False, waitBlanking=True,
        gammaErrorPolicy="ignore", title="emolab",
    )  # fmt: skip


def _mouse(window: Any) -> Any:
    from psychopy import event

    return event.Mouse(visible=False, win=window)
