"""Warns of a CPU limit that holds programs back and of disks that fill up.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import NamedTuple

from ...models import Notice
from ...wording import rfc3339, share
from ..models import CpuUsage, DiskUsage, UsageSnapshot
from .standing import Latch, Standing

#: Part of the window that must be known for its share to mean anything.
COVERED_PART = 0.8

#: A program that works in bursts is held back in most of its few turns. Only mean use of
#: so much of the limit says that more would help.
BUSY_SHARE = 0.7

#: The notice goes when the share has fallen by so much.
THROTTLED_SLACK = 0.8

#: Told once; again only if all was well for so long in between.
TELL_AGAIN_SECONDS = 3600.0

#: A disk is well again when its share has fallen by so much.
DISK_SLACK = 0.02

#: A file system may be everybody's and huge: with so much free it is not nearly full, and
#: it is well again with so much.
ROOMY_BYTES = 20 * 2**30
ROOMY_AGAIN_BYTES = 22 * 2**30


class _Part(NamedTuple):
    until: float
    seconds: float
    stopped: float
    """Seconds times the share of turns in which programs were held back."""
    used: float
    """Seconds times the share of the limit in use."""


class Throttling:
    """Follows the share of turns in which programs are held back at the CPU limit.

    Parameters
    ----------
    share, window_seconds:
        As ``throttled_share`` and ``throttled_seconds`` of `warnings.Thresholds`.
    """

    def __init__(self, *, share: float, window_seconds: float) -> None:
        self._share = share
        self._window_seconds = window_seconds
        self._parts: deque[_Part] = deque()
        self._covered = self._stopped = self._used = 0.0
        """Sums over the parts."""
        self._before: float | None = None
        self._told = Latch(TELL_AGAIN_SECONDS)
        self._holds = Latch()
        self._standing = Standing()

    def update(self, sample: UsageSnapshot, now: float) -> list[Notice]:
        """Take a sample; return the notice that holds, if any."""
        if self._share <= 0 or self._window_seconds <= 0:
            return []
        cores = sample.cpu.limit_cores
        self._take(sample.cpu, now)
        known = cores is not None and self._covered >= self._window_seconds * COVERED_PART
        stopped = self._stopped / self._covered if known else 0.0
        used = self._used / self._covered if known else 0.0
        bad = stopped >= self._share and used >= BUSY_SHARE
        well = stopped < self._share * THROTTLED_SLACK or used < BUSY_SHARE * THROTTLED_SLACK
        news = not self._told.closed
        self._told.update(now, bad=bad, well=not bad)
        if not self._holds.update(now, bad=bad, well=well):
            self._standing.clear()
        elif bad and news and cores is not None:
            self._standing.show(self._notice(sample.time, stopped, cores), now)
        return [] if self._standing.notice is None else [self._standing.notice]

    def _take(self, cpu: CpuUsage, now: float) -> None:
        """Keep sums over the window; what is not known is left out of it."""
        before, self._before = self._before, now
        stopped, used, limit = cpu.throttled_share, cpu.used_cores, cpu.limit_cores
        if before is not None and stopped is not None and used is not None and limit:
            seconds = now - before
            self._add(_Part(now, seconds, seconds * stopped, seconds * used / limit), 1)
        while self._parts and self._parts[0].until < now - self._window_seconds:
            self._add(self._parts.popleft(), -1)

    def _add(self, part: _Part, sign: int) -> None:
        if sign > 0:
            self._parts.append(part)
        self._covered += sign * part.seconds
        self._stopped += sign * part.stopped
        self._used += sign * part.used

    def _notice(self, time: datetime, stopped: float, cores: float) -> Notice:
        seconds = self._window_seconds
        window = f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"
        limit = f"{cores:g} core" if cores == 1 else f"{cores:g} cores"
        return Notice(
            id=f"cpu:{rfc3339(time)}",
            time=time,
            feature="usage",
            severity="info",
            code="cpu_throttled",
            message=f"You are at your limit of {limit}: programs were held back in "
            f"{stopped:.0%} of their turns over the last {window}. Use fewer of them at once, "
            "or run on a larger server.",
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
            free = disk.limit_bytes - disk.used_bytes if disk.scope == "filesystem" else 0
            bad = part >= self._share and free < ROOMY_BYTES
            well = part < self._share - DISK_SLACK or free >= ROOMY_AGAIN_BYTES
            if latch.update(now, bad=bad, well=well):
                began = sample.time if standing.notice is None else standing.notice.time
                standing.show(_full(disk, disk.used_bytes, disk.limit_bytes, began), now)
            else:
                standing.clear()
        held = (standing.notice for _, standing in self._disks.values())
        return [notice for notice in held if notice is not None]


def _full(disk: DiskUsage, used: int, limit: int, began: datetime) -> Notice:
    is_own = disk.name == "home" and disk.scope == "quota"
    which = "Your home folder" if is_own else f"The disk of {disk.path}"
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
            "scope": disk.scope,
            "path": disk.path,
            "used_bytes": used,
            "limit_bytes": limit,
        },
        kernel_id=None,
        path=None,
    )
