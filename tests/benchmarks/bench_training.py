"""What training costs: a cohort of the paper's size by all models and splits, and two Dask workers against one.

Seven people, twelve clips of 75 s, 2,100 windows (for the Dask cluster of 30 s, 840 windows), features in memory as from a
warm cache. Models that learn in seconds are run by every split. Of the others one fold of the headline is trained for a few
epochs, which says what all epochs of all folds would take at most: early stopping makes it less, and a graphics card much
less. Minutes are those of the processor, divided by its cores: folds do not wait for each other, and other work on the machine
does not count.

``EMO_BENCH_PARTS=light,map_cnn,face,cluster`` measures some parts alone: light, the names of networks, face (with the fusion),
cluster. The sum is of the EEG's, and told only where everything was measured.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from models import fusion, scale, splits, train
from models.bids import RecordingFiles
from models.dataset import Dataset
from models.eeg import de, table
from models.eeg.recogniser import Task
from models.face import recogniser as face
from models.face.training import Training
from models.windows import Window
from tests.benchmarks.table import Row

ROOT = Path(__file__).parents[2]
EMOTIONS = ("happiness", "sadness", "fear", "neutral")
N_PEOPLE, CLIPS, CLIP_S = 7, 3, 75
FACES = (5, 160, 4, 4)  # frames of a window, by the map of the frozen network
N_EPOCHS = 2
LIMIT_S = 600.0
ALL = "all"
PARTS = os.environ.get("EMO_BENCH_PARTS", ALL)
COMMAND = "make bench TOPIC=training"


def cohort(kind: str, shape: tuple[int, ...], *, clip_s: int = CLIP_S) -> Dataset:
    """Return windows of a cohort with features of one kind: noise, and a little of each emotion."""
    rng = np.random.default_rng(0)
    windows = [
        Window(
            participant=f"{person + 1:02d}", session="01", run="01", trial=trial, stim_id=f"{emotion}{trial % CLIPS}",
            target=emotion, rating=emotion, t0_s=100.0 * trial + 3 * part, t1_s=100.0 * trial + 3 * part + 3,
            since_onset_s=3.0 * part,
        )
        for person in range(N_PEOPLE)
        for trial, emotion in enumerate(np.tile(EMOTIONS, CLIPS).tolist())
        for part in range(clip_s // 3)
    ]  # fmt: skip
    labels = np.array([EMOTIONS.index(window.target) for window in windows])
    x = rng.standard_normal((len(windows), *shape), dtype=np.float32)
    x.reshape(len(x), -1)[np.arange(len(x)), labels] += 3
    files = [
        RecordingFiles(participant=f"{n + 1:02d}", session="01", run="01", eeg=Path("eeg"), scopes=frozenset())
        for n in range(N_PEOPLE)
    ]
    return Dataset(
        recordings=tuple(files), windows=tuple(windows), emotions=EMOTIONS, labels=labels, eeg={kind: x},
        eeg_quality=np.ones(len(x)), faces={}, dropped=Counter(), sha256="0" * 64,
    )  # fmt: skip


def wanted(part: str) -> bool:
    """Return whether a part is to be measured."""
    return PARTS == ALL or part in PARTS.split(",")


def all_splits(data: Dataset) -> list[splits.Split]:
    return [make(data.windows, data.labels, 1) for make in splits.SPLITS.values()]


def whole(recipe: train.Recipe, shape: tuple[int, ...], workers: int) -> float:
    """Return the seconds that every fold of every split takes."""
    data = cohort(recipe.source.key, shape)
    start = time.process_time()
    train.cross_validate(data, splits=all_splits(data), recipes=[recipe], seed=1)
    return (time.process_time() - start) / workers


def at_most(name: str, shape: tuple[int, ...], workers: int) -> tuple[float, int, float]:
    """Return seconds of one epoch of one fold of the headline, how many folds there are, and the most that all would take."""
    data = cohort("x", shape)
    folds = [fold for split in all_splits(data) for fold in split.folds]
    part = splits.leave_subject_and_stimulus_out(data.windows, data.labels, 1).folds[0]
    x, y = data.eeg["x"], data.labels
    scale.one_thread()
    task = Task(shape=shape, n_classes=4, n_windows=len(part.train) + len(part.validation), seed=1)
    taken = []
    for epochs in (1, 1, 1 + N_EPOCHS):  # the first one pays for imports, the second for scaling, as the third does
        recogniser = table.named(name).build(task)
        settings = recogniser.settings  # type: ignore[attr-defined]
        recogniser.settings = replace(settings, epochs=epochs)  # type: ignore[attr-defined]
        start = time.process_time()
        recogniser.fit(x[part.train], y[part.train], validation=(x[part.validation], y[part.validation]))
        taken.append(time.process_time() - start)
    epoch = (taken[2] - taken[1]) / N_EPOCHS
    n_windows = sum(len(fold.train) for fold in folds)
    return epoch, len(folds), epoch / len(part.train) * n_windows * settings.epochs / workers


def face_at_most(workers: int) -> tuple[float, int, float]:
    """Return the same as :func:`at_most` of the face's network, on maps of five frames a window."""
    data = cohort("x", FACES)
    folds = [fold for split in all_splits(data) for fold in split.folds]
    part = splits.leave_subject_and_stimulus_out(data.windows, data.labels, 1).folds[0]
    x, y, whose = data.eeg["x"], data.labels, np.array([window.participant for window in data.windows])
    scale.one_thread()
    taken = []
    for epochs in (1, 1, 1 + N_EPOCHS):
        recogniser = face.make("seeded", 4, seed=1, training=Training(epochs=epochs))
        start = time.process_time()
        recogniser.fit(x[part.train], y[part.train], whose[part.train], validation=(x[part.validation], y[part.validation]))
        taken.append(time.process_time() - start)
    epoch = (taken[2] - taken[1]) / N_EPOCHS
    n_windows = sum(len(fold.train) for fold in folds)
    return epoch, len(folds), epoch / len(part.train) * n_windows * Training().epochs / workers


