"""``emo-train`` as a command: what it writes, what it refuses, what it says."""

import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
from rich.console import Console

from models import card, cli, dataset, job, scores
from models.bids import BidsError, RecordingFiles, find_recordings, read_table
from models.eeg import inputs
from models.eeg.scalp_map import CHANNELS
from models.evaluate import MetricsRow, load_rows
from models.splits import HEADLINE, SPLITS
from models.windows import Rules
from tests.models import bids_root
from tests.models.face.videos import film
from tests.models.told import Told

EEG = ("--models", "eeg", "--features", "pool96", "--workers", "1", "--splits", "window-random,leave-one-subject-out")


def command(*args: object) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "models", *map(str, args)], capture_output=True, text=True, timeout=280,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bids_root.write_root(tmp_path_factory.mktemp("bids") / "root", participants=["01", "02", "03"])


@pytest.fixture(scope="module")
def trained(root: Path) -> subprocess.CompletedProcess[str]:
    return command(root, *EEG, "--json")


class TestWhatItDoes:
    def test_it_ends_with_0_and_says_in_json_what_the_files_say(
        self, root: Path, trained: subprocess.CompletedProcess[str]
    ) -> None:
        assert trained.returncode == 0, trained.stderr
        told = json.loads(trained.stdout)
        rows = load_rows(root / "derivatives/emolab/metrics.json")
        assert [row["accuracy"] for row in told["metrics"]] == [row.accuracy for row in rows]
        assert {(row.modality, row.split, row.leaky, row.features) for row in rows} == {
            ("eeg", "window-random", True, "pool96"), ("eeg", "leave-one-subject-out", False, "pool96"),
        }  # fmt: skip
        assert told["emotions"] == list(bids_root.EMOTIONS) and told["n_windows"] == 24
        assert all(Path(path).stat().st_size > 0 for path in told["files"])

    def test_what_is_planted_is_found(self, root: Path, trained: subprocess.CompletedProcess[str]) -> None:
        assert trained.returncode == 0
        honest = next(row for row in load_rows(root / "derivatives/emolab/metrics.json") if not row.leaky)
        assert honest.accuracy > 0.6 and honest.p_permutation is not None and honest.p_permutation < 0.01

    def test_it_says_what_is_not_as_in_the_paper(self, trained: subprocess.CompletedProcess[str]) -> None:
        (line,) = trained.stderr.splitlines()
        assert (
            line
            == "eeg: 16 windows to learn from are few (under 1000): preset 'small', learning rate 0.001 instead of the paper's"
        )

    def test_the_labels_of_every_clip_come_from_the_fold_that_left_its_person_out(
        self, root: Path, trained: subprocess.CompletedProcess[str]
    ) -> None:
        assert trained.returncode == 0
        path = root / "derivatives/emolab/sub-02/ses-01/eeg/sub-02_ses-01_task-emotion_run-01_desc-fused_events.tsv"
        header, *lines = (line.split("\t") for line in path.read_text().splitlines())
        rows = [dict(zip(header, line, strict=True)) for line in lines]
        assert len(rows) == 16  # eight clips and their windows
        assert {row["fold"] for row in rows} == {"sub-02"}
        assert {row["split"] for row in rows} == {"leave-one-subject-out"}
        assert {(row["out_of_fold"], row["participant_seen"]) for row in rows} == {("yes", "no")}
        assert {row["face_missing"] for row in rows} == {"yes"}

    def test_kept_models_have_cards(self, root: Path, trained: subprocess.CompletedProcess[str]) -> None:
        assert trained.returncode == 0
        _, made = card.load(root / "derivatives/emolab/models/eeg_pool96.safetensors")
        assert (made.modality, made.n_features, made.n_windows, made.licence) == ("eeg", 96, 24, "CC0")

    def test_running_again_gives_the_same_and_reads_the_features_from_the_cache(
        self, root: Path, trained: subprocess.CompletedProcess[str]
    ) -> None:
        cache = root / "derivatives/emolab/cache"
        before = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
        assert len(before) == 6  # of each recording its features, and how far each window swings
        again = command(root, *EEG)
        assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == before
        assert "LEAKY" in again.stdout and "leave-one-subject-out" in again.stdout
        assert json.loads(trained.stdout)["metrics"] == json.loads((root / "derivatives/emolab/metrics.json").read_text())


