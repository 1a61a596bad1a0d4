"""Who may speak with the page: every question that a stranger fails, on an application that says hello to everybody."""

import asyncio
from collections.abc import Mapping

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from collector.page.guard import Guard, cookie_name, cookie_value, host_is_ours, same

TOKEN, PORT = "correct-horse-battery-staple", 8123
HOST = f"127.0.0.1:{PORT}"
COOKIE = f"{cookie_name(PORT)}={cookie_value(TOKEN)}"


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello")(scope, receive, send)


def ask(path: str = "/", *, method: str = "GET", headers: Mapping[str, str] | None = None) -> httpx.Response:
    async def asking() -> httpx.Response:
        transport = httpx.ASGITransport(Guard(hello, token=TOKEN, port=PORT))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            return await client.request(method, path, headers={"host": HOST, **(headers or {})})

    return asyncio.run(asking())


def test_the_token_is_exchanged_for_a_cookie_that_scripts_cannot_read() -> None:
    answer = ask(f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert answer.headers["set-cookie"] == f"{COOKIE}; HttpOnly; Path=/; SameSite=strict"
    assert TOKEN not in answer.headers["set-cookie"]
    assert ask("/anything", headers={"cookie": f"other=1; {COOKIE}"}).text == "hello"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/?token=", {}),
        ("/?token=wrong", {}),
        (f"/?token={TOKEN}x", {}),
        (f"/?token={TOKEN}&token=x", {}),
        (f"/static/page.css?token={TOKEN}", {}),
        ("/", {"cookie": f"{cookie_name(PORT)}={TOKEN}"}),
        ("/", {"cookie": f"{cookie_name(PORT)}={cookie_value('another-token-of-another-start')}"}),
        ("/", {"cookie": f"{cookie_name(PORT + 1)}={cookie_value(TOKEN)}"}),
        ("/", {"cookie": "=;;,\x7f"}),
        ("/", {"cookie": COOKIE, "host": "evil.example"}),
        ("/", {"cookie": COOKIE, "host": f"127.0.0.1.evil.example:{PORT}"}),
        ("/", {"cookie": COOKIE, "host": f"evil.example:{PORT}"}),
        ("/", {"cookie": COOKIE, "host": f"evil@127.0.0.1:{PORT}@evil.example"}),
        ("/", {"cookie": COOKIE, "host": "192.168.1.7:8123"}),
        ("/", {"cookie": COOKIE, "host": ""}),
        ("/", {"cookie": COOKIE, "origin": "https://evil.example"}),
        ("/", {"cookie": COOKIE, "origin": "null"}),
        ("/", {"cookie": COOKIE, "origin": f"https://{HOST}"}),
        ("/", {"cookie": COOKIE, "origin": "http://127.0.0.1:9999"}),
        ("/", {"cookie": COOKIE, "origin": f"http://localhost:{PORT}"}),
        ("/", {"cookie": COOKIE, "sec-fetch-site": "cross-site"}),
        ("/", {"cookie": COOKIE, "sec-fetch-site": "same-site"}),
        (f"/?token={TOKEN}", {"host": "evil.example"}),
        (f"/?token={TOKEN}", {"origin": "https://evil.example"}),
    ],
)
def test_a_stranger_is_refused(path: str, headers: dict[str, str]) -> None:
    answer = ask(path, headers=headers)
    assert answer.status_code == 403
    assert "hello" not in answer.text
    assert "set-cookie" not in answer.headers


OPENED = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def test_a_window_that_the_launcher_s_file_opens_lands_with_the_token_alone() -> None:
    answer = ask(f"/?token={TOKEN}", headers=OPENED)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["set-cookie"] == f"{COOKIE}; HttpOnly; Path=/; SameSite=strict"
    assert 'content="0;url=/"' in answer.text and TOKEN not in answer.text
    refused = [
        ask("/", headers=OPENED), ask("/", headers=OPENED | {"cookie": COOKIE}), ask("/?token=wrong", headers=OPENED),
        ask(f"/?token={TOKEN}", method="POST", headers=OPENED),
        ask(f"/?token={TOKEN}", headers=OPENED | {"sec-fetch-dest": "iframe"}),
        ask(f"/?token={TOKEN}", headers=OPENED | {"sec-fetch-mode": "no-cors"}),
        ask(f"/?token={TOKEN}", headers=OPENED | {"origin": "null"}),
        ask(f"/?token={TOKEN}", headers=OPENED | {"host": "evil.example"}),
    ]  # fmt: skip
    assert [answer.status_code for answer in refused] == [403] * len(refused)


def test_the_token_lets_in_by_a_get_alone() -> None:
    assert ask(f"/?token={TOKEN}", method="POST").status_code == 403


@pytest.mark.parametrize("host", [HOST, "127.0.0.1", f"localhost:{PORT}", "localhost:9000"])
def test_the_browser_of_this_machine_is_let_in_through_a_tunnel_too(host: str) -> None:
    assert (
        ask(headers={"cookie": COOKIE, "host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}).text
        == "hello"
    )


@pytest.mark.parametrize(
    "host", ["127.0.0.1:x", "127.0.0.1:", "[::1", "127.0.0.1/", "127.0.0.1#", "LOCALHOST.", "0.0.0.0:8123"]
)
def test_a_name_that_is_not_quite_ours_is_not_ours(host: str) -> None:
    assert not host_is_ours(host)


def test_every_answer_forbids_what_the_page_does_not_need() -> None:
    for headers in ({}, {"cookie": COOKIE}):
        answer = ask(headers=headers)
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"  # the address holds the token once


def test_a_short_token_is_no_token() -> None:
    with pytest.raises(ValueError, match="fewer than 16"):
        Guard(hello, token="short", port=PORT)


def test_texts_that_are_no_ascii_are_compared_too() -> None:
    assert not same("\udcff", TOKEN)
    assert same("đúng", "đúng")


async def _dial(headers: dict[str, str]) -> list[dict]:
    sent: list[dict] = []

    async def send(message) -> None:
        sent.append(dict(message))

    async def receive():
        return {"type": "websocket.connect"}

    async def accepting(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})

    scope = {"type": "websocket", "path": "/_nicegui_ws/socket.io/", "query_string": f"token={TOKEN}".encode(),
             "headers": [(k.encode(), v.encode()) for k, v in headers.items()]}  # fmt: skip
    await Guard(accepting, token=TOKEN, port=PORT)(scope, receive, send)
    return sent


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({"host": HOST, "cookie": COOKIE, "origin": f"http://{HOST}"}, True),
        ({"host": HOST, "cookie": COOKIE}, False),  # browsers always say where a socket comes from
        ({"host": HOST, "cookie": COOKIE, "origin": "https://evil.example"}, False),
        ({"host": HOST, "origin": f"http://{HOST}"}, False),
        ({"host": "evil.example", "cookie": COOKIE, "origin": "http://evil.example"}, False),  # a name bound to this machine
    ],
)
def test_a_socket_is_asked_the_same(headers: dict[str, str], accepted: bool) -> None:
    (answer,) = asyncio.run(_dial(headers))
    assert answer["type"] == ("websocket.accept" if accepted else "websocket.close")
