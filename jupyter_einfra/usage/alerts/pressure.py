"""Warns before memory meets its limit: it is nearly there, or soon will be.

Both are one event with one notice, whose code may change from ``memory_trend`` to
``memory_high`` and never back.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from datetime import datetime

from ...models import Notice, Params
from ...wording import rfc3339, share, size
from ..models import Program, UsageSnapshot
from .standing import Latch, Standing
from .trend import Trend

#: From here on something is about to be lost; below the second no longer.
CRITICAL_SHARE = 0.97
RELIEVED_SHARE = 0.95

#: However fast it grows, memory that is half free is no cause for alarm.
TREND_MIN_SHARE = 0.5

#: A trend is over once the limit is this many times further off than it may be.
TREND_SLACK = 2.0

#: So near the limit, samples come fast while memory moves.
NEAR_SHARE = 0.8
NEAR_SECONDS = 600.0

#: Memory moves when it changed by so much of the limit, and for this time after. What is
#: held for days needs no closer look, and looking must not pass for use of the server.
MOVED_SHARE = 0.01
MOVING_SECONDS = 120.0

#: After this time without a figure nothing can be claimed.
UNKNOWN_SECONDS = 60.0


class MemoryPressure:
    """Follows memory that cannot be taken back towards its limit.

    Parameters
    ----------
    share, clear_share, trend_seconds:
        As of `warnings.Thresholds`.
    """

    def __init__(self, *, share: float, clear_share: float, trend_seconds: float) -> None:
        self._share = share
        self._clear_share = min(clear_share, share)
        self._trend_seconds = trend_seconds
        self._trend = Trend()
        self._level = Latch()
        self._growth = Latch()
        self._standing = Standing()
        self._seen_at: float | None = None
        self._settled: int | None = None
        """What was in use when it last moved."""
        self._moved_at = 0.0
        self.is_near = False
        """Whether the limit may be met before long."""

    def update(self, sample: UsageSnapshot, biggest: Program | None, now: float) -> list[Notice]:
        """Take a sample; return the notice that holds, if any."""
        memory = sample.memory
        used = memory.unreclaimable_bytes
        if used is None:
            used = memory.working_set_bytes
        if used is None or not memory.limit_bytes:
            self._lose_sight(now)
        else:
            self._seen_at = now
            self._judge(sample.time, used, memory.limit_bytes, biggest, now)
        return [] if self._standing.notice is None else [self._standing.notice]

    def _lose_sight(self, now: float) -> None:
        if self._seen_at is None or now - self._seen_at >= UNKNOWN_SECONDS:
            self._level, self._growth = Latch(), Latch()
            self._settled = None
            self.is_near = False
            self._standing.clear()

    def _judge(
        self, time: datetime, used: int, limit: int, biggest: Program | None, now: float
    ) -> None:
        part = used / limit
        self._trend.add(now, used)
        slope = self._trend.slope()
        left = None if slope is None else max(0, limit - used) / slope
        is_moving = self._is_moving(used, limit, now)
        self.is_near = (part >= NEAR_SHARE and is_moving) or (
            left is not None and left <= NEAR_SECONDS
        )
        high = self._share > 0 and self._level.update(
            now, bad=part >= self._share, well=part < self._clear_share
        )
        soon = left is not None and part >= TREND_MIN_SHARE and left <= self._trend_seconds
        growing = self._trend_seconds > 0 and self._growth.update(
            now, bad=soon, well=left is None or left > TREND_SLACK * self._trend_seconds
        )
        if not high and not growing:
            self._standing.clear()
            return
        shown = self._standing.notice
        if shown is not None and part < self._clear_share and not soon:
            return  # it gets better; what was told holds until it is over
        if high or (shown is not None and shown.code == "memory_high"):
            slope = None
        elif slope is None:
            return  # it pauses; what was told holds until it is over
        critical = part >= CRITICAL_SHARE or (
            part >= RELIEVED_SHARE and shown is not None and shown.severity == "error"
        )
        notice = _notice(
            time if shown is None else shown.time,
            used=used,
            limit=limit,
            slope=slope,
            biggest=biggest,
            critical=critical,
        )
        self._standing.show(notice, now)

    def _is_moving(self, used: int, limit: int, now: float) -> bool:
        if self._settled is None or abs(used - self._settled) >= MOVED_SHARE * limit:
            self._settled, self._moved_at = used, now
        return now - self._moved_at <= MOVING_SECONDS


def _notice(
    began: datetime,
    *,
    used: int,
    limit: int,
    slope: float | None,
    biggest: Program | None,
    critical: bool,
) -> Notice:
    """Word what holds: with a slope what is to come, else what is."""
    params: Params = {"used_bytes": used, "limit_bytes": limit}
    if slope is None:
        message = f"Memory: {share(used, limit)} in use. At the limit programs are killed."
    else:
        seconds = round(max(0, limit - used) / slope)
        params |= {"seconds": seconds, "bytes_per_second": round(slope)}
        message = (
            f"Memory grows by {size(slope)} a second and may meet its limit in about "
            f"{seconds} s (an estimate): {share(used, limit)} in use."
        )
    kernel = biggest if biggest is not None and biggest.kind == "kernel" else None
    if biggest is not None:
        params["name"] = biggest.name
        if biggest.memory_bytes is not None:
            params["kernel_bytes"] = biggest.memory_bytes
            message += f" {biggest.name} uses {size(biggest.memory_bytes)}."
        else:
            message += f" {biggest.name} uses most of it."
    message += " Save your work." if kernel is None else " Interrupt it or save your work."
    return Notice(
        id=f"memory:{rfc3339(began)}",
        time=began,
        feature="usage",
        severity="error" if critical else "warning",
        code="memory_high" if slope is None else "memory_trend",
        message=message,
        params=params,
        kernel_id=None if kernel is None else kernel.id,
        path=None if kernel is None else kernel.path,
    )