def light(root: Path, out: Path, **more: Any) -> tuple[job.Done, list[str]]:
    """Run the job with one nearest neighbour alone, which takes no time."""
    told = Told()
    given = {"models": (), "eeg_models": ("nearest",), "features": ("pool96",), "seed": 1} | more
    return job.run(job.Options(root=root, out=out, **given), told), told.lines


def spoil(files: RecordingFiles, stim_id: str) -> None:
    """Add a swing to one electrode while a stimulus is shown."""
    eeg = mne.io.read_raw(files.eeg, preload=True, verbose="ERROR").get_data() * 1e6
    rows = read_table(files.sibling("_events.tsv"), "onset")
    wave = 3000 * np.sin(2 * np.pi * 8 * np.arange(256) / 256) * np.hanning(256)
    for start in (round((float(row["onset"]) + 1) * bids_root.SFREQ) for row in rows if row["stim_id"] == stim_id):
        eeg[0, start : start + 256] += wave
    bids_root.write_recording(
        files.eeg.parents[3], files.participant, eeg, [{**row, "onset": float(row["onset"])} for row in rows]
    )


class TestWhatTheDataAllow:
    def test_left_to_itself_it_scores_by_every_split_the_headline_among_them(self, root: Path, tmp_path: Path) -> None:
        done, lines = light(root, tmp_path / "out")
        assert [row.split for row in done.rows] == list(SPLITS)
        assert {row.split: row.shares for row in done.rows}[HEADLINE] == ()
        assert lines == [], "nothing is left out, and what has no learning rate is not said to have one"
        assert done.readings == tuple(scores.readings(done.rows)) and "nearest" in done.readings[0]
        assert not (tmp_path / "out/cache/folds").exists()

    def test_what_they_do_not_allow_is_left_out_and_said_with_the_reason(self, tmp_path: Path) -> None:
        root = bids_root.write_root(tmp_path / "root", clips_per_emotion=1)
        done, lines = light(root, tmp_path / "out")
        assert [row.split for row in done.rows] == ["leave-one-subject-out"]
        refused = [line for line in lines if line.startswith("left out: split")]
        assert len(refused) == 5 and sum("trial = class" in line for line in refused) == 4
        assert any("stimulus = class" in line for line in refused)

    def test_what_artefacts_take_away_is_said_too_once_each(self, tmp_path: Path) -> None:
        """The plan allows all splits; then one of two stimuli of fear is spoilt in everybody, by a swing of 3 mV."""
        root = bids_root.write_root(tmp_path / "root", participants=["01", "02"])
        for files in find_recordings(root):
            spoil(files, "fear1")
        done, lines = light(root, tmp_path / "out")
        assert [row.split for row in done.rows] == ["leave-one-subject-out"]
        assert "left out: 2 x fear: artefact of more than 500 uV" in lines
        refused = [line.split(":")[1].removeprefix(" split ") for line in lines if line.startswith("left out: split")]
        assert refused == [name for name in SPLITS if name != "leave-one-subject-out"]
        assert any(line.startswith(f"left out: split {HEADLINE}: 1 stimulus of fear") for line in lines)

    def test_a_split_that_is_named_is_refused_instead(self, tmp_path: Path) -> None:
        root = bids_root.write_root(tmp_path / "root", clips_per_emotion=1)
        with pytest.raises(BidsError, match=r"split leave-trial-out: no participant has two clips .* trial = class"):
            light(root, tmp_path / "out", splits=("leave-trial-out",))
        assert not (tmp_path / "out").exists()

    def test_the_split_that_predicts_a_window_several_times_makes_no_labels(self, root: Path, tmp_path: Path) -> None:
        light(root, tmp_path / "out", splits=("train-one-test-others",))
        assert not list((tmp_path / "out").glob("sub-*")) and (tmp_path / "out/dataset_description.json").exists()

    def test_channels_that_are_broken_or_not_there_are_interpolated_and_said(self, tmp_path: Path) -> None:
        root = bids_root.write_root(tmp_path / "root", participants=["01", "02"])
        rng = np.random.default_rng(0)
        eeg = rng.standard_normal((28, round(40 * bids_root.SFREQ))) * 10
        eeg[CHANNELS.index("Cz")], eeg[CHANNELS.index("P3"), 100:200] = 5.0, np.nan  # flat; not finite
        events = [
            {"onset": 1.0 + 5 * n, "duration": 3.0, "trial_type": f"clip/{emotion}", "trial": n + 1,
             "stim_id": f"{emotion}{n % 2}", "target": emotion, "end": "complete"}
            for n, emotion in enumerate(np.repeat(["fear", "sadness"], 3))
        ]  # fmt: skip
        names = [name for name in CHANNELS if name != "F3"]
        bids_root.write_recording(root, "02", eeg[[CHANNELS.index(name) for name in names]], events, names=names)
        _, lines = light(root, tmp_path / "out", splits=("leave-one-subject-out",))
        assert "sub-02_ses-01_task-emotion_run-01: not recorded, interpolated: F3, Cz, P3" in lines

    def test_when_everything_is_an_artefact_it_is_said_before_anything_is_written(self, root: Path, tmp_path: Path) -> None:
        with pytest.raises(BidsError, match=r"0 windows of 0 emotions are left; .* --artefact-uv \(now 1\)"):
            light(root, tmp_path / "out", rules=Rules(artefact_uv=1.0))
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["cache"]


