"""What a server pays for recording while its kernels print a lot.

Three servers, each with one kernel and the page of its notebook: one does not record, one
does, and one does and takes its kernel for one that has to be heard in full.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from .figures import Figure, median, ratio_of, spread
from .notebooks import NO_LIMITS, Notebook, opened
from .servers import Kind, Server, running

Way = Literal["off", "on", "in full"]

_KINDS: Mapping[Way, Kind] = {"off": "einfra", "on": "einfra", "in full": "unknown"}
_OFF = "--ActivityManager.record=False"

#: What is told last has been worked off.
_SETTLE_SECONDS = 0.1

#: Messages a second, and MB a second.
_PACE = 1000
_LARGE_PACE = 100

#: Run once in each kernel.
_HELPERS = """
import time
from IPython.display import display

def paced(count, pace):
    due = time.monotonic()
    for i in range(count):
        time.sleep(max(0.0, due - time.monotonic()))
        yield i
        due += 1 / pace

def steady(count, pace):
    for _ in paced(count, pace):
        print(f"{time.monotonic()}\\n", end="", flush=True)

def large(count, pace):
    data = {"text/plain": "x" * 1_000_000}
    for _ in paced(count, pace):
        display(data, raw=True)
"""


@dataclass(frozen=True)
class Size:
    """How much is measured; one more round warms up and is thrown away."""

    rounds: int = 5
    lines: int = 3500
    megabytes: int = 200


class Taken(NamedTuple):
    """One go."""

    cpu_seconds: float
    """Of the server."""
    seconds: float


def measure(directory: Path, size: Size) -> list[Figure]:
    """Have kernels print in turns."""
    with serving(directory, ("off", "on", "in full")) as servers:
        lines, large = asyncio.run(_printed(servers, size))
    rates = [size.lines / taken.seconds for taken in lines["off"]]
    return [
        Figure(
            f"{_PACE} printed lines a second, server without recording: CPU of a core",
            median([taken.cpu_seconds / taken.seconds * 100 for taken in lines["off"]]),
            "%",
            note=f"each flushed; messages a second, {spread(rates)}",
        ),
        *_beside(f"{_PACE} printed lines a second", lines, 1.25),
        Figure(
            f"{size.megabytes} messages of 1 MB, server without recording: CPU",
            median([taken.cpu_seconds for taken in large["off"]]) * 1e3,
            "ms",
            note=f"within {median([taken.seconds for taken in large['off']]):.1f} s",
        ),
        *_beside(f"{size.megabytes} messages of 1 MB", large, 1.5),
    ]


async def _printed(
    servers: Mapping[Way, Server], size: Size
) -> tuple[dict[Way, list[Taken]], dict[Way, list[Taken]]]:
    async def lines(notebook: Notebook) -> None:
        kinds = await notebook.run(f"steady({size.lines}, {_PACE})")
        _must_have(kinds, "stream", size.lines)

    async def large(notebook: Notebook) -> None:
        kinds = await notebook.run(f"large({size.megabytes}, {_LARGE_PACE})")
        _must_have(kinds, "display_data", size.megabytes)

    async with notebooks_on(servers, _HELPERS) as notebooks:
        return (
            await in_turns(servers, notebooks, size.rounds, lines),
            await in_turns(servers, notebooks, size.rounds, large),
        )


def _must_have(kinds: Counter[str], kind: str, count: int) -> None:
    if kinds[kind] != count:
        raise RuntimeError(f"{count} messages of {kind} became {dict(kinds)}.")


async def in_turns(
    servers: Mapping[Way, Server],
    notebooks: Mapping[Way, Notebook],
    rounds: int,
    work: Callable[[Notebook], Awaitable[None]],
) -> dict[Way, list[Taken]]:
    """Do the same in each notebook, round by round; another one goes first every time."""
    taken: dict[Way, list[Taken]] = defaultdict(list)
    ways = list(notebooks)
    for turn in range(rounds + 1):
        first = turn % len(ways)
        for way in ways[first:] + ways[:first]:
            cpu, begin = servers[way].cpu_seconds(), time.monotonic()
            await work(notebooks[way])
            seconds = time.monotonic() - begin
            await asyncio.sleep(_SETTLE_SECONDS)
            if turn:
                taken[way].append(Taken(servers[way].cpu_seconds() - cpu, seconds))
    return taken


def _beside(what: str, taken: Mapping[Way, Sequence[Taken]], target: float) -> Iterator[Figure]:
    names: Mapping[Way, str] = {"on": "", "in full": ", of a kernel that is heard in full"}
    for way, name in names.items():
        ratios = ratio_of(
            [one.cpu_seconds for one in taken[way]], [one.cpu_seconds for one in taken["off"]]
        )
        yield Figure(
            f"{what}{name}: CPU with / without recording",
            median(ratios),
            "x",
            target,
            note=spread(ratios),
        )


@asynccontextmanager
async def notebooks_on(
    servers: Mapping[Way, Server], helpers: str
) -> AsyncIterator[Mapping[Way, Notebook]]:
    """Open a notebook on each server, and run a cell in it."""
    notebooks: dict[Way, Notebook] = {}
    try:
        for way, server in servers.items():
            notebooks[way] = await opened(server, "measured.ipynb")
            await notebooks[way].run(helpers)
        yield notebooks
    finally:
        for notebook in notebooks.values():
            notebook.close()


@contextmanager
def serving(directory: Path, ways: Sequence[Way]) -> Iterator[Mapping[Way, Server]]:
    """Run a server for each way; see at the end that it recorded, or did not."""
    with ExitStack() as stack:
        servers = {
            way: stack.enter_context(
                running(
                    directory,
                    way.replace(" ", "-"),
                    _KINDS[way],
                    [*NO_LIMITS, *([_OFF] if way == "off" else [])],
                    helped=False,
                )
            )
            for way in ways
        }
        yield servers
        for way, server in servers.items():
            events = server.ask("/jupyter-einfra/activity")["events"]
            if any(event["type"] == "cells" for event in events) != (way != "off"):
                raise RuntimeError(f"The server with recording {way} recorded {events}.")
