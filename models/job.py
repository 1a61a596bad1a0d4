"""The whole of ``emo-train``: a BIDS root in, scores, figures, kept models and fused labels out."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from models import announce, bids, clips, dataset, derivative, face_job, keep, labels, report, scores, splits, train
from models.dataset import Dataset, FeaturesWanted
from models.eeg import engines, montage, variants
from models.eeg.engines import Engine
from models.eeg.montage import Montage
from models.eeg.scalp_map import Grid
from models.evaluate import Control, Features, LabelKind, MetricsRow, Modality, save_rows
from models.face.pretrain import Learnt
from models.face.settings import FaceSettings
from models.fusion import Rule
from models.scores import Scored
from models.splits import Split
from models.steps import Steps
from models.train import Outcome, Recipe
from models.unheard import with_unheard
from models.windows import Rules, Where, Window

OUT = Path("derivatives") / "emolab"
FOLDS = "folds"  # in the cache: what a run that is not finished has trained
# the labels come from the first of these that was asked for: honest ones that predict each window once
LABELLED_BY = ("leave-one-subject-out", splits.HEADLINE)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is asked for; the names are those of the command line.

    ``splits`` left empty means all that the data allow; named ones are refused where the data do not. ``eeg_models`` are models
    of the EEG besides the paper's own, which is the modality ``eeg``. A ``scheduler`` is the address of a Dask cluster's.
    """

    root: Path
    out: Path | None = None
    models: tuple[Modality, ...] = ("eeg", "face", "fusion")
    eeg_models: tuple[str, ...] = ()
    features: tuple[FeaturesWanted, ...] = ("auto",)
    splits: tuple[str, ...] = ()
    controls: tuple[Control, ...] = ()
    montage: Montage = "auto"
    engine: Engine = "torch"
    spectrogram: str = variants.DEFAULT
    windows: Where = "all"
    rules: Rules = field(default_factory=Rules)
    labels: LabelKind = "target"
    face: FaceSettings = field(default_factory=FaceSettings)
    rule: Rule = "pool"
    abstain_below: float = 0.0
    clips: bool = True
    seed: int = 1
    workers: int = 1
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if "fusion" in self.models:  # it is never told without what it is made of
            object.__setattr__(self, "models", get_args(Modality))


@dataclass(frozen=True, kw_only=True, eq=False)
class Done:
    """What came of it: where it lies, scores, what they say together, the data learnt from, and every file but the cache."""

    out: Path
    rows: tuple[MetricsRow, ...]
    readings: tuple[str, ...]
    data: Dataset
    files: tuple[Path, ...]


def run(options: Options, steps: Steps) -> Done:
    """Train, score and write.

    Nothing is written before the design has been checked: consent, windows, emotions, participants, splits. A run that was
    killed goes on where it was: features and finished folds are kept until it is done.

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
    BidsError
        When the root, or the folder to write to, cannot be used for what is asked.
    """
    out = options.out or options.root / OUT
    recordings = bids.find_recordings(options.root)
    derivative.check(out)
    planned = dataset.preview(recordings, where=options.windows, kind=options.labels, rules=options.rules)
    names = [dataset.name_of(window, options.labels) for window in planned]
    unseen = face_job.unseen(recordings, options.models) if _faces(options) else ""
    if unseen:
        options = replace(options, models=("eeg",))
    kinds = dataset.resolve(options.features)
    recipes = train.recipes(
        options.eeg_models, options.models, kinds, controls=options.controls, rule=options.rule, engine=options.engine,
        variant=options.spectrogram,
    )  # fmt: skip
    grid = _grid(options, recordings, recipes)
    folder = face_job.plan(options.face, _seen(recipes), bids.emotions(recordings, names))
    designs = _splits(options, planned, np.unique(np.array(names), return_inverse=True)[1].astype(np.int64), steps.say)
    if unseen:  # what is refused is refused in one line: nothing is said above
        steps.say(unseen)
    if watermark := announce.watermark(options.root):
        steps.say(watermark)
    announce.learning(options.models, kinds, designs, [recipe.model for recipe in _heard(recipes)], steps)
    announce.eeg(options.engine, options.spectrogram, grid, [recipe.source for recipe in _heard(recipes)], steps)
    cache = out / derivative.CACHE
    data = _load(recordings, options, recipes, grid, cache, steps)
    if data.faces and not face_job.seen(data, options.models, str(options.root), steps.say):
        options, recipes = replace(options, models=("eeg",)), train.without_faces(recipes)
    learnt = face_job.learn(folder, options.face, _seen(recipes), seed=options.seed, cache=cache, steps=steps)
    data = replace(data, face_start=face_job.starts(learnt, data.emotions))
    said = set(splits.SPLITS) - {split.name for split in designs}
    designs = _designs(options, data, steps.say, said)  # artefacts may have taken a split away
    if _faces(options):
        face_job.tell_folds(data, designs, steps.say)
    with steps.step("training and testing folds") as progress:
        outcomes = train.cross_validate(
            data, splits=designs, recipes=recipes, seed=options.seed,
            workers=options.workers, scheduler=options.scheduler, finished=cache / FOLDS, progress=progress,
        )  # fmt: skip
    scored = [
        one
        for outcome in outcomes
        for one in scores.scored(data, outcome.only(data.heard), labels=options.labels, seed=options.seed)
    ]
    done = _write(options, out, data, scored, outcomes, recipes, learnt, steps)
    shutil.rmtree(cache / FOLDS, ignore_errors=True)  # a finished run has nothing to go on with
    return done


