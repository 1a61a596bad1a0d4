"""Whether somebody wears the cap: on a simulated head, on a table, and where it cannot be judged."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from collector.contact import MIN_CUES, Eeg, Found, check, phases
from tests.collector.starts import CLOSED, OPENED, T0, TABLES, Start, on_table, worn


@cache
def head() -> Start:
    return worn(11)


def judged(start: Start, eeg: Eeg | None = None) -> Found:
    return check(eeg or start.eeg, start.cues, opened=[OPENED], closed=[CLOSED])


def test_blinks_answer_their_cues_on_a_head_and_alpha_is_stronger_with_closed_eyes() -> None:
    found = judged(head())
    assert (found.state, found.n_cues, found.n_seen) == ("ok", 12, 12)
    assert found.channels == ("Fp1", "Fp2")
    assert found.delay_s == pytest.approx(0.35 + 0.06, abs=0.12)
    assert found.alpha is not None
    assert 2.0 < found.alpha < 8.0  # the twin's is four times as strong
    assert found.n_seen == 12


@pytest.mark.parametrize(
    ("sfreq", "latency_s", "missed", "noise_uv"), [(128.0, 0.5, 4, 0.0), (500.0, 0.0, 2, 15.0), (100.0, 0.2, 1, 5.0)]
)
def test_other_headsets_late_ones_noise_and_cues_that_were_missed(
    sfreq: float, latency_s: float, missed: int, noise_uv: float
) -> None:
    found = judged(worn(5, sfreq=sfreq, latency_s=latency_s, missed=missed, noise_uv=noise_uv))
    assert found.state == "ok"
    assert abs(found.n_seen - (12 - missed)) <= 2


@pytest.mark.parametrize("kind", TABLES)
def test_a_cap_on_a_table_never_blinks(kind: str) -> None:
    assert judged(on_table(3, kind)).state == "no_blinks"


def test_blinks_that_nobody_cued_are_no_answers() -> None:
    start = head()
    cues = tuple(t + shift for t, shift in zip(start.cues, np.random.default_rng(2).uniform(-1.2, 1.2, 12), strict=True))
    assert check(start.eeg, sorted(cues)).state == "no_blinks"


def test_a_deflection_of_one_sensor_alone_is_no_blink() -> None:
    table = on_table(3, "white")
    uv = 4200.0 + np.random.default_rng(1).normal(0, 20.0, table.eeg.uv.shape)
    times = T0 + np.arange(uv.shape[1]) / table.eeg.sfreq
    bumps = sum(150 * np.exp(-0.5 * ((times - t - 0.35) / 0.07) ** 2) for t in table.cues)
    one, all_ = uv.copy(), uv.copy()
    for label in ("Fp1",):
        one[table.eeg.labels.index(label)] += bumps
    for label in ("Fp1", "Fp2"):
        all_[table.eeg.labels.index(label)] += bumps
    assert judged(table, replace(table.eeg, uv=one)).state == "no_blinks"
    assert judged(table, replace(table.eeg, uv=all_)).state == "ok"
    assert judged(table, replace(table.eeg, uv=uv + bumps)).state == "no_blinks"  # of the reference: in every sensor alike


def test_a_dead_or_a_noisy_sensor_above_one_eye_leaves_the_other() -> None:
    for spoilt in (0.0, 400.0):
        uv = head().eeg.uv.copy()
        uv[head().eeg.labels.index("Fp1")] = np.random.default_rng(3).normal(4200.0, spoilt, uv.shape[1])
        found = judged(head(), replace(head().eeg, uv=uv))
        assert (found.state, found.channels) == ("ok", ("Fp2",))


def test_sensors_further_from_the_eyes_do_where_there_are_no_nearer_ones() -> None:
    found = judged(head(), head().of("F7", "F8", "Fz", "Cz", "Pz", "Oz"))
    assert (found.state, found.channels) == ("ok", ("F7", "F8", "Fz"))


def test_without_any_the_common_deflection_is_looked_at_and_its_absence_proves_nothing() -> None:
    far = ("C3", "Cz", "C4", "Pz")
    calm = judged(head(), head().of(*far))
    assert (calm.state, calm.why) == ("not_checked", "no sensor sits near the eyes")
    strong = head().of(*far)
    fp = head().of("Fp1").uv
    assert judged(head(), replace(strong, uv=strong.uv + fp)).state == "ok"


def test_what_cannot_be_judged_is_said_and_blocks_nobody() -> None:
    start = head()
    few = check(start.eeg, start.cues[: MIN_CUES - 1])
    assert (few.state, few.why) == ("not_checked", "2 cues to blink are too few: 3 are needed")
    assert check(start.eeg, ()).state == "not_checked"
    lost = start.eeg.uv.copy()
    lost[:, round((start.cues[2] - T0) * 256) : round((start.cues[9] - T0) * 256)] = np.nan
    gone = judged(start, replace(start.eeg, uv=lost))
    assert (gone.state, gone.why) == ("not_checked", "the EEG was not measured around the cues")
    slow = replace(start.eeg, uv=start.eeg.uv[:, ::8], sfreq=32.0)
    assert judged(start, slow).state == "not_checked"


def test_some_lost_samples_do_no_harm() -> None:
    uv = head().eeg.uv.copy()
    for n in range(0, uv.shape[1], 700):
        uv[:, n : n + 20] = np.nan
    assert judged(head(), replace(head().eeg, uv=uv)).state == "ok"


def test_of_cues_that_were_shown_again_the_last_ones_count() -> None:
    start = head()
    early = tuple(t - 30.0 for t in start.cues[:3])
    assert len(phases((*early, *start.cues))) == 2
    assert check(start.eeg, (*early, *start.cues)).n_cues == 12


def test_alpha_needs_both_baselines_and_sensors_at_the_back() -> None:
    start = head()
    assert check(start.eeg, start.cues, opened=[OPENED]).alpha is None
    assert check(start.eeg, start.cues, opened=[OPENED], closed=[(CLOSED[0], CLOSED[0] + 2)]).alpha is None
    assert judged(start, start.of("Fp1", "Fp2", "Cz")).alpha is None
    table = judged(on_table(3, "white"))
    assert table.alpha == pytest.approx(1.0, abs=0.15)
