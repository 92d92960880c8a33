"""What recording costs while it has something to record, and whether output comes later by it.

Two servers as in `recording`. What is printed has the time in it, by the machine's one
clock; the page looks at the same clock when it has the message.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from .figures import Figure, less, median, ratio_of, spread
from .notebooks import Notebook
from .recording import Taken, Way, in_turns, notebooks_on, serving
from .servers import Server

#: More than any person does, and less than a kernel can.
_CELLS_PACE = 200

#: What a later output must stay within: the larger of a share and a time.
_LATER_SHARE = 0.05
_LATER_MS = 2.0

#: Run once in each kernel. No two lines come at the same time of a server's own rhythms.
_HELPERS = """
import random, time

def single(count):
    for _ in range(count):
        time.sleep(random.uniform(0.01, 0.03))
        print(f"{time.monotonic()}\\n", end="", flush=True)
"""


@dataclass(frozen=True)
class Size:
    """How much is measured; one more round warms up and is thrown away."""

    rounds: int = 5
    prints: int = 150
    cells: int = 600


class _Content(msgspec.Struct):
    text: str


_content = msgspec.json.Decoder(_Content).decode


def measure(directory: Path, size: Size) -> list[Figure]:
    """Print, and run cells, in turns."""
    with serving(directory, ("off", "on")) as servers:
        printed, ran = asyncio.run(_taken(servers, size))
    later = less(printed["on"], printed["off"])
    ratios = ratio_of(
        [taken.cpu_seconds for taken in ran["on"]], [taken.cpu_seconds for taken in ran["off"]]
    )
    each = {way: [taken.cpu_seconds / size.cells * 1e3 for taken in ran[way]] for way in ran}
    rates = [size.cells / taken.seconds for taken in ran["on"]]
    return [
        Figure(
            "from a line's print to the page, without recording: p50",
            median(printed["off"]),
            "ms",
            note=spread(printed["off"], "ms"),
        ),
        Figure(
            "from a line's print to the page: recording adds to p50",
            median(later),
            "ms",
            max(_LATER_MS, _LATER_SHARE * median(printed["off"])),
            note=spread(later, "ms"),
        ),
        Figure(
            "one of many quick cells, server without recording: CPU",
            median(each["off"]),
            "ms",
            note=f"{_CELLS_PACE} a second were asked for; with recording, {spread(rates)}",
        ),
        Figure(
            "one of many quick cells: recording adds",
            median(less(each["on"], each["off"])),
            "ms",
            note=spread(less(each["on"], each["off"]), "ms"),
        ),
        Figure(
            "many quick cells: CPU with / without recording",
            median(ratios),
            "x",
            note=spread(ratios),
        ),
    ]


async def _taken(
    servers: Mapping[Way, Server], size: Size
) -> tuple[dict[Way, list[float]], dict[Way, list[Taken]]]:
    async with notebooks_on(servers, _HELPERS) as notebooks:
        printed: dict[Way, list[float]] = defaultdict(list)
        for turn in range(size.rounds + 1):
            ways = list(notebooks)
            for way in ways if turn % 2 else reversed(ways):
                p50 = await _printed(notebooks[way], size.prints)
                if turn:
                    printed[way].append(p50)

        async def cells(notebook: Notebook) -> None:
            await _ran(notebook, size.cells)

        return printed, await in_turns(servers, notebooks, size.rounds, cells)


async def _printed(notebook: Notebook, count: int) -> float:
    """Return the median of what so many lines took, in ms."""
    request, taken = await notebook.ask(f"single({count})"), []
    while True:
        heard = await notebook.hear()
        now = time.monotonic()
        if heard.parent_id == request and heard.kind == "stream":
            taken.append((now - float(_content(heard.content).text)) * 1e3)
        if heard.parent_id == request and heard.is_idle:
            break
    if len(taken) != count:
        raise RuntimeError(f"Of {count} lines {len(taken)} came.")
    return median(taken)


async def _ran(notebook: Notebook, count: int) -> None:
    """Ask for so many cells at a steady pace; return when the last one is done."""

    async def ask() -> set[str]:
        asked, due = set(), time.monotonic()
        for i in range(count):
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            asked.add(await notebook.ask(f"x = {i}"))
            due += 1 / _CELLS_PACE
        return asked

    asking = asyncio.ensure_future(ask())
    done: set[str] = set()
    while len(done) < count:
        heard = await notebook.hear()
        if heard.is_idle:
            done.add(heard.parent_id)
    if done != await asking:
        raise RuntimeError("Something else ran in the kernel.")
