"""What ``jupyter einfra check`` says of usage: which figures can be told here."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ..check.models import Finding
from .figures import CpuReading, MemoryReading
from .models import DiskUsage, GpuStatus, GpuUsage
from .probes.system import patient_probes

#: Utilization of a MIG slice takes two readings this far apart.
SLICE_SECONDS = 1.1


def check() -> Iterator[Finding]:
    """Read every figure once, as the server would."""
    with patient_probes() as probes:
        cpu, memory = probes.read_cpu(), probes.read_memory()
        reading = probes.read_gpus(0)
        if any(
            gpu.reason is not None and gpu.reason.code == "gpm_starting" for gpu in reading.gpus
        ):
            time.sleep(SLICE_SECONDS)
            probes.request_gpus(processes=False)
            reading = probes.read_gpus(SLICE_SECONDS)
        disks = probes.read_disks()
    yield from _limits(cpu, memory)
    yield from _gpus(reading.gpus, reading.status)
    yield from _disks(disks)


def _limits(cpu: CpuReading, memory: MemoryReading) -> Iterator[Finding]:
    cores, amount = cpu.limit.value, memory.limit.value
    for subject, source, scope, reason, limit in (
        ("CPU", cpu.source, cpu.scope, cpu.reason, f"{cores or 0:g} cores"),
        ("memory", memory.source, memory.scope, memory.reason, f"{(amount or 0) / 2**30:.1f} GiB"),
    ):
        # A limit that is not known has its reason beside it.
        if reason is not None:
            yield Finding(subject=subject, status="error", found=reason.message)
        else:
            yield Finding(subject=subject, status="ok", found=f"{source}, {scope}, at most {limit}")
    if memory.oom_kills is None:
        yield Finding(
            subject="memory kills",
            status="note",
            found="The control group does not count programs killed for want of memory.",
            advice="A kernel that dies of it cannot be told why.",
        )


def _gpus(gpus: list[GpuUsage], status: GpuStatus) -> Iterator[Finding]:
    if status.reason is not None:
        missing = status.reason.code == "nvml_missing"
        yield Finding(
            subject="GPU driver",
            status="note" if missing else "error",
            found=status.reason.message,
            advice=None if missing else "Tell the operator what the driver says.",
        )
        return
    yield Finding(subject="GPU driver", status="ok", found=f"NVIDIA {status.driver}")
    for gpu in gpus:
        size = (
            "" if gpu.memory_total_bytes is None else f", {gpu.memory_total_bytes / 2**30:.1f} GiB"
        )
        yield Finding(
            subject=f"GPU {gpu.index}",
            status="ok" if gpu.reason is None else "warning",
            found=f"{gpu.name}, {gpu.scope}{size}",
            advice=None if gpu.reason is None else gpu.reason.message,
        )


def _disks(disks: list[DiskUsage]) -> Iterator[Finding]:
    for disk in disks:
        size = 0 if disk.limit_bytes is None else disk.limit_bytes / 2**30
        yield Finding(
            subject=f"disk {disk.path}",
            status="ok" if disk.reason is None else "warning",
            found=f"{disk.scope}, {size:.1f} GiB" if disk.reason is None else disk.reason.message,
        )
