"""From a window of EEG to probabilities: what each engine and precision takes, in turns, and whether their labels agree.

Every engine has the same weights and runs in turn with the others, so that what else the machine does slows all of them alike;
the best turn is told, and the median ratio to the network as it is. ``make bench`` gives every program one thread; run by
itself this takes all cores. Fewer windows than the target needs: ``EMO_BENCH_WINDOWS=40``.

Labels: a classifier is trained on fp32 features of planted windows, weak enough that it errs; features of every engine then go
through it. What the processor manages at its best stands beside, to say how much is left.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping

import numpy as np
import torch

from models import weights
from models.eeg import engines, inception, map_cnn, spectrogram
from models.eeg.recogniser import Task
from tests.benchmarks.table import Row

N_WINDOWS = int(os.environ.get("EMO_BENCH_WINDOWS", "200"))  # whose labels are compared: one of 200 is 0.5 %
N_LEARNT = min(80, N_WINDOWS)  # others, from which the classifier learns
N_TURNS = 7
GAIN = 1.12  # of what is planted: the classifier has to err
GMAC = 2.915  # of InceptionV3 and one picture of 229x229, counted
N_CHANNELS = 28
LIMIT_S, AGREEMENT, PREPARED_S = 0.45, 0.995, 0.015
COMMAND = "make bench TOPIC=networks"
AS_IT_IS, REFERENCE = "torch, as it is, fp32", "torch, fused, channels last, fp32"

Run = Callable[[np.ndarray], np.ndarray]


def rows() -> list[Row]:
    """Measure."""
    found, missing = runs()
    eeg, kinds = planted(N_LEARNT + N_WINDOWS)
    features = {name: each(run, eeg[N_LEARNT:]) for name, run in found.items() if name != AS_IT_IS}
    classifier = learn(each(found[REFERENCE], eeg[:N_LEARNT]), kinds[:N_LEARNT])
    said = {name: classifier.predict_proba(x).argmax(axis=1) for name, x in features.items()}
    said[AS_IT_IS] = said[REFERENCE]  # the same numbers in another order
    taken = turns({name: whole(eeg[0], run, classifier.predict_proba) for name, run in found.items()})
    right = np.mean(said[REFERENCE] == kinds[N_LEARNT:])
    return [
        preparing(),
        *(engine_row(name, taken, np.mean(said[name] == said[REFERENCE])) for name in found),
        *missing,
        Row(f"of the {N_WINDOWS} labels in fp32 are right", f"{right:.0%}", "", command=COMMAND),
        Row(f"this processor's best: product of two 2048x2048 matrices, {torch.get_num_threads()} thread(s)",
            f"fp32 {peak(torch.float32):.0f}, bf16 {peak(torch.bfloat16):.0f} GFLOP/s", "", command=COMMAND),
    ]  # fmt: skip


def runs() -> tuple[dict[str, Run], list[Row]]:
    """Return the engines that this machine has, and rows about the others."""
    path = weights.find("inception_v3")
    found: dict[str, Run] = {
        AS_IT_IS: engines.runner(inception.network(path)), REFERENCE: engines.runner(inception.fused(inception.network(path)))
    }  # fmt: skip
    missing = []
    for name in engines.ENGINES[1:]:
        try:
            fused = inception.fused(inception.network(path))
            found[f"OpenVINO, {name.removeprefix('openvino-')}"] = engines.runner(fused, name)  # type: ignore[arg-type]
        except engines.EngineError as error:
            missing.append(Row(name, str(error), f"{LIMIT_S} s"))
    return found, missing


def planted(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scaled windows, shape (n, 28, 3, 600), of four kinds, and their kinds: each is louder in one band, or none."""
    rng = np.random.default_rng(0)
    kinds = np.arange(n) % 4
    eeg = rng.standard_normal((n, N_CHANNELS, 3, 600)).astype(np.float32) * 0.05
    for kind in range(3):
        eeg[kinds == kind, :, kind] *= GAIN
    return eeg + 0.5, kinds


def each(run: Run, eeg: np.ndarray) -> np.ndarray:
    """Return the features of windows, one window at a time."""
    return np.stack([run(spectrogram.images(window)) for window in eeg])


def learn(features: np.ndarray, kinds: np.ndarray) -> map_cnn.Learner:
    """Train the paper's classifier."""
    part = len(kinds) * 3 // 4
    classifier = map_cnn.model().build(Task(shape=features.shape[1:], n_classes=4, n_windows=len(kinds), seed=1))
    classifier.fit(features[:part], kinds[:part], validation=(features[part:], kinds[part:]))
    return classifier  # type: ignore[return-value]


def whole(eeg: np.ndarray, run: Run, classify: Run) -> Callable[[], object]:
    """Return everything between a window of scaled EEG and its probabilities."""
    return lambda: classify(run(spectrogram.images(eeg))[None])


def turns(calls: Mapping[str, Callable[[], object]], n: int = N_TURNS) -> dict[str, list[float]]:
    """Return the seconds of several turns, each of every call, after one that warms up."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(n + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn:
                taken[name].append(time.perf_counter() - start)
    return taken


def engine_row(name: str, taken: Mapping[str, list[float]], agree: float) -> Row:
    """Return the row of an engine."""
    best = min(taken[name])
    ratio = statistics.median(mine / plain for mine, plain in zip(taken[name], taken[AS_IT_IS], strict=True))
    rate = 2 * GMAC * N_CHANNELS / best
    kind = "imagenet" if weights.find("inception_v3") else "seeded"
    return Row(
        f"window to probabilities, {kind} InceptionV3, {torch.get_num_threads()} thread(s): {name}",
        f"{best:.2f} s, {ratio:.2f} of the first; {rate:.0f} GFLOP/s; {agree:.1%} of {N_WINDOWS} labels as in fp32",
        f"{LIMIT_S} s, {AGREEMENT:.1%}", "the paper: 1.5 s", COMMAND,
    )  # fmt: skip


def preparing() -> Row:
    """Return what pictures of a window take: wall clock at best, and the processor's time at best, on one thread of ours."""
    raw = np.random.default_rng(1).standard_normal((N_CHANNELS, 600 * 20)).astype(np.float32)
    scaled = spectrogram.scale(spectrogram.split_bands(raw, line_freq=50))
    (window,) = spectrogram.segment(scaled, [9.0])
    spectrogram.images(window)
    walls, cpus = [], []
    for _ in range(30):
        wall, cpu = time.perf_counter(), time.process_time()
        spectrogram.images(window)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    figure = f"{min(walls) * 1e3:.0f} ms; {min(cpus) * 1e3:.0f} ms of a processor"
    return Row("window of EEG to 28 pictures of 3x229x229", figure, f"{PREPARED_S * 1e3:.0f} ms", "", COMMAND)


def peak(dtype: torch.dtype) -> float:
    """Return the GFLOP/s of a product of two matrices that fit the processor well, at best."""
    a, b = torch.randn(2048, 2048).to(dtype), torch.randn(2048, 2048).to(dtype)
    return 2 * 2048**3 / min(turns({"product": lambda: a @ b})["product"]) / 1e9