def fusing(workers: int) -> tuple[float, int, float]:
    """Return seconds of fitting and applying one fusion, how many folds there are, and what all take."""
    data = cohort("x", (28, 4))
    folds = [fold for split in all_splits(data) for fold in split.folds]
    clips = np.array([" ".join(map(str, window.clip)) for window in data.windows])
    said = {"eeg": fusion.normalise(data.eeg["x"][:, 0]), "face": fusion.normalise(data.eeg["x"][:, 1])}
    quality = {name: np.ones(len(clips)) for name in said}
    start = time.process_time()
    for fold in folds:
        rows = fold.validation
        fitted = fusion.fit_fusion(
            {name: p[rows] for name, p in said.items()}, data.labels[rows], {name: q[rows] for name, q in quality.items()},
            clips=clips[rows],
        )  # fmt: skip
        fitted.apply({name: p[fold.test] for name, p in said.items()}, {name: q[fold.test] for name, q in quality.items()})
    taken = time.process_time() - start
    return taken / len(folds), len(folds), taken / workers


def of_faces(workers: int) -> list[Row]:
    """Measure the face's network and the fusion, which come to the EEG's part of a run."""
    epoch, n_folds, seconds = face_at_most(workers)
    shape = "x".join(map(str, FACES))
    what = f"patch_attention ({shape}): an epoch of a fold of the headline; all {n_folds} folds, every epoch"
    made = [Row(what, f"{epoch:.2f} s; at most {seconds / 60:.0f} min on {workers} cores", "", command=COMMAND)]
    once, n_folds, seconds = fusing(workers)
    what = f"fusion: temperatures of a fold, and its windows fused; all {n_folds} folds"
    return [*made, Row(what, f"{1000 * once:.0f} ms; {seconds:.1f} s on {workers} cores", "", command=COMMAND)]


