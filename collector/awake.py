"""Keeping the computer from sleeping while it records, where the system lets one; for as long as the collector lives."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from collector.diary import Diary
from collector.team import Team

# a shut lid overrides the first two (logind.conf: LidSwitchIgnoreInhibited); the lid itself is not everybody's to keep
KEPT = ("sleep:idle:handle-lid-switch", "sleep:idle")
_WINDOWS_KEEP = 0x80000000 | 0x00000001  # ES_CONTINUOUS | ES_SYSTEM_REQUIRED: until this process ends


def commands(pid: int, *, platform: str, found: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return what keeps a computer awake for as long as a process lives, the strongest first; empty where nothing does.

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
    >>> commands(42, platform="darwin", found=["caffeinate"])
    (('caffeinate', '-i', '-s', '-w', '42'),)
    >>> [argv[1] for argv in commands(42, platform="linux", found=["systemd-inhibit", "tail"])]
    ['--what=sleep:idle:handle-lid-switch', '--what=sleep:idle']
    >>> commands(42, platform="linux", found=[])
    ()
    """
    if platform == "darwin" and "caffeinate" in found:
        return (("caffeinate", "-i", "-s", "-w", str(pid)),)
    if platform.startswith("linux") and {"systemd-inhibit", "tail"} <= set(found):
        said = ("--who=emolab", "--why=a session is being recorded", "--mode=block", "tail", f"--pid={pid}", "-f", "/dev/null")
        return tuple(("systemd-inhibit", f"--what={what}", *said) for what in KEPT)
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
        self._left: tuple[tuple[str, ...], ...] = ()  # what has still to be tried
        self._by: tuple[str, ...] = ()

    def keep(self, *, while_lives: int) -> None:
        """Let nobody fall asleep as long as a process lives."""
        if sys.platform == "win32":
            import ctypes

            ctypes.windll.kernel32.SetThreadExecutionState(_WINDOWS_KEEP)
            self._diary.write("note", "awake", {"by": "SetThreadExecutionState"})
            return
        programs = [name for name in ("caffeinate", "systemd-inhibit", "tail") if shutil.which(name)]
        self._left = commands(while_lives, platform=sys.platform, found=programs)
        self._try()

    def _try(self, *, why: str = "") -> None:
        """Start the strongest that is left."""
        self._by, self._left = (self._left[0], self._left[1:]) if self._left else ((), ())
        if self._by:
            self._team.start("awake", self._by)
        by = " ".join(self._by[:2]) or "nothing"
        self._diary.write("note", "awake", {"by": by, **({"why": why} if why else {})})

    def look(self) -> None:
        """See whether what keeps it awake has failed: the lid, or without a desktop anything, is not for everybody to keep."""
        if self._by and not self._team.runs("awake") and self._team.runs("collector"):
            self._try(why=f"{' '.join(self._by[:2])} {self._team.children['awake'].why()}")
