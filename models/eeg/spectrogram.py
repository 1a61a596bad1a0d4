"""EEG to pictures: notch, three bands, one scale, short-time Fourier transform, 229x229 decibels (pure, batched).

The paper, section 4: three Butterworth bands of the signal at 200 Hz are scaled to [0, 1], cut into 3-s windows, and turned
into three 229x229 spectrograms, the three colour planes of one picture per channel. What the paper leaves open is decided here
by what keeps the information: one scale per recording and band for all channels, frames that lie inside the window (no
reflected samples), and one range of decibels for all pictures (a range per picture would erase differences between channels).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.windows import SFREQ, WINDOW_SAMPLES

BANDS: tuple[tuple[float, float], ...] = ((1.0, 14.0), (14.0, 31.0), (31.0, 51.0))  # Hz; the paper, section 4.1
ORDER = 3  # of the Butterworth prototype; run forwards and backwards, so no phase and twice the slope
NOTCH_Q = 30.0  # about 1.7 Hz wide at 50 Hz, which lies inside the third band
MAINS = (50.0, 60.0)  # Hz; both are notched where the recording does not say which it was

SIZE_PX = 229  # rows (frequencies) and columns (frames)
N_HALF = SIZE_PX // 2 + 1
N_FFT = (SIZE_PX - 1) * 2  # 456 points have 229 frequencies, 0.44 Hz apart
FRAME = 200  # samples of the Hann window, 1 s, zero-padded to N_FFT: all 229 frames fit into the window
STARTS = np.round(np.linspace(0, WINDOW_SAMPLES - FRAME, SIZE_PX)).astype(int)  # first sample of each frame
HANN = np.hanning(FRAME + 1)[:-1].astype(np.float32)  # periodic

SMEAR_HZ = 2 * SFREQ / FRAME  # half the width of a Hann window's peak: a line shows in the rows this near to it
BLOCK = 3  # signals at once: what is computed for them stays in the processor's cache

POWER_FLOOR = 1e-10
# Decibels shown, black to white. White noise that fills [0, 1] with a standard deviation of 0.16 and lies in the narrowest band
# has a power near -8 dB per bin; 6 dB are left above, and the quietest channels of a recording lie some 40 dB below.
DB_RANGE = (-60.0, 0.0)
# Ends of [0, 1], percent of a recording's samples: with the true extremes one electrode pop would darken every picture.
SCALE_PERCENTILES = (0.1, 99.9)


def split_bands(
    eeg: NDArray[np.float32],
    *,
    line_freq: float | None = None,
    sfreq: float = SFREQ,
    bands: Sequence[tuple[float, float]] = BANDS,
) -> NDArray[np.float32]:
    """Remove the mains and filter into bands, without phase.

    Parameters
    ----------
    eeg : ndarray, shape (n_channels, n_times)
        A whole recording at 200 Hz, any unit.
    line_freq : float or None
        Mains, Hz; None notches 50 and 60 Hz.
    sfreq : float
        Hz.
    bands : sequence of (float, float)
        Ends of each, Hz; the paper's three.

    Returns
    -------
    ndarray of float32, shape (n_bands, n_channels, n_times)
        In the unit of `eeg`.
    """
    from scipy import signal

    clean = eeg.astype(np.float64)
    for mains in MAINS if line_freq is None else (line_freq,):
        clean = signal.filtfilt(*signal.iirnotch(mains, NOTCH_Q, fs=sfreq), clean, axis=-1)
    filters = [signal.butter(ORDER, band, btype="bandpass", fs=sfreq, output="sos") for band in bands]
    return np.stack([signal.sosfiltfilt(sos, clean, axis=-1).astype(np.float32) for sos in filters])


def scale(bands: NDArray[np.float32], valid: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    """Scale each band of a recording to [0, 1], with one scale for all its channels.

    Parameters
    ----------
    bands : ndarray, shape (3, n_channels, n_times)
        From :func:`split_bands`.
    valid : ndarray of bool, shape (n_times,), optional
        Samples that were really recorded; only these set the scale.

    Returns
    -------
    ndarray of float32, shape (3, n_channels, n_times)
        0 and 1 are the :data:`SCALE_PERCENTILES`; the rare samples beyond are kept, not clipped, since clipping would put power
        into frequencies that are not there.
    """
    known = bands if valid is None or not valid.any() else bands[:, :, valid]
    low, high = np.percentile(known.reshape(len(bands), -1), SCALE_PERCENTILES, axis=1)
    span = np.maximum(high - low, np.finfo(np.float32).tiny)
    out: NDArray[np.float32] = ((bands - low[:, None, None]) / span[:, None, None]).astype(np.float32)
    return out


def segment(bands: NDArray[np.float32], starts_s: Sequence[float], *, sfreq: float = SFREQ) -> NDArray[np.float32]:
    """Cut a scaled recording into windows.

    Parameters
    ----------
    bands : ndarray, shape (3, n_channels, n_times)
        From :func:`scale`.
    starts_s : sequence of float
        Seconds from the first sample.
    sfreq : float
        Hz.

    Returns
    -------
    ndarray of float32, shape (n_windows, n_channels, 3, 600)

    Raises
    ------
    ValueError
        When a window does not lie inside the recording.
    """
    first = [round(start * sfreq) for start in starts_s]
    # one sample of tolerance: a recording that ends with its last window may round down when resampled
    if first and (min(first) < 0 or max(first) + WINDOW_SAMPLES > bands.shape[2] + 1):
        raise ValueError(f"a window ends at sample {max(first) + WINDOW_SAMPLES} of {bands.shape[2]}")
    padded = np.pad(bands, ((0, 0), (0, 0), (0, 1)), mode="edge")
    out = np.empty((len(first), bands.shape[1], bands.shape[0], WINDOW_SAMPLES), np.float32)
    for index, start in enumerate(first):
        out[index] = padded[:, :, start : start + WINDOW_SAMPLES].transpose(1, 0, 2)
    return out


def decibels(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the power of each frame, decibels of the squared unit per frequency bin.

    Parameters
    ----------
    windows : ndarray, shape (..., 600)
        Scaled signals of 3 s.

    Returns
    -------
    ndarray of float32, shape (..., 229, 229)
        Row = frequency, from 0 Hz; column = frame, from the window's start. Each frame's mean is removed.
    """
    return _levels(windows, POWER_FLOOR, np.inf, unit=0.1)


