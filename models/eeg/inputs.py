"""What the models of EEG are given, of one recording: raw windows, what a model prepares of them, or features of pictures.

A control asks what is left when muscles are taken away: faces that smile and frown show in the EEG above 30 Hz, and over the
forehead and the temples, and much of what looks like emotion in EEG may be that (Soleymani et al. 2016, section V).
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from models import weights
from models.cache import cached, key_of
from models.eeg import spectrogram, table, variants
from models.eeg.engines import ENGINES, Engine, device
from models.eeg.recording import Recording
from models.eeg.scalp_map import Grid
from models.evaluate import Control, RowFeatures
from models.windows import SFREQ, WINDOW_SAMPLES

Floats32 = NDArray[np.float32]

BELOW_HZ = 30.0
BY_INCEPTION = ("imagenet", "seeded")
PICTURED = (*BY_INCEPTION, "pool96")
BLOCK = 20  # windows of InceptionV3's features that are kept together: half a minute of one core
LIBRARIES = ("numpy", "scipy", "mne", "torch", "torchvision")
"""Whose versions decide what features are."""


@dataclass(frozen=True, order=True)
class Source:
    """Where a model's input comes from.

    Parameters
    ----------
    name : str
        An extractor of features of pictures (``imagenet``, ``seeded``, ``pool96``), or a model that takes windows.
    control : {"none", "below-30-hz", "without-frontal-temporal"}
        What is taken away before.
    engine : {"torch", "openvino-fp32", "openvino-bf16"}
        What computes features of InceptionV3.
    variant : str
        Which spectrograms; see :mod:`models.eeg.variants`.
    """

    name: str
    control: Control = "none"
    engine: Engine = "torch"
    variant: str = variants.DEFAULT

    def __post_init__(self) -> None:
        for name, known in (("control", get_args(Control)), ("engine", ENGINES), ("variant", variants.VARIANTS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} = {getattr(self, name)!r}: one of {', '.join(known)}")

    @property
    def key(self) -> str:
        """Its name in a data set."""
        said: list[str] = [self.control] if self.control != "none" else []
        said += [self.engine] if self.engine != "torch" else []
        said += [self.variant] if self.variant != variants.DEFAULT else []
        return "@".join([self.name, *said])


def of_recording(
    found: Recording, starts_s: Sequence[float], sources: Iterable[Source], *, cache: Path | None = None
) -> dict[Source, Floats32]:
    """Return the inputs of the windows of a recording.

    Parameters
    ----------
    found : Recording
        From :func:`models.eeg.recording.load`.
    starts_s : sequence of float
        Where windows begin, seconds.
    sources : iterable of Source
        What is wanted.
    cache : Path or None
        Folder of what was computed before.

    Returns
    -------
    dict of Source to ndarray, shape (n_windows, ...)
    """
    signal = _Signal(found, tuple(starts_s))
    return {source: _cached(signal, source, cache) for source in sources}


def swing(found: Recording, starts_s: Sequence[float], *, cache: Path | None = None) -> NDArray[np.float32]:
    """Return how far each channel swings in each window, peak to peak, microvolts, 1 to 51 Hz.

    Returns
    -------
    ndarray of float32, shape (n_windows, n_channels)
        0 in channels that were not recorded.
    """
    signal = _Signal(found, tuple(starts_s))
    recorded = np.array([name not in found.interpolated for name in found.grid.channels])
    key = key_of("swing", _code(spectrogram), versions(), *signal.identity)
    arrays = cached(cache, key, lambda: {"x": np.ptp(signal.windows(), axis=2), **owner_of(found)})
    swings: NDArray[np.float32] = arrays["x"].astype(np.float32) * recorded
    return swings


def owner_of(found: Recording) -> dict[str, NDArray[np.str_]]:
    """Return whose an entry of the cache is, so that it can be withdrawn."""
    return {"participant": np.array(found.files.participant), "session": np.array(found.files.session)}


class _Signal:
    """A recording's filtered signal, computed when it is first needed."""

    def __init__(self, found: Recording, starts_s: tuple[float, ...]) -> None:
        self.found, self.starts_s = found, starts_s

    @property
    def identity(self) -> tuple[object, ...]:
        """What decides the signal, for keys of the cache."""
        return self.found.eeg, self.found.valid, self.found.line_freq, self.found.grid, self.starts_s

    @functools.cached_property
    def bands(self) -> Floats32:
        """Microvolts, shape (3, n_channels, n_times)."""
        return spectrogram.split_bands(self.found.eeg, line_freq=self.found.line_freq)

    def windows(self) -> Floats32:
        """Microvolts, all bands in one, shape (n_windows, n_channels, 600)."""
        whole = ((spectrogram.BANDS[0][0], spectrogram.BANDS[-1][1]),)
        filtered = spectrogram.split_bands(self.found.eeg, line_freq=self.found.line_freq, bands=whole)
        return np.ascontiguousarray(spectrogram.segment(filtered, self.starts_s)[:, :, 0])

    @functools.cached_property
    def scaled(self) -> Floats32:
        """Each band 0 to 1, shape (n_windows, n_channels, 3, 600)."""
        return spectrogram.segment(spectrogram.scale(self.bands, self.found.valid), self.starts_s)


