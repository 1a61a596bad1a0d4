"""The simulated headset's sensors: order, places on the head, and the channels of its three streams.

Order and streams are those of an Emotiv FLEX 2 Saline over LSL (Emotiv's labstreaminglayer README, EmotivPRO v3 manual).
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

# fmt: off
SENSORS = (
    "Cz", "Fz", "Fp1", "F7", "F3", "FC1", "C3", "FC5", "FT9", "T7", "CP5", "CP1", "P3", "P7", "PO9", "O1",
    "Pz", "Oz", "O2", "PO10", "P8", "P4", "CP2", "CP6", "T8", "FT10", "FC6", "C4", "FC2", "F4", "F8", "Fp2",
)
# fmt: on
EEG_LABELS = ("Timestamp", "Counter", "Interpolate", *SENSORS, "HardwareMarker", "Markers")
CQ_LABELS = ("Timestamp", "BatteryPercent", "Overall", "Signal", *SENSORS)
EQ_LABELS = ("Timestamp", "BatteryPercent", "Overall", "SampleRateQuality", *SENSORS)

EEG_NAME = "EmotivDataStream-EEG"
CQ_NAME = "EmotivDataStream-Contact-Quality"
EQ_NAME = "EmotivDataStream-EEG-Quality"

SFREQ = 256.0  # Hz
QUALITY_SFREQ = 2.0  # Hz

_ROWS = {"Fp": 0, "F": 1, "FT": 2, "FC": 2, "T": 3, "C": 3, "CP": 4, "P": 5, "PO": 6, "O": 7}


def place(label: str) -> tuple[float, float]:
    """Return where a 10-10 label lies on a flat head: row from the front, column from the middle (left negative).

    Examples
    --------
    >>> place("Fz"), place("T7"), place("PO10")
    ((1.0, 0.0), (3.0, -4.0), (6.0, 5.0))
    """
    match = re.fullmatch(r"([A-Z][A-Za-z]*?)(z|\d+)", label)
    if match is None or match[1] not in _ROWS:
        raise ValueError(f"{label!r} is no sensor of the 10-10 system")
    number = 0 if match[2] == "z" else int(match[2])
    column = number / 2 if number % 2 == 0 else -(number + 1) / 2
    return float(_ROWS[match[1]]), float(column)


PLACES: NDArray[np.float64] = np.array([place(label) for label in SENSORS])
_ROW, _COLUMN = PLACES.T

REGIONS: dict[str, NDArray[np.float64]] = {
    "frontal": (_ROW <= 1).astype(float),
    "frontal-left": ((_ROW <= 1) & (_COLUMN < 0)).astype(float),
    "frontal-right": ((_ROW <= 1) & (_COLUMN > 0)).astype(float),
    "central": ((_ROW >= 2) & (_ROW <= 4) & (abs(_COLUMN) <= 2)).astype(float),
    "temporal": ((_ROW >= 1) & (_ROW <= 4) & (abs(_COLUMN) >= 3)).astype(float),
    "posterior": (_ROW >= 5).astype(float),
    "all": np.ones(len(SENSORS)),
}
"""Weight of every sensor in a region, in the order of :data:`SENSORS`."""


def spread(width: float = 1.2) -> NDArray[np.float32]:
    """Return how sources under the sensors mix into them, shape (n_sensors, n_sensors); each row has norm 1.

    Volume conduction makes neighbours alike: a Gaussian of the distance, in columns of the 10-10 grid.
    """
    distance = np.linalg.norm(PLACES[:, None] - PLACES[None], axis=-1)
    mix = np.exp(-((distance / width) ** 2))
    return np.asarray(mix / np.linalg.norm(mix, axis=1, keepdims=True), np.float32)
