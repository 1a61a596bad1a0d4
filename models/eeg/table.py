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


def _itnet() -> Model:
    from models.eeg import itnet

    return itnet.model()


def _sst() -> Model:
    from models.eeg import sst

    return sst.model()


def _full() -> Model:
    from models.eeg import map_cnn

    return map_cnn.full()


def _jadhav() -> Model:
    from models.eeg import map_cnn

    return map_cnn.jadhav()


def _logistic() -> Model:
    from models.eeg import baselines

    return baselines.logistic()


def _svm() -> Model:
    from models.eeg import baselines

    return baselines.svm()


def _majority() -> Model:
    from models.eeg import baselines

    return baselines.majority()


def _nearest() -> Model:
    from models.eeg import nearest

    return nearest.model()


MODELS: Mapping[str, Callable[[], Model]] = {
    PAPERS_OWN: _map_cnn,
    "map_cnn_full": _full,
    "jadhav": _jadhav,
    "itnet": _itnet,
    "sst": _sst,
    "de-logistic": _logistic,
    "de-svm": _svm,
    "majority": _majority,
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
