"""The whole of ``emo-label``: kept models and a BIDS root in, fused labels for its recordings out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from models import bids, clips, dataset, derivative, labels, predict, weights
from models.card import PARTS, Card, CardError, Tensors, load, tensors_digest
from models.dataset import Dataset
from models.eeg import engines
from models.eeg.scalp_map import PAPER
from models.evaluate import Features, Modality
from models.face.settings import FaceSettings
from models.fusion import Fusion
from models.known import acquaintances
from models.labels import Predictions
from models.steps import Steps
from models.windows import Rules, Where

SPLIT = "none"  # nothing was kept apart: the recordings are new, or the table says which are not
OUT = Path("derivatives") / derivative.NAME
EVERYBODY = "everybody"  # the fold, as it were, of models that have learnt from all
METRICS = "metrics.json"  # what emo-train leaves beside its labels


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is asked for; the names are those of the command line."""

    root: Path
    models: Path
    out: Path | None = None
    features: str | None = None
    windows: Where = "all"
    abstain_below: float = 0.0
    workers: int = 1
    pictures: bool = True


@dataclass(frozen=True, kw_only=True, eq=False)
class Kept:
    """One kept model."""

    path: Path
    tensors: Tensors
    card: Card


@dataclass(frozen=True, kw_only=True, eq=False)
class Done:
    """What came of it."""

    out: Path
    files: tuple[Path, ...]
    predictions: Predictions
    rows: tuple[labels.Row, ...]


def run(options: Options, steps: Steps) -> Done:
    """Label the recordings of everybody who is included.

    Parameters
    ----------
    options : Options
        What is asked for.
    steps : Steps
        Where progress is told.

    Returns
    -------
    Done

    Raises
    ------
    BidsError, CardError
        When the root, the models or the folder to write to cannot be used.
    """
    out = options.out or options.root / OUT
    if (out / METRICS).is_file():
        raise bids.BidsError(f"{out}: holds the out-of-fold labels of emo-train; name another folder with --out")
    derivative.check(out)
    kept = choose(options.models, options.features)
    if set(kept) == {"eeg", "face"}:
        names = " and ".join(one.path.stem for one in kept.values())
        steps.say(
            f"{names}: kept without a fusion: they stand side by side, and no label is given; or name one with --features"
        )
    recordings = bids.find_recordings(options.root, scope=None)
    data = _load(recordings, kept, options, out / derivative.CACHE, steps)
    predictions, frame_p = predict_all(kept, data)
    faces = _faces(kept, data)
    tables = derivative.write(
        out, root=options.root, recordings=recordings, predictions=predictions, provenance=_provenance(kept, data, options),
        faces=None if faces is None or frame_p is None else derivative.Faces(data=faces, frame_p=frame_p), made_by="emo-label",
    )  # fmt: skip
    pictures = []
    if options.pictures and faces is not None:
        with steps.step("drawing clips") as progress:
            detector = face_settings(kept["face"].card).detector
            pictures = clips.write(
                out, recordings, predictions, faces, detector=detector, abstain_below=options.abstain_below, progress=progress
            )
    rows = tuple(labels.rows(predictions, split=SPLIT, abstain_below=options.abstain_below))
    return Done(out=out, files=(*tables, *pictures), predictions=predictions, rows=rows)


