"""A study and its clips, checked against each other."""

import shutil
from pathlib import Path

import pytest

from protocol.estimate import EEG_B_S, estimate
from protocol.examine import examine
from protocol.presets import Sizes, preset
from protocol.scaffold import NewStudyError, scaffold
from protocol.study import StudyError
from protocol.study_files import load_study
from stimuli.manifest import ManifestError
from stimuli.synthetic import Form

SIZES = Sizes(clips_per_emotion=1, camera_px=(320, 240), camera_fps=10)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "demo"
    scaffold(folder, "demo", SIZES, Form(1.0, (64, 64), 30))
    return folder


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "demo"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_new_study_is_a_good_study(study: Path) -> None:
    files = load_study(study)
    assert files.path == study / "study.toml"
    assert [e.stim_id for e in files.entries] == ["happiness01", "sadness01", "fear01", "neutral01"]
    clip = files.clips["fear01"]
    assert (clip.path, clip.target, clip.start_s, clip.stop_s) == (study / "clips" / "fear01.mp4", "fear", 0.0, 1.0)
    assert files.study.camera is not None
    assert (files.study.camera.size_px, files.study.camera.fps) == ((320, 240), 10.0)
    report = examine(study)
    assert report.findings == ()
    assert [c.facts.n_frames for c in report.clips if c.facts] == [30, 30, 30, 30]


def test_nothing_is_ever_written_over(study: Path) -> None:
    before = sorted(study.rglob("*"))
    with pytest.raises(NewStudyError, match="is not empty"):
        scaffold(study, "demo", SIZES, Form(1.0, (64, 64), 30))
    with pytest.raises(NewStudyError, match="is a file"):
        scaffold(study / "study.toml", "demo", SIZES, Form(1.0, (64, 64), 30))
    assert sorted(study.rglob("*")) == before


def test_the_demo_preset_is_what_it_says() -> None:
    _, demo = preset("demo", Sizes())
    assert list(demo.emotions) == ["happiness", "sadness", "fear", "neutral"]
    assert demo.stimuli.clips_per_emotion == 3
    assert len(demo.eeg.exclude) == 4
    _, paced = preset("demo", Sizes(camera_fps=29.97))
    assert paced.camera is not None
    assert paced.camera.fps == 29.97


CASES = [
    ("study.toml", "[design]", "[design]\nsede = 3", "study.toml: design.sede: unknown key"),
    ("study.toml", "clips_per_emotion = 1", "clips_per_emotion = 2", "stimuli.clips_per_emotion = 2: 1 clip of clips.tsv has"),
    ("study.toml", "neutral = {", "awe = {", "clips.tsv, line 5: target = 'neutral': the study's emotions are"),
    ("study.toml", "[stimuli]", '\nawe = { hed = "Awed", color = "#000000" }\n[stimuli]', "emotions.awe: no clip of clips.tsv"),
    ("study.toml", 'manifest = "clips.tsv"', 'manifest = "c.tsv"', "c.tsv: no such file"),
    ("clips.tsv", "\tfear\t", "\tanger\t", "clips.tsv, line 4: target = 'anger'"),
    ("clips.tsv", "clips/fear01.mp4", "clips/fear9.mp4", "line 4: file = "),
    ("clips.tsv", "clips/fear01.mp4", "../fear01.mp4", "line 4: file = '../fear01.mp4': leaves the folder"),
    ("clips.tsv", "clips/fear01.mp4", "clips/sadness01.mp4", "line 4: sha256 = "),
    ("clips.tsv", "\tfear01\t", "\tsadness01\t", "line 4: stim_id = 'sadness01': stands twice"),
]


@pytest.mark.parametrize(("file", "old", "new", "said"), CASES)
def test_a_fault_is_one_line_with_file_key_value_and_cure(study: Path, file: str, old: str, new: str, said: str) -> None:
    edit(study / file, old, new)
    with pytest.raises((StudyError, ManifestError)) as refused:
        load_study(study)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_changed_clip_is_noticed_only_where_hashes_are_compared(study: Path) -> None:
    with (study / "clips" / "fear01.mp4").open("ab") as file:
        file.write(b"x")
    load_study(study, hashes=False)
    with pytest.raises(ManifestError, match="line 4: sha256"):
        load_study(study)


def test_a_check_finds_everything_at_once(study: Path) -> None:
    (study / "clips" / "fear01.mp4").unlink()
    (study / "clips" / "sadness01.mp4").write_bytes(b"no film")
    edit(study / "clips.tsv", "\tneutral\t", "\tanger\t")
    edit(study / "clips.tsv", "happiness01\thappiness\t0.0\t1.0", "happiness01\thappiness\t0.0\t4.0")
    findings = examine(study).findings
    said = ["target = 'anger'", "emotions.neutral: no clip", "stop_s = 4", "sha256 = ", "cannot be decoded", "no such file"]
    assert len(findings) == len(said)
    assert all(any(words in finding for finding in findings) for words in said)


def test_length_and_disk_are_estimated_from_what_is_shown(made: Path) -> None:
    files = load_study(made)
    size = estimate(files.study, files.entries)
    # welcome 20, baseline 8, four trials of fixation 1, clip 1, three answers of 4, rest 1, thanks 4; for the sync two pages
    # of 8, six cues of 2.75 and six steps of light of 1.3 on the average
    assert (size.n_trials, size.length_s) == (4, pytest.approx(20 + 8 + 4 * (1 + 1 + 12 + 1) + 4 + 16 + 6 * 2.75 + 6 * 1.3))
    without_camera = estimate(files.study.model_copy(update={"camera": None}), files.entries)
    assert size.disk_B - without_camera.disk_B == pytest.approx(size.length_s * 320 * 240 * 10 * 0.25 / 8)
    assert without_camera.disk_B > size.length_s * EEG_B_S
