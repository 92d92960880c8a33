"""What the open panel costs a server with fifty kernels, and how long it holds the loop.

One server with the same kernels and processes all along: first without an extension, then
with ours and the panel open, without again, and last with the peer, which cannot be
stopped.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .figures import Figure
from .kernels import start_kernels
from .latency import Latency, asking
from .listeners import PANEL, listening
from .requests import PEERS
from .servers import Connection, Server, running

#: At what the peer's page polls if nobody changes it.
_PEER_PACE_SECONDS = 5.0

_OURS = "jupyter_einfra"
_PEER = "jupyter_resource_usage"

#: Its displays of the CPU are empty without.
_TRACKING = ["--ResourceUseDisplay.track_cpu_percent=True"]


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    kernels: int = 50
    processes: int = 200
    """Kernels included."""
    window_seconds: float = 40.0


@dataclass(frozen=True)
class _Window:
    """What was seen meanwhile."""

    latency: Latency
    server: float
    """CPU of a core, in percent, of the whole server; the requests that measure included."""
    ours: float
    """The same of our own threads."""


def measure(directory: Path, size: Size) -> list[Figure]:
    """Measure one after the other, so that nothing disturbs but what is measured."""
    half = size.window_seconds / 2
    with running(directory, "panel", "later", _TRACKING, stop_seconds=1.0) as server:
        server.ask(f"/benchmark/children?count={size.processes - size.kernels}", "POST")
        idle = start_kernels(server, size.kernels)
        bare = _cpu(server, half)
        before = _window(server, half)
        server.load(_OURS)
        with listening(server.port, 1, PANEL):
            # The change to the other pace is over, the names of all kernels are known.
            time.sleep(5.0)
            ours = _window(server, size.window_seconds)
            alone = _cpu(server, half)
        server.unload(_OURS)
        time.sleep(2.0)
        after = _window(server, half)
        server.load(_PEER)
        with _polled(server):
            peer = _window(server, half)
    none = before.latency + after.latency
    asked = (before.server + after.server) / 2
    where = f"{size.processes} processes, {size.kernels} of them kernels that idle"
    told = f"{where}; the kernels themselves use {idle * 100:.1f} %"
    return [
        Figure("CPU of a core, our threads, panel open", ours.ours, "%", 2, note=told),
        Figure(
            "CPU of a core, whole server, panel open, less no extension",
            alone - bare,
            "%",
            note=f"{alone:.3f} % less {bare:.3f} %, which Jupyter takes to look after kernels; "
            f"asked 50 times a second {ours.server:.3f} % less {asked:.3f} %",
        ),
        *_latencies("no extension", none),
        *_latencies("ours, panel open", ours.latency),
        *_latencies("peer with CPU, 1 page", peer.latency),
        Figure(
            "`GET /api`, p99: ours more than no extension",
            ours.latency.p99 - none.p99,
            "ms",
            5,
            note=f"no extension before: {before.latency}; after: {after.latency}",
        ),
        Figure("`GET /api`, p99: peer more than no extension", peer.latency.p99 - none.p99, "ms"),
    ]


def _latencies(what: str, latency: Latency) -> Iterator[Figure]:
    for name, value in (("p50", latency.p50), ("p99", latency.p99), ("max", latency.most)):
        note = f"{len(latency.values)} requests, one due every 20 ms" if name == "p50" else ""
        yield Figure(f"`GET /api`, {what}, {name}", value, "ms", note=note)


def _window(server: Server, seconds: float) -> _Window:
    threads = server.our_threads()
    with asking(server.port, seconds) as probe:
        begin = time.monotonic()
        whole, part = server.cpu_seconds(), server.threads_cpu_seconds(threads)
        latency = probe.finished()
        whole, part = server.cpu_seconds() - whole, server.threads_cpu_seconds(threads) - part
        elapsed = time.monotonic() - begin
    return _Window(latency, whole / elapsed * 100, part / elapsed * 100)


def _cpu(server: Server, seconds: float) -> float:
    before = server.cpu_seconds()
    time.sleep(seconds)
    return (server.cpu_seconds() - before) / seconds * 100


@contextmanager
def _polled(server: Server) -> Iterator[None]:
    """Be the peer's page: ask, wait for the answer, and ask again at its pace."""
    ended = threading.Event()

    def poll() -> None:
        while not ended.is_set():
            connection = Connection(server.port)
            with suppress(OSError, http.client.HTTPException):
                connection.ask(PEERS)
            connection.close()
            ended.wait(_PEER_PACE_SECONDS)

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
