"""The table of networks in docs/models.md: what comes out of each part, and its parameters; ``make docs`` calls this.

Nothing is typed: every network is built, and a window goes through it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from models.eeg import inception, table
from models.eeg.recogniser import Task
from models.eeg.training import Learner

PAGE = Path(__file__).parent / "models.md"
START, STOP = "<!-- networks -->", "<!-- /networks -->"
N_CLASSES = 4
# what a window of 28 channels is to each: features of InceptionV3 or pool96, the signal at 128 Hz, differential entropies
INPUTS = (
    ("map_cnn", (28, 2048)), ("map_cnn", (28, 96)), ("map_cnn_full", (28, 2048)), ("jadhav", (28, 2048)), ("itnet", (28, 384)),
    ("sst", (28, 30)),
)  # fmt: skip


def main() -> None:
    """Write the table between its markers."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(START)
    PAGE.write_text(f"{before}{START}\n{markdown()}\n{STOP}{rest.split(STOP)[1]}", encoding="utf-8")


def markdown() -> str:
    """Return the table."""
    rows = ["| network | a window is | parts: output shape (parameters) | parameters |", "| --- | --- | --- | --- |"]
    for name, shape in INPUTS:
        rows.append(_row(name, network(name, shape), torch.zeros(2, *shape)))
    rows.append(_row("InceptionV3, frozen", inception._network(), torch.zeros(2, 3, 229, 229), whole=True))
    return "\n".join(rows)


def network(name: str, shape: tuple[int, ...]) -> nn.Module:
    """Return an untrained network as emo-train builds it."""
    learner = table.named(name).build(Task(shape=shape, n_classes=N_CLASSES, n_windows=2000, seed=1))
    assert isinstance(learner, Learner)
    return learner.make().eval()


def parts(module: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Yield the parts of a network worth a line: what has parameters, lists and named groups opened once."""
    for key, child in module.named_children():
        opened = isinstance(child, nn.ModuleList) or (isinstance(child, nn.Sequential) and not name)
        if opened:
            yield from parts(child, f"{key}.")
        elif n_parameters(child) or isinstance(child, nn.MaxPool2d | nn.AvgPool2d | nn.Flatten):
            yield f"{name}{key} {type(child).__name__.lstrip('_')}", child


def n_parameters(module: nn.Module) -> int:
    """Return how many numbers are learnt."""
    return sum(value.numel() for value in module.parameters())


def _row(name: str, net: nn.Module, x: Tensor, *, whole: bool = False) -> str:
    listed = [] if whole else list(parts(net))
    # a part whose weights the network multiplies with itself is never called
    seen = {label: f"{label} {getattr(part, 'out_channels', '')} planes ({n_parameters(part):,})" for label, part in listed}
    handles = []
    for label, part in listed:

        def note(_module: nn.Module, _given: object, out: Tensor, label: str = label, part: nn.Module = part) -> None:
            count = f" ({n_parameters(part):,})" if n_parameters(part) else ""
            seen[label] = f"{label} {shape_of(out)}{count}"

        handles.append(part.register_forward_hook(note))
    with torch.inference_mode():
        out = net(x)
    for handle in handles:
        handle.remove()
    told = "<br>".join(seen.values()) or f"{shape_of(out)} for each picture"
    return f"| `{name}` | {shape_of(x)} | {told} | {n_parameters(net):,} |"


def shape_of(tensor: Tensor) -> str:
    """Return the shape of one window's part."""
    return "x".join(map(str, tensor.shape[1:]))


if __name__ == "__main__":
    main()
