"""What an operator asks for on the page: obeyed once, answered each time, refused in words, written down."""

from __future__ import annotations

from collections.abc import Callable, Collection

from collector.diary import Diary
from collector.phrases import said
from collector.refusals import refused
from protocol.link import Hub
from protocol.messages import Ack, Command, Envelope
from protocol.words_types import Language

MIN_REASON = 3  # letters: a reason that somebody can read later
NEEDS_REASON = ("override", "abort")


def refusal(command: Command, buttons: Collection[str]) -> str:
    """Say why a command is not obeyed now; empty where it is.

    Examples
    --------
    >>> refusal(Command(verb="skip"), ("pause",)), refusal(Command(verb="pause"), ("pause",))
    ('skip: not possible now', '')
    >>> refusal(Command(verb="abort", reason=" x "), ("abort",))
    'abort: say why, in at least 3 letters'
    """
    if command.verb not in buttons:
        return refused("not_now", command.verb)
    if command.verb in NEEDS_REASON and len(command.reason.strip()) < MIN_REASON:
        return refused("no_reason", command.verb, n=MIN_REASON)
    if command.verb == "note" and not command.arg.strip():
        return refused("empty", command.verb)
    return ""


class Orders:
    """Commands from the page.

    Parameters
    ----------
    hub : Hub
        Takes the answers.
    diary : Diary
        Gets a row for each command, with who gave it and what was answered, in English.
    language : str
        In which a page is answered.
    """

    def __init__(self, hub: Hub, diary: Diary, language: Language = "en") -> None:
        self._hub, self._diary, self._language = hub, diary, language
        self._answers: dict[str, Ack] = {}

    def take(self, envelope: Envelope, buttons: Collection[str], obey: Callable[[Command], str]) -> None:
        """Obey a command, if it may be given now; one that was sent again is answered again and not obeyed again."""
        command = envelope.body
        assert isinstance(command, Command)
        if envelope.id not in self._answers:
            error = refusal(command, buttons) or obey(command)
            self._answers[envelope.id] = Ack(of=envelope.id, ok=not error, error=said(error, self._language))
            row = {"who": envelope.who, "reason": command.reason, "arg": command.arg, "ok": not error, "error": str(error)}
            self._diary.write("command", f"operator/{command.verb}", row)
        self._hub.send(envelope.who, self._answers[envelope.id])
