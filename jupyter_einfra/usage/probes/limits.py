"""Which limit binds, and whose use it bounds.

A limit may be set on any control group from ours up to the mount point; the smallest
will be enforced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..figures import Limit, smallest
from ..models import Scope
from . import formats, machine
from .files import Unreadable, is_there, read, read_if_there
from .groups import Group

#: A limit that the control group may set, but that could not be read.
UNKNOWN = Limit(None, "cgroup")


@dataclass(frozen=True)
class Bound:
    """A limit, and the group whose use it bounds."""

    limit: Limit
    directory: Path
    scope: Scope
    limited: Path | None = None
    """The group that sets the limit, where one does; v1 may mount it apart."""


def unknown(group: Group) -> Bound:
    """Stand in for a bound that could not be read."""
    return Bound(UNKNOWN, group.directory, _scope(group, UNKNOWN))


def cpu_bound(control: Group | None, account: Group) -> Bound:
    """Find the smallest limit, and the group whose CPU time it bounds."""
    if account.place == "lost":
        raise Unreadable(account.directory, ValueError("the control group is gone"))
    limit, limited, directory = None, None, account.directory
    if control is not None:
        limit, limited = _tightest(control, _cpu_max_v2 if control.version == 2 else _cpu_max_v1)
        # Without a limit it is our own group that counts, wherever ``cpu`` has us.
        if limited is not None:
            directory = _same_place(limited, control, account)
    return Bound(smallest(limit, machine.cpu_limit()), directory, _scope(account, limit), limited)


def memory_bound(group: Group) -> Bound:
    """Find the smallest limit, and the group whose memory it bounds."""
    find = _memory_max_v2 if group.version == 2 else partial(_memory_max_v1, group)
    limit, limited = _tightest(group, find)
    directory = limited or group.directory
    scope = _scope(group, limit)
    return Bound(smallest(limit, machine.memory_limit()), directory, scope, limited)


def _scope(group: Group, limit: Limit | None) -> Scope:
    if limit is None and group.is_machine:
        return "machine"
    return "container" if group.is_container else "cgroup"


def _tightest(
    group: Group, find: Callable[[Path], float | None]
) -> tuple[Limit, Path] | tuple[None, None]:
    """Find the smallest limit from our group upwards, and the group that bears it."""
    if group.place == "lost" or not is_there(group.directory):
        raise Unreadable(group.directory, ValueError("the control group is gone"))
    found: tuple[float, Path] | None = None
    for directory in group.ancestry():
        value = find(directory)
        if value is not None and (found is None or value < found[0]):
            found = (value, directory)
    return (None, None) if found is None else (Limit(found[0], "cgroup"), found[1])


def _same_place(limited: Path, control: Group, account: Group) -> Path:
    """Find the accounting group beside a limiting one; v1 may mount them apart."""
    if control.mount_point == account.mount_point:
        return limited
    twin = account.mount_point / limited.relative_to(control.mount_point)
    inside = twin == account.directory or twin in account.directory.parents
    return twin if inside else account.directory


def _cpu_max_v2(directory: Path) -> float | None:
    return read_if_there(directory / "cpu.max", formats.parse_cpu_max)


def _cpu_max_v1(directory: Path) -> float | None:
    quota = read_if_there(directory / "cpu.cfs_quota_us", formats.parse_count)
    if quota is None or quota <= 0:
        return None
    period = read(directory / "cpu.cfs_period_us", formats.parse_count)
    return quota / period if period > 0 else None


def _memory_max_v2(directory: Path) -> int | None:
    return read_if_there(directory / "memory.max", formats.parse_max)


def _memory_max_v1(group: Group, directory: Path) -> int | None:
    bounds = [read_if_there(directory / "memory.limit_in_bytes", formats.parse_count)]
    if directory == group.mount_point:
        # Counts the limits of groups above it, too, which a container cannot see.
        parse = partial(formats.parse_field, "hierarchical_memory_limit")
        bounds.append(read_if_there(directory / "memory.stat", parse))
    limited = (b for b in bounds if b is not None and b < formats.UNLIMITED_V1_BYTES)
    return min(limited, default=None)
