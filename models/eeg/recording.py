"""One recording's EEG: the 28 channels of the scalp map in microvolts at 200 Hz, gaps bridged, missing ones interpolated."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from models.bids import BidsError, RecordingFiles, one_line, read_json, read_table
from models.eeg import scalp_map
from models.windows import SFREQ, Events, Rules, Where, read_events

log = logging.getLogger(__name__)

MIN_CHANNELS = len(scalp_map.CHANNELS) // 2  # with fewer real electrodes most of the scalp map would be made up
MONTAGE = "colin27_1020"


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One recording, ready for the spectrograms.

    ``eeg`` is microvolts at 200 Hz, float32, shape (28, n_times), in the order of :data:`models.eeg.scalp_map.CHANNELS`;
    ``valid`` says per sample whether it was really recorded; ``interpolated`` names channels that were not.
    """

    files: RecordingFiles
    events: Events
    eeg: NDArray[np.float32]
    valid: NDArray[np.bool_]
    line_freq: float | None
    interpolated: tuple[str, ...]


def load(files: RecordingFiles, *, where: Where = "all", rules: Rules | None = None) -> Recording:
    """Read one recording.

    Channels of the map that are absent, marked bad in ``channels.tsv``, flat or not finite are interpolated by splines
    from all good EEG channels, and named. Lost stretches are bridged by a line, so that the filters do not ring beside them.

    Parameters
    ----------
    files : RecordingFiles
        The recording.
    where : {"all", "central"}
        Which windows of a clip, as in :func:`models.windows.spans`.
    rules : Rules, optional
        Which are left out; artefacts are not looked for here.

    Raises
    ------
    BidsError
        When a file cannot be read, or fewer than 14 channels of the map are good.
    """
    import mne

    try:
        raw = mne.io.read_raw(files.eeg, preload=True, verbose="ERROR")
    except (OSError, ValueError, RuntimeError) as error:
        raise BidsError(f"{files.eeg}: cannot be read ({one_line(error)}); export the recording again") from None
    sfreq = float(raw.info["sfreq"])
    events = read_events(files, where=where, rules=rules, stop_s=raw.n_times / sfreq)
    names = _good_names(files, raw.ch_names)
    data, valid = bridge(raw.get_data(picks=names) * 1e6, events.gaps, sfreq)
    alive = [index for index, row in enumerate(data) if np.isfinite(row).all() and np.ptp(row) > 0]
    data, interpolated = _on_grid(data[alive], [names[index] for index in alive], sfreq, files)
    eeg, valid = resample(data, valid, sfreq)
    return Recording(
        files=files, events=events, eeg=eeg, valid=valid, line_freq=_line_freq(files), interpolated=interpolated
    )  # fmt: skip


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


def _good_names(files: RecordingFiles, recorded: Sequence[str]) -> list[str]:
    """Return the names of the EEG channels that are to be analysed."""
    path = files.sibling("_channels.tsv")
    if not path.is_file():
        return [name for name in recorded if name in scalp_map.CELLS]
    rows = read_table(path, "name", "type")
    good = [row["name"] for row in rows if row["type"].upper() == "EEG" and row.get("status", "good") != "bad"]
    return [name for name in good if name in recorded]


def _on_grid(
    data: NDArray[np.float64], names: Sequence[str], sfreq: float, files: RecordingFiles
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the map's 28 channels in its order, and the names of those that had to be interpolated."""
    missing = tuple(name for name in scalp_map.CHANNELS if name not in names)
    if (n_good := len(scalp_map.CHANNELS) - len(missing)) < MIN_CHANNELS:
        raise BidsError(
            f"{files.sibling('_channels.tsv')}: status: {n_good} of the map's {len(scalp_map.CHANNELS)} channels are good, "
            f"{MIN_CHANNELS} are needed; leave the participant out with included = no in participants.tsv"
        )
    if missing:
        log.warning("%s: interpolated %s", files.stem, ", ".join(missing))
        data, names = _interpolate(data, names, missing, sfreq)
    return data[[list(names).index(name) for name in scalp_map.CHANNELS]], missing


def _interpolate(
    data: NDArray[np.float64], names: Sequence[str], missing: Sequence[str], sfreq: float
) -> tuple[NDArray[np.float64], list[str]]:
    import mne

    montage = mne.channels.make_standard_montage(MONTAGE)
    placed = [index for index, name in enumerate(names) if name in montage.ch_names]
    order = [names[index] for index in placed] + list(missing)
    samples = np.vstack([data[placed], np.zeros((len(missing), data.shape[1]))])
    raw = mne.io.RawArray(samples, mne.create_info(order, sfreq, "eeg", verbose="ERROR"), verbose="ERROR")
    raw.set_montage(montage, verbose="ERROR")
    raw.info["bads"] = list(missing)
    raw.interpolate_bads(verbose="ERROR")
    return raw.get_data(), order


def _line_freq(files: RecordingFiles) -> float | None:
    value = read_json(files.sibling("_eeg.json")).get("PowerLineFrequency")
    return float(value) if isinstance(value, int | float) else None
