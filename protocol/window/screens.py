"""What the session asks of a screen, done in a real window."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from protocol import markers
from protocol.ports import Answer, Clip, Page, Played, Question, Stamp
from protocol.window import layout, pictures
from protocol.window.display import Display
from protocol.window.player import Player
from protocol.window.sound import Speaker
from protocol.window.wire import Wire
from protocol.words import Words

CONTINUE = ("space", "return", "enter")
CHOSEN_S = 0.2  # an answer is seen to be taken before it goes
WAKE_S = 1.0  # the tone that ends a page for closed eyes is heard out
_BEGIN_HZ, _END_HZ = 440.0, 880.0


class WindowScreen:
    """A :class:`protocol.ports.Screen` in a PsychoPy window.

    Parameters
    ----------
    display : Display
        The window.
    speaker : Speaker or None
        None plays without sound.
    wire : Wire
        Is told what is on the screen.
    colors : mapping of str to str
        ``#RRGGBB`` by emotion.
    words : Words
        How to answer, and how to stop, in the participant's language.
    """

    def __init__(
        self, display: Display, *, speaker: Speaker | None, wire: Wire, colors: Mapping[str, str], words: Words
    ) -> None:  # fmt: skip
        self._display, self._speaker, self._wire, self._colors, self._words = display, speaker, wire, colors, words
        self._player = Player(display, speaker)

    def show(self, page: Page, *, on_flip: Callable[[Stamp], None] | None = None) -> Stamp:
        """Show a page for its time, or until the participant goes on; returns when it ended."""
        display = self._display
        display.put(pictures.page(page, display.sheet, stop=self._words.stop_key), white=page.level == "white")
        display.held = page.held
        waits = (("waits", "space"),) if page.duration_s is None and not page.held else ()
        try:
            t_shown = display.flip_page(self._entering(page.name, (*page.keys, *waits), on_flip))
            if page.tones:
                self._tone(_BEGIN_HZ)
            while not self._page_over(page, t_shown):
                display.keep_page()
        finally:
            display.held = False
        ended = display.now()
        if page.tones:
            self._wake()
        return ended

    def hold(self) -> str | None:
        """Return why the session is to hold before its next trial."""
        return self._wire.hold

    def play(self, clip: Clip, *, on_onset: Callable[[Stamp], None], on_offset: Callable[[Played], None]) -> Played:
        """Play a clip."""
        return self._player.play(clip, on_onset=self._entering(clip.name, clip.keys, on_onset), on_offset=on_offset)

    def ask(self, question: Question, *, on_answer: Callable[[Answer], None]) -> Answer | None:
        """Ask until one of the choices is given, by key or by mouse, or the time is over."""
        display = self._display
        display.put(self._drawn(question))
        display.show_mouse(visible=True)
        try:
            t_shown = display.flip_page(self._entering("rating", (("question", question.name), *question.keys)))
            over_s = math.inf if question.limit_s is None else t_shown + question.limit_s
            while (chosen := self._chosen(question)) is None and display.now() < over_s:
                display.keep_page()
            t_answer = display.now()
        finally:
            display.show_mouse(visible=False)
        if chosen is None:
            display.clear()
            return None
        answer = Answer(question.choices[chosen], t_shown, t_answer)
        self._confirm(question, chosen)
        display.put(pictures.blank(display.sheet))
        display.flip_page(lambda _: on_answer(answer))
        return answer

    def _drawn(self, question: Question, *, chosen: int | None = None) -> pictures.Picture:
        """Draw a question with how to answer it."""
        hint = self._words.scale_keys if pictures.is_scale(question) else self._words.choice_keys
        return pictures.question(
            question, self._display.sheet, colors=self._colors, chosen=chosen, hint=hint, stop=self._words.stop_key
        )

    def _tone(self, pitch_hz: float) -> None:
        if self._speaker is not None:
            self._speaker.tone(pitch_hz)

    def _wake(self) -> None:
        """Tell closed eyes to open: by a tone or, where there is no sound, by light, which lids let through."""
        display = self._display
        self._tone(_END_HZ)
        display.put(pictures.level("white", display.sheet) if self._speaker is None else pictures.blank(display.sheet))
        t_shown = display.flip_page()
        while display.due_s < t_shown + WAKE_S:
            display.keep_page()

    def _entering(
        self, name: str, keys: tuple[tuple[str, str], ...], then: Callable[[Stamp], None] | None = None
    ) -> Callable[[Stamp], None]:
        """Return what the first flip of something does: tell the session, then the wire.

        What was pressed before this flip was meant for something else; what comes after it counts, so nothing may be dropped
        once the wire has told of it: an answer can be here before the flip returns.
        """

        def on_flip(stamp: Stamp) -> None:
            if then is not None:
                then(stamp)
            self._display.forget_input()
            self._wire.enter(markers.encode(name, dict(keys)))

        return on_flip

    def _page_over(self, page: Page, t_shown: Stamp) -> bool:
        if page.held:
            return page.until_let_go and self.hold() is None  # else it ends by a wish
        if page.duration_s is None:
            return any(key in CONTINUE for key in self._display.take_keys())
        return self._display.due_s >= t_shown + page.duration_s - self._display.period_s / 2

    def _chosen(self, question: Question) -> int | None:
        """Return which choice was pressed or clicked since the last look."""
        keys = choice_keys(question)
        for key in self._display.take_keys():
            if key in keys:
                return keys.index(key)
        click = self._display.take_click()
        return None if click is None else layout.hit(pictures.choices(question, self._display.sheet), *click)

    def _confirm(self, question: Question, chosen: int) -> None:
        """Show for a moment which choice was taken."""
        display = self._display
        display.put(self._drawn(question, chosen=chosen))
        t_shown = display.flip_page()
        while display.due_s < t_shown + CHOSEN_S:
            display.keep_page()


def choice_keys(question: Question) -> list[str]:
    """Return the key of each choice: the digit itself on a scale, else 1, 2, 3 .. in order."""
    if all(choice.isdigit() and len(choice) == 1 for choice in question.choices):
        return list(question.choices)
    return [str(n) for n in range(1, len(question.choices) + 1)]
