"""The operator's page, photographed during a simulated session that is driven from it: Xvfb, Chromium.

python docs/pictures/operator.py demo/study [--out docs/pictures]

Every screen at 1280x800 and at 1920x1080. The script does what a person does: it obeys the instruction on the page.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Annotated

import typer
from PIL import Image
from playwright.sync_api import Error

HERE = Path(__file__).parent
sys.path.append(str(HERE.parents[1]))  # the tests' display and operator are no part of what is installed
from tests.display import laboratory  # noqa: E402
from tests.page import SIZES, Operator, browser  # noqa: E402

START_S, LONGEST_S = 120.0, 900.0
COLORS = 256  # with an octree a few red pixels keep their colour beside many blue ones; the file is a third
SETTLE_MS = 900  # a screen that was just resized draws its traces anew
WORTH: dict[str, tuple[str, ...]] = {  # which moments of a screen are photographed, by the code of the instruction; last wins
    "preflight": ("preflight/",),
    "contacts": ("contacts/start", "contacts/ungated"),
    "record": ("session/clip",),
    "finish": ("finish/",),
}

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(help=__doc__)
def photograph(
    study: Path,
    out: Annotated[Path, typer.Option(help="Where the pictures go.")] = HERE,
    prefix: Annotated[str, typer.Option(help="How their names begin.")] = "operator",
) -> None:
    """Drive a session from the page and photograph each screen once."""
    with tempfile.TemporaryDirectory() as data, laboratory(size_px=(1280, 720)) as env:
        words = ["emo-run", str(study), "--participant", "07", "--data", data, "--twin", "--page"]
        words[0] = str(Path(sys.executable).parent / words[0])
        with _session(words, env) as url, browser() as chromium, Operator(chromium, url) as operator:
            _drive(operator, out, prefix)


def _drive(operator: Operator, out: Path, prefix: str) -> None:
    """Obey until the end, and photograph what is worth it on the way."""
    done: set[str] = set()
    for _ in range(round(LONGEST_S / 0.5)):
        operator.page.wait_for_timeout(500)
        try:
            if _step(operator, out, prefix, done):
                return
        except Error as error:  # a page that comes back after its server was away is loaded anew
            typer.echo(f"looked again: {str(error).splitlines()[0]}", err=True)
    raise SystemExit(f"the session did not end within {LONGEST_S:g} s; seen: {sorted(done)}")


def _step(operator: Operator, out: Path, prefix: str, done: set[str]) -> bool:
    """Photograph what is new, and obey; returns whether that was the end."""
    screen = operator.screen
    worth = screen in WORTH and screen not in done and operator.code.startswith(WORTH[screen]) and operator.light != "unknown"
    if worth and not operator.code.endswith(("/checking", "/judging", "/silent")):
        for size, (width, height) in SIZES.items():
            operator.page.set_viewport_size({"width": width, "height": height})
            operator.page.wait_for_timeout(SETTLE_MS)
            path = out / f"{prefix}-{screen}-{size}.png"
            operator.page.screenshot(path=path)
            Image.open(path).convert("RGB").quantize(COLORS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
                path, optimize=True
            )
        done.add(screen)
    if screen != "contacts" or screen in done:  # START might be pressed before the traces are full
        operator.obey()
    return screen == "finish" and screen in done


@contextmanager
def _session(words: list[str], env: dict[str, str]) -> Iterator[str]:
    """Start a session; yield the page's address, which it prints."""
    lines: SimpleQueue[str] = SimpleQueue()
    with subprocess.Popen(
        words, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        threading.Thread(target=lambda: [lines.put(line) for line in process.stdout or ()], daemon=True).start()
        said = ""
        try:
            while not (found := re.search(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+", said)):
                said += lines.get(timeout=START_S).strip()
            yield found.group()
            process.wait(120)
        except Empty:
            raise SystemExit(f"no address of a page within {START_S:g} s: {said}") from None
        finally:
            process.terminate()


if __name__ == "__main__":
    app()
