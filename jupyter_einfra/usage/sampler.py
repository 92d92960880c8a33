"""One thread that takes samples, however many people look.

It samples fast while somebody watches or there is danger, and slowly otherwise: an
idle server's own sampling must stay far below what a policy takes for use. A first
watcher need not wait for the slow one's turn.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol

from .figures import (
    MIN_SPAN_SECONDS,
    CpuReading,
    MemoryReading,
    NetworkReading,
    cpu_usage,
    memory_usage,
    network_usage,
)
from .models import DiskUsage, UsageSnapshot
from .probes.driver import GpuReading

#: The server may be moved to another control group while it runs.
RESOLVE_SECONDS = 60.0

#: From the first sample to the second, so that a CPU figure is there from the start.
FIRST_PAUSE_SECONDS = 1.0

#: How long a sample waits for the GPU driver, so that its figures are of one moment.
GPU_WAIT_SECONDS = 0.1


class Probes(Protocol):
    """Where figures come from. No method may raise or take longer than it says."""

    def resolve(self) -> None:
        """Look again for the control groups to read."""

    def read_cpu(self) -> CpuReading: ...

    def read_memory(self) -> MemoryReading: ...

    def read_network(self) -> NetworkReading: ...

    def read_disks(self) -> list[DiskUsage]: ...

    def request_gpus(self, *, processes: bool) -> None:
        """Begin a reading of the GPUs, with the processes on them if asked for."""

    def read_gpus(self, wait_seconds: float) -> GpuReading: ...


@dataclass(frozen=True)
class Taken:
    """One sample, and the readings that the next one counts from."""

    sample: UsageSnapshot
    cpu: CpuReading
    memory: MemoryReading
    network: NetworkReading
    gpus: GpuReading


def take(
    probes: Probes, before: Taken | None, interval_seconds: float, *, processes: bool = False
) -> Taken:
    """Read everything once.

    Parameters
    ----------
    probes:
        Where figures come from.
    before:
        What CPU and network figures count from.
    interval_seconds:
        Time to the next sample.
    processes:
        Whether to ask the driver for the processes on the GPUs, too.
    """
    # Asked first and read last, so that the driver has time to answer.
    probes.request_gpus(processes=processes)
    time_now = datetime.now(timezone.utc)
    cpu = probes.read_cpu()
    memory = probes.read_memory()
    network = probes.read_network()
    disks = probes.read_disks()
    gpus = probes.read_gpus(GPU_WAIT_SECONDS)
    sample = UsageSnapshot(
        time=time_now,
        interval_seconds=interval_seconds,
        cpu=cpu_usage(None if before is None else before.cpu, cpu),
        memory=memory_usage(memory),
        gpus=gpus.gpus,
        gpu_status=gpus.status,
        disks=disks,
        network=network_usage(None if before is None else before.network, network),
    )
    return Taken(sample, cpu, memory, network, gpus)


class Sampler:
    """Takes samples and hands each one on.

    Parameters
    ----------
    probes:
        Where figures come from.
    on_sample:
        Called with every sample, in the sampler's thread.
    watched_seconds, unwatched_seconds:
        Time from one sample to the next.
    log:
        For what should never happen.
    """

    def __init__(
        self,
        probes: Probes,
        on_sample: Callable[[Taken], None],
        *,
        watched_seconds: float,
        unwatched_seconds: float,
        log: logging.Logger,
    ) -> None:
        self._probes = probes
        self._on_sample = on_sample
        self._watched_seconds = watched_seconds
        self._unwatched_seconds = unwatched_seconds
        self._log = log
        self._watched = False
        self._with_processes = False
        self._hurried = False
        self._stopping = False
        self._wake = threading.Event()
        self._before: Taken | None = None
        self._resolve_at = 0.0
        self._thread = threading.Thread(target=self._run, name="einfra-usage", daemon=True)

    def start(self) -> None:
        """Take the first sample soon and go on until `stop`."""
        self._thread.start()

    def stop(self, wait_seconds: float = 2.0) -> None:
        """Take no more samples."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(wait_seconds)

    def set_watched(self, watched: bool) -> None:
        """Sample fast or slowly from now on."""
        begins = watched and not self._watched
        self._watched = watched
        if begins:
            self._wake.set()

    def set_processes_watched(self, watched: bool) -> None:
        """Ask for the processes on the GPUs, too, from now on."""
        self._with_processes = watched

    def set_hurried(self, hurried: bool) -> None:
        """Sample fast though nobody watches, from the present sample on."""
        self._hurried = hurried

    def sample_soon(self) -> None:
        """Take a sample now: something happened. Any thread may call this."""
        self._wake.set()

    def _interval_seconds(self) -> float:
        if self._watched:
            return self._watched_seconds
        if self._hurried:
            return min(self._watched_seconds, self._unwatched_seconds)
        return self._unwatched_seconds

    def _run(self) -> None:
        due = time.monotonic()
        pace = min(FIRST_PAUSE_SECONDS, self._interval_seconds())
        while True:
            # Before anything else, so that a call during the tick is not lost.
            self._wake.clear()
            if self._stopping:
                return
            self._tick(pace)
            ticked = time.monotonic()
            # Kept from tick to tick; what was missed (suspend) is not caught up, and two
            # ticks too close together would have no CPU figure.
            due = max(due + min(pace, self._interval_seconds()), ticked + MIN_SPAN_SECONDS)
            if self._wake.wait(due - ticked):
                due = max(time.monotonic(), ticked + MIN_SPAN_SECONDS)
                time.sleep(max(0.0, due - time.monotonic()))
            pace = self._interval_seconds()

    def _tick(self, pace: float) -> None:
        try:
            if time.monotonic() >= self._resolve_at:
                self._probes.resolve()
                self._resolve_at = time.monotonic() + RESOLVE_SECONDS
            taken = take(self._probes, self._before, pace, processes=self._with_processes)
            self._before, sample = taken, taken.sample
            if sample.cpu.used_cores is None or sample.memory.working_set_bytes is None:
                self._resolve_at = 0.0
            self._on_sample(taken)
        except Exception:  # noqa: BLE001 - see below
            # A figure that breaks must not end all the others.
            self._log.exception("A usage sample failed")
