"""A server extension for the measured servers: child processes, threads, other extensions.

The peer's cost grows with the number of processes that the server has started, so these
must really be its own.
"""

from __future__ import annotations

import subprocess
import threading
from collections import defaultdict
from typing import cast

from jupyter_server.base.handlers import APIHandler
from jupyter_server.serverapp import ServerApp
from tornado.web import authenticated

#: They end by themselves should the server be killed.
_LIFE_SECONDS = 1200

_children: list[subprocess.Popen[bytes]] = []


def _spawn(count: int) -> None:
    while len(_children) > count:
        child = _children.pop()
        child.kill()
        child.wait()
    while len(_children) < count:
        _children.append(subprocess.Popen(["sleep", str(_LIFE_SECONDS)]))


class ChildrenHandler(APIHandler):
    """``POST benchmark/children?count=N``: have so many from now on."""

    @authenticated
    async def post(self) -> None:
        """Start or end children until there are as many as asked for."""
        _spawn(int(self.get_query_argument("count")))
        await self.finish({"count": len(_children)})


class ThreadsHandler(APIHandler):
    """``GET benchmark/threads``: the kernel's ids of all Python threads, by name."""

    @authenticated
    async def get(self) -> None:
        """Python's names of threads do not reach the kernel before 3.14."""
        threads: dict[str, list[int | None]] = defaultdict(list)
        for thread in threading.enumerate():
            threads[thread.name].append(thread.native_id)
        await self.finish(threads)


class ExtensionHandler(APIHandler):
    """``POST`` and ``DELETE benchmark/extension?name=N``: load and stop one while we run.

    So one server with its kernels can be measured without and with each.
    """

    @authenticated
    async def post(self) -> None:
        """Load it as at the server's start."""
        name = self.get_query_argument("name")
        manager = _serverapp(self).extension_manager
        if not manager.add_extension(name, enabled=True):
            raise RuntimeError(f"There is no extension {name!r}.")
        manager.link_extension(name)
        manager.load_extension(name)
        await self.finish({"name": name})

    @authenticated
    async def delete(self) -> None:
        """Stop it as at the server's end."""
        name = self.get_query_argument("name")
        manager = _serverapp(self).extension_manager
        await manager.stop_extension(name, manager.extension_apps[name])
        await self.finish({"name": name})


def _serverapp(handler: APIHandler) -> ServerApp:
    return cast("ServerApp", handler.serverapp)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(app: ServerApp) -> None:
    # What does not load must not be measured as if it had.
    app.reraise_server_extension_failures = True
    app.web_app.add_handlers(
        ".*",
        [
            (r".*/benchmark/children", ChildrenHandler),
            (r".*/benchmark/threads", ThreadsHandler),
            (r".*/benchmark/extension", ExtensionHandler),
        ],
    )
