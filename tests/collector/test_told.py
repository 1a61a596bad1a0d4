"""What emo-run says of the report: asked in a process of its own, and no harm when it says nothing."""

from pathlib import Path

from collector import told
from collector.crew import Outcome
from collector.launch import lines
from collector.verdict import judge, reported
from protocol.folder import Run
from tests.bids_export import lab


def test_a_run_that_ended_is_reported_on_with_what_to_repeat(tmp_path: Path) -> None:
    truth = lab.Truth(duration_s=18.0, fps=0, lost=((1600, 500),))  # most of the first clip's EEG
    run = lab.record(tmp_path / "data", truth)
    said = told.report(run)
    assert said is not None
    assert said.repeat == (1,)
    assert Path(said.page).parent == tmp_path / "data" / "reports"
    verdict = reported(judge(run, Outcome("complete")), said)
    assert verdict.repeat == (1,)
    assert any(line.startswith("look at: 500 samples") for line in lines(verdict))
    assert lines(verdict)[-1] == f"report: {said.page}"


def test_a_report_that_cannot_be_made_is_no_fault(tmp_path: Path, caplog) -> None:
    assert told.report(Run(tmp_path, "01", "01", "01", "emotion")) is None
    assert "the report says nothing" in caplog.text
