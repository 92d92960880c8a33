"""``jupyter einfra usage [--json] [--watch]``."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..usage.models import CpuUsage, GpuUsage, MemoryUsage, UsageSnapshot
    from ..usage.sampler import Sampler

#: Between the two readings that one CPU figure needs.
SPAN_SECONDS = 0.5

#: Without persistence mode the driver takes seconds to answer the first time.
GPU_WAIT_SECONDS = 10.0

_COVERS = {
    "container": "this container",
    "cgroup": "the control group of this session",
    "machine": "the whole machine",
    "gpu": "the whole GPU",
    "shared-gpu": "the whole GPU, neighbours included",
    "mig": "one MIG slice",
}


def add_parser(commands: Any) -> None:
    """Add the command to ``jupyter einfra``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "usage",
        help="show what this container uses",
        description="Shows CPU, memory and GPUs against their limits, as the status bar does. "
        "Needs no server.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")
    parser.add_argument("--watch", action="store_true", help="go on every second until Ctrl-C")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print one sample, or one a second."""
    import msgspec  # noqa: PLC0415 - `--help` needs none of it

    from ..usage.probes.cgroup import CgroupProbe  # noqa: PLC0415
    from ..usage.probes.nvml import GpuProbe  # noqa: PLC0415
    from ..usage.probes.system import SystemProbes  # noqa: PLC0415
    from ..usage.sampler import Sampler  # noqa: PLC0415

    probes = SystemProbes(CgroupProbe(), GpuProbe(timeout_seconds=GPU_WAIT_SECONDS))
    probes.start()
    probes.request_gpus()
    probes.read_gpus(GPU_WAIT_SECONDS)
    sampler = Sampler(
        probes,
        lambda sample: None,
        watched_seconds=1.0,
        unwatched_seconds=1.0,
        log=logging.getLogger(__name__),
    )
    try:
        for sample in _samples(sampler, watch=arguments.watch):
            if arguments.json:
                text = msgspec.json.encode(sample).decode()
            else:
                text = "\n".join(lines(sample)) + ("\n" if arguments.watch else "")
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
    except KeyboardInterrupt:
        pass  # how watching ends
    finally:
        probes.stop()
    return 0


def _samples(sampler: Sampler, *, watch: bool) -> Iterator[UsageSnapshot]:
    sampler.sample(SPAN_SECONDS)
    time.sleep(SPAN_SECONDS)
    yield sampler.sample(1.0)
    while watch:
        time.sleep(1.0)
        yield sampler.sample(1.0)


def lines(sample: UsageSnapshot) -> Iterator[str]:
    """Say a sample in words, one resource a line."""
    yield _line("CPU", _cores(sample.cpu), sample.cpu)
    yield _line("Memory", _memory(sample.memory), sample.memory)
    for gpu in sample.gpus:
        yield _line(f"GPU {gpu.index}", _gpu(gpu), gpu)
    reason = sample.gpu_status.reason
    if not sample.gpus and reason is not None and reason.code != "nvml_missing":
        yield f"{'GPU':<8}not known: {reason.message}"


def _line(label: str, figures: str, of: CpuUsage | MemoryUsage | GpuUsage) -> str:
    why = "" if of.reason is None else f"; {of.reason.message}"
    return f"{label:<8}{figures:<24}{_COVERS[of.scope]}{why}"


def _cores(cpu: CpuUsage) -> str:
    used = "not known" if cpu.used_cores is None else f"{cpu.used_cores:.2f}"
    limit = "" if cpu.limit_cores is None else f" of {cpu.limit_cores:g} cores"
    return used + limit


def _memory(memory: MemoryUsage) -> str:
    return _gib(memory.working_set_bytes, memory.limit_bytes)


def _gpu(gpu: GpuUsage) -> str:
    memory = _gib(gpu.memory_used_bytes, gpu.memory_total_bytes)
    return memory if gpu.utilization is None else f"{memory}, {gpu.utilization:.0%}"


def _gib(used: int | None, limit: int | None) -> str:
    told = "not known" if used is None else f"{used / 2**30:.2f}"
    return told + ("" if limit is None else f" of {limit / 2**30:.1f} GiB")
