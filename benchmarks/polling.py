"""What it costs a server with many child processes to show its usage once a second.

Whole-server CPU over a window, the samplers' and the background tasks' included, less
what the same server costs with neither extension.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .figures import Figure, less, median, ratio_of, spread
from .listeners import PANEL, STATUS_BAR, listening
from .requests import CHILDREN, OURS, PEERS
from .servers import Connection, Server, running

PAGES = 5

_LEAST_ANSWERS = 2


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int = 3
    window_seconds: float = 5.0


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
            "panel": partial(_streamed, ours, 1, window, PANEL),
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
        _ratio("peer / ours, 1 page, panel open, net", net["peer"], net["panel"]),
        *_tracking(directory, 2 * window, net),
    ]


def _costs(raw: dict[str, list[float]], net: dict[str, list[float]]) -> list[Figure]:
    names = {
        "bare": "bare server",
        "stream": "ours, 1 page with the stream",
        "streams": f"ours, {PAGES} pages with the stream",
        "panel": "ours, 1 page with the panel open, kernels and terminals included",
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


def _streamed(server: Server, readers: int, seconds: float, topics: str = STATUS_BAR) -> float:
    with listening(server.port, readers, topics):
        if topics == PANEL:
            time.sleep(6.0)  # its pace follows what the first looks cost
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


@dataclass(frozen=True)
class _Tracked:
    """What a peer cost that was asked for the CPU, too."""

    cpu: float
    answered: int
    seconds: float

    @property
    def ms_per_answer(self) -> float:
        """CPU time for each time that its page had something new to show."""
        return self.cpu / 100 * self.seconds * 1e3 / self.answered

    @property
    def note(self) -> str:
        return f"answered {self.answered} times in {self.seconds:.0f} s, asked anew after a second"


def _tracking(directory: Path, seconds: float, net: dict[str, list[float]]) -> Iterator[Figure]:
    """Ask the peer for what we always tell, the CPU.

    For its own metrics it then sleeps 50 ms for each process, on the loop: that costs
    little, and hardly anybody is answered. So the CPU for each answer is told, too, and it
    is asked a second time with these metrics off.
    """
    track = "--ResourceUseDisplay.track_cpu_percent=True"
    off = "--ResourceUseDisplay.enable_prometheus_metrics=False"
    usual = _tracked(directory / "usual", seconds, [track])
    alone = _tracked(directory / "alone", seconds, [track, off])
    bar, panel = median(net["stream"]), median(net["panel"])
    yield Figure("the same, peer that tracks CPU, 1 page", usual.cpu, "%", note=usual.note)
    yield Figure("the same, and its own metrics off", alone.cpu, "%", note=alone.note)
    for who, peer, target in (
        ("peer that tracks CPU", usual, 30),
        ("peer that tracks CPU, its own metrics off", alone, None),
    ):
        for what, share in (("status bar", bar), ("panel open", panel)):
            yield Figure(
                f"{who} / ours, {what}: CPU of a core",
                peer.cpu / share,
                "x",
                target,
                "at least",
                note=f"{peer.cpu:.3f} % / {share:.3f} %",
            )
            if target is None:
                continue  # it answers once a second, as we do
            ours_ms = share / 100 * 1e3
            yield Figure(
                f"{who} / ours, {what}: CPU for each time a page is told",
                peer.ms_per_answer / ours_ms,
                "x",
                target,
                "at least",
                note=f"{peer.ms_per_answer:.1f} ms / {ours_ms:.2f} ms",
            )


def _tracked(directory: Path, seconds: float, options: list[str]) -> _Tracked:
    """Measure from one answer to another, so that whole turns of its work are counted."""
    directory.mkdir()
    with running(directory, "peer", "peer", options, stop_seconds=1.0) as peer:
        peer.ask(f"/benchmark/children?count={CHILDREN}", "POST")
        time.sleep(1.5)
        connection = Connection(peer.port, 60)
        try:
            connection.ask(PEERS)
            begin, before = time.monotonic(), peer.cpu_seconds()
            answered, elapsed = 0, 0.0
            while elapsed < seconds or answered < _LEAST_ANSWERS:
                time.sleep(1.0)
                connection.ask(PEERS)
                answered, elapsed = answered + 1, time.monotonic() - begin
            cpu = (peer.cpu_seconds() - before) / elapsed * 100
        finally:
            connection.close()
    return _Tracked(cpu, answered, elapsed)