def choose(folder: Path, features: str | None) -> dict[Modality, Kept]:
    """Return the models that label: a fusion with its two parts where there is one, else the only model, or one of each.

    Parameters
    ----------
    folder : Path
        Where ``emo-train`` keeps models, or the derivative around it.
    features : str or None
        Which of several, as in the files' names: ``pool96``, ``imagenet+seeded``, or a whole name: ``eeg_pool96``.

    Returns
    -------
    dict of modality to Kept
        One of the EEG and one of the face without a fusion label side by side.

    Raises
    ------
    CardError
        When there is none, or several, or when they do not belong together.
    """
    folder = folder / "models" if (folder / "models").is_dir() else folder
    stems = sorted(path.stem for path in folder.glob("*.safetensors"))
    fusions = [stem for stem in stems if stem.startswith("fusion_")]
    found = [stem for stem in stems if stem == features]
    found = found or [stem for stem in fusions or stems if features is None or stem.partition("_")[2] == features]
    if len(found) != 1 and [stem.partition("_")[0].partition("-")[0] for stem in found] != ["eeg", "face"]:
        names = ", ".join(fusions or stems) or "none"
        raise CardError(f"{folder}: models = {names}: one is needed; name it with --features, or train with emo-train")
    if found[0].startswith("fusion_"):
        eeg, _, face = found[0].removeprefix("fusion_").partition("+")
        found = [f"eeg_{eeg}", f"face_{face or eeg}", *found]
    kept = {one.card.modality: one for one in (_kept(folder, stem) for stem in found)}
    _together(kept)
    return kept


def _together(kept: Mapping[Modality, Kept]) -> None:
    """Refuse models of different data or classes, and a fusion of others than these: a name alone proves nothing."""
    first, *others = kept.values()
    for other in others:
        for name, mine, theirs in (
            ("emotions", first.card.emotions, other.card.emotions),
            ("data_sha256", first.card.data_sha256, other.card.data_sha256),
        ):
            if mine != theirs:
                raise CardError(
                    f"{other.path}: {name} = {_short(theirs)}: {first.path.name} has {_short(mine)}; they were not learnt "
                    "together: train again with emo-train"
                )
    parts = kept["fusion"].card.settings.get(PARTS, {}) if "fusion" in kept else {}
    for name, expected in parts.items():
        if weights.digest(kept[name].path) != expected:
            raise CardError(
                f"{kept['fusion'].path}: {PARTS} = {name} {_short(expected)}: {kept[name].path.name} is another model; train "
                "again with emo-train"
            )


def _short(value: str | tuple[str, ...]) -> str:
    """Return what fits on a line: the beginning of a digest, or the classes."""
    return f"{value[:12]} .." if isinstance(value, str) else ", ".join(value)


def _kept(folder: Path, stem: str) -> Kept:
    path = folder / f"{stem}.safetensors"
    tensors, card = load(path)
    if card.withdrawn:
        raise CardError(
            f"{path}: withdrawn = {card.withdrawn}: some of those it learnt from have withdrawn; train it again with emo-train"
        )
    return Kept(path=path, tensors=tensors, card=card)


def face_settings(card: Card) -> FaceSettings:
    """Return how the faces were found that a model has learnt from."""
    known = card.settings.get("face", {})
    return FaceSettings(**{name: known[name] for name in ("detector", "network", "n_frames") if name in known})


def _load(
    recordings: Sequence[bids.RecordingFiles], kept: Mapping[Modality, Kept], options: Options, cache: Path, steps: Steps
) -> Dataset:
    eeg, face = kept.get("eeg"), kept.get("face")
    for modality, model in (("eeg", eeg), ("face", face)):
        if model is not None:
            _same_extractor(model, modality)
    with steps.step("reading recordings and computing features") as progress:
        return dataset.load(
            recordings,
            eeg=() if eeg is None else (predict.source(eeg.card),),
            grid=PAPER if eeg is None else predict.grid(eeg.card),
            faces=() if face is None else (_face_kind(face),),
            face=FaceSettings() if face is None else face_settings(face.card),
            where=options.windows, rules=Rules(artefact_uv=0.0), cache=cache, workers=options.workers, progress=progress,
        )  # fmt: skip


def _face_kind(model: Kept) -> Features:
    """Return which features the model of the face takes."""
    for kind in get_args(Features):
        if kind == model.card.features:
            return kind  # type: ignore[no-any-return]
    raise CardError(f"{model.path}: features = {model.card.features} in the card: no features of faces")


