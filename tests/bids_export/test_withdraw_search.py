"""The search that closes a withdrawal: who is called by two digits is found as surely as a canary of 32 characters."""

from __future__ import annotations

import base64
import gzip
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bids_export import validate
from bids_export.withdraw import job, of_data, of_dataset, of_derivative
from bids_export.withdraw.traces import Traces, pattern
from tests.bids_export import canaries
from tests.bids_export.withdrawn_lab import NAME, NOTE, RATING, TAG, Lab, build

SAID = (NOTE, RATING, TAG, NAME)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A laboratory whose participant is called as most are."""
    return build(tmp_path_factory.mktemp("withdraw"), "07")


@pytest.fixture
def lab(first: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(validate, "validate", lambda root: validate.Verdict((), "none"))
    shutil.copytree(first.home, tmp_path / "lab", symlinks=True)
    return Lab(tmp_path / "lab", first.label)


def withdraw(lab: Lab) -> job.Done:
    return job.withdraw(job.Asked(lab.label, lab.data, (lab.bids, lab.shared)))


def test_a_participant_with_a_short_label_leaves_no_canary_and_the_search_ends_without_a_hit(lab: Lab) -> None:
    assert all(canaries.found(lab.home, said) for said in SAID)
    done = withdraw(lab)
    assert done.left == ()
    assert [hit for said in SAID for hit in canaries.found(lab.home, said)] == []
    assert canaries.found(lab.home, "sub-07") == []


@pytest.mark.parametrize(
    ("room", "name"),
    [
        (of_data, "withdraw"), (of_dataset, "withdraw"), (of_derivative, "withdraw"), (of_derivative, "mark_models"),
        (of_derivative, "_together"), (of_derivative, "_arrays"), (of_dataset, "_tables"), (of_dataset, "_left"),
        (of_data, "_named"), (of_data, "_rewrite"),
    ],
)  # fmt: skip
def test_a_remover_that_is_left_out_is_noticed_with_a_short_label_too(room: object, name: str, lab: Lab, monkeypatch) -> None:
    monkeypatch.setattr(room, name, lambda *args, **kwargs: {} if name == "_left" else [])
    assert withdraw(lab).left


def packed(text: str) -> bytes:
    """Wrap a text in gzip, base64, a page, and a zip."""
    inside = base64.b64encode(gzip.compress(text.encode())).decode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("page.html", f"<img src='data:x;base64,{inside}'>")
    return file.getvalue()


def array(*names: str) -> bytes:
    file = io.BytesIO()
    np.savez(file, people=np.array(names))
    return file.getvalue()


HITS: dict[str, bytes] = {
    "a.json": b'{"by_participant": {"07": {"n": 3}}}',
    "b.json": b'{"participants": ["07", "02"]}',
    "c.json": b'{"anything": ["x", {"deep": "07"}]}',
    "d.csv": b"07,3,4\n02,3,4\n",
    "e.tsv": b"participant_id\n02\n07\n",
    "f.csv": b"\xef\xbb\xbfx;subject\n1;02\n2;07\n",
    "g.jsonl": b'{"participant": "02"}\n{"who": "07"}\n{"torn',
    "h.npz": array("02", "07"),
    "i.tsv.gz": gzip.compress(b"participant\n07\n"),
    "j.zip": packed("sub-07 was here, and this is long enough to be taken for base64"),
    "k.zip": packed('{"participants": ["07"], "more": "so that it is long enough to be base64"}'),
    "l.html": b"<a href='sub-07_report.html'>",
}
PASSED: dict[str, bytes] = {
    "a.json": b'{"session": "07", "run": "07", "begun": {"07": 1}, "runs": ["07"], "n": 7, "text": "at 07 h"}',
    "b.tsv": b"trial\trun\tonset\n07\t07\t0.7\n",
    "c.csv": b"participant,session\n02,07\n070,01\n",
    "d.npz": array("02", "070"),
    "e.html": b"07 sub-070 sub-0",
    "f.json": b'{"participant": "070"}',
}


@pytest.mark.parametrize("name", list(HITS))
def test_a_label_of_two_digits_is_found_where_a_text_says_that_it_is_a_person(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(HITS[name])
    assert Traces("07").below([tmp_path]) == [tmp_path / name]


def test_it_is_not_mistaken_for_a_session_a_number_or_somebody_else(tmp_path: Path) -> None:
    for name, content in PASSED.items():
        (tmp_path / name).write_bytes(content)
    assert Traces("07").below([tmp_path]) == []


@pytest.mark.parametrize("label", ["7", "F7"])
def test_a_label_that_reads_like_a_number_or_an_electrode_is_a_person_only_where_people_stand(
    label: str, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"x": [label], "per_sensor": {label: 1}, "counts": {label: 2}}))
    (tmp_path / "b.tsv").write_text(f"trial\tchannel\n{label}\t{label}\n", encoding="utf-8")
    assert Traces(label).below([tmp_path]) == []
    (tmp_path / "c.json").write_text(json.dumps({"participants": [label]}))
    (tmp_path / "d.tsv").write_text(f"participant_id\n{label}\n", encoding="utf-8")
    assert [path.name for path in Traces(label).below([tmp_path])] == ["c.json", "d.tsv"]


def test_the_own_search_tells_labels_apart_that_begin_alike() -> None:
    short = pattern("1")
    assert short.search(b"sub-1_ses") and short.search(b'{"participant": "1"}')
    assert not short.search(b"sub-10_ses-1") and not short.search(b'{"participant": "10"}')
