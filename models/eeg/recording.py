"""One recording's EEG: the channels of the scalp map in microvolts at 200 Hz, gaps bridged, missing ones interpolated."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bids import BidsError, RecordingFiles, one_line, read_json, read_table
from models.eeg import montage
from models.eeg.montage import Place
from models.eeg.scalp_map import PAPER, Grid
from models.windows import SFREQ, Events, Rules, Where, read_events

log = logging.getLogger(__name__)


class TooFewError(BidsError):
    """Fewer than half of a map's electrodes are good; ``events`` and ``sha256`` are those of the recording."""

    events: Events
    sha256: str
    good: str


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One recording, ready for the spectrograms.

    ``eeg`` is microvolts at 200 Hz, float32, shape (n_channels, n_times), in the order of the ``grid``, which is the paper's 28
    or another; ``valid`` says per sample whether it was really recorded; ``interpolated`` names channels that were not, by no
    electrode near to their site. ``sha256`` is that of the samples of all EEG electrodes as they are stored, whatever other
    files say of them.
    """

    files: RecordingFiles
    events: Events
    eeg: NDArray[np.float32]
    valid: NDArray[np.bool_]
    line_freq: float | None
    interpolated: tuple[str, ...]
    grid: Grid = PAPER
    sha256: str = ""


def load(files: RecordingFiles, *, where: Where = "all", rules: Rules | None = None, grid: Grid = PAPER) -> Recording:
    """Read one recording.

    Channels of the map that are absent, marked bad in ``channels.tsv``, flat or not finite are interpolated by splines
    from all good EEG channels, and named. Electrodes with other names (a net of 128, say) are placed by ``electrodes.tsv``.
    Lost stretches are bridged by a line, so that the filters do not ring beside them.

    Parameters
    ----------
    files : RecordingFiles
        The recording.
    where : {"all", "central"}
        Which windows of a clip, as in :func:`models.windows.spans`.
    rules : Rules, optional
        Which are left out; artefacts are not looked for here.
    grid : Grid
        The map.

    Raises
    ------
    BidsError
        When a file cannot be read.
    TooFewError
        When fewer than half of the channels of the map are good.
    """
    import mne

    try:
        raw = mne.io.read_raw(files.eeg, preload=True, verbose="ERROR")
    except (OSError, ValueError, RuntimeError) as error:
        raise BidsError(f"{files.eeg}: cannot be read ({one_line(error)}); export the recording again") from None
    sfreq = float(raw.info["sfreq"])
    events = read_events(files, where=where, rules=rules, stop_s=raw.n_times / sfreq)
    names, digest = _good_names(files, raw.ch_names, grid), _digest(raw, _electrodes(files, raw.ch_names))
    volts = raw.get_data(picks=names) if names else np.empty((0, raw.n_times))
    data, valid = bridge(volts * 1e6, events.gaps, sfreq)
    alive = [index for index, row in enumerate(data) if np.isfinite(row).all() and np.ptp(row) > 0]
    try:
        data, interpolated = _on_grid(data[alive], [names[index] for index in alive], sfreq, files, grid)
    except TooFewError as error:
        error.events, error.sha256 = events, digest
        raise
    eeg, valid = resample(data, valid, sfreq)
    return Recording(
        files=files, events=events, eeg=eeg, valid=valid, line_freq=_line_freq(files), interpolated=interpolated,
        grid=grid, sha256=digest,
    )  # fmt: skip


def _digest(raw: Any, names: Sequence[str]) -> str:
    """Return the SHA-256 over the names and samples of channels, in the order of their names."""
    total = hashlib.sha256()
    for name in sorted(names):
        total.update(name.encode())
        total.update(raw.get_data(picks=[name]).astype(np.float32).tobytes())
    return total.hexdigest()


def bridge(
    eeg: NDArray[np.float64], gaps: Sequence[tuple[float, float]], sfreq: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Draw a line through samples that were not recorded.

    Parameters
    ----------
    eeg : ndarray, shape (n_channels, n_times)
        Samples; those inside gaps hold anything.
    gaps : sequence of (float, float)
        Start and end, seconds.
    sfreq : float
        Hz.

    Returns
    -------
    eeg : ndarray, shape (n_channels, n_times)
        The same with straight lines across the gaps.
    valid : ndarray of bool, shape (n_times,)
        False inside gaps.
    """
    valid = np.ones(eeg.shape[1], bool)
    for start, stop in gaps:
        valid[max(0, int(np.floor(start * sfreq))) : int(np.ceil(stop * sfreq)) + 1] = False
    if valid.all() or not valid.any():
        return eeg, valid
    known, lost = np.flatnonzero(valid), np.flatnonzero(~valid)
    out = eeg.copy()
    for row in out:
        row[lost] = np.interp(lost, known, row[known])
    return out, valid


