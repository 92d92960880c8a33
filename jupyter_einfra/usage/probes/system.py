"""The probes of a real machine: control groups where there are any, else the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...models import Reason
from ..figures import CpuReading, MemoryReading
from ..models import GpuStatus, GpuUsage
from . import machine
from .cgroup import CgroupProbe
from .nvml import GpuProbe

GPUS_OFF = GpuStatus(
    driver=None,
    reason=Reason(
        code="nvml_off",
        message="The operator of this server switched GPU figures off.",
        params={},
    ),
)


#: Without persistence mode the driver takes seconds to answer the first time.
PATIENCE_SECONDS = 10.0


class SystemProbes:
    """Everything that the sampler reads."""

    def __init__(self, cgroup: CgroupProbe, gpu: GpuProbe | None) -> None:
        self._cgroup = cgroup
        self._gpu = gpu

    def start(self) -> None:
        """Start what runs on its own."""
        if self._gpu is not None:
            self._gpu.start()

    def stop(self) -> None:
        """Stop what runs on its own; returns within half a second."""
        if self._gpu is not None:
            self._gpu.stop()

    def resolve(self) -> None:
        """Look again for the control groups to read."""
        self._cgroup.resolve()

    def read_cpu(self) -> CpuReading:
        """CPU time of the control group, or of the machine where there is none."""
        return self._cgroup.read_cpu() or machine.read_cpu()

    def read_memory(self) -> MemoryReading:
        """Memory of the control group, or of the machine where there is none."""
        return self._cgroup.read_memory() or machine.read_memory()

    def request_gpus(self) -> None:
        """Begin a reading of the GPUs."""
        if self._gpu is not None:
            self._gpu.request()

    def read_gpus(self, wait_seconds: float) -> tuple[list[GpuUsage], GpuStatus]:
        """Return the latest reading of the GPUs, waiting a moment for it."""
        if self._gpu is None:
            return [], GPUS_OFF
        reading = self._gpu.latest(wait_seconds)
        return reading.gpus, reading.status


@contextmanager
def patient_probes() -> Iterator[SystemProbes]:
    """Probes for a command that reads once: the GPU driver is waited for first."""
    probes = SystemProbes(CgroupProbe(), GpuProbe(timeout_seconds=PATIENCE_SECONDS))
    probes.start()
    try:
        probes.request_gpus()
        probes.read_gpus(PATIENCE_SECONDS)
        yield probes
    finally:
        probes.stop()
