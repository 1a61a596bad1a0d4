"""The cap on a flat head: where each sensor is drawn, how good its contact is, which to wet first. Pure but for MNE's files."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from collector import quality
from collector.quality import CQ_LEVELS, EQ_LEVELS, HOLD_S
from protocol.messages import Status
from protocol.scene import Cap

State = Literal["good", "fair", "poor", "none", "unknown"]
Place = tuple[float, float]  # right and front of the middle; the head's rim is at 1

RIM = 0.92  # the outermost sensor: its dot lies inside the head
EQUATOR_DEG = 100.0  # of a cap without sensors below the rim of a hat: it does not fill the face
FAIR = 0.5  # share of good contact: 2 of Emotiv's 4
N_WORST = 3
KINDS: Mapping[str, str] = {"CQ": "contact_quality", "EQ": "eeg_quality"}  # of streams, as the collector's status calls them


@dataclass(frozen=True)
class Reading:
    """What the device says of its contacts: the share of good contact of each sensor, and over all; None: not known."""

    shares: Mapping[str, float | None]
    overall: float | None = None


def montage(name: str) -> dict[str, tuple[float, float, float]]:
    """Return the positions of a montage of MNE's by label: right, front, up, metres. Takes a second: not in a loop.

    Raises
    ------
    ValueError
        When there is none of that name.
    """
    import mne

    positions = mne.channels.make_standard_montage(name).get_positions()["ch_pos"]
    return {label: (float(x), float(y), float(z)) for label, (x, y, z) in positions.items()}


def places(labels: Iterable[str], positions: Mapping[str, tuple[float, float, float]]) -> dict[str, Place]:
    """Return where labels lie on a flat head seen from above, nose up, as far as the montage knows them.

    A sphere is laid through the whole montage; the angle from its top becomes the distance from the middle (azimuthal
    equidistant), so that sensors on the neck have a place too. Capitals do not matter.

    Examples
    --------
    >>> places(["CZ", "X"], {"Cz": (0, 0, 1), "A1": (-1, 0, 0), "A2": (1, 0, 0), "N": (0, 1, 0), "I": (0, -1, 0)})
    {'CZ': (0.0, 0.0)}
    """
    known = {label.lower(): np.array(at) for label, at in positions.items()}
    found = [label for label in labels if label.lower() in known]
    if not found:
        return {}
    middle = _middle(np.array(list(known.values())))
    right, front, up = (np.array([known[label.lower()] for label in found]) - middle).T
    angle = np.degrees(np.arctan2(np.hypot(right, front), up))
    radius = RIM * angle / max(EQUATOR_DEG, float(angle.max()))
    turn = np.arctan2(front, right)
    flat = np.round(np.column_stack([radius * np.cos(turn), radius * np.sin(turn)]), 4) + 0.0
    return {label: (float(x), float(y)) for label, (x, y) in zip(found, flat, strict=True)}


def _middle(points: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the middle of the sphere that fits points best (least squares), on the plane between left and right."""
    rows = np.column_stack([2 * points, np.ones(len(points))])
    middle = np.linalg.lstsq(rows, (points**2).sum(axis=1), rcond=None)[0][:3]
    middle[0] = 0.0  # a template's own crookedness would make left and right differ
    return np.asarray(middle)


def dot_radius(places: Iterable[Place]) -> float:
    """Return how large dots can be without touching each other, in radii of the head."""
    points = np.array(list(places))
    if len(points) < 2:
        return 0.075
    apart = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    nearest = float(np.min(apart[~np.eye(len(points), dtype=bool)]))
    return min(0.075, max(0.02, 0.46 * nearest))


def named(text: str, labels: Iterable[str]) -> str | None:
    """Return the label that a text names, such as the study's reference.

    Examples
    --------
    >>> named("CMS at TP9", ["Cz", "TP9"]), named("linked ears", ["Cz"])
    ('TP9', None)
    """
    known = {label.lower(): label for label in labels}
    return next((known[word.lower()] for word in reversed(re.findall(r"\w+", text)) if word.lower() in known), None)


def state(share: float | None, threshold: float) -> State:
    """Return how good a contact is; ``good`` is what the gate counts as good.

    Examples
    --------
    >>> [state(share, 0.8) for share in (1.0, 0.8, 0.5, 0.25, 0.0, None)]
    ['good', 'good', 'fair', 'poor', 'none', 'unknown']
    """
    if share is None:
        return "unknown"
    if share >= threshold - 1e-9:
        return "good"
    return "fair" if share >= FAIR else "poor" if share > 0 else "none"


def reading(status: Status | None, cap: Cap, metric: Literal["CQ", "EQ"], *, since_s: float) -> Reading:
    """Return what the device says of its contacts at this moment.

    Parameters
    ----------
    status : Status or None
        The collector's newest.
    cap : Cap
        Which sensors are analysed.
    metric : str
        Contact quality or EEG quality.
    since_s : float
        Seconds since the status came: what is older than :data:`collector.quality.HOLD_S` is not known any more.
    """
    found = [s for s in (status.streams if status else ()) if s.kind == KINDS[metric] and s.labels]
    if not found:
        return Reading({})
    newest = min(found, key=lambda s: math.inf if s.age_s is None else s.age_s)
    names = quality.sensors(newest.labels, channels=cap.channels, exclude=cap.exclude)
    if newest.age_s is None or newest.age_s + since_s > HOLD_S:
        return Reading(dict.fromkeys(names))
    said = dict(zip(newest.labels, newest.last, strict=False))
    levels = CQ_LEVELS if metric == "CQ" else EQ_LEVELS
    overall = said.get("Overall", math.nan)
    return Reading(
        {name: _share(said.get(name, math.nan) / levels) for name in names}, overall / 100 if 0 <= overall <= 100 else None
    )


def _share(value: float) -> float | None:
    return min(1.0, max(0.0, value)) if math.isfinite(value) else None


def worst(shares: Mapping[str, float | None], threshold: float, *, n: int = N_WORST) -> list[str]:
    """Return the sensors to wet first: those below the threshold, the worst first; equals in the device's order."""
    bad = [(share, name) for name, share in shares.items() if share is not None and share < threshold - 1e-9]
    return [name for _, name in sorted(bad, key=lambda pair: pair[0])[:n]]


def sensors(labels: Sequence[str], cap: Cap, known: Iterable[str]) -> list[str]:
    """Return the channels of an EEG stream that are drawn: the study's, or those that the montage knows, or all."""
    names = {label.lower() for label in known}
    chosen = [n for n in labels if (n in cap.channels if cap.channels else n.lower() in names) and n not in cap.exclude]
    return list(dict.fromkeys(chosen or labels))
