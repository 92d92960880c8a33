"""The NVIDIA driver through its management library, NVML.

Whole GPUs and MIG slices; whatever one of them cannot tell becomes a reason, and
leaves the others alone. Any call here may take long or never return: only the thread
of `nvml.GpuProbe` makes them.

The driver may be missing, and then its bindings are not even imported.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from ...models import Reason
from ..models import GpuDetails, GpuFigure, GpuStatus, GpuUsage
from .gpm import Gpm
from .gpu_devices import Device, list_devices, reason_for, renew, text
from .gpu_processes import NOT_ASKED, GpuProcesses, settle, total

_T = TypeVar("_T")

LIBRARY = "libnvidia-ml.so.1"

MISSING = Reason(
    code="nvml_missing",
    message=f"There is no NVIDIA driver here ({LIBRARY} was not found). "
    "If this server was given a GPU, the image or its runtime hides it.",
    params={},
)
NO_UTILIZATION = Reason(
    code="gpu_no_utilization", message="This GPU does not report its utilization.", params={}
)


@dataclass(frozen=True)
class GpuReading:
    """All GPUs at one time.

    ``processes`` are bytes of GPU memory on all devices by process of ours; null with
    the reason, and without one where there is no GPU.
    """

    gpus: list[GpuUsage]
    status: GpuStatus
    details: list[GpuDetails] = field(default_factory=list)
    processes: Mapping[int, int] | None = None
    processes_reason: Reason | None = None


class Driver:
    """NVML, opened on the first reading and again after it was lost.

    Parameters
    ----------
    shared:
        Whether neighbours run on the same GPUs.
    clock:
        Seconds from any moment on.
    proc:
        Where the kernel tells of processes.
    """

    def __init__(
        self,
        *,
        shared: bool,
        clock: Callable[[], float] = time.monotonic,
        proc: Path = Path("/proc"),
    ) -> None:
        self._shared = shared
        self._clock = clock
        self._proc = proc
        self._nvml: Any = None
        self._gpm: Gpm | None = None
        self._devices: list[Device] = []
        self._version: str | None = None
        self.is_open = False

    def read(self, *, processes: bool = False) -> GpuReading:
        """Read every device, with its processes if asked for; whatever fails becomes a reason."""
        if self._nvml is None:
            try:
                ctypes.CDLL(LIBRARY)
            except OSError:
                return GpuReading([], GpuStatus(driver=None, reason=MISSING))
        try:
            if self._nvml is None:
                import pynvml  # noqa: PLC0415 - 3 MB of bindings that few servers need

                self._nvml = pynvml
            return self._read(self._opened(), processes=processes)
        except Exception as error:  # noqa: BLE001 - the bindings raise more than NVMLError
            self.close()
            reason = _failed(error)
            return GpuReading([], GpuStatus(driver=self._version, reason=reason))

    def close(self) -> None:
        """Let the driver go."""
        if self._gpm is not None:
            self._gpm.close()
            self._gpm = None
        if self.is_open:
            self.is_open = False
            with suppress(Exception):  # it may be lost already
                self._nvml.nvmlShutdown()

    def _opened(self) -> Gpm:
        nvml = self._nvml
        if not self.is_open:
            nvml.nvmlInit()
            self.is_open = True
            self._version = text(nvml.nvmlSystemGetDriverVersion())
            self._devices = list_devices(nvml)
        if self._gpm is None:
            self._gpm = Gpm(nvml, self._clock)
        return self._gpm

    def _read(self, gpm: Gpm, *, processes: bool) -> GpuReading:
        devices = self._devices = renew(self._nvml, self._devices)
        gpm.keep_only({device.uuid for device in devices if device.reason is None})
        gpus: list[GpuUsage] = []
        figures: list[list[GpuFigure]] = []
        for device in devices:
            usage, told = self._read_device(device, gpm)
            gpus.append(usage)
            figures.append(told)
        found = settle(self._read_processes(devices, gpus)) if processes else None
        for number, told in enumerate(figures):
            told.append(_figure("processes", "nvml", NOT_ASKED if found is None else found[number]))
        bytes_by_pid = NOT_ASKED if found is None else total(found)
        return GpuReading(
            gpus,
            GpuStatus(driver=self._version, reason=None),
            [
                GpuDetails(uuid=device.uuid, figures=told)
                for device, told in zip(devices, figures, strict=True)
            ],
            _known(bytes_by_pid) if devices else None,
            _reason(bytes_by_pid) if devices else None,
        )

    def _read_device(self, device: Device, gpm: Gpm) -> tuple[GpuUsage, list[GpuFigure]]:
        source: Literal["nvml", "gpm"] = "gpm" if device.is_mig else "nvml"
        ask = gpm.utilization if device.is_mig else self._utilization
        memory = self._attempt(device, partial(self._memory, device))
        utilization = self._attempt(device, partial(ask, device))
        used, whole = _known(memory) or (None, None)
        usage = GpuUsage(
            index=device.index,
            uuid=device.uuid,
            name=device.name,
            scope="mig" if device.is_mig else "shared-gpu" if self._shared else "gpu",
            utilization=_known(utilization),
            utilization_source=None if isinstance(utilization, Reason) else source,
            memory_used_bytes=used,
            memory_total_bytes=whole,
            source="nvml",
            reason=_reason(memory) or _reason(utilization),
        )
        return usage, [
            _figure("utilization", source, utilization),
            _figure("memory", "nvml", memory),
        ]

    def _read_processes(
        self, devices: list[Device], gpus: list[GpuUsage]
    ) -> list[Mapping[int, int] | Reason]:
        reader = GpuProcesses(self._nvml, self._proc)
        return [
            self._attempt(device, partial(reader.read, device, gpu))
            for device, gpu in zip(devices, gpus, strict=True)
        ]

    def _attempt(self, device: Device, ask: Callable[[], _T | Reason]) -> _T | Reason:
        if device.reason is not None:
            return device.reason
        try:
            return ask()
        except self._nvml.NVMLError as error:
            return reason_for(self._nvml, error)

    def _memory(self, device: Device) -> tuple[int, int]:
        nvml = self._nvml
        try:
            # Version 2 leaves out what the driver keeps for itself, as nvidia-smi does: of an
            # H100 480 MiB, which no program can have either.
            memory = nvml.nvmlDeviceGetMemoryInfo(device.handle, version=nvml.nvmlMemory_v2)
        except (
            nvml.NVMLError_FunctionNotFound,
            nvml.NVMLError_ArgumentVersionMismatch,
            nvml.NVMLError_NotSupported,
        ):
            memory = nvml.nvmlDeviceGetMemoryInfo(device.handle)
        return int(memory.used), int(memory.total)

    def _utilization(self, device: Device) -> float | Reason:
        nvml = self._nvml
        try:
            return float(nvml.nvmlDeviceGetUtilizationRates(device.handle).gpu / 100)
        except (nvml.NVMLError_NotSupported, nvml.NVMLError_NoPermission):
            return NO_UTILIZATION


def _known(answer: _T | Reason) -> _T | None:
    return None if isinstance(answer, Reason) else answer


def _reason(answer: object) -> Reason | None:
    return answer if isinstance(answer, Reason) else None


def _figure(
    figure: Literal["utilization", "memory", "processes"],
    source: Literal["nvml", "gpm"],
    answer: object,
) -> GpuFigure:
    reason = _reason(answer)
    return GpuFigure(figure=figure, source=None if reason else source, reason=reason)


def _failed(error: Exception) -> Reason:
    return Reason(
        code="nvml_failed",
        message=f"The GPU driver does not work: {error}. It is asked again every few minutes.",
        params={"error": str(error)},
    )
