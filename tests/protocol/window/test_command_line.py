"""The window's command line: what is refused before anything opens."""

import subprocess
import sys
from pathlib import Path

from tests.window_runs import begin_run


def refused(*options: str | Path) -> str:
    """Run the window's command and return its one line."""
    done = subprocess.run([sys.executable, "-P", "-m", "protocol", *options], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_a_folder_without_session_json_is_refused(tmp_path: Path) -> None:
    assert "no session.json" in refused(tmp_path, "--study", tmp_path)


def test_a_size_that_is_none_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "--study", tmp_path, "--size", "1280") == "--size = 1280: write it as 1280x720, at least 320x240"


def test_a_study_that_was_changed_after_the_run_began_is_refused(tmp_path: Path) -> None:
    run, study = begin_run(tmp_path, duration_s=0.2)
    study.write_text(study.read_text("utf-8") + "# changed\n", "utf-8")
    assert refused(run.path, "--study", study).endswith("start a new run")
    assert not run.journal("window").exists()


def test_a_frozen_study_that_was_edited_is_refused(tmp_path: Path) -> None:
    run, study = begin_run(tmp_path, duration_s=0.2)
    run.study_toml.write_text(run.study_toml.read_text("utf-8") + "# edited\n", "utf-8")
    assert "is not the file that session.json names" in refused(run.path, "--study", study)
