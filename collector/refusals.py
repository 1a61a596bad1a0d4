"""Why a command is not obeyed: an English sentence for journals, and the same in the language of the study for the page."""

from __future__ import annotations

from collector.page.words import WORDS as PAGE
from collector.phrases import Either, Phrase, Words

WORDS: Words = {
    "en": {
        "not_now": "{verb}: not possible now",
        "no_reason": "{verb}: say why, in at least {n} letters",
        "empty": "{verb}: is empty",
        "nothing_there": "{verb} {arg}: there is nothing of this name that could be overridden",
        "not_held": "{verb}: the session has not come to hold yet",
        "over": "{verb}: the session is over",
        "changed": "{verb}: the study was changed after it had been checked; abort, and start emo-run again",
    },
    "vi": {
        "not_now": "{verb}: lúc này chưa làm được",
        "no_reason": "{verb}: hãy nêu lý do, ít nhất {n} chữ",
        "empty": "{verb}: chưa có nội dung",
        "nothing_there": "{verb} {arg}: không có mục nào tên này có thể bỏ qua",
        "not_held": "{verb}: buổi ghi chưa dừng lại chờ",
        "over": "{verb}: buổi ghi đã kết thúc",
        "changed": "{verb}: nghiên cứu đã bị sửa sau khi kiểm tra; hãy hủy buổi ghi rồi chạy lại emo-run",
    },
}


def refused(code: str, verb: str, **values: object) -> Phrase:
    """Return why a command is not obeyed.

    Parameters
    ----------
    code : str
        Of :data:`WORDS`.
    verb : str
        Of the command; a page in another language knows it by what stands on its button.
    **values
        What else the sentence names.

    Examples
    --------
    >>> no = refused("not_now", "skip")
    >>> no, no.said("vi")
    ('skip: not possible now', 'Bỏ đoạn này: lúc này chưa làm được')
    """
    label = Either(verb, {language: words.get(f"button_{verb}", verb) for language, words in PAGE.items() if language != "en"})
    return Phrase(WORDS, code, verb=label, **values)
