"""The page about a group: who is in, who is out and why; then what the recognisers made of it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from html import escape
from pathlib import Path

from bids_export import dataset, tables
from bids_export.report import glance, group_figures, output, page
from bids_export.report.group import (
    COLUMNS,
    TRAITS,
    Group,
    Person,
    biased,
    by_clip,
    by_trait,
    interval,
    rated,
    record,
    row_of,
)
from bids_export.report.measures import Measures
from bids_export.report.page import Link, Page, Tile, number
from bids_export.report.scores import Score
from collector.quality import WORDS

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
    made.html("Sessions at a glance", _tiles(group, folder))
    if group.people:
        made.figure(
            "Contact quality by participant", group_figures.who_is_in(group),
            "An X is left out, a triangle could not be judged. "
            f"{_METRIC[group.rule.metric]}, weighted by time; of the best session.",
        )  # fmt: skip
    by = {name: values for trait, name in TRAITS.items() if (values := by_trait(group.people, trait))}
    if by:
        made.figure("Who is left out, by sex, hair and cap", group_figures.bias(by), _BIAS)
        made.html(
            "What that says", page.points("Kept and left out", [f"{name}: {biased(v)}" for name, v in by.items()], nothing="")
        )
    _add_ratings(made, group)
    made.html("Participants", _participants(group, folder))
    _add_scores(made, group)
    made.save(path)
    tables.write_tsv(path.with_suffix(".tsv"), COLUMNS, [row_of(person) for person in group.people])
    output.put(path.with_suffix(".json"), json.dumps(record(group), indent=2, ensure_ascii=False) + "\n")
    return path


_METRIC = {"CQ": "Contact quality as the headset reports it (CQ)", "EQ": "EEG quality as the headset reports it (EQ)"}
_BIAS = (
    "A rule on contact can leave out a kind of people: thick hair keeps electrodes off the skin, and a study then knows only "
    "the others. Left: how many. Right: which shares these few people are compatible with; intervals that overlap widely say "
    "that nobody can tell yet. If one kind is kept less than the others, say so where results are published."
)
_STATES: dict[str, page.State] = {
    "keep": "good", "repeat": "look", "exclude": "bad", "not_judged": "unknown", "aborted": "look",
}  # fmt: skip


def _headline(group: Group) -> str:
    kept, n = len(group.kept), len(group.people)
    rule = f"{WORDS[group.rule.metric]} of at least {group.rule.threshold:.0%} over the {group.rule.over}"
    about = {
        "recorded": f"{n} participants",
        "kept": f"{kept} ({number(kept / n if n else None, '.0%')}); the rule asks for {rule}",
        "BIDS": group.valid,
        "dataset": str(group.root),
        "recognisers": f"{len(group.scores)} scores, see below" if group.scores else "not trained yet: emo-train",
    }
    issues = [f"{issue.severity}: {issue.n} x {issue.code}: {issue.first}" for issue in group.validator.issues]
    heading = f'<p style="font-size:1.4rem;font-weight:700">{kept} of {n} participants are kept</p>'
    mixed = list(dataset.mixed(group.root))
    why = [f"sub-{p.label}: {p.reason}" for p in group.people if not p.included]
    return (
        heading + page.points("Left out, or not judged", why, nothing="Nobody is left out.") + page.pairs(about)
        + (page.points("The validator says", issues, nothing="") if issues else "")
        + (page.points("Look at", mixed, nothing="") if mixed else "")
    )  # fmt: skip


def _tiles(group: Group, folder: Path) -> str:
    """Return a row of tiles for each participant, a tile for each session's run, which opens its page."""
    alone = all(len(person.recordings) <= 1 for person in group.people)
    rows, tiles = [], list[Tile]()
    for person in group.people:
        several = [run_tile(m, folder) for m in person.recordings]
        if not several:
            several = [Tile("no page", number(person.quality, ".1%"), "unknown" if person.included else "bad", person.reason)]
        mine = f"sub-{person.label}_report.html"
        rows.append(page.row(_to(folder, mine, f"sub-{person.label}"), several))
        tiles += [replace(one, name=f"sub-{person.label} {one.name}") for one in several]
    hint = "" if all(p.recordings for p in group.people) else "<p>Pages come with: emo-report BIDS_ROOT OUT participant</p>"
    lead = (
        "<p>Each tile is a recording, and opens its page. ✔ kept, ! aborted or with clips to be shown again, ✘ left out, – not "
        "judged; bars: contact quality, share of the EEG that was measured, frames with a face.</p>"
    )
    return lead + (page.tiles(tiles) if alone else "".join(rows)) + hint


