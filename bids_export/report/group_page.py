"""The page about a group: who is in, who is out and why; then what the recognisers made of it."""

from __future__ import annotations

import base64
import json
from html import escape
from pathlib import Path

from bids_export import tables
from bids_export.report import group_figures, output, page
from bids_export.report.group import COLUMNS, TRAITS, Group, Person, by_trait, record, row_of
from bids_export.report.page import Link, Page, number
from bids_export.report.scores import Score

NAME = "group_report"


def write(folder: Path, group: Group) -> Path:
    """Write the page of a group, with its table and its measures beside it.

    Returns
    -------
    Path
        The page.
    """
    path = folder / f"{NAME}.html"
    made = Page(f"{group.name}: the group", simulated=group.simulated)
    made.html("Who is in", _headline(group))
    if group.people:
        made.figure(
            "Contact quality by participant", group_figures.who_is_in(group),
            "An X is left out, a triangle could not be judged. "
            f"{_METRIC[group.rule.metric]}, weighted by time; of the best session.",
        )  # fmt: skip
    made.html("Participants", _participants(group, folder))
    by = {name: values for trait, name in TRAITS.items() if (values := by_trait(group.people, trait))}
    if by:
        made.figure(
            "Who is left out, by sex, hair and cap", group_figures.bias(by),
            "A rule on contact can leave out a kind of people: thick hair keeps electrodes off the skin. If one bar keeps less "
            "than the others, say so where results are published.",
        )  # fmt: skip
    _add_scores(made, group)
    made.save(path)
    tables.write_tsv(path.with_suffix(".tsv"), COLUMNS, [row_of(person) for person in group.people])
    output.put(path.with_suffix(".json"), json.dumps(record(group), indent=2, ensure_ascii=False) + "\n")
    return path


_METRIC = {"CQ": "Contact quality (CQ) as the headset reports it", "EQ": "EEG quality (EQ) as the headset reports it"}


def _headline(group: Group) -> str:
    kept, n = len(group.kept), len(group.people)
    rule = f"{group.rule.metric} of at least {group.rule.threshold:.0%} over the {group.rule.over}"
    about = {
        "recorded": f"{n} participants",
        "kept": f"{kept} ({number(kept / n if n else None, '.0%')}); the rule asks for {rule}",
        "BIDS": group.valid,
        "dataset": str(group.root),
        "recognisers": f"{len(group.scores)} scores, see below" if group.scores else "not trained yet: emo-train",
    }
    issues = [f"{issue.severity}: {issue.n} x {issue.code}: {issue.first}" for issue in group.validator.issues]
    heading = f'<p style="font-size:1.4rem;font-weight:700">{kept} of {n} participants are kept</p>'
    return heading + page.pairs(about) + (page.points("The validator says", issues, nothing="") if issues else "")


def _participants(group: Group, folder: Path) -> str:
    traits = [trait for trait in TRAITS if any(trait in person.traits for person in group.people)]
    columns = (
        "participant", *(TRAITS[trait] for trait in traits), "contact quality", "", "why not", "not measured", "flat channels",
        "mains (µV)", "face found", "frames dropped",
    )  # fmt: skip
    rows = [_row(person, traits, folder) for person in group.people]
    out = [n for n, person in enumerate(group.people) if not person.included]
    missing = any(person.included and not person.recordings for person in group.people)
    hint = "<p>Pages of single recordings come with: emo-report BIDS_ROOT OUT participant</p>" if missing else ""
    return page.table(columns, rows, out=out) + hint


def _row(person: Person, traits: list[str], folder: Path) -> list[object]:
    row = row_of(person)
    sign = {"kept": "✔ kept", "left out": "✘ left out", "not judged": "? not judged"}[person.state]
    share, mains = row["face_share"], row["mains_median_uv"]
    return [
        _links(person, folder), *(person.traits.get(trait, "–") for trait in traits), number(person.quality, ".2%"), sign,
        person.reason, *(_known(row[name]) for name in ("samples_not_measured", "flat_channels")),
        number(mains if isinstance(mains, float) else None, ".1f"), number(share if isinstance(share, float) else None, ".0%"),
        _known(row["frames_dropped"]),
    ]  # fmt: skip


def _known(value: object) -> str:
    return "–" if value is None else str(value)


def _links(person: Person, folder: Path) -> Link:
    """Return a participant's label: a link to the page, or with several recordings to each."""
    label = f"sub-{person.label}"
    alone = len(person.recordings) == 1
    names = {
        label if alone else f"ses-{m.session} run-{m.run}": f"{m.stem}_report.html" for m in person.recordings
    }  # fmt: skip
    there = [Link.to(name, text) for text, name in names.items() if (folder / name).exists()]
    return Link("<br>".join(there if alone and there else [escape(label), *there]))


def _add_scores(made: Page, group: Group) -> None:
    if not group.scores:
        return
    made.figure(
        "What the recognisers are worth", group_figures.accuracies(group.scores),
        "Accuracy over windows, beside chance. A leaky split has pieces of the same recording on both sides: its scores say "
        "nothing about a new participant.",
    )  # fmt: skip
    made.html("Scores", _scores(group.scores))
    if group.matrices:
        made.html("Confusion matrices", "".join(_matrix(score, path) for score, path in group.matrices))


def _scores(scores: tuple[Score, ...]) -> str:
    columns = (
        "split", "modality", "features", "model", "accuracy", "95 %", "chance", "balanced", "F1", "p", "windows",
    )  # fmt: skip
    rows = [
        (
            f"{s.split}{' (leaky)' if s.leaky else ''}", s.modality, s.features, s.model, f"{s.accuracy:.1%}",
            s.interval, f"{s.chance:.1%}", f"{s.balanced_accuracy:.1%}", f"{s.f1_macro:.2f}", number(s.p_permutation, ".4f"),
            s.n_test,
        )
        for s in scores
    ]  # fmt: skip
    learnt = ", ".join(dict.fromkeys(score.labels for score in scores))
    n_people = max(score.n_participants for score in scores)
    note = (
        f"<p>Learnt and scored: {escape(learnt)}, of {n_people} participants. The interval is over participants; p is a "
        "permutation test over clips. Tinted rows leak. Features: <em>seeded</em> and <em>pool96</em> are no pretrained "
        "networks.</p>"
    )
    return page.table(columns, rows, out=[n for n, s in enumerate(scores) if s.leaky]) + note


def _matrix(score: Score, path: Path) -> str:
    """Return a confusion matrix as part of the page."""
    name = f"{score.modality}, {score.features}, {score.split}{' (leaky)' if score.leaky else ''}"
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    image = f'<img alt="{escape(f"Confusion matrix: {name}", quote=True)}" src="data:image/png;base64,{data}">'
    return f'<figure class="emo-matrix">{image}</figure>'
