"""``emo-record check`` and ``recover``: what is in a recording, whether it is whole, and what can be made of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from collector import rescue, xdf
from collector.xdf import Report, StreamReport
from collector.xdf.survey import Progress as Tell
from protocol import commands
from protocol.folder import FolderError

_SHOWN = 20  # damages are listed up to here; --json has them all


def check(
    file: Annotated[Path, typer.Argument(help="XDF file, ours or another recorder's.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Read a recording chunk by chunk, with its checksums where they lie beside it, and say what is in it.

    Ends with 0 when every byte is accounted for, 1 when something is damaged.

    Example: emo-record check data/sub-07/ses-01/run-01/sub-07_ses-01_task-emotion_run-01_eeg.xdf
    """
    with _readable(file), _progress(file, "checking", as_json=as_json) as tell:
        report = xdf.check(file, progress=tell)
    show(file, report, as_json=as_json)
    if report.damage:
        raise typer.Exit(commands.CHECK_FAILED)


def recover(
    path: Annotated[Path, typer.Argument(help="XDF file, ours or another recorder's; or the folder of a run that crashed.")],
    out: Annotated[
        Path | None, typer.Option(help="File to write; by default it lies beside the original as NAME-recovered.xdf.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make a whole recording out of a damaged one; the original is never changed, and nothing is overwritten.

    Every chunk that is whole, and matches its checksum where there is one, is copied; the footers are written anew. For a
    run's folder the run is also judged and gets its manifest, so that it can be exported and reported on.

    Ends with 0 when the new file is written, whatever was lost: that is said for each stream.

    Example: emo-record recover data/sub-07/ses-01/run-01
    """
    if path.is_dir():
        if out is not None:
            raise FolderError(f"--out = {out}: a run is recovered in its own folder; leave --out away, or name the XDF file")
        with _readable(path), _progress(path, "recovering", as_json=as_json) as tell:
            rescued = rescue.rescue(path, progress=tell)
        quality, run = rescued.manifest.quality, rescued.run
        judged = f"{quality.verdict.replace('_', ' ')} {quality.reason}".strip() if quality else "not judged"
        _say(
            path, run.recovered_xdf, rescued.report, as_json=as_json,
            more=(f"contact quality: {judged}", f"now: emo-report {run.path}, and emo-export as always"),
        )  # fmt: skip
        return
    out = out or rescue.beside(path)
    with _readable(path, out), _progress(path, "recovering", as_json=as_json) as tell:
        report = xdf.mend(path, out, progress=tell)
    _say(path, out, report, as_json=as_json)


@contextmanager
def _readable(path: Path, out: Path | None = None) -> Iterator[None]:
    """Tell what the disk refuses in one line; a disk that fills up is no bad input."""
    try:
        yield
    except FileExistsError as error:
        raise FolderError(f"{error.filename}: exists already, nothing is overwritten; name another file with --out") from None
    except xdf.DiskFullError as error:
        raise FolderError(f"{error.filename}: {error.strerror}; nothing was written: make room, or use --out") from None
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        cure = "give an XDF file" if out is None else "give an XDF file, and an --out that can be written"
        raise FolderError(f"{error.filename or path}: {error.strerror}; {cure}") from None


@contextmanager
def _progress(path: Path, what: str, *, as_json: bool) -> Iterator[Tell]:
    """Show how far it is and how long it takes, on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=as_json or not screen.is_terminal) as bar:
        task = bar.add_task(f"{what} {path.name}", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def verdict(report: Report) -> str:
    """Say in one line whether a recording is whole."""
    sums = (
        f"{report.n_verified} of {report.n_chunks} chunks match their checksums"
        if report.n_verified
        else "no checksums beside it"
    )
    if report.damage:
        lost = f"{len(report.damage)} places, {report.n_bytes_lost} bytes left out"
        return f"damaged: {lost}; {sums}"
    return f"whole: {sums}" if report.closed else f"whole up to its end, but never closed: {sums}"


def show(file: Path, report: Report, *, as_json: bool) -> None:
    """Print what was found."""
    if as_json:
        Console(soft_wrap=True).print_json(json.dumps(_record(file, report)))
        return
    _table(report)
    Console(soft_wrap=True).print(f"{file}: {verdict(report)}", markup=False, highlight=False)


def _say(path: Path, out: Path, report: Report, *, as_json: bool, more: tuple[str, ...] = ()) -> None:
    screen = Console(soft_wrap=True)
    if as_json:
        screen.print_json(json.dumps({**_record(path, report), "out": str(out)}))
        return
    _table(report)
    lost = [f"{s.name} {_lost(s)}" for s in report.streams if s.n_lost or not s.exact]
    lines = [
        f"lost: {'; '.join(lost)}" if lost else "lost: nothing that was written",
        f"{out}: written; what was recorded is as it was",
        *more,
    ]
    for line in lines:
        screen.print(line, markup=False, highlight=False)


def _record(file: Path, report: Report) -> dict[str, Any]:
    found = dataclasses.asdict(report)
    return {"schema": 1, "file": str(file), "verdict": verdict(report), "closed": report.closed, **found}


def _lost(stream: StreamReport) -> str:
    """Say what the damage cost a stream; a tilde where it is an estimate."""
    if not (stream.exact or stream.n_lost or stream.lost_s is not None):
        return "unknown"  # nobody counts events
    about = "" if stream.exact else "~"
    return f"{about}{stream.n_lost}" + (f" ({about}{stream.lost_s:.3g} s)" if stream.lost_s else "")


def _table(report: Report) -> None:
    screen = Console(soft_wrap=True)
    # no frame: Emotiv's long names fit into 80 columns
    names = ("samples", "from (s)", "to (s)", "lost" if report.damage else "offsets")
    columns = (Column(name, justify="right") for name in names)
    table = Table("id", Column("stream", overflow="fold"), *columns, box=None, pad_edge=False)
    for s in sorted(report.streams, key=lambda s: s.id):
        ends = ("" if t is None else f"{t:.3f}" for t in (s.t_first, s.t_last))
        table.add_row(str(s.id), s.name, str(s.n), *ends, _lost(s) if report.damage else str(s.n_offsets))
    screen.print(table)
    for d in report.damage[:_SHOWN]:
        screen.print(f"bytes {d.start} to {d.stop}: {d.why}", markup=False, highlight=False)
    if len(report.damage) > _SHOWN:
        screen.print(f".. and {len(report.damage) - _SHOWN} more places; --json lists them", markup=False, highlight=False)
