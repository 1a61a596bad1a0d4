"""How the operator's page is opened: no command line names its key."""

import stat
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from collector import opening

URL = "http://127.0.0.1:8123/?token=correct-horse&more"


def test_the_browser_is_given_a_file_for_its_owner_s_eyes_alone(tmp_path: Path) -> None:
    given: list[str] = []
    opening.browse(URL, where=tmp_path, opens=given.append)
    (address,) = given
    assert address.startswith("file:///") and "token" not in address and "correct-horse" not in address
    path = Path(unquote(urlsplit(address).path))
    assert 'content="0;url=http://127.0.0.1:8123/?token=correct-horse&amp;more"' in path.read_text()
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_somebody_else_put_there_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / opening.NAME).write_text("theirs")
    with pytest.raises(FileExistsError):
        opening.browse(URL, where=tmp_path, opens=lambda address: None)


def test_under_snaps_the_file_lies_where_their_browsers_can_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert opening.folder(snaps=tmp_path) == Path.home()
    assert opening.folder(snaps=tmp_path / "none") is None
