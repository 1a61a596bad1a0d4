"""What ``emo-train`` says before it begins, one line each: what is not as in the paper, and what the data are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from models import bids
from models.eeg import table, variants
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


def learning(
    models: Collection[Modality],
    kinds: Mapping[Features, Features],
    designs: Sequence[Split],
    networks: Iterable[str],
    steps: Steps,
) -> None:
    """Say in a line each what is not learnt as in the papers; `networks` are the models of the EEG."""
    for modality, name, found in (("eeg", "inception_v3", tuple(kinds)), ("face", "mobilenet_v2", tuple(kinds.values()))):
        if "seeded" in found and {modality, "fusion"} & set(models):
            steps.say(
                f"{modality}: no ImageNet weights of {name} are used: seeded features instead, which know less "
                f"(weights come with: emo-weights fetch {name})"
            )
    _small(
        {split.name: min(len(part.train) + len(part.validation) for part in split.folds) for split in designs}, networks, steps
    )


def _small(few: Mapping[str, int], networks: Iterable[str], steps: Steps) -> None:
    """Say which networks learn faster than their authors have them, since there are few windows by some splits."""
    from models.eeg.training import SMALL, SMALL_BELOW  # loads torch, which takes seconds: not for bad input

    small = {name: n for name, n in few.items() if n < SMALL_BELOW}
    ways = {name: table.named(name).learning for name in dict.fromkeys(networks)} if small else {}
    changed = [name for name, way in ways.items() if way is not None and way(0) != way(SMALL_BELOW)]
    if changed:
        who = ", ".join("eeg" if name == table.PAPERS_OWN else name for name in changed)
        where = "" if len(small) == len(few) else f" by {', '.join(small)}"
        steps.say(
            f"{who}: {min(small.values())} windows to learn from{where} are few (under {SMALL_BELOW}): preset '{SMALL.name}', "
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
