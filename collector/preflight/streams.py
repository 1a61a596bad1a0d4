"""Judges streams by the samples that were heard of them: rate, format, stamps, and how they arrive. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from collector.losses import n_lost
from collector.preflight.found import Found
from collector.preflight.tap import Answer, Floats, Heard
from collector.wanted import Wanted
from protocol.study import Study

FASTEST_SLOW = 10.0  # Hz: below, three seconds are too few samples to measure a rate
RATE = 0.10  # share by which the measured rate may differ from the nominal one, within three seconds
ARRIVING = 0.25  # share by which what arrives may differ from what the stamps say: a sender may stand still for a moment
BURST_S = 0.4  # seconds of samples that arrive at once: radio and LSL's own chunks stay below a quarter of it
EQUAL_S = 0.2  # seconds of samples with one stamp: what waits for the radio comes together, but not so much of it
BACK = 0.01  # share of stamps that are earlier than the one before
STRAY_S = 0.5  # how far stamps may lie from a steady rate: the radio of a headset jitters by 0.2 s
AWAY_S = 10.0  # how far stamps may lie from now: no headset is that late
LOST = 0.01  # share of lost samples from which on a start is blocked
EXACT = 2.0**24  # from here on float32 cannot hold whole numbers


def judge(answers: Sequence[Answer], study: Study) -> list[Found]:
    """Judge all streams that were heard; one setting that spoils several of them is one line.

    Parameters
    ----------
    answers : sequence of Answer
        As measured.
    study : Study
        Names counter and expected rate.
    """
    heard = [(answer.wanted, answer.heard) for answer in answers if answer.heard is not None and answer.heard.n]
    found: list[Found] = []
    coarse: list[tuple[str, tuple[str, ...], float]] = []
    bursts: list[tuple[str, int, float]] = []
    for wanted, one in heard:
        lost = lost_of(one, study.eeg.counter if wanted.kind == "eeg" else None)
        stamps = _stamps(one, lost=lost)
        own = [*_promises(wanted, one, study), *(stamps or _rates(one, lost=lost))]  # no rate without times
        lossy = coarse_labels(one)
        burst = burst_of(one)
        if lossy:
            coarse.append((one.header.name, *lossy))
        if burst:
            bursts.append((one.header.name, *burst))
        found += own or ([] if lossy or burst else [_good(one)])
    return [*found, *_shared(coarse, bursts)]


def _shared(coarse: Sequence[tuple[str, tuple[str, ...], float]], bursts: Sequence[tuple[str, int, float]]) -> Iterable[Found]:
    if coarse:
        labels = list(dict.fromkeys(label for _, names, _ in coarse for label in names))
        step = max(step for *_, step in coarse)
        yield Found("stream/float32", {"name": _and(name for name, *_ in coarse), "labels": _and(labels), "step": f"{step:g}"})
    if bursts:
        _, n, seconds = bursts[0]
        yield Found("stream/chunks", {"name": _and(name for name, *_ in bursts), "n": n, "seconds": f"{seconds:.1f}"})


def _and(names: Iterable[str]) -> str:
    return ", ".join(names)


def _good(one: Heard) -> Found:
    header, rate = one.header, measured_rate(one, lost=0)
    shown = f"{rate:.1f} / {header.sfreq:g}" if header.sfreq >= FASTEST_SLOW and rate else f"{header.sfreq:g}"
    values = {
        "name": header.name,
        "n_channels": header.n_channels,
        "rate": shown,
        "form": header.format,
        "host": header.hostname,
    }
    return Found("stream/ok", values)


def _promises(wanted: Wanted, one: Heard, study: Study) -> list[Found]:
    """Judge what the EEG promises against the study."""
    name, nominal, asked = one.header.name, one.header.sfreq, study.eeg.sfreq
    if wanted.kind != "eeg":
        return []
    if not nominal:
        return [Found("stream/no_rate", {"name": name})]
    if asked is None or abs(nominal - asked) <= 1e-6 * asked:
        return []
    return [Found("stream/sfreq", {"name": name, "nominal": f"{nominal:g}", "wanted": f"{asked:g}"})]


def _rates(one: Heard, *, lost: int) -> list[Found]:
    """Judge what a stream sends against what it promises."""
    name, nominal = one.header.name, one.header.sfreq
    if nominal < FASTEST_SLOW or burst_of(one):
        return []
    found = []
    if lost:
        values = {"name": name, "n": lost, "of": one.n + lost, "seconds": f"{one.watched_s:.0f}"}
        found.append(Found("stream/losses" if lost > LOST * (one.n + lost) else "stream/lost_some", values))
    rate = measured_rate(one, lost=lost)
    if rate is not None and abs(rate - nominal) > RATE * nominal:
        found.append(Found("stream/rate", {"name": name, "rate": f"{rate:.1f}", "nominal": f"{nominal:g}"}))
    return found


def measured_rate(one: Heard, *, lost: int) -> float | None:
    """Return samples a second, lost ones included; None where too few came.

    By their stamps; by their arrival where that says something else, because stamps may be made up from the promised rate.
    The first look's samples had waited.
    """
    if len(one.arrivals) < 3 or one.n < 3:
        return None
    arriving_s, stamped_s = float(np.ptp(one.arrivals[:, 0])), float(np.ptp(one.stamps))
    arriving = (float(one.arrivals[1:, 1].sum()) + lost) / arriving_s if arriving_s > 0 else 0.0
    stamped = (one.n - 1 + lost) / stamped_s if stamped_s > 0 else 0.0
    return stamped if abs(arriving - stamped) <= ARRIVING * stamped else arriving


def lost_of(one: Heard, counter: str | None) -> int:
    """Return how many samples the device's counter misses; 0 without one, or where it does not count."""
    if counter not in one.header.labels or one.n < 2:
        return 0
    column = one.values[:, one.header.labels.index(counter)]
    if not np.isfinite(column).any() or np.ptp(column[np.isfinite(column)]) == 0:
        return 0
    return n_lost(column, one.stamps, one.header.sfreq)


