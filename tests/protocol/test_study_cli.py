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


def test_check_shows_the_schedules_of_many_and_their_balance(capsys: pytest.CaptureFixture[str], study: Path) -> None:
    code, out, _ = call(capsys, "check", str(study), "--participants", "6")
    assert code == 0
    lines = out.splitlines()
    start = lines.index("F = fear, H = happiness, N = neutral, S = sadness")
    assert [line[:4] for line in lines[start + 1 : start + 7]] == [f"0{n}  " for n in range(1, 7)]
    assert all(sorted(line[4:].split()) == ["F", "H", "N", "S"] for line in lines[start + 1 : start + 7])
    assert lines[start + 7] == "Balance over 6 participants"
    assert "a clip is shown 6 times, always" in lines[start + 10]
    assert "warning: " in out and "fewer than 3 trials of each emotion" in out
    code, out, _ = call(capsys, "check", str(study), "--participants", "3", "--json")
    report = json.loads(out)
    assert list(report["schedules"]) == ["01", "02", "03"]
    assert report["balance"]["clips"] == {"fewest": 3, "most": 3, "even": 3.0}
    assert (
        report["schedules"]["02"] == json.loads(call(capsys, "plan", str(study), "--participant", "02", "--json")[1])["trials"]
    )


def test_a_roster_names_whose_schedules_are_shown_and_warns_of_any_other_label(
    capsys: pytest.CaptureFixture[str], study: Path
) -> None:
    text = (study / "study.toml").read_text()
    roster = "participants = ['07', '08', '09', '10', '11', '12']"
    (study / "study.toml").write_text(text.replace("[design]", f"[design]\n{roster}"))
    code, out, _ = call(capsys, "check", str(study), "--participants", "2", "--json")
    assert (code, list(json.loads(out)["schedules"])) == (0, ["07", "08"])
    assert len(json.loads(call(capsys, "check", str(study), "--participants", "40", "--json")[1])["schedules"]) == 6
    assert json.loads(call(capsys, "plan", str(study), "--participant", "07", "--json")[1])["warnings"] == []
    said = "participant 70 is not among those of design.participants (07, 08, 09 .. 12); is it 07?"
    code, out, _ = call(capsys, "plan", str(study), "--participant", "70", "--json")
    assert (code, json.loads(out)["warnings"]) == (0, [said])
    assert call(capsys, "plan", str(study), "--participant", "70")[1].splitlines()[-1] == said


def test_a_design_that_cannot_be_is_a_finding(capsys: pytest.CaptureFixture[str], study: Path) -> None:
    text = (study / "study.toml").read_text()
    everything = "first_not = ['happiness', 'sadness', 'fear', 'neutral']"
    (study / "study.toml").write_text(text.replace("[design]", f"[design]\n{everything}"))
    code, out, _ = call(capsys, "check", str(study))
    assert (code, "design.first_not: names every emotion" in out, out.splitlines()[-1].endswith("1 to mend")) == (1, True, True)


def test_a_replacement_is_planned_like_the_one_who_was_excluded(capsys: pytest.CaptureFixture[str], study: Path) -> None:
    _, replaced, _ = call(capsys, "plan", str(study), "--participant", "16", "--replaces", "04", "--json")
    _, first, _ = call(capsys, "plan", str(study), "--participant", "04", "--json")
    assert json.loads(replaced)["trials"] == json.loads(first)["trials"]
    assert json.loads(replaced)["replaces"] == "04"
    assert "participant 16, in place of 04" in call(capsys, "plan", str(study), "--participant", "16", "--replaces", "04")[1]


def test_a_table_to_fill_in_is_written_at_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = call(capsys, "new", str(tmp_path / "mine"), "--preset", "deap", "--clips", "table", "--language", "vi")
    assert code == 0
    assert "Fill in clips.tsv" in out and "42 clips" in out
    assert 'language = "vi"' in (tmp_path / "mine" / "study.toml").read_text(encoding="utf-8")
    code, out, _ = call(capsys, "check", str(tmp_path / "mine"))
    assert (code, out.count("no such file"), out.splitlines()[-1].endswith("42 to mend")) == (1, 42, True)


def test_rest_is_warned_of_wherever_it_is_planned(capsys: pytest.CaptureFixture[str], study: Path) -> None:
    text = (study / "study.toml").read_text().replace('"#7F7F7F" }', '"#7F7F7F", as = "rest" }')
    (study / "study.toml").write_text(text)
    lines = (study / "clips.tsv").read_text().splitlines(keepends=True)
    (study / "clips.tsv").write_text("".join(line for line in lines if "neutral" not in line))
    said = "rest can be told from video without any emotion"
    for command in (("check", str(study)), ("plan", str(study), "--participant", "01")):
        code, out, _ = call(capsys, *command)
        assert (code, said in out.replace("\n", " ")) == (0, True)
    planned = json.loads(call(capsys, "plan", str(study), "--participant", "01", "--json")[1])
    assert said in planned["warnings"][0]
    assert "rest-neutral-01" in {trial["stim_id"] for trial in planned["trials"]}


BAD_CALLS = [
    (("plan", "STUDY", "--participant", "07", "--replaces", "07"), "--replaces = 07: is the participant"),
    (("plan", "STUDY", "--participant", "07", "--replaces", "0 4"), "replaces = '0 4'"),
    (("check", "STUDY", "--participants", "1001"), "--participants"),
    (("new", "FRESH", "--clips", "mine"), "--clips"),
    (("new", "FRESH", "--language", "fr"), "--language"),
    (("new", "FRESH", "--preset", "seed-iv", "--clips-per-emotion", "3"), "design.blocks = 2: 3 clips of each emotion"),
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