def _faces(options: Options) -> bool:
    """Return whether faces are to be learnt."""
    return bool({"face", "fusion"} & set(options.models))


def _seen(recipes: Sequence[Recipe]) -> tuple[Features, ...]:
    """Return the kinds of features of the face, each once."""
    return tuple(dict.fromkeys(recipe.face for recipe in recipes if {"face", "fusion"} & set(recipe.modalities)))


def _heard(recipes: Sequence[Recipe]) -> list[Recipe]:
    """Return the recipes that look at EEG."""
    return [recipe for recipe in recipes if {"eeg", "fusion"} & set(recipe.modalities)]


def _grid(options: Options, recordings: Sequence[bids.RecordingFiles], recipes: Sequence[Recipe]) -> Grid:
    """Return the electrodes that are looked at, and refuse what cannot be done with them."""
    for recipe in _heard(recipes):
        engines.check(recipe.source.engine)
    grid = montage.choose(recordings, options.montage)
    if "without-frontal-temporal" in options.controls and grid.over_muscles().all():
        raise bids.BidsError(
            f"--controls = without-frontal-temporal: all {len(grid.channels)} electrodes are such; leave it out"
        )
    return grid


def _splits(
    options: Options,
    windows: Sequence[Window],
    codes: splits.Ints,
    say: Callable[[str], None],
    *,
    said: Collection[str] = (),
) -> list[Split]:
    """Return the splits that were named, or all that the data allow, saying why others but `said` are not among them."""
    if options.splits:
        return [splits.SPLITS[name](windows, codes, options.seed) for name in options.splits]
    if len({window.participant for window in windows}) < 2:
        splits.leave_one_subject_out(windows, codes, options.seed)  # says what is missing
    found, refused = [], {}
    for name, make in splits.SPLITS.items():
        try:
            found.append(make(windows, codes, options.seed))
        except splits.SplitError as error:
            refused[name] = str(error)
    if not any(not split.leaky for split in found):
        raise bids.BidsError(list(refused.values())[-1])
    for line in (line for name, line in refused.items() if name not in said):
        say(f"left out: {line}")
    return found


def _designs(options: Options, data: Dataset, say: Callable[[str], None], said: Collection[str]) -> list[Split]:
    """Divide the windows that are learnt from, and let the folds predict those without EEG beside them."""
    windows = [data.windows[row] for row in data.heard]
    found = _splits(options, windows, data.labels[data.heard], say, said=said)
    return [with_unheard(split, data.windows, data.heard) for split in found] if data.unheard else found


def _load(
    recordings: Sequence[bids.RecordingFiles],
    options: Options,
    recipes: Sequence[Recipe],
    grid: Grid,
    cache: Path,
    steps: Steps,
) -> Dataset:
    heard = _heard(recipes)
    with steps.step("reading recordings and computing features") as progress:
        data = dataset.load(
            recordings, eeg=[recipe.source for recipe in heard], faces=_seen(recipes), face=options.face, grid=grid,
            where=options.windows, rules=options.rules, kind=options.labels, cache=cache, workers=options.workers,
            scheduler=options.scheduler, progress=progress,
        )  # fmt: skip
    for (reason, emotion), n in sorted(data.dropped.items()):
        steps.say(f"left out: {n} x {emotion}: {reason}")
    for stem, names in data.interpolated.items():
        if names:
            steps.say(f"{stem}: not recorded, interpolated: {', '.join(names)}")
    _tell_unheard(data, steps)
    if (n := len(set(data.labels[data.heard].tolist()))) < 2:
        raise bids.BidsError(
            f"{options.root}: {len(data.heard)} windows of {n} emotions are left; two emotions are needed: see what "
            f"was left out, or allow more with --artefact-uv (now {options.rules.artefact_uv:g})"
        )
    face_job.tell(data, steps)
    return data


