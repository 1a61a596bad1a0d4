"""What every test needs."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import display

# the same examples on every machine, and no limit on their time: nothing here may depend on how busy the machine is
settings.register_profile("emolab", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("emolab")


@pytest.fixture
def laboratory() -> Iterator[dict[str, str]]:
    """Yield the environment of a display, a sound card and an LSL session that only this test uses."""
    with display.laboratory() as env:
        yield env
