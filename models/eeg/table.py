"""Which models there are, by name. Each is imported when it is asked for: some need torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from models.bids import BidsError
from models.eeg.recogniser import Model

PAPERS_OWN = "map_cnn"
"""The recogniser of the paper; ``eeg`` on the command line, and the one that is fused with the face."""


def _map_cnn() -> Model:
    from models.eeg import map_cnn

    return map_cnn.model()


def _nearest() -> Model:
    from models.eeg import nearest

    return nearest.model()


MODELS: Mapping[str, Callable[[], Model]] = {
    PAPERS_OWN: _map_cnn,
    "nearest": _nearest,
}


def named(name: str) -> Model:
    """Return a model by its name.

    Raises
    ------
    BidsError
        When there is none of that name.
    """
    if name not in MODELS:
        raise BidsError(f"model = {name}: there is no such model of EEG; use one of {', '.join(MODELS)}")
    return MODELS[name]()
