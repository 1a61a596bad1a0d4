"""What becomes of a stream when LSL, or we, fail."""

from types import SimpleNamespace

import pylsl
import pytest

from collector import intake as module
from collector.intake import Intake, measure_offset
from collector.pump import Pump

INFO = SimpleNamespace(uid=lambda: "u", name=lambda: "eeg", nominal_srate=lambda: 256.0)


class Broken:
    """An inlet that fails as it is told."""

    obj = None

    def __init__(self, error: Exception) -> None:
        self.error = error

    def open_stream(self, timeout: float) -> None:
        raise self.error

    def close_stream(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (pylsl.util.LostError("x"), "its outlet is gone"), (pylsl.util.TimeoutError("late"), "late"),
        (pylsl.util.InternalError("oops"), "oops"), (ValueError("a fault of ours"), "a fault of ours"),
    ],
)  # fmt: skip
def test_a_stream_whose_thread_ends_says_why_and_closes_its_inlet(
    error: Exception, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inlet = Broken(error)
    monkeypatch.setattr(module.pylsl, "StreamInlet", lambda info, **options: inlet)
    pump = Pump()
    intake = Intake(INFO, "eeg", now=lambda: 0.0, pump=pump)
    intake._thread.join(10)
    pump.stop()
    assert why in intake.error
    assert inlet.closed and intake.ended and not intake.flowing


@pytest.mark.parametrize("code", [-1, -2, -4])
def test_a_clock_that_cannot_be_measured_is_no_offset_and_no_end(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(inlet: object, t: object, rtt: object, timeout: object, error: object) -> float:
        error._obj.value = code
        return 0.0

    monkeypatch.setattr("pylsl.lib.lib", SimpleNamespace(lsl_time_correction_ex=fails))
    assert measure_offset(SimpleNamespace(obj=None)) is None
