"""TSV, JSON and gzip as BIDS wants them: n/a for what is unknown, the same bytes for the same content."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bids_export.recording import RecordingError

NA = "n/a"


def cell(value: object, *, decimals: int = 6) -> str:
    r"""Return how a value stands in a table.

    Examples
    --------
    >>> [cell(v) for v in (None, True, 3, 0.5, float("nan"), "a\tb")]
    ['n/a', 'yes', '3', '0.5', 'n/a', 'a b']
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NA
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return " ".join(str(value).split()) or NA


def write_tsv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a table with a header; a missing value is n/a."""
    lines = ["\t".join(columns), *("\t".join(cell(row.get(name)) for name in columns) for row in rows)]
    write_text(path, "\n".join(lines) + "\n")


def read_tsv(path: Path) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    """Read a table: its columns, and its rows as texts. BIDS knows no quotes: a cell may begin with one.

    Raises
    ------
    RecordingError
        When a row has more or fewer cells than the header.
    """
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8-sig").split("\n")]
    columns, rows = tuple(lines[0]), []
    for n, cells in enumerate(lines[1:], 2):
        if cells in ([""], []):
            continue
        if len(cells) != len(columns):
            raise RecordingError(f"{path}, line {n}: {len(cells)} cells, but the header has {len(columns)}; mend the line")
        rows.append({name: value or NA for name, value in zip(columns, cells, strict=True)})
    return columns, rows


def write_text(path: Path, text: str) -> None:
    """Write a text as it is, on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


def write_tsv_gz(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write a table without a header, compressed; neither time nor name enters the file."""
    text = "".join("\t".join(map(cell, row)) + "\n" for row in rows)
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as file:
        file.write(text.encode("utf-8"))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a sidecar."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a sidecar."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not known: a key that is absent invents nothing.

    Examples
    --------
    >>> known({"Manufacturer": None, "SamplingFrequency": 256.0, "Notes": ""})
    {'SamplingFrequency': 256.0}
    """
    return {key: value for key, value in values.items() if value is not None and value != "" and value != {}}
