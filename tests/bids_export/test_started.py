"""What was overridden before the start, and whether blinks were seen, is repeated by verdict, page and dataset."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bids_export import cli, sources, started
from bids_export.events import Event
from bids_export.recording import RecordingError
from bids_export.report import from_run, measures, session_page
from bids_export.report.facts import Facts, Signals
from bids_export.report.measures import Measures
from bids_export.started import Override, Started
from protocol import commands
from protocol.folder import CHOICE, Run
from protocol.journal import Journal
from tests.bids_export.lab import STUDY, Truth, Who, record
from tests.bids_export.test_export import table
from tests.bids_export.test_report_known import facts
from tests.collector.starts import T0, Start, on_table, worn

WHY = "the strap of Ms Nguyen is too short"
FOUND = {"state": "no_blinks", "n_cues": 12, "n_seen": 1, "alpha": 1.1, "overridden": ""}


def written(run: Run) -> Run:
    with Journal(run.journal("launch"), now=lambda: 0.0) as journal:
        journal.write("note", "override", {"code": "audio/muted", "text": "the sound is muted", "reason": "a silent study"})
        journal.write("note", "contact", {**FOUND, "state": "checking"})
        journal.write("note", "contact", FOUND)
        journal.write("note", "override", {"code": "contact", "text": "contact", "reason": WHY})
        journal.write("note", "contact", {**FOUND, "overridden": WHY})
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    shared = Who(scopes=("eeg", "face", "share", "train"))
    return written(
        record(tmp_path_factory.mktemp("started") / "data", Truth(fps=0), shared, text=f"{STUDY}[sync]\nonset_skip = 2.0\n")
    )


def test_the_launchers_journal_is_read(run: Run) -> None:
    found = started.of_run(run)
    assert found == Started(
        (Override("audio/muted", "the sound is muted", "a silent study"), Override("contact", "contact", WHY)),
        "no_blinks", 12, 1,
    )  # fmt: skip
    assert found.columns() == {"contact_check": "no_blinks", "overrides": "audio/muted+contact"}
    assert started.of_columns({"contact_check": "no_blinks", "overrides": "audio/muted+contact"}).reasons == (
        "no blinks were seen before the first clip", "overridden: audio/muted", "overridden: contact",
    )  # fmt: skip


def test_where_nobody_launched_it_nothing_is_said(tmp_path: Path) -> None:
    lone = record(tmp_path, Truth(fps=0, duration_s=16.0))
    assert started.of_run(lone) == Started()
    assert Started().columns() == {"contact_check": None, "overrides": None}
    assert started.of_columns({"contact_check": "n/a", "overrides": "n/a"}) == Started()


def test_a_journal_that_is_damaged_keeps_nobody_from_a_report(run: Run, tmp_path: Path) -> None:
    lone = record(tmp_path, Truth(fps=0, duration_s=16.0))
    lone.journal("launch").write_bytes(b"not a row\n{}\n")
    assert started.of_run(lone) == Started()


def test_the_verdict_its_json_and_its_page_repeat_it(run: Run, tmp_path: Path) -> None:
    told = from_run.of_run(run)
    measured = measures.measure(told)
    assert measured.verdict == "keep"
    assert measured.reasons[1:] == (
        "no blinks were seen before the first clip", "overridden: the sound is muted (a silent study)",
        f"overridden: contact ({WHY})",
    )  # fmt: skip
    said = measured.model_dump(mode="json")["started"]
    assert (said["contact"], said["n_cues"], [one["code"] for one in said["overrides"]]) == (
        "no_blinks", 12, ["audio/muted", "contact"],
    )  # fmt: skip
    session_page.write_first(tmp_path / "page.html", told, measured)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert WHY in page
    assert "no blinks were seen" in page


def test_the_dataset_has_codes_alone_and_what_is_shared_nothing_that_somebody_typed(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "bids"
    with pytest.raises(SystemExit) as ended:
        commands.run(cli.app, (), args=["export", str(run.path.parents[2]), str(root), "--profile", "shareable", "--json"])
    assert ended.value.code == 0
    (path,) = root.rglob("*_scans.tsv")
    rows = table(path)
    assert {(row["contact_check"], row["overrides"]) for row in rows} == {("no_blinks", "audio/muted+contact")}
    (sidecar,) = root.rglob("*_eeg.json")
    assert json.loads(sidecar.read_text(encoding="utf-8"))["OnsetSkip"] == 2.0  # what models leave out, too
    assert not [p for p in root.rglob("*") if p.is_file() and (b"Nguyen" in p.read_bytes() or b"silent" in p.read_bytes())]


def seen(start: Start, **more: object) -> Measures:
    signals = Signals(
        labels=start.eeg.labels, volts=start.eeg.uv * 1e-6, sfreq=start.eeg.sfreq, sfreq_measured=start.eeg.sfreq, filled=(),
        n_lost=0, analysed=start.eeg.labels, positions={},
    )  # fmt: skip
    events = tuple(Event(onset=t - T0, duration=0.0, trial_type="sync/cue") for t in start.cues)
    told: Facts = replace(facts(np.zeros((12, 256))), signals=signals, events=events, **more)  # type: ignore[arg-type]
    return measures.measure(told)


def test_blinks_that_are_absent_in_the_recording_are_a_finding_without_any_journal() -> None:
    table_ = seen(on_table(2, "white"))
    assert table_.eeg is not None and table_.eeg.worn is not None
    assert (table_.eeg.worn.state, table_.eeg.worn.n_cues) == ("no_blinks", 12)
    said = [finding for finding in table_.findings if "blink" in finding]
    assert said == ["no blinks are to be seen after 12 cues: did somebody wear the cap?"]
    head = seen(worn(2))
    assert head.eeg is not None and head.eeg.worn is not None
    assert head.eeg.worn.state == "ok"
    assert not [finding for finding in head.findings if "blink" in finding]


# ---- what a participant took back


def chose(run: Run, *choices: str) -> Run:
    with Journal(run.journal("launch"), now=lambda: 0.0) as journal:
        for choice in choices:
            journal.write("note", CHOICE, {"choice": choice})
    return run


def test_a_recording_that_the_participant_withdrew_when_it_was_broken_off_is_not_exported(tmp_path: Path) -> None:
    short = Truth(fps=0, duration_s=16.0)
    kept = chose(record(tmp_path / "data", short, end="aborted"), "withdraw", "keep")  # the last word counts
    gone = chose(record(tmp_path / "data", short, Who("02"), end="aborted"), "keep", "withdraw")
    found = sources.find(tmp_path / "data")
    assert found.runs == (kept,)
    assert found.passed_over == (
        "sub-02/ses-01/run-01: not exported: the participant withdrew it when the session was broken off; "
        f"remove it with: emo-withdraw 02 --data {gone.data}",
    )
    chose(kept, "withdraw")
    with pytest.raises(RecordingError, match=r"\(sub-01/ses-01/run-01: not exported: the participant withdrew it"):
        sources.find(tmp_path / "data")
