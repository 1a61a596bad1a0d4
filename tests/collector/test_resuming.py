"""A run that goes on with another one: what is left, who decides, and what a recorder that died did not live to see."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import resuming
from collector.resuming import Left, ResumeError
from collector.xdf import StreamHeader, Writer, header_xml
from protocol import folder, resume
from protocol.folder import Run, Session
from protocol.journal import Journal
from protocol.markers import STREAM_NAME, STREAM_TYPE
from protocol.ports import Stopped
from protocol.resume import Earlier
from protocol.schedule import Trial
from tests.protocol.session_lab import RECORD, Lab, whole

TRIALS = tuple(Trial(n, 1, f"clip{n}", "fear") for n in range(1, 5))


def a_run(data: Path, *, ends: dict[int, str], uid: str = "u1", resumes: str | None = None, replaces: str | None = None) -> Run:
    """Make a run whose trials ended so; ``none`` is a clip that a crash left open."""
    run = folder.create(data, participant="07", session="01", task="emotion")
    record = RECORD.model_copy(update={"run": run.run, "uid": uid, "resumes": resumes, "replaces": replaces})
    record.save(run.session_json)
    with Journal(run.journal("window"), now=lambda: 1.0) as journal:
        for trial, end in ends.items():
            keys = f"trial={trial} block=1 stim_id=clip{trial} target=fear"
            journal.write("state", "clip", {"trial": str(trial), "step": f"trial/{trial}", "attempt": 1})
            if end != "none":
                journal.write("note", "marker", {"text": f"clip/offset {keys} end={end}", "t": 1.0})
    return run


def record_markers(run: Run, *texts: str) -> None:
    with Writer(run.xdf, now=lambda: 1.0) as writer:
        writer.add_stream(1, header_xml(StreamHeader(STREAM_NAME, STREAM_TYPE, 1, 0.0, "string", labels=("marker",))))
        writer.samples(1, [float(n) for n in range(len(texts))], [[text] for text in texts])


def left(data: Path) -> Left:
    return resuming.look(data, "07", "01", TRIALS)


def test_what_was_complete_or_left_out_on_purpose_is_not_shown_again(tmp_path: Path) -> None:
    a_run(tmp_path, ends={1: "complete", 2: "skipped", 3: "failed", 4: "interrupted"})
    found = left(tmp_path)
    assert [trial.trial for trial in found.trials] == [3, 4]
    assert found.begun == {1: 1, 2: 1, 3: 1, 4: 1}
    assert str(found) == f"{tmp_path}/sub-07/ses-01/run-01: was not finished (2 of 4 trials are complete)"


def test_runs_that_go_on_with_each_other_are_one_and_another_beginning_is_not(tmp_path: Path) -> None:
    a_run(tmp_path, ends={1: "complete", 2: "none"}, uid="a")
    a_run(tmp_path, ends={2: "complete", 3: "interrupted"}, uid="b", resumes="a")
    assert [trial.trial for trial in left(tmp_path).trials] == [3, 4]
    assert left(tmp_path).begun == {1: 1, 2: 2, 3: 1}
    a_run(tmp_path, ends={1: "complete"}, uid="c")
    assert [trial.trial for trial in left(tmp_path).trials] == [2, 3, 4]
    assert left(tmp_path).begun[1] == 2  # but it was begun twice, and the next attempt says so


def test_a_clip_whose_end_the_recorder_did_not_live_to_see_is_shown_again(tmp_path: Path) -> None:
    run = a_run(tmp_path, ends={1: "complete", 2: "complete"})
    record_markers(run, "clip/offset trial=1 block=1 stim_id=clip1 target=fear end=complete")
    assert [trial.trial for trial in left(tmp_path).trials] == [2, 3, 4]
    run.manifest_json.write_text("{}")  # a recording that was closed has every marker that was sent
    assert [trial.trial for trial in left(tmp_path).trials] == [3, 4]


def test_a_complete_clip_that_was_repeated_and_then_broken_off_is_left(tmp_path: Path) -> None:
    run = a_run(tmp_path, ends={1: "complete"})
    with Journal(run.journal("window"), now=lambda: 2.0) as journal:
        journal.write("state", "clip", {"trial": "1", "step": "trial/1", "attempt": 2})
    assert [trial.trial for trial in left(tmp_path).trials] == [1, 2, 3, 4]
    assert left(tmp_path).begun == {1: 2}


def test_without_runs_nothing_is_left_to_go_on_with(tmp_path: Path) -> None:
    found = left(tmp_path)
    assert (found.open, found.begun, len(found.trials)) == (False, {}, 4)
    assert not resuming.choose(found, None, study_sha256="ab", twin=True, ask=None)
    with pytest.raises(ResumeError, match="no run of this session is unfinished"):
        resuming.choose(found, True, study_sha256="ab", twin=True, ask=None)


@pytest.mark.parametrize("ends", [{}, dict.fromkeys(range(1, 5), "complete")])
def test_nobody_is_asked_after_a_run_that_showed_nothing_or_everything(tmp_path: Path, ends: dict[int, str]) -> None:
    a_run(tmp_path, ends=ends)
    assert not resuming.choose(left(tmp_path), None, study_sha256="ab", twin=True, ask=None)


def test_after_an_unfinished_run_somebody_must_say_how_to_go_on(tmp_path: Path) -> None:
    a_run(tmp_path, ends={1: "complete", 2: "none"})
    found = left(tmp_path)
    with pytest.raises(ResumeError, match=r"1 of 4 trials are complete\); go on with the rest: --resume; .* --anew"):
        resuming.choose(found, None, study_sha256="ab", twin=True, ask=None)
    for answer in (True, False):
        assert resuming.choose(found, None, study_sha256="ab", twin=True, ask=lambda _, said=answer: said) is answer
    assert resuming.choose(found, True, study_sha256="ab", twin=True, ask=None)
    assert not resuming.choose(found, False, study_sha256="ab", twin=True, ask=None)


@pytest.mark.parametrize(
    ("now", "said"), [({"study_sha256": "cd"}, "the study was changed since"), ({"twin": False}, "simulated")]
)
def test_a_run_is_gone_on_with_as_it_was_begun(tmp_path: Path, now: dict[str, object], said: str) -> None:
    a_run(tmp_path, ends={1: "complete", 2: "none"})
    with pytest.raises(ResumeError, match=said):
        resuming.choose(left(tmp_path), True, **{"study_sha256": "ab", "twin": True, "ask": None, **now})  # type: ignore[arg-type]


# ---- clips that are shown once more


def again(data: Path, *wanted: int, **now: object) -> Left:
    return resuming.repeat(left(data), wanted, TRIALS, **{"study_sha256": "ab", "twin": True, **now})  # type: ignore[arg-type]


def test_clips_of_a_complete_session_are_shown_once_more_by_a_run_that_goes_on_with_it(tmp_path: Path) -> None:
    a_run(tmp_path, ends=dict.fromkeys(range(1, 5), "complete"))
    found = again(tmp_path, 2, 4)
    assert ([trial.trial for trial in found.trials], found.again, found.begun[4]) == ([2, 4], (2, 4), 1)


def test_what_is_left_of_a_session_is_shown_with_them(tmp_path: Path) -> None:
    a_run(tmp_path, ends={1: "complete", 2: "complete", 3: "interrupted"})
    found = again(tmp_path, 1, 3)
    assert ([trial.trial for trial in found.trials], found.again) == ([1, 3, 4], (1,))


@pytest.mark.parametrize(
    ("ends", "is_left"), [({2: "complete", 4: "none"}, [4]), ({}, [2, 4]), ({2: "skipped", 4: "complete"}, [])]
)
def test_the_run_that_was_to_show_them_again_answers_for_them(tmp_path: Path, ends: dict[int, str], is_left: list[int]) -> None:
    a_run(tmp_path, ends=dict.fromkeys(range(1, 5), "complete"), uid="a")
    run = a_run(tmp_path, ends=ends, uid="b", resumes="a")
    Session.load(run.session_json).model_copy(update={"trials": (2, 4)}).save(run.session_json)
    assert [trial.trial for trial in left(tmp_path).trials] == is_left
    assert left(tmp_path).open is bool(is_left)


@pytest.mark.parametrize(
    ("wanted", "now", "said"),
    [
        ((5,), {}, "--repeat = 5: the session has the trials 1 to 4"),
        ((2,), {"study_sha256": "cd"}, "the study was changed since"),
        ((2,), {"twin": False}, "is simulated; go on with --twin"),
    ],
)
def test_what_cannot_be_shown_again_is_refused(
    tmp_path: Path, wanted: tuple[int, ...], now: dict[str, object], said: str
) -> None:
    with pytest.raises(ResumeError, match="nothing of this session was recorded"):
        again(tmp_path, *wanted)
    a_run(tmp_path, ends={1: "complete"})
    with pytest.raises(ResumeError, match=said):
        again(tmp_path, *wanted, **now)


@pytest.mark.parametrize("text", ["", "3,", "three", "3;5", "1.5"])
def test_clips_are_named_by_their_numbers(text: str) -> None:
    assert resuming.numbers(" 5,3, 5") == (3, 5)
    with pytest.raises(ResumeError, match="name clips by their numbers"):
        resuming.numbers(text)


def test_a_replacement_of_a_replacement_has_the_first_one_s_order(tmp_path: Path) -> None:
    for label, replaces in (("04", None), ("16", "04"), ("17", "16")):
        run = folder.create(tmp_path, participant=label, session="01", task="emotion")
        RECORD.model_copy(update={"participant": label, "replaces": replaces}).save(run.session_json)
    assert [resuming.origin(tmp_path, label) for label in ("17", "16", "04", "99")] == ["04", "04", "04", "99"]


def test_an_aborted_session_and_the_run_that_goes_on_with_it_make_one_whole(tmp_path: Path) -> None:
    """The real states before and after: every trial is complete once, and what was begun twice says so."""
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    first = whole(tmp_path / "first", at={("rest/neutral", 1): Stopped("collector lost")})
    assert first.run().end == "aborted"
    came_to = resume.earlier("u1", None, first.journal)
    trials = resume.left(first.plan, [came_to])
    assert [trial.trial for trial in trials] == [2, 3]
    record = RECORD.model_copy(update={"resumes": "u1", "run": "02", "uid": "u2"})
    second = Lab(tmp_path / "second", first.study, trials, record=record, before=resume.begun([came_to]))
    assert second.run().end == "complete"
    rows = [(row.run, row.trial, row.attempt, row.end) for row in (*first.rows, *second.rows)]
    assert rows == [
        ("01", 1, 1, "complete"), ("01", 2, 1, "interrupted"), ("02", 2, 2, "complete"), ("02", 3, 1, "complete"),
    ]  # fmt: skip


@given(st.lists(st.dictionaries(st.integers(1, 4), st.sampled_from(["complete", "interrupted", "none"])), max_size=5))
def test_however_often_a_session_is_broken_off_each_trial_is_left_until_it_is_complete(runs: list[dict[int, str]]) -> None:
    came_to: list[Earlier] = []
    done: set[int] = set()
    for n, ends in enumerate(runs):
        open_now = [trial.trial for trial in resume.left(TRIALS, came_to)]
        assert open_now == [trial for trial in range(1, 5) if trial not in done]
        shown = {trial: end for trial, end in ends.items() if trial in open_now}
        done |= {trial for trial, end in shown.items() if end == "complete"}
        complete = frozenset(trial for trial, end in shown.items() if end == "complete")
        came_to.append(Earlier(str(n), str(n - 1) if n else None, dict.fromkeys(shown, 1), complete))
    assert sum(resume.begun(came_to).values()) == sum(len(run.begun) for run in came_to)
