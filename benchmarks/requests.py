"""CPU time of one request for the usage, beside ``/api/status`` and beside the peer's."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .figures import Figure, median, ratio_of, spread
from .servers import Connection, Server, running

OURS = "/jupyter-einfra/usage"
STATUS = "/api/status"
PEERS = "/api/metrics/v1"
CHILDREN = 300


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int = 5
    requests: int = 150
    slow_requests: int = 12


def measure(directory: Path, size: Size) -> list[Figure]:
    """Ask in turns, round by round."""
    figures = []
    with ExitStack() as stack:
        ours = stack.enter_context(running(directory, "requests-einfra", "einfra"))
        peer = stack.enter_context(running(directory, "requests-peer", "peer"))
        for children in (0, CHILDREN):
            usage, status, metrics = [], [], []
            _cost_ms(ours, OURS, size.requests)
            _cost_ms(ours, STATUS, size.requests)
            for _ in range(size.rounds):
                # Only one of the servers at a time: the peer reads all of /proc.
                with ours.children(children):
                    usage.append(_cost_ms(ours, OURS, size.requests))
                    status.append(_cost_ms(ours, STATUS, size.requests))
                with peer.children(children):
                    metrics.append(_cost_ms(peer, PEERS, size.slow_requests))
            beside, far = ratio_of(usage, status), ratio_of(metrics, usage)
            with_children = f"with {children} child processes"
            figures += [
                Figure(f"CPU per `GET {OURS}`, {with_children}", median(usage), "ms"),
                Figure(f"CPU per `GET {STATUS}`, {with_children}", median(status), "ms"),
                Figure(
                    f"ours / `{STATUS}`, {with_children}",
                    median(beside),
                    "x",
                    1.5,
                    note=spread(beside),
                ),
                Figure(
                    f"CPU per `GET {PEERS}` of the peer, {with_children}", median(metrics), "ms"
                ),
                Figure(
                    f"peer / ours per request, {with_children}",
                    median(far),
                    "x",
                    note=f"sampling apart; {spread(far)}",
                ),
            ]
    return figures


def _cost_ms(server: Server, path: str, requests: int) -> float:
    connection = Connection(server.port)
    try:
        connection.ask(path)
        before = server.cpu_seconds()
        for _ in range(requests):
            connection.ask(path)
        return (server.cpu_seconds() - before) / requests * 1e3
    finally:
        connection.close()
