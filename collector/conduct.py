"""The watch over a session: starts twin, collector and window in order, relays, and ends them in order.

What happens is decided by the launcher's beat alone (:meth:`Conductor.tick`), ten times a second, from messages, exit codes and
the clock. It never waits for a child, so that the death of one is seen while another is being ended.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping

from collector import processes
from collector.crew import Outcome, Patience, Phase, Picture, Roster, View, Who
from collector.lock import Lock
from collector.processes import Child, Stop
from collector.sitter import Sitter
from protocol import markers
from protocol.folder import Run
from protocol.journal import Journal, Kind
from protocol.link import Hub
from protocol.messages import Alarm, Beat, Body, Command, Envelope, Press, Status

TICK_S = 0.1
SILENT_S = 5.0  # beats come every 0.25 s, statuses every 0.5 s: silence is an alarm, never a kill
WAITING = "waiting"  # the window's state until it is told to start
UNBEGUN = ("", "starting", WAITING)
START_EVERY_S = 0.5
BEAT_S = 1.0  # the collector ends itself when it hears neither of us nor of the window for a minute
BAD_INPUT = 2  # exit code of a child for which something must be mended first
COMPLETE, ABORTED = 0, 1  # exit codes of a window or a collector that ended as it should
REFUSED = (1, 2)  # of a collector that has not begun: a stream or a camera is missing; its last words say which

logger = logging.getLogger(__name__)


class Conductor:
    """Runs one session.

    Parameters
    ----------
    run : Run
        Its folder, with ``session.json`` in it.
    roster : Roster
        What to start.
    hub : Hub
        The wire, bound.
    journal : Journal
        ``journal-launch.jsonl``.
    lock : Lock
        Gets the children's numbers.
    view : View
        Where the operator looks.
    environment : mapping of str to str
        For the children, beside the hub's.
    sitter : Sitter or None
        The simulated participant, under ``--twin`` alone.
    now : callable
        The LSL clock, seconds.
    patience : Patience
        When to stop waiting.
    """

    def __init__(
        self, run: Run, roster: Roster, *, hub: Hub, journal: Journal, lock: Lock, view: View, now: Callable[[], float],
        environment: Mapping[str, str] | None = None, sitter: Sitter | None = None, patience: Patience | None = None,
    ) -> None:  # fmt: skip
        self._run, self._roster, self._hub, self._journal, self._lock, self._view = run, roster, hub, journal, lock, view
        self._environment, self._sitter, self._now = environment or {}, sitter, now
        self._patience = patience or Patience()
        self._children: dict[Who, Child] = {}
        self._stops: dict[Who, Stop] = {}
        self._heard: dict[Who, float] = {}
        self._alarms: set[str] = set()
        self._phase: Phase = "streams"
        self._began = now()
        self._deadline = self._began + self._patience.streams
        self._state, self._recorded = "", False
        self._status: Status | None = None
        self._interrupts = self._obeyed = self._n_windows = 0
        self._start_again = self._beat_again = self._began
        self._outcome = Outcome("aborted", "the window never opened")

    def interrupt(self) -> None:
        """Ask for an orderly end; asked again, it hurries. Safe in a signal handler."""
        self._interrupts += 1

    def conduct(self) -> Outcome:
        """Run the session from the first stream to the last file."""
        try:
            if self._roster.twin:
                self._start("twin", self._roster.twin)
            self._start("collector", self._roster.collector)
            while self._phase != "ended":
                self.tick()
        finally:
            if self._sitter:  # without us nobody answers for a simulated participant; a real session goes on alone
                for child in self._children.values():
                    processes.kill(child)
        return self._outcome

    def tick(self) -> None:
        """Hear, obey, go on."""
        for envelope in self._hub.receive(timeout_s=TICK_S):
            self._hear(envelope)
        self._beat()
        self._obey()
        match self._phase:
            case "streams":
                self._await_streams()
            case "session":
                self._watch_session()
            case "closing":
                self._await_collector()
            case "leaving":
                self._await_all()
        self._watch()
        if self._sitter and self._phase == "session" and (key := self._sitter.press(self._now())):
            self._hub.send("window", Press(key=key))
        self._view.show(Picture(self._phase, self._state, self._status, self._now() - self._began))

    # ---- what comes in ---------------------------------------------------------------------------------------------------

    def _hear(self, envelope: Envelope) -> None:
        if envelope.who in ("collector", "window"):
            self._heard[envelope.who] = self._now()
        match envelope.body:
            case Beat(state=state) if envelope.who == "window" and self._is_of_this_window(state):
                self._state = state
                if self._sitter:
                    self._sitter.see(state, self._now())
            case Status() as status if envelope.who == "collector":
                self._status = status
            case Alarm(code=code, cleared=cleared, t_cause=t_cause):
                self._alarm(code, cleared=cleared, data={"t_cause": t_cause, "who": envelope.who})
            case _:
                pass  # beats of the collector; acknowledgements

    def _is_of_this_window(self, state: str) -> bool:
        """Whether a beat is not one that a window had still sent before it died: the next one begins anew."""
        return self._n_windows < 2 or bool(self._state) or state.partition(" ")[0] in UNBEGUN

    def _obey(self) -> None:
        if self._interrupts == self._obeyed:
            return
        self._obeyed = self._interrupts
        if self._stops or self._phase == "leaving":
            self._view.say("hurrying: what does not end by itself is ended now")
            for stop in self._stops.values():
                stop.hasten()
            return
        self._view.say("stopping: the window first, then the collector")
        if self._phase == "session":
            self._stop("window", Command(verb="abort", reason="operator"))
        else:
            self._end_collector("operator")

    # ---- phases ----------------------------------------------------------------------------------------------------------

    def _await_streams(self) -> None:
        collector, twin = self._children["collector"], self._children.get("twin")
        if twin is not None and twin.code is not None:
            self._fault("twin/lost", f"the simulated headset {twin.why()}")
            self._end_collector("twin/lost")
        elif collector.code in REFUSED:
            self._outcome = Outcome("aborted", collector.last_words() or "the collector refused to record")
            self._write("state", "collector/refused", {"reason": self._outcome.reason})
            self._leave()
        elif collector.code is not None:
            self._fault("collector/lost", f"the collector {collector.why()}")
            self._leave()
        elif self._status is not None and self._status.recording:
            self._recorded = True
            self._write("state", "recording")
            self._view.say("recording; the participant's window opens")
            self._start("window", self._roster.window)
            self._phase = "session"
        elif self._now() > self._deadline:
            self._fault("collector/late", f"nothing was recorded within {self._patience.streams:g} s")
            self._end_collector(self._outcome.reason)

    def _watch_session(self) -> None:
        window, collector = self._children["window"], self._children["collector"]
        self._let_begin()
        if window.code is not None:
            self._window_ended(window)
        elif collector.code is not None and "window" not in self._stops:
            self._collector_ended(collector)

    def _let_begin(self) -> None:
        """Tell the window to begin once the collector receives its markers: before, the first ones would be lost.

        A window that waits names its stream: the collector may still show that of a window before it.
        """
        name, keys = markers.decode(self._state) if self._state else ("", {})
        streams = self._status.streams if self._status is not None else ()
        received = any(stream.kind == "markers" and stream.uid == keys.get("uid", stream.uid) for stream in streams)
        # the window waits for a time and then begins all the same: its journal has the markers, the recording has not
        self._alarm("markers/unrecorded", cleared=received or name in UNBEGUN)
        if name not in UNBEGUN and "window/lost" in self._alarms:
            self._alarm("window/lost", cleared=True)
            self._send("collector", Command(verb="note", reason="window/back"))
        if name == WAITING and received and self._now() >= self._start_again:
            self._start_again = self._now() + START_EVERY_S
            self._send("window", Command(verb="start"))

    def _window_ended(self, window: Child) -> None:
        self._write("state", "window/ended", {"code": window.code})
        if window.code in (COMPLETE, ABORTED):
            if not self._outcome.fault:
                self._outcome = Outcome("complete" if window.code == COMPLETE else "aborted")
            self._phase, self._deadline = "closing", self._now() + self._patience.closing
            return
        reason = f"the window {window.why()}"
        if self._may_go_on(window):
            self._start_window_again(reason)
            return
        if self._obeyed and not self._outcome.fault:  # told to end and hung: no crash, yet nobody heard session/end
            self._outcome = Outcome("aborted", "operator")
        elif not self._outcome.fault:
            self._fault("window/lost", reason)
        self._send("collector", Command(verb="note", reason="window/lost", arg=reason))
        self._end_collector("window/lost")

    def _may_go_on(self, window: Child) -> bool:
        """Whether another window may take the session up: the same run goes on, its journal says where."""
        stopped = "window" in self._stops or bool(self._outcome.fault) or bool(self._obeyed)
        recorded = self._children["collector"].code is None and "collector" not in self._stops
        return window.code != BAD_INPUT and recorded and not stopped and self._n_windows <= self._patience.windows

    def _start_window_again(self, reason: str) -> None:
        self._alarm("window/lost", data={"reason": reason})
        self._send("collector", Command(verb="note", reason="window/lost", arg=reason))
        self._view.say(f"the window starts again, and goes on where it stood ({self._n_windows} of {self._patience.windows})")
        self._state = ""
        self._heard.pop("window", None)
        self._start("window", self._roster.window)

    def _collector_ended(self, collector: Child) -> None:
        """Tell the collector's death from its end: it may leave before the window, once its manifest is written."""
        if self._run.manifest_json.exists():
            if "collector/gone" not in self._alarms:
                self._alarms.add("collector/gone")
                self._deadline = self._now() + self._patience.farewell
            if self._now() < self._deadline:
                return
        self._fault("collector/lost", f"the collector {collector.why()}")
        self._stop("window", Command(verb="abort", reason="collector lost"))

    def _await_collector(self) -> None:
        if self._children["collector"].code is not None:
            self._collector_left(self._children["collector"])
        elif "collector" not in self._stops and (self._now() > self._deadline or self._missed_the_end()):
            self._alarm("collector/slow")
            self._end_collector("session ended")

    def _missed_the_end(self) -> bool:
        """Whether the collector still records though the window has ended: while it closes the files it says nothing."""
        since = self._now() - (self._deadline - self._patience.closing)
        return since > self._patience.draining and self._now() - self._heard.get("collector", 0.0) < self._patience.draining / 5

    def _collector_left(self, collector: Child) -> None:
        self._write("state", "collector/ended", {"code": collector.code})
        if self._recorded and not self._outcome.fault:
            if not self._run.manifest_json.exists():
                self._fault("collector/lost", f"the collector {collector.why()} and left no manifest")
            elif collector.code not in (COMPLETE, ABORTED):  # such as a disk that was full at the very end
                self._fault("collector/broken", f"the collector {collector.why()}")
        self._leave()

    def _await_all(self) -> None:
        if all(child.code is not None for child in self._children.values()):
            self._write("state", "ended", {"end": self._outcome.end, "reason": self._outcome.reason})
            self._phase = "ended"

    def _leave(self) -> None:
        self._phase = "leaving"
        for who, child in self._children.items():
            if child.code is None and who not in self._stops:
                self._stop(who, None)

    # ---- what goes out ---------------------------------------------------------------------------------------------------

    def _start(self, who: Who, argv: tuple[str, ...]) -> None:
        self._write("command", f"{who}/start", {"argv": list(argv)})
        self._n_windows += who == "window"
        log = self._run.path / f"{who}.log"
        child = processes.start(who, argv, environment={**self._environment, **self._hub.environment}, log=log)
        self._children[who] = child
        self._lock.name(run=self._run.path, pids={who: child.process.pid})

    def _stop(self, who: Who, command: Command | None) -> None:
        """Begin to end a child, by a message where it understands one."""
        id_ = uuid.uuid4().hex  # sent again while it may not have been heard, it is one command
        ask = (lambda: self._send(who, command, id_=id_)) if command is not None else None
        self._write(
            "command", f"{who}/{command.verb if command else 'terminated'}", {"reason": command.reason if command else ""}
        )
        self._stops[who] = Stop(self._children[who], ask, now=self._now, patience=self._patience.to_stop(who))

    def _end_collector(self, reason: str) -> None:
        if self._phase == "streams" and not self._outcome.fault:
            self._outcome = Outcome("aborted", reason)
        self._phase, self._deadline = "closing", self._now() + self._patience.closing
        if self._children["collector"].code is None and "collector" not in self._stops:
            self._stop("collector", Command(verb="stop", reason=reason))

    def _beat(self) -> None:
        """Let the collector hear that we live: LSL's list of streams alone may be blind, as when a cable is pulled."""
        if self._now() >= self._beat_again:
            self._beat_again = self._now() + BEAT_S
            self._send("collector", Beat(state=self._phase))

    def _send(self, to: Who, body: Body, *, id_: str | None = None) -> None:
        if to != "twin":  # it has no end of the wire: it plays devices, and those hear nobody
            self._hub.send(to, body, id_=id_)

    # ---- the watch -------------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        for who, stop in self._stops.items():
            if step := stop.look():
                self._write("command", f"{who}/{step}")
                self._view.say(f"{who}: {step}")
        for who, child in self._children.items():
            silent = self._now() - self._heard.get(who, self._now()) > SILENT_S and child.code is None
            if who == "collector" and self._phase == "closing":
                continue  # it is busy with the files
            self._alarm(f"{who}/silent", cleared=not silent)
        if (twin := self._children.get("twin")) and twin.code is not None and self._phase == "session":
            self._alarm("twin/lost", data={"how": twin.why()})  # a headset that dies: the collector says what that does

    def _fault(self, code: str, reason: str) -> None:
        self._outcome = Outcome("aborted", code, reason)
        self._alarm(code, data={"reason": reason})

    def _alarm(self, code: str, *, cleared: bool = False, data: Mapping[str, object] | None = None) -> None:
        """Raise an alarm, or clear it; once each."""
        if cleared == (code not in self._alarms):
            return
        (self._alarms.discard if cleared else self._alarms.add)(code)
        row = self._write("alarm", code, {**(data or {}), "cleared": cleared})
        words = ", ".join(str(v) for k, v in row.items() if k in ("reason", "how"))
        self._view.say(f"{'over' if cleared else 'ALARM'}: {code}{': ' if words else ''}{words}")

    def _write(self, kind: Kind, name: str, data: Mapping[str, object] | None = None) -> Mapping[str, object]:
        """Journal; a launcher that cannot write its own journal (full disk) still ends the others in order."""
        try:
            self._journal.write(kind, name, data)
        except OSError as error:
            logger.error("journal: %s", error)
        return data or {}
