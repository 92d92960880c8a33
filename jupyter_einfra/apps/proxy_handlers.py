"""The addresses of applications: to the program where it runs, else to a page of ours.

jupyter-server-proxy does the proxying, but for the answers to plain requests: see `client`;
and for byte streams: see `byte_stream`. What comes before it is the `Gate`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from jupyter_server_proxy.handlers import NamedLocalProxyHandler
from jupyter_server_proxy.rawsocket import RawSocketHandler
from multidict import CIMultiDictProxy
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.websocket import WebSocketClosedError

from ..errors import EinfraError
from .byte_stream import ByteStream
from .client import Unanswered, pass_on
from .errors import AppNotAnswering, AppNotRunning
from .gate_handlers import HOST, Gate
from .manager import AppsManager
from .presence.element import script_element
from .presence.insertion import Insertion
from .presence.permission import allows_script, is_page, is_xml
from .requests import shows_answer
from .supervision.supervisor import Place

#: What a program is told of its address, by the names that frameworks know.
_CONTEXT = ("X-Forwarded-Context", "X-ProxyContextPath", "X-Forwarded-Prefix")


class AppMatcher(Matcher):
    """Matches the addresses of all applications there are at the time of the request.

    Parameters
    ----------
    raw_socket:
        Whether of those whose WebSockets carry a byte stream, or of all others.
    """

    def __init__(self, manager: AppsManager, base_url: str, *, raw_socket: bool) -> None:
        self._manager = manager
        self._base_url = base_url
        self._raw_socket = raw_socket

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return what follows the base URL, for the handler."""
        if not request.path.startswith(self._base_url):
            return None
        path = request.path[len(self._base_url) :]
        app = self._manager.registry.get(path.partition("/")[0])
        if app is None or app.raw_socket != self._raw_socket:
            return None
        return {"path_args": [path.encode()], "path_kwargs": {}}


class AppProxyHandler(Gate, NamedLocalProxyHandler):  # type: ignore[misc] # has no types
    """Applications that speak HTTP and WebSockets."""

    _passing: asyncio.Task[None] | None = None
    _gone = False

    async def proxy(self, port: int, path: str) -> None:
        """Pass a request on; say so if the program does not answer."""
        if self._gone:
            return
        context = self.base_url + self.name
        headers = {} if self.absolute_url else dict.fromkeys(_CONTEXT, context)
        is_shown = shows_answer(self.request.method, self.request.headers)
        if is_shown:
            headers["Accept-Encoding"] = "identity"  # what is packed cannot be added to
        self._passing = asyncio.ensure_future(
            pass_on(
                self,
                self.get_client_uri("http", HOST, port, path),
                socket=self.unix_socket or "",
                headers={**headers, **self._added},
                prefix="" if self.absolute_url else context,
                amend=self._amend if is_shown else None,
            )
        )
        try:
            await asyncio.wait({self._passing})
            self._passing.result()
        except Unanswered as error:
            self._refuse(self._unreachable(str(error)))
        except asyncio.CancelledError:
            self._passing.cancel()
            if not self._passing.cancelled():
                raise

    def _amend(self, status: int, headers: CIMultiDictProxy[str]) -> Insertion | None:
        """Have the program's page tell of its use, unless the program does not allow it."""
        instance = cast("Place", self._place).instance
        if instance is None or not is_page(status, headers):
            return None
        if not allows_script(headers.getall("Content-Security-Policy", ())):
            self._manager.idleness.hide(instance)
            return None
        _ = self.xsrf_token  # sets the cookie that goes with it, with which the page reports
        return Insertion(script_element(self.base_url, self.name), is_xml=is_xml(headers))

    def on_connection_close(self) -> None:
        """Tell the program that nobody waits for it any more."""
        self._gone = True
        if self._passing is not None:
            self._passing.cancel()
        super().on_connection_close()

    def on_message(self, message: str | bytes) -> None:
        """Pass on what the browser says; where the program is gone, that is the end."""
        try:
            super().on_message(message)
        except WebSocketClosedError:
            self.close()

    def write_message(self, message: Any, binary: bool = False) -> asyncio.Future[None]:
        """Pass on what the program says; where the browser is gone, that is the end."""
        try:
            return cast("asyncio.Future[None]", super().write_message(message, binary))
        except WebSocketClosedError:
            self.on_close()
            gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            gone.set_result(None)
            return gone

    def _unreachable(self, error: str) -> EinfraError:
        """Tell one that has just ended from one that does not answer."""
        place = cast("Place", self._place)
        instance = place.instance
        if instance is None or instance.state != "running":
            return AppNotRunning(place.app.title if instance is None else instance.title)
        return AppNotAnswering(instance.title, error)


class AppRawSocketHandler(Gate, RawSocketHandler):  # type: ignore[misc] # has no types
    """Applications whose WebSockets carry a byte stream."""

    _stream: ByteStream | None = None

    async def _create_ws_connection(self, proto: Callable[[], asyncio.Protocol]) -> Any:
        """Connect to the program, and to nobody else who has its port at another address.

        Not with the proxy's own protocol, which knows no bounds.
        """
        loop = asyncio.get_running_loop()
        if self.unix_socket is not None:
            pair = await loop.create_unix_connection(lambda: ByteStream(self), self.unix_socket)
        else:
            pair = await loop.create_connection(lambda: ByteStream(self), HOST, self.port)
        self._stream = pair[1]
        return pair

    async def on_message(self, message: str | bytes) -> None:
        """Pass on what the browser says; nothing more is read before there is room for it."""
        if self._stream is not None:
            await self._stream.send(message)

    def on_close(self) -> None:
        """Let go of the program."""
        if self._stream is not None:
            self._stream.abort()


def rules(manager: AppsManager, base_url: str) -> list[Rule]:
    """Return the routes of all applications."""
    return [
        Rule(AppMatcher(manager, base_url, raw_socket=False), AppProxyHandler),
        Rule(AppMatcher(manager, base_url, raw_socket=True), AppRawSocketHandler),
    ]
