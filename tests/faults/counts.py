"""How often a fault is tried: a few times with every change, as often as the promise says under ``EMO_FAULTS=full``."""

import os

FULL = os.environ.get("EMO_FAULTS") == "full"


def count(ci: int, full: int) -> int:
    """Return how often a fault is tried in this run."""
    return full if FULL else ci
