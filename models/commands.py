"""How this room's commands end: 0 success, 1 a check failed, 2 bad input, 3 fault. The other rooms have their own."""

from __future__ import annotations

import logging
import sys
from typing import Any, NoReturn

import typer

SUCCESS, CHECK_FAILED, BAD_INPUT, FAULT = range(4)
INTERRUPTED = 130  # as shells report Ctrl-C

# Typer names click's errors nowhere, and newer versions bring a click of their own: the base of what it does name
_CommandLineError: Any = typer.BadParameter.__mro__[2]

log = logging.getLogger(__name__)


def run(app: typer.Typer, bad_input: tuple[type[Exception], ...], *, args: list[str] | None = None) -> NoReturn:
    """Run a command line and exit.

    Parameters
    ----------
    app : typer.Typer
        The commands. A command says that a check failed with ``raise typer.Exit(CHECK_FAILED)``.
    bad_input : tuple of exception types
        What is raised for files and values of the user's; their text is one line with file, key, value and cure.
    args : list of str, optional
        Instead of ``sys.argv[1:]``.

    Raises
    ------
    SystemExit
        Always.
    """
    sys.exit(_code(app, bad_input, args))


def _code(app: typer.Typer, bad_input: tuple[type[Exception], ...], args: list[str] | None) -> int:
    try:
        code = app(args=args, standalone_mode=False)
    except bad_input as error:
        return _say(str(error), BAD_INPUT)
    except _CommandLineError as error:
        context = getattr(error, "ctx", None)
        return _say(f"{error.format_message()} See: {context.command_path if context else 'the command'} --help", BAD_INPUT)
    except (typer.Abort, KeyboardInterrupt):
        return _say("stopped", INTERRUPTED)
    except Exception as error:  # the outermost edge: a fault of ours ends in a line and a code
        log.error("a fault of ours", exc_info=True)
        return _say(f"fault: {type(error).__name__}: {error}; please report it with the traceback above", FAULT)
    return code if isinstance(code, int) else SUCCESS


def _say(text: str, code: int) -> int:
    """Print one line on stderr."""
    typer.echo(" ".join(text.split()), err=True)
    return code
