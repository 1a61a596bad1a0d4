"""emo-export, from session folders to a dataset."""

import csv
import json
import os
import shutil
from pathlib import Path

import mne_bids
import numpy as np
import pytest

from bids_export import cli, dataset, front, validate
from bids_export.report import from_bids
from protocol import commands, folder
from protocol.folder import Manifest, Person
from protocol.presets import Sizes, preset
from stimuli import manifest
from tests.bids_export.lab import STUDY, Truth, Who, record

SHORT = Truth(duration_s=18.0)
FULL, _ = preset("demo", Sizes())


def run(*args: object, capsys) -> tuple[int, str, str]:
    """Run the command and return exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as ended:
        commands.run(cli.export_app, cli.BAD_INPUT, args=[str(arg) for arg in args])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def bids_path(root: Path) -> mne_bids.BIDSPath:
    return mne_bids.BIDSPath(root=root, subject="01", session="01", task="emotion", run="01", datatype="eeg", suffix="eeg")


@pytest.fixture(scope="module")
def lab_data(tmp_path_factory) -> Path:
    """Three participants: kept, below the rule, and without consent to the face."""
    data = tmp_path_factory.mktemp("study") / "data"
    whole = Person(age_y=25, sex="F", handedness="R", head_circumference_cm=56)
    record(data, Truth(duration_s=18.0, lost=((2000, 100),)), Who("01", person=whole), text=FULL)
    record(data, Truth(duration_s=18.0, overall=70.0), Who("02"), text=FULL)
    record(data, SHORT, Who("03", scopes=("eeg", "train"), person=whole), text=FULL)
    return data


@pytest.fixture(scope="module")
def exported(lab_data: Path) -> dataset.Export:
    return dataset.export(lab_data, lab_data.parent / "bids", dataset.Options())


def test_the_demo_study_validates_without_error_or_warning(exported: dataset.Export) -> None:
    assert exported.verdict.issues == ()
    assert exported.unknown == {}
    assert validate.validate(exported.root).issues == ()  # where it lies now, too


def test_a_participant_below_the_rule_is_listed_with_the_reason_and_has_no_folder(exported: dataset.Export) -> None:
    rows = {row["participant_id"]: row for row in table(exported.root / "participants.tsv")}
    assert list(rows["sub-01"]) == list(front.PEOPLE)
    assert (rows["sub-01"]["included"], rows["sub-01"]["contact_quality"]) == ("yes", "0.95")
    assert (rows["sub-02"]["included"], rows["sub-02"]["exclusion_reason"]) == ("no", "contact quality 70.00% is below 80.00%")
    assert (exported.root / "sub-01").is_dir()
    assert not (exported.root / "sub-02").exists()


def test_without_consent_to_the_face_there_is_no_video(exported: dataset.Export) -> None:
    assert list(exported.root.glob("sub-01/**/*_video.mkv"))
    assert list(exported.root.glob("sub-03/**/*_eeg.vhdr"))
    assert not list(exported.root.glob("sub-03/**/beh"))
    rows = {row["participant_id"]: row["consent"] for row in table(exported.root / "participants.tsv")}
    assert (rows["sub-01"], rows["sub-03"]) == ("eeg+face+train", "eeg+train")


def test_the_files_have_their_bids_names(exported: dataset.Export) -> None:
    stem = "sub-01_ses-01_task-emotion_run-01"
    eeg = {path.name for path in (exported.root / "sub-01/ses-01/eeg").iterdir()}
    ends = ("_eeg.vhdr", "_eeg.vmrk", "_eeg.eeg", "_eeg.json", "_channels.tsv", "_events.tsv", "_events.json")
    assert {stem + end for end in ends} <= eeg
    assert {f"{stem}_recording-contact_physio.tsv.gz", f"{stem}_recording-contact_physio.json"} <= eeg
    beh = {path.name for path in (exported.root / "sub-01/ses-01/beh").iterdir()}
    assert beh == {f"{stem}_recording-face_{end}" for end in ("video.mkv", "video.json", "frames.tsv", "frames.json")}


def test_events_carry_trial_answers_and_gaps_and_describe_every_column(exported: dataset.Export) -> None:
    path = exported.root / "sub-01/ses-01/eeg/sub-01_ses-01_task-emotion_run-01_events.tsv"
    rows = table(path)
    clips = [row for row in rows if row["trial_type"].startswith("clip/")]
    assert [(c["trial_type"], c["valence"], c["rating"]) for c in clips] == [
        ("clip/happiness", "4", "happiness"),
        ("clip/sadness", "5", "sadness"),
    ]
    [gap] = [row for row in rows if row["trial_type"] == "BAD_gap"]
    assert float(gap["onset"]) == pytest.approx(2000 / 256, abs=1e-6)
    sidecar = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert set(rows[0]) <= set(sidecar)
    colors = {"happiness": "#E69F00", "sadness": "#0072B2", "fear": "#CC79A7", "neutral": "#7F7F7F"}
    assert sidecar["target"]["Colors"] == colors
    assert list(sidecar["target"]["Levels"]) == list(colors)


def test_mne_bids_reads_it_and_leaves_out_what_is_marked(exported: dataset.Export) -> None:
    raw = mne_bids.read_raw_bids(bids_path(exported.root), verbose="ERROR")
    assert raw.info["bads"] == ["FT9"]
    assert {"clip/happiness", "clip/sadness", "BAD_gap"} <= set(raw.annotations.description)
    assert raw.get_montage() is not None


def test_the_video_is_the_recorded_one_and_scans_list_it(exported: dataset.Export, lab_data: Path) -> None:
    name = "sub-01_ses-01_task-emotion_run-01_recording-face_video.mkv"
    assert (exported.root / "sub-01/ses-01/beh" / name).read_bytes() == (lab_data / "sub-01/ses-01/run-01" / name).read_bytes()
    scans = {row["filename"]: row for row in table(exported.root / "sub-01/ses-01/sub-01_ses-01_scans.tsv")}
    assert scans[f"beh/{name}"]["included"] == "yes"
    assert scans[f"beh/{name}"]["acq_time"] == "2026-09-21T14:13:20.013000Z"


def test_a_photodiode_is_a_signal_of_the_dataset_and_no_electrode(tmp_path: Path) -> None:
    clips = tuple((3.0 + 4.1 * n, 5.5 + 4.1 * n, "happiness") for n in range(3))
    text = FULL.replace("[eeg]\n", '[eeg]\nphotodiode = "Light"\n')
    truth = Truth(duration_s=18.0, fps=0, clips=clips, light_s=0.11, jitter_s=0.0, lost=((2000, 100),))
    record(
        tmp_path / "data",
        truth,
        Who("01", person=Person(age_y=25, sex="F", handedness="R", head_circumference_cm=56)),
        text=text,
    )
    done = dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options())
    assert done.verdict.issues == ()
    stem = done.root / "sub-01/ses-01/eeg/sub-01_ses-01_task-emotion_run-01_eeg.vhdr"
    beside = lambda end: stem.with_name(stem.name.replace("_eeg.vhdr", end))  # noqa: E731
    *_, last = table(beside("_channels.tsv"))
    assert (last["name"], last["type"], last["units"], last["status"]) == ("Light", "MISC", "µV", "good")
    assert "Light" not in {row["name"] for row in table(next(stem.parent.glob("*_electrodes.tsv")))}
    about = json.loads(beside("_eeg.json").read_text(encoding="utf-8"))
    assert (about["EEGChannelCount"], about["MISCChannelCount"]) == (4, 1)
    leg = about["SyncCertificate"]["screen-eeg"]
    assert (leg["delay_s"], leg["applied"]) == (pytest.approx(0.11, abs=0.004), True)

    raw = mne_bids.read_raw_bids(bids_path(done.root), verbose="ERROR")
    assert raw.get_channel_types() == ["eeg"] * 4 + ["misc"]
    light = raw.get_data(["Light"])[0] * 1e6
    assert (light.min(), light.max()) == (pytest.approx(20, rel=1e-6), pytest.approx(900, rel=1e-6))
    onsets = [float(row["onset"]) for row in table(beside("_events.tsv")) if row["trial_type"].startswith("clip/")]
    assert [int(np.argmax(light[round(t * 256) - 20 :] > 460)) for t in onsets] == pytest.approx([20, 20, 20], abs=1)
    told = from_bids.load(from_bids.Dataset(done.root), stem)
    assert told.signals.labels == ("Cz", "Fz", "Oz", "FT9")


def test_thanks_grants_references_and_which_clips_may_be_passed_on_are_told(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(dataset.validate, "validate", lambda _: validate.Verdict((), "not asked"))
    said = 'acknowledgements = "We thank Bo."\nfunding = ["Grant 7"]\nreferences = ["https://doi.org/10.1/x"]\n'
    run = record(tmp_path / "data", Truth(duration_s=18.0, fps=0), text=f"{STUDY}\n[export]\n{said}", end=None)
    files = [tmp_path / f"{target}01.mp4" for target in ("happiness", "sadness")]
    for file in files:
        file.write_bytes(file.name.encode())
    manifest.write(tmp_path / "clips.tsv", [
        manifest.Entry(file, file.stem, file.stem[:-2], 0.0, 3.0, manifest.sha256(file), redistributable=n == 0)
        for n, file in enumerate(files)
    ])  # fmt: skip
    shutil.copyfile(tmp_path / "clips.tsv", run.clips_tsv)  # as the launcher freezes it
    os.utime(run.xdf, (0, 0))
    root = dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options()).root
    about = json.loads((root / "dataset_description.json").read_text(encoding="utf-8"))
    assert (about["Acknowledgements"], about["Funding"]) == ("We thank Bo.", ["Grant 7"])
    assert about["ReferencesAndLinks"] == ["https://doi.org/10.1/x"]
    clips = {row["stim_id"]: row["redistributable"] for row in table(root / "stimuli/stimuli.tsv")}
    assert clips == {"happiness01": "yes", "sadness01": "no"}
    assert "redistributable" in json.loads((root / "stimuli/stimuli.json").read_text(encoding="utf-8"))


def test_nobody_kept_is_no_dataset(tmp_path: Path, capsys) -> None:
    record(tmp_path / "data", Truth(duration_s=18.0, overall=60.0, fps=0))
    code, _, err = run(tmp_path / "data", tmp_path / "bids", capsys=capsys)
    assert code == 1
    assert "sub-01: contact quality 60.00% is below 80.00%" in err
    assert not (tmp_path / "bids").exists()


def refused(tmp_path: Path, capsys, *args: object, match: str) -> None:
    """Assert exit 2 with one line that says what, and nothing written."""
    before = sorted(path.name for path in tmp_path.rglob("*"))
    code, _, err = run(tmp_path / "data", tmp_path / "bids", *args, capsys=capsys)
    assert code == 2
    assert len(err.splitlines()) == 1
    assert match in err
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_simulated_data_need_the_flag(tmp_path: Path, capsys) -> None:
    record(tmp_path / "data", SHORT, Who(simulated=True))
    refused(tmp_path, capsys, match="--simulated")


def test_simulated_data_are_marked_as_such(tmp_path: Path, capsys) -> None:
    record(tmp_path / "data", Truth(duration_s=18.0, fps=0), Who(simulated=True))
    code, _, _ = run(tmp_path / "data", tmp_path / "bids", "--simulated", capsys=capsys)
    assert code == 0
    assert json.loads((tmp_path / "bids/dataset_description.json").read_text(encoding="utf-8"))["Simulated"] is True
    assert "Simulated data: nobody was recorded" in (tmp_path / "bids/README.md").read_text(encoding="utf-8")


def test_simulated_and_real_data_do_not_mix(tmp_path: Path, capsys) -> None:
    record(tmp_path / "data", SHORT, Who("01"))
    record(tmp_path / "data", SHORT, Who("02", simulated=True))
    refused(tmp_path, capsys, "--simulated", match="keep simulated and real data in folders apart")


def test_a_folder_without_session_json_is_refused(tmp_path: Path, capsys) -> None:
    run_folder = record(tmp_path / "data", SHORT).path
    (run_folder / "session.json").unlink()
    refused(tmp_path, capsys, match="has no session.json")


def test_a_run_whose_headset_was_missing_stops_nobodys_export_and_is_said(tmp_path: Path, capsys) -> None:
    record(tmp_path / "data", Truth(duration_s=18.0, fps=0))
    begun = record(tmp_path / "data", Truth(duration_s=18.0, fps=0), Who("02"), end=None)
    recording = begun.xdf.read_bytes()
    begun.xdf.unlink()
    shelved = folder.shelve(begun, "EmotivDataStream-EEG\nis not there")
    code, out, _ = run(tmp_path / "data", tmp_path / "bids", "--json", capsys=capsys)
    said = json.loads(out)
    assert (code, said["written"]) == (0, ["sub-01_ses-01_task-emotion_run-01"])
    assert said["notes"] == ["sub-02/ses-01/run-01: not exported: nothing was recorded (EmotivDataStream-EEG is not there)"]
    shutil.rmtree(tmp_path / "bids")
    begun.xdf.write_bytes(recording)  # something was recorded after all
    refused(tmp_path, capsys, match="has no session.json: nobody knows")
    begun.xdf.unlink()
    shutil.rmtree(tmp_path / "data/sub-01")
    refused(tmp_path, capsys, match="nothing was recorded (EmotivDataStream-EEG is not there)); record with emo-run")
    shelved.write_text("{}", encoding="utf-8")
    refused(tmp_path, capsys, match="not-recorded.json: reason: Field required")


def test_a_folder_without_recordings_is_refused(tmp_path: Path, capsys) -> None:
    (tmp_path / "data").mkdir()
    refused(tmp_path, capsys, match="record with emo-run")


def test_a_root_that_is_not_ours_is_left_alone(tmp_path: Path, capsys) -> None:
    record(tmp_path / "data", SHORT)
    (tmp_path / "bids").mkdir()
    (tmp_path / "bids" / "thesis.tex").write_text("years of work", encoding="utf-8")
    refused(tmp_path, capsys, match="was not made by emolab")


def test_a_participant_that_is_not_there_is_named(tmp_path: Path, capsys) -> None:
    record(tmp_path / "data", SHORT)
    refused(tmp_path, capsys, "--participant-label", "sub-09", match="'09'")


def test_a_recording_that_was_changed_is_refused(tmp_path: Path, capsys) -> None:
    made = record(tmp_path / "data", SHORT)
    made.trials_csv.touch()
    data = bytearray(made.xdf.read_bytes())
    data[len(data) // 2] ^= 1
    made.xdf.write_bytes(data)
    refused(tmp_path, capsys, match="is not what was recorded")


def test_two_studies_are_no_dataset(tmp_path: Path, capsys) -> None:
    record(tmp_path / "data", SHORT)
    record(tmp_path / "data", SHORT, Who("02"), text=STUDY.replace("Two emotions", "Another"))
    refused(tmp_path, capsys, match="study.name")


def test_a_run_without_manifest_is_recovered_and_says_so(tmp_path: Path) -> None:
    made = record(tmp_path / "data", Truth(duration_s=18.0, fps=0), end=None)
    os.utime(made.xdf, (0, 0))
    done = dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options())
    assert done.notes == ("sub-01_ses-01_task-emotion_run-01: the session was recovered",)
    assert done.survey.participants[0].included


def test_a_run_that_is_being_recorded_is_refused(tmp_path: Path, capsys) -> None:
    record(tmp_path / "data", SHORT, end=None)
    refused(tmp_path, capsys, match="is being recorded")


def test_without_consent_to_eeg_a_participant_is_only_listed(tmp_path: Path) -> None:
    record(tmp_path / "data", Truth(duration_s=18.0, fps=0), Who("01"))
    record(tmp_path / "data", SHORT, Who("02", scopes=("face",)))
    done = dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options(include_excluded=True))
    row = table(done.root / "participants.tsv")[1]
    assert (row["included"], row["exclusion_reason"], row["contact_quality"]) == ("no", "no consent to EEG", "n/a")
    assert not (done.root / "sub-02").exists()


def test_one_good_session_keeps_a_participant_and_the_scans_tell_the_sessions_apart(tmp_path: Path) -> None:
    record(tmp_path / "data", Truth(duration_s=18.0, fps=0), Who(session="01"))
    record(tmp_path / "data", Truth(duration_s=18.0, fps=0, overall=50.0), Who(session="02"))
    done = dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options())
    assert done.survey.participants[0].included
    sessions = {row["session_id"]: row["included"] for row in table(done.root / "sub-01/sub-01_sessions.tsv")}
    assert sessions == {"ses-01": "yes", "ses-02": "no"}
    assert {row["included"] for row in table(done.root / "sub-01/ses-02/sub-01_ses-02_scans.tsv")} == {"no"}


def test_two_runs_of_a_session_lie_side_by_side(tmp_path: Path) -> None:
    for _ in range(2):
        record(tmp_path / "data", Truth(duration_s=18.0, fps=0))
    done = dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options())
    assert len(list(done.root.glob("sub-01/ses-01/eeg/*_run-0[12]_eeg.vhdr"))) == 2
    assert len(table(done.root / "sub-01/ses-01/sub-01_ses-01_scans.tsv")) == 6


def test_what_is_not_valid_bids_is_not_put_in_place(tmp_path: Path, capsys) -> None:
    record(tmp_path / "data", Truth(duration_s=18.0, fps=0), text=STUDY.replace('"Joyful"', '"No-such-feeling"'))
    code, _, err = run(tmp_path / "data", tmp_path / "bids", capsys=capsys)
    assert code == 1
    assert "not valid BIDS" in err
    assert "HED" in err
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_manifest_names_files_that_are_missing(tmp_path: Path, capsys) -> None:
    made = record(tmp_path / "data", SHORT)
    assert made.video().name in {file.path for file in Manifest.load(made.manifest_json).files}
    made.video().unlink()
    refused(tmp_path, capsys, match="is missing, though manifest.json names it")


def test_a_video_without_frame_times_is_left_out_and_said_and_the_eeg_is_exported(tmp_path: Path, capsys) -> None:
    made = record(tmp_path / "data", Truth(duration_s=18.0, fps=0))
    made.video().write_bytes(b"begun on a full disk")
    code, said, err = run(tmp_path / "data", tmp_path / "bids", "--json", capsys=capsys)
    assert (code, err) == (0, "")
    left_out = f"{made.video().name} is left out: no stream emolab-frames has times for its frames"
    assert json.loads(said)["missing"] == {made.stem: [left_out]}
    assert bids_path(tmp_path / "bids").fpath.exists()
    assert not list((tmp_path / "bids/sub-01").rglob("*_video.mkv"))


def test_the_same_recordings_give_the_same_files(exported: dataset.Export, lab_data: Path, tmp_path: Path) -> None:
    again = dataset.export(lab_data, tmp_path / "bids", dataset.Options())
    names = sorted(path.relative_to(exported.root) for path in exported.root.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(again.root) for path in again.root.rglob("*") if path.is_file())
    differ = [name for name in names if (exported.root / name).read_bytes() != (again.root / name).read_bytes()]
    assert differ == []
    shutil.rmtree(again.root)


MINIMAL = """
[study]
name = "Minimal"

[emotions]
happiness = { hed = "Joyful", color = "#E69F00" }
sadness = { hed = "Sad", color = "#0072B2" }

[consent]
version = "1"
"""


def test_the_warnings_of_a_minimal_study_are_exactly_what_it_does_not_say(tmp_path: Path) -> None:
    record(tmp_path / "data", Truth(duration_s=18.0, fps=0), Who(person=Person()), text=MINIMAL)
    done = dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options())
    assert done.verdict.errors == ()
    warned = {issue.code.split()[-1] for issue in done.verdict.warnings}
    assert warned == {name for names in done.unknown.values() for name in names}
    assert {"study.license", "eeg.ground", "study.authors", "form.fields: head_circumference"} <= set(done.unknown)
