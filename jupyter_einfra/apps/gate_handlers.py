"""What comes before an application: whether it runs, who may reach it, and what is told if not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http.client import responses
from types import MappingProxyType
from typing import cast

import msgspec
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server_proxy.handlers import NamedLocalProxyHandler
from tornado.escape import url_escape
from tornado.web import HTTPError

from ..base import Access
from ..errors import EinfraError, Forbidden
from ..models import ErrorBody
from . import own_page
from .errors import AppNotRunning, NoSuchInstance, TooManyInstances
from .manager import AppsManager
from .page import Page, chooser, guest, launch, left
from .requests import Visit, visit_of
from .supervision.instance import Instance
from .supervision.supervisor import Place

#: Bytes that may not stand in a request as they are; browsers do not send them.
_UNSAFE = re.compile(r"[^!-~]|#")

#: Where programs that cannot listen on a socket do.
HOST = "127.0.0.1"


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
            return
        icon = self._manager.registry.icon(instance.app)
        is_owner = self.acts_for_owner()
        self._show(left(instance, icon) if is_owner else guest(instance.app, icon))

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
        return f"{protocol}://{HOST}:{port}{asked}"

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
