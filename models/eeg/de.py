"""Differential entropy: how much a band varies, in nats; what most recognisers of emotion in EEG start from.

For a Gaussian signal of variance s it is ``ln(2 pi e s) / 2`` (R.-N. Duan, J.-Y. Zhu and B.-L. Lu, "Differential entropy
feature for EEG-based emotion classification", 6th IEEE/EMBS Conference on Neural Engineering, 2013).
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from models.windows import SFREQ, WINDOW_SAMPLES

BANDS: tuple[tuple[str, float, float], ...] = (
    ("delta", 1.0, 4.0),
    ("theta", 4.0, 8.0),
    ("alpha", 8.0, 14.0),
    ("beta", 14.0, 31.0),
    ("gamma", 31.0, 51.0),
)
"""Name and edges, Hz: the customary five of SEED, whose gamma ends at 50 Hz and here with the paper's 51."""
MIN_VARIANCE = 1e-4  # microvolts squared: below any amplifier's noise; a dead channel is as low as this and no lower

Floats32 = NDArray[np.float32]


def of_variance(variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the differential entropy of Gaussian signals of these variances, nats.

    Examples
    --------
    >>> import numpy as np
    >>> float(of_variance(np.array(1 / (2 * np.pi * np.e))))
    0.0
    """
    out: NDArray[np.float64] = np.log(2 * math.pi * math.e * np.maximum(variance, MIN_VARIANCE)) / 2
    return out


def bands(windows: Floats32) -> Floats32:
    """Return the differential entropy of the five bands.

    Parameters
    ----------
    windows : ndarray, shape (n, n_channels, 600)
        Microvolts at 200 Hz.

    Returns
    -------
    ndarray of float32, shape (n, n_channels, 5)
        The variance is that of the band's bins in the Fourier transform of the Hann-tapered window.
    """
    taper, masks = _bins(windows.shape[2])
    spectrum = np.fft.rfft(windows * taper, axis=2)
    power = 2 * (spectrum.real**2 + spectrum.imag**2) / windows.shape[2]  # sums to the variance (Parseval)
    return of_variance(power @ masks / windows.shape[2]).astype(np.float32)


@functools.cache
def _bins(n_times: int = WINDOW_SAMPLES) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a taper of mean square 1, shape (n_times,), and which bins belong to which band, shape (n_bins, 5)."""
    taper = np.hanning(n_times + 1)[:-1]
    frequencies = np.fft.rfftfreq(n_times, 1 / SFREQ)
    masks = np.stack([(frequencies >= low) & (frequencies < high) for _, low, high in BANDS], axis=1)
    return taper / np.sqrt(np.square(taper).mean()), masks.astype(np.float64)
