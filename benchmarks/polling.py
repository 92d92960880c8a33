"""What it costs a server with many child processes to show its usage once a second.

Whole-server CPU over a window, the samplers' and the background tasks' included, less
what the same server costs with neither extension.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .figures import Figure, less, median, ratio_of, spread
from .listeners import listening
from .requests import CHILDREN, OURS, PEERS
from .servers import Connection, Server, running

PAGES = 5


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int = 3
    window_seconds: float = 7.0


def measure(directory: Path, size: Size) -> list[Figure]:
    """One setup after the other, round by round; never two, for the peer reads all of /proc."""
    window = size.window_seconds
    with ExitStack() as stack:
        start = partial(running, directory)
        bare = stack.enter_context(start("polling-bare", "bare"))
        ours = stack.enter_context(start("polling-einfra", "einfra"))
        peer = stack.enter_context(start("polling-peer", "peer"))
        setups: dict[str, Callable[[], float]] = {
            "bare": partial(_idle, bare, window),
            "stream": partial(_streamed, ours, 1, window),
            "streams": partial(_streamed, ours, PAGES, window),
            "poll": partial(_polled, ours, OURS, 1, window),
            "peer idle": partial(_idle, peer, window),
            "peer": partial(_polled, peer, PEERS, 1, window),
            "peers": partial(_polled, peer, PEERS, PAGES, window),
        }
        servers = {"bare": bare, "peer": peer, "peers": peer, "peer idle": peer}
        raw: dict[str, list[float]] = {name: [] for name in setups}
        for _ in range(size.rounds):
            for name, run in setups.items():
                with servers.get(name, ours).children(CHILDREN):
                    raw[name].append(run())
    net = {name: less(values, raw["bare"]) for name, values in raw.items()}
    return [
        *_costs(raw, net),
        _ratio("peer / ours, 1 page, raw", raw["peer"], raw["stream"]),
        _ratio("peer / ours, 1 page, net", net["peer"], net["stream"], 30),
        _ratio(f"peer / ours, {PAGES} pages, net", net["peers"], net["streams"]),
        _ratio("peer / ours, 1 page that polls ours, too, net", net["peer"], net["poll"], 30),
        _tracking(directory, 4 * window),
    ]


def _costs(raw: dict[str, list[float]], net: dict[str, list[float]]) -> list[Figure]:
    names = {
        "bare": "bare server",
        "stream": "ours, 1 page with the stream",
        "streams": f"ours, {PAGES} pages with the stream",
        "poll": f"ours, 1 client that polls `{OURS}`",
        "peer idle": "peer, no page",
        "peer": f"peer, 1 page (polls `{PEERS}`)",
        "peers": f"peer, {PAGES} pages",
    }
    return [
        Figure(
            f"CPU of a core, {CHILDREN} child processes: {text}",
            median(raw[name]),
            "%",
            note=f"net {median(net[name]):.3f} %; {spread(raw[name])}",
        )
        for name, text in names.items()
    ]


def _ratio(
    what: str, above: list[float], below: list[float], target: float | None = None
) -> Figure:
    ratios = ratio_of(above, below)
    return Figure(what, median(ratios), "x", target, "at least", spread(ratios))


def _idle(server: Server, seconds: float) -> float:
    before = server.cpu_seconds()
    time.sleep(seconds)
    return (server.cpu_seconds() - before) / seconds * 100


def _streamed(server: Server, readers: int, seconds: float) -> float:
    with listening(server.port, readers):
        return _idle(server, seconds)


def _polled(server: Server, path: str, clients: int, seconds: float) -> float:
    connections = [Connection(server.port) for _ in range(clients)]
    try:
        begin, before = time.monotonic(), server.cpu_seconds()
        for second in range(round(seconds)):
            for connection in connections:
                connection.ask(path)
            time.sleep(max(0.0, begin + second + 1 - time.monotonic()))
        # A server that cannot keep up is given the time that it takes.
        return (server.cpu_seconds() - before) / (time.monotonic() - begin) * 100
    finally:
        for connection in connections:
            connection.close()


def _tracking(directory: Path, seconds: float) -> Figure:
    """Ask the peer for what we always tell, the CPU; it then sleeps 50 ms for each process."""
    answered, slowest = 0, 0.0
    option = ["--ResourceUseDisplay.track_cpu_percent=True"]
    with running(directory, "polling-tracking", "peer", option, stop_seconds=1.0) as peer:
        peer.ask(f"/benchmark/children?count={CHILDREN}", "POST")
        time.sleep(1.5)
        begin, before = time.monotonic(), peer.cpu_seconds()
        while (left := begin + seconds - time.monotonic()) > 0:
            connection = Connection(peer.port, left)
            asked = time.monotonic()
            try:
                connection.ask(PEERS)
                answered += 1
            except TimeoutError:
                pass
            finally:
                connection.close()
            waited = time.monotonic() - asked
            slowest = max(slowest, waited)
            time.sleep(max(0.0, min(1.0 - waited, left)))
        elapsed = time.monotonic() - begin
        cpu = (peer.cpu_seconds() - before) / elapsed * 100
    note = f"answered {answered} of {elapsed:.0f} polls, the slowest after {slowest:.1f} s or never"
    return Figure("the same, peer that tracks CPU, 1 page", cpu, "%", note=note)
