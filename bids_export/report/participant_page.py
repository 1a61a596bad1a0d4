"""The page about one participant: in or out and why, every recording at a glance, what was felt."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from bids_export.report import group_figures, page, style
from bids_export.report.group import TRAITS, Person, rated
from bids_export.report.group_page import run_tile
from bids_export.report.measures import Measures
from bids_export.report.page import Page, number

OUT = ("exclude", "not_judged")  # verdicts on recordings that are not used
_KINDS = {"kept": "keep", "left out": "exclude", "not judged": "not_judged"}


def write(folder: Path, person: Person, *, study: str, simulated: bool, emotions: Mapping[str, str]) -> Path:
    """Write the page of a participant.

    Parameters
    ----------
    folder : Path
        Where the pages of the recordings lie.
    person : Person
        With the measures of every recording.
    study : str
        Its name.
    simulated : bool
        Whether nobody was recorded.
    emotions : mapping of str to str
        The study's, with their colours.

    Returns
    -------
    Path
        The page.
    """
    path = folder / f"sub-{person.label}_report.html"
    made = Page(f"{study}: sub-{person.label}", simulated=simulated)
    made.html("Verdict", _verdict(person, folder))
    sensors = [m for m in person.recordings if m.contact_quality.per_sensor]
    if sensors:
        made.figure(
            "Contact quality of every sensor", _sensors(sensors),
            "Share of good contact in percent, the mean over the judged time; dark is bad. What is dark in every recording is "
            "a matter of hair or cap, what is dark in one is a matter of that day.",
        )  # fmt: skip
    said = rated([person])
    if emotions and any(r.felt is not None or r.valence is not None for r in said):
        made.figure(
            "Ratings against targets", group_figures.manipulation(said, emotions),
            f"All of this participant's recordings: {sum(r.felt == r.target for r in said)} of "
            f"{sum(r.felt is not None for r in said)} clips were felt as they were meant.",
        )  # fmt: skip
    made.html("Recordings", _table(person))
    made.save(path)
    return path


def _verdict(person: Person, folder: Path) -> str:
    why = person.reason or f"{number(person.quality, '.2%')}, the best session counts"
    about = {TRAITS[trait]: value for trait, value in person.traits.items()}
    tiles = "".join(page.tile(run_tile(m, folder)) for m in person.recordings)
    finding = [f"ses-{m.session} run-{m.run}: {said}" for m in person.recordings for said in m.findings]
    return (
        page.verdict(_KINDS[person.state], why)
        + f'<div class="emo-row">{tiles or escape("no recording is reported on")}</div>'
        + page.points("Look at", finding, nothing="Nothing else stands out.")
        + (page.pairs(about) if about else "")
        + ('<p><a href="group_report.html">The group</a></p>' if (folder / "group_report.html").exists() else "")
    )


def _sensors(recordings: list[Measures]) -> Figure:
    labels = list(dict.fromkeys(label for m in recordings for label in m.contact_quality.per_sensor))
    shares = np.array([[m.contact_quality.per_sensor.get(label, np.nan) for label in labels] for m in recordings])
    fig = style.figure(0.9 + 0.4 * len(recordings))
    axes = fig.subplots()
    axes.set_facecolor(style.GRID)
    axes.imshow(shares, cmap=style.SHARES, vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        if np.isfinite(share) and len(labels) <= 40:
            ink = "white" if share < 0.5 else style.INK
            axes.text(column, row, f"{share * 100:.0f}", ha="center", va="center", fontsize=7.5, color=ink)
    axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=8)
    axes.set_yticks(range(len(recordings)), [f"ses-{m.session} run-{m.run}" for m in recordings], fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return fig


def _table(person: Person) -> str:
    columns = (
        "session",
        "run",
        "began",
        "ended",
        "verdict",
        "contact quality",
        "not measured",
        "bad channels",
        "usable trials",
    )
    rows = [
        (
            m.session, m.run, m.began.replace("T", " ").split(".")[0].removesuffix("Z"), m.end or "–",
            m.verdict.replace("_", " "), number(m.contact_quality.value, ".2%"),
            *((m.eeg.n_filled, ", ".join(m.eeg.bad_channels) or "none") if m.eeg else ("–", "–")),
            f"{m.clips.n_trials - len(m.repeat)} of {m.clips.n_trials}" if m.clips.n_trials else "–",
        )
        for m in person.recordings
    ]  # fmt: skip
    return page.table(columns, rows, out=[n for n, m in enumerate(person.recordings) if m.verdict in OUT])
