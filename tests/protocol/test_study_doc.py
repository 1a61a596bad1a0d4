"""The page of the study file's keys, and the keys themselves."""

import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from protocol import presets, study
from protocol.study_doc import markdown

PAGE = Path(__file__).parents[2] / "docs" / "study-file.md"
MODELS = [
    m for m in vars(study).values() if isinstance(m, type) and issubclass(m, study.Part) and m not in (study.Part, study.Study)
]


def test_the_page_in_docs_is_the_one_that_the_types_give() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), "write it anew: emo-study keys > docs/study-file.md"


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
def test_every_key_says_what_it_is(model: type[BaseModel]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_every_table_and_key_stands_on_the_page() -> None:
    page = markdown()
    sections = dict(part.partition("\n")[::2] for part in page.split("\n## "))
    for name in study.Study.model_fields:
        assert any(title.startswith(f"[{name}]") for title in sections)
    emotions = next(text for title, text in sections.items() if title.startswith("[emotions]"))
    assert "| `hed` |" in emotions
    assert "| `threshold` | share from which on a participant stays in | number from 0 to 1 | `0.8` |" in page
    assert "[whole number from 320 to 7680, whole number from 240 to 4320]" in sections["[screen]"]


@pytest.mark.parametrize("name", presets.PRESETS)
def test_a_preset_uses_no_key_that_the_page_leaves_out(name: str) -> None:
    text, _ = presets.preset(name, presets.Sizes())
    page = markdown()
    for table, keys in tomllib.loads(text).items():
        for key in keys if table != "emotions" else ("hed", "color"):
            assert f"| `{key}` |" in page.partition(f"## [{table}]")[2].partition("\n## ")[0], (table, key)
