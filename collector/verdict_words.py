"""The verdict in words: what a session came to and why, in English for files, in the study's language for the page."""

from __future__ import annotations

from collections.abc import Sequence

from collector import alarm_words
from collector.phrases import Either, Figure, Percent, Phrase, Words
from collector.quality import MIN_COVERAGE
from protocol.folder import Quality
from protocol.scene import Contact, Finding

WORDS: Words = {
    "en": {
        "CQ": "contact quality",
        "EQ": "EEG quality",
        # the rule
        "keep": "keep: {why}",
        "exclude": "exclude: {why}",
        "not_judged": "not judged: {why}",
        "enough": "{metric} {value}, at least {threshold} is asked",
        "below": "{metric} {value} is below {threshold}",
        "coverage": "{metric} readings cover {covered} of the session, less than {least}",
        "no_reading": "no {metric} reading was recorded",
        "no_clip": "no clip was played",
        "no_verdict": "the recording has no verdict",
        "again_one": "repeat clip {clips}: not shown in full, or too much of its EEG is missing; the rest is kept: {why}",
        "again": "repeat clips {clips}: not shown in full, or too much of their EEG is missing; the rest is kept: {why}",
        # ends
        "fault": "fault: {why}",
        "fault_recover": "fault: {why}; make what was recorded whole with: emo-record recover {run}",
        "fault_copy": "fault: {why}; copy the run to another disk, then look at it with: emo-record check",
        "differing": "{files}: missing, or not what manifest.json says (size and sha256)",
        "aborted": "aborted",
        "aborted_why": "aborted: {why}",
        "escape": "Escape was pressed",
        "operator": "ended by the operator",
        "window closed": "the window was closed",
        "no blinks": "the cued blinks were not seen in the EEG: does somebody wear the cap?",
        "contacts": "the contacts did not become good",
        # what else has to be known
        "without": "without that: {text}",
        "unread": "not all files were compared with their checksums",
        "passed": "overridden: {text} ({why})",
        "no_preflight": "the preflight was left out",
        "gate": "overridden: the contact gate was not open ({why})",
        "blinks": "contact check: {seen} of {cues} cued blinks were seen in the EEG{alpha}",
        "blinks_passed": "contact check: {seen} of {cues} cued blinks were seen in the EEG{alpha}; overridden: {why}",
        "alpha": "; alpha with closed eyes {times} times that with open ones",
        "unchecked": "contact check: was not made",
    },
    "vi": {
        "CQ": "chất lượng tiếp xúc",
        "EQ": "chất lượng EEG",
        "keep": "giữ lại: {why}",
        "exclude": "loại: {why}",
        "not_judged": "chưa đánh giá được: {why}",
        "enough": "{metric} {value}, cần ít nhất {threshold}",
        "below": "{metric} {value}, thấp hơn {threshold}",
        "coverage": "số đo {metric} chỉ có trong {covered} thời gian, ít hơn {least}",
        "no_reading": "không ghi được số đo {metric} nào",
        "no_clip": "chưa chiếu đoạn phim nào",
        "no_verdict": "bản ghi không có kết luận",
        "again_one": "ghi lại đoạn phim {clips}: chưa chiếu trọn vẹn, hoặc mất quá nhiều EEG; phần còn lại được giữ: {why}",
        "again": "ghi lại các đoạn phim {clips}: chưa chiếu trọn vẹn, hoặc mất quá nhiều EEG; phần còn lại được giữ: {why}",
        "fault": "có lỗi: {why}",
        "fault_recover": "có lỗi: {why}; khôi phục những gì đã ghi bằng lệnh: emo-record recover {run}",
        "fault_copy": "có lỗi: {why}; chép lượt ghi sang đĩa khác, rồi xem bằng lệnh: emo-record check",
        "differing": "{files}: bị thiếu, hoặc không khớp manifest.json (kích thước và sha256)",
        "aborted": "đã hủy",
        "aborted_why": "đã hủy: {why}",
        "escape": "đã nhấn phím Escape",
        "operator": "người vận hành đã kết thúc",
        "window closed": "cửa sổ đã bị đóng",
        "no blinks": "không thấy những lần chớp mắt theo nhắc trong EEG: có ai đội mũ không?",
        "contacts": "tiếp xúc điện cực chưa đạt",
        "without": "nếu không kể điều đó: {text}",
        "unread": "chưa so hết các tệp với mã kiểm",
        "passed": "đã bỏ qua: {text} ({why})",
        "no_preflight": "đã bỏ bước kiểm tra trước",
        "gate": "đã bỏ qua: ngưỡng tiếp xúc chưa đạt ({why})",
        "blinks": "kiểm tra mũ: EEG thấy {seen} trên {cues} lần chớp mắt theo nhắc{alpha}",
        "blinks_passed": "kiểm tra mũ: EEG thấy {seen} trên {cues} lần chớp mắt theo nhắc{alpha}; đã bỏ qua: {why}",
        "alpha": "; alpha khi nhắm mắt gấp {times} lần khi mở mắt",
        "unchecked": "kiểm tra mũ: không được làm",
    },
}
_ENDS = ("escape", "operator", "window closed", "no blinks", "contacts")  # what stands in files as a word


