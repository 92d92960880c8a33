"""The probes of a real machine: control groups where there are any, else the machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from ...models import Reason
from ..figures import CpuReading, MemoryReading, NetworkReading
from ..models import DiskUsage, GpuStatus
from ..programs.processes import ProcessTable
from . import machine
from .cgroup import CgroupProbe
from .disks import DiskProbe, usual_places
from .driver import GpuReading
from .network import NetworkProbe
from .nvml import GpuProbe
from .processes import ProcessProbe

_OFF = Reason(
    code="nvml_off", message="The operator of this server switched GPU figures off.", params={}
)
GPUS_OFF = GpuReading([], GpuStatus(driver=None, reason=_OFF))

#: Without persistence mode the driver takes seconds to answer the first time.
PATIENCE_SECONDS = 10.0

#: A file server that is well answers at once.
DISK_PATIENCE_SECONDS = 1.0


class SystemProbes:
    """Everything that the sampler reads.

    Parameters
    ----------
    cgroup, disks:
        As they are to be read.
    gpu:
        None where the operator switched GPUs off.
    """

    def __init__(self, cgroup: CgroupProbe, disks: DiskProbe, gpu: GpuProbe | None) -> None:
        self._cgroup = cgroup
        self._disks = disks
        self._gpu = gpu
        self._network = NetworkProbe(is_container=lambda: cgroup.in_container)
        self._processes = ProcessProbe()

    def start(self) -> None:
        """Start what runs on its own."""
        self._disks.start()
        if self._gpu is not None:
            self._gpu.start()

    def stop(self) -> None:
        """Stop what runs on its own; returns within a second."""
        self._disks.stop()
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

    def read_network(self) -> NetworkReading:
        """Bytes through the network interfaces that this process sees."""
        return self._network.read()

    def read_disks(self) -> list[DiskUsage]:
        """What is known of the disks; they are read on their own."""
        return self._disks.latest()

    def read_processes(self) -> ProcessTable:
        """All processes that this one sees."""
        return self._processes.read()

    def request_gpus(self, *, processes: bool) -> None:
        """Begin a reading of the GPUs, with the processes on them if asked for."""
        if self._gpu is not None:
            self._gpu.request(processes=processes)

    def read_gpus(self, wait_seconds: float) -> GpuReading:
        """Return the latest reading of the GPUs, waiting a moment for it."""
        return GPUS_OFF if self._gpu is None else self._gpu.latest(wait_seconds)


@contextmanager
def patient_probes() -> Iterator[SystemProbes]:
    """Probes for a command that reads once: what answers late is waited for first."""
    probes = SystemProbes(
        CgroupProbe(), DiskProbe(usual_places()), GpuProbe(timeout_seconds=PATIENCE_SECONDS)
    )
    probes.start()
    try:
        probes.request_gpus(processes=False)
        probes.read_gpus(PATIENCE_SECONDS)
        until = time.monotonic() + DISK_PATIENCE_SECONDS
        while any(disk.time is None for disk in probes.read_disks()) and time.monotonic() < until:
            time.sleep(0.01)
        yield probes
    finally:
        probes.stop()
