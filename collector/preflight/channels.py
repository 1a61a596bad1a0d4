"""Judges the EEG's channels: names, units, numbers, the device's counter and what it filled in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from collector.losses import Turns
from collector.preflight.found import Found
from collector.preflight.tap import Floats, Heard
from protocol.study import Study

NO_NUMBER = 0.1  # share of a channel's samples that are no numbers
FLAT = 0.1  # share of sensors that stand still: more than a sensor or two that somebody still puts on
FROZEN_S = 0.5  # for so long a counter that counts repeats nothing
FILLED, FILLED_SOME = 0.10, 0.02  # share of samples that the device filled in
SMALLEST_UV, LARGEST_UV = 0.01, 50_000.0  # amplitude: an amplifier's own noise; saturated, with the mains on top
_VOLTS, _MICROVOLTS = ("v", "volt", "volts"), ("uv", "µv", "μv", "microvolt", "microvolts")
_EMOTIV = "Emotiv"
_SHOWN = 8  # labels that a line names


def judge(one: Heard, study: Study, *, montage: frozenset[str]) -> list[Found]:
    """Judge the EEG.

    Parameters
    ----------
    one : Heard
        Some seconds of it.
    study : Study
        Names channels, counter and units.
    montage : frozenset of str
        The labels that the study's montage knows.
    """
    labels, name = one.header.labels, one.header.name
    columns = analysed(labels, study, montage=montage)
    found = [*_names(labels, name, study, columns), *counter(one, study), *_filled(one, study)]
    if columns and one.n > 1:
        found += _numbers(one, study, columns)
    return found


def analysed(labels: Sequence[str], study: Study, *, montage: frozenset[str]) -> list[int]:
    """Return the columns that the analysis uses: those that the study names, else all that its montage knows."""
    wanted = study.eeg.channels or tuple(label for label in labels if label in montage)
    return [labels.index(label) for label in wanted if label in labels and label not in study.eeg.exclude]


@cache
def known(montage: str) -> frozenset[str]:
    """Return the labels that a montage of MNE-Python knows.

    Raises
    ------
    ValueError
        When there is none of that name.
    """
    import mne

    return frozenset(mne.channels.make_standard_montage(montage).ch_names)


def _names(labels: Sequence[str], name: str, study: Study, columns: Sequence[int]) -> list[Found]:
    lacking = [label for label in study.eeg.channels if label not in labels]
    if lacking:
        return [Found("eeg/labels", {"name": name, "n": len(lacking), "labels": some(lacking)})]
    if not columns:
        return [Found("eeg/unlabelled", {"name": name, "montage": study.eeg.montage, "labels": some(labels)})]
    return []


def counter(one: Heard, study: Study) -> list[Found]:
    """Judge the sample counter; one that only the default names may be missing from other makers' devices."""
    label, name = study.eeg.counter, one.header.name
    if label is None:
        return []
    if label not in one.header.labels:
        asked = "counter" in study.eeg.model_fields_set or name.startswith(_EMOTIV)
        return [Found("counter/missing" if asked else "counter/none", {"name": name, "label": label})]
    column = one.values[:, one.header.labels.index(label)]
    values = {"name": name, "label": label, "value": f"{column[-1]:g}" if one.n else "-"}
    if one.n < 2:
        return []
    same = int((column == column[-1])[::-1].argmin()) or one.n  # how many samples have the last value by now
    if same >= min(one.n, max(2, FROZEN_S * one.header.sfreq)) and (column[-same:] == column[-1]).all():
        return [Found("counter/frozen", values)]
    turns = Turns()
    turns.take(column, np.arange(one.n, dtype=np.float64), trust=float(one.n))
    return [] if turns.modulus is not None else [Found("counter/odd", values)]


def _filled(one: Heard, study: Study) -> list[Found]:
    label = study.eeg.interpolated
    if label not in one.header.labels or not one.n:
        return []
    share = float((np.nan_to_num(one.values[:, one.header.labels.index(label)]) != 0).mean())
    if share <= FILLED_SOME:
        return []
    values = {"name": one.header.name, "percent": f"{100 * share:.0f}"}
    return [Found("eeg/filled" if share > FILLED else "eeg/filled_some", values)]


def _numbers(one: Heard, study: Study, columns: Sequence[int]) -> list[Found]:
    labels, name = [one.header.labels[n] for n in columns], one.header.name
    values = one.values[:, list(columns)]
    known = np.isfinite(values)
    no_number = (~known).mean(axis=0) > NO_NUMBER
    if no_number.any():
        return [Found("eeg/nan", {"name": name, "labels": some(_where(labels, no_number))})]
    filled = np.where(known, values, np.nanmedian(np.where(known, values, np.nan), axis=0))
    still = np.ptp(filled, axis=0) == 0
    found = []
    if still.any():
        n, of = int(still.sum()), len(labels)
        told = {"name": name, "n": n, "of": of, "labels": some(_where(labels, still))}
        found.append(Found("eeg/flat" if n > FLAT * of else "eeg/flat_few", told))
    return found if still.all() else [*found, *_units(one, study, filled[:, ~still])]


def _units(one: Heard, study: Study, values: Floats) -> list[Found]:
    """Judge whether numbers in the study's units can be EEG, and whether the stream says the same of them."""
    amplitude = float(np.median(np.std(values - values.mean(axis=0), axis=0))) * (1e6 if study.eeg.units == "V" else 1.0)
    said = {unit.lower(): unit for unit in one.header.units}
    other = [said[unit] for unit in (_MICROVOLTS if study.eeg.units == "V" else _VOLTS) if unit in said]
    if SMALLEST_UV <= amplitude <= LARGEST_UV and not other:
        return []
    told = {
        "name": one.header.name, "units": study.eeg.units, "amplitude": f"{amplitude:.3g}", "said": other[0] if other else "-",
    }  # fmt: skip
    return [Found("eeg/units", told)]


def _where(labels: Sequence[str], mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> list[str]:
    return [label for label, hit in zip(labels, mask, strict=True) if hit]


def some(labels: Sequence[str]) -> str:
    """Name the first few labels, and how many more there are.

    Examples
    --------
    >>> some(["Fz", "Cz"])
    'Fz, Cz'
    """
    more = f" (+ {len(labels) - _SHOWN})" if len(labels) > _SHOWN else ""
    return (", ".join(labels[:_SHOWN]) or "-") + more
