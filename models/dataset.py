"""What the recognisers learn from: windows with their labels, and the features of both modalities, from disk or computed."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from models import bids, scale, weights
from models.eeg import inputs, recording
from models.eeg.inputs import Source
from models.eeg.scalp_map import PAPER, Grid
from models.evaluate import Features, LabelKind, RowFeatures
from models.face import crops
from models.face.settings import FaceSettings, NetworkName
from models.face.training import Start
from models.windows import Dropped, Events, Rules, Where, Window, label_of, read_events

if TYPE_CHECKING:
    from models.face.patch_attention import Backbone

FeaturesWanted = Literal["auto", "imagenet", "seeded", "pool96"]
NO_CLASS = -1  # of a window that is not learnt from, where its label is none of those that are learnt
Floats32 = NDArray[np.float32]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Windows in the order of their recordings, with everything per window in the same order.

    ``labels`` are indices into ``emotions``; ``eeg`` holds one array of shape (n_windows, n_channels, n_features) for each kind
    of features, and what each model that takes windows was given under its name; the keys are those of
    :class:`models.eeg.inputs.Source`. ``grid`` says where the channels lie.
    ``eeg_quality`` is the share of the map's channels that were really recorded; ``faces`` has an entry for each kind of face
    features; ``face`` says how faces were found, ``face_start`` what a network begins with that has learnt from a folder of
    pictures; ``dropped`` counts what was left out by (reason, emotion); ``interpolated`` names, by recording, channels that
    were not recorded; ``eeg_sha256`` are digests of the recordings' samples, in their order.
    ``unheard`` are rows of windows that only the face can tell of: their EEG is lost, NaN, of quality 0. They are predicted,
    and neither learnt from nor scored, so that what is learnt, and on what modalities are compared, does not depend on them;
    they stand here only where faces are looked for, and ``dropped`` counts them.
    """

    recordings: tuple[bids.RecordingFiles, ...]
    windows: tuple[Window, ...]
    emotions: tuple[str, ...]
    labels: NDArray[np.int64]
    eeg: Mapping[str, Floats32]
    eeg_quality: NDArray[np.float64]
    faces: Mapping[Features, crops.FaceData]
    dropped: Dropped
    sha256: str
    face: FaceSettings = field(default_factory=FaceSettings)
    face_start: Mapping[Features, Start] = field(default_factory=dict)
    interpolated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    grid: Grid = PAPER
    eeg_sha256: tuple[str, ...] = ()
    unheard: tuple[int, ...] = ()

    @property
    def heard(self) -> NDArray[np.int64]:
        """Rows that are learnt from and scored."""
        return np.setdiff1d(np.arange(len(self.windows)), np.array(self.unheard, dtype=np.int64))

    def learnt(self) -> Dataset:
        """Return the windows that are learnt from and scored, alone."""
        if not self.unheard:
            return self
        rows = self.heard
        return replace(
            self, windows=tuple(self.windows[row] for row in rows), labels=self.labels[rows], unheard=(),
            eeg={name: values[rows] for name, values in self.eeg.items()}, eeg_quality=self.eeg_quality[rows],
            faces={name: faces.of(rows) for name, faces in self.faces.items()},
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """What one recording contributes."""

    windows: tuple[Window, ...]
    heard: NDArray[np.bool_]  # which of them have EEG, and only those rows stand in `eeg`
    eeg: dict[Source, Floats32]
    quality: float
    faces: dict[Features, crops.FaceData]
    dropped: Dropped
    interpolated: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What :func:`load` was asked for."""

    eeg: tuple[Source, ...]
    faces: tuple[Features, ...]
    where: Where
    rules: Rules
    kind: LabelKind
    cache: Path | None
    face: FaceSettings
    grid: Grid


def preview(
    recordings: Sequence[bids.RecordingFiles], *, where: Where, kind: LabelKind, rules: Rules | None = None
) -> tuple[Window, ...]:
    """Read the windows alone, which is quick, so that a bad design is refused before anything is computed.

    Raises
    ------
    BidsError
        When there are no clip events, or clips of one emotion only.
    """
    events = [read_events(files, where=where, rules=rules) for files in recordings]
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
    eeg: Sequence[Features | Source] = (),
    faces: Sequence[Features] = (),
    face: FaceSettings | None = None,
    grid: Grid = PAPER,
    where: Where = "all",
    rules: Rules | None = None,
    kind: LabelKind = "target",
    cache: Path | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Dataset:
    """Read recordings and compute what the models are given.

    Parameters
    ----------
    recordings : sequence of RecordingFiles
        From :func:`models.bids.find_recordings`.
    eeg : sequence of str or Source
        Kinds of features of pictures (``imagenet``, ``seeded``, ``pool96``), or names of models that take windows, each with
        its control; may be empty.
    faces : sequence of {"imagenet", "seeded", "pool96"}
        Kinds of features of the face; may be empty.
    face : FaceSettings, optional
        How faces are found.
    grid : Grid
        The electrodes with which the EEG is looked at; see :func:`models.eeg.montage.choose`.
    where, rules, kind
        Which windows of a clip, what is left out, and what their label is.
    cache : Path or None
        Folder of what was computed before.
    workers, scheduler
        As in :class:`models.scale.Where`; one recording each at a time. The workers of a scheduler read the recordings, and
        the cache, under the same paths.
    progress : callable
        Told how many recordings of how many are done.

    Raises
    ------
    BidsError
        When a recording cannot be used.
    """
    sources = tuple(dict.fromkeys(name if isinstance(name, Source) else Source(name) for name in eeg))
    wanted = _Wanted(
        eeg=sources, faces=tuple(faces), where=where, rules=rules or Rules(), kind=kind, cache=cache and cache.resolve(),
        face=face or FaceSettings(), grid=grid,
    )  # fmt: skip
    done: dict[int, _Part] = {}
    progress(0, len(recordings))
    for index, part in scale.each(_part, [(files, wanted) for files in recordings], where=scale.Where(workers, scheduler)):
        done[index] = part
        progress(len(done), len(recordings))
    return _joined(recordings, [done[index] for index in range(len(recordings))], wanted)


def _joined(recordings: Sequence[bids.RecordingFiles], parts: Sequence[_Part], wanted: _Wanted) -> Dataset:
    windows = tuple(window for part in parts for window in part.windows)
    heard = np.concatenate([part.heard for part in parts])
    names = [name_of(window, wanted.kind) for window in windows]
    emotions = bids.emotions(recordings, [name for name, there in zip(names, heard, strict=True) if there])
    return Dataset(
        recordings=tuple(recordings),
        windows=windows,
        emotions=emotions,
        labels=np.array([emotions.index(name) if name in emotions else NO_CLASS for name in names], dtype=np.int64),
        eeg={source.key: _spread([part.eeg[source] for part in parts if source in part.eeg], heard) for source in wanted.eeg},
        eeg_quality=np.concatenate([np.where(part.heard, part.quality, 0.0) for part in parts]),
        faces={name: _join([part.faces[name] for part in parts]) for name in wanted.faces},
        dropped=sum((part.dropped for part in parts), Counter()),
        sha256=bids.data_digest(recordings),
        face=wanted.face,
        grid=wanted.grid,
        interpolated={files.stem: part.interpolated for files, part in zip(recordings, parts, strict=True)},
        eeg_sha256=tuple(part.sha256 for part in parts),
        unheard=tuple(np.flatnonzero(~heard).tolist()),
    )


def _spread(found: Sequence[Floats32], heard: NDArray[np.bool_]) -> Floats32:
    """Return the EEG of all windows, NaN where there is none."""
    if found and heard.all():
        return np.concatenate(found)
    shape = next((part.shape[1:] for part in found), (0,))
    out = np.full((len(heard), *shape), np.nan, dtype=np.float32)
    start, rows = 0, np.flatnonzero(heard)
    for part in found:
        out[rows[start : start + len(part)]] = part
        start += len(part)
    return out


def _part(files: bids.RecordingFiles, wanted: _Wanted) -> _Part:
    """Return what one recording contributes."""
    scale.one_thread()
    try:
        found = recording.load(files, where=wanted.where, rules=wanted.rules, grid=wanted.grid)
    except recording.TooFewError as few:
        if not wanted.faces:
            raise
        return _seen_only(files, few, wanted)
    usable, dropped = _usable(found, wanted)
    windows, has_eeg = _with_unheard(usable, found.events, wanted)
    heard = [window for window, there in zip(windows, has_eeg, strict=True) if there]
    return _Part(
        windows=windows,
        heard=has_eeg,
        eeg=inputs.of_recording(found, [window.t0_s for window in heard], wanted.eeg, cache=wanted.cache),
        quality=1 - len(found.interpolated) / len(found.grid.channels),
        faces={name: _face(files, windows, name, wanted) for name in wanted.faces},
        dropped=dropped,
        interpolated=found.interpolated,
        sha256=found.sha256,
    )


def _seen_only(files: bids.RecordingFiles, few: recording.TooFewError, wanted: _Wanted) -> _Part:
    """Return what a recording contributes whose EEG cannot be used: what its camera saw."""
    dropped = few.events.dropped.copy()
    for window in few.events.windows:
        dropped[few.good, window.target] += 1
    windows, has_eeg = _with_unheard((), few.events, wanted)
    return _Part(
        windows=windows, heard=has_eeg, eeg={}, quality=0.0, dropped=dropped, interpolated=(), sha256=few.sha256,
        faces={name: _face(files, windows, name, wanted) for name in wanted.faces},
    )  # fmt: skip


def _with_unheard(usable: Sequence[Window], events: Events, wanted: _Wanted) -> tuple[tuple[Window, ...], NDArray[np.bool_]]:
    """Return the windows that are predicted, in the order of time, and which of them have EEG.

    Where no face is looked for, nothing could tell of the others.
    """
    if not wanted.faces:
        return tuple(usable), np.ones(len(usable), dtype=bool)
    labelled = (window for window in (*events.windows, *events.unheard) if label_of(window, wanted.kind) is not None)
    windows = tuple(sorted(labelled, key=lambda window: window.t0_s))
    known = set(usable)
    return windows, np.array([window in known for window in windows], dtype=bool)


def _face(files: bids.RecordingFiles, windows: Sequence[Window], kind: Features, wanted: _Wanted) -> crops.FaceData:
    return crops.face_features(
        [files], windows, kind=kind, backbone=backbone(kind, wanted.face.network), n_frames=wanted.face.n_frames,
        cache=wanted.cache, detector=wanted.face.detector,
    )  # fmt: skip


def _usable(found: recording.Recording, wanted: _Wanted) -> tuple[tuple[Window, ...], Dropped]:
    """Return the windows that have a label and no artefact, and what is left out."""
    dropped = found.events.dropped.copy()
    windows = tuple(window for window in found.events.windows if label_of(window, wanted.kind) is not None)
    for window in set(found.events.windows) - set(windows):
        dropped[f"no label by {wanted.kind}", window.target] += 1
    limit = wanted.rules.artefact_uv
    if not (limit and wanted.eeg and windows):
        return windows, dropped
    swings = inputs.swing(found, [window.t0_s for window in windows], cache=wanted.cache).max(axis=1)
    for window, swing in zip(windows, swings, strict=True):
        if swing > limit:
            dropped[f"artefact of more than {limit:g} uV", window.target] += 1
    return tuple(window for window, swing in zip(windows, swings, strict=True) if swing <= limit), dropped


def _join(parts: Sequence[crops.FaceData]) -> crops.FaceData:
    return crops.FaceData(
        x=np.concatenate([part.x for part in parts]),
        found=np.concatenate([part.found for part in parts]),
        frame_s=np.concatenate([part.frame_s for part in parts]),
        frame=np.concatenate([part.frame for part in parts]),
        kind=parts[0].kind,
        n_faces=np.concatenate([part.n_faces for part in parts if part.n_faces is not None]),
        video=np.concatenate([part.video for part in parts if part.video is not None]),
    )


@functools.cache
def backbone(kind: Features, network: NetworkName = "seed112") -> Backbone | None:
    """Return the frozen network of the face, built once a process."""
    if kind == "pool96":
        return None
    from models.face.patch_attention import load_backbone

    return load_backbone(weights.find("mobilenet_v2") if kind == "imagenet" else None, network)


def extractor_name(modality: Literal["eeg", "face"], kind: RowFeatures, network: NetworkName = "seed112") -> str:
    """Return which weights make features: the SHA-256 of a file, or the name of what is seeded."""
    if modality == "eeg":
        return inputs.extractor_name(kind)
    if kind == "pool96":
        return "pool96"
    frozen = backbone("imagenet" if kind == "imagenet" else "seeded", network)
    assert frozen is not None
    return frozen.digest


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
