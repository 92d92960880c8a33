"""What we add to the start of a server that has jupyter-server-proxy."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .figures import Figure, less, median, spread
from .servers import Kind, Server

_KINDS: tuple[tuple[Kind, str], ...] = (
    ("bare", "bare server"),
    ("proxy", "+ jupyter-server-proxy"),
    ("einfra", "+ jupyter-server-proxy + jupyter-einfra"),
)
#: What the server still does after its first answer belongs to its start.
_SETTLE_SECONDS = 1.2


@dataclass(frozen=True)
class Size:
    """How much is measured; one more round fills the caches and is thrown away."""

    rounds: int = 5


@dataclass(frozen=True)
class Start:
    """One start of one server."""

    ready_ms: float
    cpu_ms: float
    rss_mb: float


def measure(directory: Path, size: Size) -> list[Figure]:
    """Start one after the other, in turns."""
    starts: dict[Kind, list[Start]] = defaultdict(list)
    for turn in range(size.rounds + 1):
        # Another one goes first every time.
        for kind, _ in _KINDS[turn % 3 :] + _KINDS[: turn % 3]:
            one = start(directory / f"start-{kind}-{turn}", kind)
            if turn:
                starts[kind].append(one)
    ready = {kind: [s.ready_ms for s in starts[kind]] for kind, _ in _KINDS}
    cpu = {kind: [s.cpu_ms for s in starts[kind]] for kind, _ in _KINDS}
    rss = {kind: [s.rss_mb for s in starts[kind]] for kind, _ in _KINDS}
    figures = [
        Figure(
            f"start, {text}: time to the first answer",
            median(ready[kind]),
            "ms",
            note=f"CPU {median(cpu[kind]):.0f} ms, RSS {median(rss[kind]):.1f} MB",
        )
        for kind, text in _KINDS
    ]
    return [
        *figures,
        _added("time to start", ready, "proxy", "ms", 80),
        _added("CPU of the start", cpu, "proxy", "ms"),
        _added("memory (RSS)", rss, "proxy", "MB", 8),
        _added("time to start", ready, "bare", "ms"),
        _added("CPU of the start", cpu, "bare", "ms"),
        _added("memory (RSS)", rss, "bare", "MB"),
    ]


def _added(
    what: str,
    values: dict[Kind, list[float]],
    beside: Kind,
    unit: Literal["ms", "MB"],
    target: float | None = None,
) -> Figure:
    ours, theirs = values["einfra"], values[beside]
    least = min(ours) - min(theirs)
    return Figure(
        f"{what}: we add, beside {dict(_KINDS)[beside]}",
        median(ours) - median(theirs),
        unit,
        target,
        note=f"lowest of each: {least:.1f} {unit}; {spread(less(ours, theirs))}",
    )


def start(directory: Path, kind: Kind, arguments: Sequence[str] = ()) -> Start:
    """Start a server, with what its home may hold already, and end it."""
    begin = time.monotonic()
    server = Server(directory, kind, arguments, helped=False)
    try:
        server.wait()
        ready = time.monotonic() - begin
        time.sleep(_SETTLE_SECONDS)
        return Start(ready * 1e3, server.cpu_seconds() * 1e3, server.rss_bytes() / 1e6)
    finally:
        server.stop()