def _to(folder: Path, page_name: str, text: str) -> str:
    """Return a text, as a link where its page lies in the folder."""
    return Link.to(page_name, text) if (folder / page_name).exists() else text


def run_tile(measures: Measures, folder: Path) -> Tile:
    """Return the tile of one recording, with a link where its page lies in the folder."""
    there = f"{measures.stem}_report.html"
    n = len(measures.findings)
    more = f"{n} thing{'s'[: n != 1]} to look at" if n else "nothing stands out"
    if measures.verdict != "keep":
        more = "; ".join(measures.reasons)
    return Tile(
        f"ses-{measures.session} run-{measures.run}", number(measures.contact_quality.value, ".1%"), _STATES[measures.verdict],
        more, there if (folder / there).exists() else "", bars=glance.bars(measures),
    )  # fmt: skip


def _add_ratings(made: Page, group: Group) -> None:
    said = rated(group.people)
    if not group.emotions or not any(r.felt is not None or r.valence is not None for r in said):
        return
    n = sum(1 for p in group.people if any(m.ratings.n_rated for m in p.recordings))
    made.figure(
        "Did the clips do what they were chosen for", group_figures.manipulation(said, group.emotions),
        f"Answers of {n} participants, those who are left out included where their pages have them: what they felt does not "
        "hang on their EEG. Intervals are over answers, several of one person among them. Right: every answer small, the mean "
        "of each target large, with its standard deviation.",
    )  # fmt: skip
    rows = by_clip(said)
    if rows:
        columns = ("clip", "target", "felt as meant", "of", "95 %", "felt instead")
        table = [
            (stim_id, target, k, asked, "{:.0%} to {:.0%}".format(*interval(k, asked)), others or "–")
            for stim_id, target, k, asked, others in rows
        ]
        out = [i for i, (_, _, k, asked, _) in enumerate(rows) if 2 * k < asked]
        made.html("Clips, those that worked least first", page.table(columns, table, out=out))


def _participants(group: Group, folder: Path) -> str:
    traits = [trait for trait in TRAITS if any(trait in person.traits for person in group.people)]
    columns = (
        "participant", *(TRAITS[trait] for trait in traits), "contact quality", "", "not measured", "bad channels",
        "mains (µV)", "alpha ×", "face found", "frames dropped", "felt as meant", "screen to EEG",
    )  # fmt: skip
    rows = [_row(person, traits, folder) for person in group.people]
    out = [n for n, person in enumerate(group.people) if not person.included]
    return page.table(columns, rows, out=out)


def _row(person: Person, traits: list[str], folder: Path) -> list[object]:
    row = row_of(person)
    sign = {"kept": "✔ kept", "left out": f"✘ left out: {person.reason}", "not judged": f"? {person.reason}"}[person.state]
    late = row["screen_eeg_s"]
    felt = "–" if row["clips_asked"] is None else f"{row['felt_as_meant']} of {row['clips_asked']}"
    return [
        _links(person, folder), *(person.traits.get(trait, "–") for trait in traits), number(person.quality, ".2%"), sign,
        *(_known(row[name]) for name in ("samples_not_measured", "bad_channels")),
        _form(row["mains_median_uv"], ".1f"), _form(row["alpha_ratio"], ".1f"), _form(row["face_share"], ".0%"),
        _known(row["frames_dropped"]), felt, "–" if not isinstance(late, float) else f"{late * 1e3:.0f} ms",
    ]  # fmt: skip


def _form(value: object, form: str) -> str:
    return number(value if isinstance(value, float) else None, form)


def _known(value: object) -> str:
    return "–" if value is None else str(value)


def _links(person: Person, folder: Path) -> Link:
    """Return a participant's label, a link to the page, and links to the pages of the recordings."""
    label = f"sub-{person.label}"
    mine = _to(folder, f"{label}_report.html", label)
    names = {f"ses-{m.session} run-{m.run}": f"{m.stem}_report.html" for m in person.recordings}
    there = [Link.to(name, text) for text, name in names.items() if (folder / name).exists()]
    return Link("<br>".join([mine if isinstance(mine, Link) else escape(mine), *there]))


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