def resample(eeg: NDArray[np.float64], valid: NDArray[np.bool_], sfreq: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Bring samples of any rate to 200 Hz, the mean of each channel removed; sample 0 stays at time 0."""
    from scipy.signal import resample_poly

    ratio = Fraction(SFREQ / sfreq).limit_denominator(1000)
    centred = eeg - eeg.mean(axis=1, keepdims=True)
    out = centred if ratio == 1 else resample_poly(centred, ratio.numerator, ratio.denominator, axis=1)
    index = np.minimum(np.round(np.arange(out.shape[1]) / SFREQ * sfreq).astype(int), len(valid) - 1)
    return out.astype(np.float32), valid[index]


def _good_names(files: RecordingFiles, recorded: Sequence[str], grid: Grid) -> list[str]:
    """Return the names of the EEG channels that are to be analysed."""
    path = files.sibling("_channels.tsv")
    if not path.is_file():
        return [name for name in recorded if name in grid.channels]
    return _listed(path, recorded, {row["name"] for row in read_table(path, "name") if row.get("status", "good") != "bad"})


def _electrodes(files: RecordingFiles, recorded: Sequence[str]) -> list[str]:
    """Return the names of all EEG channels, good or bad."""
    path = files.sibling("_channels.tsv")
    return _listed(path, recorded, set(recorded)) if path.is_file() else list(recorded)


def _listed(path: Path, recorded: Sequence[str], wanted: set[str]) -> list[str]:
    """Return the wanted of the recorded channels that a table calls EEG, in its order."""
    names = [row["name"] for row in read_table(path, "name", "type") if row["type"].upper() == "EEG"]
    return [name for name in names if name in wanted and name in recorded]


def _on_grid(
    data: NDArray[np.float64], names: Sequence[str], sfreq: float, files: RecordingFiles, grid: Grid
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the map's channels in its order, and the names of those that no electrode near to their site has recorded."""
    absent = [name for name in grid.channels if name not in names]
    places = montage.sites(files, names, grid) if absent else {}
    far = tuple(name for name in absent if not montage.is_near(name, places, grid))
    if (n_good := len(grid.channels) - len(far)) < montage.n_needed(grid):
        good = f"{n_good} of the map's {len(grid.channels)} channels are good, {montage.n_needed(grid)} are needed"
        few = TooFewError(
            f"{files.sibling('_channels.tsv')}: status: {good}; leave the participant out with included = no in "
            f"participants.tsv{', or train with --montage own' if grid == PAPER else ''}"
        )
        few.good = good
        raise few
    if absent:
        log.info("%s: interpolated %s", files.stem, ", ".join(absent))
        data, names = _interpolate(data, names, absent, sfreq, places)
    return data[[list(names).index(name) for name in grid.channels]], far


def _interpolate(
    data: NDArray[np.float64], names: Sequence[str], missing: Sequence[str], sfreq: float, places: dict[str, Place]
) -> tuple[NDArray[np.float64], list[str]]:
    import mne

    placed = [index for index, name in enumerate(names) if name in places]
    order = [names[index] for index in placed] + list(missing)
    samples = np.vstack([data[placed], np.zeros((len(missing), data.shape[1]))])
    raw = mne.io.RawArray(samples, mne.create_info(order, sfreq, "eeg", verbose="ERROR"), verbose="ERROR")
    montage = mne.channels.make_dig_montage({name: places[name] for name in order}, coord_frame="head")
    raw.set_montage(montage, verbose="ERROR")
    raw.info["bads"] = list(missing)
    raw.interpolate_bads(origin=(0.0, 0.0, 0.0), verbose="ERROR")
    return raw.get_data(), order


def _line_freq(files: RecordingFiles) -> float | None:
    path = files.sibling("_eeg.json")
    value = read_json(path).get("PowerLineFrequency")
    if value in (None, "n/a"):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < SFREQ / 2:
        raise BidsError(
            f"{path}: PowerLineFrequency = {value!r}: is no frequency of the mains below {SFREQ / 2:g} Hz; "
            "write 50 or 60, or n/a where it is not known"
        )
    return float(value)
