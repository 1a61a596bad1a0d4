"""What ``emo-train`` says before it begins, one line each: what is not as in the paper, and what the data are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from models import bids
from models.eeg import variants
from models.eeg.engines import Engine
from models.eeg.inputs import Source
from models.eeg.scalp_map import PAPER, Grid
from models.evaluate import Features, Modality
from models.splits import Split
from models.steps import Steps


def watermark(root: Path) -> str:
    """Return the line that stands above everything made of simulated data; empty for real ones."""
    simulated = bids.read_json(root / "dataset_description.json").get("Simulated") is True
    return "simulated data: nothing here says anything about people" if simulated else ""


def learning(models: Collection[Modality], kinds: Mapping[Features, Features], designs: Sequence[Split], steps: Steps) -> None:
    """Say in a line each what is not learnt as in the paper."""
    for modality, name, found in (("eeg", "inception_v3", tuple(kinds)), ("face", "mobilenet_v2", tuple(kinds.values()))):
        if "seeded" in found and {modality, "fusion"} & set(models):
            steps.say(
                f"{modality}: no ImageNet weights of {name} are used: seeded features instead, which know less "
                f"(weights come with: emo-weights fetch {name})"
            )
    from models.eeg.training import SMALL, SMALL_BELOW  # loads torch, which takes seconds: not for bad input

    few = {split.name: min(len(part.train) + len(part.validation) for part in split.folds) for split in designs}
    small = {name: n for name, n in few.items() if n < SMALL_BELOW}
    if small:
        where = "" if len(small) == len(few) else f" by {', '.join(small)}"
        steps.say(
            f"eeg: {min(small.values())} windows to learn from{where} are few (under {SMALL_BELOW}): preset '{SMALL.name}', "
            f"learning rate {SMALL.lr:g} instead of the paper's"
        )


def eeg(engine: Engine, spectrogram: str, grid: Grid, sources: Collection[Source], steps: Steps) -> None:
    """Say how the EEG is looked at, where that is not as in the paper, and what was asked for in vain."""
    if grid != PAPER:
        where = f"{len(grid.channels)} electrodes on a map of {grid.n_rows}x{grid.n_columns}"
        steps.say(f"eeg: a montage of its own, {where}: {', '.join(grid.channels)}")
    if engine != "torch" and not any(source.engine == engine for source in sources):
        steps.say(f"--engine = {engine}: nothing here is computed by InceptionV3")
    if spectrogram != variants.DEFAULT and not any(source.variant == spectrogram for source in sources):
        steps.say(f"--spectrogram = {spectrogram}: nothing here learns from pictures")
