"""What of a sample is recorded, and the tracks that it goes to.

The server's own figures are one track, each GPU's another: GPUs come and go, above
all MIG slices, so the ones unseen longest make room.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct

from ..models import DiskUsage, UsageSnapshot
from .tiers import UNKNOWN, Row, Track

#: Recorded of the server, by their names in `UsageHistory`.
SERIES = (
    "cpu_used_cores",
    "cpu_limit_cores",
    "cpu_throttled_share",
    "memory_working_set_bytes",
    "memory_anon_shmem_bytes",
    "memory_cache_bytes",
    "memory_limit_bytes",
    "home_used_bytes",
    "home_limit_bytes",
    "tmp_used_bytes",
    "tmp_limit_bytes",
    "network_received_bytes_per_second",
    "network_sent_bytes_per_second",
)

#: Recorded of each GPU, by their names in `GpuHistory`.
GPU_SERIES = ("utilization", "memory_used_bytes")

#: Of the largest servers. In memory a track takes 0.6 MB, in the file up to 1 MB.
MOST_GPUS = 16

_MOST_CHARACTERS = 120
_MOST = 2.0**63

#: Beyond any calendar, within any counter.
_LATEST = 1e12


class Device(Struct, frozen=True, kw_only=True):
    """A GPU or slice that has a track."""

    uuid: str
    index: Annotated[int, Meta(ge=0, le=2**31)]
    name: str
    scope: Literal["gpu", "shared-gpu", "mig"]
    memory_total_bytes: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None
    seen: float
    """When it was last sampled, in seconds since 1970."""


class Changes(NamedTuple):
    """What a file lacks."""

    figures: list[Row]
    gpus: list[tuple[Device, list[Row]]]
    known: frozenset[str]
    """Every device that has a track; what a file has of others may go."""


def _figure(value: float | None) -> float:
    if value is None or not 0 <= value < _MOST:
        return UNKNOWN
    return float(value)


def _disk(disks: Sequence[DiskUsage], name: str) -> tuple[float, float]:
    found = next((disk for disk in disks if disk.name == name), None)
    if found is None:
        return UNKNOWN, UNKNOWN
    return _figure(found.used_bytes), _figure(found.limit_bytes)


def figures_of(sample: UsageSnapshot) -> tuple[float, ...]:
    """Return the values of `SERIES` in a sample; NaN for unknown."""
    cpu, memory, network = sample.cpu, sample.memory, sample.network
    return (
        _figure(cpu.used_cores),
        _figure(cpu.limit_cores),
        _figure(cpu.throttled_share),
        _figure(memory.working_set_bytes),
        _figure(memory.anon_bytes) + _figure(memory.shmem_bytes),
        _figure(memory.cache_bytes),
        _figure(memory.limit_bytes),
        *_disk(sample.disks, "home"),
        *_disk(sample.disks, "tmp"),
        _figure(network.received_bytes_per_second),
        _figure(network.sent_bytes_per_second),
    )


def gpus_of(sample: UsageSnapshot) -> list[tuple[Device, tuple[float, float]]]:
    """Return the GPUs in a sample with the values of `GPU_SERIES`."""
    at_seconds = sample.time.timestamp()
    return [
        (
            Device(
                uuid=gpu.uuid[:_MOST_CHARACTERS],
                index=gpu.index,
                name=gpu.name[:_MOST_CHARACTERS],
                scope=gpu.scope,
                memory_total_bytes=gpu.memory_total_bytes,
                seen=at_seconds,
            ),
            (_figure(gpu.utilization), _figure(gpu.memory_used_bytes)),
        )
        for gpu in sample.gpus[:MOST_GPUS]
    ]


class History:
    """All tracks."""

    def __init__(self) -> None:
        self.server = Track(len(SERIES))
        self.gpus: dict[str, tuple[Device, Track]] = {}

    def add(
        self,
        at_seconds: float,
        figures: Sequence[float],
        gpus: Iterable[tuple[Device, Sequence[float]]] = (),
    ) -> None:
        """Take one sample."""
        if not abs(at_seconds) < _LATEST:
            return
        self.server.add(at_seconds, figures)
        for device, values in gpus:
            self._track(device).add(at_seconds, values)

    def _track(self, device: Device) -> Track:
        """Return the track of a device, made if need be; what is newer of it is kept."""
        known = self.gpus.get(device.uuid)
        if known is not None:
            if device.seen >= known[0].seen:
                self.gpus[device.uuid] = (device, known[1])
            return known[1]
        while len(self.gpus) >= MOST_GPUS:
            oldest = min((d for d, _ in self.gpus.values()), key=lambda d: (d.seen, d.uuid))
            del self.gpus[oldest.uuid]
        track = Track(len(GPU_SERIES))
        self.gpus[device.uuid] = (device, track)
        return track

    def load_gpu(
        self, device: Device, rows: Iterable[Row], now_seconds: float, *, again: bool
    ) -> None:
        """Take in rows of a device that a file has, if there is room for it."""
        full = device.uuid not in self.gpus and len(self.gpus) >= MOST_GPUS
        if not full or device.seen > min(known.seen for known, _ in self.gpus.values()):
            self._track(device).load(rows, now_seconds, again=again)

    def begin_load(self) -> None:
        """Prepare to take in all of a file."""
        for track in (self.server, *(track for _, track in self.gpus.values())):
            track.begin_load()

    def changes(self) -> Changes:
        """Return what changed since the last call."""
        gpus = [(device, track.changes()) for device, track in self.gpus.values()]
        changed = [(device, rows) for device, rows in gpus if rows]
        return Changes(self.server.changes(), changed, frozenset(self.gpus))

    def put_back(self, changes: Changes) -> None:
        """Count as changed again what could not be written."""
        self.server.put_back(changes.figures)
        for device, rows in changes.gpus:
            if device.uuid in self.gpus:
                self.gpus[device.uuid][1].put_back(rows)

    def memory_bytes(self) -> int:
        """Size of all tracks."""
        tracks = (self.server, *(track for _, track in self.gpus.values()))
        return sum(track.memory_bytes() for track in tracks)
