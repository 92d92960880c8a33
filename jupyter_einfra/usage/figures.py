"""From what was read to what is shown.

- CPU in use is CPU time between two readings over the time between them.
- A limit is the smallest of what the control groups, the CPUs that the process may
  run on, and the machine allow; it names which of them it was.
- A figure that cannot be told is None with a reason, never 0.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ..models import Reason
from .models import CpuUsage, LimitSource, MemoryUsage, Scope, Source

#: Closer readings than this say more about the clock than about the CPU.
MIN_SPAN_SECONDS = 0.1


@dataclass(frozen=True)
class Limit:
    """The most that may be used, and what sets it; None where that could not be read."""

    value: float | None
    source: LimitSource


@dataclass(frozen=True)
class CpuReading:
    """CPU time used so far. ``cpu_seconds`` is None where it could not be read."""

    at_seconds: float
    cpu_seconds: float | None
    limit: Limit
    scope: Scope
    source: Source
    origin: str
    """What was read; seconds of different origins cannot be compared."""
    reason: Reason | None = None
    periods: int | None = None
    """Scheduler periods so far in which the limited group had something to run."""
    throttled_periods: int | None = None
    """Those of them in which it was stopped at its limit."""
    throttled_seconds: float | None = None
    """Time for which it was stopped so far."""


@dataclass(frozen=True)
class MemoryReading:
    """Memory in use now. ``working_set_bytes`` is None where it could not be read."""

    working_set_bytes: int | None
    limit: Limit
    scope: Scope
    source: Source
    reason: Reason | None = None
    anon_bytes: int | None = None
    shmem_bytes: int | None = None
    cache_bytes: int | None = None
    unreclaimable_bytes: int | None = None
    oom_kills: int | None = None
    """Processes of the group killed for want of memory so far, whoever wanted it."""
    limit_hits: int | None = None
    """How often the group met its limit so far; the kernel may have made room then."""


@dataclass(frozen=True)
class NetworkReading:
    """Bytes through the network interfaces so far; None where they could not be read."""

    at_seconds: float
    received_bytes: int | None
    sent_bytes: int | None
    scope: Literal["container", "machine"]
    reason: Reason | None = None


FIRST_SAMPLE = Reason(
    code="cpu_first_sample",
    message="The first CPU figure comes with the second sample.",
    params={},
)


def smallest(*limits: Limit | None) -> Limit:
    """Return the limit that binds; of equal ones the first.

    With one that could not be read the result is not known either: it may be the
    smallest.
    """
    return min(
        (limit for limit in limits if limit is not None),
        key=lambda limit: -math.inf if limit.value is None else limit.value,
    )


def cpu_usage(before: CpuReading | None, now: CpuReading) -> CpuUsage:
    """Compute the mean number of cores in use between two readings."""
    used: float | None = None
    reason = now.reason
    if now.cpu_seconds is not None:
        if (
            before is None
            or before.cpu_seconds is None
            or before.origin != now.origin
            or now.at_seconds - before.at_seconds < MIN_SPAN_SECONDS
            # A counter that fell belongs to a group made anew under the same name.
            or now.cpu_seconds < before.cpu_seconds
        ):
            reason = FIRST_SAMPLE
        else:
            span = now.at_seconds - before.at_seconds
            used = (now.cpu_seconds - before.cpu_seconds) / span
    return CpuUsage(
        used_cores=used,
        limit_cores=now.limit.value,
        throttled_share=None,
        scope=now.scope,
        source=now.source,
        limit_source=now.limit.source,
        reason=reason,
    )


def memory_usage(now: MemoryReading) -> MemoryUsage:
    """Word a memory reading for the wire."""
    return MemoryUsage(
        working_set_bytes=now.working_set_bytes,
        limit_bytes=None if now.limit.value is None else int(now.limit.value),
        anon_bytes=now.anon_bytes,
        shmem_bytes=now.shmem_bytes,
        cache_bytes=now.cache_bytes,
        unreclaimable_bytes=now.unreclaimable_bytes,
        oom_kills=now.oom_kills,
        scope=now.scope,
        source=now.source,
        limit_source=now.limit.source,
        reason=now.reason,
    )
