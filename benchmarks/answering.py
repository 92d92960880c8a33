"""A program to proxy: ``python answering.py SOCKET`` answers at once, much, or by echo.

``GET /``: a few bytes. ``GET /much?bytes=N``: N of them. ``GET /page?bytes=N``: a page with
as many. ``/socket``: echoes messages.
"""

from __future__ import annotations

import asyncio
import sys

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

_CHUNK = bytes(256 * 1024)


class _Few(RequestHandler):
    def get(self) -> None:
        self.write(b"ready")


class _Much(RequestHandler):
    async def get(self) -> None:
        left = int(self.get_query_argument("bytes"))
        self.set_header("Content-Length", str(left))
        while left > 0:
            self.write(_CHUNK[:left])
            await self.flush()
            left -= len(_CHUNK)


class _Page(RequestHandler):
    def get(self) -> None:
        filling = "x" * int(self.get_query_argument("bytes"))
        self.write(f"<!doctype html><html><head><title>Page</title></head>{filling}</html>")


class _Echo(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message, binary=isinstance(message, bytes))


async def _serve(socket: str) -> None:
    routes = [("/", _Few), ("/much", _Much), ("/page", _Page), ("/socket", _Echo)]
    application = Application(routes)
    server = HTTPServer(application)
    server.add_socket(bind_unix_socket(socket, mode=0o600))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
