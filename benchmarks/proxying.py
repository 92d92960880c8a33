"""What a request to an application costs, beside plain jupyter-server-proxy.

One server, one program, two ways to it: ours, and a server that is configured for
jupyter-server-proxy itself. Both speak to the program over its unix socket.
"""

from __future__ import annotations

import asyncio
import http.client
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from .figures import Figure, median, ratio_of, spread
from .servers import TOKEN, Connection, Server, running

_PROGRAM = Path(__file__).parent / "answering.py"
_WAYS = ("ours", "plain")


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int = 15
    requests: int = 200
    pages: int = 50
    megabytes: int = 64  # the peer refuses 100


def measure(directory: Path, size: Size) -> list[Figure]:
    """Ask the two in turns."""
    command = [sys.executable, str(_PROGRAM)]
    ours = {"title": "Ours", "command": [*command, "{socket}"]}
    plain = {"command": [*command, "{unix_socket}"], "unix_socket": True}
    arguments = [
        f"--AppsManager.custom_apps={ {'ours': ours} }",
        f"--ServerProxy.servers={ {'plain': plain} }",
    ]
    with running(directory, "proxying", "einfra", arguments) as server:
        _begin(server)
        taken: dict[str, dict[str, list[float]]] = {}
        kinds: dict[str, Callable[[str], float]] = {
            "latency": lambda way: _latency(server, way, size.requests),
            "socket": lambda way: asyncio.run(_echo(server, way, size.requests)),
            "page": lambda way: _page(server, way, size.pages),
            "throughput": lambda way: _throughput(server, way, size.megabytes * 10**6),
        }
        for name, run in kinds.items():
            values = taken[name] = {way: [] for way in _WAYS}
            for turn in range(size.rounds + 1):
                for way in _WAYS if turn % 2 else reversed(_WAYS):
                    value = run(way)
                    if turn:  # the first fills the caches
                        values[way].append(value)
    return [
        *_beside("a request through the proxy", taken["latency"], "latency"),
        *_beside("a WebSocket message to and fro", taken["socket"], "latency"),
        *_beside("a page of 100 kB that gets our script", taken["page"], "latency"),
        *_beside(f"{size.megabytes} MB through the proxy", taken["throughput"], "time"),
    ]


def _begin(server: Server) -> None:
    """Start both, each in its own way."""
    connection = Connection(server.port)
    connection.ask("/plain/")
    body = {"app": "ours", "path": None, "show": False}
    connection.ask("/jupyter-einfra/apps/open", "POST", body)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            connection.ask("/ours/")
        except RuntimeError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("The program of ours does not run.")


def _latency(server: Server, way: str, requests: int) -> float:
    """Return the median of so many small requests, in ms, over one kept connection."""
    connection = Connection(server.port)
    times = []
    for _ in range(requests):
        begin = time.perf_counter()
        assert connection.ask(f"/{way}/") == b"ready"
        times.append(time.perf_counter() - begin)
    connection.close()
    return median(times) * 1e3


async def _echo(server: Server, way: str, messages: int) -> float:
    """Return the median of so many messages to and fro, in ms."""
    socket = await websocket_connect(
        HTTPRequest(
            f"ws://127.0.0.1:{server.port}/{way}/socket",
            headers={"Authorization": f"token {TOKEN}"},
        )
    )
    times = []
    for _ in range(messages):
        begin = time.perf_counter()
        await socket.write_message("x" * 100)
        assert await socket.read_message() is not None
        times.append(time.perf_counter() - begin)
    socket.close()
    return median(times) * 1e3


def _page(server: Server, way: str, pages: int) -> float:
    """Return the median of so many pages that a browser goes to, in ms."""
    http_ = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Authorization": f"token {TOKEN}", "Sec-Fetch-Dest": "document"}
    headers |= {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none", "Accept": "text/html"}
    times = []
    for _ in range(pages):
        begin = time.perf_counter()
        http_.request("GET", f"/{way}/page?bytes=100000", headers=headers)
        told = http_.getresponse().read()
        times.append(time.perf_counter() - begin)
        assert (b"presence.js" in told) == (way == "ours")
    http_.close()
    return median(times) * 1e3


def _throughput(server: Server, way: str, size: int) -> float:
    """Return how long so many bytes take, in ms."""
    http_ = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    begin = time.perf_counter()
    http_.request("GET", f"/{way}/much?bytes={size}", headers={"Authorization": f"token {TOKEN}"})
    reply = http_.getresponse()
    read = 0
    buffer = bytearray(2**20)
    while count := reply.readinto(buffer):
        read += count
    seconds = time.perf_counter() - begin
    http_.close()
    assert read == size
    return seconds * 1e3


def _beside(what: str, taken: dict[str, list[float]], of: str) -> list[Figure]:
    ratios = ratio_of(taken["ours"], taken["plain"])
    return [
        Figure(f"{what}: plain jupyter-server-proxy", median(taken["plain"]), "ms"),
        Figure(f"{what}: ours", median(taken["ours"]), "ms", note=spread(taken["ours"], "ms")),
        Figure(f"{what}: {of}, ours / plain", median(ratios), "x", 1.05, note=spread(ratios)),
    ]
