"""``emo-study`` as its users call it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from protocol import cli

SMALL = ("--clips-per-emotion", "1", "--clip-duration", "1", "--clip-size", "64x64", "--camera-size", "320x240")


def call(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[object, str, list[str]]:
    sys.argv = ["emo-study", *args]
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return ended.value.code, out, err.splitlines()


@pytest.fixture(autouse=True)
def _own_argv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", sys.argv)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "demo"
    with pytest.raises(SystemExit), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["emo-study", "new", str(folder), *SMALL, "--json"])
        cli.main()
    return folder


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "demo"))


def test_new_then_check_then_plan(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    code, out, err = call(capsys, "new", str(folder), *SMALL, "--json")
    assert (code, err) == (0, [])
    assert json.loads(out) == {
        "study": str(folder / "study.toml"), "clips": ["happiness01", "sadness01", "fear01", "neutral01"],
    }  # fmt: skip
    code, out, err = call(capsys, "check", str(folder), "--json")
    report = json.loads(out)
    assert (code, err, report["findings"], report["n_trials"]) == (0, [], [], 4)
    assert report["clips"][2]["facts"]["n_frames"] == 30
    code, out, err = call(capsys, "plan", str(folder), "--participant", "07", "--json")
    plan = json.loads(out)
    assert (code, err) == (0, [])
    assert sorted(trial["target"] for trial in plan["trials"]) == ["fear", "happiness", "neutral", "sadness"]
    assert all(trial["stim_id"] == trial["target"] + "01" for trial in plan["trials"])
    assert json.loads(call(capsys, "plan", str(folder), "--participant", "07", "--json")[1]) == plan


def test_people_read_the_same_as_machines(capsys: pytest.CaptureFixture[str], study: Path) -> None:
    code, out, _ = call(capsys, "check", str(study / "study.toml"))
    assert code == 0
    assert out.splitlines()[-2] == f"{study / 'study.toml'}: nothing to mend"
    assert out.splitlines()[-1].startswith("Next: emo-run")
    assert "fear01" in out
    assert "4 trials, about 2.2 min a session" in out
    code, out, _ = call(capsys, "plan", str(study), "--participant", "07")
    assert code == 0
    assert out.count("01") == 4


def test_check_lists_every_finding_and_ends_with_1(capsys: pytest.CaptureFixture[str], study: Path) -> None:
    (study / "clips" / "fear01.mp4").unlink()
    (study / "clips" / "sadness01.mp4").write_bytes(b"no film")
    code, out, err = call(capsys, "check", str(study))
    assert (code, err) == (1, [])
    assert "no such file" in out
    assert "cannot be decoded" in out
    assert out.splitlines()[-1].endswith("3 to mend")
    code, out, _ = call(capsys, "check", str(study), "--json")
    assert code == 1
    assert len(json.loads(out)["findings"]) == 3


BAD_CALLS = [
    (("plan", "STUDY", "--participant", "../x"), "participant = '../x'"),
    (("plan", "STUDY", "--participant", "CON"), "participant = 'CON'"),
    (("plan", "nowhere", "--participant", "07"), "nowhere: no such file; make a study with: emo-study new DIR"),
    (("check", "nowhere/study.toml"), "no such file"),
    (("new", "STUDY"), "is not empty"),
    (("new", "FRESH", "--preset", "nonsense"), "'nonsense' is no preset; one of demo"),
    (("new", "FRESH", "--clip-size", "big"), "write width x height in pixels"),
    (("new", "FRESH", "--clip-size", "321x240"), "must be even"),
    (("new", "FRESH", "--clips-per-emotion", "0"), "--clips-per-emotion"),
]


@pytest.mark.parametrize(("args", "said"), BAD_CALLS)
def test_bad_input_is_one_line_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], study: Path, args: tuple[str, ...], said: str
) -> None:
    before = sorted(study.parent.rglob("*"))
    names = {"STUDY": str(study), "FRESH": str(study.parent / "fresh")}
    code, out, err = call(capsys, *(names.get(arg, arg) for arg in args))
    assert (code, out, len(err)) == (2, "", 1)
    assert said in err[0]
    assert sorted(study.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("study.toml", "[timing]", "[timing]\nbasline = 3", "study.toml: timing.basline: unknown key; known here: baseline"),
        ("clips.tsv", "clips/fear01.mp4", "clips/none.mp4", "clips.tsv, line 4: file = "),
        ("clips.tsv", "\tfear\t", "\tawe\t", "clips.tsv, line 4: target = 'awe'"),
        ("clips.tsv", "clips/fear01.mp4", "clips/sadness01.mp4", "clips.tsv, line 4: sha256 = "),
    ],
)
def test_a_bad_study_is_one_line_for_plan(
    capsys: pytest.CaptureFixture[str], study: Path, file: str, old: str, new: str, said: str
) -> None:
    (study / file).write_text((study / file).read_text().replace(old, new))
    code, out, err = call(capsys, "plan", str(study), "--participant", "07")
    assert (code, out, len(err)) == (2, "", 1)
    assert said in err[0]


@pytest.mark.parametrize("command", ["new", "check", "plan", "keys"])
def test_help_shows_an_example(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, _ = call(capsys, command, "--help")
    assert code == 0
    assert f"Example: emo-study {command}" in out
    assert "--json" in out
