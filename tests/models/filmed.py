"""Small BIDS roots in which everybody is filmed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models import bids
from tests.models.face.videos import face, film

FPS = 5.0


def with_faces(root: Path) -> Path:
    """Film everybody: the drawn face shows each clip's emotion."""
    for seed, files in enumerate(bids.find_recordings(root, scope=None)):
        rows = bids.read_table(files.sibling("_events.tsv"), "onset", "duration", "trial_type")
        rng = np.random.default_rng(seed)
        images, onsets = [], []
        for row in (row for row in rows if row["trial_type"].startswith("clip/")):
            shown = face(row["trial_type"].removeprefix("clip/"), seed=seed)
            for index in range(int(float(row["duration"]) * FPS)):
                images.append(np.clip(shown + rng.normal(0, 3, (*shown.shape[:2], 1)), 0, 255).astype(np.uint8))
                onsets.append(float(row["onset"]) + index / FPS)
        film(files, images, onsets)
    return root
