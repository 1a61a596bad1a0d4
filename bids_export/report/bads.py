"""Channels that are not like the others. Pure; by pyprep where it is installed and asked for, else by the same ideas in short.

Bigdely-Shamlo et al. (2015), the PREP pipeline: https://doi.org/10.3389/fninf.2015.00016
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec

import mne
import numpy as np
from scipy import signal

from bids_export.alignment import Gap
from bids_export.arrays import Floats
from bids_export.report import signals
from bids_export.report.facts import Point

ROBUST_Z = 5.0  # PREP's, for amplitude and noise
TIMES = 3.0  # and besides so many times the others': where all channels are alike, a z of 5 is nothing
MIN_CORRELATION = 0.4  # PREP's: with the channel that is most alike
ALONE_SHARE = 0.5  # of the seconds; PREP's 1 % calls half of a dry headset bad
MIN_CHANNELS = 6  # with fewer, nobody knows what the others are like
N_SECONDS = 180  # looked at, spread evenly
HIGH_PASS_HZ, NOISE_HZ = 1.0, 50.0
PYPREP_S = 120.0  # of the recording; more tells little more and takes minutes
OWN = "robust deviation, noise above 50 Hz and correlation, after PREP"
PYPREP = "pyprep's deviation, noise and correlation"


def find(
    volts: Floats, sfreq: float, filled: Sequence[Gap], labels: Sequence[str], *, line_freq: float | None = None
) -> dict[str, tuple[str, ...]]:
    """Return the channels that stand out, with the reasons.

    Parameters
    ----------
    volts : ndarray, shape (n_channels, n_times)
    sfreq : float
        Hz.
    filled : sequence of Gap
        What was not measured.
    labels : sequence of str
        One per channel.
    line_freq : float, optional
        Mains, Hz: a channel is not bad for that alone, it has a measure of its own.

    Returns
    -------
    dict of str to tuple of str
        Of ``loud``, ``quiet``, ``noisy``, ``alone``. Nothing where there are too few channels to compare.
    """
    width = round(sfreq)
    first = signals.starts(volts.shape[1], width, width, filled)
    if len(labels) < MIN_CHANNELS or len(first) < 5:
        return {}
    first = first[np.unique(np.linspace(0, len(first) - 1, N_SECONDS).round().astype(int))]
    sos = signal.butter(2, HIGH_PASS_HZ, "highpass", fs=sfreq, output="sos")
    # filtered second by second, with what lies around it: no more memory than is looked at
    uv = np.stack([_second(volts, int(start), width, sos) for start in first], axis=1)
    if line_freq and line_freq < sfreq / 2 - 1:
        uv = signal.filtfilt(*signal.iirnotch(line_freq, 30, fs=sfreq), uv, axis=2)
    reasons = {label: list[str]() for label in labels}
    amplitude = np.median(_spread(uv), axis=1)
    _mark(reasons, amplitude, "loud", "quiet")
    if sfreq > 2.2 * NOISE_HZ:
        above = signal.sosfiltfilt(signal.butter(4, NOISE_HZ, "highpass", fs=sfreq, output="sos"), uv, axis=2)
        _mark(
            reasons, np.median(_spread(above), axis=1) / np.maximum(np.median(_spread(uv - above), axis=1), 1e-9), "noisy", None
        )
    for label, share in zip(labels, _alone(uv), strict=True):
        if share > ALONE_SHARE:
            reasons[label].append("alone")
    return {label: tuple(why) for label, why in reasons.items() if why}


def _second(volts: Floats, start: int, width: int, sos: Floats) -> Floats:
    a, b = max(0, start - width), min(volts.shape[1], start + 2 * width)
    piece = volts[:, a:b] * signals.UV_PER_V
    filtered: Floats = signal.sosfiltfilt(sos, piece - piece.mean(axis=1, keepdims=True), axis=1)
    return filtered[:, start - a : start - a + width]


def _spread(uv: Floats) -> Floats:
    """Return the robust standard deviation of each second, shape (n_channels, n_seconds)."""
    low, high = np.quantile(uv, (0.25, 0.75), axis=2)
    spread: Floats = 0.7413 * (high - low)
    return spread


def _mark(reasons: Mapping[str, list[str]], values: Floats, above: str, below: str | None) -> None:
    middle = float(np.median(values))
    sd = 0.7413 * float(np.subtract(*np.quantile(values, (0.75, 0.25))))
    for label, value in zip(reasons, values.tolist(), strict=True):
        z = (value - middle) / sd if sd > 0 else np.inf * np.sign(value - middle)
        if z > ROBUST_Z and value > TIMES * middle:
            reasons[label].append(above)
        elif below and z < -ROBUST_Z and value < middle / TIMES:
            reasons[label].append(below)


def _alone(uv: Floats) -> Floats:
    """Return in which share of the seconds each channel is like no other, shape (n_channels,)."""
    alone = np.zeros(len(uv))
    for second in uv.transpose(1, 0, 2):
        still = np.ptp(second, axis=1) < 1e-6
        centred = second - second.mean(axis=1, keepdims=True)
        centred[~still] /= np.linalg.norm(centred[~still], axis=1, keepdims=True)
        like = np.abs(centred @ centred.T)
        np.fill_diagonal(like, 0)
        alone += (like.max(axis=1) < MIN_CORRELATION) & ~still  # what does not move is flat, which is said elsewhere
    share: Floats = alone / uv.shape[1]
    return share


def pyprep_is_there() -> bool:
    """Tell whether pyprep is installed."""
    return find_spec("pyprep") is not None


def find_by_pyprep(
    volts: Floats, sfreq: float, filled: Sequence[Gap], labels: Sequence[str], positions: Mapping[str, Point]
) -> dict[str, tuple[str, ...]]:
    """Return the channels that pyprep calls bad, with its reasons; its search without RANSAC, on the first whole minutes."""
    from pyprep.find_noisy_channels import NoisyChannels  # an extra, and slow to load

    width = round(sfreq)
    first = signals.starts(volts.shape[1], width, width, filled)[: round(PYPREP_S)]
    placed = [n for n, label in enumerate(labels) if label in positions]
    if len(first) < 10 or len(placed) < MIN_CHANNELS:
        return {}
    info = mne.create_info([labels[n] for n in placed], sfreq, "eeg")
    info.set_montage(
        mne.channels.make_dig_montage({labels[n]: np.array(positions[labels[n]]) for n in placed}, coord_frame="head")
    )
    pieces = np.concatenate([volts[placed, start : start + width] for start in first.tolist()], axis=1)
    with mne.use_log_level("ERROR"):
        noisy = NoisyChannels(mne.io.RawArray(pieces, info), random_state=0)
        noisy.find_bad_by_deviation()
        noisy.find_bad_by_hfnoise()
        noisy.find_bad_by_correlation()
    reasons: dict[str, list[str]] = {}
    for why, named in noisy.get_bads(as_dict=True).items():
        for label in named if why != "bad_all" else ():
            reasons.setdefault(str(label), []).append(why.removeprefix("bad_by_"))
    return {label: tuple(reasons[label]) for label in labels if label in reasons}