@pytest.mark.usefixtures("few_epochs")
class TestFacesThatAreMissing:
    """None of these stops the EEG from being learnt, and each is a line."""

    MODELS = ("eeg", "face", "fusion")

    def filmed(self, root: Path, *names: str) -> Path:
        """Give some people a video without anybody in it."""
        for files in find_recordings(root):
            if files.participant in names:
                film(files, [np.full((60, 80, 3), 90, np.uint8)] * 40, np.arange(40.0).tolist())
        return root

    def test_a_dataset_without_a_video_is_learnt_from_by_the_eeg_alone(self, tmp_path: Path) -> None:
        root = bids_root.write_root(tmp_path / "root", participants=["01", "02"], clips_per_emotion=1)
        done, lines = light(root, tmp_path / "out", models=self.MODELS, splits=("leave-one-subject-out",))
        assert "face: no video of a face in 2 recordings whose participants agreed to it: the EEG alone is learnt" in lines
        assert {row.modality for row in done.rows} == {"eeg"}
        assert {path.name for path in (done.out / "models").iterdir()} == {"eeg_pool96.json", "eeg_pool96.safetensors"}

    def test_the_face_alone_is_refused_before_anything_is_computed(self, tmp_path: Path) -> None:
        root = bids_root.write_root(tmp_path / "root", participants=["01", "02"], clips_per_emotion=1)
        told = Told()
        with pytest.raises(BidsError, match=r"--models = face: no video of a face in 2 recordings .*: --models eeg"):
            job.run(job.Options(root=root, out=tmp_path / "out", models=("face",), features=("pool96",)), told)
        assert told.lines == []
        assert not (tmp_path / "out").exists()

    def test_videos_without_a_face_leave_the_eeg(self, tmp_path: Path) -> None:
        root = bids_root.write_root(tmp_path / "root", participants=["01", "02"], clips_per_emotion=1)
        self.filmed(root, "01")
        given: dict[str, Any] = {"splits": ("leave-one-subject-out",), "clips": False}
        done, lines = light(root, tmp_path / "out", models=self.MODELS, **given)
        assert any(line.startswith("sub-01_ses-01_task-emotion_run-01: no face of ") for line in lines)
        assert "face: no face was found in any of 8 windows: the EEG alone is learnt" in lines
        assert {row.modality for row in done.rows} == {"eeg"}
        with pytest.raises(BidsError, match="no face was found in any of 8 windows; look at the videos, or train by the EEG"):
            light(root, tmp_path / "out", models=("face",), **given)


