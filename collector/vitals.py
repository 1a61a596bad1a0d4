"""What devices and clocks say of themselves that an operator must know: a counter that stands, flat EEG, the battery. Pure.

Looked at ten times a second, under the caller's clock. Each thing is judged anew at every look; whoever tells of it tells of
changes alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from collector.battery import Battery, judge
from collector.clocks import Notice
from collector.watch import CLOCK_S, CLOCK_SHOWN_S, is_still
from protocol.study import Study

if TYPE_CHECKING:
    from collector.inlets import Health

Level = Literal["warn", "stop"]

BATTERY = "BatteryPercent"
ADMINISTRATIVE = ("Timestamp", "Counter", "Interpolate", "HardwareMarker", "Markers")  # of Emotiv's EEG stream: no sensors
_KINDS = {"CQ": "contact_quality", "EQ": "eeg_quality"}  # of streams
_BACK = 2.0  # percent by which a charge must rise again: it flickers between two whole numbers


@dataclass(frozen=True)
class Symptom:
    """Something that is so, or is not.

    Parameters
    ----------
    code : str
        Of the alarm.
    on : bool
        Whether it is so.
    why : str
        With values.
    t_cause : float
        Since when, LSL seconds.
    level : {"warn", "stop"}
        ``stop``: no clip should begin with it.
    """

    code: str
    on: bool
    why: str
    t_cause: float
    level: Level = "warn"


class Vitals:
    """Judges what the streams say.

    Parameters
    ----------
    study : Study
        Names counter, channels, and the quality that the verdict needs.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._battery, self._teller, self._n = Battery(), "", 0
        self._low: set[str] = set()
        self._since: dict[str, float] = {}
        self._step: tuple[float, float, float] | None = None

    def level(self, one: Health) -> Level:
        """Say whether a clip may begin without a stream: not without EEG, nor without what the verdict is made of."""
        spare = one.kind in _KINDS.values() and one.kind != _KINDS[self._study.contact_quality.metric]
        return "stop" if one.required and not spare and one.kind != "markers" else "warn"

    def look(self, one: Health) -> Iterator[Symptom]:
        """Judge one stream."""
        if one.still_s is not None and not one.lost:
            yield from self._counter(one)
            yield from self._flat(one)
        if BATTERY in one.labels and one.last:
            yield from self._charge(one)

    def _counter(self, one: Health) -> Iterator[Symptom]:
        label = self._study.eeg.counter
        if label in one.labels and one.still_s is not None:
            still_s = float(one.still_s[one.labels.index(label)])
            why = f"{label} has stood still for {still_s:.1f} s while samples came"
            yield Symptom("counter/frozen", is_still(still_s), why, one.t_heard - still_s, "stop")

    def _flat(self, one: Health) -> Iterator[Symptom]:
        sensors = sensor_columns(one.labels, self._study)
        if sensors and one.still_s is not None:
            still_s = float(min(one.still_s[column] for column in sensors))
            why = f"all {len(sensors)} channels have stood still for {still_s:.1f} s"
            yield Symptom("eeg/flat", is_still(still_s), why, one.t_heard - still_s, "stop")

    def _charge(self, one: Health) -> Iterator[Symptom]:
        """Judge the battery by the first stream that tells of it: two that do would be two clocks for one charge."""
        self._teller = self._teller or one.name
        if one.name != self._teller or one.n == self._n or one.labels.index(BATTERY) >= len(one.last):
            return
        self._n = one.n
        reading = one.last[one.labels.index(BATTERY)]
        self._battery.take(reading, one.t_heard)
        told, left_s = self._battery.percent, self._battery.left_s
        for code, states, level in _CHARGES:
            if judge(reading, left_s) in states:
                self._since.setdefault(code, one.t_heard)  # one reading is none, and yet the first of several
            on = judge(told, left_s) in states
            on = on or (code in self._low and told is not None and judge(told - _BACK, left_s) in states)
            (self._low.add if on else self._low.discard)(code)
            yield Symptom(code, on, f"{told:.0f} %" if told is not None else "", self._since.get(code, one.t_heard), level)
            if not on and judge(reading, left_s) not in states:
                self._since.pop(code, None)

    def clock(self, notices: Iterable[Notice], *, since: float) -> None:
        """Take in what the clocks did after ``since``, LSL seconds."""
        for one in notices:
            if one.name in ("clock/step", "clock/jump") and abs(one.amount) > CLOCK_S:
                self._step = (since, one.t, one.amount)

    def clocks(self, now: float) -> Symptom:
        """Judge the wall clock: a step is over at once, and told of for a while."""
        if self._step is None:
            return Symptom("clock/step", on=False, why="", t_cause=now)
        since, t, amount = self._step
        return Symptom("clock/step", now - t < CLOCK_SHOWN_S, f"the wall clock was set by {amount:+.1f} s", since)


_CHARGES: tuple[tuple[str, tuple[str, ...], Level], ...] = (
    ("battery/low", ("low", "critical"), "warn"), ("battery/critical", ("critical",), "stop"),
)  # fmt: skip


def sensor_columns(labels: Sequence[str], study: Study) -> list[int]:
    """Return the columns of an EEG stream that hold EEG: those that the study names, else all that are no administration.

    Examples
    --------
    >>> from protocol.study import Eeg
    >>> sensor_columns(["Timestamp", "Counter", "Cz", "Pz"], Study.model_construct(eeg=Eeg()))
    [2, 3]
    """
    eeg = study.eeg
    others = {*ADMINISTRATIVE, *eeg.exclude, eeg.counter, eeg.interpolated, eeg.photodiode}
    return [n for n, name in enumerate(labels) if (name in eeg.channels if eeg.channels else name not in others)]
