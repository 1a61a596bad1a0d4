"""What an alarm is called on the operator's page, in both languages: by its code, whatever its reason says beside it.

Journals, logs and the terminal keep the code and its English reason with values; these are a few words each, read at a glance.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs

from protocol.scene import Trouble
from protocol.words_types import Language

ENGLISH: Mapping[str, str] = {
    "collector/lost": "the recorder has stopped",
    "collector/broken": "the recorder failed at the end",
    "collector/silent": "the recorder does not answer",
    "collector/late": "the recorder did not begin",
    "collector/slow": "closing the files takes long",
    "disk/full": "the disk is full",
    "disk/low": "the disk is nearly full",
    "stream/lost": "{name} is silent",
    "stream/duplicate": "{name} is sent twice",
    "eeg/flat": "EEG is flat in all channels",
    "counter/frozen": "the headset's sample counter stands still",
    "battery/low": "the battery is low",
    "battery/critical": "the battery is nearly empty",
    "markers/unrecorded": "event marks do not arrive",
    "window/lost": "the participant's screen has ended",
    "window/silent": "the participant's screen does not answer",
    "window/frozen": "the participant's screen stands still",
    "twin/lost": "the simulated headset has ended",
    "gate/lost": "contact is lost",
    "camera/lost": "no picture from the camera",
    "suspended": "the computer was asleep",
    "clock/step": "the computer's clock was set",
    "page/lost": "this page was lost and starts again",
}
VIETNAMESE: Mapping[str, str] = {
    "collector/lost": "bộ ghi đã dừng",
    "collector/broken": "bộ ghi gặp lỗi ở cuối",
    "collector/silent": "bộ ghi không trả lời",
    "collector/late": "bộ ghi đã không bắt đầu",
    "collector/slow": "việc đóng tệp mất nhiều thời gian",
    "disk/full": "ổ đĩa đã đầy",
    "disk/low": "ổ đĩa sắp đầy",
    "stream/lost": "{name} im lặng",
    "stream/duplicate": "{name} được gửi từ hai nơi",
    "eeg/flat": "EEG đứng yên ở mọi kênh",
    "counter/frozen": "bộ đếm mẫu của mũ điện não đứng yên",
    "battery/low": "pin yếu",
    "battery/critical": "pin sắp hết",
    "markers/unrecorded": "các dấu mốc sự kiện không đến nơi",
    "window/lost": "màn hình của người tham gia đã tắt",
    "window/silent": "màn hình của người tham gia không trả lời",
    "window/frozen": "màn hình của người tham gia đứng yên",
    "twin/lost": "mũ điện não mô phỏng đã dừng",
    "gate/lost": "mất tiếp xúc điện cực",
    "camera/lost": "không có hình từ camera",
    "suspended": "máy tính đã ngủ",
    "clock/step": "đồng hồ máy tính đã bị chỉnh",
    "page/lost": "trang này bị mất và đang tự khởi động lại",
}
WORDS: Mapping[Language, Mapping[str, str]] = {"en": ENGLISH, "vi": VIETNAMESE}
"""By language and code, without the name of a stream, which stands in ``{name}``."""


def called(code: str, language: Language) -> str:
    """Return what an alarm is called; its code, where it is none that we know.

    Examples
    --------
    >>> called("stream/lost EEG", "en"), called("suspended", "vi"), called("new/alarm", "en")
    ('EEG is silent', 'máy tính đã ngủ', 'new/alarm')
    """
    kind, _, name = code.partition(" ")
    words = WORDS[language].get(kind)
    return code if words is None else words.format(name=name or "?")


def told(trouble: Trouble, language: Language) -> Trouble:
    """Return an alarm as the page shows it."""
    known = trouble.code.partition(" ")[0] in WORDS[language]
    return structs.replace(trouble, text=called(trouble.code, language)) if known else trouble
