"""Simulated EEG of whole cohorts straight to windows and light features: fingerprints of the simulated laboratory, no sessions.

Seven channels suffice for what does not look at the scalp map, and take a quarter of the time.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from collector.twin.eeg import fingerprint
from collector.twin.knobs import Knobs, random
from collector.twin.sensors import SENSORS
from models.dataset import Dataset
from models.eeg import pool96, spectrogram, variants
from models.splits import Fold, Split
from models.windows import SFREQ, WINDOW_S, Window
from tests.models.planted import EMOTIONS, _files

CHANNELS = ("Fp1", "F3", "T7", "Cz", "P3", "O1", "Oz")
PICKS = [SENSORS.index(name) for name in CHANNELS]
CLIP_S = 30.0  # ten windows
EFFECTS = {"happiness": (40.0, 0), "sadness": (6.0, 2), "fear": (20.0, 4), "neutral": (10.0, 5)}  # Hz, first of two channels


def cohort(
    knobs: Knobs,
    *,
    n_people: int = 4,
    clips_per_emotion: int = 3,
    seed: int = 1,
    variant: str = variants.DEFAULT,
    kind: str = "pool96",
    extract: Callable[..., np.ndarray] = pool96.extract,
) -> Dataset:
    """Return features of one kind of ten windows a clip; everybody sees the same clips in an order of their own."""
    windows, labels, features = [], [], []
    for person in range(n_people):
        rng = np.random.default_rng([seed, person])
        eeg = []
        clips = [(emotion, index) for emotion in EMOTIONS for index in range(clips_per_emotion)]
        for trial, number in enumerate(rng.permutation(len(clips)), start=1):
            emotion, index = clips[number]
            eeg.append(clip(rng, knobs, seed, person, trial, emotion, f"{emotion}{index}"))
            for part in range(int(CLIP_S / WINDOW_S)):
                start = (trial - 1) * CLIP_S + part * WINDOW_S
                windows.append(
                    Window(
                        participant=f"{person + 1:02d}", session="01", run="01", trial=trial, stim_id=f"{emotion}{index}",
                        target=emotion, rating=emotion, t0_s=start, t1_s=start + WINDOW_S, since_onset_s=part * WINDOW_S,
                    )
                )  # fmt: skip
                labels.append(EMOTIONS.index(emotion))
        bands = spectrogram.scale(spectrogram.split_bands(np.hstack(eeg).astype(np.float32)))
        mine = [window.t0_s for window in windows if window.participant == f"{person + 1:02d}"]
        features.append(extract(spectrogram.segment(bands, mine), variant=variant))
    return Dataset(
        recordings=tuple(_files(f"{person + 1:02d}") for person in range(n_people)),
        windows=tuple(windows), emotions=EMOTIONS, labels=np.array(labels, dtype=np.int64),
        eeg={kind: np.concatenate(features)}, eeg_quality=np.ones(len(windows)), faces={}, dropped=Counter(),
        sha256=hashlib.sha256(repr((knobs, seed)).encode()).hexdigest(),
    )  # fmt: skip


def clip(rng: np.random.Generator, knobs: Knobs, seed: int, person: int, trial: int, emotion: str, stim_id: str) -> np.ndarray:
    """Return pink noise with the fingerprints that the knobs say, shape (7, n_times)."""
    n = round(CLIP_S * SFREQ)
    hertz = np.fft.rfftfreq(n, 1 / SFREQ)
    db = knobs.participant * fingerprint(random(seed, "person", person), hertz)[PICKS]
    db = db + knobs.trial * fingerprint(random(seed, "trial", person, trial), hertz)[PICKS]
    db = db + knobs.stimulus * fingerprint(random(seed, "stimulus", stim_id), hertz)[PICKS]
    centre, first = EFFECTS[emotion]
    db[first : first + 2] += 6 * knobs.effect * np.exp(-0.5 * ((hertz - centre) / (0.2 * centre)) ** 2)
    amplitude = 10 ** (db / 20) / np.sqrt(np.maximum(hertz, 0.5))
    noise = rng.standard_normal((2, *amplitude.shape))
    return np.fft.irfft(amplitude * (noise[0] + 1j * noise[1]), n, axis=1) * np.sqrt(n)


def torn(split: Split) -> Split:
    """Return a split with a leak that nobody declared: what is tested is learnt, too."""
    folds = tuple(replace_train(fold, np.concatenate([fold.train, fold.test])) for fold in split.folds)
    return replace(split, folds=folds)


def replace_train(fold: Fold, rows: np.ndarray) -> Fold:
    return Fold(fold.name, rows, fold.validation, fold.test)
