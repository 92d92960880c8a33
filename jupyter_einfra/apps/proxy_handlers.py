"""The addresses of applications: to the program where it runs, else to a page of ours.

jupyter-server-proxy does the proxying, but for the answers to plain requests: see `client`.
What comes before it, whether the program runs, who may reach it, and what everybody is told
while it does not, is `Gate`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from http.client import responses
from types import MappingProxyType
from typing import Any, cast

import msgspec
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server_proxy.handlers import NamedLocalProxyHandler
from jupyter_server_proxy.rawsocket import RawSocketHandler
from multidict import CIMultiDictProxy
from tornado.escape import url_escape
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import HTTPError

from ..base import Access
from ..errors import EinfraError, Forbidden
from ..models import ErrorBody
from . import own_page
from .byte_stream import ByteStream
from .client import Unanswered, pass_on
from .errors import AppNotAnswering, AppNotRunning, NoSuchInstance, TooManyInstances
from .manager import AppsManager
from .page import Page, chooser, guest, launch, left
from .presence.element import script_element
from .presence.insertion import Insertion
from .presence.permission import allows_script, is_page, is_xml
from .requests import Visit, shows_answer, visit_of
from .supervision.instance import Instance
from .supervision.supervisor import Place

#: What a program is told of its address, by the names that frameworks know.
_CONTEXT = ("X-Forwarded-Context", "X-ProxyContextPath", "X-Forwarded-Prefix")

#: Bytes that may not stand in a request as they are; browsers do not send them.
_UNSAFE = re.compile(r"[^!-~]|#")

#: Where programs that cannot listen on a socket do.
_HOST = "127.0.0.1"


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


class Gate(Access):
    """Comes before a proxy handler and lets nothing through to what does not run."""

    _place: Place | None = None
    _rest = ""
    _added: Mapping[str, str] = MappingProxyType({})
    _refused = False

    async def prepare(self) -> None:
        """Let the request through to the program, or answer it."""
        await super().prepare()  # type: ignore[misc] # the proxy's, which authenticates
        handler = cast("JupyterHandler", self)
        if handler._finished:
            return
        try:
            await self._decide(handler)
        except EinfraError as error:
            self._refuse(error)

    async def _decide(self, handler: JupyterHandler) -> None:
        manager = self._manager
        self.require_feature("apps")
        if not await self.may("execute", "einfra-apps"):
            raise Forbidden
        path = handler.request.path[len(handler.base_url) :]
        place = manager.supervisor.place(path)
        if place is None:  # it was there when the request was matched
            raise HTTPError(404)
        self._place = place
        visit = visit_of(
            handler.request.method or "", handler.request.headers, handler.request.host
        )
        instance = place.instance
        query = self._query_without_token(handler)
        is_person = visit in (Visit.PERSON, Visit.STRANGER)
        if is_person and (not place.rest or query != handler.request.query):
            # Relative links need the slash; the token has done its work, and is not for logs.
            path = handler.request.path + ("" if place.rest else "/")
            handler.redirect(path + (f"?{query}" if query else ""))
        elif asset := place.app.page and own_page.find_asset(place.app.page, place.rest):
            self._send_asset(asset)
        elif instance is not None and place.rest in instance.app.leave_paths:
            self._leave(handler, instance)
        elif instance is not None and instance.state == "running":
            handler.request.query = query
            if instance.app.page is not None and not (
                visit is Visit.SOCKET and place.rest == own_page.SOCKET_PATH
            ):
                self._show_own(instance, visit, place.rest)
            else:
                self._let_through(instance, place.rest)
        elif not is_person:
            if instance is None and place.app.per_folder:
                raise NoSuchInstance(path.strip("/"))
            raise AppNotRunning(place.app.title if instance is None else instance.title)
        else:
            self._show(self._page(place, visit))

    def _leave(self, handler: JupyterHandler, instance: Instance) -> None:
        """Show a page with a way back in place of one on which nobody could sign in again."""
        if handler.request.method != "GET":
            handler.redirect(handler.request.path, status=303)  # so that it can be loaded anew
        elif self.acts_for_owner():
            self._show(left(instance, self._manager.registry.icon(instance.app)))
        else:
            self._show(guest(instance.app, self._manager.registry.icon(instance.app)))

    def _query_without_token(self, handler: JupyterHandler) -> str:
        """Return the query less the server's own token, which no program needs to log."""
        query, token = handler.request.query, handler.token
        if not token or token not in query:
            return query
        parts = query.split("&")
        return "&".join(part for part in parts if part != f"token={url_escape(token, plus=False)}")

    def _let_through(self, instance: Instance, rest: str) -> None:
        """Tell the proxy where to go."""
        handler = cast("NamedLocalProxyHandler", self)
        handler.name = instance.id
        handler.unix_socket = instance.socket or None
        handler.port = instance.port
        handler.proxy_base = instance.id
        handler.absolute_url = instance.app.absolute_url
        self._added = instance.headers
        handler.path_args = [rest]
        self._rest = rest

    def _page(self, place: Place, visit: Visit) -> Page:
        """Return the page for somebody who came where nothing runs."""
        manager = self._manager
        instance = place.instance
        icon = manager.registry.icon(place.app)
        if not self.acts_for_owner():
            return guest(place.app, icon)
        if instance is None:
            return chooser(
                place.app,
                icon,
                running=manager.supervisor.of(place.app),
                recent=manager.remembered.folders(place.app.name),
            )
        if visit is Visit.PERSON and instance.may_start_by_itself:
            try:
                manager.begin(instance)
            except TooManyInstances as error:
                return launch(instance, icon, error)
        return launch(instance, icon)

    def _show_own(self, instance: Instance, visit: Visit, rest: str) -> None:
        """Show a program that has no page, on one of ours; nothing else is at its address."""
        handler = cast("JupyterHandler", self)
        if visit is Visit.SOCKET or rest != "/" or handler.request.method not in ("GET", "HEAD"):
            self._refused = True  # how the page finds out whether the program runs
            raise HTTPError(404)
        self._send(*own_page.rendered(instance.app.page or "", instance, handler))

    def _send_asset(self, asset: own_page.Asset) -> None:
        """Send what browsers may keep: its address changes with it."""
        handler = cast("JupyterHandler", self)
        handler.set_header("Content-Type", f"{asset.content_type}; charset=utf-8")
        handler.set_header("Cache-Control", "private, max-age=31536000, immutable")
        handler.set_header("X-Content-Type-Options", "nosniff")
        handler.finish(asset.content)

    def _show(self, page: Page) -> None:
        self._send(*page.rendered(cast("JupyterHandler", self)))

    def _send(self, text: str, policy: str) -> None:
        """Answer with a document of ours."""
        handler = cast("JupyterHandler", self)
        handler.set_status(200)
        handler.set_header("Content-Type", "text/html; charset=utf-8")
        handler.set_header("Content-Security-Policy", policy)
        handler.set_header("Cache-Control", "no-store")
        # What is shown depends on how one came here.
        handler.set_header("Vary", "Sec-Fetch-Dest, Sec-Fetch-Site, Accept, Accept-Language")
        handler.set_header("Referrer-Policy", "same-origin")
        handler.finish(text)

    def _refuse(self, error: EinfraError) -> None:
        """Answer as every handler of ours does."""
        self._refused = True
        handler = cast("JupyterHandler", self)
        body = ErrorBody(
            message=error.message,
            reason=responses.get(error.http_status, "Unknown"),
            code=error.code,
            params=dict(error.params),
        )
        handler.clear()
        handler.set_status(error.http_status)
        handler.set_header("Content-Type", "application/json")
        handler.set_header("Cache-Control", "no-store")
        handler.finish(msgspec.json.encode(body))

    def get_client_uri(self, protocol: str, host: str, port: int, proxied_path: str) -> str:
        """Return what the program is asked for: letter by letter what the browser asked.

        The proxy's own would decode and encode it, which is not always the same, and ask
        `host`, a name that leads to the address of version 6 as well: anybody's, there.
        """
        handler = cast("NamedLocalProxyHandler", self)
        path = handler.request.path if handler.absolute_url else self._rest or "/"
        query = f"?{handler.request.query}" if handler.request.query else ""
        asked = _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", path + query)
        return f"{protocol}://{_HOST}:{port}{asked}"

    def get_request_headers_override(self) -> Mapping[str, str]:
        """Return what the program gets with WebSockets, besides what the browser sent."""
        return self._added

    def _record_activity(self) -> None:
        """Take no request for activity: an open page asks for this and that by itself."""

    def _log(self) -> None:
        """Keep quiet about refusals: a page that was left open asks again and again."""
        if not self._refused:
            super()._log()  # type: ignore[misc]

    @property
    def _manager(self) -> AppsManager:
        return cast("AppsManager", cast("JupyterHandler", self).settings["einfra_apps"])


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
                self.get_client_uri("http", _HOST, port, path),
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
            pair = await loop.create_connection(lambda: ByteStream(self), _HOST, self.port)
        self._stream = pair[1]
        return pair

    async def on_message(self, message: str | bytes) -> None:
        """Pass on what the browser says; nothing more is read before there is room for it."""
        self._record_activity()
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
