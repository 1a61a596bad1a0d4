"""The operator page as a child: started again whenever it ends, at the same address with the same tokens."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from collector.team import Team
from collector.troubles import Troubles

PORT_VARIABLE, TOKEN_VARIABLE = "EMOLAB_PAGE_PORT", "EMOLAB_PAGE_TOKEN"
PAUSES_S = (0.2, 1.0, 2.0, 5.0, 10.0)  # before each next start: a page that cannot live must not eat the processor
LIVED_S = 20.0  # after so long it counts as one that can live
_TOUCH_S = 0.05  # our own computer answers at once, or not at all

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where the page is found."""

    port: int
    token: str

    @property
    def url(self) -> str:
        """For the operator's browser alone: the token is a key."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"


def free_place() -> Place:
    """Return a port that is free at this moment, and a new token."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return Place(int(found.getsockname()[1]), secrets.token_urlsafe(24))


class Keeper:
    """Keeps the page alive; nothing else depends on it.

    Parameters
    ----------
    team : Team
        Starts it.
    argv : tuple of str
        Its command line.
    place : Place
        Where it is found.
    troubles : Troubles
        Gets ``page/lost``.
    now : callable
        Seconds.
    browse : callable or None
        Opens the page in a browser, once, when it answers; None where nobody sits there.
    """

    def __init__(
        self, team: Team, argv: tuple[str, ...], place: Place, *, troubles: Troubles, now: Callable[[], float],
        browse: Callable[[str], object] | None = None,
    ) -> None:  # fmt: skip
        self._team, self._argv, self.place, self._troubles, self._now = team, argv, place, troubles, now
        self._browse = browse
        self._began = self._next = now()
        self._deaths, self._noticed, self._answers = 0, True, False
        self.closing = False

    def look(self) -> None:
        """Start it where it is not there."""
        if self.closing:
            return
        if self._team.runs("page"):
            self._noticed = False
            self._greet()
        elif not self._noticed:
            self._lost()
        elif self._now() >= self._next:
            self._start()

    def _start(self) -> None:
        self._began, self._answers = self._now(), False
        where = {PORT_VARIABLE: str(self.place.port), TOKEN_VARIABLE: self.place.token}
        self._team.start("page", self._argv, environment=where)

    def _lost(self) -> None:
        self._noticed = True
        self._deaths = 0 if self._now() - self._began > LIVED_S else self._deaths
        self._next = self._now() + PAUSES_S[min(self._deaths, len(PAUSES_S) - 1)]
        self._deaths += 1
        self._troubles.alarm("page/lost", why=f"the page {self._team.children['page'].why()}")

    def _greet(self) -> None:
        """See it answer: then it is back, and the browser may be opened for the first time."""
        if self._answers or not _answers(self.place.port):
            return
        self._answers = True
        self._troubles.alarm("page/lost", cleared=True)
        if self._browse is not None:
            browse, self._browse = self._browse, None
            threading.Thread(target=browse, args=(self.place.url,), daemon=True).start()  # starting one takes seconds

    def close(self) -> None:
        """Begin to end it."""
        self.closing = True
        if self._team.runs("page") and "page" not in self._team.stops:
            self._team.stop("page")


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_TOUCH_S):
            return True
    except OSError:
        return False
