"""The session itself: starts twin, collector and window in order, lets the session begin, watches, and ends them in order.

What happens is decided by the launcher's beat alone (:meth:`Conductor.step`), ten times a second, from messages, exit codes and
the clock. It never waits for a child, so that the death of one is seen while another is being ended.
"""

from __future__ import annotations

from collector.afoot import Afoot, Course, TakenUp
from collector.awake import Awake
from collector.contacting import REASON
from collector.crew import Outcome, Patience, Roster
from collector.departures import Departures
from collector.helm import Helm
from collector.requests import Requests, begin, override
from collector.scenes import Known
from collector.sentry import Sentry
from collector.sitter import Sitter
from collector.situation import Situation
from protocol import markers
from protocol.folder import Run
from protocol.messages import Ack, Alarm, Beat, Command, Envelope, Press, Status
from protocol.scene import Contact

WAITING = "waiting"  # the window's state until it is told to start
UNBEGUN = ("", "starting", WAITING)
START_EVERY_S = 0.5


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
        self._s = Afoot(run, roster, helm=helm, course=course or Course(), sitter=sitter, patience=patience or Patience())
        self._team, self._troubles, self._now = helm.team, helm.troubles, helm.now
        self._departures = Departures(self._s)
        self._requests, self._sentry = Requests(self._s, self._departures), Sentry(self._s, self._departures)
        self._awake = Awake(self._team, helm.diary)
        self._start_again = self._now()
        if taken_up is not None:
            self._s.take_up(taken_up)

    @property
    def over(self) -> bool:
        """Whether every child has ended."""
        return self._s.phase == "ended"

    @property
    def contact(self) -> Contact:
        """What the contact check came to."""
        return self._s.contact.contact

    @property
    def gate_overridden(self) -> str:
        """Why the session began though the contact gate was closed; empty where it was open."""
        return self._s.gauges.overridden

    @property
    def lost(self) -> dict[int, float]:
        """Share of its EEG that each clip lost, as far as it was seen live."""
        return self._s.gauges.losses.fracs

    def conduct(self) -> Outcome:
        """Run the session from the first stream to the last file."""
        try:
            self._open()
            self._s.helm.play(self)
        finally:
            # without us nobody answers for a simulated participant; a real session goes on alone
            if self._s.sitter and not self.over:
                self._team.kill_all()
        return self._s.outcome

    def _open(self) -> None:
        if "collector" in self._team.children:
            return  # a launcher that died had begun
        if self._s.roster.twin and not self._team.runs("twin"):
            self._team.start("twin", self._s.roster.twin)
        self._team.start("collector", self._s.roster.collector)

    def step(self) -> None:
        """Go on."""
        self._sentry.beat()
        self._s.gauges.look(self._now())
        match self._s.phase:
            case "streams":
                self._await_streams()
            case "contacts":
                self._await_start()
            case "session":
                self._let_begin()
                self._departures.of_those_who_record()
            case "closing":
                self._departures.of_the_collector()
            case "leaving":
                self._departures.of_all()
        self._sentry.watch()
        self._awake.look()
        if self._s.phase == "session":
            self._sentry.guard()
            if self._s.sitter and (key := self._s.sitter.press(self._now())):
                self._team.send("window", Press(key=key))

    def interrupt(self) -> None:
        """End in order: the window first, then the collector; asked again, hurry."""
        self._departures.interrupt()

    def obey(self, command: Command) -> str:
        """Do what the operator asks for; returns why not, or nothing."""
        return self._requests.obey(command)

    # ---- what comes in ---------------------------------------------------------------------------------------------------

    def hear(self, envelope: Envelope) -> None:
        """Take in a message of a child."""
        match envelope.body:
            case Beat(state=state) as beat if envelope.who == "window" and self._is_of_this_window(state):
                self._see(beat)
            case Status() as status if envelope.who == "collector":
                self._s.gauges.hear(status, self._now())
                self._compare(status)
            case Alarm() as alarm:
                self._relay(alarm, envelope.who)
            case Ack(of=of, ok=True):
                self._s.hold.acknowledged(of)
            case _:
                pass  # beats of the collector

    def _relay(self, alarm: Alarm, who: str) -> None:
        news = self._troubles.alarm(
            alarm.code, cleared=alarm.cleared, level=alarm.level, t_cause=alarm.t_cause, why=alarm.why, who=who
        )
        if news and not alarm.cleared:
            self._s.timeline.add("alarm", alarm.code, self._s.t_s)

    def _compare(self, status: Status) -> None:
        """Take the collector's own list of alarms for the truth: one, or its end, was lost while no launcher listened."""
        if status.alarms is None:
            return
        for alarm in status.alarms:
            self._relay(alarm, "collector")
        for code in {*self._troubles.told_by("collector")} - {alarm.code for alarm in status.alarms}:
            self._troubles.alarm(code, cleared=True, who="collector")

    def _see(self, beat: Beat) -> None:
        s, t = self._s, self._now()
        s.state = beat.state
        s.flips.hear(beat, t)
        s.hold.see(beat.state)
        s.contact.see(beat.state)
        s.gauges.losses.beat(beat.state, t)
        s.timeline.see(beat.state, s.t_s)
        if s.sitter:
            s.sitter.see(beat.state, t)

    def _is_of_this_window(self, state: str) -> bool:
        """Whether a beat is not one that a window had still sent before it died: the next one begins anew."""
        return self._s.n_windows < 2 or bool(self._s.state) or state.partition(" ")[0] in UNBEGUN

    # ---- phases ----------------------------------------------------------------------------------------------------------

    def _await_streams(self) -> None:
        s, status = self._s, self._s.gauges.status
        if self._departures.of_those_who_prepare():
            return
        if status is not None and status.recording:
            s.recorded = True
            s.write("state", "recording")
            s.helm.view.say("recording; the participant's window opens")
            self._awake.keep(while_lives=self._team.children["collector"].pid)
            s.start_window()
            s.phase, s.deadline = "contacts", self._now() + s.patience.unattended
        elif self._now() > s.deadline:
            s.fault("collector/late", f"nothing was recorded within {s.patience.streams:g} s")
            self._departures.end_collector(s.outcome.reason)

    def _await_start(self) -> None:
        """Let the operator begin; where there is no page the session begins by itself, once the contacts allow it."""
        s = self._s
        if s.state.partition(" ")[0] not in UNBEGUN:
            begin(s, "the window")  # nobody could tell it to wait any more
        elif not s.helm.attended:
            self._begin_alone()
        if s.phase == "contacts":
            self._departures.of_those_who_record()

    def _begin_alone(self) -> None:
        s = self._s
        if s.gauges.gate_blocks and s.course.override:
            override(s, "gate", s.course.override)
            s.gauges.look(self._now())
        if not s.gauges.gate_blocks:
            begin(s, "launcher")
        elif self._now() > s.deadline and "window" not in self._team.stops:
            s.helm.view.say('the contacts did not become good; --override "REASON" would have gone on')
            self._departures.abort("contacts")

    def _let_begin(self) -> None:
        """Tell the window to begin once the collector receives its markers: before, the first ones would be lost.

        A window that waits names its stream: the collector may still show that of a window before it.
        """
        s = self._s
        name, keys = markers.decode(s.state) if s.state else ("", {})
        streams = s.gauges.status.streams if s.gauges.status is not None else ()
        received = any(stream.kind == "markers" and stream.uid == keys.get("uid", stream.uid) for stream in streams)
        # the window waits for a time and then begins all the same: its journal has the markers, the recording has not
        self._troubles.alarm("markers/unrecorded", cleared=received or name in UNBEGUN, level="stop")
        if name not in UNBEGUN and "window/lost" in self._troubles:
            self._troubles.alarm("window/lost", cleared=True)
            self._team.send("collector", Command(verb="note", reason="window/back"))
        if name == WAITING and received and self._now() >= self._start_again:
            self._start_again = self._now() + START_EVERY_S
            self._team.send("window", Command(verb="start"))

    # ---- what is shown ---------------------------------------------------------------------------------------------------

    def known(self) -> Known:
        """Return how things stand."""
        s, gauges, header = self._s, self._s.gauges, self._s.helm.header
        lost, (battery, battery_left_s) = gauges.losses.last, gauges.battery
        trial = _trial(s.state) or (lost[0] if lost else None)
        situation = Situation(
            phase=s.phase, t=self._now(), state=s.state, trial=trial, n_trials=s.course.n_trials, troubles=self._troubles.on,
            kinds=gauges.kinds, findings=s.course.findings, missing=gauges.missing if s.phase == "streams" else (),
            gate=gauges.gate, poor=gauges.poor, contact=s.contact.contact, holding=self._waits_for_the_operator,
            recording=gauges.status is not None and gauges.status.recording and self._team.runs("collector"),
            lost_trial=lost[0] if lost else None, lost_frac=lost[1] if lost else 0.0, battery=battery,
            battery_left_s=battery_left_s, disk_left_s=gauges.disk_left_s, left_s=self._left_s(trial),
            stopping=any(who in self._team.stops for who in ("window", "collector")),
            language=header.language, simulated=header.simulated,
        )  # fmt: skip
        return Known(situation, gauges.status, s.run.run, s.t_s, s.timeline.moments)

    @property
    def _waits_for_the_operator(self) -> bool:
        """Whether the session holds for something that the operator must know of: not while the blinks are only looked for."""
        hold = self._s.hold
        return hold.holds and (self._s.contact.failed or bool({*hold.reasons} - {REASON}))

    def _left_s(self, trial: int | None) -> float | None:
        course = self._s.course
        if course.length_s is None or not course.n_trials:
            return course.length_s
        return course.length_s * (course.n_trials - (trial - 1 if trial else 0)) / course.n_trials


def _trial(state: str) -> int | None:
    keys = markers.decode(state)[1] if state else {}
    return int(keys["trial"]) if keys.get("trial", "").isdigit() else None
