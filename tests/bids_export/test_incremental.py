"""Exporting into a dataset that is there: what is new is added, everything else is left alone."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bids_export import dataset, place, receipts, survey, validate
from bids_export.place import PlaceError
from bids_export.recording import RecordingError
from bids_export.report import from_bids, from_run, verdict
from protocol.folder import Session
from tests.bids_export.lab import STUDY, Truth, Who, record

TINY = Truth(duration_s=18.0, fps=0, jitter_s=0.0)
POOR = Truth(duration_s=18.0, fps=0, overall=60.0)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the validator say that all is well, but where a test asks it: it takes a second each time."""
    monkeypatch.setattr(dataset.validate, "validate", lambda _: validate.Verdict((), "not asked"))


def official(root: Path) -> tuple[validate.Issue, ...]:
    """Ask the official validator."""
    return _VALIDATE(root).errors


_VALIDATE = validate.validate


def export(tmp_path: Path, *labels: str, include_excluded: bool = False) -> dataset.Export:
    options = dataset.Options(participants=labels, include_excluded=include_excluded)
    return dataset.export(tmp_path / "data", tmp_path / "bids", options)


def state(root: Path) -> dict[str, tuple[bytes, int]]:
    """Return the bytes and the time of every file."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def table(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {next(iter(row.values())): row for row in rows}


def test_a_second_export_of_the_same_recordings_touches_nothing(tmp_path: Path) -> None:
    record(tmp_path / "data", TINY, Who("01"))
    record(tmp_path / "data", POOR, Who("02"))
    assert export(tmp_path).written == ("sub-01_ses-01_task-emotion_run-01",)
    before = state(tmp_path / "bids")
    again = export(tmp_path)
    assert (again.written, again.runs) == ((), ("sub-01_ses-01_task-emotion_run-01",))
    assert state(tmp_path / "bids") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bids", "data"]


def test_a_new_participant_and_a_new_session_are_added_and_no_recording_is_rewritten(tmp_path: Path) -> None:
    record(tmp_path / "data", TINY, Who("01"))
    export(tmp_path)
    before = state(tmp_path / "bids")
    record(tmp_path / "data", TINY, Who("01", session="02"))
    record(tmp_path / "data", TINY, Who("02"))
    assert export(tmp_path).written == ("sub-01_ses-02_task-emotion_run-01", "sub-02_ses-01_task-emotion_run-01")
    after = state(tmp_path / "bids")
    kept = [name for name in before if name.startswith(("sub-01/ses-01/", "sourcedata/sub-01/ses-01/"))]
    assert len(kept) > 10
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert list(table(tmp_path / "bids/participants.tsv")) == ["sub-01", "sub-02"]
    assert list(table(tmp_path / "bids/sub-01/sub-01_sessions.tsv")) == ["ses-01", "ses-02"]
    assert official(tmp_path / "bids") == ()


def test_step_by_step_or_at_once_the_bytes_are_the_same(tmp_path: Path) -> None:
    for label in ("01", "02"):
        record(tmp_path / "data", TINY, Who(label))
        export(tmp_path)
    dataset.export(tmp_path / "data", tmp_path / "at-once", dataset.Options())
    step_by_step, at_once = ({name: data for name, (data, _) in state(tmp_path / root).items()} for root in ("bids", "at-once"))
    assert step_by_step == at_once


def test_the_recordings_of_unchanged_sessions_are_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path / "data", TINY, Who("01"))
    record(tmp_path / "data", POOR, Who("02"))
    export(tmp_path)
    monkeypatch.setattr(survey.sources, "load", lambda run: pytest.fail(f"{run.stem} was read"))
    assert [p.included for p in export(tmp_path).survey.participants] == [True, False]


def test_a_participant_label_adds_that_participant_and_removes_nobody(tmp_path: Path) -> None:
    for label in ("01", "02", "03"):
        record(tmp_path / "data", TINY, Who(label))
    export(tmp_path, "01", "02")
    done = export(tmp_path, "03")
    assert done.written == ("sub-03_ses-01_task-emotion_run-01",)
    assert [path.name for path in sorted((tmp_path / "bids").glob("sub-*"))] == ["sub-01", "sub-02", "sub-03"]
    assert list(table(tmp_path / "bids/participants.tsv")) == ["sub-01", "sub-02", "sub-03"]
    assert done.left == ("sub-01 ses-01", "sub-02 ses-01")


def test_sessions_that_the_data_folder_does_not_have_any_more_stay(tmp_path: Path) -> None:
    first = record(tmp_path / "data", TINY, Who("01"))
    record(tmp_path / "data", TINY, Who("02"))
    export(tmp_path)
    first.path.parents[1].rename(tmp_path / "archive")
    assert export(tmp_path).left == ("sub-01 ses-01",)
    assert list(table(tmp_path / "bids/participants.tsv")) == ["sub-01", "sub-02"]
    assert len(list((tmp_path / "bids").glob("sub-01/ses-01/eeg/*.vhdr"))) == 1


def test_a_second_run_of_a_session_writes_that_session_again_and_keeps_what_people_put_there(tmp_path: Path) -> None:
    record(tmp_path / "data", TINY, Who("01"))
    export(tmp_path)
    theirs = tmp_path / "bids/sub-01/ses-01/anat/sub-01_ses-01_T1w.nii.gz"
    theirs.parent.mkdir()
    theirs.write_bytes(b"years of work")
    record(tmp_path / "data", TINY, Who("01"))
    export(tmp_path)
    assert len(list((tmp_path / "bids").glob("sub-01/ses-01/eeg/*_run-0[12]_eeg.vhdr"))) == 2
    assert theirs.read_bytes() == b"years of work"


@pytest.mark.parametrize("lost", [(), ((1600, 500),)], ids=["broken-off", "repeated"])  # of a session that was complete
def test_a_clip_that_a_resumed_run_shows_again_counts_there_and_the_verdict_asks_for_it_in_neither(
    tmp_path: Path, lost: tuple[tuple[int, int], ...]
) -> None:
    first = record(tmp_path / "data", replace(TINY, lost=lost), Who("01"), end="complete" if lost else "aborted")
    assert verdict.to_repeat(from_run.of_run(first)) == ((1,) if lost else ())
    again = replace(TINY, clips=((6.0, 9.0, "happiness"),))
    uid = Session.load(first.session_json).uid
    record(tmp_path / "data", again, Who("01", resumes=uid))
    record(tmp_path / "data", again, Who("01"))  # one that goes on with nothing repeats nothing
    export(tmp_path)
    ends = {}
    for path in sorted((tmp_path / "bids").rglob("*_events.tsv")):
        with path.open(encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file, delimiter="\t") if row["trial_type"].startswith("clip/")]
        ends[path.name.split("_")[3]] = [(row["trial"], row["end"]) for row in rows]
    assert ends == {
        "run-01": [("1", "repeated"), ("2", "complete")], "run-02": [("1", "complete")], "run-03": [("1", "complete")],
    }  # fmt: skip
    here = from_bids.Dataset(tmp_path / "bids")
    read = [from_bids.load(here, path) for path in here.recordings]
    assert [verdict.to_repeat(facts) for facts in read] == [(), (), ()]
    assert [facts.elsewhere for facts in read] == [{1}, set(), set()]


def test_a_file_that_was_damaged_in_the_dataset_is_made_again(tmp_path: Path) -> None:
    record(tmp_path / "data", TINY, Who("01"))
    export(tmp_path)
    events = next((tmp_path / "bids").rglob("*_events.tsv"))
    whole = events.read_bytes()
    events.write_bytes(whole.replace(b"happiness", b"horror"))
    assert export(tmp_path).written == ("sub-01_ses-01_task-emotion_run-01",)
    assert events.read_bytes() == whole


def test_what_people_put_into_the_dataset_stays(tmp_path: Path) -> None:
    root = tmp_path / "bids"
    record(tmp_path / "data", TINY, Who("01"))
    export(tmp_path)
    theirs = [
        root / name
        for name in ("derivatives/emolab/metrics.json", "stimuli/fear01.mp4", "sourcedata/notes.txt", "code/analysis.py",
                     "sourcedata/sub-01/ses-01/run-01/photo.jpg", "phenotype/panas.tsv")
    ]  # fmt: skip
    for path in theirs:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"mine")
    about = json.loads((root / "dataset_description.json").read_text(encoding="utf-8"))
    (root / "dataset_description.json").write_text(json.dumps(about | {"DatasetDOI": "doi:10.1/x"}), encoding="utf-8")
    (root / "README.md").write_text("My own words, longer than before.", encoding="utf-8")
    people = (root / "participants.tsv").read_text(encoding="utf-8").splitlines()
    (root / "participants.tsv").write_text(f"{people[0]}\tgroup\n{people[1]}\tcontrol\n", encoding="utf-8")
    record(tmp_path / "data", TINY, Who("02"))
    export(tmp_path)
    assert [path.read_bytes() for path in theirs] == [b"mine"] * len(theirs)
    after = json.loads((root / "dataset_description.json").read_text(encoding="utf-8"))
    assert (after["DatasetDOI"], after["Name"]) == ("doi:10.1/x", about["Name"])
    assert (root / "README.md").read_text(encoding="utf-8") == "My own words, longer than before."
    assert {who: row["group"] for who, row in table(root / "participants.tsv").items()} == {
        "sub-01": "control",
        "sub-02": "n/a",
    }


def test_who_was_exported_although_below_the_rule_leaves_again_but_what_people_put_there_stays(tmp_path: Path) -> None:
    root = tmp_path / "bids"
    record(tmp_path / "data", TINY, Who("01"))
    record(tmp_path / "data", POOR, Who("02"))
    assert len(export(tmp_path, include_excluded=True).runs) == 2
    theirs = root / "sub-02/ses-01/notes.txt"
    theirs.write_text("mine", encoding="utf-8")
    assert export(tmp_path).runs == ("sub-01_ses-01_task-emotion_run-01",)
    assert [path.relative_to(root).as_posix() for path in root.rglob("sub-02*") if path.is_file()] == []
    assert theirs.read_text(encoding="utf-8") == "mine"
    assert [p.name for p in (root / "sourcedata/sub-02/ses-01").rglob("*")] == [receipts.FILE]
    assert table(root / "participants.tsv")["sub-02"]["included"] == "no"


def test_another_recording_under_the_same_name_is_refused(tmp_path: Path) -> None:
    record(tmp_path / "data", TINY, Who("01"))
    export(tmp_path)
    before = state(tmp_path / "bids")
    (tmp_path / "data").rename(tmp_path / "first-laboratory")
    record(tmp_path / "data", TINY, Who("01"))
    with pytest.raises(RecordingError, match="another recording under this name"):
        export(tmp_path)
    assert state(tmp_path / "bids") == before


def test_another_study_is_refused_although_the_first_ones_recordings_are_gone(tmp_path: Path) -> None:
    record(tmp_path / "data", TINY, Who("01"))
    export(tmp_path)
    (tmp_path / "data").rename(tmp_path / "archive")
    record(tmp_path / "data", TINY, Who("02"), text=STUDY.replace("Two emotions", "Another"))
    with pytest.raises(RecordingError, match=r"study\.name = 'Another'|study\.name = 'Two emotions'"):
        export(tmp_path)


def test_two_exports_at_once_are_refused(tmp_path: Path) -> None:
    record(tmp_path / "data", TINY, Who("01"))
    with place.staging(tmp_path / "bids"), pytest.raises(PlaceError, match="another export writes to it"):
        export(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_changes_tell_the_days_of_recording_and_not_of_the_export(tmp_path: Path) -> None:
    record(tmp_path / "data", TINY, Who("01"))
    export(tmp_path)
    assert (tmp_path / "bids/CHANGES").read_text(encoding="utf-8") == "1.0.0 2026-09-21\n  - First sessions: sub-01 ses-01.\n"


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('"schema": 1', '"schema": 99', "schema = 99: a later release wrote it"),
        ('"key": ', '"kee": ', "key: Field required; restore it from a copy"),
        ("{", "", r"not JSON .* restore it from a copy"),
    ],
)
def test_what_the_dataset_remembers_and_cannot_be_read_is_refused(tmp_path: Path, old: str, new: str, match: str) -> None:
    for label in ("01", "02"):
        record(tmp_path / "data", TINY, Who(label))
    export(tmp_path)
    receipt = tmp_path / "bids" / receipts.path_of("02", "01")
    receipt.write_text(receipt.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    (tmp_path / "data/sub-02").rename(tmp_path / "archived")
    record(tmp_path / "data", TINY, Who("03"))
    before = state(tmp_path / "bids")
    with pytest.raises(RecordingError, match=match):
        export(tmp_path)
    assert state(tmp_path / "bids") == before


def test_what_a_later_release_adds_to_a_receipt_costs_nobody_their_row(tmp_path: Path) -> None:
    for label in ("01", "02"):
        record(tmp_path / "data", TINY, Who(label))
    export(tmp_path)
    receipt = tmp_path / "bids" / receipts.path_of("02", "01")
    text = receipt.read_text(encoding="utf-8")
    receipt.write_text(text.replace('"schema": 1', '"schema": 1,\n "later": 3', 1), encoding="utf-8")
    (tmp_path / "data/sub-02").rename(tmp_path / "archived")
    record(tmp_path / "data", TINY, Who("03"))
    assert export(tmp_path).left == ("sub-02 ses-01",)
    assert sorted(table(tmp_path / "bids/participants.tsv")) == ["sub-01", "sub-02", "sub-03"]


def test_recordings_in_the_dataset_that_it_does_not_remember_are_refused(tmp_path: Path) -> None:
    for label in ("01", "02"):
        record(tmp_path / "data", TINY, Who(label))
    export(tmp_path)
    (tmp_path / "bids" / receipts.path_of("02", "01")).unlink()
    (tmp_path / "data/sub-02").rename(tmp_path / "archived")
    with pytest.raises(RecordingError, match=r"sub-02.ses-01: no .*export.json tells of it"):
        export(tmp_path)
    (tmp_path / "archived").rename(tmp_path / "data/sub-02")
    assert export(tmp_path).written == ("sub-02_ses-01_task-emotion_run-01",)


def test_quotes_in_what_people_added_are_letters_and_a_row_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    for label in ("01", "02"):
        record(tmp_path / "data", TINY, Who(label))
    export(tmp_path)
    people = tmp_path / "bids/participants.tsv"
    head, first, second = people.read_text(encoding="utf-8").splitlines()
    notes = ('"left early', 'said "x"')
    people.write_text(f"{head}\tnote\n{first}\t{notes[0]}\n{second}\t{notes[1]}\n", encoding="utf-8")
    record(tmp_path / "data", TINY, Who("03"))
    export(tmp_path)
    lines = people.read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[-1] for line in lines] == ["note", *notes, "n/a"]
    people.write_text("\n".join([*lines[:2], lines[2] + "\tmore", *lines[3:]]) + "\n", encoding="utf-8")
    with pytest.raises(RecordingError, match=r"participants.tsv, line 3: \d+ cells, but the header has \d+; mend the line"):
        export(tmp_path)


def test_a_dataset_in_which_only_some_events_were_moved_says_so(tmp_path: Path) -> None:
    text = STUDY.replace("[eeg]", '[eeg]\nphotodiode = "Light"', 1)
    clips = tuple((t, t + 1.7, "happiness") for t in (3.0, 5.9, 9.3, 12.1, 14.7))
    record(tmp_path / "data", replace(TINY, clips=clips, light_s=0.11), Who("01"), text=text)
    assert export(tmp_path).notes == ()
    record(tmp_path / "data", replace(TINY, clips=clips), Who("02"), text=text)
    (said,) = export(tmp_path).notes
    assert said.startswith("events of 1 of 2 recordings were moved against the EEG by the sync certificate")
    shifts = [table(path) for path in sorted((tmp_path / "bids").glob("sub-*/ses-01/*_scans.tsv"))]
    first, second = ({row["eeg_shift"] for row in rows.values()} for rows in shifts)
    assert [float(shift) for shift in first] == pytest.approx([0.11], abs=0.005)
    assert second == {"n/a"}


def test_where_links_are_refused_the_dataset_is_validated_as_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("A required privilege is not held by the client")

    seen: list[str] = []
    told = lambda view: seen.extend(p.name for p in view.rglob("*_eeg.vhdr")) or validate.Verdict((), "")  # noqa: E731
    monkeypatch.setattr(Path, "symlink_to", refuse)
    monkeypatch.setattr(dataset.validate, "validate", told)
    record(tmp_path / "data", TINY, Who("01"))
    export(tmp_path)
    assert seen == ["sub-01_ses-01_task-emotion_run-01_eeg.vhdr"]
