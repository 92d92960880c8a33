"""Control groups, version 2 and 1: what this container uses and may use.

Which directory is ours follows from ``/proc/self/cgroup`` and the mounts. In a
private cgroup namespace that is the mount point itself; in the host's namespace it
lies deep below; a container with cgroup v1 often names a path of the host that it
cannot see, and again means the mount point.

A limit may be set on any group from ours up to the mount point. Use is read on the
group whose limit is the smallest: that is the one that will be enforced.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from ...models import Reason
from ..figures import CpuReading, Limit, MemoryReading, smallest
from . import formats, machine

T = TypeVar("T")

#: A limit that the control group may set, but that could not be read.
UNKNOWN = Limit(None, "cgroup")

#: Found in the paths of containers' groups, whoever runs them.
_CONTAINER_WORDS = ("kubepods", "docker", "containerd", "crio", "libpod", "lxc", "podman")


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
class Group:
    """Our group in one hierarchy."""

    directory: Path
    mount_point: Path
    version: Literal[1, 2]
    is_container: bool
    place: Literal["seen", "guessed", "lost"]
    """Whether our path was there, or the mount point had to do, or it is there no more."""

    def ancestry(self) -> Iterator[Path]:
        """Yield our directory and those above it, up to the mount point."""
        directory = self.directory
        while True:
            yield directory
            if directory in (self.mount_point, directory.parent):
                return
            directory = directory.parent

    @property
    def source(self) -> Literal["cgroup-v1", "cgroup-v2"]:
        """Name of the hierarchy's version on the wire."""
        return "cgroup-v2" if self.version == 2 else "cgroup-v1"

    @property
    def is_machine(self) -> bool:
        """Whether this is the root of all groups, which no container is.

        The kernel gives the v2 root no ``cgroup.type``. In v1 nothing tells the two
        apart but the surroundings.
        """
        if self.directory != self.mount_point:
            return False
        if self.version == 1:
            return not self.is_container
        return not _is_there(self.directory / "cgroup.type")


