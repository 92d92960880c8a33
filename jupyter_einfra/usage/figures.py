"""From what was read to what is shown.

- CPU in use is CPU time between two readings over the time between them.
- What was throttled is the share of the scheduler's periods between two readings.
- A network rate counts only interfaces that were there at both readings.
- A limit is the smallest of what the control groups, the CPUs that the process may
  run on, and the machine allow; it names which of them it was.
- A figure that cannot be told is None with a reason, never 0.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..models import Reason
from .models import CpuUsage, LimitSource, MemoryUsage, NetworkUsage, Scope, Source

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
    origin: str = ""
    """What counted them; counts of different origins cannot be compared."""


@dataclass(frozen=True)
class Traffic:
    """Bytes through one network interface so far."""

    received_bytes: int
    sent_bytes: int


@dataclass(frozen=True)
class NetworkReading:
    """Bytes through the network interfaces so far; None where they could not be read."""

    at_seconds: float
    received_bytes: int | None
    sent_bytes: int | None
    scope: Literal["container", "machine"]
    reason: Reason | None = None
    interfaces: Mapping[str, Traffic] = field(default_factory=dict)
    """What the totals are made of."""


FIRST_SAMPLE = Reason(
    code="cpu_first_sample",
    message="The first CPU figure comes with the second sample.",
    params={},
)

NETWORK_FIRST_SAMPLE = Reason(
    code="network_first_sample",
    message="The first network figure comes with the second sample.",
    params={},
)


def widest(*scopes: Scope) -> Scope:
    """Return the scope that covers most."""
    order: tuple[Scope, ...] = ("container", "cgroup", "machine")
    return max(scopes, key=order.index)


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
    used = share = None
    reason = now.reason
    if before is not None and _is_anew(before, now):
        before = None
    if now.cpu_seconds is not None:
        if before is None or before.cpu_seconds is None:
            reason = FIRST_SAMPLE
        else:
            span = now.at_seconds - before.at_seconds
            used = (now.cpu_seconds - before.cpu_seconds) / span
    if before is not None:
        share = _throttled_share(before, now)
    return CpuUsage(
        used_cores=used,
        limit_cores=now.limit.value,
        throttled_share=share,
        scope=now.scope,
        source=now.source,
        limit_source=now.limit.source,
        reason=reason,
    )


def _is_anew(before: CpuReading, now: CpuReading) -> bool:
    """Tell whether two readings cannot be compared."""
    return (
        before.origin != now.origin
        or now.at_seconds - before.at_seconds < MIN_SPAN_SECONDS
        # A counter that fell belongs to a group made anew under the same name.
        or (now.cpu_seconds is not None and now.cpu_seconds < (before.cpu_seconds or 0.0))
    )


def _throttled_share(before: CpuReading, now: CpuReading) -> float | None:
    """Share of the periods between two readings in which the group was stopped."""
    if (
        before.periods is None
        or before.throttled_periods is None
        or now.periods is None
        or now.throttled_periods is None
    ):
        return None
    periods = now.periods - before.periods
    throttled = now.throttled_periods - before.throttled_periods
    if periods < 0 or throttled < 0:
        return None  # counted anew
    # Periods are counted only while there is something to run.
    return min(throttled / periods, 1.0) if periods else 0.0


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


def network_usage(before: NetworkReading | None, now: NetworkReading) -> NetworkUsage:
    """Compute the rates between two readings.

    An interface that came, went or began to count anew in between adds nothing: its
    bytes may be of any time.
    """
    received = sent = None
    reason = now.reason
    if now.received_bytes is not None:
        reason = NETWORK_FIRST_SAMPLE
        if before is not None and before.received_bytes is not None:
            span = now.at_seconds - before.at_seconds
            pairs = _same_interfaces(before, now)
            nothing_to_count = not before.interfaces and not now.interfaces
            if span >= MIN_SPAN_SECONDS and (pairs or nothing_to_count):
                received = sum(b.received_bytes - a.received_bytes for a, b in pairs) / span
                sent = sum(b.sent_bytes - a.sent_bytes for a, b in pairs) / span
                reason = None
    return NetworkUsage(
        received_bytes_per_second=received,
        sent_bytes_per_second=sent,
        scope=now.scope,
        reason=reason,
    )


def _same_interfaces(before: NetworkReading, now: NetworkReading) -> list[tuple[Traffic, Traffic]]:
    pairs = (
        (known, traffic)
        for name, traffic in now.interfaces.items()
        if (known := before.interfaces.get(name)) is not None
    )
    return [
        (a, b)
        for a, b in pairs
        if b.received_bytes >= a.received_bytes and b.sent_bytes >= a.sent_bytes
    ]