def _tell_unheard(data: Dataset, steps: Steps) -> None:
    """Say of each recording for how many windows the face alone can speak."""
    whose = [(window.participant, window.session, window.run) for window in data.windows]
    total, lost = Counter(whose), Counter(whose[row] for row in data.unheard)
    for files in data.recordings:
        who = (files.participant, files.session, files.run)
        if lost[who]:
            steps.say(
                f"{files.stem}: no EEG in {lost[who]} of {total[who]} windows: the face alone can label them; they are neither "
                "learnt from nor scored"
            )


def _write(
    options: Options,
    out: Path,
    data: Dataset,
    scored: Sequence[Scored],
    outcomes: Sequence[Outcome],
    recipes: Sequence[Recipe],
    learnt: Mapping[Features, Learnt],
    steps: Steps,
) -> Done:
    """Write labels first, since they make the folder a derivative of ours; then scores, figures and models."""
    rows = [one.row for one in scored]
    tables = _write_labels(options, out, data, outcomes, steps)
    save_rows(out / "metrics.json", rows)
    scores.save(out / "scores.json", scored, data.emotions)
    pictures = report.draw(out / "figures", scored, data.emotions)
    more, others = face_job.sections(out / "figures", scored, data, learnt)
    learnt_from = data.learnt()
    page = report.write(out / "scores.html", scored, learnt_from, pictures, more, watermark=announce.watermark(options.root))
    with steps.step("training the models that are kept") as progress:
        kept = keep.keep(
            options.root, out / "models", learnt_from, recipes=recipes, labels=options.labels, scores=scored, seed=options.seed,
            rules=asdict(options.rules), progress=progress,
        )  # fmt: skip
    files = (out / "metrics.json", out / "scores.json", page, *tables, *pictures, *others, *kept)
    return Done(out=out, rows=tuple(rows), readings=tuple(scores.readings(rows)), data=learnt_from, files=files)


def _write_labels(options: Options, out: Path, data: Dataset, outcomes: Sequence[Outcome], steps: Steps) -> tuple[Path, ...]:
    """Write the labels of the first recipe, by an honest split where one was asked for.

    The recipe that scores best is not looked for: that would be a choice by test data.
    """
    once = [outcome for outcome in outcomes if len(np.unique(outcome.rows)) == len(outcome.rows)]
    if not once:  # nobody's word would be the label's: a folder of ours without labels
        once = [replace(outcomes[0], rows=np.array([], dtype=np.int64), log_p={"eeg": np.empty((0, len(data.emotions)))},
                        frame_p=None, fold=np.array([], dtype="<U1"))]  # fmt: skip
    mine = [outcome for outcome in once if outcome.recipe == once[0].recipe]
    by_name = {outcome.split.name: outcome for outcome in mine}
    chosen = next((by_name[name] for name in LABELLED_BY if name in by_name), mine[0]).by_window(len(data.windows))
    recipe = chosen.recipe
    kinds: dict[Modality, Any] = {name: train.features_of(name, recipe.kind, recipe.face) for name in recipe.modalities}
    faces = data.faces.get(recipe.face) if chosen.frame_p is not None else None
    predictions = labels.Predictions(
        windows=data.windows,
        emotions=data.emotions,
        log_p={name: values for name, values in chosen.log_p.items() if name in get_args(Modality)},
        quality={"eeg": data.eeg_quality} | ({} if faces is None else {"face": faces.coverage}),
        fold=chosen.fold.tolist(),
        calibrated={name: chosen.log_p[key] for name in ("eeg", "face") if (key := f"{name}_calibrated") in chosen.log_p},
        others=None if faces is None else faces.others,
        met=["participant" in chosen.split.shares] * len(data.windows),
    )
    tables = derivative.write(
        out,
        root=options.root,
        recordings=data.recordings,
        predictions=predictions,
        provenance=derivative.Provenance(
            split=chosen.split.name,
            leaky=chosen.split.leaky,
            labels=options.labels,
            models={name: train.model_of(name, kind, recipe.model, rule=recipe.rule) for name, kind in kinds.items()},
            features={str(name): kind for name, kind in kinds.items()},
            rule=recipe.rule if "fusion" in chosen.log_p else "none",
            seed=options.seed,
            data_sha256=data.sha256,
            abstain_below=options.abstain_below,
            folds=chosen.by,
        ),
        faces=None if faces is None or chosen.frame_p is None else derivative.Faces(data=faces, frame_p=chosen.frame_p),
    )
    if faces is None or not options.clips:
        return tables
    with steps.step("drawing clips") as progress:
        drawn = clips.write(
            out, data.recordings, predictions, faces, detector=options.face.detector, abstain_below=options.abstain_below,
            progress=progress,
        )  # fmt: skip
        return (*tables, *drawn)
