"""``jupyter einfra usage [--json] [--watch]``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..usage.models import (
        CpuUsage,
        DiskUsage,
        GpuUsage,
        MemoryUsage,
        NetworkUsage,
        UsageSnapshot,
    )
    from ..usage.sampler import Probes

#: Between the two readings that one CPU figure needs, and one of a MIG slice.
SPAN_SECONDS = 0.5
MIG_SPAN_SECONDS = 1.1

_COVERS = {
    "container": "this container",
    "cgroup": "the control group of this session",
    "machine": "the whole machine",
    "gpu": "the whole GPU",
    "shared-gpu": "the whole GPU, neighbours included",
    "mig": "one MIG slice",
    "quota": "your quota",
    "filesystem": "the whole file system",
}


def add_parser(commands: Any) -> None:
    """Add the command to ``jupyter einfra``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "usage",
        help="show what this container uses",
        description="Shows CPU, memory, GPUs and disks against their limits, as JupyterLab "
        "does. Needs no server.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")
    parser.add_argument("--watch", action="store_true", help="go on every second until Ctrl-C")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print one sample, or one a second."""
    import msgspec  # noqa: PLC0415 - `--help` needs none of it

    from ..usage.probes.system import patient_probes  # noqa: PLC0415

    # Ctrl-C is how watching ends.
    with suppress(KeyboardInterrupt), patient_probes() as probes:
        for sample in _samples(probes, watch=arguments.watch):
            if arguments.json:
                text = msgspec.json.encode(sample).decode()
            else:
                text = "\n".join(lines(sample)) + ("\n" if arguments.watch else "")
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
    return 0


def _samples(probes: Probes, *, watch: bool) -> Iterator[UsageSnapshot]:
    from ..usage.sampler import take  # noqa: PLC0415 - as above

    taken = take(probes, None, 1.0)
    slices = any(gpu.scope == "mig" for gpu in taken.sample.gpus)
    time.sleep(MIG_SPAN_SECONDS if slices else SPAN_SECONDS)
    while True:
        taken = take(probes, taken, 1.0)
        yield taken.sample
        if not watch:
            return
        time.sleep(1.0)


def lines(sample: UsageSnapshot) -> Iterator[str]:
    """Say a sample in words, one resource a line."""
    yield _line("CPU", _cores(sample.cpu), sample.cpu)
    yield _line("Memory", _memory(sample.memory), sample.memory)
    for gpu in sample.gpus:
        yield _line(f"GPU {gpu.index}", _gpu(gpu), gpu)
    reason = sample.gpu_status.reason
    if not sample.gpus and reason is not None and reason.code != "nvml_missing":
        yield f"{'GPU':<8}not known: {reason.message}"
    for disk in sample.disks:
        yield _line("Home" if disk.name == "home" else disk.path, _disk(disk), disk)
    yield _line("Network", _rates(sample.network), sample.network)


def _line(
    label: str, figures: str, of: CpuUsage | MemoryUsage | GpuUsage | DiskUsage | NetworkUsage
) -> str:
    why = "" if of.reason is None else f"; {of.reason.message}"
    return f"{label:<8}{figures:<24}{_COVERS[of.scope]}{why}"


def _cores(cpu: CpuUsage) -> str:
    used = "not known" if cpu.used_cores is None else f"{cpu.used_cores:.2f}"
    limit = "" if cpu.limit_cores is None else f" of {cpu.limit_cores:g} cores"
    stopped = f", stopped {cpu.throttled_share:.0%}" if cpu.throttled_share else ""
    return used + limit + stopped


def _memory(memory: MemoryUsage) -> str:
    return _gib(memory.working_set_bytes, memory.limit_bytes)


def _gpu(gpu: GpuUsage) -> str:
    memory = _gib(gpu.memory_used_bytes, gpu.memory_total_bytes)
    return memory if gpu.utilization is None else f"{memory}, {gpu.utilization:.0%}"


def _disk(disk: DiskUsage) -> str:
    return _gib(disk.used_bytes, disk.limit_bytes)


def _rates(network: NetworkUsage) -> str:
    received, sent = network.received_bytes_per_second, network.sent_bytes_per_second
    if received is None or sent is None:
        return "not known"
    return f"{received / 1000:.1f} kB/s in, {sent / 1000:.1f} out"


def _gib(used: int | None, limit: int | None) -> str:
    told = "not known" if used is None else f"{used / 2**30:.2f}"
    return told + ("" if limit is None else f" of {limit / 2**30:.1f} GiB")