def burst_of(one: Heard) -> tuple[int, float] | None:
    """Return samples and seconds of the bursts in which a stream arrives, None for one that flows.

    The burst that the median sample belongs to: one that came because this computer, or the network, stood still for a moment
    is none. What came while nobody looked is not held against the stream.
    """
    sfreq = one.header.sfreq
    if sfreq < FASTEST_SLOW or not len(one.arrivals):
        return None
    middle = middle_of(one.arrivals[:, 1])
    seconds = middle / sfreq
    return (middle, seconds) if seconds >= BURST_S and seconds > 2 * one.stall_s else None


def middle_of(sizes: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> int:
    """Return the size of the group that the median sample belongs to.

    Examples
    --------
    >>> middle_of(np.array([1, 1, 1, 1, 8]))
    8
    """
    ordered = np.sort(sizes)
    return int(ordered[np.searchsorted(np.cumsum(ordered), ordered.sum() / 2)])


def coarse_labels(one: Heard) -> tuple[tuple[str, ...], float] | None:
    """Return the channels that float32 cannot hold, and its coarsest step there; None where it can."""
    if one.header.format != "float32":
        return None
    top = np.max(np.abs(np.where(np.isfinite(one.values), one.values, 0)), axis=0, initial=0)
    labels = one.header.labels or tuple(str(n) for n in range(1, one.header.n_channels + 1))
    columns = np.flatnonzero(top >= EXACT)
    if not len(columns):
        return None
    return tuple(labels[n] for n in columns), float(np.spacing(np.float32(top[columns].max())))


def _stamps(one: Heard, *, lost: int) -> list[Found]:
    if one.header.sfreq < FASTEST_SLOW or one.n < 3 or burst_of(one):
        return []
    name, host = one.header.name, one.header.hostname
    why = why_no_times(one.stamps, one.header.sfreq, lost=lost)
    if not why and one.offset_s is not None:
        late = float(one.arrivals[-1, 0] - (one.stamps[-1] + one.offset_s))
        why = f"{-late:+.0f} s" if abs(late) > AWAY_S else ""
    if why:
        return [Found("stream/stamps", {"name": name, "why": why})]
    return [] if one.offset_s is not None else [Found("stream/no_clock", {"name": name, "host": host})]


def why_no_times(stamps: Floats, sfreq: float, *, lost: int = 0) -> str:
    """Return why stamps cannot be the times of samples, in signs that need no language; nothing where they can.

    Parameters
    ----------
    stamps : ndarray, shape (n,)
        Seconds.
    sfreq : float
        Nominal rate, Hz.
    lost : int
        Samples known to be lost: then they need not be even.

    Examples
    --------
    >>> why_no_times(np.array([0.0, 0.0, 0.0, 0.0, 0.1, 0.1, 0.1]), 10.0)
    '4 x t'
    """
    if not np.isfinite(stamps).all():
        return "NaN"
    steps = np.diff(stamps)
    runs = np.diff(np.flatnonzero(np.concatenate([[True], steps != 0, [True]])))  # how many samples share each stamp
    if (together := middle_of(runs)) > EQUAL_S * sfreq and together > 1:
        return f"{together} x t"
    if (back := float((steps < 0).mean())) > BACK:
        return f"t[n] < t[n-1]: {100 * back:.0f} %"
    index = np.arange(len(stamps), dtype=np.float64)
    since = stamps - stamps[0]
    stray = float(np.max(np.abs(since - np.polyval(np.polyfit(index, since, 1), index))))
    return f"+- {stray:.2f} s" if stray > STRAY_S and not lost else ""
