"""Runs the benchmarks and writes their tables into docs/benchmarks.md: ``python tests/benchmarks/run.py [TOPIC ..]``.

A benchmark is a file ``bench_<topic>.py`` with ``rows() -> list[Row]``; the first line of its docstring stands above its table.
"""

import sys
from importlib import import_module
from pathlib import Path

from tests.benchmarks.table import ROOT, between, machine, markdown, today

PAGE = ROOT / "docs" / "benchmarks.md"


def topics() -> list[str]:
    """Return every topic, in order of name."""
    return sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))


def measure(topic: str) -> str:
    """Run one benchmark and return what goes into the page."""
    module = import_module(f"tests.benchmarks.bench_{topic}")
    before, title = machine(), (module.__doc__ or topic).strip().splitlines()[0]
    return f"{title}\n\n{markdown(module.rows())}\n\n{today()}; {before}. `python tests/benchmarks/run.py {topic}`"


def main(asked: list[str]) -> int:
    """Run what was asked for; every table is written as soon as it is there."""
    if unknown := set(asked) - set(topics()):
        print(f"{', '.join(sorted(unknown))}: no such benchmark; there are {', '.join(topics())}", file=sys.stderr)
        return 2
    for topic in asked or topics():
        said = measure(topic)
        print(f"\n{topic}\n{said}", flush=True)
        PAGE.write_text(between(PAGE.read_text(encoding="utf-8"), topic, said), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
