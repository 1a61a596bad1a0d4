"""``emo-train``: both recognisers, their fusion, fused labels and honest scores, from a BIDS root alone."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar, get_args

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from models import commands
from models.bids import BidsError
from models.evaluate import MetricsError, MetricsRow, Modality
from models.weights import WeightsError
from models.windows import LabelKind, Where

if TYPE_CHECKING:
    from models.job import Done

app = typer.Typer(add_completion=False, rich_markup_mode=None)
out, err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)

FEATURES = ("auto", "imagenet", "seeded", "pool96")
SPLITS = ("window-random", "leave-one-subject-out")
Choice = TypeVar("Choice", bound=str)


class OptionError(ValueError):
    """An option has a value that there is not; one line."""


@app.command(epilog="Example: emo-train data/bids --features auto,pool96 --windows central")
def train(
    root: Annotated[Path, typer.Argument(help="A BIDS dataset, as emo-export makes it.", metavar="BIDS_ROOT")],
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="Where to write; BIDS_ROOT/derivatives/emolab if left out.")
    ] = None,
    models: Annotated[str, typer.Option(help="Which of eeg, face, fusion; joined by commas.")] = "eeg,face,fusion",
    features: Annotated[
        list[str] | None,
        typer.Option(
            help="auto (ImageNet weights where they are on this machine, else seeded), imagenet, seeded, or pool96 (light); "
            "several by commas or by repeating the option. Labels come from the first."
        ),
    ] = None,
    splits: Annotated[str, typer.Option(help=f"Which of {', '.join(SPLITS)}; joined by commas.")] = ",".join(SPLITS),
    windows: Annotated[str, typer.Option(help="all: every 3 s of a clip; central: one window in its middle.")] = "all",
    labels: Annotated[
        str, typer.Option(help="What to learn: target (chosen to elicit), rating (self-report), agreeing (where both agree).")
    ] = "target",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same numbers.")] = 1,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; as many as there are cores if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train the EEG and the face recogniser, fuse them, label every clip, and say what the scores are worth.

    Only participants who are included and consent to 'train' are read. Everything is written into the derivative: fused labels,
    metrics.json, confusion matrices, models with their cards. Nothing is downloaded.
    """
    logging.getLogger("models").addHandler(_handler())
    kinds = ",".join(features or ["auto"])
    modalities: tuple[Modality, ...] = _choices("--models", models, get_args(Modality))
    wanted: Any = _choices("--features", kinds, FEATURES)
    named = _choices("--splits", splits, SPLITS)
    where: Where = _choices("--windows", windows, get_args(Where))[0]
    kind: LabelKind = _choices("--labels", labels, get_args(LabelKind))[0]
    from models import job  # torch alone takes seconds: not for --help or a misspelt option

    options = job.Options(
        root=root, out=out_dir, models=modalities, features=wanted, splits=named, windows=where, labels=kind, seed=seed,
        workers=workers or _n_cores(),
    )  # fmt: skip
    done = job.run(options, _Shown())
    if as_json:
        out.print_json(json.dumps(record(done)))
    else:
        _tell(done)


def _choices(option: str, text: str, known: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """Split by commas; each once, in the order given."""
    given = [part.strip() for part in text.split(",") if part.strip()]
    if unknown := [part for part in given if part not in known]:
        raise OptionError(f"{option} = {unknown[0]}: there is no such value; use {', '.join(known)}")
    if not given:
        raise OptionError(f"{option} = {text!r}: names nothing; use {', '.join(known)}")
    chosen: list[Choice] = [next(value for value in known if value == part) for part in dict.fromkeys(given)]
    return tuple(chosen)


def _n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Shown:
    """Progress on a terminal, and lines that matter on stderr."""

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """Show a bar with the time left."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
            task = bars.add_task(what, total=None)
            yield lambda done, total: bars.update(task, completed=done, total=total)

    def say(self, line: str) -> None:
        """Print a line."""
        err.print(line, markup=False, highlight=False)


def _handler() -> logging.Handler:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    return handler


def record(done: Done) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    dropped = [{"reason": reason, "emotion": emotion, "n": n} for (reason, emotion), n in sorted(done.data.dropped.items())]
    return {
        "schema": 1, "out": str(done.out), "emotions": list(done.data.emotions), "n_windows": len(done.data.windows),
        "n_participants": len({window.participant for window in done.data.windows}), "dropped": dropped,
        "metrics": [asdict(row) for row in done.rows], "files": [str(path) for path in done.files],
    }  # fmt: skip


def _tell(done: Done) -> None:
    """Print the scores beside chance, a table for each split, the honest ones first."""
    people = len({window.participant for window in done.data.windows})
    said = f"{len(done.data.windows)} windows of {people} participants: {', '.join(done.data.emotions)}"
    out.print(said, markup=False, highlight=False)
    for row in sorted({row.split: row for row in done.rows}.values(), key=lambda row: row.leaky):
        out.print(_table([other for other in done.rows if other.split == row.split]))
    out.print(
        "95 %: interval over participants. p: permutation test over clips, labels permuted within participants. n: windows. "
        f"Labels, metrics.json, figures and models: {done.out}", markup=False, highlight=False,
    )  # fmt: skip


def _table(rows: Sequence[MetricsRow]) -> Table:
    shares = ", ".join(rows[0].shares) or "nothing"
    leaky = "LEAKY, too good: " if rows[0].leaky else ""
    title = f"{rows[0].split} ({leaky}both sides share {shares})"  # 78 characters at most
    table = Table(
        title=escape(title), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, pad_edge=False
    )
    for name in ("modality", "features"):
        table.add_column(name, no_wrap=True)
    for name in ("accuracy", "95 %", "chance", "macro-F1", "p", "n"):
        table.add_column(name, no_wrap=True, justify="right")
    for row in rows:
        interval = "-" if row.ci_low is None or row.ci_high is None else f"{100 * row.ci_low:.0f}-{100 * row.ci_high:.0f} %"
        p = "-" if row.p_permutation is None else f"{row.p_permutation:.4f}"
        scores = (f"{row.accuracy:.1%}", interval, f"{row.chance:.1%}", f"{row.f1_macro:.1%}", p, str(row.n_test))
        table.add_row(row.modality, row.features, *scores, style="dim" if row.leaky else None)
    return table


def train_main() -> NoReturn:
    """Run ``emo-train``."""
    commands.run(app, (BidsError, MetricsError, WeightsError, OptionError))