def phrase(code: str, **values: object) -> Phrase:
    """Return a sentence of :data:`WORDS`."""
    return Phrase(WORDS, code, **values)


def ruled(quality: Quality) -> Phrase:
    """Say what the rule on contact quality came to.

    The manifest's own reason stands in the English one; in other words the same is said where it is one that the rule gives.
    """
    metric, value, threshold = phrase(quality.metric), Percent(quality.value or 0.0, 2), Percent(quality.threshold, 2)
    if quality.verdict == "keep":
        return phrase("keep", why=phrase("enough", metric=metric, value=value, threshold=threshold))
    known = (
        phrase("below", metric=metric, value=value, threshold=threshold),
        phrase("coverage", metric=metric, covered=Percent(quality.coverage, 1), least=Percent(MIN_COVERAGE)),
        phrase("no_reading", metric=metric), phrase("no_clip"),
    )  # fmt: skip
    reason = quality.reason.replace(quality.metric, str(metric))
    return phrase(quality.verdict, why=next((one for one in known if one == reason), reason))


def ended(reason: str) -> Phrase:
    """Say why a session was aborted: what stands in files as a word, an alarm, or what somebody typed."""
    if not reason:
        return phrase("aborted")
    return phrase("aborted_why", why=phrase(reason) if reason in _ENDS else reason)


def broke(fault: str, code: str, *, run: object = None) -> Phrase:
    """Say what broke: its words in English, and the alarm's by its code in another language."""
    why = Either(fault, {"vi": alarm_words.called(code, "vi")}) if code in alarm_words.WORDS["vi"] else fault
    return phrase("fault", why=why) if run is None else phrase("fault_recover", why=why, run=run)


def again(clips: Sequence[int], text: str) -> Phrase:
    """Say which clips have to be shown again, and why the rest is kept: of a verdict that keeps, or names fewer of them."""
    why = text.values["why"] if isinstance(text, Phrase) else text.partition(": ")[2]
    return phrase("again_one" if len(clips) == 1 else "again", clips=", ".join(map(str, clips)), why=why)


def without(text: str) -> Phrase:
    """Say what the verdict would be, were the files not what they are."""
    return phrase("without", text=text)


def passed(findings: Sequence[Finding]) -> list[Phrase]:
    """Say what the preflight found and somebody passed over."""
    return [phrase("passed", text=one.text, why=one.overridden) for one in findings if one.overridden]


def contact_check(contact: Contact) -> list[Phrase]:
    """Say what the contact check came to."""
    alpha = phrase("alpha", times=Figure(contact.alpha, 1)) if contact.alpha is not None else ""
    if contact.state == "no_blinks" or (contact.state == "ok" and alpha):
        seen: dict[str, object] = {"seen": contact.n_seen, "cues": contact.n_cues, "alpha": alpha}
        return [phrase("blinks_passed", **seen, why=contact.overridden) if contact.overridden else phrase("blinks", **seen)]
    return [phrase("unchecked")] if contact.state == "not_checked" else []
