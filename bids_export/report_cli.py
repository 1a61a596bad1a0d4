"""``emo-report``: what a recording, or a dataset, is worth."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table

from bids_export.console import out, progress
from bids_export.report.facts import ReportError
from collector.quality import WORDS
from protocol import commands, folder

if TYPE_CHECKING:
    from bids_export.report.facts import Facts
    from bids_export.report.from_bids import Dataset
    from bids_export.report.group import Group
    from bids_export.report.measures import Measures

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Level(StrEnum):
    """What a BIDS-App calls the level of analysis."""

    participant = "participant"
    group = "group"


@app.command()
def report(
    source: Annotated[
        Path,
        typer.Argument(
            help="A run, such as DATA/sub-07/ses-01/run-01; an XDF file of LabRecorder's; or a BIDS dataset.", metavar="SOURCE"
        ),
    ],
    target: Annotated[Path | None, typer.Argument(help="With a dataset: where the reports go.", metavar="[OUT]")] = None,
    level: Annotated[Level | None, typer.Argument(help="With a dataset: which pages.")] = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="With a run: where its page goes; DATA/reports if left out.")
    ] = None,
    participant_label: Annotated[
        list[str] | None, typer.Option("--participant-label", help="Only this participant; may be given several times.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="With participant: the data folder, for full pages of those whom the dataset leaves out. With an XDF file: "
            "the folder from which the study's template counts.",
        ),
    ] = None,
    study: Annotated[
        Path | None, typer.Option(help="With an XDF file: the study file that says what it holds; else the one in DATA.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a recording is worth: a page with pictures, and its measures as JSON beside it.

    Example: emo-report data/sub-07/ses-01/run-01

    As a BIDS-App: emo-report bids bids/derivatives/emolab-report participant, then the same with group. Participants whose
    recordings the dataset leaves out have a page too: a full one with --data, else of what the export remembers.

    A run: ends with 0 when it is kept, with 1 when it is to be excluded, was aborted or could not be judged. Participants: ends
    with 0 when every page is written. A group: ends with 0 when the dataset is valid BIDS, with 1 when it is not. Bad input: 2.
    """
    foreign = source.suffix == ".xdf"
    if study is not None and not foreign:
        raise ReportError(f"--study = {study}: is for a recording of LabRecorder's; a run of ours has a study file of its own")
    if target is None and data is not None and not foreign:
        raise ReportError(f"--data = {data}: is for a dataset; a run is reported on from its own folder")
    if target is None:
        _one(source, out_dir, study, data, as_json=as_json)
    elif level is None:
        raise ReportError(f"{source} {target}: which level? participant or group, as the third word")
    elif out_dir is not None:
        raise ReportError(f"--out = {out_dir}: is for a single run; with a dataset the second word says where reports go")
    elif level is Level.participant:
        _participants(source, target, _labels(participant_label), data, as_json=as_json)
    elif data is not None:
        raise ReportError(f"--data = {data}: is for participant; the group's page takes what that left")
    else:
        _group(source, target, _labels(participant_label), as_json=as_json)


def _labels(given: list[str] | None) -> tuple[str, ...]:
    """Take ``sub-07`` for ``07``, as other BIDS tools do."""
    return tuple(text.removeprefix("sub-") for text in given or ())


def _one(source: Path, out_dir: Path | None, study: Path | None, data: Path | None, *, as_json: bool) -> None:
    if (source / "dataset_description.json").exists():
        raise ReportError(f"{source}: is a dataset; say where to and which level: emo-report {source} OUT participant")
    run = _foreign(source, study, data) if source.suffix == ".xdf" else folder.open_run(source)
    # mne and matplotlib take seconds to load: not for --help
    from bids_export.report import from_run, output, verdict
    from bids_export.report.measures import measure
    from collector.phrases import said

    target = output.beside(run) if out_dir is None else out_dir.absolute()
    if target.resolve().is_relative_to(run.path):
        raise ReportError(f"--out = {out_dir}: lies in the recording, which is never changed; name another folder")
    with progress() as told:
        told("report", "reading", 3)
        facts = from_run.of_run(run)
        told("report", "measuring", 3)
        measures = measure(facts)
        told("report", "drawing", 3)
        page = output.write(target, facts, measures, first=lambda _: None if as_json else _tell(measures))
    if as_json:
        # beside the findings, the same for an operator whose page speaks another language
        found = verdict.findings(facts, measures.eeg, measures.clips, measures.videos)
        others = {"vi": [said(one, "vi") for one in found]}
        shown = {**record(measures), "findings_in": others, "page": str(page)}
        out.print_json(json.dumps(shown), ensure_ascii=True)  # a pipe may have any encoding
    else:
        out.print(page, markup=False, highlight=False)
    if measures.verdict not in ("keep", "repeat"):
        raise typer.Exit(commands.CHECK_FAILED)


def _foreign(file: Path, study: Path | None, data: Path | None) -> folder.Run:
    from bids_export import labrecorder

    if not file.is_file():
        raise ReportError(f"{file}: is missing; name an XDF file of LabRecorder's")
    return labrecorder.one(file, study, data)


