"""How much was used over a time, from what there are figures of.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise

from ..usage.models import Band, GpuHistory, Scope, UsageHistory
from .models import DigestUse


def use_of(history: UsageHistory, scope: Scope | None) -> DigestUse | None:
    """Add up what was used, by whom the scope tells; None if there are no figures at all."""
    cores = history.cpu_used_cores
    peaks = _known(history.memory_working_set_bytes.maximum)
    if not _known(cores.mean) and not peaks:
        return None
    spans = _spans(history)
    at, most = max(peaks, key=lambda peak: peak[1], default=(None, None))
    peak_at = None
    if at is not None:
        peak_at = history.since + timedelta(seconds=history.offsets_seconds[at])
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
        gpu_hours=_sum(_hours(gpu.utilization, spans) for gpu in history.gpus),
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
    peaks = (
        (gpu, max(used for _, used in _known(gpu.memory_used_bytes.maximum)))
        for gpu in gpus
        if _known(gpu.memory_used_bytes.maximum)
    )
    return max(
        peaks,
        key=lambda peak: (peak[1] / (peak[0].memory_total_bytes or math.inf), peak[1]),
        default=(None, None),
    )


def _spans(history: UsageHistory) -> list[float]:
    """Return the time in seconds that each point tells of.

    While nobody looks, samples are further apart than the finest points are long. A figure is
    of the time since the point before, but for a gap.
    """
    step, gap = history.resolution_seconds, history.gap_seconds
    since = (after - before for before, after in pairwise(history.offsets_seconds))
    return [step, *(max(step, seconds) if seconds <= gap else step for seconds in since)]


def _known(values: Iterable[float | None]) -> list[tuple[int, float]]:
    return [(i, value) for i, value in enumerate(values) if value is not None]


def _hours(band: Band, spans: Sequence[float]) -> float | None:
    known = [value * spans[at] for at, value in _known(band.mean)]
    return sum(known) / 3600 if known else None


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
