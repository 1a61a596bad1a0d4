"""What a session came to, in words: English in files, the study's language on the page."""

import json
import string
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from collector import quality, verdict_words
from collector.crew import Outcome, Patience
from collector.finale import Finale
from collector.scenes import Header, Known
from collector.situation import Situation
from collector.verdict import Verdict, judge, remembered, repeated, unverified, verified
from protocol import folder
from protocol.folder import Manifest, Quality, Run
from protocol.journal import Journal, read
from protocol.scene import Contact, File, Finding


def judged(
    *, value: float | None, until: float = 1.0, spans: tuple[tuple[float, float], ...] = ((0.0, 100.0),), reason: str = ""
) -> Quality:  # fmt: skip
    """Return the rule's verdict on readings of one value, which come until a share of the time."""
    times = np.arange(0.0, 100.0 * until) if value is not None else np.zeros(0)
    found = quality.judge(
        times, np.full(len(times), 100 * (value or 0.0)), spans=spans, threshold=0.8, metric="CQ", over="clips"
    )
    return found.model_copy(update={"reason": reason} if reason else {})


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return folder.create(tmp_path, participant="07", session="01", task="emotion")


@pytest.fixture
def kept(run: Run) -> Verdict:
    Manifest(session_uid="u", end="complete", closed_wall="2026", quality=judged(value=0.9)).save(run.manifest_json)
    return judge(run, Outcome("complete"))


def vietnamese(verdict: Verdict) -> tuple[str, ...]:
    """Return what a page of a Vietnamese study shows; nothing in it may be English."""
    said = verdict.said((), "vi")
    assert msgspec.json.decode(msgspec.json.encode(said))["verdict"] == verdict.name, "it goes over the wire"
    return (said.text, *said.reasons)


def test_the_page_of_a_vietnamese_study_says_the_verdict_in_vietnamese_and_files_say_it_in_english(kept: Verdict) -> None:
    assert vietnamese(kept) == ("giữ lại: chất lượng tiếp xúc 90,00%, cần ít nhất 80,00%",)
    again = repeated(repeated(kept, (3,)), (5,))
    assert again.text.startswith("repeat clips 3, 5: ") and again.text.endswith(
        "contact quality 90.00%, at least 80.00% is asked"
    )
    assert vietnamese(again)[0].startswith("ghi lại các đoạn phim 3, 5: ") and vietnamese(again)[0].endswith(
        "cần ít nhất 80,00%"
    )
    found = (Finding(code="sound/muted", light="red", text="Âm thanh đang bị tắt", blocks=True, overridden="phim câm"),)
    contact = Contact(state="no_blinks", n_cues=6, n_seen=1, alpha=1.25, overridden="tóc giả")
    said = remembered(kept, contact=contact, gate_overridden="tóc khô", findings=found, skipped=True)
    assert vietnamese(said)[1:] == (
        "đã bỏ qua: Âm thanh đang bị tắt (phim câm)", "đã bỏ bước kiểm tra trước",
        "đã bỏ qua: ngưỡng tiếp xúc chưa đạt (tóc khô)",
        "kiểm tra mũ: EEG thấy 1 trên 6 lần chớp mắt theo nhắc; alpha khi nhắm mắt gấp 1,2 lần khi mở mắt; đã bỏ qua: tóc giả",
    )  # fmt: skip
    differs = unverified(verified(kept, (File(name="a.xdf", size_B=1, verified=False),)))
    assert vietnamese(differs) == (
        "có lỗi: a.xdf: bị thiếu, hoặc không khớp manifest.json (kích thước và sha256); chép lượt ghi sang đĩa khác, "
        "rồi xem bằng lệnh: emo-record check",
        "nếu không kể điều đó: giữ lại: chất lượng tiếp xúc 90,00%, cần ít nhất 80,00%", "chưa so hết các tệp với mã kiểm",
    )  # fmt: skip
    assert differs.record()["fault"] == "a.xdf: missing, or not what manifest.json says (size and sha256)"
    assert json.loads(json.dumps(differs.record()))["reasons"][0].startswith("without that: keep: contact quality 90.00%")