def record(measures: Measures) -> dict[str, Any]:
    """Return what ``--json`` prints of a recording."""
    return measures.model_dump(mode="json", by_alias=True)


def _tell(measures: Measures) -> None:
    simulated = " (simulated)" if measures.simulated else ""
    out.print(f"{measures.verdict.replace('_', ' ')}{simulated}: {'; '.join(measures.reasons)}", markup=False, highlight=False)
    for finding in measures.findings:
        out.print(f"look at: {finding}", markup=False, highlight=False)


def _participants(root: Path, target: Path, labels: tuple[str, ...], data: Path | None, *, as_json: bool) -> None:
    from bids_export.report import from_bids, group, output, participant_page
    from bids_export.report.measures import measure

    dataset, target = from_bids.Dataset(root.absolute()), target.absolute()
    loads = _loads(dataset, labels, data)
    output.prepare(target, dataset)
    done: list[tuple[Measures, Path]] = []
    with progress() as told:
        for name, load in loads:
            told("report", name, len(loads))
            facts = load()
            measures = measure(facts)
            done.append((measures, output.write(target, facts, measures)))
        for person in group.people(dataset, target, labels):
            if person.recordings:
                participant_page.write(
                    target, person, study=dataset.name, simulated=dataset.simulated, emotions=dataset.emotions
                )  # fmt: skip
    if as_json:
        out.print_json(json.dumps([{**record(measures), "page": str(page)} for measures, page in done]))
        return
    table = Table(
        title=f"{dataset.name}: {len(done)} recording{'s'[: len(done) != 1]}{' (simulated)' if dataset.simulated else ''}"
    )
    for name in ("recording", "verdict", "contact quality", "look at"):
        table.add_column(name)
    for measures, _ in done:
        value = measures.contact_quality.value
        name = f"sub-{measures.participant} ses-{measures.session} run-{measures.run}"
        quality = "n/a" if value is None else f"{value:.2%}"
        table.add_row(name, measures.verdict.replace("_", " "), quality, "\n".join(measures.findings))
    out.print(table)
    out.print(f"pages: {target.absolute()}", markup=False, highlight=False)


def _loads(dataset: Dataset, labels: tuple[str, ...], data: Path | None) -> list[tuple[str, Callable[[], Facts]]]:
    """Return what is to be reported on: recordings of the dataset, then those that it leaves out."""
    from bids_export.report import from_bids, from_run

    found: list[tuple[str, Callable[[], Facts]]] = [
        (vhdr.name.removesuffix("_eeg.vhdr"), partial(from_bids.load, dataset, vhdr))
        for vhdr in from_bids.select(dataset, labels)
    ]
    runs = {run.stem: run for run in from_bids.left_out(dataset, data.absolute(), labels)} if data is not None else {}
    found += [(stem, partial(from_run.load, run.path)) for stem, run in runs.items()]
    rest = (facts for facts in from_bids.remembered(dataset, labels) if facts.stem not in runs)
    return [*found, *((facts.stem, partial(_known, facts)) for facts in rest)]


def _known(facts: Facts) -> Facts:
    return facts


def _group(root: Path, target: Path, labels: tuple[str, ...], *, as_json: bool) -> None:
    from bids_export import validate
    from bids_export.report import from_bids, group, group_page, output

    dataset = from_bids.Dataset(root.absolute())
    from_bids.select(dataset, labels)
    output.prepare(target.absolute(), dataset)
    with progress() as told:
        told("group", "validating", 2)
        verdict = validate.validate(dataset.root)
        told("group", "drawing", 2)
        found = group.gather(dataset, target.absolute(), verdict, labels)
        page = group_page.write(target.absolute(), found)
    if as_json:
        out.print_json(json.dumps({**group.record(found), "page": str(page)}))
    else:
        _tell_group(found, page)
    if found.validator.errors:
        raise typer.Exit(commands.CHECK_FAILED)


def _tell_group(found: Group, page: Path) -> None:
    about = Table.grid(padding=(0, 2))
    n = len(found.people)
    about.add_row("recorded", f"{n} participant{'s'[: n != 1]}{' (simulated)' if found.simulated else ''}")
    about.add_row("kept", f"{len(found.kept)} ({WORDS[found.rule.metric]} of at least {found.rule.threshold:.0%})")
    about.add_row("BIDS", found.valid)
    if not found.scores:
        about.add_row("scores", "none yet: emo-train")
    out.print(found.name, style="bold", markup=False, highlight=False)
    out.print(about)
    if found.scores:
        out.print(_score_table(found))
    out.print(f"report: {page}", markup=False, highlight=False)


def _score_table(found: Group) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("split", "modality", "features"):
        table.add_column(name, no_wrap=True)
    for name in ("accuracy", "95 %", "chance", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    for n, s in enumerate(found.scores):
        p = "–" if s.p_permutation is None else f"{s.p_permutation:.4f}"
        split = f"{s.split}{' (leaky)' if s.leaky else ''}"
        last = n + 1 == len(found.scores) or found.scores[n + 1].split != s.split
        cells = (split, s.modality, s.features, f"{s.accuracy:.1%}", s.interval, f"{s.chance:.1%}", p)
        table.add_row(*cells, style="dim" if s.leaky else None, end_section=last)
    return table