class CgroupProbe:
    """Reads CPU time, memory and limits of the groups that this process is in.

    Parameters
    ----------
    root:
        The file system to read, so that tests can bring their own.
    environ:
        Environment of the server, which may tell that it runs in a container.
    """

    def __init__(self, root: Path = Path("/"), environ: Mapping[str, str] | None = None) -> None:
        self._root = root
        self._environ = os.environ if environ is None else environ
        self._account: Group | None = None
        self._control: Group | None = None
        self._memory: Group | None = None
        self.resolve()

    def resolve(self) -> None:
        """Find our groups anew; the process may have been moved.

        When a group that was seen once can be seen no more, its figures become
        unknown, not those of the whole machine.
        """
        try:
            paths = formats.parse_membership(self._text("proc/self/cgroup"))
            mounts = formats.parse_mountinfo(self._text("proc/self/mountinfo"))
        except (OSError, ValueError):
            return
        find = partial(self._find, mounts, paths)
        self._account = find("cpuacct", "cpu.stat", self._account)
        self._control = find("cpu", "cpu.stat", self._control)
        self._memory = find("memory", "memory.current", self._memory)

    def _find(
        self,
        mounts: list[formats.Mount],
        paths: dict[str, str],
        controller: str,
        sign: str,
        known: Group | None,
    ) -> Group | None:
        """Find our group for a controller: in cgroup v1, or in v2 by a file that shows it."""
        v1 = [m for m in mounts if controller in m.controllers and controller in paths]
        v2 = [m for m in mounts if m.version == 2 and "" in paths]
        path = paths[controller] if v1 else paths.get("", "")
        # Of several mounts one that shows our group; others may show the host's.
        groups = [self._locate(mount, path) for mount in v1 or v2]
        group = min(groups, key=lambda group: group.place != "seen", default=None)
        # No controller changes from one version to the other under a running process.
        if group is None or (known is not None and known.version != group.version):
            return known
        if group.place == "guessed" and known is not None and known.place != "guessed":
            return replace(known, place="lost")
        if group.version == 1:
            return group if _is_there(group.directory) else None
        # A controller may be enabled only some way up.
        for directory in group.ancestry():
            if _is_there(directory / sign):
                return replace(group, directory=directory)
        return None

    def read_cpu(self) -> CpuReading | None:
        """CPU time so far and its limit; None where no control group counts it."""
        account, control = self._account, self._control
        if account is None:
            return None
        local = machine.cpu_limit()
        seconds, reason, directory = None, None, account.directory
        limit: Limit | None = UNKNOWN
        try:
            limit, directory = _cpu_limit(control, account)
            seconds = _cpu_seconds(directory, account.version)
        except Unreadable as error:
            reason = error.reason
        return CpuReading(
            at_seconds=time.monotonic(),
            cpu_seconds=seconds,
            limit=smallest(limit, local),
            scope=self._scope(account, limit),
            source=account.source,
            origin=str(directory),
            reason=reason,
        )

    def read_memory(self) -> MemoryReading | None:
        """Working set and its limit; None where no control group counts it."""
        group = self._memory
        if group is None:
            return None
        used, reason = None, None
        limit: Limit | None = UNKNOWN
        try:
            read = _memory_max_v2 if group.version == 2 else partial(_memory_max_v1, group)
            limit, directory = _tightest(group, read)
            used = _working_set(directory, group.version)
        except Unreadable as error:
            reason = error.reason
        return MemoryReading(
            working_set_bytes=used,
            limit=smallest(limit, machine.memory_limit()),
            scope=self._scope(group, limit),
            source=group.source,
            reason=reason,
        )

    def _scope(
        self, group: Group, limit: Limit | None
    ) -> Literal["container", "cgroup", "machine"]:
        if limit is None and group.is_machine:
            return "machine"
        return "container" if group.is_container else "cgroup"

    def _locate(self, mount: formats.Mount, path: str) -> Group:
        point = self._below(mount.point)
        below = path if mount.root == "/" else path.removeprefix(mount.root)
        inside = mount.root in ("/", path) or path.startswith(mount.root + "/")
        directory = point / below.lstrip("/")
        # A path that begins with /.. lies outside our namespace.
        seen = inside and not f"{path}/".startswith("/../") and _is_there(directory)
        return Group(
            directory=directory if seen else point,
            mount_point=point,
            version=2 if mount.version == 2 else 1,
            is_container=self._in_container(path, mount.root),
            place="seen" if seen else "guessed",
        )

    def _in_container(self, path: str, mount_root: str) -> bool:
        if "KUBERNETES_SERVICE_HOST" in self._environ or "container" in self._environ:
            return True
        if any(word in place for place in (path, mount_root) for word in _CONTAINER_WORDS):
            return True
        return any(_is_there(self._below(sign)) for sign in ("/.dockerenv", "/run/.containerenv"))

    def _below(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def _text(self, path: str) -> str:
        return (self._root / path).read_text("utf-8", "surrogateescape")


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder on the way may not be searched, or a name is too long
        return False


def _read(path: Path, parse: Callable[[str], T]) -> T:
    try:
        return parse(path.read_text("utf-8", "surrogateescape"))
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
    if group.place == "lost" or not _is_there(group.directory):
        raise Unreadable(group.directory, ValueError("the control group is gone"))
    found: tuple[float, Path] | None = None
    for directory in group.ancestry():
        value = read(directory)
        if value is not None and (found is None or value < found[0]):
            found = (value, directory)
    return (None, group.directory) if found is None else (Limit(found[0], "cgroup"), found[1])


def _cpu_limit(control: Group | None, account: Group) -> tuple[Limit | None, Path]:
    """Find the smallest limit, and the group whose CPU time it bounds."""
    if account.place == "lost":
        raise Unreadable(account.directory, ValueError("the control group is gone"))
    if control is None:
        return None, account.directory
    limit, limited = _tightest(control, _cpu_max_v2 if control.version == 2 else _cpu_max_v1)
    # Without a limit it is our own group that counts, wherever ``cpu`` has us.
    return limit, account.directory if limit is None else _same_place(limited, control, account)


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
    path = directory / "cpu.stat"
    return _field(path, _read(path, formats.parse_stat), "usage_usec") / 1e6


def _memory_max_v2(directory: Path) -> int | None:
    return _read_if_there(directory / "memory.max", formats.parse_max)


def _memory_max_v1(group: Group, directory: Path) -> int | None:
    bounds = [_read_if_there(directory / "memory.limit_in_bytes", formats.parse_count)]
    if directory == group.mount_point:
        # Counts the limits of groups above it, too, which a container cannot see.
        path = directory / "memory.stat"
        stat = _read_if_there(path, formats.parse_stat)
        if stat is not None:
            bounds.append(_field(path, stat, "hierarchical_memory_limit"))
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
    path = directory / "memory.stat"
    return max(used - _field(path, _read(path, formats.parse_stat), inactive), 0)


def _field(path: Path, values: dict[str, int], name: str) -> int:
    try:
        return values[name]
    except KeyError:
        raise Unreadable(path, ValueError(f"it has no {name}")) from None
