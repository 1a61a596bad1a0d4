"""What the session asks of a screen, done in a real window."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from protocol import markers
from protocol.ports import Answer, Clip, Page, Played, Question, Stamp
from protocol.window import layout, pictures
from protocol.window.display import Display
from protocol.window.player import Player
from protocol.window.sound import Speaker
from protocol.window.wire import Wire

CONTINUE = ("space", "return", "enter")
CHOSEN_S = 0.2  # an answer is seen to be taken before it goes


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
    """

    def __init__(self, display: Display, *, speaker: Speaker | None, wire: Wire, colors: Mapping[str, str]) -> None:
        self._display, self._wire, self._colors = display, wire, colors
        self._player = Player(display, speaker)

    def show(self, page: Page, *, on_flip: Callable[[Stamp], None] | None = None) -> Stamp:
        """Show a page for its time, or until the participant goes on; returns when it ended."""
        display = self._display
        display.put(pictures.page(page, display.sheet))
        t_shown = display.flip_page(self._entering(page.name, page.keys, on_flip))
        while not self._page_over(page, t_shown):
            display.keep_page()
        return display.now()

    def play(self, clip: Clip, *, on_onset: Callable[[Stamp], None], on_offset: Callable[[Played], None]) -> Played:
        """Play a clip."""
        return self._player.play(clip, on_onset=self._entering("clip", clip.keys, on_onset), on_offset=on_offset)

    def ask(self, question: Question, *, on_answer: Callable[[Answer], None]) -> Answer:
        """Ask until one of the choices is given, by key or by mouse."""
        display = self._display
        display.put(pictures.question(question, display.sheet, colors=self._colors))
        display.show_mouse(visible=True)
        try:
            t_shown = display.flip_page(self._entering("rating", (("question", question.name), *question.keys)))
            while (chosen := self._chosen(question)) is None:
                display.keep_page()
            answer = Answer(question.choices[chosen], t_shown, display.now())
        finally:
            display.show_mouse(visible=False)
        self._confirm(question, chosen)
        display.put(pictures.blank(display.sheet))
        display.flip_page(lambda _: on_answer(answer))
        return answer

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
        display.put(pictures.question(question, display.sheet, colors=self._colors, chosen=chosen))
        t_shown = display.flip_page()
        while display.due_s < t_shown + CHOSEN_S:
            display.keep_page()


def choice_keys(question: Question) -> list[str]:
    """Return the key of each choice: the digit itself on a scale, else 1, 2, 3 .. in order."""
    if all(choice.isdigit() and len(choice) == 1 for choice in question.choices):
        return list(question.choices)
    return [str(n) for n in range(1, len(question.choices) + 1)]
