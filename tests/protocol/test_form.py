"""What participants are asked before a session, and what is never taken."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from protocol.folder import Person
from protocol.form import FormError, objections, person, questions, refuse_identity, sheet_sha256, warnings
from protocol.study import ParticipantForm, Study

EVERYTHING = ParticipantForm(
    fields=("age", "sex", "handedness", "hair", "cap_size", "head_circumference"), screening=("Epilepsy?", "Medicine?")
)


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_form_asks_what_the_study_wants_in_its_order(language: str) -> None:
    asked = questions(EVERYTHING, language)
    assert [q.key for q in asked] == [*EVERYTHING.fields, "screening/1", "screening/2"]
    assert [q.question for q in asked[-2:]] == ["Epilepsy?", "Medicine?"]
    assert len({q.question for q in asked}) == len(asked)
    assert [q.key for q in questions(ParticipantForm(), language)] == ["age", "sex", "handedness"]


def test_answers_become_a_record_and_what_is_not_answered_stays_unknown() -> None:
    told = {"age": "21", "sex": "f", "handedness": "r", "hair": "Long", "cap_size": "M", "head_circumference": "56,5"}
    found = person(EVERYTHING, told | {"screening/1": "không", "screening/2": "Y"})
    assert found == Person(
        age_y=21.0, sex="F", handedness="R", hair="long", cap_size="M", head_circumference_cm=56.5,
        screening={"Epilepsy?": "no", "Medicine?": "yes"},
    )  # fmt: skip
    assert objections(found) == ["Medicine?"]
    assert person(EVERYTHING, {"age": " ", "sex": ""}) == Person()
    assert objections(Person()) == []


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("age", "two"), ("age", "nan"), ("age", "2"), ("age", "121"), ("sex", "W"), ("handedness", "both"), ("hair", "blond"),
        ("cap_size", "Nguyen An"), ("cap_size", "much too long a size"), ("cap_size", "an@vnu.vn"),
        ("head_circumference", "0.56"), ("screening/1", "maybe"),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_is_one_line(key: str, text: str) -> None:
    with pytest.raises(FormError) as refused:
        person(EVERYTHING, {key: text})
    assert str(refused.value).startswith(f"{key} = {text!r}: ")
    assert "\n" not in str(refused.value)


def test_what_is_not_asked_is_not_taken() -> None:
    with pytest.raises(FormError, match="hair: is not asked by the study's form; it asks age, sex, handedness"):
        person(ParticipantForm(), {"hair": "long"})


@pytest.mark.parametrize(
    "text",
    [
        "Nguyễn Văn An",
        "John Smith",
        "NGUYEN VAN AN",
        "Le T. An",
        "an@vnu.edu.vn",
        "090 123 4567",
        "www.an.vn",
        "001-203-004567",
    ],
)
def test_what_tells_who_somebody_is_is_refused(text: str) -> None:
    with pytest.raises(FormError, match="looks like a name, an address or a telephone number"):
        refuse_identity(text, what="signed_ref")


@pytest.mark.parametrize("text", ["A-017", "sheet 3, binder B", "cap slipped at the end", "M", "Binder 2", ""])
def test_codes_and_remarks_are_taken(text: str) -> None:
    assert refuse_identity(text, what="signed_ref") == text


def a_study(language: str = "en", **safety: object) -> Study:
    emotions = {name: {"hed": "Sad", "color": "#000000"} for name in ("a", "b")}
    return Study.model_validate(
        {"study": {"name": "s", "language": language}, "emotions": emotions, "safety": safety, "consent": {"version": "1"}}
    )


def test_warnings_stand_before_the_consent_where_the_study_has_them() -> None:
    assert warnings(a_study()) == ()
    assert warnings(a_study(content_warning="Blood is seen.")) == ("Blood is seen.",)
    content, flashing = warnings(a_study("vi", content_warning=True, flashing=True))
    assert content.startswith("Một số đoạn phim nhằm") and "động kinh" in flashing


def test_the_sheet_is_known_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / "sheet.pdf").write_bytes(b"we ask you")
    assert sheet_sha256(tmp_path / "sheet.pdf") == hashlib.sha256(b"we ask you").hexdigest()
    assert sheet_sha256(None) is None