@contextmanager
def cluster(n_workers: int) -> Iterator[str]:
    """Start a Dask scheduler with some workers of one thread each; the way docs/scale.md describes."""
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "scheduler.json"
        env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        common = ["--no-dashboard", "--scheduler-file", str(where)]
        words = [["scheduler", "--host", "127.0.0.1", "--port", "0", *common]]
        words += [["worker", "--nthreads", "1", "--no-nanny", "--local-directory", folder, *common]] * n_workers
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "dask", *line], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            for line in words
        ]
        try:
            from distributed import Client

            for _ in range(600):
                if where.exists():
                    break
                time.sleep(0.1)
            with Client(scheduler_file=str(where)) as client:  # type: ignore[no-untyped-call]
                client.wait_for_workers(n_workers, timeout=60)
                yield str(client.scheduler.address)
        finally:
            for process in reversed(started):
                process.terminate()
            for process in started:
                process.wait(30)


def on_cluster(n_workers: int, data: Dataset, recipe: train.Recipe) -> float:
    """Return the seconds that 14 folds take, after one that lets the workers import what they need."""
    made = [
        splits.leave_one_subject_out(data.windows, data.labels, 1),
        splits.train_one_test_others(data.windows, data.labels, 1),
    ]
    with cluster(n_workers) as address:
        for part in ([replace_folds(made[0], n_workers)], made):
            start = time.perf_counter()
            train.cross_validate(data, splits=part, recipes=[recipe], seed=1, scheduler=address)
    return time.perf_counter() - start


def replace_folds(split: splits.Split, n: int) -> splits.Split:
    return replace(split, folds=split.folds[:n])


def rows() -> list[Row]:
    """Measure."""
    workers = len(os.sched_getaffinity(0))
    kinds = {"pool96": "pool96"}
    light = train.recipes(("nearest", "de-logistic"), (), kinds) if wanted("light") else []  # type: ignore[arg-type]
    shapes = {"de-logistic": de.bands(np.ones((1, 28, 600), np.float32)).shape[1:]}
    made, total = [], 0.0
    for recipe in light:
        taken = whole(recipe, shapes.get(recipe.model, (28, 96)), workers)
        total += taken
        what = f"{recipe.model} ({recipe.kind}), 7 people, 2,100 windows, all six splits"
        made.append(Row(what, f"{taken:.0f} s on {workers} cores", "", command=COMMAND))
    for name, shape in (
        ("map_cnn", (28, 96)),
        ("map_cnn", (28, 2048)),
        ("jadhav", (28, 2048)),
        ("map_cnn_full", (28, 2048)),
        ("itnet", prepared("itnet")),
        ("sst", prepared("sst")),
    ):
        if not wanted(name):
            continue
        epoch, n_folds, seconds = at_most(name, shape, workers)
        total += seconds
        what = f"{name} ({'x'.join(map(str, shape))}): an epoch of a fold of the headline; all {n_folds} folds, every epoch"
        made.append(Row(what, f"{epoch:.2f} s; at most {seconds / 60:.0f} min on {workers} cores", "", command=COMMAND))
    if PARTS == ALL:
        figure = f"at most {math.ceil(total / 60)} min on {workers} cores, without a graphics card"
        made.append(Row("all of these together", figure, f"<= {LIMIT_S / 60:.0f} min", command=COMMAND))
    if wanted("face"):
        made += of_faces(workers)
    if not wanted("cluster"):
        return made
    (own,) = train.recipes((), ("eeg",), kinds)  # type: ignore[arg-type]
    data = cohort("pool96", (28, 96), clip_s=30)
    one, two = (on_cluster(n, data, own) for n in (1, 2))
    what = f"14 folds of map_cnn (pool96), 7 people, {len(data.windows)} windows, on a Dask cluster: one worker, two"
    made.append(Row(what, f"{one:.0f} s, {two:.0f} s",
                    "two are faster", f"{one / two:.2f} times as fast", COMMAND))  # fmt: skip
    return made


def prepared(name: str) -> tuple[int, ...]:
    """Return the shape of what a model of windows is given."""
    prepare = table.named(name).prepare
    assert prepare is not None
    return prepare(np.random.default_rng(0).standard_normal((1, 28, 600)).astype(np.float32)).shape[1:]
