"""The GPUs and MIG slices that the driver lets this process have.

A slice may vanish while the driver is open, when the GPU is divided anew. Its handle
may then mean another slice, so that each is recognized by its UUID.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...models import Reason

LOST = Reason(
    code="gpu_lost",
    message="The GPU fell off the bus. Save what you can and start a new server.",
    params={},
)
SLICE_GONE = Reason(
    code="mig_gone",
    message="This MIG slice no longer exists: the GPU was divided anew. Programs on it "
    "have failed. Start a new server to get another.",
    params={},
)

#: A compute instance that is only a part of its GPU instance is named so.
_PARTIAL = re.compile(r" MIG \d+c\.")


def has_gpu_devices(folder: Path = Path("/dev")) -> bool:
    """Whether GPUs were given to this container, whatever the driver says of them."""
    try:
        return any(re.fullmatch(r"nvidia\d+", path.name) for path in folder.glob("nvidia*"))
    except OSError:
        return False


@dataclass(frozen=True)
class Device:
    """What does not change about a device.

    Without a handle it is one that is listed but that cannot be asked; ``reason`` says
    why.
    """

    handle: Any
    index: int
    uuid: str
    name: str
    parent: Any = None
    is_mig: bool = False
    reason: Reason | None = None

    @property
    def is_partial(self) -> bool:
        """Whether it shares its GPU instance, the driver's unit of utilization."""
        return self.is_mig and _PARTIAL.search(self.name) is not None


def list_devices(nvml: Any) -> list[Device]:
    """List every GPU, or its slices where it is divided."""
    count = nvml.nvmlDeviceGetCount()
    return [device for index in range(count) for device in _devices_of(nvml, index)]


def renew(nvml: Any, devices: list[Device]) -> list[Device]:
    """List the slices of those GPUs anew that have lost one.

    A slice that vanished stays listed, with the reason, until another is in its place.
    """
    stale = {device.index for device in devices if device.is_mig and not _is_there(nvml, device)}
    if not stale:
        return devices
    renewed: list[Device] = []
    for index in dict.fromkeys(device.index for device in devices):
        old = [device for device in devices if device.index == index]
        renewed += _succeed(old, _devices_of(nvml, index)) if index in stale else old
    return renewed


def reason_for(nvml: Any, error: Exception) -> Reason:
    """Say what is wrong with one device; raise on if it is the whole driver."""
    _raise_if_gone(nvml, error)
    if isinstance(error, nvml.NVMLError_GpuIsLost):
        return LOST
    return Reason(
        code="gpu_unreadable",
        message=f"The driver could not read this GPU: {error}",
        params={"error": str(error)},
    )


def text(value: str | bytes) -> str:
    """Old bindings answer with bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _raise_if_gone(nvml: Any, error: Exception) -> None:
    if isinstance(
        error,
        (
            nvml.NVMLError_Uninitialized,
            nvml.NVMLError_DriverNotLoaded,
            nvml.NVMLError_LibRmVersionMismatch,
        ),
    ):
        raise error


def _is_there(nvml: Any, device: Device) -> bool:
    if device.handle is None:
        return False
    try:
        return text(nvml.nvmlDeviceGetUUID(device.handle)) == device.uuid
    except (nvml.NVMLError_NotFound, nvml.NVMLError_InvalidArgument):
        return False
    except nvml.NVMLError as error:
        _raise_if_gone(nvml, error)
        return True  # something else is wrong, and the reading will say what


def _succeed(old: list[Device], found: list[Device]) -> list[Device]:
    slices = {device.uuid: device for device in found if device.is_mig}
    if slices.keys() - {device.uuid for device in old}:
        return list(slices.values())
    return [
        slices.get(device.uuid, replace(device, handle=None, parent=None, reason=SLICE_GONE))
        for device in old
    ]


def _devices_of(nvml: Any, index: int) -> list[Device]:
    """List a GPU, or its MIG slices where it is divided.

    The driver also counts GPUs that this process may not use. One that is broken is
    listed with the reason and does not hide the others.
    """
    try:
        return _describe_all(nvml, index, nvml.nvmlDeviceGetHandleByIndex(index))
    except nvml.NVMLError_NoPermission:
        return []
    except nvml.NVMLError as error:
        reason = reason_for(nvml, error)
        return [Device(None, index, f"GPU {index}", f"GPU {index}", reason=reason)]


def _describe_all(nvml: Any, index: int, gpu: Any) -> list[Device]:
    slices = []
    for slot in range(_mig_slots(nvml, gpu)):
        try:
            handle = nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, slot)
        except (
            nvml.NVMLError_NotFound,
            nvml.NVMLError_InvalidArgument,
            nvml.NVMLError_NoPermission,
        ):
            continue  # an empty slot, or a slice of somebody else's
        slices.append(Device(handle, index, *_names(nvml, handle), parent=gpu, is_mig=True))
    return slices or [Device(gpu, index, *_names(nvml, gpu))]


def _mig_slots(nvml: Any, gpu: Any) -> int:
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


def _names(nvml: Any, handle: Any) -> tuple[str, str]:
    return text(nvml.nvmlDeviceGetUUID(handle)), text(nvml.nvmlDeviceGetName(handle))
