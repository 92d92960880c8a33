"""Control groups, version 2 and 1: what this container uses and may use.

A limit may be set on any group from ours up to the mount point. Use is read on the
group whose limit is the smallest: that is the one that will be enforced.

Limits change rarely and take several files to read, so they are kept for a while; a
sample then reads three files.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from ...models import Reason
from ..figures import CpuReading, Limit, MemoryReading, smallest
from ..models import Scope
from . import formats, machine
from .groups import Group, OurGroups, is_there

T = TypeVar("T")

#: A limit that the control group may set, but that could not be read.
UNKNOWN = Limit(None, "cgroup")


class Unreadable(Exception):
    """A file that must tell a figure did not."""

    def __init__(self, path: Path, error: Exception) -> None:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        # Names of groups may be any bytes; JSON takes only text.
        name = os.fsencode(path).decode("utf-8", "replace")
        super().__init__(f"{name} could not be read: {text}")
        self.reason = Reason(
            code="cgroup_unreadable",
            message=str(self),
            params={"path": name, "error": text},
        )


@dataclass(frozen=True)
class Bound:
    """A limit, and the group whose use it bounds."""

    limit: Limit
    directory: Path
    scope: Scope


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

    def resolve(self) -> None:
        """Find our groups anew; the process may have been moved."""
        self._groups.resolve()
        self._kept.clear()

    def read_cpu(self) -> CpuReading | None:
        """CPU time so far and its limit; None where no control group counts it."""
        account, control = self._groups.account, self._groups.control
        if account is None:
            return None
        seconds, reason = None, None
        bound = Bound(UNKNOWN, account.directory, _scope(account, UNKNOWN))
        try:
            bound = self._keep("cpu", lambda: _cpu_bound(control, account))
            seconds = _cpu_seconds(bound.directory, account.version)
        except Unreadable as error:
            reason = error.reason
        return CpuReading(
            at_seconds=time.monotonic(),
            cpu_seconds=seconds,
            limit=bound.limit,
            scope=bound.scope,
            source=account.source,
            origin=str(bound.directory),
            reason=reason,
        )

    def read_memory(self) -> MemoryReading | None:
        """Working set and its limit; None where no control group counts it."""
        group = self._groups.memory
        if group is None:
            return None
        used, reason = None, None
        bound = Bound(UNKNOWN, group.directory, _scope(group, UNKNOWN))
        try:
            bound = self._keep("memory", lambda: _memory_bound(group))
            used = _working_set(bound.directory, group.version)
        except Unreadable as error:
            reason = error.reason
        return MemoryReading(
            working_set_bytes=used,
            limit=bound.limit,
            scope=bound.scope,
            source=group.source,
            reason=reason,
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


def _scope(group: Group, limit: Limit | None) -> Scope:
    if limit is None and group.is_machine:
        return "machine"
    return "container" if group.is_container else "cgroup"


def _read(path: Path, parse: Callable[[str], T]) -> T:
    try:
        # Far cheaper than a file object, and this is most of what a sample costs.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            chunks = list(iter(partial(os.read, descriptor, 65536), b""))
        finally:
            os.close(descriptor)
        return parse(b"".join(chunks).decode("utf-8", "surrogateescape"))
    except (OSError, ValueError) as error:
        raise Unreadable(path, error) from error


def _read_if_there(path: Path, parse: Callable[[str], T]) -> T | None:
    """Read a file that not every group has, such as a limit on the root."""
    try:
        return _read(path, parse)
    except Unreadable as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def _tightest(group: Group, read: Callable[[Path], float | None]) -> tuple[Limit | None, Path]:
    """Find the smallest limit from our group upwards, and the group that bears it."""
    if group.place == "lost" or not is_there(group.directory):
        raise Unreadable(group.directory, ValueError("the control group is gone"))
    found: tuple[float, Path] | None = None
    for directory in group.ancestry():
        value = read(directory)
        if value is not None and (found is None or value < found[0]):
            found = (value, directory)
    return (None, group.directory) if found is None else (Limit(found[0], "cgroup"), found[1])


def _cpu_bound(control: Group | None, account: Group) -> Bound:
    """Find the smallest limit, and the group whose CPU time it bounds."""
    if account.place == "lost":
        raise Unreadable(account.directory, ValueError("the control group is gone"))
    limit, directory = None, account.directory
    if control is not None:
        read = _cpu_max_v2 if control.version == 2 else _cpu_max_v1
        limit, limited = _tightest(control, read)
        # Without a limit it is our own group that counts, wherever ``cpu`` has us.
        if limit is not None:
            directory = _same_place(limited, control, account)
    return Bound(smallest(limit, machine.cpu_limit()), directory, _scope(account, limit))


def _memory_bound(group: Group) -> Bound:
    """Find the smallest limit, and the group whose memory it bounds."""
    read = _memory_max_v2 if group.version == 2 else partial(_memory_max_v1, group)
    limit, directory = _tightest(group, read)
    return Bound(smallest(limit, machine.memory_limit()), directory, _scope(group, limit))


def _same_place(limited: Path, control: Group, account: Group) -> Path:
    """Find the accounting group beside a limiting one; v1 may mount them apart."""
    if control.mount_point == account.mount_point:
        return limited
    twin = account.mount_point / limited.relative_to(control.mount_point)
    inside = twin == account.directory or twin in account.directory.parents
    return twin if inside else account.directory


def _cpu_max_v2(directory: Path) -> float | None:
    return _read_if_there(directory / "cpu.max", formats.parse_cpu_max)


def _cpu_max_v1(directory: Path) -> float | None:
    quota = _read_if_there(directory / "cpu.cfs_quota_us", formats.parse_count)
    if quota is None or quota <= 0:
        return None
    period = _read(directory / "cpu.cfs_period_us", formats.parse_count)
    return quota / period if period > 0 else None


def _cpu_seconds(directory: Path, version: int) -> float:
    if version == 1:
        return _read(directory / "cpuacct.usage", formats.parse_count) / 1e9
    return _read(directory / "cpu.stat", partial(formats.parse_field, "usage_usec")) / 1e6


def _memory_max_v2(directory: Path) -> int | None:
    return _read_if_there(directory / "memory.max", formats.parse_max)


def _memory_max_v1(group: Group, directory: Path) -> int | None:
    bounds = [_read_if_there(directory / "memory.limit_in_bytes", formats.parse_count)]
    if directory == group.mount_point:
        # Counts the limits of groups above it, too, which a container cannot see.
        parse = partial(formats.parse_field, "hierarchical_memory_limit")
        bounds.append(_read_if_there(directory / "memory.stat", parse))
    limited = (b for b in bounds if b is not None and b < formats.UNLIMITED_V1_BYTES)
    return min(limited, default=None)


def _working_set(directory: Path, version: int) -> int:
    """Memory in use less inactive file cache, as kubelet computes it.

    Source: github.com/google/cadvisor, container/libcontainer/handler.go,
    ``setMemoryStats``.
    """
    current = "memory.current" if version == 2 else "memory.usage_in_bytes"
    inactive = "inactive_file" if version == 2 else "total_inactive_file"
    used = _read(directory / current, formats.parse_count)
    cached = _read(directory / "memory.stat", partial(formats.parse_field, inactive))
    return max(used - cached, 0)
