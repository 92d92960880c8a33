"""The whole machine, through psutil: what counts where no control group does."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path

from ...models import Reason
from ..figures import CpuReading, Limit, MemoryReading
from . import formats
from .files import Unreadable, read

_MEMINFO = Path("/proc/meminfo")
_PARTS = ("AnonPages", "Shmem", "Cached", "Buffers")


def cpu_limit() -> Limit:
    """Cores that this process may run on, or that the machine has."""
    count = os.cpu_count() or 1
    try:
        allowed = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not Linux
        allowed = count
    return Limit(allowed, "affinity") if allowed < count else Limit(count, "machine")


def memory_limit() -> Limit:
    """Memory of the machine."""
    return Limit(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "machine")


def read_cpu() -> CpuReading:
    """CPU time of everything on the machine."""
    import psutil  # noqa: PLC0415 - only machines without control groups pay for it

    seconds, reason = None, None
    try:
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        # Linux counts guest time inside user time already.
        guest = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
        seconds = sum(times) - guest - idle
    except Exception as error:  # noqa: BLE001 - psutil passes on whatever /proc gives
        reason = _unreadable(error)
    return CpuReading(
        at_seconds=time.monotonic(),
        cpu_seconds=seconds,
        limit=cpu_limit(),
        scope="machine",
        source="psutil",
        origin="machine",
        reason=reason,
    )


def read_memory(meminfo: Path = _MEMINFO) -> MemoryReading:
    """Memory of the machine that is not available to new programs.

    Parameters
    ----------
    meminfo:
        Where Linux tells the parts of it, which psutil mixes.
    """
    import psutil  # noqa: PLC0415 - as above

    used, reason = None, None
    try:
        memory = psutil.virtual_memory()
        used = memory.total - memory.available
    except Exception as error:  # noqa: BLE001 - as above
        reason = _unreadable(error)
    try:
        anon, shmem, *cache = read(meminfo, partial(formats.parse_meminfo, _PARTS))
    except Unreadable:  # not Linux
        anon, shmem, cache = None, None, []
    # What is cached counts what is shared.
    counted = [size for size in cache if size is not None]
    return MemoryReading(
        working_set_bytes=used,
        limit=memory_limit(),
        scope="machine",
        source="psutil",
        reason=reason,
        anon_bytes=anon,
        shmem_bytes=shmem,
        cache_bytes=None if shmem is None or not counted else max(sum(counted) - shmem, 0),
        # Cache, active or not, is available to new programs and so is not in use here.
        unreclaimable_bytes=used,
        origin="machine",
    )


def _unreadable(error: Exception) -> Reason:
    return Reason(
        code="machine_unreadable",
        message=f"The machine's own figures could not be read: {error}",
        params={"error": str(error)},
    )
