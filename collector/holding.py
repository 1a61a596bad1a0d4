"""Holding the session before its next trial: as long as there is a reason, and until somebody lets it go.

The window is told until it has said that it heard; one that died and came back is told again.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from protocol.messages import NEXT, Command
from protocol.ports import CLIP_LOST

AGAIN_S = 0.5
HELD = "hold"  # the window's state while it holds
OPERATOR = "operator"  # the reason that is left when every other is over and somebody has still to say so


class Hold:
    """Reasons to hold.

    Parameters
    ----------
    send : callable
        Takes a command for the window, and its id.
    now : callable
        Seconds.
    attended : bool
        Whether an operator lets it go once it held for something that went wrong; else it goes on by itself.
    """

    def __init__(self, send: Callable[[Command, str], None], *, now: Callable[[], float], attended: bool) -> None:
        self._send, self._now, self._attended = send, now, attended
        self._reasons: dict[str, bool] = {}
        self._told: tuple[Command, str] | None = None
        self._heard, self._again = True, 0.0
        self.holds = False
        self.since: float | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the next trial does not begin."""
        return tuple(self._reasons)

    def keep(self, reason: str, *, on: bool, asks: bool = True) -> None:
        """Hold for a reason, or not for it any more; with ``asks`` somebody has to let the session go afterwards."""
        if on:
            self._reasons[reason] = asks
        else:
            self._reasons.pop(reason, None)

    def inherit(self, state: str) -> None:
        """Take over from a launcher that died: it may have told the window to hold, and nobody knows why any more."""
        self._told, self._heard = (Command(verb="pause", arg=NEXT), uuid4().hex), True
        if self._attended and state.partition(" ")[0] == HELD:
            self._reasons[OPERATOR] = False  # somebody looks first

    def let_go(self) -> None:
        """Go on, where nothing else speaks against it: the operator says so."""
        self._reasons.pop(OPERATOR, None)

    def anew(self) -> None:
        """Begin with a window that knows nothing, or something old."""
        self._heard, self._again, self.holds = self._told is None, 0.0, False

    def see(self, state: str) -> None:
        """Take in what is on the participant's screen."""
        held, self.holds = self.holds, state.partition(" ")[0] == HELD
        if held and not self.holds:
            self.let_go()  # something is shown again, as somebody asked for
        if not self.holds:
            self.since = None
            return
        self.since = self._now() if self.since is None else self.since
        if self._attended and any(self._reasons.values()):
            self._reasons[OPERATOR] = False

    def acknowledged(self, id_: str) -> None:
        """Take in that the window heard a command."""
        if self._told is not None and self._told[1] == id_:
            self._heard = True

    def step(self) -> None:
        """Tell the window, where it does not know yet."""
        told, known = (self._told[0].verb, self._told[0].reason) if self._told is not None else ("resume", "")
        wanted = "pause" if self._reasons else "resume"
        # after the last trial this reason alone holds: who holds for another one has to hear of it
        if wanted != told or (CLIP_LOST in self._reasons and CLIP_LOST not in known):
            why = ", ".join(reason for reason in self._reasons) or "over"
            self._told = Command(verb="pause" if self._reasons else "resume", reason=why, arg=NEXT), uuid4().hex
            self._heard, self._again = False, 0.0
        if self._told is not None and not self._heard and self._now() >= self._again:
            self._again = self._now() + AGAIN_S
            self._send(*self._told)
