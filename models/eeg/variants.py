"""Other ways to a 229x229 spectrogram than the one in :mod:`models.eeg.spectrogram`, to measure what the choice costs.

The paper does not say how 229 frames of 456 points come out of 600 samples. What each guess costs on simulated people stands in
``docs/models.md``; ``emo-train --spectrogram NAME`` trains with one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.eeg import spectrogram
from models.eeg.spectrogram import DB_RANGE, FRAME, N_FFT, POWER_FLOOR, SIZE_PX
from models.windows import WINDOW_SAMPLES

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """How frames are laid over a window of 600 samples.

    Parameters
    ----------
    name : str
        What it is called.
    frame : int
        Samples of the Hann window, zero-padded to 456.
    reach : int
        Samples by which the first frame begins before the window, and the last ends after it; they are the window's own,
        reflected.
    hop : float
        Samples from frame to frame.
    minmax : bool
        Each picture from its own darkest to its own brightest, instead of one range of decibels for all.
    """

    name: str
    frame: int
    reach: int
    hop: float
    minmax: bool = False

    @property
    def starts(self) -> NDArray[np.intp]:
        """First sample of each frame, counted from the window's; negative before it."""
        return np.round(np.arange(SIZE_PX) * self.hop).astype(np.intp) - self.reach


DEFAULT = "inside200"
_STEPS = SIZE_PX - 1
VARIANTS: Mapping[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant(name=DEFAULT, frame=FRAME, reach=0, hop=(WINDOW_SAMPLES - FRAME) / _STEPS),
        Variant(name="inside456", frame=N_FFT, reach=0, hop=(WINDOW_SAMPLES - N_FFT) / _STEPS),
        # as most libraries pad: a frame's middle at every sample of the window, a quarter of the columns free of reflections
        Variant(name="reflect456", frame=N_FFT, reach=N_FFT // 2, hop=WINDOW_SAMPLES / _STEPS),
        # hop 3 over 684 samples, as a reimplementation of Jadhav et al. 2023 has it: 42 samples more on either side
        Variant(name="jadhav", frame=N_FFT, reach=N_FFT // 2 + (3 * _STEPS - WINDOW_SAMPLES) // 2, hop=3.0),
        Variant(name="minmax", frame=FRAME, reach=0, hop=(WINDOW_SAMPLES - FRAME) / _STEPS, minmax=True),
    )
}
"""By name; ``inside200`` is what :func:`models.eeg.spectrogram.images` makes, faster."""


def images(windows: Floats32, variant: Variant) -> Floats32:
    """Return the pictures of windows.

    Parameters
    ----------
    windows : ndarray, shape (..., 600)
        Scaled signals of 3 s.
    variant : Variant
        How.

    Returns
    -------
    ndarray of float32, shape (..., 229, 229)
        0 to 1; row = frequency from 0 Hz, column = frame.
    """
    out = decibels(windows, variant)
    if variant.minmax:
        low, high = out.min(axis=(-2, -1), keepdims=True), out.max(axis=(-2, -1), keepdims=True)
    else:
        low, high = map(np.float32, DB_RANGE)
    shown: Floats32 = np.clip((out - low) / np.maximum(high - low, np.finfo(np.float32).tiny), 0, 1)
    return shown


def decibels(windows: Floats32, variant: Variant) -> Floats32:
    """Return the power of each frame, as :func:`models.eeg.spectrogram.decibels`, shape (..., 229, 229)."""
    flat = windows.reshape(-1, WINDOW_SAMPLES)
    hann = np.hanning(variant.frame + 1)[:-1]
    hann = (hann / np.sqrt(np.square(hann).sum())).astype(np.float32)
    at = variant.starts[:, None] + np.arange(variant.frame)
    at = np.where(at < 0, -at, at)
    at = np.where(at >= WINDOW_SAMPLES, 2 * (WINDOW_SAMPLES - 1) - at, at)
    out = np.empty((len(flat), SIZE_PX, SIZE_PX), np.float32)
    for index, signal in enumerate(flat):
        frames = signal[at]
        spectrum = np.fft.rfft((frames - frames.mean(axis=1, keepdims=True)) * hann, N_FFT, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        out[index] = 10 * np.log10(np.maximum(power, POWER_FLOOR)).T
    return out.reshape(*windows.shape[:-1], SIZE_PX, SIZE_PX)


def each_window(
    windows: Floats32,
    features: Callable[[Floats32], Floats32],
    *,
    n_features: int,
    below_hz: float | None = None,
    variant: str = DEFAULT,
    progress: Callable[[int], None] = lambda n: None,
) -> Floats32:
    """Make features of the pictures of every window, one window at a time: its pictures take 18 MB.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, 3, 600)
        From :func:`models.eeg.spectrogram.segment`.
    features : callable
        Pictures, shape (n_channels, 3, 229, 229), to features, shape (n_channels, n_features).
    n_features : int
        Per channel.
    below_hz : float, optional
        Show only what lies below, as in :func:`models.eeg.spectrogram.images`.
    variant : str
        Of :data:`VARIANTS`.
    progress : callable
        Told 1 after each window.

    Returns
    -------
    ndarray of float32, shape (n_windows, n_channels, n_features)
    """
    out = np.empty((len(windows), windows.shape[1], n_features), np.float32)
    for index, window in enumerate(windows):
        out[index] = features(_pictures(window, variant, below_hz))
        progress(1)
    return out


def _pictures(windows: Floats32, variant: str, below_hz: float | None) -> Floats32:
    if variant == DEFAULT:
        return spectrogram.images(windows, below_hz=below_hz)
    out = images(windows, VARIANTS[variant])
    if below_hz is not None:
        spectrogram.darken(out, below_hz)
    return out
