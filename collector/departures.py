"""How children leave a session, and what comes of it: ends that were due, crashes, refusals, impatience."""

from __future__ import annotations

from collector.afoot import Afoot
from collector.crew import Outcome
from collector.processes import Child
from protocol.messages import Command

BAD_INPUT = 2  # exit code of a child for which something must be mended first
COMPLETE, ABORTED = 0, 1  # exit codes of a window or a collector that ended as it should
REFUSED = (1, 2)  # of a collector that has not begun: a stream or a camera is missing; its last words say which


class Departures:
    """Decides what the end of each child means.

    Parameters
    ----------
    afoot : Afoot
        The session.
    """

    def __init__(self, afoot: Afoot) -> None:
        self._s, self._team, self._troubles = afoot, afoot.team, afoot.troubles
        self._gone_since: float | None = None

    # ---- somebody wants the end

    def interrupt(self) -> None:
        """End in order: the window first, then the collector; asked again, hurry."""
        self._s.stopping = True
        if any(who in self._team.stops for who in ("window", "collector")) or self._s.phase == "leaving":
            self._s.helm.view.say("hurrying: what does not end by itself is ended now")
            self._team.hasten()
            return
        self._s.helm.view.say("stopping: the window first, then the collector")
        self.abort("operator")

    def abort(self, reason: str) -> None:
        """End the session; the participant is taken leave of, and the files are closed."""
        if self._s.phase in ("contacts", "session"):
            self._team.stop("window", Command(verb="abort", reason=reason))
        else:
            self.end_collector(reason)

    def end_collector(self, reason: str) -> None:
        """Have the files closed."""
        s = self._s
        if s.phase == "streams" and not s.outcome.fault:
            s.outcome = Outcome("aborted", reason)
        s.phase, s.deadline = "closing", s.now() + s.patience.closing
        if self._team.runs("collector") and "collector" not in self._team.stops:
            self._team.stop("collector", Command(verb="stop", reason=reason))

    # ---- before it records

    def of_those_who_prepare(self) -> bool:
        """See whether collector or twin ended before anything was recorded; returns whether one did."""
        s, collector, twin = self._s, self._team.children["collector"], self._team.children.get("twin")
        if twin is not None and twin.code is not None:
            s.fault("twin/lost", f"the simulated headset {twin.why()}")
            self.end_collector("twin/lost")
        elif collector.code in REFUSED:
            s.outcome = Outcome("aborted", collector.last_words() or "the collector refused to record")
            s.write("state", "collector/refused", {"reason": s.outcome.reason})
            self._leave()
        elif collector.code is not None:
            s.fault("collector/lost", f"the collector {collector.why()}")
            self._leave()
        else:
            return False
        return True

    # ---- while it records

    def of_those_who_record(self) -> None:
        """See whether window or collector ended."""
        window, collector = self._team.children["window"], self._team.children["collector"]
        if window.code is not None:
            self._window_ended(window)
        elif collector.code is not None and "window" not in self._team.stops:
            self._collector_ended(collector)

    def _window_ended(self, window: Child) -> None:
        s = self._s
        s.write("state", "window/ended", {"code": window.code})
        if window.code in (COMPLETE, ABORTED):
            if not s.outcome.fault:
                s.outcome = Outcome("complete" if window.code == COMPLETE else "aborted")
            s.phase, s.deadline = "closing", s.now() + s.patience.closing
            return
        reason = f"the window {window.why()}"
        if self._may_go_on(window):
            self._start_window_again(reason)
            return
        told = s.stopping and not s.outcome.fault  # told to end and hung: no crash, yet nobody heard session/end
        if told:
            s.outcome = Outcome("aborted", "operator")
        elif not s.outcome.fault:
            s.fault("window/lost", reason)
        self._team.send("collector", Command(verb="note", reason="window/lost", arg=reason))
        self.end_collector("operator" if told else "window/lost")  # the manifest's reason, and so the verdict's

    def _may_go_on(self, window: Child) -> bool:
        """Whether another window may take the session up: the same run goes on, its journal says where."""
        s = self._s
        stopped = "window" in self._team.stops or bool(s.outcome.fault) or s.stopping
        recorded = self._team.runs("collector") and "collector" not in self._team.stops
        return window.code != BAD_INPUT and recorded and not stopped and s.n_windows <= s.patience.windows

    def _start_window_again(self, reason: str) -> None:
        s = self._s
        self._troubles.alarm("window/lost", why=reason, level="stop")
        self._team.send("collector", Command(verb="note", reason="window/lost", arg=reason))
        s.helm.view.say(f"the window starts again, and goes on where it stood ({s.n_windows} of {s.patience.windows})")
        s.start_window()

    def _collector_ended(self, collector: Child) -> None:
        """Tell the collector's death from its end: it may leave before the window, once its manifest is written."""
        s = self._s
        if s.run.manifest_json.exists():
            self._gone_since = s.now() if self._gone_since is None else self._gone_since
            if s.now() < self._gone_since + s.patience.farewell:
                return
        s.fault("collector/lost", f"the collector {collector.why()}")
        self._team.stop("window", Command(verb="abort", reason="collector lost"))

    # ---- afterwards

    def of_the_collector(self) -> None:
        """See whether the files are closed."""
        s = self._s
        if not self._team.runs("collector"):
            self._collector_left(self._team.children["collector"])
        elif "collector" not in self._team.stops and (s.now() > s.deadline or self._missed_the_end()):
            self._troubles.alarm("collector/slow")
            self.end_collector("session ended")

    def _missed_the_end(self) -> bool:
        """Whether the collector still records though the window has ended: while it closes the files it says nothing."""
        s = self._s
        since = s.now() - (s.deadline - s.patience.closing)
        heard = self._team.heard.get("collector", 0.0)
        return since > s.patience.draining and s.now() - heard < s.patience.draining / 5

    def _collector_left(self, collector: Child) -> None:
        s = self._s
        s.write("state", "collector/ended", {"code": collector.code})
        if s.recorded and not s.outcome.fault:
            if not s.run.manifest_json.exists():
                s.fault("collector/lost", f"the collector {collector.why()} and left no manifest")
            elif collector.code not in (COMPLETE, ABORTED):  # such as a disk that was full at the very end
                s.fault("collector/broken", f"the collector {collector.why()}")
        self._leave()

    def of_all(self) -> None:
        """See whether everybody has left but the page."""
        if self._team.all_ended:
            ended = self._s.outcome
            stall_s = round(self._s.helm.worst_stall_s, 3)
            self._s.write("state", "ended", {"end": ended.end, "reason": ended.reason, "worst_stall_s": stall_s})
            self._s.phase = "ended"

    def _leave(self) -> None:
        self._s.phase = "leaving"
        self._team.end_all()
