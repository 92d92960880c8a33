"""What other packages offer of the same programs: their tiles hidden, their addresses ours.

Packages such as jupyter-vscode-proxy add tiles through jupyter-server-proxy. Where we look
after the same program, two tiles would start it twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server_proxy.api import ServersInfoHandler
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, PathMatches, Rule, RuleRouter
from tornado.web import Application as WebApplication
from tornado.web import HTTPError, authenticated

from .manager import AppsManager

#: The address at which jupyter-server-proxy's part of the page asks for tiles.
INFO = "server-proxy/servers-info"


def replaced(manager: AppsManager) -> dict[str, str]:
    """Return names under which others offer what is installed and ours, and our names."""
    return {
        vendor: app.name
        for app in manager.registry.all()
        if manager.registry.found(app).program is not None
        for vendor in app.vendor_names
    }


class VendorMatcher(Matcher):
    """Matches addresses that others give to applications of ours."""

    def __init__(self, manager: AppsManager, base_url: str) -> None:
        self._manager = manager
        self._base_url = base_url

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return our own address, and what follows it."""
        if not request.path.startswith(self._base_url):
            return None
        name, _, rest = request.path[len(self._base_url) :].partition("/")
        ours = replaced(self._manager).get(name)
        return None if ours is None else {"path_args": [f"{ours}/{rest}".encode()]}


class VendorHandler(JupyterHandler):
    """Leads from the address of another package to ours."""

    @authenticated
    def get(self, path: str) -> None:
        """Redirect, with the query."""
        query = self.request.query
        self.redirect(self.base_url + path + (f"?{query}" if query else ""))


class InfoHandler(ServersInfoHandler):  # type: ignore[misc] # has no types
    """Tells which tiles jupyter-server-proxy offers, less those that we replace."""

    def initialize(self, manager: AppsManager) -> None:
        """Find what the other handler at this address, which comes after us, would tell."""
        names = replaced(manager).keys() | {app.name for app in manager.registry.all()}
        processes = servers_of(self.application)
        self.is_there = processes is not None
        self.server_processes = [p for p in processes or () if p.name not in names]

    async def prepare(self) -> None:
        """Answer only where jupyter-server-proxy would."""
        await super().prepare()
        if not self.is_there:
            raise HTTPError(404)


def servers_of(application: WebApplication) -> list[Any] | None:
    """Return the servers that jupyter-server-proxy knows; None if it is not loaded."""
    for rule in _rules(application.default_router):
        if rule.target is ServersInfoHandler:
            return list(rule.target_kwargs["server_processes"])
    return None


def _rules(router: Any) -> Iterator[Rule]:
    for rule in getattr(router, "rules", ()):
        yield rule
        if isinstance(rule.target, RuleRouter):
            yield from _rules(rule.target)


def vendor_rules(manager: AppsManager, base_url: str) -> list[Rule]:
    """Return the routes that take the place of other packages'."""
    info = PathMatches(re.escape(base_url + INFO))
    return [
        Rule(VendorMatcher(manager, base_url), VendorHandler),
        Rule(info, InfoHandler, {"manager": manager}),
    ]
