"""What ``jupyter einfra check`` says of usage: which figures can be told here."""

from __future__ import annotations

from collections.abc import Iterator

from ..check.models import Finding
from .probes.system import patient_probes


def check() -> Iterator[Finding]:
    """Read every figure once, as the server would."""
    with patient_probes() as probes:
        cpu, memory = probes.read_cpu(), probes.read_memory()
        gpus, status = probes.read_gpus(0)
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
