"""Strangers at the door of the real server: nothing is shown to them, and nothing can be commanded by them."""

import http.client
import http.server
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from collector import opening
from collector.page.guard import cookie_name, cookie_value
from tests.collector.page import scenes
from tests.collector.page.launcher import Launcher
from tests.page import Operator

pytestmark = pytest.mark.live

PATHS = ("/", "/static/emolab.js", "/report", "/docs", "/redoc", "/openapi.json", "/favicon.ico", "/nothing",
         "/_nicegui_ws/socket.io/?EIO=4&transport=polling")  # fmt: skip
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"


@pytest.fixture(scope="module")
def page(launcher: Launcher) -> Iterator[Launcher]:
    launcher.show(scenes.record(), scenes.status())
    yield launcher
    assert launcher.commands == []  # whatever was tried


def ask(page: Launcher, path: str, *, method: str = "GET", host: str = "", **headers: str) -> tuple[int, dict[str, str], bytes]:
    link = http.client.HTTPConnection("127.0.0.1", page.port, timeout=10)
    link.putrequest(method, path, skip_host=True)
    for name, value in {"Host": host or f"127.0.0.1:{page.port}", **headers}.items():
        link.putheader(name, value)
    link.endheaders()
    answer = link.getresponse()
    found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    link.close()
    return found


def cookie(page: Launcher) -> str:
    return f"{cookie_name(page.port)}={cookie_value(page.token)}"


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_there_is_nothing_to_see(page: Launcher, path: str) -> None:
    for method in ("GET", "POST", "PUT", "OPTIONS"):
        assert ask(page, path, method=method)[0] == 403
    assert ask(page, f"/?token={'x' * len(page.token)}")[0] == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.nip.io"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
def test_a_foreign_page_is_refused_though_the_browser_brings_the_cookie(page: Launcher, path: str, wrong: dict) -> None:
    assert ask(page, path, Cookie=cookie(page), **wrong)[0] == 403


def test_there_are_no_pages_about_the_server_itself(page: Launcher) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        _, _, body = ask(page, path, Cookie=cookie(page))
        assert b"swagger" not in body.lower()
        assert b'"openapi"' not in body


def test_the_report_is_served_only_where_there_is_one(page: Launcher) -> None:
    assert ask(page, "/report", Cookie=cookie(page))[0] == 404


@pytest.mark.parametrize(
    "wrong",
    [{"Cookie": "other=1"}, {"Origin": "https://evil.example"}, {"Origin": ""}, {"Host": "evil.example"},
     {"Host": "evil.example", "Origin": "http://evil.example"}],
    ids=str,
)  # fmt: skip
def test_a_strangers_socket_is_refused_before_it_opens(page: Launcher, wrong: dict[str, str]) -> None:
    host = f"127.0.0.1:{page.port}"
    headers = {"Host": host, "Origin": f"http://{host}", "Cookie": cookie(page), **wrong}
    assert dial(page, headers) == 403
    assert dial(page, {**headers, "Host": host, "Origin": f"http://{host}", "Cookie": cookie(page)}) == 101


def dial(page: Launcher, headers: dict[str, str]) -> int:
    """Return the status of a websocket's handshake."""
    head = {k: v for k, v in headers.items() if v and k != "Host"}
    try:
        with socket.create_connection(("127.0.0.1", page.port), 10) as raw:
            uri = f"ws://{headers['Host']}{SOCKET}"
            with connect(uri, sock=raw, additional_headers=head, proxy=None, open_timeout=10):
                return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_a_browser_that_opens_the_launcher_s_file_is_let_in_and_its_address_tells_no_key(
    chromium, page: Launcher, tmp_path: Path
) -> None:
    given: list[str] = []
    opening.browse(page.url, where=tmp_path, opens=given.append)
    context = chromium.new_context()
    window = context.new_page()
    window.goto(given[0])
    window.wait_for_selector('body[data-screen="record"]', timeout=20_000)
    assert window.url == f"http://127.0.0.1:{page.port}/"
    context.close()


@dataclass
class Neighbour:
    """Another server of this machine: to a browser it is the same site, to which it brings the same cookies."""

    url: str = ""
    brought: list[str] = field(default_factory=list)


@pytest.fixture
def neighbour() -> Iterator[Neighbour]:
    made = Neighbour()

    class Evil(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<p>evil")
            made.brought.append(self.headers.get("Cookie", ""))

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Evil) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        made.url = f"http://127.0.0.1:{server.server_port}"
        yield made
        server.shutdown()
        thread.join()


def test_a_foreign_page_in_the_operators_own_browser_cannot_pause(chromium, page: Launcher, neighbour: Neighbour) -> None:
    """A page of another server of this machine, open beside the operator's, with the operator's cookies."""
    with Operator(chromium, page.url) as operator:
        operator.wait(lambda o: o.screen == "record")
        stranger = operator.page.context.new_page()
        stranger.goto(f"http://localhost:{page.port}/")  # another site to the browser: the cookie is not brought
        assert "403" in stranger.content()
        sent: list[Any] = []
        stranger.on("request", lambda request: sent.append(request))
        script = """async base => {
            const tried = [], polling = '/_nicegui_ws/socket.io/?EIO=4&transport=polling';
            const command = '42["event",{"verb":"pause"}]';
            for (const [path, more] of [['/', {}], [polling, {}], [polling + '&sid=x', {method: 'POST', body: command}]])
                tried.push(await fetch(base + path, {credentials: 'include', mode: 'no-cors', ...more})
                    .then(r => r.type, () => 'failed'));
            tried.push(await new Promise(done => {
                const s = new WebSocket(base.replace('http', 'ws') + '/_nicegui_ws/socket.io/?EIO=4&transport=websocket');
                s.onopen = () => done('open'); s.onerror = () => done('failed');
            }));
            return tried;
        }"""
        stranger.goto(neighbour.url)
        tried = stranger.evaluate(script, f"http://127.0.0.1:{page.port}")
        assert tried == ["failed"] * 4
        base = f"http://127.0.0.1:{page.port}"
        asked = [(r.method, r.url.removeprefix(base)) for r in sent if r.url.startswith(f"{base}/")]
    assert [(method, path.partition("?")[0]) for method, path in asked] == [
        ("GET", "/"), ("GET", "/_nicegui_ws/socket.io/"), ("POST", "/_nicegui_ws/socket.io/"),
    ]  # fmt: skip
    assert any(cookie(page) in brought for brought in neighbour.brought), "cookies are every port's"
    site = {"Cookie": cookie(page), "Sec-Fetch-Site": "same-site"}
    for method, path in asked:  # a browser does not tell a page why it failed: what it sent is sent once more
        assert [ask(page, path, method=method, **site, **more)[0] for more in ({}, {"Origin": neighbour.url})] == [403, 403]
    assert page.commands == []


def test_the_page_listens_on_loopback_alone(page: Launcher) -> None:
    import psutil

    assert page.process is not None
    listening = [c.laddr for c in psutil.Process(page.process.pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert page.port in {address.port for address in listening}
    assert {address.ip for address in listening} == {"127.0.0.1"}, "on any port"
