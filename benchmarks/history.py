"""How fast a history of ninety days answers and draws, and how long that holds the loop."""

from __future__ import annotations

import gzip
import shutil
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from .drawing import draw
from .figures import Figure, median
from .filling import fill
from .latency import Latency, asking
from .servers import Connection, Server, running

GPUS = 2
_PATH = "/jupyter-einfra/usage/history"

#: What the panel asks for, and the greatest table.
_RANGES = {
    "15 min": timedelta(minutes=15),
    "6 h": timedelta(hours=6),
    "7 d": timedelta(days=7),
    "90 d": timedelta(days=90),
}

#: One person who looks through everything; a script may do worse.
_PAUSE_SECONDS = 0.25
_PACE_SECONDS = 0.01


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    answers: int = 30
    drawings: int = 10
    window_seconds: float = 8.0


def measure(directory: Path, size: Size) -> list[Figure]:
    """Ask a server whose history is full, then let a browser draw it."""
    home = directory / "history"
    fill(home, gpus=GPUS)
    shutil.copytree(home, directory / "lab" / "home")
    figures: list[Figure] = []
    with running(directory, "history", "einfra") as server:
        _wait(server)
        for name, span in _RANGES.items():
            figures += _answer(server, name, span, size)
        figures += _answer(server, "7 d, each minute, as CSV", _RANGES["7 d"], size, table=True)
        figures += _held(server, size.window_seconds)
    return [*figures, *draw(directory / "lab", size.drawings)]


def _wait(server: Server) -> None:
    """Return when the earlier history is loaded."""
    deadline = time.monotonic() + 30
    while len(server.ask(_query(_RANGES["90 d"]))["offsets_seconds"]) < 2000:
        if time.monotonic() > deadline:
            raise TimeoutError("The history was not loaded.")
        time.sleep(0.2)


def _query(span: timedelta, *, table: bool = False) -> str:
    # A moment less, for the clock goes on until it is asked.
    since = datetime.now(timezone.utc) - span
    query = {"since": since.isoformat()}
    if table:
        query["resolution"] = "60"
    return f"{_PATH}{'.csv' if table else ''}?{urlencode(query)}"


def _answer(
    server: Server, name: str, span: timedelta, size: Size, *, table: bool = False
) -> Iterator[Figure]:
    connection = Connection(server.port)
    taken, body = [], b""
    cpu = server.cpu_seconds()
    try:
        for _ in range(size.answers):
            begin = time.perf_counter()
            body = connection.ask(_query(span, table=table))
            taken.append((time.perf_counter() - begin) * 1e3)
    finally:
        connection.close()
    cpu = (server.cpu_seconds() - cpu) / size.answers * 1e3
    packed = len(gzip.compress(body, compresslevel=6)) / 1e3
    lines = body.count(b"\n") - 1
    points = lines if table else len(msgspec.json.decode(body)["offsets_seconds"])
    p95 = statistics.quantiles(taken, n=20)[18]
    note = (
        f"p95 {p95:.1f} ms; CPU {cpu:.1f} ms; {points} points of {GPUS} GPUs and the rest, "
        f"{len(body) / 1e3:.0f} kB, gzip {packed:.0f} kB"
    )
    target = None if table else 50
    yield Figure(f"history of {name}: time to answer", median(taken), "ms", target, note=note)


def _held(server: Server, seconds: float) -> Iterator[Figure]:
    """See how others wait while one asks for a week four times a second."""
    with asking(server.port, seconds / 2, _PACE_SECONDS) as probe:
        quiet = probe.finished()
    for name, table in (("the chart", False), ("the CSV", True)):
        connection = Connection(server.port)
        try:
            with asking(server.port, seconds, _PACE_SECONDS) as probe:
                end = time.monotonic() + seconds
                while time.monotonic() < end:
                    connection.ask(_query(_RANGES["7 d"], table=table))
                    time.sleep(_PAUSE_SECONDS)
                busy = probe.finished()
        finally:
            connection.close()
        yield _waiting(f"{name} of 7 d is asked for 4 times a second", busy, quiet)


def _waiting(what: str, busy: Latency, quiet: Latency) -> Figure:
    return Figure(
        f"`GET /api` while {what}: p99 more than else",
        busy.p99 - quiet.p99,
        "ms",
        note=f"{busy}; else {quiet}",
    )
