"""A group: who is in, who is out and why; scores beside chance; a valid derivative."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bids_export import dataset, tables, validate
from bids_export.report import from_bids, group, group_figures, group_page, measures, output, scores
from bids_export.report.facts import ReportError
from bids_export.report.group import Group
from protocol.folder import Person
from tests.bids_export import lab
from tests.bids_export.test_report_pages import requests_of

PEOPLE = (  # label, overall, person
    ("01", 95.0, Person(age_y=25, sex="M", hair="short", handedness="R")),
    ("02", 79.99, Person(age_y=31, sex="F", hair="thick", handedness="L")),
    ("03", 80.0, Person(age_y=22, sex="F", hair="thick", handedness="R")),
    ("04", 20.0, Person(age_y=40, sex="F", hair="thick", handedness="R")),
)
SCORE = {
    "modality": "eeg", "model": "map_cnn", "split": "leave-one-subject-out", "leaky": False, "labels": "target",
    "accuracy": 0.5, "balanced_accuracy": 0.5, "precision": 0.5, "recall": 0.5, "f1_macro": 0.48, "chance": 0.25,
    "ci_low": 0.4, "ci_high": 0.6, "p_permutation": 0.01, "n_test": 24, "n_trials": 24, "n_participants": 2,
    "features": "pool96", "shares": ["stimulus"], "seed": 1, "data_sha256": "0" * 64,
}  # fmt: skip
LEAKY = {**SCORE, "split": "window-random", "leaky": True, "accuracy": 0.9, "ci_low": None, "ci_high": None}
# the smallest PNG: one grey pixel
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("group")
    for label, overall, person in PEOPLE:
        lab.record(folder / "data", lab.Truth(overall=overall), lab.Who(participant=label, simulated=True, person=person))
    return dataset.export(folder / "data", folder / "bids", dataset.Options(simulated=True)).root


@pytest.fixture(scope="module")
def bids(root: Path) -> from_bids.Dataset:
    return from_bids.Dataset(root)


@pytest.fixture(scope="module")
def reports(bids: from_bids.Dataset) -> Path:
    """Pages of the participants, in a derivative."""
    out = bids.root / "derivatives" / "emolab-report"
    output.prepare(out, bids)
    for vhdr in bids.recordings:
        facts = from_bids.load(bids, vhdr)
        output.write(out, facts, measures.measure(facts))
    return out


@pytest.fixture(scope="module")
def found(bids: from_bids.Dataset, reports: Path) -> Group:
    return group.gather(bids, reports, validate.validate(bids.root))


def test_a_group_whose_events_were_moved_in_some_recordings_alone_is_told(found: Group, tmp_path: Path) -> None:
    root = tmp_path / "bids"
    for label, shift in (("01", 0.25), ("03", None)):
        (scans := root / f"sub-{label}" / "ses-01" / f"sub-{label}_ses-01_scans.tsv").parent.mkdir(parents=True)
        tables.write_tsv(scans, ("filename", "eeg_shift"), [{"filename": "eeg/a_eeg.vhdr", "eeg_shift": shift}])
    said = group_page.write(tmp_path, replace(found, root=root)).read_text(encoding="utf-8")
    assert "events of 1 of 2 recordings were moved against the EEG" in said
    assert "were moved against the EEG" not in group_page.write(tmp_path, found).read_text(encoding="utf-8")


def test_who_is_in_and_who_is_out_and_why(found: Group) -> None:
    states = {person.label: (person.state, person.reason) for person in found.people}
    assert states == {
        "01": ("kept", ""),
        "02": ("left out", "contact quality 79.99% is below 80.00%"),
        "03": ("kept", ""),
        "04": ("left out", "contact quality 20.00% is below 80.00%"),
    }
    assert found.valid.startswith("valid: 0 errors")


def test_exclusion_is_counted_by_sex_and_hair(found: Group) -> None:
    assert group.by_trait(found.people, "sex") == {"F": (1, 3), "M": (1, 1)}
    assert group.by_trait(found.people, "hair") == {"thick": (1, 3), "short": (1, 1)}
    assert group.by_trait(found.people, "cap_size") == {}


def test_the_measures_of_the_recordings_are_in_the_groups_table(found: Group, reports: Path) -> None:
    group_page.write(reports, found)
    rows = from_bids.read_tsv(reports / "group_report.tsv")
    assert list(rows[0]) == list(group.COLUMNS)
    assert [(r["participant_id"], r["included"], r["recordings"], r["samples_not_measured"]) for r in rows] == [
        ("sub-01", "yes", "1", "0"), ("sub-02", "no", "0", "n/a"), ("sub-03", "yes", "1", "0"), ("sub-04", "no", "0", "n/a"),
    ]  # fmt: skip
    assert rows[1]["exclusion_reason"] == "contact quality 79.99% is below 80.00%"


def test_the_page_links_the_pages_that_exist_and_asks_for_nothing(found: Group, reports: Path) -> None:
    html = group_page.write(reports, found).read_text(encoding="utf-8")
    for label in ("01", "03"):
        assert f'<a href="sub-{label}_ses-01_task-emotion_run-01_report.html">ses-01 run-01</a>' in html
    assert 'href="sub-02' not in html
    assert "2 of 4 participants are kept" in html
    assert 'class="emo-simulated"' in html
    assert requests_of(html) == []


def test_the_reports_are_a_valid_derivative_and_the_dataset_stays_valid(found: Group, reports: Path, root: Path) -> None:
    group_page.write(reports, found)
    for folder in (reports, root):
        assert [issue.code for issue in validate.validate(folder).errors] == []
    about = tables.read_json(reports / "dataset_description.json")
    assert (about["DatasetType"], about["Simulated"], about["DatasetLinks"]) == ("derivative", True, {"raw": "../.."})


def test_honest_scores_come_first_and_leaky_ones_are_marked(found: Group, root: Path, tmp_path: Path) -> None:
    trained = scored(root, [LEAKY, SCORE])
    assert [score.split for score in trained.scores] == ["leave-one-subject-out", "window-random"]
    html = group_page.write(tmp_path, trained).read_text(encoding="utf-8")
    assert "window-random (leaky)" in html
    assert html.index("leave-one-subject-out</td>") < html.index("window-random (leaky)</td>")
    assert html.count("data:image/png;base64,") >= 1
    assert 'alt="Confusion matrix: eeg, pool96, leave-one-subject-out"' in html
    assert group.record(trained)["scores"][0]["chance"] == 0.25


def scored(root: Path, rows: list[dict[str, object]]) -> Group:
    """Put metrics and one confusion matrix where emo-train puts them."""
    folder = root / "derivatives" / "emolab"
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps(rows), encoding="utf-8")
    (folder / "figures" / "eeg_pool96_leave-one-subject-out.png").write_bytes(PIXEL)
    bids = from_bids.Dataset(root)
    return group.gather(bids, root / "derivatives" / "emolab-report", validate.Verdict((), "0"))


def test_the_scores_file_of_the_models_room_is_the_one_that_is_read(tmp_path: Path) -> None:
    evaluate = pytest.importorskip("models.evaluate")
    folder = tmp_path / "derivatives" / "emolab"
    folder.mkdir(parents=True)
    evaluate.save_rows(folder / "metrics.json", [evaluate.MetricsRow(**{**LEAKY, "shares": ("trial",)})])
    [score] = scores.load(tmp_path)
    assert (score.accuracy, score.leaky, score.interval) == (0.9, True, "–")


def test_without_scores_there_are_none(tmp_path: Path) -> None:
    assert scores.load(tmp_path) == ()


def test_a_damaged_scores_file_is_named_with_its_key(tmp_path: Path) -> None:
    folder = tmp_path / "derivatives" / "emolab"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps([{**SCORE, "accuracy": "high"}]), encoding="utf-8")
    with pytest.raises(ReportError, match=r"metrics\.json: 0\.accuracy: .*emo-train"):
        scores.load(tmp_path)


def test_kept_and_left_out_differ_in_shape(found: Group) -> None:
    markers = {line.get_marker() for line in group_figures.who_is_in(found).axes[0].lines}
    assert {"o", "X"} <= markers


@pytest.mark.parametrize("where", ["root", "stranger", "file"])
def test_reports_go_nowhere_where_something_else_lies(bids: from_bids.Dataset, tmp_path: Path, where: str) -> None:
    stranger = tmp_path / "mine"
    stranger.mkdir()
    (stranger / "thesis.docx").touch()
    out = {"root": bids.root, "stranger": stranger, "file": stranger / "thesis.docx"}[where]
    with pytest.raises(ReportError):
        output.prepare(out, bids)
    assert [p.name for p in stranger.iterdir()] == ["thesis.docx"]


def test_a_derivative_of_ours_keeps_its_description(bids: from_bids.Dataset, tmp_path: Path) -> None:
    about = {"Name": "labels", "DatasetType": "derivative", "GeneratedBy": [{"Name": "emolab"}]}
    tables.write_json(tmp_path / "dataset_description.json", about)
    (tmp_path / ".bidsignore").write_text("models\n", encoding="utf-8")
    output.prepare(tmp_path, bids)
    output.prepare(tmp_path, bids)
    assert tables.read_json(tmp_path / "dataset_description.json") == about
    assert (tmp_path / ".bidsignore").read_text(encoding="utf-8").split() == ["models", *output.IGNORED]


def test_a_dataset_that_we_did_not_make_is_refused_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"participants\.tsv: is missing"):
        from_bids.select(from_bids.Dataset(tmp_path), ())
    (tmp_path / "participants.tsv").write_text("participant_id\nsub-01\n", encoding="utf-8")
    with pytest.raises(ReportError, match="no column 'included'"):
        from_bids.select(from_bids.Dataset(tmp_path), ())


def test_an_unknown_participant_is_named_with_those_there_are(bids: from_bids.Dataset) -> None:
    with pytest.raises(ReportError, match=r"'09'.* it has 01, 02, 03, 04"):
        from_bids.select(bids, ("09",))
    assert [p.name.split("_")[0] for p in from_bids.select(bids, ("03",))] == ["sub-03"]
