"""The house: whose rooms are imported, and what a clean import costs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("stimuli", "protocol", "collector", "bids_export", "models")


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_is_the_checkouts_own_wherever_python_starts(room: str, tmp_path: Path) -> None:
    """Names like `models` are common: another package of that name must not come first."""
    (tmp_path / room).mkdir()
    (tmp_path / room / "__init__.py").write_text("raise SystemExit('the working directory shadows a room')")
    command = [sys.executable, "-I", "-c", f"import {room}; print({room}.__file__)"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()
    assert Path(found) == ROOT / room / "__init__.py"


def test_the_base_install_reads_studies_and_exports_without_the_extras() -> None:
    """The base install has no psychopy, pylsl, zmq, msgspec or torch; importing these entry points must not need them."""
    heavy = ["psychopy", "pylsl", "zmq", "msgspec", "nicegui", "torch", "sklearn", "skorch"]
    script = (
        "import sys, json\n"
        f"for name in {heavy!r}: sys.modules[name] = None\n"
        "import protocol.cli, bids_export.cli, collector.cli\n"
        "print(json.dumps('done'))"
    )
    result = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == "done"
