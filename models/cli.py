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
from models.card import CardError
from models.eeg.engines import ENGINES, Engine, EngineError
from models.eeg.montage import Montage
from models.eeg.table import MODELS, PAPERS_OWN
from models.eeg.variants import DEFAULT, VARIANTS
from models.evaluate import Control, MetricsError, MetricsRow, Modality, in_common
from models.face.settings import DETECTORS, NETWORKS, FaceSettings, NetworkName
from models.fusion import Rule
from models.splits import HEADLINE, SPLITS
from models.weights import WeightsError
from models.windows import ARTEFACT_UV, LabelKind, Rules, Where

if TYPE_CHECKING:
    from models.job import Done

app = typer.Typer(add_completion=False, rich_markup_mode=None)
out, err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)

FEATURES = ("auto", "imagenet", "seeded", "pool96")
CONTROLS = tuple(name for name in get_args(Control) if name != "none")
Choice = TypeVar("Choice", bound=str)


class OptionError(ValueError):
    """An option has a value that there is not; one line."""


@app.command(epilog="Example: emo-train data/bids --features auto,pool96 --windows central")
def train(
    root: Annotated[
        Path | None,
        typer.Argument(help="A BIDS dataset, as emo-export makes it; left out with --faces.", metavar="BIDS_ROOT"),
    ] = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="Where to write; BIDS_ROOT/derivatives/emolab if left out.")
    ] = None,
    models: Annotated[
        str,
        typer.Option(
            help=f"Which of eeg, face, fusion (the paper's own), and of other models of the EEG: "
            f"{', '.join(name for name in MODELS if name != PAPERS_OWN)}; joined by commas, or all."
        ),
    ] = "eeg,face,fusion",
    features: Annotated[
        list[str] | None,
        typer.Option(
            help="auto (ImageNet weights where they are on this machine, else seeded), imagenet, seeded, or pool96 (light); "
            "several by commas or by repeating the option. Labels come from the first."
        ),
    ] = None,
    splits: Annotated[
        str, typer.Option(help=f"Which of {', '.join(SPLITS)}; joined by commas, or all that the data allow.")
    ] = "all",
    controls: Annotated[
        str,
        typer.Option(help=f"The EEG again without what muscles show in: {', '.join(CONTROLS)}; joined by commas, all or none."),
    ] = "none",
    montage: Annotated[
        str,
        typer.Option(
            help="Electrodes: paper (its 28, others interpolated onto them), own (those of the data, on a map of their own), "
            "or auto: the paper's where every recording has at least half of them."
        ),
    ] = "auto",
    engine: Annotated[
        str, typer.Option(help=f"What computes InceptionV3: {', '.join(ENGINES)}; those of OpenVINO need the extra 'fast'.")
    ] = "torch",
    spectrogram: Annotated[str, typer.Option(help=f"How pictures are made: {', '.join(VARIANTS)}.")] = DEFAULT,
    windows: Annotated[str, typer.Option(help="all: every 3 s of a clip; central: one window in its middle.")] = "all",
    onset_skip: Annotated[
        float | None,
        typer.Option(
            min=0, help="Leave out windows that begin earlier in their clip, seconds; else as the study asked (paper: 2)."
        ),
    ] = None,
    artefact_uv: Annotated[
        float, typer.Option(min=0, help="Leave out windows with a larger swing, microvolts between 1 and 51 Hz; 0 keeps all.")
    ] = ARTEFACT_UV,
    looked_away: Annotated[
        str, typer.Option(help="Clips of which people say to have looked away: keep, or leave-out.")
    ] = "keep",
    labels: Annotated[
        str, typer.Option(help="What to learn: target (chosen to elicit), rating (self-report), agreeing (where both agree).")
    ] = "target",
    rule: Annotated[str, typer.Option("--fusion", help=f"How both are fused: one of {', '.join(get_args(Rule))}.")] = "pool",
    abstain_below: Annotated[
        float, typer.Option(min=0, max=1, help="No label where the likeliest emotion has a smaller probability.")
    ] = 0.0,
    detector: Annotated[
        str, typer.Option(help=f"What finds faces: {', '.join(DETECTORS)}, or auto: the first of them that this machine has.")
    ] = "auto",
    face_network: Annotated[str, typer.Option(help="The face's network: seed112 (the paper's) or pattlite224.")] = "seed112",
    face_pretrain: Annotated[
        Path | None,
        typer.Option(help="Learn faces from this folder first, RAF-DB or class/image, then from the dataset's own videos."),
    ] = None,
    face_adapt: Annotated[bool, typer.Option(help="Or take what the folder taught as it is.")] = True,
    faces: Annotated[
        Path | None, typer.Option(help="Learn faces from this folder alone, as the paper from RAF-DB; needs --out.")
    ] = None,
    clips: Annotated[
        bool, typer.Option(help="Draw each clip with its face, as the paper's Figure 7; where faces may be shown.")
    ] = True,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same numbers.")] = 1,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; as many as there are cores if left out.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler (tcp://host:8786) whose workers do the work instead.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train the EEG and the face recogniser, fuse them, label every clip, and say what the scores are worth.

    Only participants who are included and consent to 'train' are read. Everything is written into the derivative: fused labels,
    metrics.json, confusion matrices, models with their cards. Nothing is downloaded.
    """
    logging.getLogger("models").addHandler(handler())
    kinds = ",".join(features or ["auto"])
    others = tuple(name for name in MODELS if name != PAPERS_OWN)
    named = choices("--models", models, (*get_args(Modality), *others), everything=True)
    wanted: Any = choices("--features", kinds, FEATURES)
    chosen = () if splits.strip() == "all" else choices("--splits", splits, tuple(SPLITS))
    controlled: Any = () if controls.strip() == "none" else choices("--controls", controls, CONTROLS, everything=True)
    mounted: Montage = choices("--montage", montage, get_args(Montage))[0]
    computed: Engine = choices("--engine", engine, get_args(Engine))[0]
    pictures = choices("--spectrogram", spectrogram, tuple(VARIANTS))[0]
    away = choices("--looked-away", looked_away, ("keep", "leave-out"))[0]
    where: Where = choices("--windows", windows, get_args(Where))[0]
    kind: LabelKind = choices("--labels", labels, get_args(LabelKind))[0]
    fused: Rule = choices("--fusion", rule, get_args(Rule))[0]
    network = choices("--face-network", face_network, NETWORKS)[0]
    finder = choices("--detector", detector, ("auto", *DETECTORS))[0]
    if faces is not None:
        _train_faces(faces, root, out_dir, wanted, network, seed, as_json)
        return
    if root is None:
        raise OptionError("BIDS_ROOT: is missing; name a dataset, or a folder of pictures with --faces")
    from models import job  # torch alone takes seconds: not for --help or a misspelt option
    from models.face import detect

    if finder != "auto" and (why := detect.missing(finder)):
        raise OptionError(f"--detector = {finder}: {why}")
    options = job.Options(
        root=root, out=out_dir, models=tuple(name for name in get_args(Modality) if name in named), features=wanted,
        eeg_models=tuple(name for name in named if name in others), splits=chosen, controls=controlled, windows=where,
        rules=Rules(onset_skip_s=onset_skip, artefact_uv=artefact_uv, looked_away="keep" if away == "keep" else "leave out"),
        labels=kind, rule=fused, abstain_below=abstain_below, clips=clips, montage=mounted, engine=computed,
        spectrogram=pictures,
        face=FaceSettings(
            detector=detect.best() if finder == "auto" else next(name for name in DETECTORS if name == finder),
            network=network,
            pretrain=face_pretrain, adapt=face_adapt,
        ),
        seed=seed, workers=workers or n_cores(), scheduler=scheduler,
    )  # fmt: skip
    done = job.run(options, shown())
    if as_json:
        out.print_json(json.dumps(record(done)))
    else:
        _tell(done)


def _train_faces(
    folder: Path,
    root: Path | None,
    out_dir: Path | None,
    wanted: Any,
    network: NetworkName,
    seed: int,
    as_json: bool,
) -> None:
    """Learn from a folder of pictures alone."""
    if root is not None:
        raise OptionError(f"--faces = {folder}: stands alone; with a dataset use --face-pretrain")
    if out_dir is None:
        raise OptionError("--out: is missing; say where what is learnt from the folder shall go")
    from models import face_job

    options = face_job.Options(faces=folder, out=out_dir, features=wanted, network=network, seed=seed)
    done = face_job.run(options, shown())
    if as_json:
        written = [str(path) for path in done.files]
        out.print_json(
            json.dumps({"schema": 1, "out": str(done.out), "metrics": [asdict(row) for row in done.rows], "files": written})
        )
        return
    out.print(_table(done.rows))
    said = "Le & Nguyen (2025), RAF-DB, four emotions: 92 % accuracy, F1 91 %."
    out.print(f"{said} Table 1, Figure 5, models: {done.out}", markup=False, highlight=False)


def choices(option: str, text: str, known: tuple[Choice, ...], *, everything: bool = False) -> tuple[Choice, ...]:
    """Split by commas; each once, in the order given; ``all``, where it may be said, is all of them."""
    if everything and text.strip() == "all":
        return known
    given = [part.strip() for part in text.split(",") if part.strip()]
    if unknown := [part for part in given if part not in known]:
        raise OptionError(f"{option} = {unknown[0]}: there is no such value; use {', '.join(known)}")
    if not given:
        raise OptionError(f"{option} = {text!r}: names nothing; use {', '.join(known)}")
    chosen: list[Choice] = [next(value for value in known if value == part) for part in dict.fromkeys(given)]
    return tuple(chosen)


def n_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Shown:
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


def shown() -> Shown:
    """Return where progress is told: a terminal."""
    return Shown()


def handler() -> logging.Handler:
    """Return what prints the log's warnings as plain lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    return handler


