"""The parts of an export: tables, quality on a grid, frames and their times, what reads back."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from bids_export import alignment, eeg, headset, physio, readback, recording, tables, video
from bids_export.headset import Readings
from bids_export.recording import RecordingError, Video
from bids_export.validate import _counted
from protocol import study
from tests.bids_export import lab

STUDY = study.loads(lab.STUDY)


def clock(n=2560, sfreq=256.0):
    return alignment.sample_clock(100 + np.arange(n) / sfreq, sfreq=sfreq)


def test_a_compressed_table_is_the_same_bytes_each_time(tmp_path):
    for name in ("a.tsv.gz", "b.tsv.gz"):
        tables.write_tsv_gz(tmp_path / name, [[95.0, float("nan")], [94.5, 2.0]])
    assert (tmp_path / "a.tsv.gz").read_bytes() == (tmp_path / "b.tsv.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.tsv.gz").read_bytes()) == b"95\tn/a\n94.5\t2\n"


def test_readings_fall_on_an_even_grid_and_hold_for_two_seconds_at_most():
    times = 101 + np.array([0.0, 0.5, 1.02, 1.5, 6.0])
    readings = Readings(times, ("Overall",), np.array([[90.0], [91], [92], [93], [94]]), 2.0)
    start, values = physio.on_grid(readings, clock(), [0])
    assert start == pytest.approx(1.0)
    assert values[:4, 0].tolist() == [90, 91, 92, 93]
    assert values[4:8, 0].tolist() == [93, 93, 93, 93]  # 0.5 to 2.0 s old
    assert np.isnan(values[8:12, 0]).all()
    assert values[12:, 0].tolist() == [94]


def test_quality_columns_are_the_overall_values_and_the_sensors_of_the_eeg():
    labels = ("Timestamp", "BatteryPercent", "Overall", "Signal", "Cz", "Fz")
    assert list(physio.columns(labels, ("Fz", "Oz"))) == ["overall", "battery_percent", "signal", "sensor_Fz"]


def facts(pts):
    return video.Facts("h264", 160, 120, "yuv420p", np.array(pts), tuple(range(len(pts))))


def test_frames_find_their_rows_by_their_times_in_the_file():
    recorded = Video(None, None, np.array([0.0, 0.2, 0.4, 0.6]), 50 + np.array([0.0, 0.21, 0.39, 0.6]))
    # the last one never reached the disk
    assert video.frame_times(recorded, facts([0.0, 0.2, 0.4])) == pytest.approx([50.0, 50.21, 50.39])
    assert video.frame_times(recorded, facts([0.0, 0.4])) == pytest.approx([50.0, 50.39])


def test_frames_after_the_last_row_have_the_times_of_the_file():
    recorded = Video(None, None, np.array([0.0, 0.2]), np.array([50.0, 50.2]))
    assert video.frame_times(recorded, facts([0.0, 0.2, 0.4, 0.6])) == pytest.approx([50.0, 50.2, 50.4, 50.6])


def test_a_frame_without_a_time_is_refused(tmp_path):
    recorded = Video(tmp_path / "face.mkv", None, np.array([0.0, 0.2, 0.6]), np.array([50.0, 50.2, 50.6]))
    with pytest.raises(RecordingError, match=r"frame 2 at 0\.400 s has no time"):
        video.frame_times(recorded, facts([0.0, 0.2, 0.4]))


@pytest.fixture
def written(tmp_path):
    """Yield an exported EEG with what was meant."""
    run = lab.record(tmp_path / "data", lab.Truth(duration_s=18.0, lost=((1000, 50),), fps=0))
    record = recording.load(run)
    placed = headset.place_eeg(record)
    root = tmp_path / "bids"
    path = eeg.write(root, placed, session=record.session, study=record.study, start=datetime(2026, 1, 1, tzinfo=UTC))
    return path, placed


def test_the_eeg_reads_back_as_recorded_with_the_lost_samples_in_their_places(written):
    path, placed = written
    assert placed.volts.shape == (4, 18 * 256)
    assert placed.filled == (alignment.Gap(1000, 50),)
    expected = lab.eeg_uv(lab.Truth(), np.array([2000])) * 1e-6
    assert placed.volts[:, 2000] == pytest.approx(expected[0])
    readback.check_eeg(path, placed)


@pytest.mark.parametrize("by_uv", [0.001, np.nan])
def test_one_sample_that_differs_is_found(written, by_uv):
    path, placed = written
    volts = placed.volts.copy()
    volts[2, 777] += by_uv * 1e-6
    with pytest.raises(readback.ReadbackError, match="Oz, sample 777"):
        readback.check_eeg(path, replace(placed, volts=volts))


def test_a_file_that_was_cut_short_is_found(written):
    path, placed = written
    data = path.with_suffix(".eeg")
    data.write_bytes(data.read_bytes()[: -4 * 4 * 10])
    with pytest.raises(readback.ReadbackError, match="samples"):
        readback.check_eeg(path, placed)


def test_channels_that_are_not_analysed_are_bad_and_say_so(written):
    path, _ = written
    rows = path.with_name(path.name.replace("_eeg.vhdr", "_channels.tsv")).read_text(encoding="utf-8").splitlines()
    assert rows[1].split("\t") == ["Cz", "EEG", "µV", "256", "good", "n/a"]
    assert rows[4].split("\t") == ["FT9", "EEG", "µV", "256", "bad", "not analysed"]


def test_the_sidecar_invents_nothing(written):
    path, _ = written
    sidecar = tables.read_json(path.with_suffix(".json"))
    assert sidecar["Manufacturer"] == "Emotiv"
    assert sidecar["EEGReference"] == "n/a"  # BIDS demands the key
    assert "EEGGround" not in sidecar
    assert "DeviceSerialNumber" not in sidecar
    assert sidecar["SubjectArtefactDescription"].startswith("50 samples (0.195 s) in one span")


def test_samples_that_the_headset_filled_in_itself_are_marked_too(tmp_path):
    placed = clock(10)
    flags = np.array([0, 0, 1, 1, 0, 0, 0, 0, 0, 1.0])
    assert alignment.invented(placed, flags) == (alignment.Gap(2, 2), alignment.Gap(9, 1))


def test_a_montage_that_knows_no_channel_is_named():
    with pytest.raises(RecordingError, match=r"eeg.montage = 'colin27_1020' knows none of its channels \(A1x, B2x\)"):
        headset.channels(("A1x", "B2x"), STUDY, where="x.xdf")


def test_findings_of_the_validator_are_counted_by_kind():
    found = [
        {"code": "A", "subCode": "x", "severity": "warning", "location": "/one"},
        {"code": "A", "subCode": "x", "severity": "warning", "location": "/two"},
        {"code": "B", "severity": "error", "location": "/three", "issueMessage": "no\n good"},
    ]
    error, warning = _counted(found)
    assert (error.code, error.severity, error.n, error.first) == ("B", "error", 1, "/three no good")
    assert (warning.code, warning.severity, warning.n, warning.first) == ("A x", "warning", 2, "/one")


def test_the_wall_clock_of_a_moment_comes_from_the_recorded_one(tmp_path):
    record = recording.load(lab.record(tmp_path, lab.Truth(fps=0)))
    assert record.wall(5010.0).timestamp() == pytest.approx(lab.WALL_0 + 10)
    without = replace(record, streams={})
    assert without.wall(5010.0) == datetime(2026, 9, 21, 13, 33, 30, tzinfo=UTC)
