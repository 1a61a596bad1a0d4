"""Where this room's commands speak to people: results on standard output, progress and faults on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

out, err = Console(soft_wrap=True), Console(stderr=True)


@contextmanager
def progress() -> Iterator[Any]:
    """Show what is being done, on a terminal alone; what it gives is called with what, to what, and how many in all."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def told(what: str, name: str, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            else:
                bars.advance(tasks[what])
            bars.update(tasks[what], description=f"{what} {escape(name)}")

        yield told
