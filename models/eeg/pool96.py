"""The light extractor: each spectrogram averaged over time to 32 frequencies, 96 numbers a channel instead of 2048.

It shares everything else with the paper's recogniser (pictures, scalp map, network), needs no weights, and is fast enough to
stand in every test.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.eeg import spectrogram, variants

N_ROWS = 32
N_FEATURES = 3 * N_ROWS
# edges of the 32 groups of rows of a picture, as even as 229 rows allow
_EDGES = np.floor(np.arange(N_ROWS) * spectrogram.SIZE_PX / N_ROWS).astype(int)
_SIZES = np.diff(np.append(_EDGES, spectrogram.SIZE_PX)).astype(np.float32)


def pool(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average pictures to 32 rows and one column.

    Parameters
    ----------
    images : ndarray, shape (..., 3, 229, 229)
        From :func:`models.eeg.spectrogram.images`.

    Returns
    -------
    ndarray of float32, shape (..., 96)
        Band after band.
    """
    rows = np.add.reduceat(images.mean(axis=-1), _EDGES, axis=-1) / _SIZES
    return rows.reshape(*rows.shape[:-2], N_FEATURES).astype(np.float32)


def extract(
    windows: NDArray[np.float32],
    *,
    below_hz: float | None = None,
    variant: str = variants.DEFAULT,
    progress: Callable[[int], None] = lambda n: None,
) -> NDArray[np.float32]:
    """Return the features of windows, shape (n_windows, n_channels, 96); as :func:`models.eeg.variants.each_window`."""
    return variants.each_window(windows, pool, n_features=N_FEATURES, below_hz=below_hz, variant=variant, progress=progress)
