"""Blinks on cue, as the EEG saw them: how many cues were answered, and what the answers look like. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bids_export import sync_events
from bids_export.arrays import Floats
from bids_export.report.facts import Point, Signals
from bids_export.sync_signals import EEG_S, FRONTAL, N_FRONTAL, phases
from collector import contact
from collector.contact import Found

AROUND_S = (-0.5, 1.5)  # of a cue that is drawn; cues come at least 1.5 s apart
ANSWER_S = (-0.1, 1.4)  # a blink in here answers a cue: hands and lids take 0.2 to 0.6 s, headsets come late


@dataclass(frozen=True)
class Cued:
    """Cues and their answers.

    Parameters
    ----------
    channels : tuple of str
        Whose mean it is.
    times : ndarray, shape (n_times,)
        Seconds from the cue.
    uv : ndarray, shape (n_cues, n_times)
        Microvolts from the level before each cue; NaN outside of the recording.
    answers_s : ndarray, shape (n_cues,)
        From the cue to the middle of the blink; NaN where there was none.
    """

    channels: tuple[str, ...]
    times: Floats
    uv: Floats
    answers_s: Floats


def frontal(labels: Sequence[str], positions: Mapping[str, Point]) -> list[int]:
    """Return the channels next to the eyes: by their names, else the most frontal ones."""
    named = [n for n, label in enumerate(labels) if label in FRONTAL]
    if named:
        return sorted(named, key=lambda n: FRONTAL.index(labels[n]))[:N_FRONTAL]
    placed = sorted(((positions[label][1], n) for n, label in enumerate(labels) if label in positions), reverse=True)
    return [n for y, n in placed[:N_FRONTAL] if y > 0]


def blinks(eeg: Signals, cues: Floats) -> Cued | None:
    """Look for a blink after each cue.

    Parameters
    ----------
    eeg : Signals
        Of a recording.
    cues : ndarray, shape (n_cues,)
        Onsets, seconds.

    Returns
    -------
    Cued or None
        None without cues, or without a channel near the eyes.
    """
    usable = [n for n, label in enumerate(eeg.labels) if label in eeg.analysed and np.isfinite(eeg.volts[n]).all()]
    picks = [usable[n] for n in frontal([eeg.labels[n] for n in usable], eeg.positions)]
    if not len(cues) or not picks:
        return None
    found: list[Floats] = []
    for start, stop in phases(cues):
        a = max(0, round((start + EEG_S[0]) * eeg.sfreq))
        b = min(eeg.volts.shape[1], round((stop + EEG_S[1]) * eeg.sfreq))
        if b > a:
            line = contact.frontal_line(eeg.volts[picks, a:b] * 1e6, eeg.sfreq) * 1e-6
            found.append(sync_events.blinks(np.arange(a, b) / eeg.sfreq, line, eeg.sfreq))
    seen = np.concatenate(found) if found else np.zeros(0)
    late = [seen[(seen - cue > ANSWER_S[0]) & (seen - cue < ANSWER_S[1])] - cue for cue in cues.tolist()]
    times = np.arange(round(AROUND_S[0] * eeg.sfreq), round(AROUND_S[1] * eeg.sfreq)) / eeg.sfreq
    return Cued(
        tuple(eeg.labels[n] for n in picks), times, np.array([_around(eeg, picks, cue, times) for cue in cues.tolist()]),
        np.array([float(answers[0]) if len(answers) else np.nan for answers in late]),
    )  # fmt: skip


def worn(eeg: Signals, cues: Floats) -> Found | None:
    """Tell whether somebody wore the cap, by the rule of the check before the first clip.

    Cues are shown several times in a session: blinks that are there once are enough. None without cues.
    """
    volts = eeg.volts.copy()
    for gap in eeg.filled:
        volts[:, gap.first : gap.first + gap.n] = np.nan
    picks = [n for n, label in enumerate(eeg.labels) if label in eeg.analysed]
    measured = contact.Eeg(tuple(eeg.labels[n] for n in picks), volts[picks] * 1e6, eeg.sfreq)
    found = [contact.check(measured, phase) for phase in contact.phases(cues.tolist())]
    return min(found, key=lambda one: ("ok", "no_blinks", "not_checked").index(one.state), default=None)


def _around(eeg: Signals, picks: Sequence[int], cue: float, times: Floats) -> Floats:
    index = round(cue * eeg.sfreq) + np.round(times * eeg.sfreq).astype(int)
    inside = (index >= 0) & (index < eeg.volts.shape[1])
    uv = np.full(len(times), np.nan)
    uv[inside] = eeg.volts[np.ix_(picks, index[inside])].mean(axis=0) * 1e6
    before = uv[times < 0]
    level = float(np.nanmedian(before)) if np.isfinite(before).any() else 0.0
    return uv - level