def _levels(windows: NDArray[np.float32], low: float, high: float, *, unit: float) -> NDArray[np.float32]:
    """Return the power of each frame, held between two ends, as a logarithm in a unit of bels, shape (..., 229, 229)."""
    flat = np.ascontiguousarray(windows, np.float32).reshape(-1, WINDOW_SAMPLES)
    out = np.empty((len(flat), SIZE_PX, SIZE_PX), np.float32)
    for first in range(0, len(flat), BLOCK):
        block = out[first : first + BLOCK]
        _power(flat[first : first + BLOCK], block)
        np.clip(block, low, high, out=block)
        np.log10(block, out=block)
        np.divide(block, np.float32(unit), out=block)
    return out.reshape(*windows.shape[:-1], SIZE_PX, SIZE_PX)


def _power(signals: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Write the power of a few signals, shape (n, 600), into `out`, shape (n, 229, 229).

    A frame's power does not depend on where time begins, so time is counted from the frame's middle: the sum of what lies at
    equal distances before and after it meets cosines alone, the difference sines alone. And of the frequencies half are
    enough: from k to 228 - k what lies at odd distances changes its sign, what lies at even ones does not. Together that is a
    quarter of the work, as products of matrices; 456 = 8 * 3 * 19 suits no fast Fourier transform.
    """
    signals = signals - signals.mean(axis=1, keepdims=True)  # each frame's mean goes anyway: small numbers are exacter
    summed = np.zeros((len(signals), WINDOW_SAMPLES + 1))
    np.cumsum(signals, axis=1, out=summed[:, 1:])
    whole = (summed[:, STARTS + FRAME] - summed[:, STARTS]).astype(np.float32)  # of each frame, to remove its mean
    cosine_even, sine_even = _products(signals, _EVEN, [whole, signals[:, STARTS + FRAME // 2]])
    cosine_odd, sine_odd = _products(signals, _ODD, [whole])
    low, high = out[:, :N_HALF], out[:, : N_HALF - 2 : -1]  # the middle row is in both
    _squares(cosine_even + cosine_odd, sine_even + sine_odd, low)
    _squares(np.subtract(cosine_even, cosine_odd, out=cosine_even), np.subtract(sine_even, sine_odd, out=sine_even), high)


def _products(
    signals: NDArray[np.float32], at: _Distances, alone: Sequence[NDArray[np.float32]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the cosine and the sine parts, shape (n, 115, 229), of what lies at some distances; `alone` has no partner."""
    after, before = np.take(signals, at.after, axis=1), np.take(signals, at.before, axis=1)  # (n, n_distances, 229 frames)
    both = np.empty((len(signals), len(alone) + len(at.after), SIZE_PX), np.float32)
    for row, values in enumerate(alone):
        both[:, row] = values
    np.add(after, before, out=both[:, len(alone) :])
    np.subtract(after, before, out=after)
    return np.matmul(at.cosines, both), np.matmul(at.sines, after)


def _squares(cosine: NDArray[np.float32], sine: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    np.square(cosine, out=cosine)
    np.square(sine, out=sine)
    np.add(cosine, sine, out=out)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Distances:
    """Every second distance from a frame's middle: which samples lie there, and what they are multiplied with.

    ``after`` and ``before`` are indices, shape (n_distances, 229 frames); ``cosines``, shape (115, n_alone + n_distances), and
    ``sines``, shape (115, n_distances), hold the Hann window and the scale. The cosines' first column, which the sum of all
    samples meets, removes the frame's mean; where the middle is among the distances it has the second.
    """

    after: NDArray[np.intp]
    before: NDArray[np.intp]
    cosines: NDArray[np.float32]
    sines: NDArray[np.float32]


def _distances(first: int) -> _Distances:
    """Return the even distances (0, 2, ..) or the odd ones (1, 3, ..); the window is 0 at the frame's first sample."""
    middle = FRAME // 2
    at = np.arange(-middle, middle)
    angle = 2 * np.pi * np.outer(np.arange(N_HALF), at) / N_FFT
    window = HANN / np.sqrt(np.square(HANN.astype(np.float64)).sum())
    cosines, sines = np.cos(angle) * window, np.sin(angle) * window
    away = np.arange(first or 2, middle, 2)
    mean = cosines[:, at % 2 == first].sum(axis=1) / FRAME
    alone = [-mean] if first else [-mean, cosines[:, middle]]
    centres = STARTS + middle
    return _Distances(
        after=centres + away[:, None], before=centres - away[:, None],
        cosines=np.column_stack([*alone, cosines[:, middle + away]]).astype(np.float32),
        sines=np.ascontiguousarray(sines[:, middle + away], np.float32),
    )  # fmt: skip


_EVEN, _ODD = _distances(0), _distances(1)


def images(windows: NDArray[np.float32], *, below_hz: float | None = None) -> NDArray[np.float32]:
    """Return the pictures of windows.

    Parameters
    ----------
    windows : ndarray, shape (..., 3, 600)
        From :func:`segment`.
    below_hz : float, optional
        Show only what lies below: bands above are black, and so are the rows from a frame's smear below this frequency on.

    Returns
    -------
    ndarray of float32, shape (..., 3, 229, 229)
        0 (black) to 1 (white) over :data:`DB_RANGE`.
    """
    low, high = DB_RANGE
    span = high - low
    louder = windows * np.float32(10 ** (-low / 20))  # so that black is a power of 1
    out = _levels(louder, 1.0, 10 ** (span / 10) * (1 - 2e-6), unit=span / 10)  # the logarithm may round up, not beyond white
    if below_hz is not None:
        darken(out, below_hz)
    return out


def darken(pictures: NDArray[np.float32], below_hz: float) -> None:
    """Make pictures, shape (..., 3, 229, 229), black above a frequency, in place."""
    pictures[..., [band for band, (start, _) in enumerate(BANDS) if start >= below_hz], :, :] = 0
    pictures[..., int(np.ceil((below_hz - SMEAR_HZ) * N_FFT / SFREQ)) :, :] = 0
