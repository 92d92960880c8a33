"""Warns of a CPU limit that holds programs back and of disks that fill up.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime

from ...models import Notice
from ..models import DiskUsage, UsageSnapshot
from .standing import Latch, Standing
from .wording import rfc3339, share

#: Part of the window that must be known for its share to mean anything.
COVERED_PART = 0.8

#: The notice goes when the share has fallen by so much.
THROTTLED_SLACK = 0.8

#: Told once; again only if all was well for so long in between.
TELL_AGAIN_SECONDS = 3600.0

#: A disk is well again when its share has fallen by so much.
DISK_SLACK = 0.02


class Throttling:
    """Follows the share of time in which programs are stopped at the CPU limit.

    Parameters
    ----------
    share, window_seconds:
        As ``throttled_share`` and ``throttled_seconds`` of `warnings.Thresholds`.
    """

    def __init__(self, *, share: float, window_seconds: float) -> None:
        self._share = share
        self._window_seconds = window_seconds
        self._parts: deque[tuple[float, float, float]] = deque()
        """Moments, the seconds up to each, and the share in them."""
        self._before: float | None = None
        self._told = Latch(TELL_AGAIN_SECONDS)
        self._holds = Latch()
        self._standing = Standing()

    def update(self, sample: UsageSnapshot, now: float) -> list[Notice]:
        """Take a sample; return the notice that holds, if any."""
        if self._share <= 0 or self._window_seconds <= 0:
            return []
        stopped = self._mean(sample.cpu.throttled_share, now)
        cores = sample.cpu.limit_cores
        bad = stopped is not None and cores is not None and stopped >= self._share
        well = stopped is None or stopped < self._share * THROTTLED_SLACK
        news = not self._told.closed
        self._told.update(now, bad=bad, well=not bad)
        if not self._holds.update(now, bad=bad, well=well):
            self._standing.clear()
        elif bad and news and stopped is not None and cores is not None:
            self._standing.show(self._notice(sample.time, stopped, cores), now)
        return [] if self._standing.notice is None else [self._standing.notice]

    def _mean(self, stopped: float | None, now: float) -> float | None:
        """Return the share over the window; None where too little of it is known."""
        before, self._before = self._before, now
        if before is not None and stopped is not None:
            self._parts.append((now, now - before, stopped))
        while self._parts and self._parts[0][0] < now - self._window_seconds:
            self._parts.popleft()
        covered = sum(seconds for _, seconds, _ in self._parts)
        if covered < self._window_seconds * COVERED_PART:
            return None
        return sum(seconds * part for _, seconds, part in self._parts) / covered

    def _notice(self, time: datetime, stopped: float, cores: float) -> Notice:
        minutes = f"{self._window_seconds / 60:.0f} minutes"
        return Notice(
            id=f"cpu:{rfc3339(time)}",
            time=time,
            feature="usage",
            severity="info",
            code="cpu_throttled",
            message=f"You use all {cores:g} cores of your limit: programs were held back in "
            f"{stopped:.0%} of the last {minutes}. Use fewer of them at once, or run on a "
            "larger server.",
            params={
                "limit_cores": cores,
                "throttled_share": round(stopped, 3),
                "seconds": round(self._window_seconds),
            },
            kernel_id=None,
            path=None,
        )


class FullDisks:
    """Follows each disk. One whose figures are unknown stays what it was.

    Parameters
    ----------
    share:
        As ``disk_share`` of `warnings.Thresholds`.
    """

    def __init__(self, *, share: float) -> None:
        self._share = share
        self._disks: dict[str, tuple[Latch, Standing]] = {}

    def update(self, sample: UsageSnapshot, now: float) -> list[Notice]:
        """Take a sample; return the notices that hold."""
        if self._share <= 0:
            return []
        for disk in sample.disks:
            latch, standing = self._disks.setdefault(disk.name, (Latch(), Standing()))
            if disk.used_bytes is None or not disk.limit_bytes:
                continue
            part = disk.used_bytes / disk.limit_bytes
            if latch.update(now, bad=part >= self._share, well=part < self._share - DISK_SLACK):
                began = sample.time if standing.notice is None else standing.notice.time
                standing.show(_full(disk, disk.used_bytes, disk.limit_bytes, began), now)
            else:
                standing.clear()
        held = (standing.notice for _, standing in self._disks.values())
        return [notice for notice in held if notice is not None]


def _full(disk: DiskUsage, used: int, limit: int, began: datetime) -> Notice:
    which = "Your home folder" if disk.name == "home" else f"The disk of {disk.path}"
    return Notice(
        id=f"disk-{disk.name}:{rfc3339(began)}",
        time=began,
        feature="usage",
        severity="warning",
        code="disk_full",
        message=f"{which} is nearly full: {share(used, limit)}. Delete what you no longer "
        "need; nothing can be saved once it is full.",
        params={
            "disk": disk.name,
            "path": disk.path,
            "used_bytes": used,
            "limit_bytes": limit,
        },
        kernel_id=None,
        path=None,
    )
