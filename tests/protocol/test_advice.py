"""Warnings, and the balance of many schedules."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.advice import warnings
from protocol.balance import Span, balance, labels, plans
from protocol.schedule import Trial
from protocol.study import Study
from stimuli.decode import Facts
from stimuli.manifest import Entry

PATH = Path("study.toml")


def a_study(clips: int = 3, **tables: object) -> Study:
    emotions = {name: {"hed": "Sad", "color": "#000000"} for name in ("fear", "joy")}
    stimuli = {"clips_per_emotion": clips}
    return Study.model_validate(
        {"study": {"name": "s"}, "emotions": emotions, "stimuli": stimuli, "consent": {"version": "1"}} | tables
    )


def a_clip(target: str, n: int = 1, **facts: object) -> tuple[Entry, Facts]:
    name = f"{target}{n}"
    entry = Entry(Path(f"/{name}.mp4"), name, target, 0.0, 6.0, "0" * 64, where=f"clips.tsv, line {n + 1}")
    return entry, Facts(**{"fps": 30.0, "n_frames": 180, "lufs": -23.0, "sound_s": 6.0} | facts)  # type: ignore[arg-type]


def test_a_good_study_is_not_nagged() -> None:
    assert warnings(a_study(), [a_clip("fear"), a_clip("joy")], path=PATH) == []


@pytest.mark.parametrize(("louder", "n"), [(2.9, 0), (3.0, 0), (3.1, 1)])
def test_emotions_that_differ_by_more_than_3_lu_are_told(louder: float, n: int) -> None:
    clips = [a_clip("fear", 1, lufs=-24.0), a_clip("fear", 2, lufs=-22.0), a_clip("joy", 1, lufs=-23.0 + louder)]
    found = warnings(a_study(), clips, path=PATH)
    assert len(found) == n
    assert all("clips of joy are 3.1 LU louder than those of fear (-19.9 and -23.0 LUFS)" in text for text in found)


def test_loudness_of_practice_and_mood_does_not_count() -> None:
    clips = [a_clip("fear"), a_clip("joy"), a_clip("practice", lufs=-5.0), a_clip("mood_repair", lufs=None)]
    assert warnings(a_study(), clips, path=PATH) == []


def test_silence_beside_sound_is_told_and_silence_alone_is_not() -> None:
    silent = {"lufs": None, "sound_s": None}
    (text,) = warnings(a_study(), [a_clip("fear"), a_clip("joy", 1, **silent), a_clip("joy", 2, **silent)], path=PATH)
    assert "2 clips of joy are silent and others are not" in text
    assert warnings(a_study(), [a_clip("fear", **silent), a_clip("joy", **silent)], path=PATH) == []


@pytest.mark.parametrize(
    ("flashes", "safety", "n"),
    [(3, {}, 0), (4, {}, 1), (4, {"flashing": True}, 0), (4, {"max_flashes": 5}, 0), (1, {"max_flashes": 0}, 1)],
)
def test_clips_that_flash_more_than_the_limit_are_told(flashes: int, safety: dict[str, object], n: int) -> None:
    found = warnings(a_study(safety=safety), [a_clip("fear", flashes=flashes), a_clip("joy")], path=PATH)
    assert len(found) == n
    assert all(f"fear1 flashes {flashes} times in a second" in text for text in found)


@pytest.mark.parametrize(("clips", "n"), [(1, 1), (2, 1), (3, 0)])
def test_three_trials_of_each_emotion_are_asked_for(clips: int, n: int) -> None:
    assert len(warnings(a_study(clips), [], path=PATH)) == n


def test_frames_that_the_screen_cannot_show_and_frames_that_are_missing_are_told() -> None:
    found = warnings(a_study(), [a_clip("fear", fps=59.94), a_clip("joy", fps=120.0, gaps=((1.5, 0.2),))], path=PATH)
    assert ["joy1 has 120 frames a second" in found[0], "stands still 1 times, first at 1.5 s" in found[1], len(found)] == [
        True, True, 2,
    ]  # fmt: skip


def test_balance_counts_what_never_happened_too() -> None:
    def trials(targets: str) -> list[Trial]:
        return [Trial(n, 1, f"{target}1", target) for n, target in enumerate(targets, 1)]

    found = balance({"01": trials("abc"), "02": trials("abc"), "03": trials("bca")})
    assert found.places == Span(0, 2, 1.0)
    assert found.follows == Span(0, 3, 1.0)
    assert found.clips == Span(3, 3, 3.0)


def test_participants_are_labelled_as_they_would_be() -> None:
    assert labels(3) == ["01", "02", "03"]
    assert labels(100)[-1] == "100" and labels(100)[0] == "001"
    study = a_study(design={"order": "latin-square"})
    clips = [a_clip(target, n)[0] for target in ("fear", "joy") for n in (1, 2, 3)]
    found = balance(plans(study, clips, 6))
    assert found.places == Span(3, 3, 3.0)
