"""How punctual the participant's window is: flips, markers, sound. The numbers are pure; a process of its own measures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from collector.preflight.machine import last_json

SCHEMA = 1
SECONDS = 5.0
MISSED = 1.5  # periods: an interval beyond skipped a flip
_LIMIT_S = 120.0  # opening the window, two clips


class TimingError(RuntimeError):
    """Nothing could be measured; one line."""


def measure(study: Path, *, seconds: float = SECONDS) -> dict[str, Any]:
    """Open the window in a process of its own, and return its raw measurements.

    Raises
    ------
    TimingError
        When there is no window, or it hangs.
    """
    command = [sys.executable, "-P", "-m", "protocol.window.timing", str(study), str(seconds)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_LIMIT_S, check=False, stdin=subprocess.DEVNULL
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise TimingError(f"the window gave no answer within {_LIMIT_S:.0f} s") from None
    told = last_json(done)
    if "error" in told:
        raise TimingError(f"nothing could be measured: {told['error']}")
    return told


def summary(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Turn measurements into what is written down; times in milliseconds, null where nothing was measured.

    Parameters
    ----------
    raw : mapping
        Of ``protocol.window.timing``: stamps of flips, LSL seconds; PsychoPy's own times of them; stamp and arrival of each
        marker; what became of the clips.
    """
    period_ms = 1000 * raw["refresh"]["period_s"]
    intervals = 1000 * np.diff(np.asarray(raw["flips"], np.float64))
    behind = 1000 * (np.asarray(raw["flips"]) - np.asarray(raw["psychopy"]))
    late = [1000 * (arrival - stamp) for stamp, arrival in raw["markers"]]
    clips = [clip for clip in raw["clips"] if clip["end"] == "complete"]
    return {
        "schema": SCHEMA, "size_px": raw["size_px"], "refresh_hz": raw["refresh_hz"], "vsync": raw["refresh"]["vsync"],
        "period_ms": period_ms,
        "flips": {
            "n": len(raw["flips"]), "interval_ms": spread(intervals), "missed": int((intervals > MISSED * period_ms).sum()),
        },
        "markers": {
            "n": len(late), "latency_ms": spread(late),
            # two clocks: beyond the smallest distance of all
            "stamp_after_flip_ms": spread(behind - behind.min()) if len(behind) else None,
        },
        "sound": {
            "device": raw["device"], "missing": raw["no_sound"],
            "offset_ms": spread([1000 * c["audio_offset_s"] for c in clips if c["audio_offset_s"] is not None]),
        },
        "clips": {
            "n": len(clips), "shown": sum(c["shown"] for c in clips), "dropped": sum(c["dropped"] for c in clips),
            "onset_error_ms": spread([1000 * c["onset_error_s"] for c in clips if c["onset_error_s"] is not None]),
        },
    }  # fmt: skip


def spread(values: Sequence[float] | np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> dict[str, float] | None:
    """Return median, 99th percentile and extremes; None of nothing.

    Examples
    --------
    >>> spread([1.0, 2.0, 3.0])
    {'median': 2.0, 'p99': 2.98, 'min': 1.0, 'max': 3.0}
    """
    found = np.asarray(values, np.float64)
    if not len(found):
        return None
    told = {"median": np.median(found), "p99": np.percentile(found, 99), "min": found.min(), "max": found.max()}
    return {name: round(float(value), 3) for name, value in told.items()}


def lines(told: Mapping[str, Any]) -> list[str]:
    """Say a summary to people."""
    flips, markers, sound, clips = told["flips"], told["markers"], told["sound"], told["clips"]
    pace = "the display's own" if told["vsync"] else "kept in software: this display has none"
    width, height = told["size_px"]
    return [
        f"Window {width} x {height}, {told['refresh_hz']:g} Hz asked, pace {pace}",
        f"Flips: {flips['n']}, every {_said(flips['interval_ms'])}; {flips['missed']} missed",
        f"Markers: {markers['n']} received, {_said(markers['latency_ms'])} after the flip",
        f"Stamps: {_said(markers['stamp_after_flip_ms'])} behind PsychoPy's own time of the flip, beyond the quickest",
        f"Clips: {clips['n']}, {clips['shown']} frames shown, {clips['dropped']} dropped; first frame off its flip by "
        f"{_said(clips['onset_error_ms'])}",
        f"Sound against picture ({sound['device'] or sound['missing']}): {_said(sound['offset_ms'])}",
    ]


def _said(told: Mapping[str, float] | None) -> str:
    return f"median {told['median']:.2f} ms, p99 {told['p99']:.2f} ms" if told else "not measured"
