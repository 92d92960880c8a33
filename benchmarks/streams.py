"""What the sampler costs, and what fifty readers of the stream cost."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .figures import Figure, less, median, spread
from .listeners import Listeners, listening
from .servers import Server, running

READERS = 50


@dataclass(frozen=True)
class Size:
    """How much is measured; the window holds whole ticks of ten seconds."""

    rounds: int = 2
    window_seconds: float = 20.0


@dataclass(frozen=True)
class Telling:
    """What the readers of one window were told."""

    ticks: int
    missed: int
    """Events short of every reader having each tick."""
    doubled: int


def measure(directory: Path, size: Size) -> list[Figure]:
    """Watch servers in the same state side by side; each changes its part every round."""
    whole: dict[str, list[float]] = defaultdict(list)
    samplers: dict[str, list[float]] = defaultdict(list)
    told: list[Telling] = []
    with ExitStack() as stack:
        bare = stack.enter_context(running(directory, "streams-bare", "bare"))
        ours = [
            stack.enter_context(running(directory, f"streams-einfra-{number}", "einfra"))
            for number in range(3)
        ]
        threads = {server: server.our_threads() for server in ours}
        for turn in range(size.rounds):
            parts = dict(zip((0, 1, READERS), ours[turn % 3 :] + ours[: turn % 3], strict=True))
            with ExitStack() as readers:
                one = readers.enter_context(listening(parts[1].port, 1))
                many = readers.enter_context(listening(parts[READERS].port, READERS))
                # The change to the other pace is over, the last round's readers are forgotten.
                time.sleep(2.0)
                before = _read(bare, parts, threads)
                begin = time.monotonic()
                time.sleep(size.window_seconds)
                after, elapsed = _read(bare, parts, threads), time.monotonic() - begin
                one.times()
                told.append(_tell(many))
            for name, cpu in after.items():
                share = (cpu - before[name]) / elapsed * 100
                (samplers if name.startswith("sampler") else whole)[name].append(share)
    return _figures(whole, samplers, told, size)


def _read(
    bare: Server, parts: dict[int, Server], threads: dict[Server, list[int]]
) -> dict[str, float]:
    cpu = {"bare": bare.cpu_seconds()}
    for readers, server in parts.items():
        cpu[f"{readers}"] = server.cpu_seconds()
        cpu[f"sampler {readers}"] = server.threads_cpu_seconds(threads[server])
    return cpu


def _tell(listeners: Listeners) -> Telling:
    times = listeners.times()
    # The last tick may have found some readers gone already.
    ticks = sorted({time for reader in times for time in reader})[:-1]
    lists = [[time for time in reader if time in ticks] for reader in times]
    return Telling(
        ticks=len(ticks),
        missed=sum(len(ticks) - len(set(reader)) for reader in lists),
        doubled=sum(len(reader) - len(set(reader)) for reader in lists),
    )


def _figures(
    whole: dict[str, list[float]],
    samplers: dict[str, list[float]],
    told: list[Telling],
    size: Size,
) -> list[Figure]:
    def sampler(name: str, what: str, target: float | None) -> Figure:
        values = samplers[f"sampler {name}"]
        return Figure(
            f"CPU of a core, our threads, {what}",
            median(values),
            "%",
            target,
            note=spread(values),
        )

    def server(name: str, beside: str, what: str, target: float | None) -> Figure:
        more = less(whole[name], whole[beside])
        note = f"{median(whole[name]):.3f} % less {median(whole[beside]):.3f} %; {spread(more)}"
        return Figure(f"CPU of a core, {what}", median(more), "%", target, note=note)

    ticks = sum(t.ticks for t in told)
    expected = size.rounds * size.window_seconds
    return [
        sampler("1", "watched at 1 Hz", 0.5),
        sampler("0", "unwatched, every 10 s", 0.05),
        server("1", "bare", "whole server with 1 reader less a bare one", None),
        server("0", "bare", "whole server without readers less a bare one", None),
        server(f"{READERS}", "0", f"whole server, {READERS} readers less none", 2.0),
        server(f"{READERS}", "1", f"whole server, {READERS} readers less one", None),
        sampler(f"{READERS}", f"{READERS} readers", 0.5),
        Figure(
            f"events that one of {READERS} readers missed or got twice",
            sum(t.missed + t.doubled for t in told),
            "",
            0,
            note=f"{ticks} ticks in about {expected:.0f} s: one sample a tick for all",
        ),
    ]
