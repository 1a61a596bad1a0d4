"""What several of these tests share."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from models.eeg import training
from tests.faults.counts import FULL

FEW = 30


@pytest.fixture(scope="module")
def few_epochs() -> Iterator[None]:
    """Train networks on little data for fewer epochs, in this process; in full runs for as many as people do."""
    with pytest.MonkeyPatch.context() as patch:
        if not FULL:
            patch.setattr(training, "SMALL", replace(training.SMALL, epochs=FEW))
        yield
