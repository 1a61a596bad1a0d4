"""What the recognisers learn from: windows with their labels, and the features of both modalities, from disk or computed."""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from models import bids, weights
from models.cache import cached, key_of
from models.eeg import recording, scalp_map
from models.evaluate import Features, LabelKind
from models.face import crops
from models.windows import Dropped, Where, Window, label_of, read_events

if TYPE_CHECKING:
    from models.face.patch_attention import Backbone

log = logging.getLogger(__name__)

FeaturesWanted = Literal["auto", "imagenet", "seeded", "pool96"]
Floats32 = NDArray[np.float32]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Windows in the order of their recordings, with everything per window in the same order.

    ``labels`` are indices into ``emotions``; ``eeg`` holds one array of shape (n_windows, 28, n_features) for each kind of
    features; ``eeg_quality`` is the share of the map's channels that were really recorded; ``faces`` has an entry for each kind
    of face features; ``dropped`` counts what was left out by (reason, emotion).
    """

    recordings: tuple[bids.RecordingFiles, ...]
    windows: tuple[Window, ...]
    emotions: tuple[str, ...]
    labels: NDArray[np.int64]
    eeg: Mapping[Features, Floats32]
    eeg_quality: NDArray[np.float64]
    faces: Mapping[Features, crops.FaceData]
    dropped: Dropped
    sha256: str


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """What one recording contributes."""

    windows: tuple[Window, ...]
    eeg: dict[Features, Floats32]
    quality: float
    faces: dict[Features, crops.FaceData]
    dropped: Dropped


def preview(recordings: Sequence[bids.RecordingFiles], *, where: Where, kind: LabelKind) -> tuple[Window, ...]:
    """Read the windows alone, which is quick, so that a bad design is refused before anything is computed.

    Raises
    ------
    BidsError
        When there are no clip events, or clips of one emotion only.
    """
    events = [read_events(files, where=where) for files in recordings]
    windows = tuple(window for part in events for window in part.windows if label_of(window, kind) is not None)
    path = recordings[0].sibling("_events.tsv")
    if not windows:
        dropped = sum((part.dropped for part in events), Counter())
        why = (
            ", ".join(f"{n} x {reason} ({emotion})" for (reason, emotion), n in dropped.items())
            or "no row clip/<emotion> of 3 s"
        )
        raise bids.BidsError(f"{path}: trial_type: no window of a complete clip in {len(recordings)} recordings: {why}")
    present = {label_of(window, kind) for window in windows}
    if len(present) < 2:
        raise bids.BidsError(
            f"{path}: trial_type: clips of one emotion only ({present.pop()}); two are needed to tell them apart"
        )
    return windows


def name_of(window: Window, kind: LabelKind) -> str:
    """Return the label of a window that has one."""
    return label_of(window, kind) or ""


def load(
    recordings: Sequence[bids.RecordingFiles],
    *,
    eeg: Sequence[Features] = (),
    faces: Sequence[Features] = (),
    where: Where = "all",
    kind: LabelKind = "target",
    cache: Path | None = None,
    workers: int = 1,
    progress: Progress = lambda done, total: None,
) -> Dataset:
    """Read recordings and compute their features.

    Parameters
    ----------
    recordings : sequence of RecordingFiles
        From :func:`models.bids.find_recordings`.
    eeg, faces : sequence of {"imagenet", "seeded", "pool96"}
        Kinds of features of each modality; may be empty.
    where, kind : str
        Which windows of a clip, and what their label is.
    cache : Path or None
        Folder of the features.
    workers : int
        Processes, one recording each at a time.
    progress : callable
        Told how many recordings of how many are done.

    Raises
    ------
    BidsError
        When a recording cannot be used.
    """
    from joblib import Parallel, delayed

    work = (delayed(_part)(files, tuple(eeg), tuple(faces), where, kind, cache) for files in recordings)
    parts: list[_Part] = []
    for part in Parallel(n_jobs=workers, return_as="generator")(work):
        parts.append(part)
        progress(len(parts), len(recordings))
    windows = tuple(window for part in parts for window in part.windows)
    names = [name_of(window, kind) for window in windows]
    emotions = bids.emotions(recordings, names)
    return Dataset(
        recordings=tuple(recordings),
        windows=windows,
        emotions=emotions,
        labels=np.array([emotions.index(name) for name in names], dtype=np.int64),
        eeg={name: np.concatenate([part.eeg[name] for part in parts]) for name in eeg},
        eeg_quality=np.concatenate([np.full(len(part.windows), part.quality) for part in parts]),
        faces={name: _join([part.faces[name] for part in parts]) for name in faces},
        dropped=sum((part.dropped for part in parts), Counter()),
        sha256=bids.data_digest(recordings),
    )


def _part(
    files: bids.RecordingFiles,
    eeg: tuple[Features, ...],
    faces: tuple[Features, ...],
    where: Where,
    kind: LabelKind,
    cache: Path | None,
) -> _Part:
    import torch

    torch.set_num_threads(1)  # one thread a worker: results do not depend on how many workers there are
    found = recording.load(files, where=where)
    windows = tuple(window for window in found.events.windows if label_of(window, kind) is not None)
    dropped = found.events.dropped.copy()
    for window in set(found.events.windows) - set(windows):
        dropped[f"no label by {kind}", window.target] += 1
    return _Part(
        windows=windows,
        eeg={name: _eeg_features(found, windows, name, cache) for name in eeg},
        quality=1 - len(found.interpolated) / len(scalp_map.CHANNELS),
        faces={name: crops.face_features([files], windows, kind=name, backbone=_backbone(name), cache=cache) for name in faces},
        dropped=dropped,
    )


def _join(parts: Sequence[crops.FaceData]) -> crops.FaceData:
    return crops.FaceData(
        x=np.concatenate([part.x for part in parts]),
        found=np.concatenate([part.found for part in parts]),
        frame_s=np.concatenate([part.frame_s for part in parts]),
        frame=np.concatenate([part.frame for part in parts]),
        kind=parts[0].kind,
    )


def _eeg_features(found: recording.Recording, windows: Sequence[Window], kind: Features, cache: Path | None) -> Floats32:
    """Return the features of one recording's windows, shape (n_windows, 28, n_features)."""
    from models.eeg import spectrogram

    starts = [window.t0_s for window in windows]
    extract, identity = _extractor(kind)
    key = key_of("eeg", _code(), identity, found.eeg, found.valid, found.line_freq, starts)

    def compute() -> dict[str, NDArray[np.generic]]:
        bands = spectrogram.scale(spectrogram.split_bands(found.eeg, line_freq=found.line_freq), found.valid)
        owner = {"participant": np.array(found.files.participant), "session": np.array(found.files.session)}
        return {"x": extract(spectrogram.segment(bands, starts)), **owner}

    return cached(cache, key, compute)["x"].astype(np.float32, copy=False)


