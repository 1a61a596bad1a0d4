"""Weights are fetched whole, checked, resumed after a break, and never without being asked."""

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from models import weights
from models.weights import Weights, WeightsError, fetch, find, folder, take
from models.weights_cli import app

BODY = bytes(range(256)) * 4000  # 1 MB
RIGHT = Weights(
    name="faces", url="", sha256=hashlib.sha256(BODY).hexdigest(), size_B=len(BODY), licence="none", used_for="tests"
)

RIGHT_HERE = replace(RIGHT, url="https://example.org/faces.pth")


@dataclass
class Served:
    """What the server shall do, and what it was asked."""

    url: str
    stop_after: int | None = None
    ranges: bool = True
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def served() -> Iterator[Served]:
    """Serve BODY on loopback, as slowly broken as the test wants."""
    state = Served("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append(wanted)
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and state.ranges else 0
            if not self.path.endswith("/faces.pth") or start >= len(BODY):
                self.send_error(416 if self.path.endswith("/faces.pth") else 404)
                return
            self.send_response(206 if wanted and state.ranges else 200)
            self.send_header("Content-Length", str(len(BODY) - start))
            self.end_headers()
            self.wfile.write(BODY[start : None if state.stop_after is None else state.stop_after])

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/models/faces.pth"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_is_fetched_checked_and_not_fetched_again(served: Served, tmp_path: Path) -> None:
    steps: list[tuple[int, int | None]] = []
    pin = replace(RIGHT, url=served.url)
    path = fetch(pin, tmp_path / "new", progress=lambda done, total: steps.append((done, total)))
    assert path == tmp_path / "new" / "faces.pth" and path.read_bytes() == BODY
    assert steps[-1] == (len(BODY), len(BODY)) and len(steps) > 1
    assert fetch(pin, tmp_path / "new") == path and served.asked == [None]
    assert [p.name for p in path.parent.iterdir()] == ["faces.pth"]


def test_a_download_that_breaks_off_goes_on_where_it_stopped(served: Served, tmp_path: Path) -> None:
    pin, served.stop_after = replace(RIGHT, url=served.url), 300_000
    with pytest.raises(WeightsError, match="lost at 300000 of 1024000 bytes; what came is kept"):
        fetch(pin, tmp_path)
    assert not (tmp_path / "faces.pth").exists()
    served.stop_after = None
    assert fetch(pin, tmp_path).read_bytes() == BODY
    assert served.asked == [None, "bytes=300000-"]


def test_a_server_without_ranges_is_asked_for_the_whole_again(served: Served, tmp_path: Path) -> None:
    (tmp_path / "faces.pth.part").write_bytes(BODY[:1000])
    served.ranges = False
    assert fetch(replace(RIGHT, url=served.url), tmp_path).read_bytes() == BODY


def test_a_part_that_is_already_whole_is_only_checked(served: Served, tmp_path: Path) -> None:
    (tmp_path / "faces.pth.part").write_bytes(BODY)
    assert fetch(replace(RIGHT, url=served.url), tmp_path).read_bytes() == BODY


def test_another_file_than_pinned_is_refused_and_not_kept(served: Served, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"expected 0000000000.*nothing was kept"):
        fetch(replace(RIGHT, url=served.url, sha256="0" * 64), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_part_does_not_block_the_next_attempt(served: Served, tmp_path: Path) -> None:
    pin = replace(RIGHT, url=served.url)
    (tmp_path / "faces.pth.part").write_bytes(b"x" * 1000)
    with pytest.raises(WeightsError, match="nothing was kept"):
        fetch(pin, tmp_path)
    assert fetch(pin, tmp_path).read_bytes() == BODY


def test_no_server_and_no_such_page_are_one_line_with_the_address(served: Served, tmp_path: Path) -> None:
    for url, says in (("http://127.0.0.1:1/faces.pth", "refused"), (served.url + "x", "Not Found")):
        with pytest.raises(WeightsError, match=rf"^http://.*{says}.*run the same command again") as error:
            fetch(replace(RIGHT, url=url), tmp_path)
        assert "\n" not in str(error.value)


def test_what_is_fetched_is_found_and_what_is_damaged_later_is_not_used(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(weights, "KNOWN", (replace(RIGHT, url=served.url),))
    assert find("faces") is None and served.asked == [], "looking downloads nothing"
    path = fetch(weights.named("faces"), folder())
    assert find("faces") == path
    path.write_bytes(BODY + b"x")
    with pytest.raises(WeightsError, match="delete it and run: emo-weights fetch faces"):
        find("faces")


def test_a_disk_that_fills_up_is_said_and_what_came_is_kept(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "faces.pth.part").symlink_to("/dev/full")  # the kernel's own full disk
    with pytest.raises(WeightsError, match=r"no space is left in .*; make room, .* and run the same command again") as error:
        fetch(replace(RIGHT, url=served.url), tmp_path)
    assert "\n" not in str(error.value) and not (tmp_path / "faces.pth").exists()
    (tmp_path / "faces.pth.part").unlink()
    asked = len(served.asked)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=len(BODY) - 1))
    for attempt in (
        lambda: fetch(replace(RIGHT, url=served.url), tmp_path),
        lambda: take(RIGHT_HERE, tmp_path / "offline", tmp_path),
    ):
        (tmp_path / "offline").mkdir(exist_ok=True)
        (tmp_path / "offline" / "faces.pth").write_bytes(BODY)
        with pytest.raises(WeightsError, match="no space is left"):
            attempt()
    assert len(served.asked) == asked, "said before anything is fetched"
    (tmp_path / "faces.pth.part").write_bytes(BODY[:1])
    assert fetch(replace(RIGHT, url=served.url), tmp_path).read_bytes() == BODY, "what is left to fetch does fit"


def test_a_folder_serves_where_there_is_no_network(tmp_path: Path) -> None:
    offline, here = tmp_path / "offline", tmp_path / "here"
    offline.mkdir()
    with pytest.raises(WeightsError, match=r"faces\.pth: is not there; get it on another machine from http"):
        take(RIGHT_HERE, offline, here)
    (offline / "faces.pth").write_bytes(BODY[:-1] + b"x")
    with pytest.raises(WeightsError, match=r"sha256 = .*nothing was kept"):
        take(RIGHT_HERE, offline, here)
    assert list(here.iterdir()) == []
    (offline / "faces.pth").write_bytes(BODY)
    assert take(RIGHT_HERE, offline, here).read_bytes() == BODY
    assert [path.name for path in here.iterdir()] == ["faces.pth"]


def test_the_folder_is_the_one_that_is_named_else_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(weights.FOLDER_VARIABLE, "~/mine")
    assert folder() == Path.home() / "mine"
    monkeypatch.delenv(weights.FOLDER_VARIABLE)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/me")
    assert folder() == Path("/var/cache/me/emolab/weights")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert folder() == Path.home() / ".cache/emolab/weights"


def test_every_pin_is_a_hash_and_every_address_is_https() -> None:
    for known in weights.KNOWN:
        assert known.url.startswith("https://") and len(known.sha256) == 64 and known.size_B > 0
        assert set(known.sha256) <= set("0123456789abcdef")


def test_the_commands_list_fetch_and_verify(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(weights, "KNOWN", (replace(RIGHT, url=served.url),))
    run = CliRunner().invoke
    assert json.loads(run(app, ["list", "--json"]).stdout)["weights"][0]["here"] is False
    assert json.loads(run(app, ["verify", "--json"]).stdout) == {"faces": "not here"}
    assert json.loads(run(app, ["fetch", "faces", "--json"]).stdout)[0]["file"] == str(tmp_path / "faces.pth")
    assert "yes" in run(app, ["list"]).stdout and run(app, ["verify"]).exit_code == 0
    (tmp_path / "faces.pth").write_bytes(b"")
    failed = run(app, ["verify"])
    assert failed.exit_code == 1 and "delete it and run: emo-weights fetch faces" in failed.stdout.replace("\n", "")
    (tmp_path / "faces.pth").unlink()
    served.stop_after = 10
    broken = run(app, ["fetch", "faces", "--json"])
    assert broken.exit_code == 1 and "run the same command again" in broken.stderr
    (tmp_path / "faces.pth.part").unlink()
    (tmp_path / "offline").mkdir()
    (tmp_path / "offline" / "faces.pth").write_bytes(BODY)
    assert run(app, ["fetch", "faces", "--from", str(tmp_path / "offline")]).exit_code == 0
    assert run(app, ["verify"]).exit_code == 0


@pytest.mark.parametrize("given", [None, b"something else"])
def test_a_folder_without_the_right_file_is_bad_input_in_one_line(
    given: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path / "mine"))
    monkeypatch.setattr(weights, "KNOWN", (replace(RIGHT, url="https://example.org/faces.pth"),))
    if given is not None:
        (tmp_path / "faces.pth").write_bytes(given)
    monkeypatch.setattr("sys.argv", ["emo-weights", "fetch", "faces", "--from", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        weights.main()
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert ("is not there" if given is None else "sha256 = ") in line
    assert not (tmp_path / "mine/faces.pth").exists()


def test_an_unknown_name_is_bad_input_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["emo-weights", "fetch", "vgg"])
    with pytest.raises(SystemExit) as end:
        weights.main()
    assert end.value.code == 2
    assert (
        capsys.readouterr().err == "NAME = vgg: no such weights; use one of mobilenet_v2, inception_v3, yunet, yolov8n_face\n"
    )
