"""Clean starts are not blocked, and a cap on a table is never let through, however it is noisy."""

from collections.abc import Callable

import numpy as np

from collector.contact import check
from tests.collector.starts import CLOSED, OPENED, TABLES, Start, on_table, worn
from tests.faults.counts import count

SFREQS = (256.0, 128.0, 500.0)
LATENCIES_S = (0.0, 0.06, 0.2, 0.5)


def state(start: Start) -> str:
    return check(start.eeg, start.cues, opened=[OPENED], closed=[CLOSED]).state


def test_clean_starts_replayed_are_not_blocked(fault_row: Callable[..., None]) -> None:
    n, rng = count(6, 100), np.random.default_rng(1)
    said = [
        state(
            worn(
                7000 + k, missed=k % 5, sfreq=SFREQS[k % 3], latency_s=LATENCIES_S[k % 4], noise_uv=float(rng.uniform(0, 15)),
            )
        )
        for k in range(n)
    ]  # fmt: skip
    note = "other seeds, 0 to 4 of 12 cues missed, 128, 256 and 500 Hz, up to 0.5 s late, noise up to 15 uV"
    fault_row(test="clean starts replayed: the blinks are seen", n=n, passed=said.count("ok"), note=note)
    assert said == ["ok"] * n


def test_caps_on_a_table_are_all_seen(fault_row: Callable[..., None]) -> None:
    n = count(1, 10)
    said = {(kind, k): state(on_table(k, kind, sfreq=SFREQS[k % 3])) for kind in TABLES for k in range(n)}
    seen = sum(found == "no_blinks" for found in said.values())
    fault_row(test="caps on a table: no blinks", n=len(said), passed=seen, note=", ".join(TABLES))
    assert set(said.values()) == {"no_blinks"}
