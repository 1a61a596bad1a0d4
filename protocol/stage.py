"""What every part of a session is made of: states that are journaled before they happen, markers, pages, wishes heeded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from protocol.journal import Journal
from protocol.markers import KEYS, Marker
from protocol.past import HOLD, Past
from protocol.ports import Asked, Clip, Clock, Outlet, Page, Played, Screen, Stamp, Wish
from protocol.study import Study
from protocol.words import WORDS, Words

Keys = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Stage:
    """The world of a session, and where the session stands in it.

    Parameters
    ----------
    study : Study
        Language and timing.
    clips : mapping of str to Clip
        By ``stim_id``.
    clock, screen, outlet, journal
        As :func:`protocol.session.run` takes them.
    past : Past
        Where the session stands; every marker and state goes in there as it goes into the journal, so that what a window that
        comes back reads is what this one knew.
    """

    study: Study
    clips: Mapping[str, Clip]
    clock: Clock
    screen: Screen
    outlet: Outlet
    journal: Journal
    past: Past

    @property
    def words(self) -> Words:
        """The texts in the participant's language."""
        return WORDS[self.study.study.language]

    # ---- what is written down, and sent

    def enter(self, state: str, **data: object) -> None:
        """Write a transition down before it happens; no clip plays now, so the disk may be waited for."""
        self.holding()
        self.journal.write("state", state, data, sync=True)
        self.past.enter(state)

    def note(self, name: str, **data: object) -> None:
        """Write down what has come about."""
        self.journal.write("note", name, data, sync=True)

    def begin(self, state: str, step: str, attempt: int, keys: Keys) -> None:
        """Write down that an attempt is about to begin."""
        self.enter(state, **{**dict(keys), "step": step, "attempt": attempt})
        self.past.begin(step, attempt)

    def finish(self, step: str) -> None:
        """Write down that a step came to its end."""
        self.note("done", step=step)
        self.past.finish(step)

    def mark(self, name: str, keys: Mapping[str, str], stamp: Stamp) -> None:
        """Send a marker; it is written down first, without waiting for the disk: a clip may be playing."""
        marker = Marker(name, dict(keys))
        self.journal.write("note", "marker", {"text": str(marker), "t": stamp})
        self.past.mark(marker, stamp)
        self.outlet.push(marker, stamp)

    def close_open(self, stamp: Stamp, *, end: str = "interrupted") -> None:
        """Send the marker that ends what was on the screen, if anything was that has one."""
        if self.past.open is not None:
            begun, since = self.past.open
            phase = "phase" in KEYS[begun.name]
            name = begun.name if phase else begun.name.replace("/onset", "/offset")
            self.mark(name, {**begun.keys, **({"phase": "offset"} if phase else {"end": end})}, max(stamp, since))

    # ---- what is shown

    def show(self, page: Page, *, on_flip: Callable[[Stamp], None] | None = None) -> Stamp | None:
        """Show a page; one of no duration is left out."""
        if page.duration_s == 0:
            return None
        self.enter(page.name, **dict(page.keys))
        return self.screen.show(page, on_flip=on_flip)

    def tell(self, name: str, text: str, *, keys: Keys = ()) -> bool:
        """Show a text until the participant goes on; False when it was skipped."""
        return self.attend(lambda: self.show(Page(name, text=f"{text}\n\n{self.words.go_on}", keys=keys)))

    def phase(self, page: Page, name: str, keys: Mapping[str, str] | None = None) -> bool:
        """Show a page between two markers; False when it was skipped."""

        def shown() -> None:
            begun = {**(keys or {}), "phase": "onset"}
            ended = self.show(page, on_flip=lambda stamp: self.mark(name, begun, stamp))
            if ended is not None:
                self.mark(name, {**(keys or {}), "phase": "offset"}, ended)

        return self.attend(shown)

    def play(self, clip: Clip, onset: str, offset: str, keys: Mapping[str, str]) -> Played:
        """Play a clip between two markers; its offset is marked once, by whoever learns of it first."""
        marked: list[Played] = []

        def on_offset(played: Played) -> None:
            if not marked:
                marked.append(played)
                self.mark(offset, {**keys, **played_keys(played)}, played.t_offset)

        played = self.screen.play(clip, on_onset=lambda stamp: self.mark(onset, keys, stamp), on_offset=on_offset)
        on_offset(played)
        if played.lost:
            self.note("frames/dropped", **dict(clip.keys), frames=list(played.lost))
        if played.end == "failed":
            self.journal.write("alarm", "clip/failed", {**dict(clip.keys), "error": played.error}, sync=True)
        return played

    # ---- what is asked for

    def holding(self) -> str | None:
        """Return why the session is to hold before its next trial; a window that comes back must know it too."""
        asked = self.screen.hold()
        if asked != self.past.holding and not self.past.paused:  # the end of a pause is written down before its reason is gone
            self.journal.write("command", "hold", {"reason": asked})
            self.past.holding = asked
        return asked

    def hold(self, *, repeats: bool) -> Wish | None:
        """Hold for as long as that is asked for, on a calm page; no key of the keyboard lets it go.

        Parameters
        ----------
        repeats : bool
            Whether there is something to be shown again.

        Returns
        -------
        {"resume", "repeat"} or None
            None at once where nothing asks for it; ``resume`` when it was let go, ``repeat`` when something is to be shown
            again first.
        """
        reason = self.holding()
        if not self.past.paused:  # else a window died while it held
            if reason is None:
                return None
            self.enter(HOLD, reason=reason)
            self.mark("pause", {"reason": reason}, self.clock.now())
        wish = self._held(repeats=repeats)
        self.mark("resume", {"reason": wish}, self.clock.now())
        return wish

    def _held(self, *, repeats: bool) -> Wish:
        while self.screen.hold() is not None:
            try:
                self.show(Page(HOLD, text=self.words.hold, held=True, until_let_go=True))
            except Asked as asked:
                self._wish(asked)
                if asked.wish == "repeat" and repeats:
                    return "repeat"
        return "resume"

    def attend(self, shown: Callable[[], object]) -> bool:
        """Show something until it is done: after a pause, and when asked to, from its beginning; False when it was skipped."""
        while True:
            try:
                shown()
            except Asked as asked:
                if self.heed(asked) == "skip":
                    return False
            else:
                return True

    def heed(self, asked: Asked) -> Wish:
        """Do what was asked for; returns what is to become of the thing that was on the screen: a pause ends in a wish too."""
        wish = "skipped" if asked.wish == "skip" else "interrupted"
        self.close_open(self.clock.now(), end=wish)
        if asked.wish == "pause":
            self._wish(asked)
            self.mark("pause", {"reason": asked.reason}, self.clock.now())
            return self.wait()
        if asked.wish == "skip":
            self.mark("skip", {"reason": asked.reason}, self.clock.now())
        self._wish(asked)
        return asked.wish

    def wait(self) -> Wish:
        """Pause until somebody asks for something else."""
        wish: Wish = "resume"
        reason = ""
        try:
            self.show(Page("pause", text=self.words.pause, held=True))
        except Asked as asked:
            wish, reason = asked.wish, asked.reason
            self._wish(asked)
        self.mark("resume", {"reason": reason or wish}, self.clock.now())
        if wish == "skip":
            self.mark("skip", {"reason": reason}, self.clock.now())
        return wish

    def _wish(self, asked: Asked) -> None:
        self.journal.write("command", asked.wish, {"reason": asked.reason}, sync=True)
        self.past.wish(asked.wish)


def played_keys(played: Played) -> dict[str, str]:
    """Return the keys of ``clip/offset``; what was not measured is left out."""
    measured = {
        "shown": played.shown, "dropped": played.dropped, "repeated": played.repeated,
        "onset_error_s": played.onset_error_s, "audio_offset_s": played.audio_offset_s, "end": played.end,
    }  # fmt: skip
    return {k: f"{v:.6f}" if isinstance(v, float) else str(v) for k, v in measured.items() if v is not None}
