"""The contact check before the first clip: whether the blinks that were cued are seen in the frontal EEG.

Green contact quality does not prove that somebody wears the cap. The session's own cues come before its first trial: as soon as
they begin the window is told to hold before that trial, and when they are over what was recorded is read by a command. If the
blinks are there the session is let go, mostly before it came to hold: nobody notices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from collector.diary import Diary
from collector.helper import Answer, Helper
from collector.holding import HELD
from protocol.scene import Contact

REASON = "contact"
CUES, LAST = ("sync/cue",), ("sync/flash", HELD)  # states: while blinks are cued; no cue comes any more
SETTLED_S = 1.5  # a blink after the last cue, and the way of its samples into the file
UNSHOWN_S = 15.0  # cues that were asked for again and have not begun by then never will: the window may have died meanwhile


class ContactCheck:
    """Where the check stands.

    Parameters
    ----------
    helper : Helper or None
        Reads the recording; None where the study cues no blinks.
    diary : Diary
        Gets the result.
    now : callable
        Seconds.

    Attributes
    ----------
    contact : Contact
        As the operator is shown it.
    """

    def __init__(self, helper: Helper | None, *, diary: Diary, now: Callable[[], float]) -> None:
        self._helper, self._diary, self._now = helper, diary, now
        self.contact = Contact(state="waiting" if helper is not None else "not_checked")
        self._over: float | None = None
        self._asked: tuple[float, Contact] | None = None  # when the cues were asked for again, and what had been found before
        self._held = self._cued = self._shown = False

    @property
    def holds(self) -> bool:
        """Whether the first trial has to wait."""
        state = self.contact.state
        blocked = state == "no_blinks" and not self.contact.overridden
        return blocked or state == "checking" or (state == "waiting" and self._cued)

    @property
    def failed(self) -> bool:
        """Whether nobody seems to wear the cap."""
        return self.contact.state == "no_blinks" and not self.contact.overridden

    def see(self, state: str) -> None:
        """Take in what is on the participant's screen."""
        name = state.partition(" ")[0]
        self._held = name == HELD
        if self.contact.state != "waiting":
            return
        if name in CUES:
            self._cued, self._shown, self._over = True, True, None
        elif self._shown and name in LAST and self._over is None:
            self._over = self._now()
        elif self._cued and name.startswith(("clip", "rating")):
            self._conclude(Contact(state="not_checked"), why="the cues were left out")

    def step(self) -> None:
        """Ask when the cues are over; take the answer when it is there."""
        if self._helper is None:
            return
        if self.contact.state == "waiting" and self._over is not None and self._now() - self._over >= SETTLED_S:
            self._put(state="checking")
            self._helper.ask()
        elif self.contact.state == "waiting" and (before := self._unshown) is not None:
            self._conclude(before, why="the cues were not shown again")  # the operator may press Check once more
        elif self.contact.state == "checking" and (answer := self._helper.look()) is not None:
            self._conclude(read(answer), why=answer.why)

    @property
    def _unshown(self) -> Contact | None:
        """What had been found before, where the window goes on holding instead of showing the cues again."""
        if self._asked is None or self._shown or not self._held or self._now() - self._asked[0] < UNSHOWN_S:
            return None
        return self._asked[1]

    def again(self) -> None:
        """Begin anew: the cues are shown once more."""
        self._asked = self._now(), self.contact
        self.contact, self._over, self._cued = Contact(state="waiting"), None, True
        self._shown = False  # the window still holds: that is not the end of cues that have yet to come

    def override(self, reason: str) -> None:
        """Go on all the same; somebody said why."""
        self._put(overridden=reason)
        self._write()

    def restore(self, contact: Contact) -> None:
        """Take up what an earlier launcher of this session found."""
        self.contact = contact

    def _conclude(self, contact: Contact, *, why: str = "") -> None:
        self.contact = contact
        self._write(why)

    def _put(self, **changes: Any) -> None:
        self.contact = msgspec.structs.replace(self.contact, **changes)

    def _write(self, why: str = "") -> None:
        found = msgspec.to_builtins(self.contact)
        self._diary.write("note", "contact", {**found, **({"why": why} if why else {})})


def read(answer: Answer) -> Contact:
    """Return what ``emo-record contact --json`` said; where it said nothing, nothing was checked: that stops nobody."""
    said = answer.said
    if not isinstance(said, Mapping) or said.get("state") not in ("ok", "no_blinks", "not_checked"):
        return Contact(state="not_checked")
    try:
        return msgspec.convert({key: said[key] for key in ("state", "n_cues", "n_seen", "alpha") if key in said}, Contact)
    except msgspec.ValidationError:
        return Contact(state="not_checked")