def _same_extractor(model: Kept, modality: Any) -> None:
    """Refuse a model whose features this machine does not make."""
    card = model.card
    name = {"eeg": "inception_v3", "face": "mobilenet_v2"}[modality]
    if card.features == "imagenet" and weights.find(name) is None:
        raise CardError(f"{model.path}: features = imagenet: needs the weights of {name}; run: emo-weights fetch {name}")
    if modality == "eeg":
        engines.check(predict.source(card).engine)
    here = dataset.extractor_name(modality, card.features, network=face_settings(card).network)
    if here != card.extractor:
        raise CardError(f"{model.path}: extractor = {card.extractor}: here it is {here}; train again with emo-train")


def predict_all(kept: Mapping[Modality, Kept], data: Dataset) -> tuple[Predictions, NDArray[np.float64] | None]:
    """Return the predictions of all windows, and the face's of single frames.

    Parameters
    ----------
    kept : mapping of modality to Kept
        From :func:`choose`.
    data : Dataset
        With the features that they take.
    """
    log_p: dict[str, NDArray[np.float64]] = {}
    quality: dict[str, NDArray[np.float64]] = {}
    frame_p, faces = None, _faces(kept, data)
    if (eeg := kept.get("eeg")) is not None:
        ((x, quality["eeg"]),) = [(next(iter(data.eeg.values())), data.eeg_quality)]
        log_p["eeg"] = predict.eeg(eeg.tensors, eeg.card, x)
    if (face := kept.get("face")) is not None and faces is not None:
        frame_p, quality["face"] = predict.face_frames(face.tensors, face.card, faces.x), faces.coverage
        log_p["face"] = predict.face(face.tensors, face.card, faces.x)
    stages = {}
    if (both := kept.get("fusion")) is not None:
        fusion: Fusion = predict.fusion(both.card)
        stages = fusion.stages(log_p, quality)
        log_p = {**log_p, "fusion": fusion.apply(log_p, quality)}
    card = next(iter(kept.values())).card
    known = acquaintances([model.card for model in kept.values()], data.recordings, data.eeg_sha256)
    said = [known[window.participant, window.session, window.run] for window in data.windows]
    made = Predictions(
        windows=data.windows, emotions=card.emotions, log_p=log_p, quality=quality, fold=[EVERYBODY] * len(data.windows),
        calibrated={name: stages[f"{name}_calibrated"] for name in ("eeg", "face") if f"{name}_calibrated" in stages},
        others=None if faces is None else faces.others,
        seen=[one.recording for one in said], met=[one.participant for one in said],
    )  # fmt: skip
    return made, frame_p


def _faces(kept: Mapping[Modality, Kept], data: Dataset) -> Any:
    return next(iter(data.faces.values())) if "face" in kept else None


def _provenance(kept: Mapping[Modality, Kept], data: Dataset, options: Options) -> derivative.Provenance:
    first = next(iter(kept.values())).card
    return derivative.Provenance(
        split=SPLIT, leaky=False, labels=first.labels,
        models={name: f"{model.card.model} sha256:{weights.digest(model.path)}" for name, model in kept.items()},
        features={name: model.card.features for name, model in kept.items()},
        rule=predict.fusion(kept["fusion"].card).rule if "fusion" in kept else "none",
        seed=first.seed, data_sha256=data.sha256, abstain_below=options.abstain_below, learnt_from=first.data_sha256,
        folds={EVERYBODY: _made_by(kept)},
    )  # fmt: skip


def _made_by(kept: Mapping[Modality, Kept]) -> dict[str, object]:
    """Return the same of kept models as :func:`models.fold.made_by` does of a fold's."""
    digests = {name: tensors_digest(model.tensors) for name, model in kept.items() if name != "fusion"}
    both = kept.get("fusion")
    return {"sha256": digests, **({} if both is None else {"fusion": asdict(predict.fusion(both.card))})}
