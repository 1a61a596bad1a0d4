"""Blinks in the last seconds of EEG, as a hint to the operator while the cap is fitted. Pure.

Whether somebody wears the cap is decided elsewhere, after the cues of the session (:mod:`collector.contact`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import signal

from collector.page.signals import Floats

FRONTAL = ("fp1", "fp2", "fpz", "af7", "af8", "af3", "af4", "afz")  # where lids are seen best
LEAST_UV = 40.0  # blinks have 50 to 300 uV at Fp1 and Fp2
TIMES = 4.0  # as large as the spread of what there is besides
OTHERS = 2.0  # times as large as at the middle of all other sensors: who bumps a table moves all
BAND_HZ = (1.0, 10.0)
APART_S = 0.3
WIDTH_S = (0.04, 0.6)  # at half their height


def frontal(labels: Sequence[str]) -> list[int]:
    """Return which channels see blinks."""
    return [n for n, label in enumerate(labels) if label.lower() in FRONTAL]


def blinks(stamps: Floats, values: Floats, sfreq: float, *, front: Sequence[int]) -> Floats:
    """Return when somebody blinked, on the clock of the stamps.

    Parameters
    ----------
    stamps : ndarray, shape (n_times,)
        Seconds.
    values : ndarray, shape (n_times, n_channels)
        Microvolts; some channels that are not at the front among them.
    sfreq : float
        Samples a second.
    front : sequence of int
        The frontal channels.
    """
    rest = [n for n in range(values.shape[1]) if n not in set(front)]
    if not front or sfreq < 4 * BAND_HZ[1] or len(values) < sfreq:
        return np.zeros(0)
    sos = signal.butter(2, BAND_HZ, "bandpass", fs=sfreq, output="sos")
    filtered = signal.sosfiltfilt(sos, np.nan_to_num(values), axis=0)
    lids = filtered[:, list(front)].mean(axis=1)
    lids = lids * np.sign(lids[np.argmax(np.abs(lids))] or 1.0)  # which way is up depends on the reference
    noise = 1.4826 * float(np.median(np.abs(lids)))
    peaks, _ = signal.find_peaks(
        lids, height=max(LEAST_UV, TIMES * noise), distance=max(1, round(APART_S * sfreq)),
        width=(WIDTH_S[0] * sfreq, WIDTH_S[1] * sfreq),
    )  # fmt: skip
    if rest and len(peaks):
        elsewhere = np.median(np.abs(filtered[:, rest]), axis=1)[peaks]
        peaks = peaks[lids[peaks] > OTHERS * elsewhere]
    return np.asarray(stamps[peaks], np.float64)
