"""Exit codes and the one line on stderr."""

import pytest
import typer

from protocol import commands


class BadFileError(ValueError):
    pass


def app() -> typer.Typer:
    app = typer.Typer()

    @app.command()
    def good() -> None:
        typer.echo("done")

    @app.command()
    def failed() -> None:
        raise typer.Exit(commands.CHECK_FAILED)

    @app.command()
    def bad() -> None:
        raise BadFileError("study.toml: a = 1:\n must be 2; write 2")

    @app.command()
    def broken() -> None:
        raise RuntimeError("boom")

    @app.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    return app


def outcome(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[object, str, list[str]]:
    with pytest.raises(SystemExit) as ended:
        commands.run(app(), (BadFileError,), args=list(args))
    out, err = capsys.readouterr()
    return ended.value.code, out, err.splitlines()


def test_success_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(capsys, "good") == (0, "done\n", [])


def test_a_failed_check_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(capsys, "failed") == (1, "", [])


def test_bad_input_is_2_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(capsys, "bad") == (2, "", ["study.toml: a = 1: must be 2; write 2"])


@pytest.mark.parametrize("args", [("good", "--wrong"), ("nosuch",), ("good", "surplus")])
def test_a_wrong_command_line_is_2_and_one_line(capsys: pytest.CaptureFixture[str], args: tuple[str, ...]) -> None:
    code, out, err = outcome(capsys, *args)
    assert (code, out, len(err)) == (2, "", 1)
    assert "--help" in err[0]


def test_a_fault_is_3_and_keeps_its_traceback(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    code, out, err = outcome(capsys, "broken")
    assert (code, out) == (3, "")
    assert err[-1].startswith("fault: RuntimeError: boom")
    assert "Traceback" in caplog.text


def test_ctrl_c_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(capsys, "interrupted")[0] == 130
