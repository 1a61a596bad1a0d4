"""An operator who obeys the instruction that is shown and nothing else, while things go wrong on schedule."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from collector.twin.told import FAULTS_VARIABLE
from protocol import journal
from protocol.folder import Run
from protocol.journal import Row
from tests.live_runs import Ended, Live, launched
from tests.page import Operator

LONGEST_S = 600.0
LOOK_S = 0.1
PRESS_S = 3.0  # a button that did nothing is pressed again after this
CLOCKS = "EMOLAB_TEST_CLOCKS"  # names the file by which the wall clock and the one that goes on in sleep are set
SHIM = f"""
import os, time
path, wall, boot, seen = os.environ["{CLOCKS}"], time.time, time.clock_gettime, [0.0, 0.0, 0.0]

def ahead(which):
    if time.monotonic() >= seen[0]:
        seen[0] = time.monotonic() + 0.05
        try:
            with open(path) as file:
                seen[1:] = map(float, file.read().split())
        except (OSError, ValueError):
            pass
    return seen[which]

time.time = lambda: wall() + ahead(1)
time.clock_gettime = lambda which: boot(which) + (ahead(2) if which == time.CLOCK_BOOTTIME else 0.0)
"""
READ = """() => {
  // what stood on the page between two questions counts too: the one who asks may be slow
  const read = () => ({
    screen: document.body.dataset.screen || "",
    light: document.querySelector('[data-test="light"]')?.dataset.light || "",
    texts: [...document.querySelectorAll('[data-test="instruction"]')]
        .filter(e => e.checkVisibility()).map(e => e.innerText.trim()),
    code: document.querySelector('[data-test="instruction"]')?.dataset.code || "",
    wanted: [...document.querySelectorAll('button.primary')].filter(b => !b.disabled).map(b => b.dataset.command),
  });
  if (!window.seen) {
    window.seen = [read()];
    const look = () => {
      const one = read();
      if (JSON.stringify(one) !== JSON.stringify(window.last)) window.seen.push(window.last = one);
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  }
  return [...window.seen.splice(0), read()];
}"""


@dataclass(frozen=True)
class Shown:
    """What stood on the page at ``t``, LSL seconds."""

    t: float
    screen: str
    light: str
    texts: tuple[str, ...]
    code: str
    wanted: tuple[str, ...]


@dataclass(frozen=True)
class Event:
    """Something that is done to the laboratory ``at_s`` seconds after a marker, the first one that begins so."""

    at_s: float
    do: Callable[["Session"], None]
    after: str = "session/start"


@dataclass
class Session:
    """A session that is run from the page.

    Attributes
    ----------
    shown : list of Shown
        Every change of what the page said.
    pressed : list of str
        The commands that were given, in order.
    """

    live: Live
    env: Mapping[str, str]
    home: Path
    operator: Operator
    shown: list[Shown] = field(default_factory=list)
    pressed: list[str | None] = field(default_factory=list)
    ended: Ended | None = None

    @property
    def run(self) -> Run:
        return self.live.run

    def put_clocks_forward(self, wall: float, boot: float) -> None:
        """Set the wall clock and the clock that goes on in sleep, by seconds."""
        before = map(float, (self.home / "clocks").read_text().split())
        write(self.home / "clocks", " ".join(str(a + b) for a, b in zip(before, (wall, boot), strict=True)))

    def display(self, number: int) -> None:
        """Signal the X server: one that stands still is a screen that stands still."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                pid, rest = int(stat.parent.name), stat.read_text().rpartition(")")
            except OSError:
                continue  # it has just ended
            if rest[0].endswith("(Xvfb") and int(rest[2].split()[1]) == os.getpid():
                os.kill(pid, number)

    def key(self, name: str) -> None:
        """Press a key of the participant."""
        subprocess.run(["xdotool", "key", name], env=dict(self.env), check=True)

    def obey_to_the_end(self, events: Sequence[Event] = ()) -> None:
        """Press what the instruction names, and nothing else, until the launcher has ended."""
        left, deadline, pressed = list(events), time.monotonic() + LONGEST_S, 0.0
        while self.live.process.poll() is None:
            assert time.monotonic() < deadline, (self.shown[-5:], self.run.path)
            for event in [one for one in left if self._is_due(one)]:
                left.remove(event)
                event.do(self)
            seen = self._look()
            if seen is not None and seen.wanted and time.monotonic() - pressed > PRESS_S:
                pressed = time.monotonic()
                self.pressed.append(self._ask(self.operator.obey))
            elif seen is not None and seen.code == "finish/aborted" and time.monotonic() - pressed > PRESS_S:
                pressed = time.monotonic()
                self._ask(lambda: self.operator.press("keep"))  # the instruction says to press what the participant says
            time.sleep(LOOK_S)
        self.display(signal.SIGCONT)
        self.ended = self.live.end()

    def _look(self) -> Shown | None:
        said = self._ask(lambda: self.operator.page.evaluate(READ))
        found = [
            Shown(time.monotonic(), one["screen"], one["light"], tuple(one["texts"]), one["code"], tuple(one["wanted"]))
            for one in said or ()
        ]
        for one in found:
            if one.texts and (not self.shown or replace(one, t=0.0) != replace(self.shown[-1], t=0.0)):
                self.shown.append(one)
        return found[-1] if found and found[-1].texts else None  # nothing before the launcher has spoken

    def _ask(self, what: Callable[[], Any]) -> Any:
        """Ask the browser; a page whose server has just ended says nothing, and a button may go before it is pressed."""
        from playwright.sync_api import Error

        try:
            return what()
        except Error:
            return None

    def _is_due(self, event: Event) -> bool:
        begun = self.at(event.after)
        return begun is not None and time.monotonic() >= begun + event.at_s

    def at(self, marker: str) -> float | None:
        """LSL seconds of the first marker that begins so; None before it."""
        return next((t for text, t in self.markers() if text.startswith(marker)), None)

    def markers(self) -> list[tuple[str, float]]:
        """What the window sent, with the stamps."""
        return [(row.data["text"], row.data["t"]) for row in self.rows("window") if (row.kind, row.name) == ("note", "marker")]

    def rows(self, who: str) -> list[Row]:
        path = self.run.journal(who)  # type: ignore[arg-type]
        return list(journal.read(path)) if path.exists() else []

    def alarm(self, code: str) -> tuple[str, list[Row], list[Row]]:
        """Who raised an alarm, and the rows in which it was raised and cleared."""
        for who in ("collector", "launch"):
            found = [row for row in self.rows(who) if row.kind == "alarm" and row.name == code]
            if found:
                return who, [r for r in found if not r.data["cleared"]], [r for r in found if r.data["cleared"]]
        return "", [], []

    def stall_s(self, who: str) -> float:
        """How long a process' ticker stood still at worst."""
        return max((row.data["worst_stall_s"] for row in self.rows(who) if "worst_stall_s" in row.data), default=0.0)


