"""A data set in memory: features of both modalities in which the emotion is planted, or nothing is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path

import numpy as np

from models.bids import RecordingFiles
from models.dataset import Dataset
from models.face.crops import FaceData
from models.windows import Window

EMOTIONS = ("happiness", "sadness", "fear", "neutral")


def dataset(
    *,
    n_people: int = 5,
    clips_per_emotion: int = 3,
    eeg: float = 2.0,
    face: float = 2.0,
    fingerprint: float = 0.0,
    eeg_shows: Collection[str] = EMOTIONS,
    face_shows: Collection[str] = EMOTIONS,
    seed: int = 0,
) -> Dataset:
    """Return a data set of two windows a clip.

    ``eeg`` and ``face`` are the sizes of the effect, ``fingerprint`` that of a pattern which each clip carries by itself, all
    in units of the noise. An emotion that does not show in a modality looks like neutral there.
    """
    rng = np.random.default_rng(seed)
    windows, labels, signals, faces = [], [], [], []
    for person in range(n_people):
        for trial, label in enumerate(rng.permutation(np.repeat(np.arange(4), clips_per_emotion)), start=1):
            own = fingerprint * rng.standard_normal((28, 8))
            for part in range(2):
                windows.append(_window(f"{person + 1:02d}", trial, EMOTIONS[label], part))
                labels.append(label)
                x = rng.standard_normal((28, 8)) + own
                heard, seen = (_shown(label, shows) for shows in (eeg_shows, face_shows))
                x[heard * 7 : heard * 7 + 7, heard] += eeg
                signals.append(x)
                pixels = rng.standard_normal((3, 96))
                pixels[:, seen * 24 : seen * 24 + 24] += face / 2
                faces.append(pixels)
    n = len(windows)
    return Dataset(
        recordings=tuple(_files(f"{person + 1:02d}") for person in range(n_people)),
        windows=tuple(windows),
        emotions=EMOTIONS,
        labels=np.array(labels, dtype=np.int64),
        eeg={"pool96": np.array(signals, dtype=np.float32)},
        eeg_quality=np.ones(n),
        faces={"pool96": _face_data(np.array(faces, dtype=np.float32))},
        dropped=Counter(),
        sha256="0" * 64,
    )


def _shown(label: int, shows: Collection[str]) -> int:
    return label if EMOTIONS[label] in shows else EMOTIONS.index("neutral")


def _window(participant: str, trial: int, target: str, part: int) -> Window:
    start = 10.0 * trial + 3 * part
    return Window(
        participant=participant, session="01", run="01", trial=trial, stim_id=f"{target}{trial}", target=target, rating=target,
        t0_s=start, t1_s=start + 3,
    )  # fmt: skip


def _files(participant: str) -> RecordingFiles:
    return RecordingFiles(
        participant=participant, session="01", run="01", eeg=Path(f"sub-{participant}_eeg.vhdr"), scopes=frozenset({"train"})
    )  # fmt: skip


def _face_data(x: np.ndarray) -> FaceData:
    n, n_frames = x.shape[:2]
    return FaceData(
        x=x, found=np.isfinite(x).all(axis=2), frame_s=np.zeros((n, n_frames)), frame=np.zeros((n, n_frames), dtype=np.int64),
        kind="pool96",
    )  # fmt: skip
