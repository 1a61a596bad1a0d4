"""LSL's set-up: real devices by its defaults, simulations alone on this machine."""

import os
import subprocess
import sys

import pytest

from protocol import lsl

_FIND = """
import sys
from protocol import lsl
lsl.configure(sys.argv[1])
import pylsl
info = pylsl.StreamInfo("probe", "Test", 1, 0, "float32", "probe-1")
outlet = pylsl.StreamOutlet(info)
found = pylsl.resolve_byprop("name", "probe", 1, 10.0)
print([f.session_id() for f in found])
"""


def test_without_an_id_lsl_keeps_its_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(lsl.SESSION_VARIABLE, raising=False)
    assert lsl.configure() is None
    assert lsl.SESSION_VARIABLE not in os.environ


@pytest.mark.parametrize("session_id", ["two words", "a\n[lab]", "é", "x" * 65])
def test_an_id_that_could_break_the_configuration_is_refused(session_id: str) -> None:
    with pytest.raises(lsl.LslError, match="letters"):
        lsl.configure(session_id)


@pytest.mark.live
def test_a_confined_process_finds_its_own_streams_under_its_own_id() -> None:
    run = subprocess.run([sys.executable, "-c", _FIND, "twin-test-lsl"], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.strip() == "['twin-test-lsl']"
