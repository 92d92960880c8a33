"""How much was used over a time, from what there are figures of.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from ..usage.models import Band, GpuHistory, Scope, UsageHistory
from .models import DigestUse


def use_of(history: UsageHistory, scope: Scope | None) -> DigestUse | None:
    """Add up what was used, by whom the scope tells; None if there are no figures at all."""
    cores = history.cpu_used_cores
    peaks = _known(history.memory_working_set_bytes.maximum)
    if not _known(cores.mean) and not peaks:
        return None
    spans = _spans(history, range(len(history.offsets_seconds)))
    at, most = max(peaks, key=lambda peak: peak[1], default=(None, None))
    peak_at = None
    if at is not None:
        peak_at = history.since + timedelta(seconds=max(history.offsets_seconds[at], 0.0))
    limit = None if at is None else history.memory_limit_bytes.maximum[at]
    homes = _known(history.home_used_bytes.mean)
    home, home_limit = None, None
    if homes:
        last, home = homes[-1]
        home_limit = history.home_limit_bytes.mean[last]
    gpu, gpu_most = _fullest(history.gpus)
    return DigestUse(
        known_seconds=sum(spans[at] for at, _ in _known(cores.mean)),
        scope=scope,
        cpu_core_hours=_hours(cores, spans),
        gpu_hours=_sum(_gpu_hours(history, gpu) for gpu in history.gpus),
        memory_peak_bytes=_whole(most),
        memory_peak_at=peak_at,
        memory_limit_bytes=_whole(limit),
        gpu_memory_peak_bytes=_whole(gpu_most),
        gpu_memory_total_bytes=None if gpu is None else gpu.memory_total_bytes,
        home_used_bytes=_whole(home),
        home_limit_bytes=_whole(home_limit),
    )


def _fullest(gpus: Iterable[GpuHistory]) -> tuple[GpuHistory | None, float | None]:
    """Return the GPU of whose memory the largest share was in use, and how much that was."""
    known = ((gpu, _known(gpu.memory_used_bytes.maximum)) for gpu in gpus)
    peaks = ((gpu, max(used for _, used in points)) for gpu, points in known if points)
    return max(
        peaks,
        key=lambda peak: (peak[1] / (peak[0].memory_total_bytes or math.inf), peak[1]),
        default=(None, None),
    )


def _spans(history: UsageHistory, points: Sequence[int]) -> dict[int, float]:
    """Return the time in seconds that each of these points tells of.

    While nobody looks, samples are further apart than the finest points are long. A figure is
    of the time since the point before, but for a gap. Of points that are long a part may be of
    another time than was asked for, or of one in which the server did not live.
    """
    step, gap = history.resolution_seconds, history.gap_seconds
    until = (history.until - history.since).total_seconds()
    spans: list[tuple[float, float]] = []
    before = -math.inf
    for start in (history.offsets_seconds[point] for point in points):
        begin = before + step if start - before <= gap else start
        spans.append((max(begin, 0.0), max(min(start + step, until), 0.0)))
        before = start
    return dict(zip(points, _lived(history, spans), strict=True))


def _lived(history: UsageHistory, spans: Sequence[tuple[float, float]]) -> list[float]:
    """Return how long the server lived in each of these times; all of it where that is unknown."""

    def offset(moment: datetime | None) -> float:
        return math.inf if moment is None else (moment - history.since).total_seconds()

    lived = [0.0] * len(spans)
    ends = [end for _, end in spans]
    for started, ended in ((offset(run.started), offset(run.ended)) for run in history.runs):
        for at in range(bisect_right(ends, started), len(spans)):
            begin, end = spans[at]
            if begin >= ended:
                break
            lived[at] += min(end, ended) - max(begin, started)
    whole = (max(end - begin, 0.0) for begin, end in spans)
    return [min(part or most, most) for part, most in zip(lived, whole, strict=True)]


def _known(values: Iterable[float | None]) -> list[tuple[int, float]]:
    return [(i, value) for i, value in enumerate(values) if value is not None]


def _hours(band: Band, spans: Mapping[int, float]) -> float | None:
    known = [value * spans[at] for at, value in _known(band.mean)]
    return sum(known) / 3600 if known else None


def _gpu_hours(history: UsageHistory, gpu: GpuHistory) -> float | None:
    """Add up one GPU's own points: it may be in fewer samples than all else."""
    both = zip(gpu.utilization.mean, gpu.memory_used_bytes.mean, strict=True)
    there = [at for at, figures in enumerate(both) if figures != (None, None)]
    return _hours(gpu.utilization, _spans(history, there))


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
