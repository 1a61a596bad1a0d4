"""``emo-record contact`` on what the simulated recorder wrote, whole and while it is being written; and cues shown again."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from collector import cli, quality, xdf
from collector.twin import cohort, virtual
from collector.twin.knobs import Faults
from collector.twin.mishaps import Mishap
from protocol import commands, folder, study
from protocol.folder import FolderError, Run
from protocol.ports import Asked, Page, Stamp
from protocol.study import StudyError
from tests.collector.twin.studies import small_study

CUES = 6
Contact = Callable[..., tuple[int, str, str]]


class HeldOnce(virtual.VirtualScreen):
    """Somebody asks to hold while the cues are shown, has them shown again, and then lets the session go."""

    asked: str | None = None
    n = 0

    def hold(self) -> str | None:
        return self.asked

    def show(self, page: Page, **more: object) -> Stamp:
        if page.name == "sync/cue" and not self.n:
            self.asked = "contact"
        if page.name == "hold":
            self.n += 1
            self._clock.advance(20.0)
            if self.n == 1:
                raise Asked("repeat", "operator")
            self.asked = None
            return self._clock.now()
        return super().show(page, **more)  # type: ignore[arg-type]


def record(path: Path, *, faults: Faults | None = None, held: bool = False) -> Run:
    files = small_study(path / "study", blinks=CUES)
    with pytest.MonkeyPatch.context() as patch:
        if held:
            patch.setattr(cohort, "VirtualScreen", HeldOnce)
        (participant,) = cohort.plan(files, path / "data", n=1, seed=4)
        participant = replace(participant, contact=0.95)
        return cohort.record_participant(files, path / "data", participant, faults=replace(faults or Faults(), no_camera=True))


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return record(tmp_path_factory.mktemp("held"), held=True)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return record(tmp_path_factory.mktemp("table"), faults=Faults(mishaps=(Mishap("cap_off", 0.0, since="device"),)))


@pytest.fixture
def contact(capfd: pytest.CaptureFixture[str]) -> Contact:
    """Run the command; returns its exit code and what it said."""

    def run(path: Path, *options: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            commands.run(cli.app, (xdf.XdfError, FolderError, StudyError), args=["contact", str(path), *options])
        return int(str(ended.value.code)), *capfd.readouterr()

    return run


def growing(run: Run, tmp_path: Path, *, share: float) -> Path:
    """The folder as it is in the middle of the recording: the last chunk half written, no manifest."""
    copy = tmp_path / "data" / "sub-01" / "ses-01" / "run-01"
    shutil.copytree(run.path, copy)
    there = folder.open_run(copy)
    there.manifest_json.unlink()
    whole = there.xdf.read_bytes()
    there.xdf.write_bytes(whole[: round(share * len(whole)) + 3])
    return copy


def test_a_recording_that_is_still_written_is_read_and_not_changed(held: Run, tmp_path: Path, contact: Contact) -> None:
    copy = growing(held, tmp_path, share=0.6)
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    code, said, errors = contact(copy)
    assert (code, errors) == (0, "")
    assert said.startswith(f"contact: ok: {CUES} of {CUES} cues answered by a blink, ")
    assert said.count("\n") == 1
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


def test_what_it_found_as_json(held: Run, contact: Contact) -> None:
    code, said, _ = contact(held.path, "--json")
    found = json.loads(said)
    assert (code, found["state"], found["n_seen"], found["channels"]) == (0, "ok", CUES, ["Fp1", "Fp2"])
    assert found["n_cues"] == CUES


def test_a_cap_on_a_table_with_green_contact_quality_ends_with_one(table: Run, contact: Contact) -> None:
    assert quality.judge_streams(xdf.read(table.xdf), study.load(table.study_toml)).verdict == "keep"
    code, said, _ = contact(table.path)
    assert code == 1
    assert said.startswith("contact: no blinks: of 6 cues 0 were answered (Fp1, Fp2): does somebody wear the cap?")


def test_a_folder_that_is_no_run_is_bad_input(held: Run, tmp_path: Path, contact: Contact) -> None:
    code, said, errors = contact(tmp_path)
    assert (code, said, errors.count("\n")) == (2, "", 1)
    copy = growing(held, tmp_path, share=0.5)
    folder.open_run(copy).xdf.unlink()
    code, said, errors = contact(copy)
    assert (code, said, errors.count("\n")) == (2, "", 1)
    assert "nothing is recorded yet" in errors


def test_cues_shown_again_while_it_held_lie_outside_of_the_pauses(held: Run) -> None:
    rows = quality.marker_rows(xdf.read(held.xdf))
    names = [marker.name for _, marker in rows if marker.name in ("pause", "resume", "sync/cue", "clip/onset")]
    again = ["sync/cue"] * CUES
    assert names[: 2 * CUES + 5] == [*again, "pause", "resume", *again, "pause", "resume", "clip/onset"]
    pauses = [b - a for a, b in zip(*(
        [t for t, m in rows if m.name == name] for name in ("pause", "resume")
    ), strict=True)]  # fmt: skip
    assert pauses == pytest.approx([20.0, 20.0], abs=0.1)
    judged = quality.judged_spans(rows, "recording")
    assert len(judged) == 3
    whole = max(t for t, m in rows if m.name == "clip/offset") - judged[0][0]
    assert sum(b - a for a, b in judged) == pytest.approx(whole - 40.0, abs=0.2)
