"""The kernel's file formats, as text in and values out.

Sources: Linux Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/*.rst and
proc_pid_mountinfo(5).

Pure: standard library only. Every parser raises ValueError on what it cannot read
whole, since a half-written file must not become a figure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: cgroup v1 writes "no limit" as the largest page-aligned 63-bit number; anything
#: near it is larger than any machine.
UNLIMITED_V1_BYTES = 1 << 60

_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """One control group file system as this process sees it."""

    root: str
    """Path of the hierarchy that is mounted here."""
    point: str
    """Where it is mounted."""
    controllers: frozenset[str]
    """cgroup v1 controllers; empty for cgroup v2."""
    version: int


def parse_mountinfo(text: str) -> list[Mount]:
    """Find the control group mounts in ``/proc/self/mountinfo``."""
    mounts = []
    for line in text.splitlines():
        place, separator, kind = line.partition(" - ")
        fields, fs = place.split(" "), kind.split(" ")
        if not separator or len(fields) < 6 or len(fs) < 3:
            continue
        root, point = _unescape(fields[3]), _unescape(fields[4])
        if fs[0] == "cgroup2":
            mounts.append(Mount(root, point, frozenset(), 2))
        elif fs[0] == "cgroup":
            mounts.append(Mount(root, point, frozenset(fs[2].split(",")), 1))
    return mounts


def parse_membership(text: str) -> dict[str, str]:
    """Map controller to group path from ``/proc/self/cgroup``; "" is cgroup v2."""
    paths = {}
    for line in text.splitlines():
        number, first, rest = line.partition(":")
        controllers, second, path = rest.partition(":")
        if not (number.isdigit() and first and second and path.startswith("/")):
            raise ValueError(f"unexpected line {line!r}")
        for controller in controllers.split(","):
            paths[controller] = path
    return paths


def parse_count(text: str) -> int:
    """Read a file that holds one whole number."""
    if not text.endswith("\n"):
        raise ValueError("the file ends in the middle of a line")
    return int(text)


def parse_max(text: str) -> int | None:
    """Read a cgroup v2 limit; None for ``max``."""
    return None if text == "max\n" else parse_count(text)


def parse_cpu_max(text: str) -> float | None:
    """Read ``cpu.max`` as a number of cores; None where there is no limit."""
    if not text.endswith("\n"):
        raise ValueError("the file ends in the middle of a line")
    quota, period = text.split()
    if int(period) <= 0:
        raise ValueError("the period is not positive")
    return None if quota == "max" else int(quota) / int(period)


def parse_stat(text: str) -> dict[str, int]:
    """Read a file of ``name value`` lines."""
    if not text.endswith("\n"):
        raise ValueError("the file ends in the middle of a line")
    return {name: int(value) for name, value in (line.split() for line in text.splitlines())}


def _unescape(path: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), path)
