"""Faces in ``emo-train``: a folder of pictures to learn from first or alone, and what the report says of faces."""

from __future__ import annotations

import platform
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from models import bids, card, dataset, derivative, face_report, figures, fold, report, train
from models.dataset import Dataset, FeaturesWanted
from models.evaluate import Features, MetricsRow, Modality, save_rows
from models.face import image_folder, kept, pretrain
from models.face.image_folder import PAPER, Folder
from models.face.pretrain import Learnt
from models.face.settings import FaceSettings, NetworkName
from models.face.training import Start
from models.face.video import videos
from models.report import Section
from models.scores import Scored
from models.splits import HEADLINE, Split
from models.steps import Steps

DRAW_SEED = 1  # of the division of a folder that has none: the same for every run, so that its test pictures stay unseen
FEW_FACES = 0.8  # share of the frames; a recording with fewer is named
FEW_NAMES = 3  # of folds, in a line
LIBRARIES = ("emolab", "torch", "torchvision", "scikit-learn", "numpy", "opencv-python")


def tell(data: Dataset, steps: Steps) -> None:
    """Say of each recording in how many of the frames that were looked at a face was missing, or somebody else's was too."""
    for faces in list(data.faces.values())[:1]:  # other features are of the same frames
        for files in data.recordings:
            who = (files.participant, files.session, files.run)
            rows = [row for row, w in enumerate(data.windows) if (w.participant, w.session, w.run) == who]
            looked = faces.frame[rows] >= 0
            if not looked.any():
                continue
            coverage, others = faces.found[rows][looked].mean(), faces.others[rows].mean()
            if coverage < FEW_FACES:
                what = "no face" if coverage == 0 else f"a face in {coverage:.0%}"
                steps.say(f"{files.stem}: {what} of {looked.sum()} frames: missing there, never guessed")
            if others > 0:
                steps.say(f"{files.stem}: more than one person in {others:.0%} of the frames; the participant is followed")


def unseen(recordings: Sequence[bids.RecordingFiles], modalities: Collection[Modality]) -> str:
    """Return what to say where no recording has a video of a face that may be looked at; empty where one has.

    Raises
    ------
    BidsError
        When the face alone was asked for.
    """
    if any("face" in files.scopes and videos(files) for files in recordings):
        return ""
    where = f"no video of a face in {len(recordings)} recordings whose participants agreed to it"
    if "eeg" not in modalities:
        raise bids.BidsError(f"--models = {', '.join(modalities)}: {where}; train by the EEG: --models eeg")
    return f"face: {where}: the EEG alone is learnt"


def seen(data: Dataset, modalities: Collection[Modality], where: str, say: Callable[[str], None]) -> bool:
    """Return whether there is any face to learn from; where there is none, say so.

    Raises
    ------
    BidsError
        When the face alone was asked for.
    """
    if all(faces.found.any() for faces in data.faces.values()):
        return True
    none = f"no face was found in any of {len(data.windows)} windows"
    if "eeg" not in modalities:
        raise bids.BidsError(f"{where}: {none}; look at the videos, or train by the EEG: --models eeg")
    say(f"face: {none}: the EEG alone is learnt")
    return False


def tell_folds(data: Dataset, designs: Sequence[Split], say: Callable[[str], None]) -> None:
    """Say by which splits some folds have no faces to learn from: their windows have no face's prediction."""
    for faces in list(data.faces.values())[:1]:  # other features are of the same frames
        for split in designs:
            without = [part.name for part in split.folds if not fold.shows_faces(faces.x, data.labels, part)]
            if without:
                say(
                    f"face: {split.name}: {len(without)} of {len(split.folds)} folds have no faces of two emotions to learn "
                    f"from ({', '.join(without[:FEW_NAMES])}{' ..' if without[FEW_NAMES:] else ''}): the face is missing there"
                )


def plan(settings: FaceSettings, kinds: Sequence[Features], emotions: Sequence[str]) -> Folder | None:
    """Look at the folder that is to be learnt from first, before anything is computed.

    Raises
    ------
    BidsError
        When it cannot be used with these features or emotions.
    """
    if settings.pretrain is None and not settings.adapt:
        raise bids.BidsError("--no-face-adapt: no folder has taught anything to take as it is; name one with --face-pretrain")
    if settings.pretrain is None or not kinds:
        return None
    if "pool96" in kinds:
        raise bids.BidsError(
            f"--face-pretrain = {settings.pretrain}: features pool96 have no network to go on with; use --features auto"
        )
    folder = image_folder.read(settings.pretrain, emotions=emotions, seed=DRAW_SEED)
    absent = [name for name in emotions if name not in folder.emotions]
    if absent and not settings.adapt:
        raise bids.BidsError(
            f"{settings.pretrain}: holds no pictures of {', '.join(absent)}, which the dataset has; leave out --no-face-adapt"
        )
    return folder


def learn(
    folder: Folder | None, settings: FaceSettings, kinds: Sequence[Features], *, seed: int, cache: Path | None, steps: Steps
) -> dict[Features, Learnt]:
    """Learn from a folder with each kind of features of the face."""
    if folder is None:
        return {}
    for name, n in sorted(folder.left_out.items()):
        steps.say(f"{settings.pretrain}: left out: {n} x {name}")
    found: dict[Features, Learnt] = {}
    for kind in kinds:
        with steps.step(f"learning faces from {len(folder.pictures)} pictures") as progress:
            backbone = dataset.backbone(kind, settings.network)
            found[kind] = pretrain.learn(folder, kind=kind, backbone=backbone, seed=seed, cache=cache, progress=progress)
    return found


def starts(learnt: Mapping[Features, Learnt], emotions: tuple[str, ...]) -> dict[Features, Start]:
    """Return what each kind's network begins with."""
    return {kind: pretrain.start_for(one, emotions) for kind, one in learnt.items()}


