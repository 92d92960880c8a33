"""The NVIDIA driver through its management library, NVML.

Whole GPUs and MIG slices; whatever one of them cannot tell becomes a reason, and
leaves the others alone. Any call here may take long or never return: only the thread
of `nvml.GpuProbe` makes them.

The driver may be missing, and then its bindings are not even imported.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ...models import Reason
from ..models import GpuStatus, GpuUsage

LIBRARY = "libnvidia-ml.so.1"

MISSING = Reason(
    code="nvml_missing",
    message=f"There is no NVIDIA driver here ({LIBRARY} was not found). "
    "If this server was given a GPU, the image or its runtime hides it.",
    params={},
)
LOST = Reason(
    code="gpu_lost",
    message="The GPU fell off the bus. Save what you can and start a new server.",
    params={},
)
NO_UTILIZATION = Reason(
    code="gpu_no_utilization", message="This GPU does not report its utilization.", params={}
)
MIG_NO_UTILIZATION = Reason(
    code="mig_no_utilization",
    message="The driver does not report the utilization of a MIG slice.",
    params={},
)


@dataclass(frozen=True)
class GpuReading:
    """All GPUs at one time."""

    gpus: list[GpuUsage]
    status: GpuStatus


@dataclass(frozen=True)
class _Device:
    """What does not change about a device while the driver is open.

    Without a handle it is one that the driver lists but does not let us have.
    """

    handle: Any
    index: int
    uuid: str
    name: str
    is_mig: bool = False
    reason: Reason | None = None


class Driver:
    """NVML, opened on the first reading and again after it was lost."""

    def __init__(self, *, shared: bool) -> None:
        self._shared = shared
        self._nvml: Any = None
        self._devices: list[_Device] = []
        self._version: str | None = None
        self.is_open = False

    def read(self) -> GpuReading:
        """Read every device; whatever fails becomes a reason."""
        if self._nvml is None:
            try:
                ctypes.CDLL(LIBRARY)
            except OSError:
                return GpuReading([], GpuStatus(driver=None, reason=MISSING))
        try:
            if self._nvml is None:
                import pynvml  # noqa: PLC0415 - 1 MB of bindings that few servers need

                self._nvml = pynvml
            if not self.is_open:
                self._open()
            gpus = [self._read_device(device) for device in self._devices]
        except Exception as error:  # noqa: BLE001 - the bindings raise more than NVMLError
            self.close()
            reason = _failed(error)
            return GpuReading([], GpuStatus(driver=self._version, reason=reason))
        return GpuReading(gpus, GpuStatus(driver=self._version, reason=None))

    def close(self) -> None:
        """Let the driver go."""
        if self.is_open:
            self.is_open = False
            with suppress(Exception):  # it may be lost already
                self._nvml.nvmlShutdown()

    def _open(self) -> None:
        nvml = self._nvml
        nvml.nvmlInit()
        self.is_open = True
        self._version = _text(nvml.nvmlSystemGetDriverVersion())
        self._devices = [
            device
            for index in range(nvml.nvmlDeviceGetCount())
            for device in self._devices_of(index)
        ]

    def _devices_of(self, index: int) -> list[_Device]:
        """List a GPU, or its MIG slices where it is divided.

        The driver also counts GPUs that this process may not use. One that is broken
        is listed with the reason and does not hide the others.
        """
        nvml = self._nvml
        try:
            return self._describe_all(index, nvml.nvmlDeviceGetHandleByIndex(index))
        except nvml.NVMLError_NoPermission:
            return []
        except nvml.NVMLError as error:
            reason = self._reason(error)
            return [_Device(None, index, f"GPU {index}", f"GPU {index}", reason=reason)]

    def _describe_all(self, index: int, gpu: Any) -> list[_Device]:
        nvml = self._nvml
        slices = []
        for slot in range(self._mig_slots(gpu)):
            try:
                handle = nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, slot)
            except (
                nvml.NVMLError_NotFound,
                nvml.NVMLError_InvalidArgument,
                nvml.NVMLError_NoPermission,
            ):
                continue  # an empty slot, or a slice of somebody else's
            slices.append(self._describe(handle, index, is_mig=True))
        return slices or [self._describe(gpu, index, is_mig=False)]

    def _mig_slots(self, gpu: Any) -> int:
        nvml = self._nvml
        try:
            current, _pending = nvml.nvmlDeviceGetMigMode(gpu)
            divided = current == nvml.NVML_DEVICE_MIG_ENABLE
            return int(nvml.nvmlDeviceGetMaxMigDeviceCount(gpu)) if divided else 0
        except (
            nvml.NVMLError_NotSupported,
            nvml.NVMLError_FunctionNotFound,
            nvml.NVMLError_NoPermission,
        ):
            return 0

    def _describe(self, handle: Any, index: int, *, is_mig: bool) -> _Device:
        nvml = self._nvml
        return _Device(
            handle,
            index,
            _text(nvml.nvmlDeviceGetUUID(handle)),
            _text(nvml.nvmlDeviceGetName(handle)),
            is_mig,
        )

    def _read_device(self, device: _Device) -> GpuUsage:
        nvml = self._nvml
        utilization, used, total, reason = None, None, None, device.reason
        try:
            if device.handle is not None:
                used, total = self._memory(device.handle)
                utilization, reason = self._utilization(device)
        except nvml.NVMLError as error:
            reason = self._reason(error)
        return GpuUsage(
            index=device.index,
            uuid=device.uuid,
            name=device.name,
            scope="mig" if device.is_mig else "shared-gpu" if self._shared else "gpu",
            utilization=utilization,
            utilization_source=None if utilization is None else "nvml",
            memory_used_bytes=used,
            memory_total_bytes=total,
            source="nvml",
            reason=reason,
        )

    def _reason(self, error: Exception) -> Reason:
        """Say what is wrong with one device; raise on if it is the whole driver."""
        nvml = self._nvml
        if isinstance(
            error,
            (
                nvml.NVMLError_Uninitialized,
                nvml.NVMLError_DriverNotLoaded,
                nvml.NVMLError_LibRmVersionMismatch,
            ),
        ):
            raise error
        if isinstance(error, nvml.NVMLError_GpuIsLost):
            return LOST
        return Reason(
            code="gpu_unreadable",
            message=f"The driver could not read this GPU: {error}",
            params={"error": str(error)},
        )

    def _memory(self, handle: Any) -> tuple[int, int]:
        nvml = self._nvml
        try:
            # Version 2 leaves out what the driver keeps for itself, as nvidia-smi does.
            memory = nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2)
        except (
            nvml.NVMLError_FunctionNotFound,
            nvml.NVMLError_ArgumentVersionMismatch,
            nvml.NVMLError_NotSupported,
        ):
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        return int(memory.used), int(memory.total)

    def _utilization(self, device: _Device) -> tuple[float | None, Reason | None]:
        if device.is_mig:
            return None, MIG_NO_UTILIZATION
        nvml = self._nvml
        try:
            return nvml.nvmlDeviceGetUtilizationRates(device.handle).gpu / 100, None
        except (nvml.NVMLError_NotSupported, nvml.NVMLError_NoPermission):
            return None, NO_UTILIZATION


def _failed(error: Exception) -> Reason:
    return Reason(
        code="nvml_failed",
        message=f"The GPU driver does not work: {error}. It is asked again every few minutes.",
        params={"error": str(error)},
    )


def _text(value: str | bytes) -> str:
    """Old bindings answer with bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
