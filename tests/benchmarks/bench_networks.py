"""From a window of EEG to probabilities: what each engine and precision takes, and whether their labels agree.

The classifier is trained on features of planted windows, so that its labels mean something; features of every engine then go
through the same classifier. The products that the processor manages at its best stand beside, to say how much is left.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from table import Row

from models import weights
from models.eeg import engines, inception, map_cnn, spectrogram
from models.eeg.recogniser import Task

N_WINDOWS = 24  # whose labels are compared
N_TIMES = 5
GMAC = 2.915  # of InceptionV3 and one picture of 229x229, counted
N_CHANNELS = 28
COMMAND = "make bench (networks)"


def seconds(run: Callable[[], object], times: int = N_TIMES) -> float:
    """Return the median of several runs, after one that warms up."""
    run()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def planted(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scaled windows, shape (n, 28, 3, 600), of four kinds, and their kinds: each is louder in one band or all."""
    rng = np.random.default_rng(0)
    kinds = np.arange(n) % 4
    eeg = rng.standard_normal((n, N_CHANNELS, 3, 600)).astype(np.float32) * 0.05
    for kind in range(3):
        eeg[kinds == kind, : 14 + 4 * kind, kind] *= 2.5
    return eeg + 0.5, kinds


def peak(dtype: torch.dtype) -> float:
    """Return the GFLOP/s of a product of two matrices that fit the processor well."""
    a, b = torch.randn(2048, 2048).to(dtype), torch.randn(2048, 2048).to(dtype)
    return 2 * 2048**3 / seconds(lambda: a @ b) / 1e9


def rows() -> list[Row]:
    """Measure."""
    out = []
    raw = np.random.default_rng(1).standard_normal((N_CHANNELS, 600 * 20)).astype(np.float32)
    scaled = spectrogram.scale(spectrogram.split_bands(raw, line_freq=50))
    whole = seconds(lambda: spectrogram.images(spectrogram.segment(scaled, np.arange(0, 57, 3.0))))
    out.append(Row("window of EEG to 28 pictures of 3x229x229", f"{whole / 19 * 1e3:.0f} ms", "15 ms", "", COMMAND))

    extractor = inception.extractor(weights.find("inception_v3"))
    unfused = inception.network(weights.find("inception_v3"))
    runs: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "torch, as it is, fp32": engines.runner(unfused), "torch, fused, channels last, fp32": engines.runner(extractor.network)
    }  # fmt: skip
    for name in engines.ENGINES[1:]:
        try:
            runs[f"OpenVINO {name.removeprefix('openvino-')}"] = engines.runner(extractor.network, name)
        except engines.EngineError as error:
            out.append(Row(name, str(error), "0.45 s"))
    eeg, kinds = planted(2 * N_WINDOWS)
    pictures = [spectrogram.images(window) for window in eeg]
    features = {name: np.stack([run(images) for images in pictures]) for name, run in runs.items()}
    reference = features["torch, fused, channels last, fp32"]
    task = Task(shape=reference.shape[1:], n_classes=4, n_windows=len(eeg), seed=1)
    learnt, shown = slice(0, N_WINDOWS), slice(N_WINDOWS, None)
    classifier = map_cnn.model().build(task)
    classifier.fit(reference[learnt], kinds[learnt], validation=(reference[shown], kinds[shown]))
    said = classifier.predict_proba(reference).argmax(axis=1)
    for name, run in runs.items():
        taken = seconds(partial(_whole, eeg[0], run, classifier.predict_proba))
        agree = np.mean(classifier.predict_proba(features[name]).argmax(axis=1) == said)
        out.append(
            Row(
                f"window to probabilities, {extractor.features} InceptionV3, {name}",
                f"{taken:.2f} s; {2 * GMAC * N_CHANNELS / taken:.0f} GFLOP/s; {agree:.1%} of {len(eeg)} labels as fp32",
                "0.45 s, 99.5 %", "the paper: 1.5 s", COMMAND,
            )
        )  # fmt: skip
    best = f"fp32 {peak(torch.float32):.0f}, bf16 {peak(torch.bfloat16):.0f} GFLOP/s"
    out.append(Row("this processor's best, product of two 2048x2048 matrices", best, "", "", COMMAND))
    return out


def _whole(eeg: np.ndarray, run: Callable[[np.ndarray], np.ndarray], classify: Callable[[np.ndarray], np.ndarray]) -> None:
    classify(run(spectrogram.images(eeg))[None])
