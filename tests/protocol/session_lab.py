"""A laboratory without a window for the session's states: clock, screen and outlet in one, and a person who presses keys.

Each thing shown takes its time on the clock. ``at`` says what happens when a state is entered for the n-th time: a key, a
command, a crash, or why the session is to hold from then on (``""`` lets it go). What was recorded outlives a crash: markers,
journal, table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from protocol import journal as journals
from protocol import past, ports, session, trials
from protocol.folder import Consent, Person, Session
from protocol.journal import Journal, Kind, Row
from protocol.markers import Marker
from protocol.ports import Answer, Asked, Clip, Page, Played, Question, Stopped
from protocol.schedule import Trial
from protocol.session import Ending
from protocol.study import Study, loads

STUDY = """
[study]
name = "s"
[emotions]
happiness = { hed = "Joyful", color = "#E69F00" }
fear = { hed = "Fearful", color = "#CC79A7" }
[timing]
baseline = 8.0
fixation = 1.0
rest = 2.0
[sync]
blinks = 0
flashes = 0
[ratings]
sam = ["valence", "dominance"]
[consent]
version = "v 1"
"""
# everything that a session may hold
WHOLE = """
[study]
name = "s"
[emotions]
happiness = { hed = "Joyful", color = "#E69F00" }
fear = { hed = "Fearful", color = "#CC79A7" }
neutral = { hed = "Emotionally-neutral", color = "#7F7F7F", as = "rest", duration = 4.0 }
[stimuli]
clips_per_emotion = 2
mood_repair = "sea"
[safety]
content_warning = true
[design]
blocks = 2
[timing]
baseline = 8.0
eyes_closed = 6.0
hint = 0.5
fixation = 1.0
rest = 2.0
break = 10.0
[practice]
clips = ["tea"]
[sync]
blinks = 2
flashes = 2
[ratings]
sam = ["valence"]
intensity = true
looked_away = true
familiarity = true
[consent]
version = "v 1"
"""
TRIALS = (Trial(1, 1, "fear02", "fear"), Trial(2, 1, "happy01", "happiness"))
WHOLE_TRIALS = (Trial(1, 1, "fear02", "fear"), Trial(2, 1, "neutral", "neutral"), Trial(3, 2, "happy01", "happiness"))
_LENGTHS = {"fear02": (1.0, 7.0), "happy01": (0.0, 6.0), "sea": (0.0, 5.0), "tea": (0.0, 3.0)}
_TARGETS = {"fear02": "fear"}
CLIPS = {name: Clip(Path(f"/clips/{name}.mp4"), name, _TARGETS.get(name, "happiness"), *_LENGTHS[name]) for name in _LENGTHS}
ANSWERS = {
    "valence": "3", "dominance": "9", "emotion": "fear", "intensity": "7", "looked_away": "no", "familiarity": "yes",
}  # fmt: skip
RECORD = Session(
    uid="u1", participant="07", session="01", run="01", task="emotion", simulated=True, study_sha256="ab",
    created_wall="2026-11-22T09:00:00Z", created_lsl=0.0, boot="b", person=Person(),
    consent=Consent(version="v 1", scopes=("eeg", "face"), t_wall="2026-11-22T09:00:00Z"), versions={},
)  # fmt: skip


class Crash(BaseException):
    """The window dies: nothing of ours may catch it."""


class FragileJournal(Journal):
    """A journal that may not live to write its next row, or to see what comes after it."""

    crash: Callable[[Kind, str], str] = staticmethod(lambda kind, name: "")

    def write(self, kind: Kind, name: str, data: Mapping[str, object] | None = None, *, sync: bool = False) -> Row:
        when = self.crash(kind, name)
        if when == "before":
            raise Crash
        row = super().write(kind, name, data, sync=sync)
        if when == "after":
            raise Crash
        return row


@dataclass
class Lab:
    """One laboratory and its folder."""

    path: Path
    study: Study = field(default_factory=lambda: loads(STUDY))
    plan: tuple[Trial, ...] = TRIALS
    t: float = 100.0
    broken: str = ""  # the clip that cannot be opened
    at: dict[tuple[str, int], BaseException | str] = field(default_factory=dict)
    record: Session = RECORD
    before: Mapping[int, int] = field(default_factory=dict)
    held: str | None = None  # what asks the session to hold before its next trial; the page of it lets it go
    crash: Callable[[Kind, str], str] = lambda kind, name: ""
    events: list[str] = field(default_factory=list)  # what was shown, and what the journal held at that moment
    pages: list[Page] = field(default_factory=list)
    stamps: list[tuple[Marker, float]] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    # ---- clock and outlet

    def now(self) -> float:
        return self.t

    def push(self, marker: Marker, t_lsl: float) -> None:
        self.stamps.append((marker, t_lsl))

    # ---- screen

    def show(self, page: Page, *, on_flip: Callable[[float], None] | None = None) -> float:
        self._entered(page.name)
        self.pages.append(page)
        self._happens(f"before {page.name}")
        if on_flip:
            on_flip(self.t)
        if page.duration_s is not None:
            self.t += page.duration_s / 2
        self._happens(page.name)
        if page.until_let_go:
            self.t += 3.0
            self.held = None
            return self.t
        self.t += 5.0 if page.duration_s is None else page.duration_s / 2
        if page.held:
            raise Asked("resume", "operator")
        return self.t

    def play(self, clip: Clip, *, on_onset: Callable[[float], None], on_offset: Callable[[Played], None]) -> Played:
        self._entered(f"{clip.name} {clip.stim_id}")
        if clip.stim_id == self.broken:
            played = Played(None, self.t, 0, 0, 0, None, None, "failed", "not a film")
            on_offset(played)
            return played
        self._happens(f"before {clip.name}")
        on_onset(self.t)
        started = self.t
        self.t += 2.5
        try:
            self._happens(clip.name)
        except (Asked, Stopped) as asked:
            skipped = isinstance(asked, Asked) and asked.wish == "skip"
            on_offset(Played(started, self.t, 75, 0, 0, 0.001, None, "skipped" if skipped else "interrupted"))
            raise
        self.t = started + clip.stop_s - clip.start_s
        played = Played(started, self.t, 179, 1, 2, 0.001, -0.0065, "complete")
        on_offset(played)
        return played

    def ask(self, question: Question, *, on_answer: Callable[[Answer], None]) -> Answer | None:
        self._entered(f"rating {question.name}")
        shown = self.t
        self.t += 1.5
        if question.limit_s is not None and question.limit_s < 1.5:
            return None
        self._happens(question.name)
        answer = Answer(ANSWERS[question.name], shown, self.t)
        on_answer(answer)
        return answer

    def hold(self) -> str | None:
        return self.held

    def _entered(self, state: str) -> None:
        """What the journal holds at this very moment is what a crash would leave."""
        last = (self.path / "journal.jsonl").read_bytes().rpartition(b'"kind":"state","name":"')[2].partition(b'"')[0].decode()
        self.events.append(f"{state} < {last}")

    def _happens(self, state: str) -> None:
        self.seen[state] += 1
        if (what := self.at.get((state, self.seen[state]))) is not None:
            if not isinstance(what, str):
                raise what
            self.held = what or None

    # ---- a window that runs, and may die

    def run(self, study: Study | None = None) -> Ending:
        clock: ports.Clock = self
        screen: ports.Screen = self
        outlet: ports.Outlet = self
        path = self.path / "journal.jsonl"
        known = past.read(journals.read(path)) if path.exists() else None
        self.held = self.held or (known.holding if known else None)
        with FragileJournal(path, now=self.now, wall=lambda: "2026-11-22T09:00:00Z") as journal:
            journal.crash = self.crash
            return session.run(
                study=study or self.study, trials=self.plan, clips=CLIPS, clock=clock, screen=screen, outlet=outlet,
                journal=journal, table=trials.TrialTable(self.path / "trials.csv"), record=self.record, past=known,
                before=self.before,
            )  # fmt: skip

    def run_to_the_end(self, *, most: int = 5) -> Ending:
        """Start the window again each time it dies, 7 s later."""
        for _ in range(most):
            try:
                return self.run()
            except Crash:
                self.t += 7.0
        raise AssertionError(f"died {most} times")

    # ---- what came of it

    @property
    def sent(self) -> list[str]:
        return [f"{t:g} {marker}" for marker, t in self.stamps]

    @property
    def names(self) -> list[str]:
        return [marker.name for marker, _ in self.stamps]

    @property
    def rows(self) -> list[trials.TrialRow]:
        return trials.read(self.path / "trials.csv")

    @property
    def journal(self) -> list[Row]:
        return journals.read(self.path / "journal.jsonl")


def whole(path: Path, **more: object) -> Lab:
    """Return the laboratory of a study that has everything."""
    return Lab(path, loads(WHOLE), WHOLE_TRIALS, **more)  # type: ignore[arg-type]
