"""The machine's own control groups, in child groups made for the test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
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


#: Computes what it is asked to, in its groups.
OBEDIENT = """
import json, os, sys, time
from dataclasses import asdict
from pathlib import Path
from jupyter_einfra.usage.figures import cpu_usage
from jupyter_einfra.usage.probes.cgroup import CgroupProbe

readings = []
def memory():
    reading = asdict(probe.read_memory())
    return dict(reading, reason=reading["reason"] and reading["reason"].message)
def throttled():
    readings.append(probe.read_cpu())
    now = readings[-1]
    return [cpu_usage(readings[-2] if readings[1:] else None, now).throttled_share,
            now.throttled_seconds]
def burn(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(1000))
def grow(bytes):
    pid = os.fork()
    if pid == 0:
        Path("/proc/self/oom_score_adj").write_text("1000")
        kept = b"x" * bytes
        os._exit(0)
    return os.waitpid(pid, 0)[1]
def write(path, mib):
    with open(path, "wb") as file:
        for _ in range(mib):
            file.write(b"x" * (1 << 20))
        file.flush()
        os.fsync(file.fileno())
def read(path):
    return len(Path(path).read_bytes())

sys.stdin.readline()  # goes on when it is in its groups
probe = CgroupProbe()
for line in sys.stdin:
    print(json.dumps(eval(line)), flush=True)
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

    def told(self, expression: str) -> Any:
        """Let it compute something; return that."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{expression}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def child(program: str = PROGRAM) -> Iterator[Child]:
    package = str(Path(jupyter_einfra.__file__).parents[1])
    search = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
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


@contextmanager
def obedient(made: dict[str, Path]) -> Iterator[Child]:
    """Start a child in groups that were made."""
    with child(OBEDIENT) as process:
        process.join(made)
        process.go_on()
        yield process


def told_at_last(
    process: Child, expression: str, wanted: Callable[[float], bool]
) -> tuple[float, float]:
    """Let it compute the throttled share and time until the share is as wanted."""
    for _ in range(100):
        share, seconds = process.told(expression)
        if wanted(share):
            break
    return share, seconds


def test_a_loop_that_wants_more_than_its_quota_is_told_as_throttled(groups: Groups) -> None:
    with obedient(groups.make(cores=0.2, memory_bytes=256 * MIB)) as process:
        first_share, before_seconds = process.told("throttled()")
        # A busy machine may give it less than its quota for a while.
        share, after_seconds = told_at_last(process, "burn(0.5) or throttled()", lambda s: s > 0.5)
        idle_share, _ = told_at_last(process, "time.sleep(0.3) or throttled()", lambda s: s == 0)
    assert first_share is None
    assert 0.5 < share <= 1
    assert after_seconds - before_seconds > 0.1
    assert idle_share == 0.0


@pytest.mark.parametrize("nested", [False, True])
def test_a_real_kill_for_want_of_memory_is_counted(groups: Groups, nested: bool) -> None:
    """Also where the limit is set on a group above ours, as it may be on a pod."""
    made = groups.make(cores=2, memory_bytes=96 * MIB)
    inner = made["memory"] / "inner"
    if nested:
        inner.mkdir()
        if not (inner / "memory.stat").exists():
            inner.rmdir()
            pytest.skip("a group in a group has no memory controller here")
    try:
        with obedient({**made, "memory": inner} if nested else made) as process:
            before = process.told("memory()")
            survived = process.told(f"grow({8 * MIB})")
            between = process.told("memory()")
            killed = process.told(f"grow({512 * MIB})")
            after = process.told("memory()")
    finally:
        if nested:
            inner.rmdir()
    assert (survived, killed) == (0, 9)
    assert after["limit"]["value"] == 96 * MIB
    assert between["oom_kills"] == before["oom_kills"]
    assert after["oom_kills"] == before["oom_kills"] + 1
    assert after["limit_hits"] > between["limit_hits"]


def test_file_cache_is_no_memory_that_gets_programs_killed(groups: Groups, tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    with obedient(groups.make(cores=2, memory_bytes=256 * MIB)) as process:
        before = process.told("memory()")
        process.told(f"write({path!r}, 64)")
        assert process.told(f"[read({path!r}) for _ in range(3)]") == [64 * MIB] * 3
        after = process.told("memory()")
    if after["shmem_bytes"] - before["shmem_bytes"] > MIB:
        pytest.skip("temporary files are kept in memory here")
    assert after["cache_bytes"] - before["cache_bytes"] == pytest.approx(64 * MIB, rel=0.1)
    assert abs(after["unreclaimable_bytes"] - before["unreclaimable_bytes"]) < 16 * MIB
    assert after["reason"] is None


def test_files_in_shared_memory_count_as_memory(groups: Groups) -> None:
    path = Path("/dev/shm") / f"einfra-test-{os.getpid()}"
    try:
        with obedient(groups.make(cores=2, memory_bytes=256 * MIB)) as process:
            before = process.told("memory()")
            process.told(f"write({str(path)!r}, 48)")
            after = process.told("memory()")
    finally:
        path.unlink(missing_ok=True)
    assert after["shmem_bytes"] - before["shmem_bytes"] == pytest.approx(48 * MIB, rel=0.05)
    grown = after["unreclaimable_bytes"] - before["unreclaimable_bytes"]
    assert grown == pytest.approx(48 * MIB, rel=0.15)
    assert abs(after["cache_bytes"] - before["cache_bytes"]) < 8 * MIB


def test_memory_of_programs_is_told_apart(groups: Groups) -> None:
    with obedient(groups.make(cores=2, memory_bytes=256 * MIB)) as process:
        before = process.told("memory()")
        process.told(f"setattr(sys, 'kept', b'x' * {64 * MIB})")
        after = process.told("memory()")
    for part in ("anon_bytes", "working_set_bytes", "unreclaimable_bytes"):
        assert after[part] - before[part] == pytest.approx(64 * MIB, rel=0.1)
    assert abs(after["cache_bytes"] - before["cache_bytes"]) < 8 * MIB
