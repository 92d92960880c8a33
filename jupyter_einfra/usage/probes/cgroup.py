"""Control groups, version 2 and 1: what this container uses.

Use is read on the group whose limit binds. Only the count of killed processes is our
own group's: groups above count other containers' too, and version 1 counts a killed
process nowhere but in its own group.

Limits change rarely and take several files to read, so they are kept for a while; a
sample then reads four to six files, each once. A part that a file lacks is unknown and
takes nothing else down.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..figures import CpuReading, MemoryReading
from . import formats
from .files import FirstReason, Unreadable, read, read_if_there
from .groups import OurGroups
from .limits import Bound, cpu_bound, memory_bound, unknown

_UNREADABLE = "cgroup_unreadable"

_THROTTLING = ("nr_periods", "nr_throttled", "throttled_usec", "throttled_time")
_MEMORY_STAT = {
    2: ("inactive_file", "active_file", "anon", "shmem", "file"),
    1: ("total_inactive_file", "total_active_file", "total_rss", "total_shmem", "total_cache"),
}


@dataclass(frozen=True)
class _Throttling:
    """What ``cpu.stat`` tells of a group that has a limit."""

    periods: int | None = None
    throttled_periods: int | None = None
    throttled_seconds: float | None = None


@dataclass(frozen=True)
class _MemoryParts:
    """What ``memory.stat`` tells of a group."""

    inactive_file: int | None = None
    active_file: int | None = None
    anon: int | None = None
    shmem: int | None = None
    file: int | None = None
    """File cache, shared memory included."""


class CgroupProbe:
    """Reads CPU time, memory and limits of the groups that this process is in.

    Parameters
    ----------
    root, environ:
        As of `OurGroups`; this process's own if left out.
    limits_seconds:
        How long limits that were read are good for.
    """

    def __init__(
        self,
        root: Path = Path("/"),
        environ: Mapping[str, str] | None = None,
        *,
        limits_seconds: float = 0.0,
    ) -> None:
        self._groups = OurGroups(root, os.environ if environ is None else environ)
        self._limits_seconds = limits_seconds
        self._kept: dict[str, tuple[float, Bound]] = {}
        self.resolve()

    @property
    def in_container(self) -> bool:
        """Whether this process runs in a container, as far as can be told."""
        return self._groups.in_container

    def resolve(self) -> None:
        """Find our groups anew; the process may have been moved."""
        self._groups.resolve()
        self._kept.clear()

    def read_cpu(self) -> CpuReading | None:
        """CPU time so far and its limit; None where no control group counts it."""
        account, control = self._groups.account, self._groups.control
        if account is None:
            return None
        seconds, throttling = None, None
        first = FirstReason(_UNREADABLE)
        bound = first.attempt(lambda: self._keep("cpu", lambda: cpu_bound(control, account)))
        if bound is None:
            bound = unknown(account)
        elif account.version == 2:
            both = first.attempt(partial(read, f"{bound.directory}/cpu.stat", _cpu_stat_v2))
            seconds, throttling = both or (None, None)
        else:
            path = f"{bound.directory}/cpuacct.usage"
            nanoseconds = first.attempt(partial(read, path, formats.parse_count))
            seconds = None if nanoseconds is None else nanoseconds / 1e9
        if bound.limited is None:
            throttling = None
        elif account.version == 1:
            throttling = first.attempt(partial(read, f"{bound.limited}/cpu.stat", _throttling))
        throttling = throttling or _Throttling()
        return CpuReading(
            at_seconds=time.monotonic(),
            cpu_seconds=seconds,
            limit=bound.limit,
            scope=bound.scope,
            source=account.source,
            origin=str(bound.directory),
            reason=first.reason,
            periods=throttling.periods,
            throttled_periods=throttling.throttled_periods,
            throttled_seconds=throttling.throttled_seconds,
        )

    def read_memory(self) -> MemoryReading | None:
        """Memory in use and its limit; None where no control group counts it."""
        group = self._groups.memory
        if group is None:
            return None
        used, parts, kills, hits = None, None, None, None
        first = FirstReason(_UNREADABLE)
        bound = first.attempt(lambda: self._keep("memory", lambda: memory_bound(group)))
        if bound is None:
            bound = unknown(group)
        else:
            parse = partial(_memory_stat, _MEMORY_STAT[group.version])
            parts = first.attempt(partial(read, f"{bound.directory}/memory.stat", parse))
            used = first.attempt(partial(_working_set, bound.directory, group.version, parts))
            count = partial(_counts_v2 if group.version == 2 else _counts_v1, group.directory)
            kills, hits = first.attempt(partial(count, bound.directory)) or (None, None)
        parts = parts or _MemoryParts()
        return MemoryReading(
            working_set_bytes=used,
            limit=bound.limit,
            scope=bound.scope,
            source=group.source,
            reason=first.reason,
            anon_bytes=parts.anon,
            shmem_bytes=parts.shmem,
            cache_bytes=_less(parts.file, parts.shmem),
            unreclaimable_bytes=_less(used, parts.active_file),
            oom_kills=kills,
            limit_hits=hits,
            origin=str(group.directory),
        )

    def _keep(self, name: str, find: Callable[[], Bound]) -> Bound:
        if not self._limits_seconds:
            return find()
        now = time.monotonic()
        until, bound = self._kept.get(name, (0.0, None))
        if bound is None or now >= until:
            bound = find()
            self._kept[name] = (now + self._limits_seconds, bound)
        return bound


def _cpu_stat_v2(text: str) -> tuple[float, _Throttling]:
    return formats.parse_field("usage_usec", text) / 1e6, _throttling(text)


def _throttling(text: str) -> _Throttling:
    periods, throttled, microseconds, nanoseconds = formats.parse_fields(_THROTTLING, text)
    seconds = None if microseconds is None else microseconds / 1e6
    if nanoseconds is not None:
        seconds = nanoseconds / 1e9
    return _Throttling(periods, throttled, seconds)


def _memory_stat(names: tuple[str, ...], text: str) -> _MemoryParts:
    return _MemoryParts(*formats.parse_fields(names, text))


def _working_set(directory: Path, version: int, parts: _MemoryParts | None) -> int | None:
    """Memory in use less inactive file cache, as kubelet computes it.

    Source: github.com/google/cadvisor, container/libcontainer/handler.go,
    ``setMemoryStats``.
    """
    if parts is None:
        return None
    if parts.inactive_file is None:
        missing = ValueError(f"it has no {_MEMORY_STAT[version][0]}")
        raise Unreadable(f"{directory}/memory.stat", missing)
    name = "memory.current" if version == 2 else "memory.usage_in_bytes"
    return _less(read(f"{directory}/{name}", formats.parse_count), parts.inactive_file)


def _counts_v2(own: Path, limited: Path) -> tuple[int | None, int | None]:
    """Processes of ours that were killed, and how often the limit was met."""
    parse = partial(formats.parse_fields, ("oom_kill", "max"))
    kills, hits = read_if_there(f"{own}/memory.events", parse) or (None, None)
    if own != limited:
        _, hits = read_if_there(f"{limited}/memory.events", parse) or (None, None)
    return kills, hits


def _counts_v1(own: Path, limited: Path) -> tuple[int | None, int | None]:
    parse = partial(formats.parse_fields, ("oom_kill",))
    (kills,) = read_if_there(f"{own}/memory.oom_control", parse) or (None,)
    return kills, read_if_there(f"{limited}/memory.failcnt", formats.parse_count)


def _less(whole: int | None, part: int | None) -> int | None:
    """Subtract; figures read one after the other may not fit together."""
    return None if whole is None or part is None else max(whole - part, 0)
