"""Studies of every shape are exported: valid for BIDS and HED, every sample and every packet as recorded."""

import json
import os
from pathlib import Path

import mne
import numpy as np
import pytest
from hed.tools.bids import BidsDataset

from bids_export import dataset, validate, video
from collector import xdf
from protocol.folder import Run
from tests.bids_export.random_studies import Drawn, draw, record
from tests.faults.counts import count

N = count(6, 120)


def check_samples(root: Path, run: Run, drawn: Drawn) -> None:
    """Compare each recorded sample with the exported one, by other people's readers alone."""
    vhdr = root / f"sub-{run.participant}/ses-01/eeg/{run.stem}_eeg.vhdr"
    raw = mne.io.read_raw_brainvision(vhdr, preload=True, verbose="ERROR")
    assert raw.ch_names == list(drawn.channels)
    assert raw.info["sfreq"] == pytest.approx(drawn.sfreq)
    values = xdf.by_name(xdf.read(run.xdf), "EmotivDataStream-EEG").values
    index = values[:, -1].astype(int) - int(values[0, -1])
    # float32: 24 bits of 4200 microvolts
    np.testing.assert_allclose(raw.get_data()[:, index].T * 1e6, values[:, :-1], rtol=2**-23, atol=1e-6)


def check_packets(root: Path, run: Run) -> None:
    """Compare each packet of each video."""
    for path in run.videos():
        mine, theirs = video.probe(path), video.probe(root / f"sub-{run.participant}/ses-01/beh/{path.name}")
        assert mine.digest == theirs.digest
        assert np.array_equal(mine.pts_s, theirs.pts_s)


def hed_issues(root: Path) -> list[object]:
    return BidsDataset(root, suffixes=["events"]).validate(check_for_warnings=False)


def test_studies_of_every_shape_are_valid_and_read_back_as_recorded(tmp_path: Path, monkeypatch, fault_row) -> None:
    official = validate.validate
    # one study is one dataset; the official validator looks at each where it lies, once
    monkeypatch.setattr(dataset.validate, "validate", lambda _: validate.Verdict((), "asked below"))
    n_channels: list[int] = []
    passed = 0
    for seed in range(N):
        drawn, data, root = draw(seed), tmp_path / f"{seed}/data", tmp_path / f"{seed}/bids"
        runs = record(data, drawn, participant=f"{seed:03d}")
        for run in runs:
            os.utime(run.xdf, (0, 0))
        # a study without EEG, or whose device said nothing of its quality, keeps nobody by the rule
        dataset.export(data, root, dataset.Options(include_excluded=True))
        for run in runs:
            if drawn.eeg:
                check_samples(root, run, drawn)
            check_packets(root, run)
        verdict = official(root)
        assert verdict.errors == (), (seed, drawn)
        assert hed_issues(root) == [], (seed, drawn)
        frames = list(root.glob("sub-*/ses-01/beh/*_frames.tsv"))
        assert len(frames) == drawn.video * drawn.n_runs
        about = json.loads((root / "dataset_description.json").read_text(encoding="utf-8"))
        assert about["Name"] == drawn.name
        n_channels.append(drawn.n_channels if drawn.eeg else 0)
        passed += 1
    what = f"{min(filter(None, n_channels))} to {max(n_channels)} channels, 100 to 2000 Hz, gaps, aborted, video alone, Unicode"
    fault_row(test=f"export of generated studies ({what}): valid, all read back", n=N, passed=passed)
