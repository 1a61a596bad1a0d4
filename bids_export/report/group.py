"""A group: who took part, who is in, who is out and why, and what the recognisers made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bids_export import tables
from bids_export.report import scores
from bids_export.report.facts import ReportError
from bids_export.report.from_bids import Dataset, Row, Rule
from bids_export.report.measures import Measures
from bids_export.report.scores import Score
from bids_export.validate import Verdict

TRAITS = {"sex": "sex", "hair": "hair", "cap_size": "cap size"}  # what may decide who is left out, without meaning to
COLUMNS = (
    "participant_id", "included", "contact_quality", "exclusion_reason", "recordings", "samples_not_measured",
    "flat_channels", "mains_median_uv", "face_share", "frames_dropped",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Person:
    """One participant; ``quality`` is a share, None where it could not be judged."""

    label: str
    quality: float | None
    included: bool
    reason: str
    traits: dict[str, str]
    recordings: tuple[Measures, ...]

    @property
    def state(self) -> str:
        """Kept, left out, or not judged."""
        return "kept" if self.included else "not judged" if self.reason.startswith("not judged") else "left out"


@dataclass(frozen=True, kw_only=True)
class Group:
    """A dataset, as its group page shows it."""

    name: str
    root: Path
    simulated: bool
    rule: Rule
    people: tuple[Person, ...]
    validator: Verdict
    scores: tuple[Score, ...]
    matrices: tuple[tuple[Score, Path], ...]

    @property
    def kept(self) -> tuple[Person, ...]:
        """Who is in."""
        return tuple(person for person in self.people if person.included)

    @property
    def valid(self) -> str:
        """The validator's verdict in words."""
        verdict = self.validator
        word = "not valid" if verdict.errors else "valid"
        n_errors, n_warnings = (sum(issue.n for issue in found) for found in (verdict.errors, verdict.warnings))
        counts = f"{n_errors} error{'s'[: n_errors != 1]}, {n_warnings} warning{'s'[: n_warnings != 1]}"
        return f"{word}: {counts} (bids-validator-deno {verdict.version})"


def gather(dataset: Dataset, reports: Path, validator: Verdict, labels: Sequence[str] = ()) -> Group:
    """Put a group together.

    Parameters
    ----------
    dataset : Dataset
        Whose.
    reports : Path
        Where the measures of single recordings lie, if they were made.
    validator : Verdict
        On the dataset.
    labels : sequence of str
        Only these participants; empty means all.

    Raises
    ------
    ReportError
        When a file is not one of ours, or a participant is unknown.
    """
    rows = [row for row in dataset.people if not labels or row["participant_id"].removeprefix("sub-") in labels]
    found = scores.load(dataset.root)
    return Group(
        name=dataset.name, root=dataset.root, simulated=dataset.simulated, rule=dataset.rule, validator=validator,
        people=tuple(_person(row, reports) for row in rows), scores=found, matrices=scores.matrices(dataset.root, found),
    )  # fmt: skip


def _person(row: Row, reports: Path) -> Person:
    label, quality = row["participant_id"].removeprefix("sub-"), row.get("contact_quality", tables.NA)
    paths = sorted(reports.glob(f"sub-{label}_*_report.json"))
    return Person(
        label=label, quality=None if quality == tables.NA else float(quality), included=row["included"] == "yes",
        reason="" if row.get("exclusion_reason", tables.NA) == tables.NA else row["exclusion_reason"],
        traits={trait: row[trait] for trait in TRAITS if row.get(trait, tables.NA) != tables.NA},
        recordings=tuple(_measures(path) for path in paths),
    )  # fmt: skip


def _measures(path: Path) -> Measures:
    try:
        return Measures.model_validate_json(path.read_bytes())
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "the file"
        raise ReportError(
            f"{path}: {where}: is not a report of this version; make it again: emo-report .. participant"
        ) from None


def by_trait(people: Sequence[Person], trait: str) -> dict[str, tuple[int, int]]:
    """Return (kept, recorded) for each value of a trait, the most frequent first; nothing where nobody was asked.

    Examples
    --------
    >>> by_trait([], "sex")
    {}
    """
    recorded = Counter(person.traits[trait] for person in people if trait in person.traits)
    kept = Counter(person.traits[trait] for person in people if trait in person.traits and person.included)
    return {value: (kept[value], n) for value, n in recorded.most_common()}


def row_of(person: Person) -> dict[str, object]:
    """Return a participant's row of ``group_report.tsv``; sums over the recordings that were reported on, n/a without one."""
    eegs = [m.eeg for m in person.recordings if m.eeg is not None]
    shares = [v.face_share for m in person.recordings for v in m.videos if v.face_share is not None]
    mains = [eeg.mains_median_uv for eeg in eegs if eeg.mains_median_uv is not None]
    dropped = [m.clips.frames_dropped for m in person.recordings if m.clips.frames_dropped is not None]
    return {
        "participant_id": f"sub-{person.label}",
        "included": person.included,
        "contact_quality": person.quality,
        "exclusion_reason": person.reason or None,
        "recordings": len(person.recordings),
        "samples_not_measured": sum(eeg.n_filled for eeg in eegs) if eegs else None,
        "flat_channels": sum(len(eeg.flat_channels) for eeg in eegs) if eegs else None,
        "mains_median_uv": max(mains, default=None),
        "face_share": min(shares, default=None),
        "frames_dropped": sum(dropped) if dropped else None,
    }


def record(group: Group) -> dict[str, Any]:
    """Return what stands in ``group_report.json``, and what ``--json`` prints."""
    return {
        "schema": 1, "study": group.name, "root": str(group.root), "simulated": group.simulated,
        "recorded": len(group.people), "kept": len(group.kept), "threshold": group.rule.threshold,
        "participants": [row_of(person) for person in group.people],
        "by": {trait: {value: {"kept": kept, "recorded": n} for value, (kept, n) in by_trait(group.people, trait).items()}
               for trait in TRAITS if by_trait(group.people, trait)},
        "validator": {"version": group.validator.version, "errors": len(group.validator.errors),
                      "warnings": len(group.validator.warnings)},
        "scores": [score.model_dump() for score in group.scores],
    }  # fmt: skip
