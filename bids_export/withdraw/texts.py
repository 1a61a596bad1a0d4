"""A label of the usual length, such as ``07``, in JSON, tables and arrays: by the key or the column that it stands under.

In plain bytes two digits say nothing. Where a text says what its values are, they do.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from bids_export.withdraw import of_study

_PEOPLE = re.compile(r"participant|subject|people|person|proband|replaces|^(sub|who|id|label)$", re.IGNORECASE)
_OTHERS = re.compile(
    r"ses|run|task|trial|block|begun|acq|split|fold|index|version|date|time|number|count|chan|sensor|electrode|level|age|name",
    re.IGNORECASE,
)
_RARE = re.compile(r"[A-Za-z]*0\d+")  # 07, S01: no number is written like that, and no electrode is called so
_ARRAY = b"\x93NUMPY"


def names(text: bytes, label: str, *, is_table: bool = False) -> bool:
    r"""Tell whether a whole text names a participant by the bare label.

    Parameters
    ----------
    text : bytes
        JSON, JSON lines, an array of numpy's, or a table.
    label : str
        The participant.
    is_table : bool
        Whether it is a table.

    Examples
    --------
    >>> names(b'{"by_participant": {"07": 0.9}}', "07"), names(b'{"session": "07", "n": 7}', "07")
    (True, False)
    >>> names(b"participant_id,age\n7,30\n", "7", is_table=True), names(b"trial,age\n7,30\n", "7", is_table=True)
    (True, False)
    """
    if text.startswith(_ARRAY):
        return _in_array(text, label)
    if label.encode() not in text:
        return False
    if is_table:
        return _in_table(text.decode("utf-8-sig", "replace"), label)
    if b"consent_of" in text and of_study.names(text.decode("utf-8", "replace"), label):
        return True
    return any(_in_json(value, label, "") for value in _values(text))


def _says(key: str, label: str) -> bool:
    """Tell whether a value under a key, or in a column, is a participant where it reads like the label."""
    return bool(_PEOPLE.search(key)) or (bool(_RARE.fullmatch(label)) and not _OTHERS.search(key))


def _values(text: bytes) -> Iterator[Any]:
    if text.lstrip()[:1] not in (b"{", b"["):
        return
    try:
        yield json.loads(text)
    except ValueError:
        for line in text.splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue  # the last line of a journal may be torn


def _in_json(value: object, label: str, key: str) -> bool:
    if isinstance(value, dict):
        return any((name == label and _says(key, label)) or _in_json(part, label, name) for name, part in value.items())
    if isinstance(value, list):
        return any(_in_json(part, label, key) for part in value)
    return value == label and _says(key, label)


def _in_table(text: str, label: str) -> bool:
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter=max("\t,;", key=first.count))
    try:
        columns = next(rows, [])
        asked = [n for n, name in enumerate(columns) if _says(name.strip(), label)]
        return any(row[n].strip() == label for row in (columns, *rows) for n in asked if n < len(row))
    except csv.Error:
        return False  # no table after all


def _in_array(data: bytes, label: str) -> bool:
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError):
        return False
    if array.dtype.kind not in "US":
        return False
    return bool((array == (label if array.dtype.kind == "U" else label.encode())).any())