def _cached(signal: _Signal, source: Source, cache: Path | None) -> Floats32:
    compute, identity = _pictured(source) if source.name in PICTURED else _prepared(source)
    key = key_of("eeg", source, versions(), *identity, *signal.identity)
    parts = [
        cached(cache, part, functools.partial(_entry, signal, compute, rows)) for part, rows in _blocks(signal, source, key)
    ]
    return np.concatenate([part["x"] for part in parts]).astype(np.float32, copy=False)


def _blocks(signal: _Signal, source: Source, key: str) -> list[tuple[str, slice]]:
    """Return keys and windows of what is computed in one go: what takes minutes is kept in parts, for a run that is killed."""
    n = len(signal.starts_s)
    if source.name not in BY_INCEPTION or n <= BLOCK:
        return [(key, slice(None))]
    return [(key_of(key, start), slice(start, start + BLOCK)) for start in range(0, n, BLOCK)]


def _entry(signal: _Signal, compute: Compute, rows: slice) -> dict[str, NDArray[Any]]:
    return {"x": compute(signal, rows), **owner_of(signal.found)}


Compute = Callable[[_Signal, slice], Floats32]


def _pictured(source: Source) -> tuple[Compute, tuple[str, ...]]:
    """Return what computes features of pictures, and what identifies it."""
    extract, identity = extractor(source.name, source.engine)
    made_by = ("models.eeg.pool96",) if source.name == "pool96" else ("models.eeg.inception", "models.eeg.engines")
    code = _code(spectrogram, variants, sys.modules[__name__], *(sys.modules[name] for name in made_by))
    below = BELOW_HZ if source.control == "below-30-hz" else None
    without = source.control == "without-frontal-temporal"

    def compute(signal: _Signal, rows: slice) -> Floats32:
        features = extract(signal.scaled[rows], below_hz=below, variant=source.variant)
        return blank(features, signal.found.grid.over_muscles()) if without else features

    return compute, (*identity, code)


@functools.cache
def extractor(kind: str, engine: Engine = "torch") -> tuple[Callable[..., Floats32], tuple[str, ...]]:
    """Return what computes features, and what identifies it; built once a process, since InceptionV3 takes seconds."""
    if kind == "pool96":
        from models.eeg import pool96

        return pool96.extract, ("pool96",)
    from models.eeg import inception

    network = inception.extractor(weights.find("inception_v3") if kind == "imagenet" else None, engine=engine)
    # another processor, and another version of a library that rearranges the network, sums in another order
    by = device().type if engine == "torch" else f"openvino {version('openvino')}"
    return network, (network.weights, network.engine, by)


def extractor_name(kind: RowFeatures) -> str:
    """Return which weights make features: the SHA-256 of a file, or the name of what is seeded; empty where nothing does."""
    if kind not in PICTURED:
        return ""
    if kind == "pool96":
        return "pool96"
    from models.eeg import inception

    return weights.named("inception_v3").sha256 if kind == "imagenet" else f"seeded-{inception.SEED}"


def _prepared(source: Source) -> tuple[Compute, tuple[str, ...]]:
    """Return what prepares windows for a model that takes them, and what identifies it."""
    model = table.named(source.name)
    prepare = model.prepare
    owner = () if prepare is None else (model.name, _code(sys.modules[prepare.__module__]))

    def compute(signal: _Signal, rows: slice) -> Floats32:
        windows = _controlled(signal.windows()[rows], source, signal.found.grid)
        return windows if prepare is None else prepare(windows)

    return compute, (_code(spectrogram, sys.modules[__name__]), *owner)


def _controlled(windows: Floats32, source: Source, grid: Grid) -> Floats32:
    if source.control == "below-30-hz":
        return low_pass(windows, BELOW_HZ)
    return blank(windows, grid.over_muscles()) if source.control == "without-frontal-temporal" else windows


def blank(values: Floats32, gone: NDArray[np.bool_]) -> Floats32:
    """Replace what muscles may reach by the mean of what they do not: the other channels of the same window.

    Parameters
    ----------
    values : ndarray, shape (n_windows, n_channels, ...)
        In the order of the scalp map.
    gone : ndarray of bool, shape (n_channels,)
        From :meth:`models.eeg.scalp_map.Grid.over_muscles`; not all of them.

    Examples
    --------
    >>> float(blank(np.arange(4, dtype=np.float32)[None], np.array([True, False, False, True]))[0, 0])
    1.5
    """
    out = values.copy()
    out[:, gone] = values[:, ~gone].mean(axis=1, keepdims=True)
    return out


def low_pass(windows: Floats32, below_hz: float) -> Floats32:
    """Remove everything from a frequency on, window by window: no slope leaves traces that a logarithm brings back."""
    from scipy.fft import irfft, rfft

    spectrum = rfft(windows, axis=-1)
    spectrum[..., round(below_hz * WINDOW_SAMPLES / SFREQ) :] = 0
    out: Floats32 = irfft(spectrum, windows.shape[-1], axis=-1).astype(np.float32)
    return out


@functools.cache
def versions() -> tuple[str, ...]:
    """Return the libraries that make features, with their versions: another one may make others."""
    return tuple(f"{name} {version(name)}" for name in LIBRARIES)


def _code(*modules: object) -> str:
    """Return a digest of source files: a changed line makes new features, nobody has to raise a number."""
    return _code_of(tuple(sorted(Path(inspect.getfile(module)) for module in modules)))  # type: ignore[arg-type]


@functools.cache
def _code_of(files: tuple[Path, ...]) -> str:
    return key_of(*files)
