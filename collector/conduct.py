"""The session itself: starts twin, collector and window in order, lets the session begin, watches, and ends them in order.

What happens is decided by the launcher's beat alone (:meth:`Conductor.step`), ten times a second, from messages, exit codes and
the clock. It never waits for a child, so that the death of one is seen while another is being ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from collector import clocks
from collector.awake import Awake
from collector.contacting import REASON, ContactCheck
from collector.crew import Outcome, Patience, Phase, Roster
from collector.gauges import Gauges
from collector.helm import Helm
from collector.helper import Helper
from collector.holding import Hold
from collector.processes import Child
from collector.scenes import Known
from collector.sitter import Sitter
from collector.situation import Situation
from collector.timeline import Timeline
from collector.vigil import SILENT_S, Flips, Sleep
from protocol import markers
from protocol.folder import Run
from protocol.messages import Ack, Alarm, Beat, Command, Envelope, Press, Status
from protocol.scene import Contact, Finding
from protocol.study import Study

WAITING = "waiting"  # the window's state until it is told to start
UNBEGUN = ("", "starting", WAITING)
START_EVERY_S = 0.5
BEAT_S = 1.0  # the collector ends itself when it hears neither of us nor of the window for a minute
BAD_INPUT = 2  # exit code of a child for which something must be mended first
COMPLETE, ABORTED = 0, 1  # exit codes of a window or a collector that ended as it should
REFUSED = (1, 2)  # of a collector that has not begun: a stream or a camera is missing; its last words say which
TO_THE_WINDOW = ("pause", "skip", "repeat")


@dataclass(frozen=True)
class Course:
    """What a session consists of, and what was said about it before it began.

    Parameters
    ----------
    study : Study or None
        None where nothing is known of it.
    n_trials : int
        Of the whole session.
    length_s : float or None
        How long it takes.
    findings : tuple of Finding
        Of the preflight.
    override : str
        Why gate and contact check shall stop nobody, where nobody sits at a page: what was typed.
    """

    study: Study | None = None
    n_trials: int = 0
    length_s: float | None = None
    findings: tuple[Finding, ...] = ()
    override: str = ""


@dataclass(frozen=True)
class TakenUp:
    """Where a session stood whose launcher died."""

    phase: Literal["streams", "contacts", "session"]
    began: float
    contact: Contact | None = None
    gate_overridden: str = ""
    n_windows: int = 1
    states: tuple[tuple[float, str], ...] = field(default=())


class Conductor:
    """Runs one session.

    Parameters
    ----------
    run : Run
        Its folder, with ``session.json`` in it.
    roster : Roster
        What to start.
    helm : Helm
        Children, journal, alarms, page.
    course : Course
        What the session consists of.
    sitter : Sitter or None
        The simulated participant, under ``--twin`` alone.
    patience : Patience
        When to stop waiting.
    taken_up : TakenUp or None
        Where the session stands that another launcher began.
    """

    def __init__(
        self, run: Run, roster: Roster, *, helm: Helm, course: Course | None = None, sitter: Sitter | None = None,
        patience: Patience | None = None, taken_up: TakenUp | None = None,
    ) -> None:  # fmt: skip
        self._run, self._roster, self._helm, self._course, self._sitter = run, roster, helm, course or Course(), sitter
        self._team, self._troubles, self._view, self._now = helm.team, helm.troubles, helm.view, helm.now
        self._write: Callable[..., None] = helm.diary.write
        self._patience = patience or Patience()
        self._phase: Phase = "streams"
        self._began = self._start_again = self._beat_again = self._now()
        self._deadline = self._began + self._patience.streams
        self._state, self._recorded = "", False
        self._interrupts = self._n_windows = 0
        self._gone_since: float | None = None
        self._outcome = Outcome("aborted", "the window never opened")
        self._gauges, self._flips, self._sleep, self._timeline = Gauges(self._course.study), Flips(), Sleep(), Timeline()
        self._hold = Hold(
            lambda command, id_: self._team.send("window", command, id_=id_), now=self._now, attended=helm.attended
        )
        self._contact = ContactCheck(self._reader(), diary=helm.diary, now=self._now)
        self._awake = Awake(self._team, helm.diary)
        if taken_up is not None:
            self._take_up(taken_up)

    def _reader(self) -> Helper | None:
        cued = self._course.study is not None and self._course.study.sync.blinks > 0 and bool(self._roster.contact)
        if not cued:
            return None
        return Helper(self._team, "contact", self._roster.contact, limit_s=self._patience.contact, now=self._now)

    def _take_up(self, taken: TakenUp) -> None:
        self._phase, self._began, self._n_windows = taken.phase, taken.began, taken.n_windows
        self._recorded = taken.phase != "streams"
        self._gauges.overridden = taken.gate_overridden
        if taken.contact is not None:
            self._contact.restore(taken.contact)
        for t, state in taken.states:
            self._timeline.see(state, t - self._began)
            self._contact.see(state)
            self._state = state
        self._hold.inherit(self._state)

    @property
    def over(self) -> bool:
        """Whether every child has ended."""
        return self._phase == "ended"

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self._outcome

    @property
    def contact(self) -> Contact:
        """What the contact check came to."""
        return self._contact.contact

    @property
    def gate_overridden(self) -> str:
        """Why the session began though the contact gate was closed; empty where it was open."""
        return self._gauges.overridden

    @property
    def lost(self) -> dict[int, float]:
        """Share of its EEG that each clip lost, as far as it was seen live."""
        return self._gauges.losses.fracs

    def conduct(self) -> Outcome:
        """Run the session from the first stream to the last file."""
        try:
            self._open()
            self._helm.play(self)
        finally:
            if self._sitter and not self.over:  # without us nobody answers for a simulated participant; a real session goes on
                self._team.kill_all()
        return self._outcome

    def _open(self) -> None:
        if "collector" in self._team.children:
            return  # somebody else had begun
        if self._roster.twin and not self._team.runs("twin"):
            self._start("twin", self._roster.twin)
        self._start("collector", self._roster.collector)

    def step(self) -> None:
        """Go on."""
        self._beat()
        self._gauges.look(self._now())
        match self._phase:
            case "streams":
                self._await_streams()
            case "contacts":
                self._await_start()
            case "session":
                self._watch_session()
            case "closing":
                self._await_collector()
            case "leaving":
                self._await_all()
        self._watch()
        if self._phase == "session":
            self._guard_trials()
        if self._sitter and self._phase == "session" and (key := self._sitter.press(self._now())):
            self._team.send("window", Press(key=key))

    # ---- what comes in ---------------------------------------------------------------------------------------------------

    def hear(self, envelope: Envelope) -> None:
        """Take in a message of a child."""
        match envelope.body:
            case Beat(state=state) as beat if envelope.who == "window" and self._is_of_this_window(state):
                self._see(beat)
            case Status() as status if envelope.who == "collector":
                self._gauges.hear(status, self._now())
            case Alarm(code=code, cleared=cleared, t_cause=t_cause, level=level, why=why):
                news = self._troubles.alarm(
                    code, cleared=cleared, level=level, t_cause=t_cause, why=why, data={"who": envelope.who}
                )
                if news and not cleared:
                    self._timeline.add("alarm", code, self._now() - self._began)
            case Ack(of=of, ok=True):
                self._hold.acknowledged(of)
            case _:
                pass  # beats of the collector

    def _see(self, beat: Beat) -> None:
        self._state = beat.state
        self._flips.hear(beat, self._now())
        self._hold.see(beat.state)
        self._contact.see(beat.state)
        self._gauges.losses.beat(beat.state, self._now())
        self._timeline.see(beat.state, self._now() - self._began)
        if self._sitter:
            self._sitter.see(beat.state, self._now())

    def _is_of_this_window(self, state: str) -> bool:
        """Whether a beat is not one that a window had still sent before it died: the next one begins anew."""
        return self._n_windows < 2 or bool(self._state) or state.partition(" ")[0] in UNBEGUN

    # ---- what the operator asks for --------------------------------------------------------------------------------------

    def interrupt(self) -> None:
        """End in order: the window first, then the collector; asked again, hurry."""
        self._interrupts += 1
        if self._team.stops or self._phase == "leaving":
            self._view.say("hurrying: what does not end by itself is ended now")
            self._team.hasten()
            return
        self._view.say("stopping: the window first, then the collector")
        self._abort("operator")

    def _abort(self, reason: str) -> None:
        if self._phase in ("contacts", "session"):
            self._stop("window", Command(verb="abort", reason=reason))
        else:
            self._end_collector(reason)

    def obey(self, command: Command) -> str:
        """Do what the operator asks for; returns why not, or nothing."""
        match command.verb:
            case "start":
                self._begin("operator")
            case "abort":
                self._interrupts += 1  # nobody starts a window again
                self._abort(command.reason)
            case "note":
                self._send("collector", Command(verb="note", reason="note", arg=command.arg))
                self._timeline.add("note", command.arg, self._now() - self._began)
            case "resume" if self._hold.holds:
                self._hold.let_go()
            case "pause" | "resume" | "skip" | "repeat":
                self._team.send("window", Command(verb=command.verb, reason=command.reason or "operator", arg=command.arg))
            case "check":
                return self._check_again()
            case "override":
                return self._override(command.arg, command.reason.strip())
            case _:
                return f"{command.verb}: not possible now"
        return ""

    def _check_again(self) -> str:
        if self._phase == "session":
            if not self._hold.holds:
                return "check: the session has not come to hold yet"
            self._contact.again()
            self._send("window", Command(verb="repeat", reason="contact"))  # it shows the cues once more
        return ""  # before that the contacts are looked at all the time

    def _override(self, code: str, reason: str) -> str:
        code = code or ("contact" if self._phase == "session" else "gate")
        if code == "contact" and self._contact.failed:
            self._contact.override(reason)
        elif code == "gate" and self._gauges.gate is not None:
            self._gauges.overridden = reason
        else:
            return f"override {code}: there is nothing of this name that could be overridden"
        self._write("note", "override", {"code": code, "text": code, "reason": reason})
        return ""

    # ---- phases ----------------------------------------------------------------------------------------------------------

    def _await_streams(self) -> None:
        collector, twin = self._team.children["collector"], self._team.children.get("twin")
        status = self._gauges.status
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
        elif status is not None and status.recording:
            self._recorded = True
            self._write("state", "recording")
            self._view.say("recording; the participant's window opens")
            self._awake.keep(while_lives=collector.pid)
            self._start_window()
            self._phase, self._deadline = "contacts", self._now() + self._patience.unattended
        elif self._now() > self._deadline:
            self._fault("collector/late", f"nothing was recorded within {self._patience.streams:g} s")
            self._end_collector(self._outcome.reason)

    def _await_start(self) -> None:
        """Let the operator begin; where there is no page the session begins by itself, once the contacts allow it."""
        if self._state.partition(" ")[0] not in UNBEGUN:
            self._begin("the window")  # nobody could tell it to wait any more
        elif not self._helm.attended and not self._gauges.gate_blocks:
            self._begin("launcher")
        elif not self._helm.attended and self._course.override:
            self._override("gate", self._course.override)
        elif not self._helm.attended and self._now() > self._deadline and "window" not in self._team.stops:
            self._view.say('the contacts did not become good; --override "REASON" would have gone on')
            self._abort("contacts")
        self._watch_children()

    def _begin(self, who: str) -> None:
        gate = self._gauges.gate
        good = {"gate": gate.green, "overall": gate.overall, "good": gate.good, "n": gate.n} if gate is not None else {}
        self._write("note", "start", {"by": who, **good})
        self._phase = "session"

    def _watch_session(self) -> None:
        self._let_begin()
        self._watch_children()

    def _watch_children(self) -> None:
        window, collector = self._team.children["window"], self._team.children["collector"]
        if window.code is not None:
            self._window_ended(window)
        elif collector.code is not None and "window" not in self._team.stops:
            self._collector_ended(collector)

    def _let_begin(self) -> None:
        """Tell the window to begin once the collector receives its markers: before, the first ones would be lost.

        A window that waits names its stream: the collector may still show that of a window before it.
        """
        name, keys = markers.decode(self._state) if self._state else ("", {})
        streams = self._gauges.status.streams if self._gauges.status is not None else ()
        received = any(stream.kind == "markers" and stream.uid == keys.get("uid", stream.uid) for stream in streams)
        # the window waits for a time and then begins all the same: its journal has the markers, the recording has not
        unrecorded = not received and name not in UNBEGUN
        self._troubles.alarm("markers/unrecorded", cleared=not unrecorded, level="stop")
        if name not in UNBEGUN and "window/lost" in self._troubles:
            self._troubles.alarm("window/lost", cleared=True)
            self._send("collector", Command(verb="note", reason="window/back"))
        if name == WAITING and received and self._now() >= self._start_again:
            self._start_again = self._now() + START_EVERY_S
            self._send("window", Command(verb="start"))

    def _guard_trials(self) -> None:
        """Hold before the next trial for as long as something is the matter that would spoil it."""
        self._contact.step()
        if self._contact.failed and not self._helm.attended and "window" not in self._team.stops:
            if self._course.override:
                self._override("contact", self._course.override)
            else:
                self._abort("no blinks")
        self._hold.keep(REASON, on=self._contact.holds, asks=False)
        gate = self._gauges
        bad = gate.gate_lost and not gate.overridden
        level: Literal["warn", "stop"] = "stop" if gate.gate is not None and gate.gate.required else "warn"
        self._troubles.alarm(
            "gate/lost", cleared=not (bad or ("gate/lost" in self._troubles and not self._mended)), level=level
        )
        stopping = self._troubles.stopping
        for reason in {*self._hold.reasons, *stopping} - {REASON, "operator"}:
            self._hold.keep(reason, on=reason in stopping and not self._is_too_long)
        self._hold.step()

    @property
    def _mended(self) -> bool:
        state = self._gauges.gate
        return state is None or state.green or bool(state.overridden)

    @property
    def _is_too_long(self) -> bool:
        """Whether a session without an operator has held for long enough: what is lost stays lost, the rest is recorded."""
        since = self._hold.since
        return not self._helm.attended and since is not None and self._now() - since > self._patience.unattended

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
        if self._interrupts and not self._outcome.fault:  # told to end and hung: no crash, yet nobody heard session/end
            self._outcome = Outcome("aborted", "operator")
        elif not self._outcome.fault:
            self._fault("window/lost", reason)
        self._send("collector", Command(verb="note", reason="window/lost", arg=reason))
        self._end_collector("window/lost")

    def _may_go_on(self, window: Child) -> bool:
        """Whether another window may take the session up: the same run goes on, its journal says where."""
        stopped = "window" in self._team.stops or bool(self._outcome.fault) or bool(self._interrupts)
        recorded = self._team.runs("collector") and "collector" not in self._team.stops
        return window.code != BAD_INPUT and recorded and not stopped and self._n_windows <= self._patience.windows

    def _start_window_again(self, reason: str) -> None:
        self._troubles.alarm("window/lost", why=reason, level="stop")
        self._send("collector", Command(verb="note", reason="window/lost", arg=reason))
        self._view.say(f"the window starts again, and goes on where it stood ({self._n_windows} of {self._patience.windows})")
        self._state = ""
        self._start_window()

    def _start_window(self) -> None:
        self._n_windows += 1
        self._flips.forget()
        self._hold.anew()
        self._start("window", self._roster.window)

    def _collector_ended(self, collector: Child) -> None:
        """Tell the collector's death from its end: it may leave before the window, once its manifest is written."""
        if self._run.manifest_json.exists():
            self._gone_since = self._now() if self._gone_since is None else self._gone_since
            if self._now() < self._gone_since + self._patience.farewell:
                return
        self._fault("collector/lost", f"the collector {collector.why()}")
        self._stop("window", Command(verb="abort", reason="collector lost"))

    def _await_collector(self) -> None:
        if not self._team.runs("collector"):
            self._collector_left(self._team.children["collector"])
        elif "collector" not in self._team.stops and (self._now() > self._deadline or self._missed_the_end()):
            self._troubles.alarm("collector/slow")
            self._end_collector("session ended")

    def _missed_the_end(self) -> bool:
        """Whether the collector still records though the window has ended: while it closes the files it says nothing."""
        since = self._now() - (self._deadline - self._patience.closing)
        heard = self._team.heard.get("collector", 0.0)
        return since > self._patience.draining and self._now() - heard < self._patience.draining / 5

    def _collector_left(self, collector: Child) -> None:
        self._write("state", "collector/ended", {"code": collector.code})
        if self._recorded and not self._outcome.fault:
            if not self._run.manifest_json.exists():
                self._fault("collector/lost", f"the collector {collector.why()} and left no manifest")
            elif collector.code not in (COMPLETE, ABORTED):  # such as a disk that was full at the very end
                self._fault("collector/broken", f"the collector {collector.why()}")
        self._leave()

    def _await_all(self) -> None:
        if self._team.all_ended:
            self._write("state", "ended", {"end": self._outcome.end, "reason": self._outcome.reason})
            self._phase = "ended"

    def _leave(self) -> None:
        self._phase = "leaving"
        self._team.end_all()

    # ---- what goes out ---------------------------------------------------------------------------------------------------

    def _start(self, who: Any, argv: tuple[str, ...]) -> None:
        self._team.start(who, argv)

    def _stop(self, who: Any, command: Command) -> None:
        self._team.stop(who, command)

    def _send(self, to: Any, body: Any) -> None:
        self._team.send(to, body)

    def _end_collector(self, reason: str) -> None:
        if self._phase == "streams" and not self._outcome.fault:
            self._outcome = Outcome("aborted", reason)
        self._phase, self._deadline = "closing", self._now() + self._patience.closing
        if self._team.runs("collector") and "collector" not in self._team.stops:
            self._stop("collector", Command(verb="stop", reason=reason))

    def _beat(self) -> None:
        """Let the children hear that we live: LSL's list of streams alone may be blind, as when a cable is pulled.

        The window is told as long as it shall wait: what no launcher holds back begins by itself.
        """
        if self._now() >= self._beat_again:
            self._beat_again = self._now() + BEAT_S
            self._send("collector", Beat(state=self._phase))
            if self._phase == "contacts":
                self._send("window", Beat(state=self._phase))

    # ---- the watch -------------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        for who in ("collector", "window", "twin"):
            if who == "collector" and self._phase == "closing":
                continue  # it is busy with the files
            silent = self._team.runs(who) and self._team.silent_s(who) > SILENT_S
            self._troubles.alarm(f"{who}/silent", cleared=not silent)
        frozen = self._flips.frozen_since(self._now()) if self._team.runs("window") else None
        self._troubles.alarm("window/frozen", cleared=frozen is None, t_cause=frozen, level="stop")
        slept = self._sleep.look(clocks.read(now=self._now, boot=clocks.boot_clock()))
        self._troubles.alarm(
            "suspended", cleared=not slept, t_cause=self._sleep.t, why=f"the computer slept for {self._sleep.slept_s:.0f} s",
            level="stop",
        )  # fmt: skip
        if (twin := self._team.children.get("twin")) and twin.code is not None and self._phase == "session":
            self._troubles.alarm("twin/lost", why=twin.why())  # a headset that dies: the collector says what that does

    def _fault(self, code: str, reason: str) -> None:
        self._outcome = Outcome("aborted", code, reason)
        self._troubles.alarm(code, why=reason, level="stop")

    # ---- what is shown ---------------------------------------------------------------------------------------------------

    def known(self) -> Known:
        """Return how things stand."""
        gauges, course, t = self._gauges, self._course, self._now()
        _, keys = markers.decode(self._state) if self._state else ("", {})
        lost = gauges.losses.last
        trial = int(keys["trial"]) if keys.get("trial", "").isdigit() else lost[0] if lost else None
        battery, battery_left_s = gauges.battery
        situation = Situation(
            phase=self._phase, t=t, state=self._state, trial=trial, n_trials=course.n_trials, troubles=self._troubles.on,
            kinds=gauges.kinds, findings=course.findings, missing=gauges.missing if self._phase == "streams" else (),
            gate=gauges.gate, poor=gauges.poor, contact=self._contact.contact, holding=self._hold.holds,
            recording=gauges.status is not None and gauges.status.recording and self._team.runs("collector"),
            lost_trial=lost[0] if lost else None, lost_frac=lost[1] if lost else 0.0, battery=battery,
            battery_left_s=battery_left_s, disk_left_s=gauges.disk_left_s, left_s=self._left_s(trial),
            stopping="window" in self._team.stops or "collector" in self._team.stops,
            language=self._helm.header.language, simulated=self._helm.header.simulated,
        )  # fmt: skip
        return Known(situation, gauges.status, self._run.run, t - self._began, self._timeline.moments)

    def _left_s(self, trial: int | None) -> float | None:
        course = self._course
        if course.length_s is None or not course.n_trials:
            return course.length_s
        return course.length_s * (course.n_trials - (trial - 1 if trial else 0)) / course.n_trials
