"""Keeping the computer from sleeping while it records, where the system lets one; for as long as the collector lives."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from collector.diary import Diary
from collector.team import Team

_WINDOWS_KEEP = 0x80000000 | 0x00000001  # ES_CONTINUOUS | ES_SYSTEM_REQUIRED: until this process ends


def command(pid: int, *, platform: str, found: Sequence[str]) -> tuple[str, ...]:
    """Return what keeps a computer awake for as long as a process lives; empty where nothing does.

    Parameters
    ----------
    pid : int
        Of the process that records: a launcher that dies lets nobody fall asleep.
    platform : str
        As ``sys.platform`` says it.
    found : sequence of str
        Programs that are there.

    Examples
    --------
    >>> command(42, platform="darwin", found=["caffeinate"])
    ('caffeinate', '-i', '-s', '-w', '42')
    >>> command(42, platform="linux", found=[])
    ()
    """
    if platform == "darwin" and "caffeinate" in found:
        return ("caffeinate", "-i", "-s", "-w", str(pid))
    if platform.startswith("linux") and {"systemd-inhibit", "tail"} <= set(found):
        inhibit = ("systemd-inhibit", "--what=sleep:idle", "--who=emolab", "--why=a session is being recorded", "--mode=block")
        return (*inhibit, "tail", f"--pid={pid}", "-f", "/dev/null")
    return ()


class Awake:
    """Keeps the computer awake; where nothing can, the journal says so, and the recording goes on.

    Parameters
    ----------
    team : Team
        Starts what does it; it is ended with the others.
    diary : Diary
        Gets a row with what keeps it awake.
    """

    def __init__(self, team: Team, diary: Diary) -> None:
        self._team, self._diary = team, diary
        self._by = ""

    def keep(self, *, while_lives: int) -> None:
        """Let nobody fall asleep as long as a process lives."""
        if sys.platform == "win32":
            import ctypes

            ctypes.windll.kernel32.SetThreadExecutionState(_WINDOWS_KEEP)
            self._diary.write("note", "awake", {"by": "SetThreadExecutionState"})
            return
        programs = [name for name in ("caffeinate", "systemd-inhibit", "tail") if shutil.which(name)]
        argv = command(while_lives, platform=sys.platform, found=programs)
        if argv:
            self._team.start("awake", argv)
        self._by = argv[0] if argv else ""
        self._diary.write("note", "awake", {"by": self._by or "nothing"})

    def look(self) -> None:
        """See whether what keeps it awake has failed: on a computer without a desktop nobody may ask for it."""
        if self._by and not self._team.runs("awake") and self._team.runs("collector"):
            self._diary.write("note", "awake", {"by": "nothing", "why": f"{self._by} {self._team.children['awake'].why()}"})
            self._by = ""
