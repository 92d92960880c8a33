"""Tells of GPUs that are assigned to this server and do nothing.

Only what was seen counts: a GPU is called unused when its utilization was known and 0
for all of the time. With neighbours on the same GPU nothing can be said.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ...models import Notice
from ...wording import rfc3339
from ..models import GpuUsage, UsageSnapshot
from .standing import Standing

#: A longer time without a figure starts the clock anew: it may have worked meanwhile.
BLIND_SECONDS = 600.0

#: More devices than any server has.
MOST_GPUS = 64


@dataclass
class _Idle:
    """A GPU that does nothing since a moment."""

    since: datetime
    since_seconds: float
    seen_seconds: float
    standing: Standing = field(default_factory=Standing)


class IdleGpus:
    """Follows each GPU or slice.

    Parameters
    ----------
    unused_seconds:
        As ``gpu_unused_seconds`` of `warnings.Thresholds`.
    """

    def __init__(self, *, unused_seconds: float) -> None:
        self._unused_seconds = unused_seconds
        self._idle: dict[str, _Idle] = {}

    def update(self, sample: UsageSnapshot, now: float) -> list[Notice]:
        """Take a sample; return the notices that hold."""
        if self._unused_seconds <= 0:
            return []
        self._idle = {
            uuid: idle
            for uuid, idle in self._idle.items()
            if now - idle.seen_seconds <= BLIND_SECONDS
        }
        for gpu in sample.gpus[:MOST_GPUS]:
            if gpu.utilization is not None:
                self._see(gpu, sample.time, now)
        held = (idle.standing.notice for idle in self._idle.values())
        return [notice for notice in held if notice is not None]

    def _see(self, gpu: GpuUsage, time: datetime, now: float) -> None:
        if gpu.utilization != 0 or gpu.scope == "shared-gpu":
            self._idle.pop(gpu.uuid, None)
            return
        idle = self._idle.setdefault(gpu.uuid, _Idle(time, now, now))
        idle.seen_seconds = now
        if now - idle.since_seconds >= self._unused_seconds:
            idle.standing.show(_unused(gpu, idle, now), now)


def _unused(gpu: GpuUsage, idle: _Idle, now: float) -> Notice:
    hours = int((now - idle.since_seconds) / 3600)
    told = f"{hours} hours" if hours != 1 else "an hour"
    if hours == 0:
        told = f"{(now - idle.since_seconds) / 60:.0f} minutes"
    return Notice(
        id=f"gpu:{gpu.uuid}:{rfc3339(idle.since)}",
        time=idle.since,
        feature="usage",
        severity="info",
        code="gpu_unused",
        message=f"GPU {gpu.index} ({gpu.name}) has not been used for {told}. Others may be "
        "waiting for one: if you need it no longer, run on a server without a GPU.",
        params={"index": gpu.index, "name": gpu.name, "hours": hours},
        kernel_id=None,
        path=None,
    )
