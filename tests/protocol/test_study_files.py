"""A study and its clips, checked against each other."""

import json
import shutil
from pathlib import Path

import pytest

from protocol.estimate import EEG_B_S, estimate
from protocol.examine import examine
from protocol.presets import Sizes, preset
from protocol.scaffold import NewStudyError, scaffold
from protocol.schedule import plan
from protocol.study import Study, StudyError
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


@pytest.mark.parametrize(
    ("name", "trials", "minutes", "extras"),
    [("demo", 12, (4, 7), 0), ("paper", 12, (15, 20), 2), ("seed-iv", 24, (60, 80), 2), ("deap", 40, (60, 75), 2)],
)
def test_each_preset_is_as_long_as_what_it_copies(
    tmp_path: Path, name: str, trials: int, minutes: tuple[int, int], extras: int
) -> None:
    files = scaffold(tmp_path / name, name, Sizes(), None)
    size = estimate(files.study, files.entries)
    assert size.n_trials == trials
    assert minutes[0] <= size.length_s / 60 <= minutes[1]
    clips = [e for e in files.entries if e.target in files.study.emotions]
    assert (len(files.entries) - len(clips), {e.sha256 for e in clips}) == (extras, {"0" * 64})
    assert all((tmp_path / name / "clips" / f"{e.stim_id}.mp4") == e.file and not e.file.exists() for e in files.entries)
    assert len(plan(files.study, files.entries, "01")) == trials


def test_the_presets_are_what_they_say() -> None:
    paper, seed, deap = (preset(name, Sizes(language="vi"))[1] for name in ("paper", "seed-iv", "deap"))
    assert [e.as_ for e in paper.emotions.values()] == ["clip", "clip", "clip", "rest"]
    assert (paper.sync.onset_skip, paper.contact_quality.threshold, paper.design.order) == (2.0, 0.8, "latin-square")
    assert (seed.timing.hint, seed.timing.rating, seed.timing.rest, seed.stimuli.clips_per_emotion) == (5, 45, 15, 6)
    assert (deap.timing.baseline, deap.timing.fixation, set(deap.ratings.sam)) == (
        120, 5, {"valence", "arousal", "dominance", "liking"},
    )  # fmt: skip
    assert all(s.study.language == "vi" and s.stimuli.mood_repair and s.practice.clips for s in (paper, seed, deap))
    assert all("động kinh" in s.form.screening[0] for s in (paper, seed, deap))


def test_a_preset_with_clips_that_are_drawn_is_ready_to_run(tmp_path: Path) -> None:
    files = scaffold(tmp_path / "paper", "paper", Sizes(1, (320, 240), 10.0), Form(1.0, (64, 64), 30.0))
    assert [e.stim_id for e in files.entries] == ["happiness01", "sadness01", "fear01", "practice01", "mood01"]
    assert all(e.redistributable for e in files.entries)
    report = examine(tmp_path / "paper", participants=4)
    assert report.findings == ()
    assert report.balance and report.balance.places.fewest == report.balance.places.most == 1
    assert [text.partition(": ")[2][:20] for text in report.warnings] == ["stimuli.clips_per_em", "emotions.neutral: as"]


def test_a_study_finds_its_schema_beside_it(study: Path) -> None:
    assert (study / "study.toml").read_text(encoding="utf-8").startswith("#:schema study.schema.json\n")
    schema = json.loads((study / "study.schema.json").read_text(encoding="utf-8"))
    assert schema == Study.model_json_schema()
    assert "break" in schema["$defs"]["Timing"]["properties"] and "as" in schema["$defs"]["Emotion"]["properties"]


CASES = [
    ("study.toml", "[design]", "[practice]\nclips = ['p1']\n[design]", "practice.clips = 'p1': is no stim_id of clips.tsv"),
    ("study.toml", "[stimuli]", "[stimuli]\nmood_repair = 'm'", "stimuli.mood_repair = 'm': is no stim_id of clips.tsv"),
    ("study.toml", "[stimuli]", "[stimuli]\nmood_repair = 'fear01'", "emotions.fear: no clip of clips.tsv has this target"),
    ("study.toml", '"#7F7F7F" }', '"#7F7F7F", as = "rest" }', "line 5: target = 'neutral': the study shows rest for it"),
    ("study.toml", "[consent]", "[consent]\nsheet = 'sheet.pdf'", "consent.sheet = 'sheet.pdf': no such file"),
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
