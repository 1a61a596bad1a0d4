"""A wall clock that is set in the middle of a recording, a headset and a computer that run fast or slow."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from bids_export import headset, recording
from collector import clocks, xdf
from collector.twin.cohort import Participant, record_participant
from collector.twin.knobs import Faults, random, seed_of
from collector.twin.mishaps import Mishap
from collector.twin.sensors import SFREQ
from protocol.markers import decode
from tests.collector.twin.studies import small_study
from tests.faults.counts import count

STEPS_S = (10.0, -10.0, 3600.0, -3600.0)
ROUNDS = count(1, 25)
ERROR_S = 0.002


def test_a_step_of_the_wall_clock_is_reported_and_moves_no_sample(tmp_path: Path, fault_row: Callable[..., None]) -> None:
    """Beside it the headset samples up to 200 ppm wrong, and the clock of the computer that sends drifts as much."""
    files = small_study(tmp_path / "study", rest_s=10.0)
    right, worst_s = [], 0.0
    for n, step_s in enumerate(STEPS_S * ROUNDS):
        rng = random("clock faults", n)
        sampling_ppm, clock_ppm = rng.uniform(-200, 200, 2)
        at_s = float(rng.uniform(5, 40))
        faults = Faults(
            sampling_ppm=float(sampling_ppm), clock_ppm=float(clock_ppm), clock_offset_s=float(rng.uniform(-100, 100)),
            offset_noise_s=1e-4, no_camera=True, mishaps=(Mishap("clock_step", at_s, value=step_s),),
        )  # fmt: skip
        person = Participant(f"{n:03d}", seed_of(f"{n:03d}", seed=1), 0.92)
        found = recording.load(record_participant(files, tmp_path / "data", person, faults=faults))
        start = found.moments[0][0]
        told = _told(found.streams)
        eeg, wall = headset.place_eeg(found), xdf.by_name(found.streams, clocks.WALL_NAME)
        assert eeg is not None and wall is not None
        truth = float(wall.stamps[0]) + np.arange(eeg.volts.shape[1]) / (SFREQ * (1 + sampling_ppm * 1e-6))
        error_s = float(np.abs(eeg.clock.time_of(np.arange(len(truth), dtype=float)) - truth).max())
        worst_s = max(worst_s, error_s)
        reported = [("clock/step", pytest.approx(step_s, abs=0.02))]
        right.append(
            [(name, amount) for name, amount, _ in told] == reported
            and 0 <= told[0][2] - start - at_s <= clocks.WALL_S + 0.01
            and error_s <= ERROR_S
        )
    fault_row(
        test="the wall clock is set by 10 s or an hour, clocks run up to 200 ppm wrong", n=len(right), passed=sum(right),
        note=f"the step is in the notes within 1 s; times of samples wrong by at most {worst_s * 1000:.2f} ms",
    )  # fmt: skip
    assert all(right), (right, worst_s)


def _told(streams: Mapping[int, xdf.Stream]) -> list[tuple[str, float, float]]:
    """Return what the notes say of clocks: name, seconds, when."""
    notes = xdf.by_name(streams, "emolab-notes")
    if notes is None:
        return []
    said = [(*decode(row[0]), t) for row, t in zip(notes.values, notes.stamps.tolist(), strict=True)]
    return [(name, float(keys["seconds"]), t) for name, keys, t in said if name in ("clock/step", "clock/jump", "clock/sleep")]
