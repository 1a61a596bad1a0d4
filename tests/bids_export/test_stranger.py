"""A stranger finds what was planted: with mne, PyAV and csv alone, where the dataset says it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bids_export import dataset, events
from collector.twin.cohort import Participant, record_participant
from collector.twin.knobs import Faults, seed_of
from protocol.study_files import load_study
from tests.bids_export import lab
from tests.collector.twin.studies import small_study
from tests.faults.counts import count

# none of our code: what anybody would write who has read the dataset's README
SCRIPT = """
import csv, json, sys
from pathlib import Path
import av, mne, numpy as np
vhdr = next(Path(sys.argv[1]).glob("sub-*/ses-*/eeg/*_eeg.vhdr"))
raw = mne.io.read_raw_brainvision(vhdr, verbose="ERROR")
sfreq, volts = raw.info["sfreq"], raw.get_data("Cz")[0]
def table(path): return list(csv.DictReader(open(path), delimiter="\\t"))
video = next(Path(sys.argv[1]).glob("sub-*/ses-*/beh/*_video.mkv"))
times = np.array([float(row["onset"]) for row in table(str(video).replace("_video.mkv", "_frames.tsv"))])
light = np.array([frame.to_ndarray(format="gray").mean() for frame in av.open(str(video)).decode(video=0)])
assert len(times) == len(light)
found = []
for row in table(str(vhdr).replace("_eeg.vhdr", "_events.tsv")):
    if row["trial_type"].startswith("clip/"):
        onset = float(row["onset"])
        sample, frame = round(onset * sfreq), np.argmin(abs(times - onset))
        near = range(sample - 128, sample + 128)
        peak, white = near[np.argmax(volts[near])], np.argmax(light * (abs(times - onset) < 5))
        found.append([int(peak - sample), int(white - frame), (volts[peak] - np.median(volts[near])) * 1e6, light[white]])
print(json.dumps(found))
"""


def strangers_finds(root: Path) -> list[tuple[int, int, float, float]]:
    """Run the script in a process of its own: samples off, frames off, height in microvolts, brightness, by clip."""
    done = subprocess.run([sys.executable, "-I", "-c", SCRIPT, str(root)], capture_output=True, text=True, check=True)
    return [tuple(row) for row in json.loads(done.stdout)]


def test_impulses_at_both_ends_of_twenty_minutes_lie_where_the_events_say(tmp_path: Path) -> None:
    clips = ((6.0, 9.0, "happiness"), (30.0, 33.0, "sadness"), (1160.0, 1163.0, "happiness"), (1185.0, 1188.0, "sadness"))
    truth = lab.Truth(
        duration_s=1200.0, drift_ppm=200.0, lost=((150_000, 333), (200_000, 20)), jitter_s=0.003,
        ahead_s=-7.5, clock_ppm=40.0, clips=clips, impulses=tuple(5000.0 + onset for onset, _, _ in clips),
    )  # fmt: skip
    lab.record(tmp_path / "data", truth)
    dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options())
    finds = strangers_finds(tmp_path / "bids")
    assert len(finds) == 4
    for samples_off, frames_off, height_uv, brightness in finds:
        assert abs(samples_off) <= 1
        assert abs(frames_off) <= 1
        assert height_uv > lab.IMPULSE_UV * 0.9
        assert brightness > 200


def test_without_the_alignment_the_stranger_would_miss_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: with stamps taken as they are, 200 ppm alone are 61 samples after twenty minutes."""
    truth = lab.Truth(
        duration_s=1200.0, drift_ppm=200.0, clips=((1185.0, 1188.0, "sadness"),), impulses=(6185.0,), fps=1.0
    )  # fmt: skip
    lab.record(tmp_path / "data", truth)
    naive = lambda clock, times: times - clock.knots_s[0]  # noqa: E731
    monkeypatch.setattr("bids_export.alignment.SampleClock.onset_of", naive)
    dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options())
    [(samples_off, _, _, _)] = strangers_finds(tmp_path / "bids")
    assert abs(samples_off) > 50


MINUTES = count(4, 20)  # 200 ppm are 12 samples after four


@pytest.mark.slow
@pytest.mark.timeout(900)  # a minute on an idle machine for twenty minutes
def test_impulses_of_the_twin_are_found_at_both_ends_of_a_session(tmp_path: Path) -> None:
    """Through the session itself, with gaps, 200 ppm, and a screen, a camera and an EEG that are late independently."""
    files = small_study(tmp_path / "study", rest_s=MINUTES * 20.0 - 5.0, fps=12, blinks=12)
    text = files.path.read_text(encoding="utf-8").replace("size_px = [160, 120]", "size_px = [320, 240]")
    files.path.write_text(text, encoding="utf-8")
    faults = Faults(
        gaps=((8.0, 0.7), (MINUTES * 30.0, 0.1)), sampling_ppm=200.0, clock_offset_s=1234.5, clock_ppm=50.0,
        offset_noise_s=1e-4, display_latency_s=0.045, camera_latency_s=0.110, eeg_latency_s=0.750, eeg_jitter_s=0.003,
        impulse_trials=(1, 4),
    )  # fmt: skip
    participant = Participant("01", seed_of("01", seed=1), 0.92)
    record_participant(load_study(files.path.parent), tmp_path / "data", participant, faults=faults)
    done = dataset.export(tmp_path / "data", tmp_path / "bids", dataset.Options(simulated=True))
    vhdr = next(done.root.glob("sub-01/ses-01/eeg/*_eeg.vhdr"))
    onsets = [event.onset for event in events.read(vhdr.with_name(vhdr.name.replace("_eeg.vhdr", "_events.tsv")))]
    assert max(onsets) - min(onsets) > MINUTES * 60
    told = json.loads(vhdr.with_suffix(".json").read_text(encoding="utf-8"))["SyncCertificate"]
    assert told["screen-eeg"]["applied"]
    low, high = told["screen-eeg"]["interval95_s"]
    assert low <= 0.045 + 0.750 <= high
    assert high - low < 0.033
    finds = strangers_finds(done.root)
    for samples_off, frames_off, height_uv, brightness in (finds[0], finds[3]):
        assert abs(samples_off) / 256 <= 0.016  # without the certificate it would be 0.8 s
        assert abs(frames_off) <= 1
        assert height_uv > faults.impulse_uv * 0.9
        assert brightness > 200