@functools.cache
def _extractor(kind: Features) -> tuple[Callable[[Floats32], Floats32], tuple[str, ...]]:
    """Return what computes features, and what identifies it; built once a process, since InceptionV3 takes seconds."""
    if kind == "pool96":
        from models.eeg import pool96

        return pool96.extract, ("pool96",)
    import torch

    from models.eeg import inception

    network = inception.extractor(weights.find("inception_v3") if kind == "imagenet" else None)
    return network, (network.weights, inception.PRECISION, torch.__version__)


@functools.cache
def _backbone(kind: Features) -> Backbone | None:
    """Return the frozen network of the face, built once a process."""
    if kind == "pool96":
        return None
    from models.face.patch_attention import load_backbone

    return load_backbone(weights.find("mobilenet_v2") if kind == "imagenet" else None)


def extractor_name(modality: Literal["eeg", "face"], kind: Features) -> str:
    """Return which weights make features: the SHA-256 of a file, or the name of what is seeded."""
    if kind == "pool96":
        return "pool96"
    if modality == "face":
        backbone = _backbone(kind)
        assert backbone is not None
        return backbone.digest
    from models.eeg import inception

    return weights.named("inception_v3").sha256 if kind == "imagenet" else f"seeded-{inception.SEED}"


@functools.cache
def _code() -> str:
    """Return a digest of the source that makes features: a changed line makes new ones, nobody has to raise a number."""
    folder = Path(recording.__file__).parent
    return key_of(*(folder / name for name in ("spectrogram.py", "pool96.py", "inception.py")))


def resolve(wanted: Sequence[FeaturesWanted]) -> dict[Features, Features]:
    """Return the kinds of EEG features that are meant on this machine, each once, with the kind of face features beside it.

    ``auto`` is ``imagenet`` where the weights are, else ``seeded``; the face decides by its own weights.

    Raises
    ------
    BidsError
        When ImageNet weights are asked for by name and are not here.

    Examples
    --------
    >>> resolve(["pool96", "pool96"])
    {'pool96': 'pool96'}
    """
    pretrained = weights.find("inception_v3") is not None
    face: Features = "imagenet" if weights.find("mobilenet_v2") is not None else "seeded"
    if "imagenet" in wanted and not pretrained:
        raise bids.BidsError(
            "--features = imagenet: the weights of inception_v3 are not on this machine; fetch them with "
            "emo-weights fetch inception_v3, or use --features auto"
        )
    pairs: dict[Features, Features] = {}
    for name in wanted:
        if name == "auto":
            pairs.setdefault("imagenet" if pretrained else "seeded", face)
        else:
            pairs.setdefault(name, face if name == "imagenet" else name)
    return pairs
