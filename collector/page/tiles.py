"""A tile for every stream: how fast it comes, how old its last sample is, how much was lost. Pure."""

from __future__ import annotations

from typing import Any, Literal

from collector.page.words import WORDS, number
from protocol.messages import CameraStatus, Status, StreamStatus
from protocol.words_types import Language

STALE_S = 2.0  # a stream is silent after this, or after three of its samples
OFF_FRAC = 0.05  # a rate that is off by more is looked at
SLOW_FPS = 0.75  # share of the camera's rate below which the preflight blocks, too
LOSSES = (0.01, 0.10)  # share of lost samples that is looked at, and that is bad
PREFIXES = ("EmotivDataStream-", "emolab-")  # say nothing to who sees nothing else

Health = Literal["good", "look", "bad", "quiet"]


def tiles(status: Status, language: Language, *, since_s: float) -> list[dict[str, Any]]:
    """Return the tiles of all streams, and of the camera; ``since_s`` is the age of the status itself."""
    shown = [_stream(stream, language, since_s) for stream in status.streams]
    return shown + ([_camera(status.camera, language, since_s)] if status.camera else [])


def health(stream: StreamStatus, age_s: float | None) -> Health:
    """Return how a stream is; one without a rate (markers) may be quiet for long."""
    sfreq = stream.sfreq_nominal_hz
    if not sfreq:
        return "quiet" if age_s is None or age_s > STALE_S else "good"
    if age_s is None or age_s > max(STALE_S, 3 / sfreq) or lost_frac(stream) > LOSSES[1]:
        return "bad"
    slow = stream.n > 5 * sfreq and abs(stream.sfreq_hz / sfreq - 1) > OFF_FRAC  # the first seconds tell no rate
    return "look" if slow or lost_frac(stream) > LOSSES[0] else "good"


def lost_frac(stream: StreamStatus) -> float:
    """Return the share of samples that never arrived; 0 where nobody counts them."""
    lost = stream.n_lost or 0
    return lost / (stream.n + lost) if lost else 0.0


def short(name: str) -> str:
    """Return a stream's name without what all of them begin with."""
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _stream(stream: StreamStatus, language: Language, since_s: float) -> dict[str, Any]:
    words = WORDS[language]
    age = stream.age_s + since_s if stream.age_s is not None else None
    if stream.sfreq_nominal_hz:
        rate = words["tile_rate"].format(rate=number(stream.sfreq_hz, language, digits=0 if stream.sfreq_hz >= 10 else 1))
    else:
        rate = words["tile_events"].format(n=number(stream.n, language))
    lost = number(100 * lost_frac(stream), language, digits=1)
    return {
        "name": short(stream.name),
        "health": health(stream, age),
        "rate": rate,
        "age": _age(age, language),
        "lost": words["tile_lost"].format(lost=lost) if stream.n_lost is not None else "",
    }


def _age(age_s: float | None, language: Language) -> str:
    if age_s is None:
        return WORDS[language]["tile_never"]
    return WORDS[language]["tile_age"].format(age=int(age_s))


def camera_health(camera: CameraStatus, age_s: float | None) -> Health:
    """Return how the camera is: silent, slower than the study asks for, or well."""
    if camera.fps_hz <= 1 or (age_s is not None and age_s > STALE_S):
        return "bad"
    wanted = camera.fps_nominal_hz
    return "look" if wanted is not None and camera.fps_hz < SLOW_FPS * wanted else "good"


def _camera(camera: CameraStatus, language: Language, since_s: float) -> dict[str, Any]:
    words = WORDS[language]
    age = camera.age_s + since_s if camera.age_s is not None else None
    return {
        "name": words["tile_camera"],
        "health": camera_health(camera, age),
        "rate": words["tile_fps"].format(fps=number(camera.fps_hz, language)),
        "age": _age(age, language),
        "lost": words["tile_dropped"].format(n=number(camera.n_dropped, language)),
    }
