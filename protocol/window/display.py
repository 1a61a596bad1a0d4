"""The PsychoPy window: one page at a time, flips with their stamps on both clocks, keys and clicks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import pylsl

from protocol.ports import Asked, Stamp, Stopped, Wish
from protocol.study import Screen as ScreenPart
from protocol.window import habits, layout, pictures
from protocol.window.decode import Frame
from protocol.window.errors import WindowError
from protocol.window.pacing import Pacer, Refresh, judge_refresh
from protocol.window.pictures import Picture
from protocol.window.texture import Patch, Texture
from protocol.window.wire import Wire

ESCAPE = "escape"  # the one key that stops, everywhere and always
WISHES: Mapping[str, Wish] = {"f6": "repeat", "f7": "skip", "f8": "pause"}  # keys that nobody presses by mistake
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
    held : bool
        A pause is on the screen: the pause key, and the command, end it.

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
        self._window.winHandle.on_close = lambda: wire.stop("window closed", at_once=True)
        width, height = (int(n) for n in self._window.size)
        pixel_m = screen.width_m / screen.size_px[0]
        self.sheet = layout.sheet((width, height), pixel_m=pixel_m, distance_m=screen.distance_m)
        self._page = Texture(width, height)
        self._page.upload(pictures.blank(self.sheet))
        self._keys: list[str] = []
        self._mouse = _mouse(self._window)
        self._was_down = False
        self.held = False
        self._patch = _patch(screen, (width, height))
        self._white = self._lit = False
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

    def put(self, picture: Picture, *, white: bool = False) -> None:
        """Make a picture the page, from the next :meth:`flip_page` on; ``white`` keeps the photodiode's patch white with it."""
        self._page.upload(picture)
        self._white = white

    def flip_page(self, on_flip: Callable[[Stamp], None] | None = None) -> Stamp:
        """Flip to the page."""
        self._page.draw(1, 1)
        return self.flip(on_flip)

    def keep_page(self) -> None:
        """Let the page stand for one more period."""
        self.keep(lambda: self._page.draw(1, 1))

    def keep(self, draw: Callable[[], None], *, frame: Frame | None = None) -> None:
        """Let what is on the screen stand for one more period, and listen.

        A display of its own pace gets a flip at every refresh. One that is drawn in software would take a processor core to
        draw the same again: it gets one now and then, which shows that the window lives.

        Parameters
        ----------
        draw : callable
            Draws what is on the screen.
        frame : Frame, optional
            Of a clip, if that is on the screen.

        Raises
        ------
        Stopped, Asked
            When somebody wants to end the session, or something else of it.
        """
        assert self._pacer is not None
        if self.refresh.vsync or self._lit or self.due_s - self._t_flip >= STILL_S:
            draw()
            self.flip(frame=frame)
            return
        self._pacer.wait()
        self._pacer.passed()
        self._listen()

    def flip(
        self, on_flip: Callable[[Stamp], None] | None = None, *, frame: Frame | None = None, lit: bool = False
    ) -> Stamp:  # fmt: skip
        """Flip to what was drawn.

        Parameters
        ----------
        on_flip : callable, optional
            Called with the stamp, directly after the flip.
        frame : Frame, optional
            Of a clip, if it brings that.
        lit : bool
            The photodiode's patch is white, until the next flip.

        Returns
        -------
        float
            LSL seconds of the flip.

        Raises
        ------
        Stopped, Asked
            After the flip, when somebody wants to end the session, or something else of it.
        """
        stamp = self._flip(on_flip, frame=frame, lit=lit)
        self._listen()
        return stamp

    def clear(self, on_flip: Callable[[Stamp], None] | None = None) -> Stamp:
        """Flip to the calm screen, whatever anybody wants; with ``on_flip`` a clip ends, which the patch tells."""
        self.put(pictures.blank(self.sheet))
        stamp = self._flip_calm(on_flip, lit=on_flip is not None)
        if self._lit:
            self._flip_calm()
        return stamp

    def _flip_calm(self, on_flip: Callable[[Stamp], None] | None = None, *, lit: bool = False) -> Stamp:
        self._page.draw(1, 1)
        return self._flip(on_flip, lit=lit)

    def _flip(
        self, on_flip: Callable[[Stamp], None] | None, *, frame: Frame | None = None, lit: bool = False
    ) -> Stamp:  # fmt: skip
        stamps: list[Stamp] = []

        def stamp() -> None:
            stamps.append(self.now())
            if on_flip is not None:
                on_flip(stamps[0])

        self._lit = self._patch is not None and lit
        if self._patch is not None:
            self._patch.draw(white=lit or self._white)
        if self._pacer is not None:
            self._pacer.wait()
        self._window.callOnFlip(stamp)
        psychopy_s = self._window.flip()
        if self._pacer is not None:
            self._pacer.flipped(stamps[0])
        self.n_flips += 1
        self._t_flip = stamps[0]
        self._flips.add(self.n_flips, stamps[0], psychopy_s, frame=frame)
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

        self._keys = [key for key in (*self._keys, *event.getKeys()) if key == ESCAPE or key in WISHES]

    def take_click(self) -> tuple[float, float] | None:
        """Return where the mouse was just pressed, pixels from the top left corner; a click between two looks is not seen."""
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

        # measured with 25 keys sent: event.getKeys received 25, hardware.keyboard.Keyboard lost some, iohub six
        self._keys += event.getKeys()
        if ESCAPE in self._keys:
            self._keys = [key for key in self._keys if key != ESCAPE]  # asked once; what is shown afterwards may be stopped too
            raise Stopped(ESCAPE)
        if (stop := self._wire.take_stop()) is not None:
            raise stop
        wished = next((key for key in self._keys if key in WISHES), None)
        if wished is not None:
            self._keys.remove(wished)
            raise Asked("resume" if self.held and WISHES[wished] == "pause" else WISHES[wished], wished)
        # to go on where nothing is paused, and to pause what is, changes nothing
        if (wish := self._wire.take_wish()) is not None and wish.wish != ("pause" if self.held else "resume"):
            raise wish

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
    # pyglet: PsychoPy's other back ends are stubs that raise. checkTiming: its own measurement means nothing where flips are
    # not tied to a display (Xvfb, a remote desktop), so ours decides. A monitor passed as an object keeps it from warning.
    return visual.Window(
        size_px, fullscr=fullscreen, winType="pyglet", monitor=habits.monitor(screen), units="pix",
        color=pictures.BACKGROUND, colorSpace="rgb255", checkTiming=False, allowGUI=False, waitBlanking=True,
        gammaErrorPolicy="ignore", title="emolab",
    )  # fmt: skip


def _patch(screen: ScreenPart, size_px: tuple[int, int]) -> Patch | None:
    if screen.photodiode == "none":
        return None
    width, height = size_px
    return Patch(screen.photodiode, (screen.photodiode_px / width, screen.photodiode_px / height))


def _mouse(window: Any) -> Any:
    from psychopy import event

    return event.Mouse(visible=False, win=window)
