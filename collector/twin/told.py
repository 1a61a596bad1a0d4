"""What the simulated laboratory is told: on the command line, in the environment, in a file of faults."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from collector.twin.knobs import LIVE, Faults, Knobs
from collector.twin.mishaps import Mishap

KNOBS_VARIABLE = "EMOLAB_TWIN_KNOBS"  # as --knob, with spaces between
FAULTS_VARIABLE = "EMOLAB_TWIN_FAULTS"  # a file
_NAMES = {"eeg_emotions", "face_emotions"}


class ToldError(ValueError):
    """A knob or a file of faults cannot be used; one line with place, key, value and cure."""


def knobs(texts: Iterable[str], *, base: Knobs | None = None, where: str = "--knob") -> Knobs:
    """Turn ``name=value`` into knobs.

    Parameters
    ----------
    texts : iterable of str
        Such as ``trial=1`` or ``eeg_emotions=sadness,fear`` (empty: none of them).
    base : Knobs, optional
        What the others are.
    where : str
        For the message.

    Raises
    ------
    ToldError
        For an unknown name or a wrong value.

    Examples
    --------
    >>> knobs(["trial=1", "eeg_emotions=sadness"]).eeg_emotions
    ('sadness',)
    """
    known, made = {f.name for f in fields(Knobs)}, base or Knobs()
    for text in texts:
        name, _, value = text.partition("=")
        if name not in known:
            raise ToldError(f"{where} {text}: unknown; one of {', '.join(sorted(known))}")
        try:
            parsed: Any = tuple(filter(None, value.split(","))) if name in _NAMES else float(value)
            made = replace(made, **{name: parsed})
        except ValueError as error:
            what = str(error) if " = " in str(error) else f"{name} = {value!r}: give a number, as in {name}=1"
            raise ToldError(f"{where} {what}") from None
    return made


def faults(path: Path) -> Faults:
    """Read a file of faults.

    Raises
    ------
    ToldError
        When it is not one.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ToldError(f"{path}: {error.strerror}; name a TOML file of faults") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ToldError(f"{path}: is not TOML: {error}") from None
    at = raw.pop("at", [])
    if not isinstance(at, list) or "mishaps" in raw:
        raise ToldError(f"{path}: at: write one table [[at]] for each mishap")
    made = [_made(Mishap, table, f"{path}: [[at]] {n}: ") for n, table in enumerate(at, 1)]
    checked: Faults = replace(_made(Faults, raw, f"{path}: "), mishaps=tuple(made))
    return checked


def offline_faults(path: Path) -> Faults:
    """Read a file of faults for a cohort, which no program sends.

    Raises
    ------
    ToldError
        When it is not one, or names what can go wrong live alone.
    """
    made = faults(path)
    for name in LIVE:
        if value := getattr(made, name):
            raise ToldError(f"{path}: {name} = {value!r}: goes wrong live alone; leave it out, or use: emo-twin live")
    return made


def from_environment(*, effect: float) -> tuple[Knobs, Faults]:
    """Return knobs and faults as the environment names them, for the processes of a live session.

    Parameters
    ----------
    effect : float
        As the launcher says; a knob of that name goes before it.

    Raises
    ------
    ToldError
        When they cannot be used.
    """
    told = os.environ.get(KNOBS_VARIABLE, "").split()
    path = os.environ.get(FAULTS_VARIABLE)
    return knobs(told, base=Knobs(effect=effect), where=f"{KNOBS_VARIABLE}:"), faults(Path(path)) if path else Faults()


def _made(kind: Any, table: Mapping[str, Any], where: str) -> Any:
    known = [f.name for f in fields(kind) if f.name != "mishaps"]
    for key in table:
        if key not in known:
            raise ToldError(f"{where}{key}: unknown; one of {', '.join(known)}")
    try:
        return TypeAdapter(kind).validate_python(dict(table))
    except ValidationError as error:
        first = error.errors()[0]
        key, message = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
        if first["type"] == "missing":
            message = f"{key}: is missing"
        elif first["type"] != "value_error":
            message = f"{key} = {first['input']!r}: {message.lower()}"
        raise ToldError(where + message) from None
