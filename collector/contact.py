"""Whether somebody wears the cap: cued blinks seen in frontal EEG, and alpha with eyes closed. Pure: arrays in, a verdict out.

Contact quality is an impedance: it can be green with the cap on a table. A blink is a deflection of about 0.2 s that is largest
above the eyes, alike in every sensor there. Cues come at uneven intervals and blinks answer them at one delay, so what happens
by itself (spontaneous blinks, electrodes that pop, cables that move) does not line up with them; how many of the cues chance
alone would answer is worked out from how often such deflections come.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import signal, stats

FRONTAL = ("Fp1", "Fpz", "Fp2", "AF7", "AF3", "AFz", "AF4", "AF8")
SIDES = ("F7", "F8", "F9", "F10", "F5", "F6", "F3", "F4", "Fz", "F1", "F2")  # where nothing sits nearer to the eyes
N_FRONTAL = 4
MIN_CUES = 3  # fewer prove nothing
PHASE_S = 10.0  # cues come at most 4 s apart: what is further apart was cued anew
LAG_S = (0.05, 2.5)  # from a cue to its blink: lids take 0.2 to 0.6 s, radio headsets come up to 2 s late
REACHES_S = (0.07, 0.15)  # from a common delay to one blink: some people are even, some are not
CHANCE = 0.005  # how often deflections that have nothing to do with the cues may line up as well
BAND_HZ = (0.7, 10.0)  # holds a blink; drift and mains lie outside
MIN_UV, MADS = 20.0, 3.0  # smaller deflections are brain, or noise
WIDTH_S = (0.05, 0.5)  # at half of the height
APART_S = 0.25
COMMON = 0.3  # every sensor near the eyes has at least so much of what their mean has
EDGE_S = 4.0  # before and after the cues: for the filter, and for what happens without them
MIN_SFREQ = 50.0
MIN_COVER = 0.8  # of the time around the cues must have been measured
NOISY = 4.0  # a sensor that is so much noisier than its quietest neighbour is left out
FLAT_UV = 0.05  # a sensor that moves less gives a constant
ALPHA_HZ = (8.0, 13.0)
ALPHA_MIN_S = 4.0
_POSTERIOR = re.compile(r"(O|PO|P)(z|\d+)")

Floats = NDArray[np.float64]
Span = tuple[float, float]


@dataclass(frozen=True)
class Eeg:
    """EEG on an even grid.

    Parameters
    ----------
    labels : tuple of str
        Names of the sensors by the 10-10 system; others are as far from the eyes as one can be.
    uv : ndarray, shape (n_channels, n_times)
        Microvolts; NaN where nothing was measured.
    sfreq : float
        Hz.
    t_first : float
        LSL seconds of the first sample.
    """

    labels: tuple[str, ...]
    uv: Floats
    sfreq: float
    t_first: float = 0.0

    def cut(self, span: Span) -> Eeg:
        """Return what lies between two moments, LSL seconds."""
        a, b = (max(0, round((t - self.t_first) * self.sfreq)) for t in span)
        return Eeg(self.labels, self.uv[:, a:b], self.sfreq, self.t_first + a / self.sfreq)


@dataclass(frozen=True)
class Found:
    """What was found.

    Parameters
    ----------
    state : str
        ``ok``, ``no_blinks``, or ``not_checked`` where it cannot be judged.
    n_cues, n_seen : int
        Cues, and those that a blink answered.
    alpha : float or None
        Alpha power with eyes closed, relative to open; None where there are not both baselines.
    delay_s : float or None
        From the cues to the blinks.
    channels : tuple of str
        Where blinks were looked for.
    why : str
        Why it is not ok, in a few words.
    """

    state: Literal["ok", "no_blinks", "not_checked"]
    n_cues: int = 0
    n_seen: int = 0
    alpha: float | None = None
    delay_s: float | None = None
    channels: tuple[str, ...] = ()
    why: str = ""


def check(eeg: Eeg, cues: Sequence[float], *, opened: Sequence[Span] = (), closed: Sequence[Span] = ()) -> Found:
    """Look for the blinks that answer cues, and for alpha.

    Parameters
    ----------
    eeg : Eeg
        Of the recording so far, sensors alone.
    cues : sequence of float
        LSL seconds, ascending. Of cues that were shown again the last ones count (:func:`phases`).
    opened, closed : sequence of (float, float)
        LSL seconds of the baselines with eyes open, and with eyes closed.

    Returns
    -------
    Found
    """
    ratio = alpha(eeg, opened, closed)
    last = phases(cues)[-1] if len(cues) else ()
    found = _blinks(eeg, last)
    return Found(found.state, len(last), found.n_seen, ratio, found.delay_s, found.channels, found.why)


def phases(cues: Sequence[float]) -> list[tuple[float, ...]]:
    """Cut cues into the times that they were shown.

    Examples
    --------
    >>> phases([1.0, 3.0, 60.0, 63.0])
    [(1.0, 3.0), (60.0, 63.0)]
    """
    cuts = [0, *(n for n, (a, b) in enumerate(pairwise(cues), 1) if b - a > PHASE_S), len(cues)]
    return [tuple(cues[a:b]) for a, b in pairwise(cuts) if b > a]


# ---- blinks


@dataclass(frozen=True)
class _Line:
    """What blinks are looked for in: the mean of sensors, shape (n_times,), and each of them, shape (n_sensors, n_times)."""

    channels: tuple[str, ...]
    mean: Floats
    each: Floats
    measured: NDArray[np.bool_]
    near_eyes: bool


def _blinks(eeg: Eeg, cues: Sequence[float]) -> Found:
    n = len(cues)
    if n < MIN_CUES:
        return Found("not_checked", n, why=f"{n} cues to blink are too few: {MIN_CUES} are needed")
    if eeg.sfreq < MIN_SFREQ:
        return Found("not_checked", n, why=f"{eeg.sfreq:g} samples a second do not show a blink")
    around = eeg.cut((cues[0] - EDGE_S, cues[-1] + LAG_S[1] + EDGE_S))
    line = _line(around)
    if line is None:
        return Found("no_blinks", n, why="every sensor gives a constant")
    reached = [t for t in cues if _measured(around, line.measured, (t, t + 1.0)) >= MIN_COVER]
    if len(reached) < max(MIN_CUES, MIN_COVER * n):
        return Found("not_checked", n, channels=line.channels, why="the EEG was not measured around the cues")
    answers = [_answered(_events(line, around, sign), reached) for sign in (1, -1)]
    best = min(answers, key=lambda answer: answer.chance)
    if best.chance <= CHANCE:
        return Found("ok", n, best.n_seen, delay_s=best.delay_s, channels=line.channels)
    if not line.near_eyes:
        return Found("not_checked", n, best.n_seen, channels=line.channels, why="no sensor sits near the eyes")
    why = f"of {len(reached)} cues {best.n_seen} were answered" + (", as chance alone could have it" if best.n_seen else "")
    return Found("no_blinks", n, best.n_seen, channels=line.channels, why=why)


def _line(eeg: Eeg) -> _Line | None:
    """Filter the sensors near the eyes, against what all others have in common; None where nothing moves."""
    measured = np.isfinite(eeg.uv)
    moves = [n for n in range(len(eeg.labels)) if measured[n].sum() > 2 and float(np.ptp(eeg.uv[n, measured[n]])) > FLAT_UV]
    if not moves:
        return None
    picks = _near_eyes([eeg.labels[n] for n in moves])
    near = [moves[n] for n in picks] or moves
    uv = _filtered(_bridged(eeg.uv[moves]), eeg.sfreq)
    others = [k for k, n in enumerate(moves) if n not in near]
    each = uv[[moves.index(n) for n in near]]
    if picks and len(others) >= N_FRONTAL:  # what the reference alone did is in every sensor alike
        each = each - np.median(uv[others], axis=0)
    quiet = quiet_ones(each)
    near, each = [n for n, is_quiet in zip(near, quiet, strict=True) if is_quiet], each[quiet]
    there = np.asarray(measured[near].all(axis=0))
    return _Line(tuple(eeg.labels[n] for n in near), _middle(each), each, there, bool(picks))


def frontal_line(uv: Floats, sfreq: float) -> Floats:
    """Return what sensors near the eyes have in common: noisy ones left out, as the check does.

    Parameters
    ----------
    uv : ndarray, shape (n_sensors, n_times)
        Microvolts, finite.
    sfreq : float
        Hz.

    Returns
    -------
    ndarray, shape (n_times,)
        Without the sensors' offsets.
    """
    centred = uv - np.median(uv, axis=1, keepdims=True)
    return _middle(centred[quiet_ones(_filtered(uv, sfreq))])


def quiet_ones(each: Floats) -> NDArray[np.bool_]:
    """Tell which rows are not much noisier than the quietest."""
    return np.asarray(_noise(each) <= NOISY * _noise(each).min())


def _noise(uv: Floats) -> Floats:
    """Return the usual size of each row, robust against blinks, microvolts."""
    return np.asarray(1.4826 * np.median(np.abs(uv - np.median(uv, axis=-1, keepdims=True)), axis=-1))


def _near_eyes(labels: Sequence[str]) -> list[int]:
    for names in (FRONTAL, SIDES):
        found = sorted((names.index(label), n) for n, label in enumerate(labels) if label in names)
        if found:
            return [n for _, n in found[:N_FRONTAL]]
    return []


def _middle(each: Floats) -> Floats:
    """Return the mean, or of three and more the median: one bad sensor must neither make a blink nor hide one."""
    return np.asarray(each.mean(axis=0) if len(each) < 3 else np.median(each, axis=0))


def _bridged(uv: Floats) -> Floats:
    """Return rows without holes: a straight line over what was not measured."""
    bridged, index = uv.copy(), np.arange(uv.shape[1])
    for row in bridged:
        known = np.isfinite(row)
        row[~known] = np.interp(index[~known], index[known], row[known])
    return bridged


def _filtered(uv: Floats, sfreq: float) -> Floats:
    band = signal.butter(2, (BAND_HZ[0], min(BAND_HZ[1], 0.4 * sfreq)), "bandpass", fs=sfreq, output="sos")
    centred = uv - np.median(uv, axis=1, keepdims=True)
    return np.asarray(signal.sosfiltfilt(band, centred, axis=1, padlen=min(round(2 * sfreq), uv.shape[1] - 1)))


def _measured(eeg: Eeg, measured: NDArray[np.bool_], span: Span) -> float:
    """Return which share of a span was measured."""
    a, b = (round((t - eeg.t_first) * eeg.sfreq) for t in span)
    return float(measured[max(0, a) : max(0, b)].sum()) / max(1, b - a)


def _events(line: _Line, eeg: Eeg, sign: int) -> Floats:
    """Return LSL seconds of deflections that look like blinks."""
    uv = sign * line.mean
    least = max(MIN_UV, MADS * float(_noise(uv)))
    peaks, _ = signal.find_peaks(uv, height=least, prominence=0.7 * least, distance=max(1, round(APART_S * eeg.sfreq)))
    widths = signal.peak_widths(uv, peaks, rel_height=0.5)[0] / eeg.sfreq
    alike = (sign * line.each[:, peaks] >= COMMON * uv[peaks]).mean(axis=0) > 0.7
    fit = (widths >= WIDTH_S[0]) & (widths <= WIDTH_S[1]) & alike & line.measured[peaks]
    return np.asarray(eeg.t_first + peaks[fit] / eeg.sfreq)


@dataclass(frozen=True)
class _Answer:
    n_seen: int = 0
    delay_s: float | None = None
    chance: float = field(default=1.0)


def _answered(events: Floats, cues: Sequence[float]) -> _Answer:
    """Return at which delay most cues are answered, and how likely chance alone would do as well."""
    tried = [_within(reach, events, cues) for reach in REACHES_S]
    seen = max(tried, key=lambda answer: answer.n_seen)  # what people are told
    return _Answer(seen.n_seen, seen.delay_s, len(tried) * min(answer.chance for answer in tried))


def _within(reach_s: float, events: Floats, cues: Sequence[float]) -> _Answer:
    first, last = cues[0], cues[-1] + LAG_S[1]
    inside = events[(events >= first) & (events <= last)]
    late = inside[None, :] - np.asarray(cues)[:, None]
    lags = np.arange(LAG_S[0], LAG_S[1], 0.02)
    hits = (np.abs(late[:, :, None] - lags) <= reach_s).any(axis=1)  # (n_cues, n_lags)
    counts = hits.sum(axis=0)
    if not len(inside) or not counts.max():
        return _Answer()
    best = lags[counts == counts.max()]
    lag = float(best[np.argmin(np.abs(best - np.median(best)))])
    n_seen = int(counts.max())
    # under chance every deflection is a stranger: those that answer count as such too
    meets = 1 - np.exp(-2 * reach_s * len(inside) / (last - first))
    tries = (LAG_S[1] - LAG_S[0]) / (2 * reach_s)
    near = late[(np.abs(late - lag) <= reach_s)]
    return _Answer(n_seen, float(np.median(near)), float(tries * stats.binom.sf(n_seen - 1, len(cues), meets)))


# ---- alpha


def alpha(eeg: Eeg, opened: Sequence[Span], closed: Sequence[Span]) -> float | None:
    """Return alpha power with closed eyes relative to open ones, the median over sensors at the back of the head.

    None without both baselines, or without such sensors.
    """
    back = [n for n, label in enumerate(eeg.labels) if _POSTERIOR.fullmatch(label)]
    powers = [_power(eeg, back, spans) for spans in (opened, closed)] if back else []
    if not powers or powers[0] is None or powers[1] is None:
        return None
    return float(np.median(powers[1] / np.maximum(powers[0], 1e-12)))


def _power(eeg: Eeg, picks: Sequence[int], spans: Sequence[Span]) -> Floats | None:
    powers = []
    for span in spans:
        part = eeg.cut(span).uv[picks]
        part = part[:, np.isfinite(part).all(axis=0)]
        if part.shape[1] >= ALPHA_MIN_S * eeg.sfreq:
            freqs, power = signal.welch(part, eeg.sfreq, nperseg=round(2 * eeg.sfreq))
            inside = (freqs >= ALPHA_HZ[0]) & (freqs <= ALPHA_HZ[1])
            powers.append(power[:, inside].mean(axis=1))
    return np.asarray(np.mean(powers, axis=0)) if powers else None
