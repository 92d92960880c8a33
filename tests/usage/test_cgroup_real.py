"""The machine's own control groups, in child groups made for the test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from servers.groups import Groups

import jupyter_einfra

MIB = 1 << 20
BLOCK_MIB = 96

#: Reads its own use with our probe and with what the kernel tells of the process.
PROGRAM = f"""
import json, os, resource, sys, time
from jupyter_einfra.usage.figures import cpu_usage, memory_usage
from jupyter_einfra.usage.probes.cgroup import CgroupProbe

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

def say(**words):
    print(json.dumps(words), flush=True)
    sys.stdin.readline()

def told(usage):
    return dict((name, getattr(usage, name)) for name in usage.__struct_fields__
                if name != "reason") | dict(reason=usage.reason and usage.reason.message)

say(ready=True)  # goes on when it is in its groups
probe = CgroupProbe()
sums = 0
small, small_resident = memory_usage(probe.read_memory()), resident()
block = bytearray(b"x") * ({BLOCK_MIB} << 20)
large, large_resident = memory_usage(probe.read_memory()), resident()
time.sleep(0.15)  # a fresh quota, so that no reading is held up
before, before_seconds, begun = probe.read_cpu(), cpu_seconds(), time.monotonic()
while time.monotonic() - begun < 1.5:
    sums += sum(range(1000))
time.sleep(0.15)
after, after_seconds = probe.read_cpu(), cpu_seconds()
say(
    cpu=told(cpu_usage(before, after)),
    # Over the probe's own span: between two clocks the process may have to wait.
    process_cores=(after_seconds - before_seconds) / (after.at_seconds - before.at_seconds),
    memory=told(large),
    grown_bytes=large.working_set_bytes - small.working_set_bytes,
    process_grown_bytes=large_resident - small_resident,
)
say(memory=told(memory_usage(probe.read_memory())))  # while the parent reads, too
probe.resolve()  # it was moved
say(cpu=told(cpu_usage(None, probe.read_cpu())), memory=told(memory_usage(probe.read_memory())))
"""


class Child:
    """A process that goes from step to step as it is told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def join(self, groups: dict[str, Path]) -> None:
        """Put it into groups."""
        for group in groups.values():
            (group / "cgroup.procs").write_text(str(self._process.pid))

    def heard(self) -> dict[str, Any]:
        """Return what it says next."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process ended"
        words: dict[str, Any] = json.loads(line)
        return words

    def go_on(self) -> None:
        """Let it take its next step."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()


@contextmanager
def child() -> Iterator[Child]:
    package = str(Path(jupyter_einfra.__file__).parents[1])
    search = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": search},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Child(process)
    finally:
        process.kill()
        process.communicate()


def read_with_awk(groups: dict[str, Path], version: str) -> int:
    """Compute the working set as kubelet does, without any code of ours."""
    awk = shutil.which("awk")
    assert awk is not None
    usage, field = {
        "v1": ("memory.usage_in_bytes", "total_inactive_file"),
        "v2": ("memory.current", "inactive_file"),
    }[version]
    script = f'FNR == 1 && NR == 1 {{u = $1}} $1 == "{field}" {{i = $2}} END {{printf "%d", u - i}}'
    files = [str(groups["memory"] / usage), str(groups["memory"] / "memory.stat")]
    return int(
        subprocess.run([awk, script, *files], capture_output=True, text=True, check=True).stdout
    )


def test_a_real_group_is_told_as_the_kernel_tells_it(groups: Groups) -> None:
    first = groups.make(cores=0.5, memory_bytes=256 * MIB)
    second = groups.make(cores=0.75, memory_bytes=300 * MIB)
    with child() as process:
        assert process.heard() == {"ready": True}
        process.join(first)
        process.go_on()
        said = process.heard()
        process.go_on()
        memory = process.heard()["memory"]
        by_hand = read_with_awk(first, groups.version)
        process.join(second)
        process.go_on()
        moved = process.heard()

    cpu = said["cpu"]
    assert cpu["reason"] is None
    assert (cpu["limit_cores"], cpu["limit_source"]) == (0.5, "cgroup")
    assert cpu["source"] == f"cgroup-{groups.version}"
    assert cpu["scope"] in {"cgroup", "container"}
    assert cpu["used_cores"] == pytest.approx(said["process_cores"], rel=0.05)
    assert 0.1 < cpu["used_cores"] < 0.55  # it wanted a whole one

    assert said["memory"]["reason"] is None
    assert (memory["limit_bytes"], memory["limit_source"]) == (256 * MIB, "cgroup")
    assert memory["source"] == f"cgroup-{groups.version}"
    assert memory["working_set_bytes"] == pytest.approx(by_hand, rel=0.05)
    assert said["grown_bytes"] == pytest.approx(said["process_grown_bytes"], rel=0.05)
    assert said["grown_bytes"] == pytest.approx(BLOCK_MIB * MIB, rel=0.05)

    assert (moved["cpu"]["limit_cores"], moved["memory"]["limit_bytes"]) == (0.75, 300 * MIB)
