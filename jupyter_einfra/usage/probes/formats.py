"""The kernel's file formats, as text in and values out.

Sources: Linux Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/*.rst,
proc_pid_mountinfo(5), proc_meminfo(5), proc_pid_net(5), proc_pid_stat(5) and
proc_pid_status(5).

Pure: standard library only. Every parser raises ValueError on what it cannot read
whole, since a half-written file must not become a figure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: cgroup v1 writes "no limit" as the largest page-aligned 63-bit number; anything
#: near it is larger than any machine.
UNLIMITED_V1_BYTES = 1 << 60

_OCTAL = re.compile(r"\\([0-7]{3})")
_NUMBER = re.compile(r"-?[0-9]{1,20}")  # the kernel's are 64 bits wide


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
    for line in _whole(text).split("\n"):
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
    for line in _whole(text).split("\n"):
        number, first, rest = line.partition(":")
        controllers, second, path = rest.partition(":")
        if not (number.isdigit() and first and second and path.startswith("/")):
            raise ValueError(f"unexpected line {line!r}")
        for controller in controllers.split(","):
            paths[controller] = path
    return paths


def parse_count(text: str) -> int:
    """Read a file that holds one whole number."""
    return _number(_whole(text))


def parse_max(text: str) -> int | None:
    """Read a cgroup v2 limit; None for ``max``."""
    return None if text == "max\n" else parse_count(text)


def parse_cpu_max(text: str) -> float | None:
    """Read ``cpu.max`` as a number of cores; None where there is no limit."""
    quota_text, period_text = _whole(text).split(" ")
    period = _number(period_text)
    quota = None if quota_text == "max" else _number(quota_text)
    if period <= 0 or (quota is not None and quota <= 0):
        raise ValueError("quota and period must be positive")
    return None if quota is None else quota / period


def parse_field(name: str, text: str) -> int:
    """Read one number of a file of ``name value`` lines."""
    whole = _whole(text)
    # The other lines, of which there are dozens, are not looked at.
    _, found, rest = f"\n{whole}".partition(f"\n{name} ")
    if not found:
        raise ValueError(f"it has no {name}")
    return _number(rest.partition("\n")[0])


def parse_fields(names: Sequence[str], text: str) -> list[int | None]:
    """Read some numbers of a file of ``name value`` lines; None for one that is not there."""
    whole = f"\n{_whole(text)}\n"
    found = []
    for name in names:
        at = whole.find(f"\n{name} ")
        begin = at + len(name) + 2
        value = whole[begin : whole.index("\n", begin)] if at >= 0 else ""
        found.append(int(value) if _NUMBER.fullmatch(value) else None)
    return found


def parse_meminfo(names: Sequence[str], text: str) -> list[int | None]:
    """Read some sizes of ``/proc/meminfo`` in bytes; None for one that is not there."""
    sizes = {}
    for line in _whole(text).split("\n"):
        name, _, value = line.partition(":")
        number, _, unit = value.strip().partition(" ")
        if unit == "kB" and _NUMBER.fullmatch(number):
            sizes[name] = int(number) * 1024
    return [sizes.get(name) for name in names]


def parse_net_dev(text: str) -> dict[str, tuple[int, int]]:
    """Read bytes received and sent by interface from ``/proc/net/dev``."""
    found = {}
    for line in _whole(text).split("\n")[2:]:  # two lines of headings
        name, _, rest = line.partition(":")
        counts = rest.split()
        if len(counts) < 9:
            raise ValueError(f"unexpected line {line[:80]!r}")
        found[name.strip()] = _number(counts[0]), _number(counts[8])
    return found


def parse_process_stat(raw: bytes) -> list[bytes]:
    """Split ``/proc/PID/stat`` after the name, which may hold any bytes; state comes first."""
    fields = raw[raw.rindex(b")") + 1 :].split(None, 22)
    if len(fields) < 22 or not raw.endswith(b"\n"):
        raise ValueError("the file ends too soon")
    return fields


def parse_status_memory(raw: bytes) -> int | None:
    """Bytes that no file backs, from ``/proc/PID/status``; None on a kernel before 4.5."""
    total = 0
    for name in (b"\nRssAnon:", b"\nRssShmem:"):
        _, found, rest = raw.partition(name)
        if not found:
            return None
        total += int(rest[: rest.index(b"kB")])
    return total * 1024


def _whole(text: str) -> str:
    """Drop the line break that the kernel ends every file with.

    Lines must then be split at this one alone: a path may hold all else that
    `str.splitlines` takes for a line break.
    """
    if not text.endswith("\n"):
        raise ValueError("the file ends in the middle of a line")
    return text[:-1]


def _number(text: str) -> int:
    """Read a number as the kernel writes it; `int` takes much else."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not a whole number")
    return int(text)


def _unescape(path: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), path)
