"""What fails while it is read becomes a reason, never an exception."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from jupyter_einfra.usage.probes import machine, nvml
from jupyter_einfra.usage.probes.cgroup import CgroupProbe
from jupyter_einfra.usage.probes.disks import DiskProbe
from jupyter_einfra.usage.probes.system import SystemProbes

FAULTS = [
    psutil.NoSuchProcess(1),
    psutil.AccessDenied(1),
    FileNotFoundError(2, "No such file or directory", "/proc/stat"),
    PermissionError(13, "Permission denied", "/proc/meminfo"),
    RuntimeError("can't find 'cpu ' in /proc/stat"),
    ValueError("could not convert string to float: 'cp'"),
    AttributeError("idle"),
]


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
def test_a_machine_that_cannot_be_read_leaves_null_and_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(psutil, "cpu_times", failing(error))
    monkeypatch.setattr(psutil, "virtual_memory", failing(error))
    probes = SystemProbes(CgroupProbe(tmp_path, {}), DiskProbe([]), None)
    cpu, memory = probes.read_cpu(), probes.read_memory()
    assert cpu.cpu_seconds is None
    assert memory.working_set_bytes is None
    for reading in (cpu, memory):
        assert reading.reason is not None
        assert reading.reason.code == "machine_unreadable"
        assert reading.reason.params["error"] == str(error)
        assert reading.limit.value is not None


def test_time_in_use_is_neither_idle_nor_counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    # psutil gives guest time beside user time, which holds it already.
    times = {"user": 100.0, "nice": 10.0, "system": 20.0, "idle": 5000.0, "iowait": 300.0}
    times |= {"irq": 1.0, "softirq": 2.0, "steal": 4.0, "guest": 40.0, "guest_nice": 5.0}
    monkeypatch.setattr(psutil, "cpu_times", lambda: psutil_times(times))
    assert machine.read_cpu().cpu_seconds == pytest.approx(137)


def psutil_times(times: dict[str, float]) -> object:
    """Build what psutil answers with: a tuple whose fields have names."""
    from collections import namedtuple

    return namedtuple("scputimes", times)(**times)  # noqa: PYI024 - as psutil does


def test_memory_that_programs_may_have_is_not_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = SimpleNamespace(total=1000, available=400, used=900, free=100)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: answer)
    reading = machine.read_memory()
    assert (reading.working_set_bytes, reading.unreclaimable_bytes) == (600, 600)


def test_the_machines_memory_is_told_by_its_parts(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    sizes = {"MemTotal": 900, "Buffers": 5, "Cached": 70, "AnonPages": 300, "Shmem": 20}
    meminfo.write_text("".join(f"{n}:{v:>12} kB\n" for n, v in sizes.items()) + "HugePages: 0\n")
    reading = machine.read_memory(meminfo)
    assert (reading.anon_bytes, reading.shmem_bytes) == (300 << 10, 20 << 10)
    assert reading.cache_bytes == 55 << 10
    assert reading.reason is None
    assert reading.oom_kills is None


@pytest.mark.parametrize("text", [None, "", "AnonPages: 3", "AnonPages: x kB\n", "a\nb\n"])
def test_a_machine_that_does_not_tell_the_parts_tells_the_whole(
    tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "meminfo").write_text(text)
    reading = machine.read_memory(tmp_path / "meminfo")
    assert reading.working_set_bytes is not None
    assert (reading.anon_bytes, reading.shmem_bytes, reading.cache_bytes) == (None, None, None)


@pytest.mark.parametrize(
    ("count", "allowed", "expected"),
    [(8, {0, 1}, (2, "affinity")), (8, set(range(8)), (8, "machine")), (None, {0}, (1, "machine"))],
)
def test_cpus_that_this_process_may_not_run_on_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
    count: int | None,
    allowed: set[int],
    expected: tuple[float, str],
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: count)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: allowed)
    limit = machine.cpu_limit()
    assert (limit.value, limit.source) == expected


def test_a_system_without_affinity_has_all_its_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.delattr("os.sched_getaffinity")
    assert (machine.cpu_limit().value, machine.cpu_limit().source) == (8, "machine")


def test_a_group_that_dies_while_it_is_read_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    mount = "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    (tmp_path / "proc/self/mountinfo").write_text(mount)
    (group / "cpu.stat").write_text("usage_usec 1000000\n")
    (group / "memory.current").write_text("4096\n")
    (group / "memory.stat").write_text("inactive_file 0\n")
    probe = CgroupProbe(tmp_path, {})
    before = probe.read_cpu()
    assert before is not None
    assert before.cpu_seconds == 1.0

    def dying(descriptor: int, size: int) -> bytes:
        # What the kernel says of an open file of a group that was removed.
        raise OSError(19, "No such device")

    monkeypatch.setattr("os.read", dying)
    cpu, memory = probe.read_cpu(), probe.read_memory()
    assert cpu is not None
    assert memory is not None
    assert (cpu.cpu_seconds, memory.working_set_bytes) == (None, None)
    for reading in (cpu, memory):
        assert reading.reason is not None
        assert reading.reason.code == "cgroup_unreadable"
        assert reading.reason.params["error"] == "No such device"


def test_bindings_that_are_not_installed_are_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _: None)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    probe = nvml.GpuProbe()
    probe.start()
    probe.request()
    reading = probe.latest(10)
    probe.stop()
    assert reading.gpus == []
    assert reading.status.reason is not None
    assert reading.status.reason.code == "nvml_failed"


def test_a_gpu_probe_that_never_started_can_be_stopped() -> None:
    probes = SystemProbes(CgroupProbe(), DiskProbe([]), nvml.GpuProbe())
    probes.stop()
    reading = probes.read_gpus(0)
    assert reading.gpus == []
    assert reading.status.reason is not None
    assert reading.status.reason.code == "nvml_starting"
