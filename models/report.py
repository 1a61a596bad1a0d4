"""The page about scores: the paper's tables with ours beside them, and what each split is worth."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from models import figures
from models.dataset import Dataset
from models.eeg.table import PAPERS_OWN, named
from models.evaluate import MetricsRow, in_common
from models.scores import Scored, readings
from models.splits import HEADLINE

PAPERS_SPLIT = "window-random"
PAPER: dict[str, tuple[float, float, float, float]] = {
    PAPERS_OWN: (98.71, 98.71, 98.77, 98.72),  # Tables 2 and 3
    "itnet": (94.61, 94.81, 93.89, 93.62),  # Table 3
    "sst": (74.15, 77.41, 73.03, 74.60),  # Table 3
}
"""Accuracy, precision, recall and F1 of Le & Nguyen (2025), percent, windows of one clip on both sides."""

STYLE = """body{font:15px/1.45 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:1em 0}td,th{border-bottom:1px solid #ccc;padding:.25em .7em;text-align:right}
td.t,th.t{text-align:left}caption{text-align:left;font-weight:bold;padding:.4em 0}
img{max-width:100%}.mark{background:#fdecea;padding:.1em .4em}.note{color:#555}"""


@dataclass(frozen=True)
class Section:
    """A part of the page: a heading, and what stands below it as HTML."""

    title: str
    html: str


def draw(folder: Path, scored: Sequence[Scored], emotions: Sequence[str]) -> list[Path]:
    """Draw confusion matrices, the paper's Figure 6 and accuracy over time; pictures of an earlier run are removed.

    Returns
    -------
    list of Path
        The pictures.
    """
    for old in sorted(folder.glob("*.png")) if folder.is_dir() else ():
        old.unlink()
    shown = [one for one in scored if one.row.control == "none"]
    made = [_confusion(folder, one, emotions) for one in shown]
    own = [one for one in shown if (one.row.modality, one.row.model) == ("eeg", PAPERS_OWN)]
    for kind in dict.fromkeys(one.row.features for one in own):
        made += _figure_6(folder, [one for one in own if one.row.features == kind], emotions)
        made += _over_time(folder, [one for one in own if one.row.features == kind])
    return made


def _confusion(folder: Path, one: Scored, emotions: Sequence[str]) -> Path:
    row = one.row
    return figures.confusion(
        folder / f"{one.stem}.png", one.confusion, emotions, title=f"{row.modality} ({row.model}, {row.features}), {row.split}",
        note=f"accuracy {row.accuracy:.0%}, chance {row.chance:.0%}{', a leaky split' if row.leaky else ''}",
    )  # fmt: skip


def _figure_6(folder: Path, mine: Sequence[Scored], emotions: Sequence[str]) -> list[Path]:
    """Draw the paper's Figure 6: by its split and by the honest one, or by the one of them that was scored."""
    by_split = {one.row.split: one for one in mine}
    both = [by_split[name] for name in (PAPERS_SPLIT, HEADLINE) if name in by_split]
    if not both:
        return []
    path = folder / f"figure-6_{both[0].row.features}.png"
    titles = [f"{one.row.split}{' (leaky)' if one.row.leaky else ''}\naccuracy {one.row.accuracy:.0%}" for one in both]
    return [figures.confusions(path, [one.confusion for one in both], emotions, titles=titles)]


def _over_time(folder: Path, mine: Sequence[Scored]) -> list[Path]:
    series = {one.row.split: one.by_second for one in mine if not one.row.leaky}
    if not any(len(points) > 1 for points in series.values()):
        return []
    path = folder / f"over-time_{mine[0].row.features}.png"
    return [figures.over_time(path, series, chance=mine[0].row.chance)]


def write(
    path: Path,
    scored: Sequence[Scored],
    data: Dataset,
    pictures: Sequence[Path],
    more: Sequence[Section] = (),
    *,
    watermark: str = "",
) -> Path:
    """Write the page, pictures inside; `more` follows below what is about scores, a `watermark` stands above everything.

    Returns
    -------
    Path
        The same path.
    """
    rows = [one.row for one in scored]
    mark = [Section("Simulated data", f"<p class=mark>{escape(watermark)}</p>")] if watermark else []
    sections = [
        *mark,
        Section("What the scores say", _said(readings(rows), data, rows)),
        Section("Beside the paper", _papers_tables(rows)),
        *(Section(title, html) for title, html in _tables(rows)),
        Section("Participants", _participants(scored)),
        Section("Without muscles", _controls(rows)),
        Section("Pictures", "".join(_picture(one) for one in pictures)),
        *more,
    ]
    return page(path, "Scores", sections)


def page(path: Path, title: str, sections: Sequence[Section]) -> Path:
    """Write sections as one page; those without content are left out."""
    parts = "\n".join(f"<h2>{escape(part.title)}</h2>\n{part.html}" for part in sections if part.html)
    head = f"<title>emo-train: {escape(title.lower())}</title>\n<style>{STYLE}</style>\n"
    text = f"<!DOCTYPE html>\n<html lang=en><meta charset=utf-8>{head}<h1>{escape(title)}</h1>\n{parts}\n</html>\n"
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    temporary.replace(path)
    return path


def _said(sentences: Sequence[str], data: Dataset, rows: Sequence[MetricsRow]) -> str:
    people = len({window.participant for window in data.windows})
    what = f"{len(data.windows)} windows of {people} participants: {', '.join(data.emotions)}."
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return (
        f"<p>{escape(what)} {escape(_how(rows))}</p><ul>{items}</ul>"
        "<p class=note>Better than chance: p &lt; 0.01 by every test there is; for a leaky split, which has none, an interval "
        "above chance.</p>"
    )


def _how(rows: Sequence[MetricsRow]) -> str:
    """Return how the EEG was looked at."""
    heard = [row for row in rows if row.n_channels]
    if not heard:
        return ""
    said = [f"EEG of {heard[0].n_channels} electrodes"]
    said += [f"spectrograms {name}" for name in dict.fromkeys(row.spectrogram for row in heard) if name != "none"]
    said += [f"InceptionV3 by {name}" for name in dict.fromkeys(row.engine for row in heard) if name != "none"]
    return ", ".join(said) + "."


def _papers_tables(rows: Sequence[MetricsRow]) -> str:
    """Return Tables 2 and 3 of the paper with our numbers: by its split, and by the one for new people and new clips."""
    head = ("method", "features", "whose numbers", "accuracy", "precision", "recall", "F1")
    own = [row for row in rows if row.modality == "eeg" and row.control == "none" and row.split in (PAPERS_SPLIT, HEADLINE)]
    body: list[tuple[str, ...]] = []
    for name in dict.fromkeys((*PAPER, *(row.model for row in own))):
        mine = [row for row in own if row.model == name]
        if name in PAPER and (mine or name == PAPERS_OWN):
            title = _title(name)
            body.append(
                (title, "imagenet" if name == PAPERS_OWN else "", "the paper's", *(f"{value:.2f}" for value in PAPER[name]))
            )
        for row in mine:
            mark = f"ours, {row.split}{' (leaky, as the paper)' if row.leaky else ''}"
            values = (row.accuracy, row.precision, row.recall, row.f1_macro)
            body.append((_title(name), row.features, mark, *(f"{100 * value:.2f}" for value in values)))
    return _table("Tables 2 and 3 of Le & Nguyen (2025), percent", head, body, n_text=3)


def _title(name: str) -> str:
    return named(name).title if name == PAPERS_OWN else {"itnet": "EEG-ITNet", "sst": "SST-EmotionNet"}.get(name, name)


def _tables(rows: Sequence[MetricsRow]) -> list[tuple[str, str]]:
    """Return a table for each split, the honest ones first."""
    head = ("modality", "model", "features", "accuracy", "95 %", "balanced", "chance", "F1", "p (clips)", "p (stimuli)", "n")
    tables = []
    for first in sorted({row.split: row for row in rows}.values(), key=lambda row: (row.leaky, row.split != HEADLINE)):
        mine = [row for row in rows if row.split == first.split and row.control == "none"]
        shares = in_common(first.shares)
        mark = "<p class=mark>LEAKY: too good. It has no p, since the premise of the test fails.</p>" if first.leaky else ""
        tables.append((f"{first.split} ({shares})", mark + _table("", head, [_cells(row) for row in mine], n_text=3)))
    return tables


def _cells(row: MetricsRow) -> tuple[str, ...]:
    interval = "-" if row.ci_low is None or row.ci_high is None else f"{row.ci_low:.0%} to {row.ci_high:.0%}"
    p = ["-" if value is None else f"{value:.4f}" for value in (row.p_permutation, row.p_stimuli)]
    scores = (f"{row.accuracy:.1%}", interval, f"{row.balanced_accuracy:.1%}", f"{row.chance:.1%}", f"{row.f1_macro:.1%}")
    return (row.modality, row.model, row.features, *scores, *p, str(row.n_test))


def _participants(scored: Sequence[Scored]) -> str:
    """Return the accuracy of each participant, by the honest splits that test each one."""
    shown = [one for one in scored if one.row.control == "none" and one.row.split in ("leave-one-subject-out", HEADLINE)]
    names = sorted({name for one in shown for name in one.by_participant})
    if not shown:
        return ""
    head = ("recogniser", "split", *(f"sub-{name}" for name in names))
    body = [
        (
            f"{one.row.modality}, {one.row.model}, {one.row.features}",
            one.row.split,
            *(f"{one.by_participant[name]['accuracy']:.0%}" if name in one.by_participant else "-" for name in names),
        )
        for one in shown
    ]
    return _table("Accuracy", head, body, n_text=2)


def _controls(rows: Sequence[MetricsRow]) -> str:
    """Return the scores of the EEG beside those without what muscles show in."""
    names = tuple(dict.fromkeys(row.control for row in rows if row.control != "none"))
    found: dict[tuple[str, ...], MetricsRow] = {
        (row.model, row.features, row.split, row.control): row for row in rows if row.modality == "eeg"
    }
    body = [
        (*key, f"{row.chance:.1%}", f"{row.accuracy:.1%}", *(_accuracy(found.get((*key, name))) for name in names))
        for *key, control in found
        if control == "none" and any((*key, name) in found for name in names) and (row := found[(*key, "none")])
    ]
    note = (
        "<p class=note>Muscles of the face show in the EEG above 30 Hz, and over forehead and temples. What is lost without "
        "them may have been a smile.</p>"
    )
    return note + _table("", ("model", "features", "split", "chance", "whole", *names), body, n_text=3) if body else ""


def _accuracy(row: MetricsRow | None) -> str:
    return "-" if row is None else f"{row.accuracy:.1%}"


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<p><img alt="{escape(path.stem)}" src="data:image/png;base64,{data}"></p>\n'


def _table(caption: str, head: Sequence[str], body: Sequence[Sequence[str]], *, n_text: int) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        marked = (f"<{tag}{' class=t' if index < n_text else ''}>{escape(cell)}</{tag}>" for index, cell in enumerate(cells))
        return f"<tr>{''.join(marked)}</tr>"

    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}{line(head, 'th')}{''.join(line(cells, 'td') for cells in body)}</table>\n"