@pytest.mark.parametrize(
    ("found", "english", "vietnamese_"),
    [
        (judged(value=0.61), "exclude: contact quality 61.00% is below 80.00%",
         "loại: chất lượng tiếp xúc 61,00%, thấp hơn 80,00%"),
        (judged(value=0.9, until=0.5), "not judged: contact quality readings cover 51.0% of the session, less than 95%",
         "chưa đánh giá được: số đo chất lượng tiếp xúc chỉ có trong 51,0% thời gian, ít hơn 95%"),
        (judged(value=None), "not judged: no contact quality reading was recorded",
         "chưa đánh giá được: không ghi được số đo chất lượng tiếp xúc nào"),
        (judged(value=0.9, spans=()), "not judged: no clip was played", "chưa đánh giá được: chưa chiếu đoạn phim nào"),
        (judged(value=0.61, reason="by hand"), "exclude: by hand", "loại: by hand"),
    ],
)  # fmt: skip
def test_what_the_rule_says_is_said_in_both_languages(run: Run, found: Quality, english: str, vietnamese_: str) -> None:
    Manifest(session_uid="u", end="complete", closed_wall="2026", quality=found).save(run.manifest_json)
    verdict = judge(run, Outcome("complete"))
    assert (verdict.text, vietnamese(verdict)) == (english, (vietnamese_,))


@pytest.mark.parametrize(
    ("outcome", "english", "vietnamese_"),
    [
        (Outcome("aborted", "escape"), "aborted: Escape was pressed", "đã hủy: đã nhấn phím Escape"),
        (Outcome("aborted", "no blinks"), "aborted: the cued blinks were not seen in the EEG: does somebody wear the cap?",
         "đã hủy: không thấy những lần chớp mắt theo nhắc trong EEG: có ai đội mũ không?"),
        (Outcome("aborted", "bị mệt"), "aborted: bị mệt", "đã hủy: bị mệt"),
        (Outcome("aborted"), "aborted", "đã hủy"),
        (Outcome("aborted", "collector/lost", "the collector was ended by SIGKILL"),
         "fault: the collector was ended by SIGKILL", "có lỗi: bộ ghi đã dừng"),
        (Outcome("aborted", "odd", "something odd"), "fault: something odd", "có lỗi: something odd"),
    ],
)  # fmt: skip
def test_ends_are_said_in_both_languages(run: Run, outcome: Outcome, english: str, vietnamese_: str) -> None:
    verdict = judge(run, outcome)
    assert (verdict.text, vietnamese(verdict)) == (english, (vietnamese_,))


def test_the_verdict_has_the_same_words_and_values_in_both_languages() -> None:
    def named(text: str) -> set[str]:
        return {field for _, field, _, _ in string.Formatter().parse(text) if field}

    english, others = verdict_words.WORDS["en"], verdict_words.WORDS["vi"]
    assert english.keys() == others.keys()
    assert [code for code in english if named(english[code]) != named(others[code])] == []
    assert not set(english.values()) & set(others.values())


def test_the_last_screen_is_in_the_language_of_the_study_and_the_journal_in_english(kept: Verdict, tmp_path: Path) -> None:
    helm: Any = SimpleNamespace(now=lambda: 1.0, header=Header("s", "07", "01", language="vi"))
    stage = Finale(kept, Known(Situation("ended")), helm=helm, report=None, patience=Patience())
    stage.step()
    shown = stage.known().situation
    assert shown.said is not None and shown.said.text == "giữ lại: chất lượng tiếp xúc 90,00%, cần ít nhất 80,00%"
    path = tmp_path / "journal.jsonl"
    with Journal(path, now=lambda: 1.0) as journal:
        journal.write("state", "verdict", {"message": kept.text, "reasons": [verdict_words.phrase("unread")]})
    (row,) = read(path)
    assert row.data["message"] == "keep: contact quality 90.00%, at least 80.00% is asked"
    assert row.data["reasons"] == ["not all files were compared with their checksums"]
