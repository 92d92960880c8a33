"""What Prometheus reads at Jupyter's own ``/metrics``.

A scrape formats the latest sample and reads nothing else, so it costs the same however
often it comes. Figures that are unknown are absent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .alerts.deaths import CAUSES, Cause
from .figures import CpuReading, MemoryReading, NetworkReading
from .models import DiskUsage, GpuUsage, UsageSnapshot

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

PREFIX = "jupyter_einfra_"

#: Each GPU is a time series of its own; more than any server has.
MOST_GPUS = 64

#: The registry is the process's own, so the server started last speaks for it.
_registering = threading.Lock()
_registered: list[UsageCollector] = []


@dataclass(frozen=True)
class _Observed:
    sample: UsageSnapshot
    cpu: CpuReading
    memory: MemoryReading
    network: NetworkReading | None


Values = Iterable[tuple[list[str], float | None]]


@dataclass(frozen=True)
class Figure:
    """One metric: its name without ours and without ``_total``, and where its values lie."""

    kind: Literal["gauge", "counter"]
    name: str
    help: str
    read: Callable[[_Observed], Values]
    labels: tuple[str, ...] = ()


def _gauge(name: str, help_: str, read: Callable[[_Observed], float | None]) -> Figure:
    return Figure("gauge", name, help_, lambda observed: [([], read(observed))])


def _counter(name: str, help_: str, read: Callable[[_Observed], float | None]) -> Figure:
    return Figure("counter", name, help_, lambda observed: [([], read(observed))])


def _of_gpus(name: str, help_: str, read: Callable[[GpuUsage], float | None]) -> Figure:
    def values(observed: _Observed) -> Values:
        gpus = observed.sample.gpus[:MOST_GPUS]
        return [([str(gpu.index), gpu.uuid], read(gpu)) for gpu in gpus]

    return Figure("gauge", name, help_, values, ("gpu", "uuid"))


def _of_disks(name: str, help_: str, read: Callable[[DiskUsage], float | None]) -> Figure:
    def values(observed: _Observed) -> Values:
        return [([disk.name], read(disk)) for disk in observed.sample.disks]

    return Figure("gauge", name, help_, values, ("disk",))


FIGURES: tuple[Figure, ...] = (
    _gauge("cpu_used_cores", "CPU cores in use.", lambda o: o.sample.cpu.used_cores),
    _gauge("cpu_limit_cores", "CPU cores that may be used.", lambda o: o.sample.cpu.limit_cores),
    _gauge(
        "memory_working_set_bytes",
        "Memory in use less inactive file cache.",
        lambda o: o.sample.memory.working_set_bytes,
    ),
    _gauge(
        "memory_unreclaimable_bytes",
        "Memory in use that cannot be taken back.",
        lambda o: o.sample.memory.unreclaimable_bytes,
    ),
    _gauge(
        "memory_limit_bytes",
        "Memory at which processes are killed.",
        lambda o: o.sample.memory.limit_bytes,
    ),
    _of_gpus(
        "gpu_utilization_ratio",
        "Share of time in which some program ran on the GPU or slice.",
        lambda gpu: gpu.utilization,
    ),
    _of_gpus(
        "gpu_memory_used_bytes",
        "Memory in use on the GPU or slice.",
        lambda gpu: gpu.memory_used_bytes,
    ),
    _of_gpus(
        "gpu_memory_total_bytes", "Memory of the GPU or slice.", lambda gpu: gpu.memory_total_bytes
    ),
    _of_disks("disk_used_bytes", "Space in use.", lambda disk: disk.used_bytes),
    _of_disks("disk_limit_bytes", "Space that may be used.", lambda disk: disk.limit_bytes),
    _counter("cpu_seconds", "CPU time used.", lambda o: o.cpu.cpu_seconds),
    _counter(
        "cpu_periods",
        "Scheduler periods in which the limited group had something to run.",
        lambda o: o.cpu.periods,
    ),
    _counter(
        "cpu_throttled_periods",
        "Scheduler periods in which the group was stopped at its limit.",
        lambda o: o.cpu.throttled_periods,
    ),
    _counter(
        "cpu_throttled_seconds",
        "Time for which the group was stopped at its limit.",
        lambda o: o.cpu.throttled_seconds,
    ),
    _counter(
        "memory_oom_kills",
        "Processes of the group killed for want of memory.",
        lambda o: o.memory.oom_kills,
    ),
    _counter(
        "network_received_bytes",
        "Bytes received, the loopback interface apart.",
        lambda o: None if o.network is None else o.network.received_bytes,
    ),
    _counter(
        "network_sent_bytes",
        "Bytes sent, the loopback interface apart.",
        lambda o: None if o.network is None else o.network.sent_bytes,
    ),
)

DEATHS = Figure(
    "counter",
    "kernel_deaths",
    "Kernels that ended without being asked to since the server started.",
    lambda _: (),
    ("cause",),
)


class UsageCollector:
    """Says the latest sample in Prometheus's words. Any thread may call this."""

    def __init__(self) -> None:
        self._observed: _Observed | None = None
        self._deaths: dict[Cause, int] = dict.fromkeys(CAUSES, 0)

    def observe(
        self,
        sample: UsageSnapshot,
        cpu: CpuReading,
        memory: MemoryReading,
        network: NetworkReading | None = None,
    ) -> None:
        """Remember a sample and the readings behind it."""
        self._observed = _Observed(sample, cpu, memory, network)

    def count_death(self, cause: Cause) -> None:
        """Count a kernel that died."""
        self._deaths[cause] += 1

    def register(self) -> None:
        """Speak at ``/metrics`` from now on, in the place of who did."""
        from prometheus_client import REGISTRY  # noqa: PLC0415 - the server has it loaded

        with _registering:
            while _registered:
                REGISTRY.unregister(_registered.pop())
            REGISTRY.register(self)
            _registered.append(self)

    def unregister(self) -> None:
        """Speak no more; nothing happens if another took the place."""
        from prometheus_client import REGISTRY  # noqa: PLC0415 - as above

        with _registering:
            if self in _registered:
                _registered.remove(self)
                REGISTRY.unregister(self)

    def describe(self) -> Iterable[Metric]:
        """Name every metric, so that no other collector takes the name."""
        return [_family(figure) for figure in (*FIGURES, DEATHS)]

    def collect(self) -> Iterable[Metric]:
        """Return what is known."""
        observed = self._observed
        for figure in FIGURES:
            family = _family(figure)
            if observed is not None:
                for labels, value in figure.read(observed):
                    if value is not None:
                        family.add_metric(labels, value)
            if family.samples:
                yield family
        deaths = _family(DEATHS)
        for cause, count in self._deaths.items():
            deaths.add_metric([cause], count)
        yield deaths


def _family(figure: Figure) -> Any:
    from prometheus_client import core  # noqa: PLC0415 - the server has it loaded

    kind = core.GaugeMetricFamily if figure.kind == "gauge" else core.CounterMetricFamily
    return kind(PREFIX + figure.name, figure.help, labels=figure.labels)
