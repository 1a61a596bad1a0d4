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


def test_the_base_install_reads_studies_exports_and_reports_without_the_extras() -> None:
    """The base install has no psychopy, pylsl, zmq, msgspec or torch; importing these entry points must not need them."""
    heavy = ["psychopy", "pylsl", "zmq", "msgspec", "nicegui", "torch", "sklearn", "skorch"]
    script = (
        "import sys, json\n"
        "class Absent:\n"  # not None in sys.modules: others look whether torch is there
        "    def find_spec(self, name, *_):\n"
        f"        if name.partition('.')[0] in {heavy!r}: raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "import protocol.cli, bids_export.cli, bids_export.withdraw.cli, bids_export.withdraw.job, collector.cli\n"
        "import bids_export.report.session_page, bids_export.report.participant_page, bids_export.report.group_page\n"
        "print(json.dumps('done'))"
    )
    result = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == "done"
