"""What emo-run says of the report: asked in a process of its own, and no harm when it says nothing."""

from pathlib import Path

from collector import phrases, told
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


def test_what_the_report_found_is_said_in_the_language_of_the_study() -> None:
    said = {"repeat": [], "page": "report.html", "findings": ["1 alarm"], "findings_in": {"vi": ["1 báo động"]}}
    told_ = told.read(said)
    assert told_ is not None and told_.findings == ("1 alarm",)
    assert phrases.said(told_.findings[0], "vi") == "1 báo động"
    assert told.read({**said, "findings_in": {"vi": []}}).findings == ("1 alarm",)  # type: ignore[union-attr]
    assert told.read({**said, "findings_in": {"vi": ["1", "2"]}}) is None
    assert told.read({**said, "findings_in": 3}) is None
    assert told.read({key: said[key] for key in ("repeat", "page", "findings")}) == told_


def test_a_report_that_cannot_be_made_is_no_fault(tmp_path: Path, caplog) -> None:
    assert told.report(Run(tmp_path, "01", "01", "01", "emotion")) is None
    assert "the report says nothing" in caplog.text
