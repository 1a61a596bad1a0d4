"""What is said before anything is learnt."""

import numpy as np
import pytest

from models import announce
from models.splits import Fold, Split
from tests.models.told import Told


def said(*networks: str, n_windows: int = 900) -> list[str]:
    rows = np.arange(n_windows)
    design = Split("leave-one-subject-out", False, ("stimulus",), (Fold("sub-01", rows[2:], rows[:1], rows[1:2]),))
    told = Told()
    announce.learning(("eeg",), {"pool96": "pool96"}, [design], networks, told)
    return told.lines


@pytest.mark.parametrize(
    ("networks", "who"), [(("map_cnn",), "eeg"), (("map_cnn", "itnet", "sst", "majority"), "eeg, sst"), (("sst", "sst"), "sst")]
)
def test_networks_that_learn_faster_than_their_papers_say_are_named(networks: tuple[str, ...], who: str) -> None:
    (line,) = said(*networks)
    assert line.startswith(
        f"{who}: 899 windows to learn from are few (under 1000): preset 'small', learning rate 0.001 instead"
    )


@pytest.mark.parametrize("networks", [("nearest",), ("jadhav", "itnet"), ("de-logistic", "de-svm"), ()])
def test_what_has_no_other_rate_for_few_windows_is_not_named(networks: tuple[str, ...]) -> None:
    assert said(*networks) == []


def test_enough_windows_need_no_word() -> None:
    assert said("map_cnn", "sst", n_windows=1001) == []