def record(done: Done) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    dropped = [{"reason": reason, "emotion": emotion, "n": n} for (reason, emotion), n in sorted(done.data.dropped.items())]
    return {
        "schema": 1, "out": str(done.out), "emotions": list(done.data.emotions), "n_windows": len(done.data.windows),
        "n_participants": len({window.participant for window in done.data.windows}), "dropped": dropped,
        "readings": list(done.readings), "metrics": [asdict(row) for row in done.rows],
        "files": [str(path) for path in done.files],
    }  # fmt: skip


def _tell(done: Done) -> None:
    """Print the scores beside chance, a table for each split, the honest ones first, and what they say together."""
    people = len({window.participant for window in done.data.windows})
    said = f"{len(done.data.windows)} windows of {people} participants: {', '.join(done.data.emotions)}"
    out.print(said, markup=False, highlight=False)
    for row in sorted({row.split: row for row in done.rows}.values(), key=lambda row: (row.leaky, row.split != HEADLINE)):
        out.print(_table([other for other in done.rows if other.split == row.split and other.control == "none"]))
    for row in done.rows:
        if row.control != "none":
            line = f"{_who(row)} ({row.features}), {row.split}, {row.control}: {row.accuracy:.1%}, chance {row.chance:.1%}"
            out.print(line, markup=False, highlight=False)
    for sentence in done.readings:
        out.print(sentence, markup=False, highlight=False)
    out.print(
        "95 %: interval over participants. p: permutation test over clips, labels permuted within participants; not for leaky "
        f"splits. n: windows. Labels, scores.html, metrics.json, figures and models: {done.out}", markup=False, highlight=False,
    )  # fmt: skip


def _table(rows: Sequence[MetricsRow]) -> Table:
    leaky = "LEAKY, too good: " if rows[0].leaky else ""
    title = f"{rows[0].split} ({leaky}{in_common(rows[0].shares)})"  # 78 characters at most
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
        table.add_row(_who(row), row.features, *scores, style="dim" if row.leaky else None)
    return table


def _who(row: MetricsRow) -> str:
    """Return what names a row's recogniser in the table: its model, where it is not the paper's own."""
    return row.model if row.modality == "eeg" and row.model != PAPERS_OWN else row.modality


def train_main() -> NoReturn:
    """Run ``emo-train``."""
    commands.run(app, (BidsError, MetricsError, WeightsError, CardError, EngineError, OptionError))
