"""What the spectrum tells: alpha with closed eyes against open, and up to where the headset passes signal. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from bids_export.alignment import Gap
from bids_export.arrays import Floats
from bids_export.report import signals
from bids_export.report.facts import Point, Span

ALPHA_HZ = (8.0, 13.0)
SETTLE_S = 1.0  # at both ends of a baseline: lids and people need a moment
GAMMA_HZ = (31.0, 51.0)  # the band of the paper's that headsets filter
FIT_HZ = (15.0, 30.0)  # where the fall of the spectrum is read, above alpha and below every filter
FELL_DB = 6.0  # below what the fall promises: to a quarter of the power, a filter's work
MAINS_HZ = 2.5  # around the mains: a peak or the headset's notch, neither of which is the edge
_BACK = re.compile(r"(O|PO|P)(z|\d+)")


def within(n_times: int, sfreq: float, spans: Sequence[Span], *, settle_s: float = 0.0) -> list[Gap]:
    """Return everything outside of some spans, as gaps.

    Examples
    --------
    >>> within(100, 10.0, [(2.0, 4.0)])
    [Gap(first=0, n=20), Gap(first=40, n=60)]
    """
    inside = np.zeros(n_times + 2, dtype=np.int8)
    for start, stop in spans:
        a, b = round((start + settle_s) * sfreq), round((stop - settle_s) * sfreq)
        inside[1 + max(0, a) : 1 + max(0, a, min(b, n_times))] = 1
    inside[0] = inside[-1] = 1
    edges = np.flatnonzero(np.diff(inside))
    return [Gap(int(a), int(b - a)) for a, b in edges.reshape(-1, 2)]


def posterior(labels: Sequence[str], positions: Mapping[str, Point]) -> list[int]:
    """Return the channels over the back of the head: by their names, else the hindmost quarter of those with a place."""
    named = [n for n, label in enumerate(labels) if _BACK.fullmatch(label)]
    if named:
        return named
    placed = sorted((positions[label][1], n) for n, label in enumerate(labels) if label in positions)
    return [n for y, n in placed[: max(1, len(placed) // 4)] if y < 0]


def power(freqs: Floats, density: Floats, band: tuple[float, float]) -> Floats:
    """Return the power in a band, shape (n_channels,), square microvolts."""
    inside = (freqs >= band[0]) & (freqs <= band[1])
    total: Floats = density[:, inside].sum(axis=1) * (freqs[1] - freqs[0])
    return total


def alpha(
    volts: Floats, sfreq: float, filled: Sequence[Gap], *, opened: Sequence[Span], closed: Sequence[Span]
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return the power of alpha with open and with closed eyes.

    Parameters
    ----------
    volts : ndarray, shape (n_channels, n_times)
    sfreq : float
        Hz.
    filled : sequence of Gap
        What was not measured.
    opened, closed : sequence of (float, float)
        The baselines, seconds.

    Returns
    -------
    opened, closed : ndarray, shape (n_channels,)
        Square microvolts from 8 to 13 Hz; NaN where a baseline has no whole window of 2 s.
    """
    found = []
    for spans in (opened, closed):
        outside = within(volts.shape[1], sfreq, spans, settle_s=SETTLE_S)
        found.append(power(*signals.spectra(volts, sfreq, [*filled, *outside]), ALPHA_HZ))
    return found[0], found[1]


def passed(freqs: Floats, density: Floats, line_freq: float | None) -> tuple[float | None, float | None]:
    """Tell up to where a spectrum holds signal, and how much of 31 to 51 Hz does.

    The fall from 15 to 30 Hz, a straight line in the logarithms, is gone on with: where the spectrum lies 6 dB below it, a
    filter has taken it. Lines next to the mains tell neither.

    Parameters
    ----------
    freqs : ndarray, shape (n_freqs,)
    density : ndarray, shape (n_freqs,)
        Of the median channel.
    line_freq : float or None
        Hz.

    Returns
    -------
    edge_hz : float or None
        From here on up to 51 Hz there is no signal; None where it reaches further.
    share : float or None
        Of 31 to 51 Hz that holds signal, 0 to 1; None where the rate is too low to tell, or nothing was measured.
    """
    low, high = GAMMA_HZ
    if freqs[-1] < high or not np.isfinite(density).all() or not (density[freqs > 0] > 0).all():
        return None, None
    fit = (freqs >= FIT_HZ[0]) & (freqs <= FIT_HZ[1])
    slope, level = np.polyfit(np.log10(freqs[fit]), 10 * np.log10(density[fit]), 1)
    told = (freqs >= low) & (freqs <= high)
    if line_freq is not None:
        told &= np.abs(freqs - line_freq) > MAINS_HZ
    promised = slope * np.log10(freqs[told]) + level
    holds = 10 * np.log10(density[told]) > promised - FELL_DB
    if not holds.any():
        return low, 0.0
    last = int(np.flatnonzero(holds)[-1])
    edge = float(freqs[told][last + 1]) if last + 1 < len(holds) else None
    return edge, float(holds.mean())