def write(path: Path, text: str) -> None:
    """Replace a file in one step."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


@contextmanager
def session(
    browser: Any, study: Path, data: Path, script: str, *options: str, env: Mapping[str, str], number: str = "01"
) -> Iterator[Session]:
    """Start emo-run with a page and simulated devices to which ``script`` happens; the operator has opened the page."""
    home = data.parent
    (home / "shim").mkdir(exist_ok=True)
    (home / "shim" / "sitecustomize.py").write_text(SHIM)
    write(home / "clocks", "0 0")
    write(home / "faults.toml", script)
    more = {FAULTS_VARIABLE: str(home / "faults.toml"), "PYTHONPATH": str(home / "shim"), CLOCKS: str(home / "clocks")}
    with launched(study, data, "--twin", "--page", *options, env={**env, **more}) as live:
        live.run = Run(data, "07", "01", number, "emotion")
        operator = Operator(browser, address(live))
        try:
            yield Session(live, env, home, operator)
        finally:
            operator.close()


def address(live: Live) -> str:
    """Wait for the page, and return its address as emo-run prints it."""
    link = live.run.path.parents[1] / "lock-link.json"
    deadline = time.monotonic() + LONGEST_S
    while live.process.poll() is None and time.monotonic() < deadline:
        if link.exists():
            said = json.loads(link.read_text())
            if listens(said["port"]):
                return f"http://127.0.0.1:{said['port']}/?token={said['page_token']}"
        time.sleep(LOOK_S)
    raise AssertionError(f"no page: {live.process.communicate() if live.process.poll() is not None else 'in time'}")


def listens(port: int) -> bool:
    """Tell whether somebody answers."""
    import socket

    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex(("127.0.0.1", port)) == 0
