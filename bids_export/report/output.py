"""Where reports go: beside a data folder's recordings, never into them, or into a derivative of a dataset."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path, PurePath

from bids_export import place, tables
from bids_export.front import BIDS_VERSION
from bids_export.report import session_page
from bids_export.report.facts import Facts, ReportError
from bids_export.report.from_bids import Dataset
from bids_export.report.measures import Measures
from protocol.folder import Run

REPORTS = "reports"
MADE_BY = "emo-report"
IGNORED = ("*_report.html", "*_report.json", "group_report.tsv")  # BIDS has no names for reports


def beside(run: Run) -> Path:
    """Return the folder for reports of a run: beside all recordings, because a recording is never changed."""
    return run.data / REPORTS


def write(folder: Path, facts: Facts, measures: Measures, *, first: Callable[[Path], None] | None = None) -> Path:
    """Write the page and the measures of one recording; an earlier report of it is replaced.

    Parameters
    ----------
    folder : Path
        Made, for its owner alone, where there is none.
    facts : Facts
        What was recorded.
    measures : Measures
        What it is worth.
    first : callable, optional
        Is told the page when the verdict stands in it, before the pictures are drawn.

    Returns
    -------
    Path
        The page; the measures lie beside it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    page = folder / f"{facts.stem}_report.html"
    put(page.with_suffix(".json"), measures.model_dump_json(by_alias=True, indent=2) + "\n")
    if first:
        session_page.write_first(page, facts, measures)
        first(page)
    session_page.write(page, facts, measures)
    return page


def put(path: Path, text: str) -> None:
    """Write beside the final name and rename: no half-written file under its name."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    temporary.replace(path)


def check(out: Path, dataset: Dataset) -> None:
    """Refuse to write reports where something else lies.

    Raises
    ------
    ReportError
        One line.
    """
    if out.resolve() == dataset.root.resolve():
        raise ReportError(f"{out}: is the dataset itself; name a folder such as {dataset.root}/derivatives/emolab-report")
    if out.exists() and not out.is_dir():
        raise ReportError(f"{out}: is a file; name a folder for the reports")
    if out.exists() and any(out.iterdir()):
        about = tables.read_json(out / place.DESCRIPTION) if place.is_ours(out) else {}
        if about.get("DatasetType") != "derivative":
            raise ReportError(f"{out}: is not empty and was not made by {place.NAME}; name a new folder for the reports")


def prepare(out: Path, dataset: Dataset) -> None:
    """Make a folder a BIDS derivative; one of ours that is there already keeps its description.

    Raises
    ------
    ReportError
        When something else lies there.
    """
    check(out, dataset)
    out.mkdir(parents=True, exist_ok=True)
    ignore = out / ".bidsignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.exists() else []
    put(ignore, "\n".join([*lines, *(line for line in IGNORED if line not in lines)]) + "\n")
    if place.is_ours(out):
        return
    put(out / "README.md", _readme(dataset))
    tables.write_json(out / place.DESCRIPTION, _description(out, dataset))


def _description(out: Path, dataset: Dataset) -> dict[str, object]:
    raw = PurePath(os.path.relpath(dataset.root.resolve(), out.resolve())).as_posix()
    source = dataset.description
    return {
        "Name": f"{dataset.name}: quality reports",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        **{name: source[name] for name in ("License", "Authors") if name in source},
        **({"Simulated": True} if dataset.simulated else {}),
        "GeneratedBy": [{"Name": place.NAME, "Version": version(place.NAME), "Description": MADE_BY}],
        "SourceDatasets": [{"URL": raw}],
        "DatasetLinks": {"raw": raw},
    }


def _readme(dataset: Dataset) -> str:
    watermark = "**The source data are simulated: nothing here says anything about people.**\n\n" if dataset.simulated else ""
    return f"""# Quality reports of {dataset.name}

{watermark}`group_report.html` says who is in, who is out and why; `group_report.tsv` has the same as a table.
`sub-*_report.html` is the page of one recording, and the `.json` beside it has its measures. The pages are whole in themselves:
they ask nothing of the network. They hold no picture of a face.
"""
