"""Tables of measurements in a page: rows, and what they were measured on."""

import os
import platform
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Row:
    """One measurement, in words: what was measured, what came out, what was aimed at, what another program needs, how."""

    what: str
    figure: str
    target: str
    peer: str = ""
    command: str = ""


def machine() -> str:
    """Return the processor, its cores, and how busy it is at this moment."""
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    name = model[1] if model else platform.processor() or platform.machine()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{' '.join(name.split())}, {os.cpu_count()} cores{load}"


def today() -> str:
    """Return the date, ISO 8601."""
    return date.today().isoformat()


def cells(row: Iterable[str]) -> str:
    """Return one line of a table."""
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |"


def markdown(rows: Iterable[Row]) -> str:
    """Return the table of a topic; columns that no row fills are left out."""
    table = [astuple(row) for row in rows]
    names = [field.name for field in fields(Row)]
    used = [n for n in range(len(names)) if n < 2 or any(row[n] for row in table)]
    lines = [[names[n] for n in used], ["---"] * len(used), *([row[n] for n in used] for row in table)]
    return "\n".join(cells(line) for line in lines)


def between(text: str, topic: str, new: str) -> str:
    """Replace what stands between the markers of a topic; a page without them gets a section at its end."""
    start, stop = f"<!-- bench:{topic} -->", f"<!-- /bench:{topic} -->"
    block = f"{start}\n{new}\n{stop}"
    if start not in text or stop not in text:
        return f"{text.rstrip()}\n\n## {topic.replace('_', ' ').capitalize()}\n\n{block}\n"
    return text[: text.index(start)] + block + text[text.index(stop) + len(stop) :]
