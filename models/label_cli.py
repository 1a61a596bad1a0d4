"""``emo-label``: fused labels for new recordings, by models that emo-train has kept."""

from __future__ import annotations

import json
import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, get_args

import typer
from rich.table import Table

from models import commands
from models.bids import BidsError
from models.card import CardError
from models.cli import OptionError, choices, handler, n_cores, out, shown
from models.eeg.engines import EngineError
from models.weights import WeightsError
from models.windows import Where

if TYPE_CHECKING:
    from models.label_job import Done

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: emo-label new/bids --models data/bids/derivatives/emolab/models")
def label(
    root: Annotated[Path, typer.Argument(help="A BIDS dataset, as emo-export makes it.", metavar="BIDS_ROOT")],
    models: Annotated[Path, typer.Option(help="Folder of kept models, as emo-train writes it.", metavar="DIR")],
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="Where to write; BIDS_ROOT/derivatives/emolab if left out.")
    ] = None,
    features: Annotated[
        str | None, typer.Option(help="Which of several models, as in their files' names: pool96, imagenet ..")
    ] = None,
    windows: Annotated[str, typer.Option(help="all: every 3 s of a clip; central: one window in its middle.")] = "all",
    abstain_below: Annotated[
        float, typer.Option(min=0, max=1, help="No label where the likeliest emotion has a smaller probability.")
    ] = 0.0,
    clips: Annotated[bool, typer.Option(help="Draw each clip with its face, where faces may be shown.")] = True,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; as many as there are cores if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Label recordings that no model has seen: by EEG, by face and by both fused, with how far to trust it.

    Everybody who is included is labelled, the face only of those who agreed to it. A recording that the models have learnt
    from is labelled too, and its rows say out_of_fold = no.
    """
    logging.getLogger("models").addHandler(handler())
    where: Where = choices("--windows", windows, get_args(Where))[0]
    from models import label_job  # torch alone takes seconds: not for --help or a misspelt option

    options = label_job.Options(
        root=root, models=models, out=out_dir, features=features, windows=where, abstain_below=abstain_below,
        workers=workers or n_cores(), pictures=clips,
    )  # fmt: skip
    done = label_job.run(options, shown())
    if as_json:
        out.print_json(json.dumps(record(done)))
    else:
        _tell(done)


def record(done: Done) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    clips = [row for row in done.rows if row["trial_type"].startswith("clip/")]
    return {
        "schema": 1, "out": str(done.out), "emotions": list(done.predictions.emotions),
        "n_windows": len(done.predictions.windows), "labels": clips,
        "files": [str(path) for path in done.files],
    }  # fmt: skip


def _tell(done: Done) -> None:
    """Print how often each label was given for each target."""
    clips = [row for row in done.rows if row["trial_type"].startswith("clip/")]
    counts = Counter((row["target"], row["label"]) for row in clips)
    columns = [*done.predictions.emotions, "n/a"]
    table = Table("target", *columns, title=f"{len(clips)} clips: labels by target", title_justify="left")
    for target in dict.fromkeys(row["target"] for row in clips):
        table.add_row(target, *(str(counts[target, name]) for name in columns))
    out.print(table)
    seen = sum(row["out_of_fold"] == "no" for row in clips)
    if seen:
        out.print(f"{seen} clips are of recordings that the models have learnt from: their labels look better than they are.")
    met = sum((row["out_of_fold"], row["participant_seen"]) == ("yes", "yes") for row in clips)
    if met:
        out.print(
            f"{met} clips are new, of people from whom the models have learnt: their labels may look better than they are."
        )
    alone = sum(row["label_by"] == "fusion" and row["eeg_missing"] == "yes" for row in done.rows if row not in clips)
    if alone:
        out.print(f"{alone} windows have no EEG: they are labelled by the face, where it shows, and say so (eeg_missing).")
    out.print(f"A label is a guess of a model, not what somebody felt. Tables: {done.out}", markup=False, highlight=False)


def main() -> NoReturn:
    """Run ``emo-label``."""
    commands.run(app, (BidsError, CardError, EngineError, WeightsError, OptionError))
