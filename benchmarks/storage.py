"""What the history costs on disk, in memory and at the start, and what all costs unwatched."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .figures import Figure, less, median, spread
from .filling import fill, load_ms, size_mb, state_of
from .listeners import PANEL, listening
from .servers import Server, running
from .startup import Start, start

#: A minute, and how exactly the moments are seen.
_SHORTEST_PAUSE_SECONDS = 59.5
_LOOK_SECONDS = 0.1

#: A transaction changes the file more than once, within a moment.
_ONE_TRANSACTION_SECONDS = 2.0

#: The first transaction and the rest of the start are over.
_SETTLE_SECONDS = 12.0
_GPUS = (0, 2, 8)


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    watch_seconds: float = 128.0
    starts: int = 4


class _Meters(NamedTuple):
    """What a server has used so far."""

    at_seconds: float
    written: int
    """Bytes that our threads gave to files."""
    blocks: int
    """Bytes of the file system's blocks that these touched."""
    ours: float
    whole: float


class _Watch:
    """What a server does to its file, and what that costs, while something else is done."""

    def __init__(self, server: Server, home: Path) -> None:
        self.server = server
        self.writes: list[float] = []
        self._file = state_of(home) / "usage.sqlite"
        self._threads = server.our_threads()
        self._seen = self._file.stat().st_mtime_ns
        self.before = self.after = self._read()

    def look(self) -> None:
        """See whether the file was written."""
        seen, now = self._file.stat().st_mtime_ns, time.monotonic()
        if seen != self._seen:
            if not self.writes or now - self.writes[-1] > _ONE_TRANSACTION_SECONDS:
                self.writes.append(now)
            self._seen = seen

    def end(self) -> None:
        """Look no more."""
        self.after = self._read()

    @property
    def minutes(self) -> float:
        """How long it was watched."""
        return (self.after.at_seconds - self.before.at_seconds) / 60

    @property
    def pauses(self) -> list[float]:
        """Seconds from each transaction to the next."""
        return less(self.writes[1:], self.writes[:-1])

    @property
    def kilobytes_a_minute(self) -> float:
        """What our threads wrote."""
        return (self.after.written - self.before.written) / self.minutes / 1e3

    @property
    def blocks_a_minute(self) -> float:
        """The same in blocks, in kilobytes."""
        return (self.after.blocks - self.before.blocks) / self.minutes / 1e3

    @property
    def share(self) -> float:
        """CPU of a core, in percent, of our threads."""
        return (self.after.ours - self.before.ours) / self.minutes / 60 * 100

    @property
    def whole_share(self) -> float:
        """The same of the whole server."""
        return (self.after.whole - self.before.whole) / self.minutes / 60 * 100

    def _read(self) -> _Meters:
        written = blocks = 0
        for thread in self._threads:
            path = Path(f"/proc/{self.server.pid}/task/{thread}/io")
            told = dict(line.split(": ") for line in path.read_text().splitlines())
            written, blocks = written + int(told["wchar"]), blocks + int(told["write_bytes"])
        cpu = self.server.threads_cpu_seconds(self._threads)
        return _Meters(time.monotonic(), written, blocks, cpu, self.server.cpu_seconds())


def measure(directory: Path, size: Size) -> list[Figure]:
    """Watch two servers for some minutes, and measure full files meanwhile."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(running(directory, name, "einfra")) for name in ("quiet", "watched")
        ]
        stack.enter_context(listening(servers[1].port, 1, PANEL))
        time.sleep(_SETTLE_SECONDS)
        quiet, watched = (
            _Watch(server, directory / name)
            for server, name in zip(servers, ("quiet", "watched"), strict=True)
        )
        end = time.monotonic() + size.watch_seconds
        with _watching([quiet, watched]):
            figures = [*_files(directory, size.starts), *_starts(directory, size.starts)]
            time.sleep(max(0.0, end - time.monotonic()))
    return [*_writes(quiet, watched), *figures]


@contextmanager
def _watching(watches: Sequence[_Watch]) -> Iterator[None]:
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_LOOK_SECONDS):
            for watch in watches:
                watch.look()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
        for watch in watches:
            watch.end()
    finally:
        ended.set()
        thread.join()


def _writes(quiet: _Watch, watched: _Watch) -> Iterator[Figure]:
    yield Figure(
        "CPU of a core, our threads, unwatched, the file included",
        quiet.share,
        "%",
        0.1,
        note=f"{quiet.minutes:.1f} minutes, {len(quiet.writes)} transactions; "
        f"whole server {quiet.whole_share:.3f} %",
    )
    for name, watch in (("unwatched", quiet), ("panel open", watched)):
        if pauses := watch.pauses:
            yield Figure(
                f"pause between transactions, {name}: the shortest",
                min(pauses),
                "s",
                _SHORTEST_PAUSE_SECONDS,
                "at least",
                note=f"{len(pauses)} pauses: {spread(pauses, 's')}",
            )
        yield Figure(
            f"written to the file a minute, {name}",
            watch.kilobytes_a_minute,
            "kB",
            note=f"journal included; in blocks {watch.blocks_a_minute:.0f} kB",
        )


def _files(directory: Path, rounds: int) -> Iterator[Figure]:
    for gpus in _GPUS:
        home = directory / f"full-{gpus}"
        fill(home, gpus=gpus, samples_per_bucket=1)
        loads = [load_ms(home) for _ in range(rounds)]
        yield Figure(
            f"all files, every tier full, {gpus} GPUs",
            size_mb(home),
            "MB",
            5 + gpus,
            note=f"opened, checked and read in {median(loads):.0f} ms, beside the loop; "
            f"{spread(loads, 'ms')}",
        )


def _starts(directory: Path, rounds: int) -> Iterator[Figure]:
    full: list[Start] = []
    empty: list[Start] = []
    for turn in range(rounds):
        home = directory / f"start-full-{turn}"
        shutil.copytree(directory / f"full-{_GPUS[1]}", home)
        full.append(start(home, "einfra"))
        empty.append(start(directory / f"start-empty-{turn}", "einfra"))
    with_history = f"a full history ({_GPUS[1]} GPUs) more than an empty one"
    ready = less([s.ready_ms for s in full], [s.ready_ms for s in empty])
    cpu = less([s.cpu_ms for s in full], [s.cpu_ms for s in empty])
    rss = less([s.rss_mb for s in full], [s.rss_mb for s in empty])
    yield Figure(f"time to start: {with_history}", median(ready), "ms", note=spread(ready))
    yield Figure(f"CPU of the start: {with_history}", median(cpu), "ms", note=spread(cpu))
    yield Figure(
        f"memory (RSS): {with_history}",
        median(rss),
        "MB",
        note=f"{median([s.rss_mb for s in full]):.1f} less "
        f"{median([s.rss_mb for s in empty]):.1f} MB; {spread(rss)}",
    )
