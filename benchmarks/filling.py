"""A history of ninety days, as a server would have recorded it, on disk before one starts."""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from msgspec.structs import replace
from servers.samples import GIB, WHOLE, sample

from jupyter_einfra.state import state_directory
from jupyter_einfra.usage.history.recorder import Recorder
from jupyter_einfra.usage.history.tiers import TIERS
from jupyter_einfra.usage.models import DiskUsage, NetworkUsage, UsageSnapshot

_LOG = logging.getLogger("benchmarks.filling")
_PATIENCE_SECONDS = 120.0


@dataclass
class _Clock:
    """Moves through the ninety days."""

    now: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    def __call__(self) -> datetime:
        return self.now


def state_of(home: Path) -> Path:
    """Return where a server with this home and without a hub keeps its state."""
    return state_directory(home / ".local/share/jupyter", {})


def size_mb(home: Path) -> float:
    """Return what all of a server's state takes."""
    return sum(path.stat().st_size for path in state_of(home).iterdir()) / 1e6


def fill(home: Path, *, gpus: int, samples_per_bucket: int = 2) -> None:
    """Fill every tier to the brim, up to this moment.

    Two samples in a bucket make its least, mean and greatest differ.
    """
    state_of(home).mkdir(parents=True)
    end, clock, chance = datetime.now(timezone.utc), _Clock(), random.Random(7)
    recorder = Recorder(state_of(home), gap_seconds=25.0, log=_LOG, now=clock)
    for age in _ages(samples_per_bucket):
        clock.now = end - timedelta(seconds=age)
        recorder.add(_taken(clock.now, gpus, chance))
    recorder.start()
    recorder.stop(_PATIENCE_SECONDS)


def load_ms(home: Path) -> float:
    """Return how long it takes to open and read the file."""
    loaded = threading.Event()
    recorder = Recorder(state_of(home), gap_seconds=25.0, log=_LOG)
    begin = time.perf_counter()
    recorder.start(lambda _: loaded.set())
    if not loaded.wait(_PATIENCE_SECONDS):
        raise TimeoutError("The history was not loaded.")
    taken = time.perf_counter() - begin
    recorder.stop(_PATIENCE_SECONDS)
    return taken * 1e3


def _ages(samples_per_bucket: int) -> Iterator[float]:
    """Yield how long ago each sample is; the older, the further apart."""
    age = float(TIERS[-1].span_seconds)
    while age >= 0:
        yield age
        step = next(tier.step_seconds for tier in TIERS if age <= tier.span_seconds)
        age -= step / samples_per_bucket


def _taken(at: datetime, gpus: int, chance: random.Random) -> UsageSnapshot:
    day = math.sin(at.timestamp() / 86400 * 2 * math.pi)
    made = sample(6 + 4 * day + chance.random())
    disk, *_ = made.disks
    tmp = DiskUsage(
        name="tmp",
        path="/tmp",
        used_bytes=int((3 + chance.random()) * GIB),
        limit_bytes=20 * GIB,
        scope="filesystem",
        time=at,
        reason=None,
    )
    return replace(
        made,
        time=at,
        cpu=replace(
            made.cpu,
            used_cores=1 + 0.5 * day + 0.5 * chance.random(),
            throttled_share=max(0.0, chance.random() - 0.8),
        ),
        memory=replace(made.memory, cache_bytes=int((1 + chance.random()) * GIB)),
        gpus=[
            replace(
                WHOLE,
                index=index,
                uuid=f"GPU-{index}",
                utilization=chance.random(),
                memory_used_bytes=int((20 + 9 * chance.random()) * GIB),
            )
            for index in range(gpus)
        ],
        disks=[replace(disk, used_bytes=int((40 + day) * GIB), time=at), tmp],
        network=NetworkUsage(
            received_bytes_per_second=1e6 * chance.random(),
            sent_bytes_per_second=1e5 * chance.random(),
            scope="container",
            reason=None,
        ),
    )
