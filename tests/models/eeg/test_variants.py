"""Other spectrograms: what each shows of a planted wave, and that the default is the fast one."""

import numpy as np
import pytest

from models.eeg import spectrogram, variants
from models.eeg.variants import VARIANTS

RNG = np.random.default_rng(0)


def windows(n: int = 2) -> np.ndarray:
    return (0.5 + 0.16 * RNG.standard_normal((n, 600))).astype(np.float32)


def test_inside200_is_what_the_fast_way_makes() -> None:
    signals = windows(3)
    fast = spectrogram.images(signals.reshape(1, 3, 600))[0]
    np.testing.assert_allclose(variants.images(signals, VARIANTS["inside200"]), fast, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("inside200", 0, 600), ("inside456", 0, 600), ("reflect456", -228, 828), ("jadhav", -270, 870), ("minmax", 0, 600)],
)
def test_frames_lie_where_the_variant_says(name: str, first: int, last: int) -> None:
    starts = VARIANTS[name].starts
    assert len(starts) == 229
    assert (starts[0], starts[-1] + VARIANTS[name].frame) == (first, last)


def test_three_quarters_of_the_reflected_columns_hold_samples_that_were_never_recorded() -> None:
    starts = VARIANTS["reflect456"].starts
    whole = (starts >= 0) & (starts + 456 <= 600)
    assert whole.mean() == pytest.approx(0.24, abs=0.01)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_planted_wave_shines_in_its_row(name: str) -> None:
    signal = (0.5 + 0.05 * np.sin(2 * np.pi * 20 * np.arange(600) / 200)).astype(np.float32)[None]
    picture = variants.images(signal, VARIANTS[name])[0]
    assert picture.shape == (229, 229)
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert abs(int(picture[:, 114].argmax()) - round(20 * 456 / 200)) <= 1


def test_only_minmax_hides_how_strong_a_channel_is() -> None:
    signal = windows(1) - 0.5
    for name, variant in VARIANTS.items():
        once, twice = variants.images(signal, variant), variants.images(2 * signal, variant)
        if name == "minmax":
            np.testing.assert_allclose(once, twice, atol=1e-4)
        else:
            assert np.median(twice - once) == pytest.approx(20 * np.log10(2) / 60, abs=0.005)  # 6 dB of 60
