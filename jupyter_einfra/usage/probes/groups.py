"""Which control groups are ours.

That follows from ``/proc/self/cgroup`` and the mounts. In a private cgroup namespace
our group is the mount point itself; in the host's namespace it lies deep below; a
container with cgroup v1 often names a path of the host that it cannot see, and again
means the mount point.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from . import formats
from .files import is_there

#: Found in the paths of containers' groups, whoever runs them.
_CONTAINER_WORDS = ("kubepods", "docker", "containerd", "crio", "libpod", "lxc", "podman")


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
        return not is_there(self.directory / "cgroup.type")


class OurGroups:
    """The groups that this process is in, by what they are read for.

    Parameters
    ----------
    root:
        The file system to read, so that tests can bring their own.
    environ:
        Environment of the server, which may tell that it runs in a container.
    """

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self._root = root
        self._environ = environ
        self.account: Group | None = None
        """Counts CPU time."""
        self.control: Group | None = None
        """Limits the CPU."""
        self.memory: Group | None = None
        self.in_container = self._in_container("", "")
        """Whether they are a container's, or there are other signs of one."""

    def resolve(self) -> None:
        """Find our groups anew; the process may have been moved.

        When a group that was seen once can be seen no more, it counts as lost: its
        figures become unknown, not those of the whole machine.
        """
        try:
            paths = formats.parse_membership(self._text("proc/self/cgroup"))
            mounts = formats.parse_mountinfo(self._text("proc/self/mountinfo"))
        except (OSError, ValueError):
            return
        find = partial(self._find, mounts, paths)
        self.account = find("cpuacct", "cpu.stat", self.account)
        self.control = find("cpu", "cpu.stat", self.control)
        self.memory = find("memory", "memory.current", self.memory)
        found = (group for group in (self.account, self.memory) if group is not None)
        self.in_container = any(g.is_container for g in found) or self._in_container("", "")

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
            return group if is_there(group.directory) else None
        # A controller may be enabled only some way up.
        for directory in group.ancestry():
            if is_there(directory / sign):
                return replace(group, directory=directory)
        return None

    def _locate(self, mount: formats.Mount, path: str) -> Group:
        point = self._below(mount.point)
        below = path if mount.root == "/" else path.removeprefix(mount.root)
        inside = mount.root in ("/", path) or path.startswith(mount.root + "/")
        directory = point / below.lstrip("/")
        # A path that begins with /.. lies outside our namespace.
        seen = inside and not f"{path}/".startswith("/../") and is_there(directory)
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
        return any(is_there(self._below(sign)) for sign in ("/.dockerenv", "/run/.containerenv"))

    def _below(self, path: str) -> Path:
        return self._root / path.lstrip("/")

    def _text(self, path: str) -> str:
        return (self._root / path).read_text("utf-8", "surrogateescape")
