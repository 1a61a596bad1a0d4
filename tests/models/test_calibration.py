"""The calibration error says what it should of probabilities whose truth is known."""

import numpy as np
import pytest

from models.calibration import calibration_error, reliability
from models.fusion import fit_temperature, log_probabilities, normalise, temper


def test_the_bins_hold_what_was_put_into_them() -> None:
    log_p = log_probabilities([[0.95, 0.05], [0.95, 0.05], [0.4, 0.6], [np.nan, np.nan]])
    sure, right, n = reliability(log_p, [0, 1, 1, 0])
    assert n.tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 0, 2] and right[[6, 9]].tolist() == [1.0, 0.5]
    np.testing.assert_allclose(sure[[6, 9]], [0.6, 0.95])
    assert calibration_error(log_p, [0, 1, 1, 0]) == pytest.approx((1 * 0.4 + 2 * 0.45) / 3)


def test_a_temperature_brings_false_sureness_down() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 4000)
    logits = rng.normal(size=(4000, 4))
    logits[np.arange(4000), y] += 1.5
    sure = normalise(6 * logits)
    fitted = temper(sure, fit_temperature(sure[:2000], y[:2000]))
    assert calibration_error(sure[2000:], y[2000:]) > 0.15
    assert calibration_error(fitted[2000:], y[2000:]) < 0.04


def test_nothing_predicted_has_no_error() -> None:
    assert np.isnan(calibration_error([[np.nan, np.nan]], [0]))
