"""``emo-report``: what it prints, how it ends, and that it changes nothing but its own pages."""

import json
from pathlib import Path

import pytest

from bids_export import cli, dataset, report_cli
from bids_export.report import session_page
from protocol import commands
from protocol.folder import Run, sha256
from tests.bids_export import lab
from tests.bids_export.test_report_pages import requests_of


def emo_report(*args: object) -> int:
    with pytest.raises(SystemExit) as done:
        commands.run(report_cli.app, cli.REPORT_BAD_INPUT, args=[str(arg) for arg in args])
    return int(done.value.code or 0)


def hashes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return lab.record(tmp_path / "data", lab.Truth(fps=0))


def test_a_kept_run_gets_its_page_beside_the_recordings(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    before = hashes(run.path)
    assert emo_report(run.path) == 0
    page = run.data / "reports" / "sub-01_ses-01_task-emotion_run-01_report.html"
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "keep: contact quality 95.00%, at least 80.00% is asked"
    assert said[-1] == str(page)
    assert page.exists() and page.with_suffix(".json").exists()
    assert hashes(run.path) == before


def test_the_verdict_is_said_and_on_its_page_before_the_pictures_are_drawn(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session_page, "write", power_cut)
    emo_report(run.path)
    assert capsys.readouterr().out.startswith("keep: contact quality 95.00%")
    page = run.data / "reports" / "sub-01_ses-01_task-emotion_run-01_report.html"
    text = page.read_text(encoding="utf-8")
    assert "emo-verdict emo-keep" in text and "open this page again" in text and "<svg" not in text
    assert json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["verdict"] == "keep"


def test_an_excluded_run_ends_with_one_and_the_json_is_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = lab.record(tmp_path / "data", lab.Truth(overall=50.0, fps=0))
    assert emo_report(run.path, "--out", tmp_path / "out", "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["verdict"], said["reasons"]) == ("exclude", ["contact quality 50.00% is below 80.00%"])
    page = Path(said.pop("page"))
    assert said.pop("findings_in").keys() == {"vi"}
    assert page.parent == tmp_path / "out"
    assert json.loads(page.with_suffix(".json").read_text(encoding="utf-8")) == said


def test_the_room_answers_to_the_launcher(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        commands.run(cli.app, cli.REPORT_BAD_INPUT, args=["report", str(run.path), "--json"])
    assert done.value.code == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "keep"


def test_participants_then_group(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for label, overall in (("01", 95.0), ("02", 40.0)):
        lab.record(tmp_path / "data", lab.Truth(overall=overall, fps=0), lab.Who(participant=label))
    root = dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options()).root
    out = root / "derivatives" / "emolab-report"
    assert emo_report(root, out, "participant", "--participant-label", "sub-01") == 0
    assert (out / "sub-01_ses-01_task-emotion_run-01_report.html").exists()
    capsys.readouterr()
    assert emo_report(root, out, "group") == 0
    said = capsys.readouterr().out
    assert "2 participants" in said
    assert "1 (contact quality of at least 80%)" in said
    assert "valid: 0 errors" in said
    assert said.splitlines()[-1] == f"report: {out / 'group_report.html'}"
    assert emo_report(root, out, "group", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["recorded"], record["kept"], record["validator"]["errors"]) == (2, 1, 0)


def test_those_whom_the_dataset_leaves_out_have_a_page_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    for label, overall in (("01", 95.0), ("02", 40.0)):
        lab.record(data, lab.Truth(overall=overall, fps=0), lab.Who(participant=label))
    root = dataset.export(data, tmp_path / "bids", dataset.Options()).root
    out, name = root / "derivatives" / "emolab-report", "sub-02_ses-01_task-emotion_run-01_report"
    # of what the export remembers: the rule's verdict, and contact by sensor; nothing that needs the recording
    assert emo_report(root, out, "participant") == 0
    remembered = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
    assert (remembered["verdict"], remembered["reasons"]) == ("exclude", ["contact quality 40.00% is below 80.00%"])
    assert (remembered["source"], remembered["eeg"]) == ("receipt", None)
    assert remembered["contact_quality"]["per_sensor"] == {"Cz": 1.0, "Fz": 1.0, "Oz": 1.0}
    assert remembered["findings"][-1].startswith("the recording was left out of the dataset")
    assert "Contact quality on the head" in (out / f"{name}.html").read_text(encoding="utf-8")
    # of the recording itself, where the data folder is named
    assert emo_report(root, out, "participant", "--data", data) == 0
    whole = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
    assert (whole["verdict"], whole["source"], whole["eeg"]["n_channels"]) == ("exclude", "run", 4)
    # neither a recording's page nor a participant's asks anybody for anything
    assert {path.name: requests_of(path.read_text(encoding="utf-8")) for path in out.glob("sub-*.html")} == {
        **{f"sub-{n}_report.html": [] for n in ("01", "02")},
        **{f"sub-{n}_ses-01_task-emotion_run-01_report.html": [] for n in ("01", "02")},
    }
    page = (out / "sub-02_report.html").read_text(encoding="utf-8")
    assert "emo-verdict emo-exclude" in page
    assert f'href="{name}.html"' in page
    assert not (root / "sub-02").exists()
    assert emo_report(root, out, "group") == 0
    group = (out / "group_report.html").read_text(encoding="utf-8")
    assert requests_of(group) == []
    assert f'href="{name}.html"' in group and 'href="sub-02_report.html"' in group
    assert "sub-02: contact quality 40.00% is below 80.00%" in group
    capsys.readouterr()


def test_another_recording_under_the_name_of_one_that_was_left_out_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    for label, overall in (("01", 95.0), ("02", 40.0)):
        lab.record(tmp_path / "data", lab.Truth(overall=overall, fps=0), lab.Who(participant=label))
    root = dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options()).root
    lab.record(tmp_path / "other", lab.Truth(overall=95.0, fps=0), lab.Who(participant="02"))
    assert emo_report(root, tmp_path / "out", "participant", "--data", tmp_path / "other") == 2
    assert "knows another recording" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_dataset_that_is_not_valid_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab.record(tmp_path / "data", lab.Truth(fps=0))
    root = dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options()).root
    (root / "sub-01" / "ses-01" / "eeg" / "notes.doc").touch()
    assert emo_report(root, tmp_path / "out", "group") == 1
    assert "not valid: " in capsys.readouterr().out


BAD = {
    "no run there": (["nothing"], "no session.json"),
    "a dataset without a place for its reports": (["bids"], "say where to and which level"),
    "a dataset without a level": (["bids", "out"], "which level?"),
    "a dataset with a run's option": (["bids", "out", "group", "--out", "x"], "--out = x: is for a single run"),
    "an unknown level": (["bids", "out", "cohort"], "'cohort' is not one of 'participant', 'group'"),
    "a data folder for a run": (["nothing", "--data", "d"], "--data = d: is for a dataset"),
    "a data folder for the group": (["bids", "out", "group", "--data", "d"], "--data = d: is for participant"),
    "reports in the dataset itself": (["bids", "bids", "group"], "participants.tsv: is missing"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_nothing_is_written(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bids").mkdir()
    (tmp_path / "bids" / "dataset_description.json").write_text("{}", encoding="utf-8")
    before = hashes(tmp_path)
    args, line = BAD[case]
    assert emo_report(*args) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert line in said
    assert hashes(tmp_path) == before


def test_a_report_never_goes_into_the_recording(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    before = hashes(run.path)
    assert emo_report(run.path, "--out", run.path / "report") == 2
    assert "which is never changed" in capsys.readouterr().err
    assert hashes(run.path) == before


def test_a_damaged_recording_is_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.study_toml.write_text("[study]\n", encoding="utf-8")
    assert emo_report(run.path) == 2
    assert capsys.readouterr().err.startswith(str(run.path))
    assert not (run.data / "reports").exists()
