"""What the operator reads while a session runs: one live line on a terminal, log lines elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from collector.crew import Picture, View
from protocol import markers
from protocol.messages import Status, StreamStatus

PLAIN_EVERY_S = 15.0  # between two log lines when nothing happens
SILENT_S = 2.0  # quality comes twice a second: what is older is worth a word
_PREFIXES = ("EmotivDataStream-", "emolab-")  # said once in the documentation is enough
PHASES = {
    "preflight": "preflight",
    "streams": "waiting for streams",
    "contacts": "waiting for START",
    "session": "",
    "closing": "closing the files",
    "leaving": "closing",
    "finish": "the end",
    "ended": "ended",
}


class Shown(View, Protocol):
    """A view that is opened and closed."""

    def __enter__(self) -> Self:
        """Open."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close."""
        ...


def view(console: Console, *, n_trials: int) -> Shown:
    """Return the view that suits where the console leads."""
    living = console.is_terminal and not console.is_dumb_terminal  # a dumb one shows nothing that moves
    return Terminal(console, n_trials=n_trials) if living else Plain(console, n_trials=n_trials)


def line(picture: Picture, *, n_trials: int) -> str:
    """Say how a session stands in one line.

    Examples
    --------
    >>> line(Picture("session", "clip trial=3 target=fear", None, 75.0), n_trials=12)
    '01:15  clip 3 of 12, fear'
    """
    minutes, seconds = divmod(int(picture.t_s), 60)
    parts = [PHASES[picture.phase] or _doing(picture.state, n_trials=n_trials)]
    if picture.light != "green" and picture.instruction is not None:  # what is to be done goes before what is measured
        parts.insert(0, f"{picture.light.upper()}: {picture.instruction.text}")
    if picture.status is not None:
        parts += _collected(picture.status)
    return f"{minutes:02d}:{seconds:02d}  " + "  |  ".join(parts)


def _doing(state: str, *, n_trials: int) -> str:
    """Translate a beat for the operator."""
    if not state:
        return "the window opens"
    name, keys = markers.decode(state)
    words = {"clip": "clip", "rating": f"rating of {keys.get('question', '')} after clip", "fixation": "cross before clip",
             "rest": "rest after clip"}  # fmt: skip
    if "trial" not in keys:
        return name.replace("_", " ").replace("/", ", ")
    target = f", {keys['target']}" if "target" in keys else ""
    return f"{words.get(name, name)} {keys['trial']} of {n_trials}{target}"


def _collected(status: Status) -> list[str]:
    parts = [_stream(stream) for stream in status.streams if stream.sfreq_nominal_hz > 0 or stream.n]
    if status.camera:
        dropped = f", {status.camera.n_dropped} dropped" if status.camera.n_dropped else ""
        parts.append(f"camera {status.camera.fps_hz:.0f}/s{dropped}")
    if status.disk and status.disk.left_s is not None:
        parts.append(_disk(status.disk.left_s))
    return parts


def _stream(stream: StreamStatus) -> str:
    name = stream.name
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    lost = f", {stream.n_lost} LOST" if stream.n_lost else ""
    if not stream.sfreq_nominal_hz:
        return f"{name} {stream.n}{lost}"
    silent = stream.age_s is not None and stream.age_s > SILENT_S
    return f"{name} {f'SILENT for {stream.age_s:.0f} s' if silent else f'{stream.sfreq_hz:.0f} Hz'}{lost}"


def _disk(left_s: float) -> str:
    """Say for how long the disk lasts, in the unit that a person would use."""
    return f"disk for {left_s / 3600:.0f} h" if left_s >= 3 * 3600 else f"disk for {left_s / 60:.0f} min"


class Terminal:
    """One line, longer than a narrow terminal is wide, that is drawn over itself; what happens scrolls above it."""

    def __init__(self, console: Console, *, n_trials: int) -> None:
        self._live = Live(console=console, auto_refresh=True, refresh_per_second=4, transient=True)
        self._n_trials = n_trials

    def show(self, picture: Picture) -> None:
        """Draw the line."""
        self._live.update(Text(line(picture, n_trials=self._n_trials)))

    def say(self, text: str) -> None:
        """Print above the line."""
        self._live.console.print(text, markup=False, highlight=False, style="bold red" if text.startswith("ALARM") else None)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


class Plain:
    """Lines: when the clip changes, when something happens, and every :data:`PLAIN_EVERY_S`."""

    def __init__(self, console: Console, *, n_trials: int) -> None:
        self._console, self._n_trials = console, n_trials
        self._seen: tuple[str, str] = ("", "")
        self._next_s = 0.0

    def show(self, picture: Picture) -> None:
        """Print a line where there is something new."""
        if picture.phase in ("leaving", "finish", "ended"):
            return  # the verdict follows at once
        name = picture.state.partition(" ")[0]
        code = picture.instruction.code if picture.light != "green" and picture.instruction is not None else ""
        seen = (f"{picture.phase} {code}", picture.state if name in ("clip", "welcome", "thanks") else self._seen[1])
        if seen != self._seen or picture.t_s >= self._next_s:
            self._seen, self._next_s = seen, picture.t_s + PLAIN_EVERY_S
            self.say(line(picture, n_trials=self._n_trials))

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
