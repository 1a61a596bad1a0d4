"""EEG-ITNet beside braindecode's: the same weights, the same windows, and how far apart the logits are.

braindecode is no dependency (it brings a torchaudio that may not fit torch), so this runs in an environment of its own::

    python -m venv /tmp/compare && /tmp/compare/bin/pip install 'braindecode>=1.6.1' pydantic
    PYTHONPATH=. /tmp/compare/bin/python tests/benchmarks/compare_itnet.py

Prints the largest difference; exit 1 beyond 1e-5.
"""

from __future__ import annotations

import sys
import types
import warnings

import torch

from models.eeg.itnet import Config, ItNet

LIMIT = 1e-5
SHAPES = ((28, 600, 4), (28, 384, 4), (14, 256, 3))


def braindecodes(n_channels: int, n_times: int, n_classes: int) -> torch.nn.Module:
    """Return braindecode's network."""
    try:
        from braindecode.models import EEGITNet
    except (RuntimeError, OSError, ImportError):
        _without_torchaudio()
        from braindecode.models import EEGITNet
    net: torch.nn.Module = EEGITNet(n_chans=n_channels, n_times=n_times, n_outputs=n_classes)
    return net


def _without_torchaudio() -> None:
    """Stand in for a torchaudio that was built for another torch: EEG-ITNet uses nothing of it."""
    for name in [name for name in sys.modules if name.startswith(("torchaudio", "braindecode"))]:
        del sys.modules[name]
    for name in ("torchaudio", "torchaudio.functional", "torchaudio.transforms"):
        module = types.ModuleType(name)
        module.__getattr__ = lambda attribute: torch.nn.Module  # type: ignore[method-assign]
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)


def names_of(ours: str) -> str:
    """Return what braindecode calls one of our tensors."""
    parts = ours.split(".")
    if parts[0] == "branches":
        # a layer of padding stands first in ours; braindecode keeps the bound spatial filter under another name
        layer = int(parts[2]) - 1
        rest = "parametrizations.weight.original" if layer == 2 else parts[3]
        return f"inception_block.branches.{parts[1]}.{layer}.{rest}"
    if parts[0] == "temporal":
        return f"TC_block{int(parts[1]) + 1}.{'tc1' if parts[2] == 'first' else 'tc2'}.{parts[3]}.{parts[4]}"
    if parts[0] == "reduce":
        return f"dim_reduction.{parts[1]}.{parts[2]}"
    return f"final_layer.{'bias' if parts[1] == 'bias' else 'parametrizations.weight.original'}"


def main() -> int:
    """Compare."""
    warnings.simplefilter("ignore")
    worst = 0.0
    for shape in SHAPES:
        torch.manual_seed(0)
        theirs = braindecodes(*shape).train()
        windows = torch.randn(16, *shape[:2])
        theirs(windows)  # so that the norms of the batches have something to remember
        theirs.eval()
        known = theirs.state_dict()
        ours = ItNet(Config(n_channels=shape[0], n_times=shape[1], n_classes=shape[2])).eval()
        tensors = {name: value if name == "sd" else known[names_of(name)] for name, value in ours.state_dict().items()}
        if left := set(known) - {names_of(name) for name in tensors if name != "sd"}:
            print(f"no counterpart for {', '.join(sorted(left))}")
            return 1
        ours.load_state_dict(tensors)
        ours.constrain()  # braindecode bounds its weights whenever it uses them, we after every step
        apart = float((ours(windows) - theirs(windows)).abs().max().detach())
        print(f"{shape}: largest difference of a logit {apart:.1e}, of logits up to {float(theirs(windows).abs().max()):.2f}")
        worst = max(worst, apart)
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
