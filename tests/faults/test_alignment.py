"""Alignment over every kind of fault at once, beside what pyxdf's default makes of the same recordings."""

import itertools
from pathlib import Path

import numpy as np
import pyxdf

from bids_export import alignment
from collector import xdf
from collector.offsets import fit_clock
from tests.faults.counts import count

DURATION_S = count(240, 1200)
GAPS_S = (0.1, 0.5, 1.0, 1.9, 5.0)
GRID = tuple(itertools.product((128.0, 256.0), GAPS_S, (-200.0, 60.0, 200.0), (0.0, 0.003), (None, "step", "reset")))
LABELS = ("Counter", "Cz")


def recorded(path: Path, *, sfreq: float, gap_s: float, ppm: float, noise_s: float, fault: str | None, seed: int):
    """Write a recording of a headset on another computer; return true seconds and the index of each sample that arrived."""
    rng = np.random.default_rng(seed)
    n, first = round(DURATION_S * sfreq), round(DURATION_S * sfreq * 0.4)
    index = np.concatenate([np.arange(first), np.arange(first + round(gap_s * sfreq), n)])
    truth = 5000.0 + index * (1 + ppm * 1e-6) / sfreq
    at = 5000.0 + 0.7 * DURATION_S + 1.3
    counter = index % round(sfreq)
    if fault == "reset":  # the headset began to count anew, in a gap of its own
        lost = (truth >= at) & (truth < at + 0.8)
        index, truth, counter = index[~lost], truth[~lost], counter[~lost]
        counter[truth >= at] = np.arange((truth >= at).sum()) % round(sfreq)

    def shown(t):  # the sender's clock: elsewhere, slower, and in one case set by two seconds
        return t - 37.5 - 40e-6 * (t - 5000) + (2.0 if fault == "step" else 0.0) * (t >= at)

    measured = np.arange(5001.0, 5000 + DURATION_S, 5.0)
    noise = noise_s / 10 * rng.standard_normal(len(measured))
    stamps = shown(truth + noise_s * rng.random(len(truth)))
    header = xdf.StreamHeader("EEG", "EEG", 2, sfreq, "double64", labels=LABELS)
    with xdf.Writer(path) as writer:
        # other recorders do not say that samples may be missing; pyxdf would know then
        writer.add_stream(1, xdf.header_xml(header).replace("can_drop_samples", "not_said"))
        values = np.column_stack([counter, index]).astype(float)
        for k in range(0, len(stamps), 4096):
            writer.samples(1, stamps[k : k + 4096], values[k : k + 4096])
        for t, error in zip(measured.tolist(), noise.tolist(), strict=True):
            writer.offset(1, float(shown(np.array(t))), float(t - shown(np.array(t)) + error))
    return truth, index


def test_every_sample_is_in_its_place_whatever_was_lost_set_or_begun_anew(tmp_path: Path, fault_row) -> None:
    rng = np.random.default_rng(11)
    cases = [GRID[k] for k in rng.permutation(len(GRID))[: count(18, len(GRID))]]
    ours: list[float] = []
    theirs: dict[str, list[float]] = {}
    gaps_right = 0
    for k, (sfreq, gap_s, ppm, noise_s, fault) in enumerate(cases):
        path = tmp_path / f"{k}.xdf"
        truth, index = recorded(path, sfreq=sfreq, gap_s=gap_s, ppm=ppm, noise_s=noise_s, fault=fault, seed=k)
        stream = xdf.read(path)[1]
        stamps = fit_clock(stream.offsets).map(stream.stamps)
        clock = alignment.sample_clock(stamps, sfreq=sfreq, counter=stream.values[:, 0])
        # jitter only delays: its mean stays in the stamps, as any latency does
        late = noise_s / 2
        error = np.abs(clock.time_of(index.astype(float)) - truth - late) * sfreq
        ours.append(float(error.max()))
        wanted = [(int(a) + 1, int(b - a - 1)) for a, b in itertools.pairwise(index) if b - a > 1]
        found = [(gap.first, gap.n) for gap in clock.gaps]
        gaps_right += len(found) == len(wanted) and bool(np.abs(np.array(found) - wanted).max() <= 1)
        loaded = pyxdf.load_xdf(str(path))[0][0]
        theirs.setdefault(fault or "gap alone", []).append(float(np.abs(loaded["time_stamps"] - truth - late).max()) * 1e3)
        path.unlink()
        path.with_name(path.name + ".crc").unlink(missing_ok=True)
        assert ours[-1] <= 1.0, (sfreq, gap_s, ppm, noise_s, fault)
    peer = "; ".join(f"{name} {np.median(ms):.0f} (up to {max(ms):.0f})" for name, ms in theirs.items())
    what = f"{min(GAPS_S)} to {max(GAPS_S)} s lost, 200 ppm, jitter, a clock that is set, a counter that begins anew"
    note = f"largest error {max(ours):.2f} samples; pyxdf's default, ms: {peer}"
    fault_row(test=f"alignment: {what}: within a sample", n=len(cases), passed=sum(e <= 1 for e in ours), note=note)
    fault_row(test="alignment: every gap listed to a sample", n=len(cases), passed=gaps_right)
    assert gaps_right == len(cases)
    assert np.median(theirs["gap alone"]) > 20  # the peer stumbles, so the recordings are not too easy
