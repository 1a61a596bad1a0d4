"""A run that held before its first clip, with the cues shown twice: events, judged time, and what sync is measured from."""

from pathlib import Path

import numpy as np
import pytest

from bids_export import headset, sessions, sources, sync, sync_signals
from bids_export.events import Event
from bids_export.recording import Recording
from bids_export.report import from_run, measures
from protocol.folder import Run
from tests.collector.test_contact_of_runs import CUES, record


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return record(tmp_path_factory.mktemp("held"), held=True)


@pytest.fixture(scope="module")
def read(run: Run) -> Recording:
    return sources.load(run)


def events(record_: Recording) -> list[Event]:
    placed = headset.place_eeg(record_)
    return sessions.events_of(record_, placed, sessions.timebase(record_, placed, sync.NOTHING))


def test_its_events_have_every_cue_and_a_row_for_each_hold(read: Recording) -> None:
    rows = events(read)
    assert sum(e.trial_type == "sync/cue" for e in rows) == 3 * CUES  # before, again, after the last clip
    assert [round(e.duration) for e in rows if e.trial_type == "pause"] == [20, 20]
    first = min(e.onset for e in rows if e.trial_type.startswith("clip/"))
    assert sum(e.onset < first for e in rows if e.trial_type == "sync/cue") == 2 * CUES
    assert [e.end for e in rows if e.trial_type.startswith("clip/")] == ["complete"] * 4


def test_sync_is_measured_from_the_cues_of_all_three_times(read: Recording) -> None:
    placed = headset.place_eeg(read)
    cues = np.array([t for t, marker in read.moments if marker.name == "sync/cue"])
    seen = sync_signals.blinks(placed, sync_signals.frontal(placed.labels, read.study), cues)
    answered = [bool(((seen - cue > 0.1) & (seen - cue < 0.8)).any()) for cue in cues]
    assert len(answered) == 3 * CUES
    assert sum(answered) >= 3 * CUES - 2


def test_it_is_kept_and_no_blink_is_missing(run: Run, tmp_path: Path) -> None:
    measured = measures.measure(from_run.of_run(run))
    assert (measured.verdict, measured.repeat) == ("keep", ())
    assert measured.eeg is not None and measured.eeg.worn is not None
    assert measured.eeg.worn.state == "ok"
    assert not [finding for finding in measured.findings if "blink" in finding]