def sections(
    folder: Path, scored: Sequence[Scored], data: Dataset, learnt: Mapping[Features, Learnt]
) -> tuple[list[Section], list[Path]]:
    """Return the report's parts about faces and calibration, and their pictures.

    Parameters
    ----------
    folder : Path
        Of pictures.
    scored : sequence of Scored
        All scores of the run.
    data : Dataset
        What they are of.
    learnt : mapping of Features to Learnt
        From :func:`learn`.
    """
    mine = [one for one in scored if one.row.modality == "face" and one.row.control == "none"]
    by_split = {(one.row.features, one.row.split): one for one in mine}
    lines = [_of_folder(one, kind) for kind, one in learnt.items()]
    for one in by_split.values():
        if one.row.leaky or one.row.split in ("leave-one-subject-out", HEADLINE):
            mark = " (leaky)" if one.row.leaky else ""
            lines.append(_line(f"this dataset's videos, {one.row.features}, {one.row.split}{mark}", one.row, data, one))
    faces, pictures = face_report.faces(folder, lines)
    found = [Section("Faces beside the paper", faces)]
    fused = [one for one in scored if one.row.modality == "fusion" and not one.row.leaky]
    for one in fused[:1]:
        text, more = face_report.calibration(folder, one.outcome.log_p, data.labels[one.outcome.rows])
        found.append(Section(f"Calibration ({one.row.split})", text))
        pictures += more
    return found, pictures


def _line(source: str, row: MetricsRow, data: Dataset, one: Scored) -> face_report.FaceScore:
    return face_report.FaceScore(
        source=source, accuracy=row.accuracy, precision=row.precision, recall=row.recall, f1_macro=row.f1_macro,
        chance=row.chance, n=row.n_test, emotions=data.emotions, confusion=one.confusion,
    )  # fmt: skip


def _of_folder(one: Learnt, kind: Features) -> face_report.FaceScore:
    emotions, scores = one.folder.emotions, one.scores
    return face_report.FaceScore(
        source=f"folder, {kind}, split {one.folder.split}; who is on them is not known", accuracy=scores.accuracy,
        precision=scores.precision, recall=scores.recall, f1_macro=scores.f1_macro, chance=scores.chance, n=len(one.labels),
        emotions=emotions,
        confusion=figures.count(one.labels, one.log_p.argmax(axis=1), len(emotions)),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is asked for of a folder alone."""

    faces: Path
    out: Path
    features: tuple[FeaturesWanted, ...] = ("auto",)
    network: NetworkName = "seed112"
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Done:
    """What came of it."""

    out: Path
    rows: tuple[MetricsRow, ...]
    folder: Folder
    files: tuple[Path, ...]


def run(options: Options, steps: Steps) -> Done:
    """Learn from a folder of pictures alone, as the paper does from RAF-DB.

    Raises
    ------
    BidsError
        When the folder cannot be learnt from, or the one to write to is somebody else's.
    """
    derivative.check(options.out, by=derivative.PICTURES)
    folder = image_folder.read(options.faces, emotions=PAPER, seed=DRAW_SEED)
    kinds = tuple(dict.fromkeys(dataset.resolve(options.features).values()))
    if "seeded" in kinds:
        steps.say(
            "face: no ImageNet weights of mobilenet_v2 are used: seeded features instead, which know less "
            "(weights come with: emo-weights fetch mobilenet_v2)"
        )
    settings = FaceSettings(network=options.network, pretrain=options.faces)
    cache = options.out / derivative.CACHE
    learnt = learn(folder, settings, kinds, seed=options.seed, cache=cache, steps=steps)
    rows = [_row(one, kind, options.seed) for kind, one in learnt.items()]
    derivative.write_folder(options.out, options.faces, made_by=derivative.PICTURES)
    save_rows(options.out / "metrics.json", rows)
    text, pictures = face_report.faces(options.out / "figures", [_of_folder(one, kind) for kind, one in learnt.items()])
    page = report.page(options.out / "faces.html", "Faces", [Section("Faces beside the paper", text)])
    models = [_keep(options, one, kind, row) for (kind, one), row in zip(learnt.items(), rows, strict=True)]
    return Done(
        out=options.out, rows=tuple(rows), folder=folder, files=(options.out / "metrics.json", page, *pictures, *models)
    )  # fmt: skip


def _row(one: Learnt, kind: Features, seed: int) -> MetricsRow:
    return MetricsRow(
        modality="face", model=train.model_of("face", kind), split=one.folder.split, leaky=False, labels="target",
        **asdict(one.scores), ci_low=None, ci_high=None, p_permutation=None, n_test=len(one.labels), n_trials=len(one.labels),
        n_participants=0, features=kind, shares=("unknown",), seed=seed, data_sha256=one.digest,
    )  # fmt: skip


def _keep(options: Options, one: Learnt, kind: Features, row: MetricsRow) -> Path:
    made = card.Card(
        modality="face", model=row.model, features=kind, extractor=dataset.extractor_name("face", kind, options.network),
        emotions=one.folder.emotions, n_features=_n_features(kind, options.network), labels="target", seed=options.seed,
        data_sha256=one.digest, participants=(), n_windows=len(one.folder.pictures), scores=(asdict(row),),
        settings={"face": {"network": options.network}, "folder": options.faces.name, "split": one.folder.split},
        versions={"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        licence="as the folder of pictures", simulated=False,
    )  # fmt: skip
    return card.save(options.out / "models", f"face_{kind}", kept.tensors(one.recogniser), made)


def _n_features(kind: Features, network: NetworkName) -> int:
    backbone = dataset.backbone(kind, network)
    return 96 if backbone is None else int(np.prod(backbone.shape))
