"""Which part of the history answers a query, and how it is told.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from itertools import compress
from typing import NamedTuple

from ...errors import InvalidParameter
from ...models import Reason
from ..models import Band, GpuHistory, HistoryQuery, Run, UsageEvent, UsageHistory
from .series import GPU_SERIES, SERIES, Device, History
from .tiers import TIERS, Tier, Window

#: What a chart can show; see `HistoryQuery.resolution`.
MOST_POINTS = 2200

#: Left out, `since` is so long before `until`.
DEFAULT_SPAN = timedelta(minutes=15)

#: A browser's clock may be ahead of the server's; more than this is a mistake.
_AHEAD = timedelta(days=1)
_EARLIEST = datetime(1970, 1, 1, tzinfo=timezone.utc)

#: A tier covers a moment that it has only just dropped: asked for 6 hours, the 6 hours
#: of a tier will do, though the question took a moment to come here.
_SLACK = 0.05

#: Anything beyond is damage; NaN too fails the comparison.
_MOST = 2.0**63


class Span(NamedTuple):
    """A query with all that it left out."""

    since: datetime
    until: datetime
    tier: int
    first: int
    """Start of the first bucket."""
    last: int
    """Start of the last bucket, which is not in the future."""

    @property
    def step_seconds(self) -> int:
        """Length of a bucket."""
        return TIERS[self.tier].step_seconds


class Cut(NamedTuple):
    """The part of the history that a span covers."""

    server: Window
    gpus: list[tuple[Device, Window]]


def span(query: HistoryQuery, now: datetime, *, every_point: bool = False) -> Span:
    """Choose the tier and the buckets that answer a query.

    Parameters
    ----------
    query, now:
        What is asked for, and when.
    every_point:
        Whether a resolution is kept to even if that makes more than `MOST_POINTS`.

    Raises
    ------
    InvalidParameter
        The time asked for makes no sense.
    """
    for name, moment in (("since", query.since), ("until", query.until)):
        if moment is not None and moment > now + _AHEAD:
            raise InvalidParameter(name, "lies in the future")
        if moment is not None and moment < _EARLIEST:
            raise InvalidParameter(name, "is before 1970")
    until = query.until or max(now, query.since or now)
    since = query.since or max(until - DEFAULT_SPAN, _EARLIEST)
    if since > until:
        raise InvalidParameter("since", "is later than `until`")
    end = min(until, now)
    unbounded = every_point and query.resolution is not None
    tier = _tier(since, end, now, query.resolution or 0.0, None if unbounded else MOST_POINTS)
    step, capacity = TIERS[tier]
    last = TIERS[tier].start(end.timestamp())
    first = max(TIERS[tier].start(since.timestamp()), last - (capacity - 1) * step)
    return Span(since, until, tier, first, last)


def _tier(
    since: datetime, end: datetime, now: datetime, resolution: float, most_points: int | None
) -> int:
    def fits(tier: Tier) -> bool:
        if now - since > timedelta(seconds=tier.span_seconds * (1 + _SLACK)):
            return False
        if tier.step_seconds < resolution:
            return False
        length = tier.start(end.timestamp()) - tier.start(since.timestamp())
        points = min(length // tier.step_seconds + 1, tier.capacity)
        return most_points is None or points <= most_points

    return next((i for i, tier in enumerate(TIERS) if fits(tier)), len(TIERS) - 1)


def cut(history: History, where: Span) -> Cut:
    """Copy what a span covers; quick, since nobody may write meanwhile."""
    return Cut(
        history.server.window(where.tier, where.first, where.last),
        [
            (device, track.window(where.tier, where.first, where.last))
            for device, track in history.gpus.values()
        ],
    )


def told(
    where: Span,
    part: Cut,
    *,
    now: datetime,
    gap_seconds: float,
    events: Iterable[UsageEvent],
    runs: Sequence[Run],
    reason: Reason | None,
) -> UsageHistory:
    """Word a part of the history for the wire.

    Parameters
    ----------
    where, part:
        What was asked for and what was found there.
    now:
        What happened after this happened by a wrong clock.
    gap_seconds:
        Samples further apart than this have a gap between them.
    events, runs:
        All that are known; those of other times are left out.
    reason:
        Why the history is not kept on disk.
    """
    step, points = where.step_seconds, part.server.present
    since = where.since.timestamp()
    starts = compress(range(where.first, where.last + 1, step), points)
    end = min(where.until, now)
    return UsageHistory(
        since=where.since,
        until=where.until,
        resolution_seconds=float(step),
        gap_seconds=max(gap_seconds, step * 1.5),
        offsets_seconds=[round(start - since, 3) for start in starts],
        gpus=[
            _gpu(device, window, points)
            for device, window in sorted(part.gpus, key=lambda gpu: (gpu[0].index, gpu[0].uuid))
            if any(window.present)
        ],
        events=sorted(
            (event for event in events if where.since <= event.time <= end),
            key=lambda event: event.time,
        ),
        runs=[
            run
            for run in runs
            if run.started <= end and (run.ended is None or run.ended >= where.since)
        ],
        reason=reason,
        **{name: _band(part.server, i, name, points) for i, name in enumerate(SERIES)},
    )


def _gpu(device: Device, window: Window, points: list[bool]) -> GpuHistory:
    there = list(compress(window.present, points))
    bands = (_band(window, i, name, points, there) for i, name in enumerate(GPU_SERIES))
    utilization, memory = bands
    return GpuHistory(
        uuid=device.uuid,
        index=device.index,
        name=device.name,
        scope=device.scope,
        memory_total_bytes=device.memory_total_bytes,
        utilization=utilization,
        memory_used_bytes=memory,
    )


def _band(
    window: Window, series: int, name: str, points: list[bool], there: list[bool] | None = None
) -> Band:
    """Word one series; ``there`` tells at which of the points it has buckets at all."""
    columns: list[list[float | None]] = []
    before = b""
    for statistic in range(3):
        raw = window.column(series, statistic)
        if columns and raw.tobytes() == before:
            columns.append(columns[-1])  # a limit, or what was sampled once per bucket
            continue
        before, values = raw.tobytes(), list(compress(raw, points))
        column = _whole(values) if "bytes" in name else _shares(values)
        if there is not None and not all(there):
            column = [v if known else None for v, known in zip(column, there, strict=True)]
        columns.append(column)
    return Band(minimum=columns[0], mean=columns[1], maximum=columns[2])


def _all_known(values: list[float]) -> bool:
    """Whether none is NaN, without a look at each."""
    return 0 <= sum(values) < _MOST


def _whole(values: list[float]) -> list[float | None]:
    if _all_known(values):
        return list(map(int, values))
    return [int(v) if 0 <= v < _MOST else None for v in values]


def _shares(values: list[float]) -> list[float | None]:
    """Keep four decimals of a core or a share; `round` takes five times as long."""
    if _all_known(values):
        return [int(v * 1e4 + 0.5) / 1e4 for v in values]
    return [int(v * 1e4 + 0.5) / 1e4 if 0 <= v < _MOST else None for v in values]
