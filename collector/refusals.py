"""Why a command is not obeyed: an English sentence for journals, and the same in the language of the study for the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from collector.page.words import WORDS as PAGE
from protocol.words_types import Language

ENGLISH: Mapping[str, str] = {
    "not_now": "{verb}: not possible now",
    "no_reason": "{verb}: say why, in at least {n} letters",
    "empty": "{verb}: is empty",
    "nothing_there": "{verb} {arg}: there is nothing of this name that could be overridden",
    "not_held": "{verb}: the session has not come to hold yet",
    "over": "{verb}: the session is over",
}
VIETNAMESE: Mapping[str, str] = {
    "not_now": "{verb}: lúc này chưa làm được",
    "no_reason": "{verb}: hãy nêu lý do, ít nhất {n} chữ",
    "empty": "{verb}: chưa có nội dung",
    "nothing_there": "{verb} {arg}: không có mục nào tên này có thể bỏ qua",
    "not_held": "{verb}: buổi ghi chưa dừng lại chờ",
    "over": "{verb}: buổi ghi đã kết thúc",
}
WORDS: Mapping[Language, Mapping[str, str]] = {"en": ENGLISH, "vi": VIETNAMESE}


class Refusal(str):
    """A refusal in English, that can be said in another language.

    Parameters
    ----------
    code : str
        Of :data:`WORDS`.
    verb : str
        Of the command; the page knows it by what stands on its button.
    **values
        What else the sentence names.

    Examples
    --------
    >>> refused = Refusal("not_now", "skip")
    >>> refused, refused.said("vi")
    ('skip: not possible now', 'Bỏ đoạn này: lúc này chưa làm được')
    """

    __slots__ = ("_code", "_values", "_verb")
    _code: str
    _verb: str
    _values: Mapping[str, object]

    def __new__(cls, code: str, verb: str, **values: object) -> Self:
        """Put it into English words."""
        made = super().__new__(cls, ENGLISH[code].format(verb=verb, **values))
        made._code, made._verb, made._values = code, verb, values
        return made

    def said(self, language: Language) -> str:
        """Return it in a language."""
        if language == "en":
            return str(self)
        return WORDS[language][self._code].format(verb=PAGE[language].get(f"button_{self._verb}", self._verb), **self._values)


def said(error: str, language: Language) -> str:
    """Return why a command was not obeyed in a language; what is no :class:`Refusal` stays as it is."""
    return error.said(language) if isinstance(error, Refusal) else error
