"""Alarms that are on: raised once, cleared once, written down, said, and shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from collector.crew import View
from collector.diary import Diary
from protocol.scene import Trouble

Level = Literal["warn", "stop"]


class Troubles:
    """The launcher's alarms, and those of the others that it was told of.

    Parameters
    ----------
    diary : Diary
        Gets a row for each change.
    view : View
        Is told of each change.
    now : callable
        The LSL clock, seconds.
    """

    def __init__(self, diary: Diary, view: View, *, now: Callable[[], float]) -> None:
        self._diary, self._view, self._now = diary, view, now
        self._on: dict[str, Trouble] = {}
        self._who: dict[str, str] = {}  # told of it, where it was not the launcher itself

    def __contains__(self, code: str) -> bool:
        return code in self._on

    @property
    def on(self) -> tuple[Trouble, ...]:
        """Those that are on, the oldest first."""
        return tuple(self._on.values())

    @property
    def stopping(self) -> tuple[str, ...]:
        """Codes of those with which no clip may begin."""
        return tuple(code for code, trouble in self._on.items() if trouble.level == "stop")

    def alarm(
        self, code: str, *, cleared: bool = False, level: Level = "warn", t_cause: float | None = None, why: str = "",
        who: str = "",
    ) -> bool:  # fmt: skip
        """Raise an alarm, or clear it; returns whether that is news.

        Parameters
        ----------
        code : str
            ``stream/lost EEG`` ..
        cleared : bool
            It is over.
        level : {"warn", "stop"}
            ``stop``: no clip may begin while it is on.
        t_cause : float, optional
            When it began, LSL seconds; now where it is left out.
        why : str
            With values, for people.
        who : str
            Of whom it was heard; empty where the launcher saw it itself.
        """
        if cleared == (code not in self._on):
            return False
        t = self._now()
        if cleared:
            del self._on[code]
            self._who.pop(code, None)
        else:
            self._who[code] = who
            begun = t if t_cause is None else t_cause
            self._on[code] = Trouble(code=code, text=why or code, level=level, t_cause=begun, t_raised=t)
        row = {
            **({"reason": why} if why else {}),
            **({"who": who} if who else {}),
            "level": level,
            "t_cause": t if t_cause is None else t_cause,
        }
        self._diary.write("alarm", code, {**row, "cleared": cleared})
        words = why if not cleared else ""
        self._view.say(f"{'over' if cleared else 'ALARM'}: {code}{': ' if words else ''}{words}")
        return True

    def told_by(self, who: str) -> tuple[str, ...]:
        """Return the codes of those that are on and that were heard of somebody."""
        return tuple(code for code in self._on if self._who.get(code) == who)

    def restore(self, trouble: Trouble, *, who: str = "") -> None:
        """Take up one that an earlier launcher of this session had raised."""
        self._on[trouble.code], self._who[trouble.code] = trouble, who
