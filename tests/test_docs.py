"""The pages: links lead somewhere, pictures are small and described, and commands have the options that the pages give them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from bids_export.cli import export_app
from bids_export.report_cli import app as report_app
from bids_export.withdraw.cli import app as withdraw_app
from collector.cli import app as record_app
from collector.doctor_cli import app as doctor_app
from collector.launch import app as run_app
from collector.twin.cli import app as twin_app
from models.cli import app as train_app
from models.label_cli import app as label_app
from models.weights_cli import app as weights_app
from protocol.cli import app as study_app

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]
PICTURES = sorted(ROOT.glob("docs/pictures/*.png"))
APPS = {
    "emo-study": study_app, "emo-run": run_app, "emo-record": record_app, "emo-twin": twin_app, "emo-export": export_app,
    "emo-report": report_app, "emo-train": train_app, "emo-label": label_app, "emo-weights": weights_app,
    "emo-withdraw": withdraw_app, "emo-doctor": doctor_app,
}  # fmt: skip
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"`(emo-[^`]+)`|^(?:\$ )?(emo-.*)$", re.MULTILINE)


def links(page: Path) -> Iterator[tuple[bool, str, Path]]:
    """Yield whether it is a picture, its text, and where it leads, of each link that stays on this disk."""
    for picture, text, target in _LINK.findall(page.read_text(encoding="utf-8")):
        if not target.startswith(("http", "mailto", "#")):
            yield bool(picture), text, page.parent / target.partition("#")[0]


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of every command of ours on a page."""
    for match in _COMMAND.finditer(page.read_text(encoding="utf-8")):
        yield shlex.split((match[1] or match[2]).partition(" #")[0], posix=True)


def known_options(words: list[str]) -> set[str]:
    """Return the options of the command that the words name."""
    command = typer.main.get_command(APPS[words[0]])
    if hasattr(command, "commands") and len(words) > 1:
        assert words[1] in command.commands, f"{words[0]} has no command {words[1]}"
        command = command.commands[words[1]]
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert [str(path) for _, _, path in links(page) if not path.exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_has_the_options_that_the_page_gives_it(page: Path) -> None:
    for words in commands(page):
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert given <= known_options(words), f"{page.name}: {' '.join(words)}"


def test_the_commands_of_the_pages_are_found() -> None:
    named = {words[0] for page in PAGES for words in commands(page)}
    assert named == set(APPS)


def test_every_picture_is_small_shown_somewhere_and_described() -> None:
    shown = {path.resolve(): text for page in PAGES for picture, text, path in links(page) if picture}
    assert set(PICTURES) == {path for path in shown if path.parent == ROOT / "docs" / "pictures"}
    assert all(len(text.split()) >= 5 for text in shown.values())
    sizes = [path.stat().st_size for path in PICTURES]
    assert max(sizes) < 300_000 and sum(sizes) < 2_500_000
