"""A group: who took part, who is in, who is out and why, and what the recognisers made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from scipy import stats

from bids_export import tables
from bids_export.report import scores
from bids_export.report.facts import ReportError
from bids_export.report.from_bids import Dataset, Row, Rule
from bids_export.report.measures import Measures, Rated
from bids_export.report.scores import Score
from bids_export.validate import Verdict

TRAITS = {"sex": "sex", "hair": "hair", "cap_size": "cap size"}  # what may decide who is left out, without meaning to
ALPHA = 0.05
COLUMNS = (
    "participant_id", "included", "contact_quality", "exclusion_reason", "recordings", "samples_not_measured",
    "flat_channels", "bad_channels", "mains_median_uv", "alpha_ratio", "face_share", "frames_dropped", "felt_as_meant",
    "clips_asked", "screen_eeg_s",
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
    emotions: Mapping[str, str]

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
    found = scores.load(dataset.root)
    return Group(
        name=dataset.name, root=dataset.root, simulated=dataset.simulated, rule=dataset.rule, validator=validator,
        people=people(dataset, reports, labels), scores=found, matrices=scores.matrices(dataset.root, found),
        emotions=dataset.emotions,
    )  # fmt: skip


def people(dataset: Dataset, reports: Path, labels: Sequence[str] = ()) -> tuple[Person, ...]:
    """Return everybody, or some, with the measures of their recordings that lie in a folder."""
    rows = [row for row in dataset.people if not labels or row["participant_id"].removeprefix("sub-") in labels]
    return tuple(_person(row, reports) for row in rows)


def _person(row: Row, reports: Path) -> Person:
    label, quality = row["participant_id"].removeprefix("sub-"), row.get("contact_quality", tables.NA)
    paths = sorted(reports.glob(f"sub-{label}_ses-*_report.json"))
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


def interval(k: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share by Wilson (1927), which holds for small numbers too.

    Examples
    --------
    >>> [round(share, 2) for share in interval(3, 3)]
    [0.44, 1.0]
    """
    if n == 0:
        return 0.0, 1.0
    z = 1.959964
    middle, half = (k + z**2 / 2) / (n + z**2), z * ((k * (n - k) / n + z**2 / 4) ** 0.5) / (n + z**2)
    return max(0.0, middle - half), min(1.0, middle + half)


def biased(values: Mapping[str, tuple[int, int]]) -> str:
    """Say what the numbers of one trait allow to be said: Fisher's exact test of the two largest values.

    Examples
    --------
    >>> biased({"M": (7, 7), "F": (0, 8)})
    '0 of 8 F and 7 of 7 M are kept: hardly by chance (p = 0.0002)'
    >>> biased({"M": (2, 3), "F": (1, 2)})
    '1 of 2 F and 2 of 3 M are kept: too few people to tell this from chance (p = 1.00)'
    """
    if len(values) < 2:
        return "all the same: nothing to compare"
    (one, (k1, n1)), (two, (k2, n2)) = sorted(sorted(values.items(), key=lambda item: -item[1][1])[:2], key=_share)
    p = float(stats.fisher_exact([[k1, n1 - k1], [k2, n2 - k2]]).pvalue)
    least = float(stats.fisher_exact([[0, n1], [n2, 0]]).pvalue)  # what these numbers could show at most
    told = (
        "hardly by chance"
        if p < ALPHA
        else "too few people to tell this from chance"
        if least > 0.01
        else "chance could do that"
    )
    return f"{k1} of {n1} {one} and {k2} of {n2} {two} are kept: {told} (p = {p:.{4 if p < 0.01 else 2}f})"


def _share(item: tuple[str, tuple[int, int]]) -> float:
    kept, n = item[1]
    return kept / n


def rated(people: Sequence[Person]) -> list[Rated]:
    """Return what everybody said of every clip; a person who is left out for the EEG has felt something too."""
    return [clip for person in people for m in person.recordings for clip in m.ratings.clips]


def by_clip(said: Sequence[Rated]) -> list[tuple[str, str, int, int, str]]:
    """Return for each clip its name, its target, how many felt what it was chosen for, of how many, and what they felt else."""
    rows = []
    for stim_id in sorted({r.stim_id for r in said if r.stim_id}):
        asked = [r for r in said if r.stim_id == stim_id and r.felt is not None]
        if asked:
            others = Counter(r.felt for r in asked if r.felt != r.target)
            else_ = ", ".join(f"{felt} ({n})" for felt, n in others.most_common())
            rows.append((stim_id, asked[0].target or "", sum(r.felt == r.target for r in asked), len(asked), else_))
    return sorted(rows, key=lambda row: (row[2] / row[3], row[0]))


def row_of(person: Person) -> dict[str, object]:
    """Return a participant's row of ``group_report.tsv``; sums over the recordings that were reported on, n/a without one."""
    eegs = [m.eeg for m in person.recordings if m.eeg is not None]
    shares = [v.face_share for m in person.recordings for v in m.videos if v.face_share is not None]
    mains = [eeg.mains_median_uv for eeg in eegs if eeg.mains_median_uv is not None]
    dropped = [m.clips.frames_dropped for m in person.recordings if m.clips.frames_dropped is not None]
    alphas = [eeg.alpha.ratio for eeg in eegs if eeg.alpha is not None]
    asked = sum(m.ratings.n_asked for m in person.recordings)
    late = [s.delay_s for m in person.recordings for s in m.sync if s.leg == "screen-eeg" and s.delay_s is not None]
    return {
        "participant_id": f"sub-{person.label}",
        "included": person.included,
        "contact_quality": person.quality,
        "exclusion_reason": person.reason or None,
        "recordings": len(person.recordings),
        "samples_not_measured": sum(eeg.n_filled for eeg in eegs) if eegs else None,
        "flat_channels": sum(len(eeg.flat_channels) for eeg in eegs) if eegs else None,
        "bad_channels": sum(len(eeg.bad_channels) for eeg in eegs) if eegs else None,
        "mains_median_uv": max(mains, default=None),
        "alpha_ratio": min(alphas, default=None),
        "face_share": min(shares, default=None),
        "frames_dropped": sum(dropped) if dropped else None,
        "felt_as_meant": sum(m.ratings.n_as_target for m in person.recordings) if asked else None,
        "clips_asked": asked or None,
        "screen_eeg_s": max(late, default=None),
    }


def record(group: Group) -> dict[str, Any]:
    """Return what stands in ``group_report.json``, and what ``--json`` prints."""
    return {
        "schema": 1, "study": group.name, "root": str(group.root), "simulated": group.simulated,
        "recorded": len(group.people), "kept": len(group.kept), "threshold": group.rule.threshold,
        "participants": [row_of(person) for person in group.people],
        "by": {trait: {value: {"kept": kept, "recorded": n, "interval95": interval(kept, n)}
                       for value, (kept, n) in by_trait(group.people, trait).items()}
               for trait in TRAITS if by_trait(group.people, trait)},
        "clips": [{"stim_id": stim_id, "target": target, "as_target": k, "asked": n, "interval95": interval(k, n)}
                  for stim_id, target, k, n, _ in by_clip(rated(group.people))],
        "validator": {"version": group.validator.version, "errors": len(group.validator.errors),
                      "warnings": len(group.validator.warnings)},
        "scores": [score.model_dump() for score in group.scores],
    }  # fmt: skip
