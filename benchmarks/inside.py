"""A server extension for the measured servers: child processes, and which thread is which.

The peer's cost grows with the number of processes that the server has started, so these
must really be its own.
"""

from __future__ import annotations

import subprocess
import threading

from jupyter_server.base.handlers import APIHandler
from jupyter_server.serverapp import ServerApp
from tornado.web import authenticated

#: They end by themselves should the server be killed.
_LIFE_SECONDS = 900

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
    """``GET benchmark/threads``: the kernel's id of every Python thread, by name."""

    @authenticated
    async def get(self) -> None:
        """Python's names of threads do not reach the kernel before 3.14."""
        await self.finish({t.name: t.native_id for t in threading.enumerate()})


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(app: ServerApp) -> None:
    app.web_app.add_handlers(
        ".*",
        [
            (r".*/benchmark/children", ChildrenHandler),
            (r".*/benchmark/threads", ThreadsHandler),
        ],
    )
