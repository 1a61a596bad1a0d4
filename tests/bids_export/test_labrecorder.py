"""Recordings of LabRecorder's: exported as the study file says, with what they lack."""

import csv
import json
import os
import shutil
from pathlib import Path

import mne
import numpy as np
import pytest

from bids_export import cli, dataset, labrecorder_lacks, report_cli, validate
from bids_export.labrecorder_markers import translate
from bids_export.recording import RecordingError
from bids_export.withdraw import job
from protocol import commands
from protocol import study as study_file
from protocol.folder import FolderError
from protocol.study import StudyError
from tests.bids_export import lab
from tests.bids_export.foreign import (
    CHANNELS,
    CONTACT,
    EPOC,
    EVENTS,
    SECONDS,
    SFREQ,
    START,
    STUDY,
    WORDS,
    Foreign,
    Stream,
    lay,
    renamed,
)
from tests.bids_export.lab import Truth, Who

GOOD = Foreign(overall=92.0)
CONTACT_KEY = '\ncontact_quality = { name = "EPOC-CQ" }\n'
CONSENT_KEYS = '\nconsent = ["eeg", "train"]\nconsent_by = "A. Example; sheets in folder 3"\n'
ALL = STUDY + CONTACT_KEY + CONSENT_KEYS + EVENTS
STEM = "sub-S07_ses-S001_task-emotion_run-001"
EEG = f"sub-S07/ses-S001/eeg/{STEM}"
_VALIDATE = validate.validate


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the validator say that all is well, but where a test asks it: it takes a second each time."""
    monkeypatch.setattr(dataset.validate, "validate", lambda _: validate.Verdict((), "not asked"))


def run(*args: object, capsys) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        commands.run(cli.export_app, cli.BAD_INPUT, args=[str(arg) for arg in args])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def export(tmp_path: Path, **options: object) -> dataset.Export:
    return dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options(**options))


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def refused(tmp_path: Path, told: Foreign = GOOD, study: str = ALL) -> str:
    lay(tmp_path / "data", told, study=study)
    with pytest.raises(RecordingError) as error:
        export(tmp_path)
    assert not (tmp_path / "bids").exists()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_foreign_recording_is_valid_bids_with_its_events_on_the_sample_and_its_gap_listed(tmp_path: Path) -> None:
    lay(tmp_path / "data", GOOD, study=ALL)
    done = export(tmp_path)
    assert done.runs == (STEM,)
    assert _VALIDATE(tmp_path / "bids").errors == ()
    raw = mne.io.read_raw_brainvision(tmp_path / "bids" / f"{EEG}_eeg.vhdr", preload=True, verbose="ERROR")
    assert (tuple(raw.ch_names), raw.info["sfreq"], len(raw.times)) == (CHANNELS, SFREQ, SECONDS * SFREQ)
    rows = table(tmp_path / "bids" / f"{EEG}_events.tsv")
    clips = [row for row in rows if row["trial_type"].startswith("clip/")]
    told = [(c["trial_type"], c["trial"], c["stim_id"], c["target"], c["valence"], c["end"]) for c in clips]
    assert told == [
        ("clip/happiness", "1", "joy01", "happiness", "7", "complete"),
        ("clip/sadness", "2", "sad02", "sadness", "n/a", "complete"),
    ]
    peaks = np.flatnonzero(raw.get_data()[0] > 6e-3)
    assert [abs(float(c["onset"]) * SFREQ - p) < 1 for c, p in zip(clips, peaks, strict=True)] == [True, True]
    assert [float(c["duration"]) for c in clips] == pytest.approx([4, 4], abs=1 / SFREQ)
    [gap] = [row for row in rows if row["trial_type"] == "BAD_gap"]
    assert (float(gap["onset"]) * SFREQ, float(gap["duration"]) * SFREQ) == pytest.approx((1024, 64), abs=1e-3)
    [baseline] = [row for row in rows if row["trial_type"] == "baseline/eyes_open"]
    assert (float(baseline["duration"]), baseline["end"]) == (pytest.approx(3, abs=1 / SFREQ), "complete")
    # what nobody said is not made up: no time of an answer, no screen, no PsychoPy
    assert [row["response_time"] for row in rows] == ["n/a"] * len(rows)
    described = json.loads((tmp_path / "bids" / f"{EEG}_events.json").read_text())
    assert described["StimulusPresentation"] == {"SoftwareName": "OpenSesame 4"}


def test_a_foreign_recording_has_a_page_of_its_own_with_what_it_lacks(tmp_path: Path, capsys) -> None:
    lay(tmp_path / "data", GOOD, study=ALL)
    file = tmp_path / "data" / "sub-S07/ses-S001/eeg" / f"{STEM}_eeg.xdf"

    def report(*options: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            commands.run(report_cli.app, cli.REPORT_BAD_INPUT, args=[str(file), *map(str, options)])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    code, out, _ = report("--json")
    said = json.loads(out)
    assert (code, said["verdict"], said["eeg"]["n_filled"], said["clips"]["n"]) == (0, "keep", 64, 2)
    assert set(said["findings"]) >= {labrecorder_lacks.NO_COUNTER, labrecorder_lacks.NO_FLIPS}
    page = Path(said["page"])
    assert (page.parent, page.name) == (tmp_path / "data" / "reports", f"{STEM}_report.html")
    assert "emo-verdict emo-keep" in page.read_text(encoding="utf-8")
    (tmp_path / "data/study.toml").rename(tmp_path / "mine.toml")
    code, _, err = report()
    assert (code, err.count("\n")) == (2, 1)
    assert "--study" in err
    code, out, _ = report("--study", tmp_path / "mine.toml", "--data", tmp_path / "data", "--out", tmp_path / "out", "--json")
    assert (code, Path(json.loads(out)["page"]).parent) == (0, tmp_path / "out")


def test_what_is_missing_is_said_with_what_it_costs_and_kept_for_the_next_export(tmp_path: Path, capsys) -> None:
    lay(tmp_path / "data", study=STUDY + EVENTS)
    (tmp_path / "data/sub-S07/ses-S001/eeg/face.mp4").write_bytes(b"")
    code, _, err = run(tmp_path / "data", tmp_path / "bids", capsys=capsys)
    assert code == 1
    assert "sub-S07: not judged: no contact quality reading was recorded" in err
    assert err.endswith("to export them: --include-excluded\n")
    for _ in range(2):  # the second export only remembers
        code, out, _ = run(tmp_path / "data", tmp_path / "bids", "--include-excluded", "--json", capsys=capsys)
        said = json.loads(out)
        assert code == 0
        assert said["missing"] == {STEM: [
            labrecorder_lacks.NO_CONSENT, labrecorder_lacks.NO_QUALITY, labrecorder_lacks.NO_COUNTER,
            f"{labrecorder_lacks.NO_FRAMES}; face.mp4 beside it is left out: nobody knows when its frames were",
            labrecorder_lacks.NO_FLIPS, labrecorder_lacks.NO_PERSON,
        ]}  # fmt: skip
    assert said["written"] == []
    code, out, _ = run(tmp_path / "data", tmp_path / "bids", "--include-excluded", capsys=capsys)
    assert f"{STEM}: {labrecorder_lacks.NO_QUALITY}" in " ".join(out.split())
    [person] = table(tmp_path / "bids/participants.tsv")
    assert (person["consent"], person["included"]) == ("eeg", "no")


def test_consent_that_somebody_vouches_for_lets_train_and_one_participant_may_differ(tmp_path: Path) -> None:
    lay(tmp_path / "data", GOOD, study=ALL)
    lay(
        tmp_path / "data",
        GOOD,
        participant="S08",
        study=ALL.replace("consent_by", 'consent_of = { S08 = ["eeg"] }\nconsent_by'),
    )
    done = export(tmp_path)
    assert not any("consent" in line for lines in done.missing.values() for line in lines)
    consent = {row["participant_id"]: row["consent"] for row in table(tmp_path / "bids/participants.tsv")}
    assert consent == {"sub-S07": "eeg+train", "sub-S08": "eeg"}


def test_ours_and_theirs_make_one_dataset_and_only_what_changed_is_written_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    lab.record(data, Truth(duration_s=18.0, fps=0), Who("01"))
    theirs = lay(data, GOOD, study=ALL.replace('software = "OpenSesame 4"', ""))
    assert export(tmp_path).runs == ("sub-01_ses-01_task-emotion_run-01", STEM)
    assert _VALIDATE(tmp_path / "bids").errors == ()
    assert "sub-S07 ses-S001 run-001 was recorded with LabRecorder" in (tmp_path / "bids/README.md").read_text()
    assert export(tmp_path).written == ()
    # another mapping: theirs is made anew, ours is not
    lay(data, GOOD, study=ALL.replace("valence_", "arousal_").replace("debug.*", "(debug|valence).*"))
    done = export(tmp_path)
    assert done.written == (STEM,)
    assert "labrecorder.events: 'arousal_(?P<answer>\\\\d)' fits no marker" in done.missing[STEM]
    # another recording under the same name is refused
    theirs.write_bytes(theirs.read_bytes().replace(b"2026-03-04T10", b"2026-03-05T10"))
    os.utime(theirs, (1_700_000_000, 1_700_000_000))
    with pytest.raises(RecordingError, match="the dataset holds another recording under this name"):
        export(tmp_path)


def test_the_twins_watermark_makes_a_foreign_recording_simulated(tmp_path: Path) -> None:
    marked = renamed(EPOC, desc=(("simulated/seed", "7"),))
    lay(tmp_path / "data", Foreign(overall=92.0, epoc=marked), study=ALL)
    with pytest.raises(RecordingError, match="simulated = true"):
        export(tmp_path)
    assert export(tmp_path, simulated=True).survey.simulated


def test_names_that_do_not_fit_the_template_or_the_task_are_passed_over_and_said(tmp_path: Path) -> None:
    data = tmp_path / "data"
    path = lay(data, GOOD, study=ALL)
    path.with_name(f"{STEM}_eeg_old1.xdf").write_bytes(path.read_bytes())
    path.with_name("sub-S07_ses-S001_task-rest_run-001_eeg.xdf").write_bytes(path.read_bytes())
    done = export(tmp_path)
    assert done.runs == (STEM,)
    assert [note.partition(": not exported: ")[2][:20] for note in done.notes] == [
        "its name does not fi",
        "task = 'rest', the s",
    ]


def test_a_stream_without_names_takes_them_from_the_study_and_a_header_in_volts_is_noticed(tmp_path: Path) -> None:
    named = ALL.replace("[labrecorder]", f"[labrecorder]\nlabels = {json.dumps([f'E{n}' for n in range(14)])}\n"
                        f"rename = {{ {', '.join(f'E{n} = {json.dumps(c)}' for n, c in enumerate(CHANNELS))} }}")  # fmt: skip
    lay(tmp_path / "data", Foreign(overall=92.0, epoc=renamed(EPOC, labels=(), units=("volts",) * 14)), study=named)
    done = export(tmp_path)
    assert "its header says V, the study file uV: taken as uV (labrecorder.units)" in done.missing[STEM]
    channels = [row["name"] for row in table(tmp_path / "bids" / f"{EEG}_channels.tsv")]
    assert tuple(channels) == CHANNELS


def test_a_file_that_labrecorder_did_not_close_is_exported_as_recovered(tmp_path: Path) -> None:
    lay(tmp_path / "data", Foreign(overall=92.0, closed=False), study=ALL)
    done = export(tmp_path)
    assert any(line.startswith("not closed by LabRecorder") for line in done.missing[STEM])
    [scan] = [
        row for row in table(tmp_path / "bids/sub-S07/ses-S001/sub-S07_ses-S001_scans.tsv") if "eeg.vhdr" in row["filename"]
    ]
    assert scan["ended"] == "recovered"
    assert scan["acq_time"].startswith("2026-03-04T09:00:0")  # the file says 10:00 one hour east


def test_whole_numbers_are_markers_too_and_a_duration_ends_a_clip_unless_the_next_comes_first(tmp_path: Path) -> None:
    header = renamed(EPOC, name="Triggers", type="Markers", n_channels=1, sfreq=0.0, format="int32", labels=(), source_id="t")
    codes = Stream(header, START + np.array([4.0, 7.0, 12.0, 22.0]), np.array([[11], [12], [11], [12]], np.int32))
    events = """
