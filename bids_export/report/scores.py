"""Scores of recognisers, read from the file that ``emo-train`` writes: models and reports know each other by files alone."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bids_export.report.facts import ReportError

DERIVATIVE = Path("derivatives") / "emolab"
MODALITIES = ("eeg", "face", "fusion")


class Score(BaseModel):
    """One row of ``metrics.json``; ``chance`` is the share of the most frequent label, the interval is over participants."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    modality: str
    model: str
    split: str
    leaky: bool
    labels: str
    features: str
    accuracy: float
    balanced_accuracy: float
    f1_macro: float
    chance: float
    ci_low: float | None = None
    ci_high: float | None = None
    p_permutation: float | None = None
    n_test: int
    n_participants: int
    control: str = "none"

    @property
    def lane(self) -> str:
        """What is scored, in few words: a recogniser that is not the paper's own by its name."""
        return f"{self.model if self._other else self.modality}, {self.features}"

    @property
    def figure(self) -> str:
        """File name of its confusion matrix."""
        return f"{self.modality}{f'-{self.model}' if self._other else ''}_{self.features}_{self.split}.png"

    @property
    def _other(self) -> bool:
        return self.modality == "eeg" and self.model != "map_cnn"

    @property
    def interval(self) -> str:
        """The 95 % interval for people."""
        return "–" if self.ci_low is None or self.ci_high is None else f"{self.ci_low * 100:.0f}–{self.ci_high:.0%}"


def load(root: Path) -> tuple[Score, ...]:
    """Return the scores of a dataset, honest splits first; none when nothing was trained.

    Raises
    ------
    ReportError
        When ``metrics.json`` is not one of ours.
    """
    path = root / DERIVATIVE / "metrics.json"
    if not path.exists():
        return ()
    try:
        rows = TypeAdapter(tuple[Score, ...]).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ReportError(f"{path}: {where}: {first['msg']}; train again with emo-train") from None
    order = {name: n for n, name in enumerate(MODALITIES)}
    shown = [row for row in rows if row.control == "none"]  # controls are told by emo-train's own page
    return tuple(sorted(shown, key=lambda r: (r.leaky, r.split, r.features, order.get(r.modality, 9))))


def matrices(root: Path, scores: tuple[Score, ...]) -> tuple[tuple[Score, Path], ...]:
    """Return the confusion matrices that lie beside the scores."""
    folder = root / DERIVATIVE / "figures"
    return tuple((score, folder / score.figure) for score in scores if (folder / score.figure).exists())
