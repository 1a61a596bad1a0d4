"""What becomes of a stream when LSL, or we, fail."""

from types import SimpleNamespace

import pylsl
import pytest

from collector import streams
from collector.streams import Intake, measure_offset

INFO = SimpleNamespace(uid=lambda: "u", name=lambda: "eeg", nominal_srate=lambda: 256.0)


class Broken:
    """An inlet that fails as it is told."""

    obj = None

    def __init__(self, error: Exception) -> None:
        self.error = error

    def open_stream(self, timeout: float) -> None:
        raise self.error


@pytest.mark.parametrize(
    "error", [pylsl.util.LostError("gone"), pylsl.util.InternalError("oops"), ValueError("a fault of ours")]
)
def test_a_stream_whose_thread_ends_says_why(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams.pylsl, "StreamInlet", lambda info, max_buflen: Broken(error))
    intake = Intake(INFO, "eeg", now=lambda: 0.0)
    intake._thread.join(10)
    assert str(error) in intake.error
    assert not intake.flowing


@pytest.mark.parametrize("code", [-1, -2, -4])
def test_a_clock_that_cannot_be_measured_is_no_offset_and_no_end(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(inlet: object, t: object, rtt: object, timeout: object, error: object) -> float:
        error._obj.value = code
        return 0.0

    monkeypatch.setattr("pylsl.lib.lib", SimpleNamespace(lsl_time_correction_ex=fails))
    assert measure_offset(SimpleNamespace(obj=None)) is None