events = [{ marker = '11', becomes = "clip/onset stim_id=a target=happiness", duration = 4 },
          { marker = '12', becomes = "clip/onset stim_id=b target=sadness", duration = 4 }]
"""
    lay(tmp_path / "data", Foreign(overall=92.0, words=(), more=(codes,)), study=STUDY + CONTACT_KEY + CONSENT_KEYS + events)
    export(tmp_path)
    rows = [r for r in table(tmp_path / "bids" / f"{EEG}_events.tsv") if r["trial_type"].startswith("clip/")]
    told = [(r["stim_id"], r["trial"], round(float(r["duration"]), 1), r["end"]) for r in rows]
    assert told == [
        ("a", "1", 3.0, "interrupted"), ("b", "2", 4.0, "complete"), ("a", "3", 4.0, "complete"), ("b", "4", 2.0, "interrupted")
    ]  # fmt: skip


def test_no_eeg_stream_is_one_line_that_names_those_there_are(tmp_path: Path) -> None:
    said = refused(tmp_path, study=ALL.replace('"EPOC"', '"Epoc X"'))
    assert (
        "labrecorder.eeg = { name = \"Epoc X\" }: no such EEG among its streams: 'EPOC' (EEG, 14 x 128 Hz, 3008 samples" in said
    )
    assert said.endswith("name the one that is meant, or move the file out of the data folder")


def test_two_candidates_are_one_line(tmp_path: Path) -> None:
    other = GOOD.streams()[0]
    twice = Foreign(overall=92.0, more=(Stream(renamed(EPOC, source_id="epoc-2"), other.stamps, other.values),))
    said = refused(tmp_path, twice)
    assert 'labrecorder.eeg = { name = "EPOC" }: fits 2 streams: ' in said
    assert "from epoc-1" in said and "from epoc-2" in said


def test_a_marker_that_nothing_fits_is_one_line(tmp_path: Path) -> None:
    said = refused(tmp_path, Foreign(overall=92.0, words=(*WORDS, (18.0, "clip-start joy3"), (19.0, "clip-start joy3"))))
    assert "labrecorder.events: nothing fits the marker 'clip-start joy3' (2 times); say what it means" in said


@pytest.mark.parametrize(
    ("study", "fault"),
    [
        (
            ALL.replace(r'"clip/onset target=happiness"', '"clip/onset target=joy"'),
            "target = 'joy': is none of happiness, sadness",
        ),
        (ALL.replace(" target=sadness", ""), "stim_id = 'sad02' stands in no line of the table of clips"),
        (
            ALL.replace(r"valence_(?P<answer>\d)", r"(?P<answer>valence_\d)"),
            "answer = 'valence_7': valence is asked on a scale",
        ),
        (ALL + '\nrename = { Q1 = "Cz" }\n', "labrecorder.rename: no channel 'Q1'; there are AF3, AF4, "),
        (ALL + '\nrename = { F3 = "F4" }\n', "EPOC: two channels are called 'F4'"),
        (ALL + '\nlabels = ["Cz"]\n', "labrecorder.labels: 1 names for the 14 channels of 'EPOC'"),
        (ALL + '\ncounter = "Count"\n', "labrecorder.counter = 'Count': 'EPOC' has no such channel"),
        (
            ALL + '\nconsent_of = { S70 = ["eeg"] }\n',
            "labrecorder.consent_of = 'S70': there is no recording of it; there are S07",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_the_recording_is_one_line(tmp_path: Path, study: str, fault: str) -> None:
    assert fault in refused(tmp_path, study=study)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ("events = [{ marker = '(' }]", "labrecorder.events.0.marker = '(': is no regular expression"),
        ("events = [{ marker = 'a', becomes = 'clip/begin' }]", "labrecorder.events.0.becomes = 'clip/begin': unknown marker"),
        (
            "events = [{ marker = 'a', becomes = 'clip/onset' }]",
            "needs stim_id; write stim_id=.., or (?P<stim_id>..) in marker",
        ),
        ("events = [{ marker = 'a', becomes = 'clip/onset stim_id=a' }]", "labrecorder.events: nothing ends 'a'"),
        ("events = [{ marker = '(?P<colour>a)', becomes = 'sync/cue' }]", "marker sync/cue: unknown key 'colour'"),
        ("events = [{ marker = 'a', becomes = 'sync/cue', duration = 2 }]", "duration = 2: sync/cue is a moment; remove it"),
        ("template = 'eeg/%r.xdf'", "labrecorder.template = 'eeg/%r.xdf': has no %p: nobody knows whose recording it is"),
        ("template = '../%p.xdf'", "is no path below the data folder"),
        ("template = '%p_%z.xdf'", "%z: LabRecorder has no such field"),
        ("consent = ['eeg']", "labrecorder.consent_by: is missing: say who vouches"),
        ("consent_by = 'me'", "labrecorder.consent: is missing: say what was agreed to"),
        ("stream = 'EEG'", "labrecorder.stream: unknown key; known here: template, task, eeg"),
    ],
)
def test_a_bad_mapping_is_one_line_of_the_study_file(keys: str, fault: str) -> None:
    text = STUDY.partition("[labrecorder]")[0] + "[labrecorder]\n" + keys
    with pytest.raises(StudyError) as error:
        study_file.loads(text)
    assert fault in str(error.value)
    assert "\n" not in str(error.value)


def test_recordings_without_a_study_file_say_which_option_is_missing(tmp_path: Path, capsys) -> None:
    path = lay(tmp_path / "data", GOOD)
    (tmp_path / "data/study.toml").rename(tmp_path / "mine.toml")
    code, _, err = run(tmp_path / "data", tmp_path / "bids", capsys=capsys)
    assert code == 2
    assert f"{path.name}: not exported: no study file says what it holds; name one with a table [labrecorder]: --study" in err
    (tmp_path / "mine.toml").write_text(STUDY.partition("[labrecorder]")[0])
    code, _, err = run(tmp_path / "data", tmp_path / "bids", "--study", tmp_path / "mine.toml", capsys=capsys)
    assert (code, err.count("\n")) == (2, 1)
    assert "labrecorder: is missing" in err


def test_a_run_of_ours_with_the_number_of_theirs_is_refused(tmp_path: Path) -> None:
    lab.record(tmp_path / "data", Truth(duration_s=18.0, fps=0), Who("S07", session="S001"))
    lay(tmp_path / "data", GOOD, study=ALL)
    with pytest.raises(RecordingError, match="run 1 of this session is run-01 already; give one another number"):
        export(tmp_path)


def test_contact_quality_below_the_rule_leaves_a_foreign_participant_out(tmp_path: Path) -> None:
    lay(tmp_path / "data", Foreign(overall=60.0), study=ALL)
    lay(tmp_path / "data", GOOD, participant="S08", study=ALL)
    export(tmp_path)
    people = {row["participant_id"]: row["exclusion_reason"] for row in table(tmp_path / "bids/participants.tsv")}
    assert people == {"sub-S07": "contact quality 60.00% is below 80.00%", "sub-S08": "n/a"}
    assert CONTACT.labels == ("Overall",)


def test_the_mapping_of_the_page_can_be_used() -> None:
    page = (Path(__file__).parents[2] / "docs/labrecorder.md").read_text(encoding="utf-8")
    lab = study_file.loads(page.partition("```toml\n")[2].partition("```")[0]).labrecorder
    assert lab is not None
    told = translate(
        [(1.0, "clip_start_joy01"), (5.0, "clip_end 1"), (6.0, "arousal_3"), (7.0, "debug x"), (8.0, "baseline_start")],
        lab.events, targets={}, emotions=("happiness", "sadness"), end=100.0,
    )  # fmt: skip
    of_trial = "trial=1 block=1 stim_id=joy01 target=happiness"
    assert [(t, str(marker)) for t, marker in told.rows] == [
        (1.0, f"clip/onset {of_trial}"), (5.0, f"clip/offset {of_trial} end=complete"),
        (6.0, f"rating {of_trial} question=arousal answer=3"),
        (8.0, "baseline/eyes_open phase=onset"), (68.0, "baseline/eyes_open phase=offset"),
    ]  # fmt: skip
    assert told.idle == (r"clip_start_(?P<stim_id>sad\w+)",)


def test_what_ends_nothing_is_left_out_and_said(tmp_path: Path) -> None:
    lay(tmp_path / "data", Foreign(overall=92.0, words=((3.0, "clip_stop"), *WORDS)), study=ALL)
    assert "the marker 'clip_stop' ends nothing: left out" in export(tmp_path).missing[STEM]


def test_a_scope_that_was_withdrawn_stays_so_whatever_the_study_file_says(tmp_path: Path) -> None:
    lay(tmp_path / "data", GOOD, study=ALL)
    export(tmp_path)
    job.withdraw(job.Asked("S07", tmp_path / "data", (tmp_path / "bids",), "train"))
    for text in (ALL, ALL.replace("OpenSesame 4", "OpenSesame 5")):  # the second time every byte is made anew
        lay(tmp_path / "data", GOOD, study=text)
        export(tmp_path)
        [person] = table(tmp_path / "bids/participants.tsv")
        assert person["consent"] == "eeg"


def test_a_participant_who_withdrew_is_gone_with_labrecorders_file(tmp_path: Path) -> None:
    data = tmp_path / "data"
    file = lay(data, GOOD, study=ALL)
    lay(data, GOOD, participant="S08", study=ALL)
    export(tmp_path)
    job.withdraw(job.Asked("S07", data, (tmp_path / "bids",)))
    assert not file.exists()
    assert [row["participant_id"] for row in table(tmp_path / "bids/participants.tsv")] == ["sub-S08"]
    lay(data, GOOD, study=ALL)  # back from a copy
    with pytest.raises(FolderError, match="withdrew on"):
        export(tmp_path)


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("%p/%p_%b_%r.xdf", ("{p}/{p}_emotion_001.xdf", "{p}/camera.mp4")),
        ("eeg/%p-%r.xdf", ("eeg/{p}-001.xdf", "eeg/{p}-001_old1.xdf", "eeg/{p}-001.mp4")),
    ],
)
@pytest.mark.parametrize("where", ["in data", "elsewhere"])
def test_a_participant_whose_files_have_no_sub_in_their_names_can_withdraw(
    template: str, names: tuple[str, ...], where: str, tmp_path: Path
) -> None:
    data, home = tmp_path / "data", tmp_path / "data" / "study.toml"
    for label in ("S07", "S070"):
        made = lay(data, GOOD, participant=label, study=ALL)
        made.write_bytes(made.read_bytes().replace(b"2026-03-04T10", f"2026-03-0{len(label)}T10".encode()))
        for name in names:
            (data / name.format(p=label)).parent.mkdir(exist_ok=True)
            (data / name.format(p=label)).write_bytes(made.read_bytes())
            os.utime(data / name.format(p=label), (1_700_000_000, 1_700_000_000))
        shutil.rmtree(data / f"sub-{label}")
    home.write_text(ALL.replace("[labrecorder]", f"[labrecorder]\ntemplate = '{template}'"), encoding="utf-8")
    if where == "elsewhere":
        home = home.rename(tmp_path / "mine.toml")
    study = home if where == "elsewhere" else None
    assert len(export(tmp_path, study=study).runs) == 2
    with pytest.raises(job.WithdrawError, match="they have S07, S070"):
        job.check(job.Asked("S7", data, study=study))
    face = job.withdraw(job.Asked("S07", data, (tmp_path / "bids",), "face", study=study))
    assert [path.name for path in face.left] == [Path(name.format(p="S07")).name for name in names if name.endswith(".mp4")]
    done = job.withdraw(job.Asked("S07", data, (tmp_path / "bids",), study=study))
    assert done.left == ()
    assert sorted(p.relative_to(data).as_posix() for p in data.rglob("*") if p.is_file() and p.parent.name != "withdrawn"
                  and p.suffix != ".toml") == sorted(name.format(p="S070") for name in names)  # fmt: skip
    assert [row["participant_id"] for row in table(tmp_path / "bids/participants.tsv")] == ["sub-S070"]


@pytest.mark.parametrize(
    ("form", "mended"),
    [
        ('consent_of = { S08 = ["eeg"], "S07" = ["eeg"] }', 'consent_of = { S08 = ["eeg"] }'),
        ('consent_of = { S07 = ["eeg"] }', ""),
    ],
)
def test_who_withdrew_and_stands_in_the_study_file_stops_no_export_and_stays_in_no_copy(
    form: str, mended: str, tmp_path: Path
) -> None:
    data, study = tmp_path / "data", ALL.replace("consent_by", f"{form}\nconsent_by")
    for label in ("S07", "S08"):
        made = lay(data, GOOD, participant=label, study=study)
        made.write_bytes(made.read_bytes().replace(b"2026-03-04T10", f"2026-03-04T1{label[-1]}".encode()))
        os.utime(made, (1_700_000_000, 1_700_000_000))
    export(tmp_path)
    done = job.withdraw(job.Asked("S07", data, (tmp_path / "bids",)))
    assert done.left == (data / "study.toml",)
    assert [note for note in done.hand.notes if "labrecorder.consent_of names S07: take the entry out" in note]
    copies = sorted((tmp_path / "bids/sourcedata").rglob("study.toml"))
    assert [path.parts[-4] for path in copies] == ["sub-S08"]
    assert "S07" not in copies[0].read_text(encoding="utf-8")
    assert export(tmp_path).written == ()  # the study file is not changed yet, and neither is the dataset
    again = job.withdraw(job.Asked("S07", data, (tmp_path / "bids",)))
    assert again.left == (data / "study.toml",)
    (data / "study.toml").write_text(study.replace(form, mended), encoding="utf-8")
    assert job.withdraw(job.Asked("S07", data, (tmp_path / "bids",))).left == ()
