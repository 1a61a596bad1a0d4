"""Scores, and what stands beside them so that nobody reads them wrongly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, get_args

Modality = Literal["eeg", "face", "fusion"]
LabelKind = Literal["target", "rating", "agreeing"]
Features = Literal["imagenet", "seeded", "pool96"]
Share = Literal["trial", "stimulus", "participant"]


class MetricsError(ValueError):
    """A ``metrics.json`` is not one of ours."""


@dataclass(frozen=True, kw_only=True)
class MetricsRow:
    """One row of ``metrics.json``.

    ``n_test`` counts windows, ``chance`` is the majority's share of the test labels, the interval is over participants,
    ``shares`` names what training and test data have in common; ``leaky`` is whether that inflates the score.
    """

    modality: Modality
    model: str
    split: str
    leaky: bool
    labels: LabelKind
    accuracy: float
    balanced_accuracy: float
    precision: float
    recall: float
    f1_macro: float
    chance: float
    ci_low: float | None
    ci_high: float | None
    p_permutation: float | None
    n_test: int
    n_trials: int
    n_participants: int
    features: Features
    shares: tuple[Share, ...]
    seed: int
    data_sha256: str

    def __post_init__(self) -> None:
        for name, kind in (("modality", Modality), ("labels", LabelKind), ("features", Features)):
            if getattr(self, name) not in get_args(kind):
                raise MetricsError(f"{name} = {getattr(self, name)!r}: one of {', '.join(get_args(kind))}")


def save_rows(path: Path, rows: Sequence[MetricsRow]) -> None:
    """Write rows as a JSON list."""
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8", newline="\n")


def load_rows(path: Path) -> list[MetricsRow]:
    """Read what :func:`save_rows` wrote.

    Raises
    ------
    MetricsError
        When it is no list of such rows.
    """
    names = {field.name for field in fields(MetricsRow)}
    raw = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(raw, list) or any(not isinstance(row, dict) or set(row) != names for row in raw):
        raise MetricsError(f"{path}: is no list of metrics rows")
    return [MetricsRow(**{**row, "shares": tuple(row["shares"])}) for row in raw]