class TestControlsAndLeftovers:
    def test_each_control_is_a_row_beside_the_one_that_it_controls(self, root: Path, tmp_path: Path) -> None:
        done, _ = light(
            root, tmp_path / "out", splits=("leave-one-subject-out",), controls=("below-30-hz", "without-frontal-temporal")
        )
        found = {row.control: row.accuracy for row in done.rows}
        assert list(found) == ["none", "below-30-hz", "without-frontal-temporal"]
        page = (tmp_path / "out/scores.html").read_text()
        assert "Without muscles" in page and "without-frontal-temporal" in page
        line = next(line for line in page.split("Without muscles")[1].split("<tr>") if "leave-one-subject-out" in line)
        assert [f"{found[name]:.1%}" in line for name in found] == [True] * 3
        assert "simulated" not in page

    def test_the_page_says_that_data_are_simulated(self, tmp_path: Path) -> None:
        root = bids_root.write_root(tmp_path / "root", participants=["01", "02"])
        described = json.loads((root / "dataset_description.json").read_text())
        (root / "dataset_description.json").write_text(json.dumps(described | {"Simulated": True}))
        _, lines = light(root, tmp_path / "out", splits=("leave-one-subject-out",))
        assert lines[0] == "simulated data: nothing here says anything about people"
        assert lines[0] in (tmp_path / "out/scores.html").read_text()

    def test_what_an_earlier_run_left_is_gone_and_what_others_wrote_stays(self, root: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        light(root, out, models=("eeg",), eeg_models=(), splits=("leave-one-subject-out",))
        assert {path.name for path in (out / "models").iterdir()} == {"eeg_pool96.json", "eeg_pool96.safetensors"}
        (out / "models/mine.safetensors").write_bytes(b"no card beside it")
        (out / "figures/mine.txt").write_text("a note")
        light(root, out, splits=("leave-one-subject-out",))
        assert [path.name for path in (out / "models").iterdir()] == ["mine.safetensors"]
        assert sorted(path.name for path in (out / "figures").iterdir()) == [
            "eeg-nearest_pool96_leave-one-subject-out.png", "mine.txt",
        ]  # fmt: skip


class TestCache:
    def test_how_much_is_to_be_read_is_said_before_anything_is(self, root: Path, tmp_path: Path) -> None:
        told: list[tuple[int, int]] = []
        dataset.load(find_recordings(root), eeg=["pool96"], cache=tmp_path, progress=lambda *done: told.append(done))
        assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]

    def features(self, root: Path, cache: Path) -> np.ndarray:
        return dataset.load(find_recordings(root), eeg=["pool96"], cache=cache).eeg["pool96"]

    def test_a_damaged_entry_is_computed_again_and_said(
        self, root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = self.features(root, tmp_path)
        entry = min(tmp_path.iterdir())
        whole = entry.read_bytes()
        entry.write_bytes(whole[: len(whole) // 2])
        with caplog.at_level(logging.WARNING):
            np.testing.assert_array_equal(self.features(root, tmp_path), before)
        assert entry.name in caplog.text
        assert len(entry.read_bytes()) == len(whole)

    def test_an_entry_says_whose_it_is(self, root: Path, tmp_path: Path) -> None:
        self.features(root, tmp_path)
        owners = set()
        for path in tmp_path.iterdir():
            with np.load(path) as entry:
                owners.add((str(entry["participant"]), str(entry["session"])))
        assert owners == {("01", "01"), ("02", "01"), ("03", "01")}

    def test_other_data_or_other_code_make_new_entries(
        self, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.features(root, tmp_path)
        monkeypatch.setattr(inputs, "_code", lambda *modules: "another line was changed")
        self.features(root, tmp_path)
        assert len(list(tmp_path.iterdir())) == 12
        monkeypatch.setattr(inputs, "versions", lambda: ("scipy 99",))
        self.features(root, tmp_path)
        assert len(list(tmp_path.iterdir())) == 18
        dataset.load(find_recordings(root), eeg=["pool96"], cache=tmp_path, where="central")
        assert len(list(tmp_path.iterdir())) == 18  # clips of 3 s: the central window is the only one, found again


class TestBadInput:
    """One line, exit 2, nothing written."""

    def refused(self, *args: object) -> str:
        done = command(*args)
        assert done.returncode == 2, done.stderr
        assert done.stdout == ""
        *said, line = done.stderr.splitlines()
        assert all(text.startswith("eeg: ") for text in said)
        return line

    def test_a_folder_that_is_no_dataset(self, tmp_path: Path) -> None:
        assert "is no BIDS root" in self.refused(tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_one_participant_cannot_be_left_out(self, tmp_path: Path) -> None:
        root = bids_root.write_root(tmp_path / "root", participants=["01"])
        assert self.refused(root, *EEG).startswith("split leave-one-subject-out: 1 participant with windows")
        assert not (root / "derivatives").exists()

    def test_no_clip_events(self, tmp_path: Path) -> None:
        root = bids_root.write_root(tmp_path / "root", participants=["01", "02"], clip_s=2.0)
        line = self.refused(root, *EEG)
        assert line.endswith(
            "_events.tsv: trial_type: no window of a complete clip in 2 recordings: no row clip/<emotion> of 3 s"
        )

    @pytest.mark.parametrize(
        ("option", "value", "cure"),
        [
            ("--models", "eeg,ear", "use eeg, face, fusion, .*nearest"),
            ("--controls", "above-30-hz", "use below-30-hz, without-frontal-temporal"),
            ("--looked-away", "maybe", "use keep, leave-out"),
            ("--features", "resnet", "use auto, imagenet, seeded, pool96"),
            ("--splits", "leave-one-out", "use window-random, leave-trial-out, .*, train-one-test-others"),
            ("--windows", "first", "use all, central"),
            ("--labels", "mood", "use target, rating, agreeing"),
        ],
    )
    def test_an_option_that_there_is_not(self, root: Path, option: str, value: str, cure: str) -> None:
        with pytest.raises(cli.OptionError, match=f"{option} = .*{cure}"):
            cli.app(args=[str(root), option, value], standalone_mode=False)

    def test_a_folder_that_somebody_else_made(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").write_text("mine")
        with pytest.raises(BidsError, match="did not make"):
            job.run(job.Options(root=root, out=tmp_path), steps=None)  # type: ignore[arg-type]
        assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]

    def test_weights_that_are_not_here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EMOLAB_WEIGHTS", str(tmp_path))
        with pytest.raises(BidsError, match=r"--features = imagenet.*emo-weights fetch inception_v3"):
            dataset.resolve(["imagenet"])
        assert dataset.resolve(["auto", "pool96"]) == {"seeded": "seeded", "pool96": "pool96"}


def test_the_fusion_is_never_told_without_what_it_is_made_of() -> None:
    assert job.Options(root=Path("bids"), models=("fusion",)).models == ("eeg", "face", "fusion")
    assert job.Options(root=Path("bids"), models=("face",)).models == ("face",)


@pytest.mark.parametrize(("modality", "model"), [("fusion", "pool"), ("eeg", "de-logistic")])
def test_the_widest_table_of_scores_fits_into_80_columns(modality: Any, model: str) -> None:
    widest = MetricsRow(
        modality=modality, model=model, split="window-random", leaky=True, labels="target", accuracy=1.0,
        balanced_accuracy=1.0, precision=1.0, recall=1.0, f1_macro=1.0, chance=0.25, ci_low=1.0, ci_high=1.0,
        p_permutation=0.0002, n_test=12345, n_trials=4115, n_participants=7, features="imagenet",
        shares=("trial", "stimulus", "participant"), seed=1, data_sha256="",
    )  # fmt: skip
    console = Console(width=80, soft_wrap=True, file=io.StringIO())
    with console.capture() as told:
        console.print(cli._table([widest]))
    assert all(len(line) <= 80 for line in told.get().splitlines())
    assert "window-random (LEAKY, too good: both sides share trial, stimulus, participant)" in told.get()
    assert "12345" in told.get() and "100-100 %" in told.get()


def test_help_shows_an_example_and_bad_input_waits_for_no_network() -> None:
    code = "import sys; from models import cli, job; sys.exit('torch' in sys.modules or 'mne' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
    assert "Example: emo-train" in command("--help").stdout
