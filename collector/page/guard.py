"""Who may speak with the page: its own browser, and nobody else. Stands before everything, websockets too.

Three questions, each of which a stranger fails: does the request come to a name of this machine (a page elsewhere whose name
was bound to 127.0.0.1 does not), was it made by a page of this server (``Origin``, ``Sec-Fetch-Site``), and does it know the
token of this start. The token stands in the address once; then a cookie that scripts cannot read replaces it.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = frozenset({"127.0.0.1", "localhost"})  # with any port: an SSH tunnel may end at another one
# NiceGUI's start-up script stands in the page, and server-side calls are evaluated; nothing comes from elsewhere
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_REFUSED = 403
_LANDING = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/"><title>emolab</title>'
_VIOLATION = 1008  # the websocket close code of a refusal

log = logging.getLogger(__name__)


def cookie_name(port: int) -> str:
    """Cookies of one host are shared by all its ports: each server has its own name."""
    return f"emolab-page-{port}"


def cookie_value(token: str) -> str:
    """What the browser keeps: it tells nothing of the token, and is the same after a restart of the page."""
    return hmac.new(token.encode(), b"emolab operator page", hashlib.sha256).hexdigest()


def host_is_ours(host: str) -> bool:
    """Whether a Host header names this machine."""
    try:
        parts = urlsplit(f"//{host}")
        named = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
    except ValueError:
        return False
    return parts.hostname in HOSTS and named == host  # nothing before, between or after


def comes_from_us(headers: Mapping[str, str], *, websocket: bool) -> bool:
    """Whether a request was made by a page of this server, or by the person at the address bar."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    if site not in ("same-origin", "none"):
        return False
    return not websocket if origin is None else origin == f"http://{headers.get('host', '')}"


def is_opened_by_a_file(headers: Mapping[str, str]) -> bool:
    """Whether a window goes here from a page that is not ours, as the launcher's own file makes it; then the token decides."""
    wanted = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    return "origin" not in headers and all(headers.get(name) == value for name, value in wanted.items())


def holds_cookie(headers: Mapping[str, str], *, name: str, value: str) -> bool:
    """Whether the request carries the cookie of this start."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return False
    return name in jar and same(jar[name].value, value)


def same(given: str, secret: str) -> bool:
    """Compare in a time that does not depend on where they differ."""
    return hmac.compare_digest(given.encode(errors="replace"), secret.encode())


class Guard:
    """An ASGI application around another one that lets the operator's own browser through.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    token : str
        The secret of this start.
    port : int
        Where the server listens; names the cookie.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        if len(token) < 16:
            raise ValueError("token: has fewer than 16 characters")
        self.app, self._token = app, token
        self._cookie, self._value = cookie_name(port), cookie_value(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):  # the start and end of the server itself
            await self.app(scope, receive, send)
            return
        headers, is_socket = Headers(scope=scope), scope["type"] == "websocket"
        ours = comes_from_us(headers, websocket=is_socket)
        if not host_is_ours(headers.get("host", "")):
            await self._refuse(scope, receive, send)
        elif ours and holds_cookie(headers, name=self._cookie, value=self._value):
            await self.app(scope, receive, _with_headers(send))
        elif not is_socket and (ours or is_opened_by_a_file(headers)) and self._knows_token(scope):
            await self._let_in(scope, receive, _with_headers(send), lands=not ours)
        else:
            await self._refuse(scope, receive, send)

    def _knows_token(self, scope: Scope) -> bool:
        if scope["method"] != "GET" or scope["path"] != "/":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
        return len(given) == 1 and same(given[0], self._token)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send, *, lands: bool) -> None:
        """Give the cookie, and an address without the token, which would stay in the browser's history.

        A browser that comes from a file sends no such cookie along a redirection: it ``lands`` here first, and goes on from us.
        """
        answer: Response = RedirectResponse("/", status_code=303, headers={"Cache-Control": "no-store"})
        if lands:
            answer = HTMLResponse(_LANDING, headers={"Cache-Control": "no-store"})
        answer.set_cookie(self._cookie, self._value, httponly=True, samesite="strict", path="/")
        await answer(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        log.warning("refused: %s %s", scope["type"], scope["path"][:200])
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _VIOLATION})  # before it is accepted: HTTP 403
            return
        answer = PlainTextResponse(
            "403: open the address that emo-run printed\n", _REFUSED, headers={"Cache-Control": "no-store"}
        )
        await answer(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
