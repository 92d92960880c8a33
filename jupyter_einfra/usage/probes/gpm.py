"""Utilization of MIG slices through GPM, the driver's performance monitoring.

The driver fills a sample with counters; two samples make a mean over the time between
them. The figure taken is the share of that time in which the graphics engine, which
runs compute programs too, was active: what an operator's idle policy counts, and what
a whole GPU's utilization means. How many of the multiprocessors were busy is another
question.

Of a whole GPU (H100, H200, driver 580 with ``RmProfilingAdminOnly`` 0) users without any
privilege were told it, too, and within a percent the same as by NVML.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ...models import Reason
from .gpu_devices import Device, reason_for

#: Two samples closer together say little; the driver asks for a tenth of a second.
MIN_SPAN_SECONDS = 0.9

#: Counters are not read at one instant; a slice that never rests may seem to exceed.
MOST_PERCENT = 101.0

MIG_NO_UTILIZATION = Reason(
    code="mig_no_utilization",
    message="This generation of GPUs does not report the utilization of a MIG slice; "
    "Hopper and later ones do.",
    params={},
)
NO_PERMISSION = Reason(
    code="gpm_no_permission",
    message="The driver lets only administrators read the utilization of a MIG slice. "
    "Ask the operator whether that can be allowed.",
    params={},
)
NOT_SUPPORTED = Reason(
    code="gpm_not_supported",
    message="The driver does not offer the utilization of this MIG slice here, though the "
    "GPU could report it.",
    params={},
)
TOO_OLD = Reason(
    code="gpm_too_old",
    message="The NVIDIA driver, or what reads it here, is too old to report the "
    "utilization of a MIG slice.",
    params={},
)
STARTING = Reason(
    code="gpm_starting",
    message="The utilization of a MIG slice takes two readings; this was the first.",
    params={},
)
IMPLAUSIBLE = Reason(
    code="gpm_implausible",
    message="The driver gave a utilization of this MIG slice that cannot be true.",
    params={},
)
PARTIAL = Reason(
    code="mig_partial",
    message="This slice is a part of a GPU instance, and the driver reports the "
    "utilization of whole GPU instances only.",
    params={},
)

_NAMES = (
    "nvmlDeviceGetGpuInstanceId",
    "nvmlGpmQueryDeviceSupport",
    "nvmlGpmSampleAlloc",
    "nvmlGpmSampleFree",
    "nvmlGpmMigSampleGet",
    "nvmlGpmMetricsGet",
    "c_nvmlGpmMetricsGet_t",
    "NVML_GPM_METRICS_GET_VERSION",
    "NVML_GPM_METRIC_GRAPHICS_UTIL",
)


@dataclass
class _Slice:
    """What is kept of one slice from reading to reading."""

    instance: int
    sample: Any = None
    taken_seconds: float = 0.0
    latest: float | Reason = STARTING


class Gpm:
    """Measures slices for as long as the driver is open.

    A refusal that will not change before the driver is loaded anew is remembered, and
    nothing more is asked about that slice.

    Parameters
    ----------
    nvml:
        The bindings.
    clock:
        Seconds from any moment on.
    """

    def __init__(self, nvml: Any, clock: Callable[[], float]) -> None:
        self._nvml = nvml
        self._clock = clock
        self._slices: dict[str, _Slice] = {}
        self._refusals: dict[str, Reason] = {}
        self._is_known = all(hasattr(nvml, name) for name in _NAMES)

    def utilization(self, device: Device) -> float | Reason:
        """Mean since the sample before, 0 to 1; of the reading before if that was just now."""
        if device.is_partial:
            return PARTIAL
        if not self._is_known:
            return TOO_OLD
        if refusal := self._refusals.get(device.uuid):
            return refusal
        nvml = self._nvml
        try:
            one = self._slices.get(device.uuid) or self._begin(device)
            self._measure(device, one)
        except nvml.NVMLError as error:
            return self._failed(device, error)
        return one.latest

    def keep_only(self, uuids: Collection[str]) -> None:
        """Forget slices that are gone."""
        for uuid in (self._slices.keys() | self._refusals.keys()) - set(uuids):
            self._refusals.pop(uuid, None)
            self._drop(uuid)

    def close(self) -> None:
        """Free every sample; the driver must still be open, or have gone by itself."""
        self.keep_only(())

    def _begin(self, device: Device) -> _Slice:
        nvml = self._nvml
        if not nvml.nvmlGpmQueryDeviceSupport(device.parent).isSupportedDevice:
            raise nvml.NVMLError_NotSupported
        one = _Slice(nvml.nvmlDeviceGetGpuInstanceId(device.handle))
        self._slices[device.uuid] = one
        return one

    def _measure(self, device: Device, one: _Slice) -> None:
        now = self._clock()
        if one.sample is not None and now - one.taken_seconds < MIN_SPAN_SECONDS:
            return
        nvml = self._nvml
        fresh = nvml.nvmlGpmSampleAlloc()
        try:
            nvml.nvmlGpmMigSampleGet(device.parent, one.instance, fresh)
        except BaseException:
            self._free(fresh)
            raise
        before, one.sample, one.taken_seconds = one.sample, fresh, now
        try:
            one.latest = STARTING if before is None else self._between(before, fresh)
        finally:
            self._free(before)

    def _between(self, before: Any, after: Any) -> float | Reason:
        nvml = self._nvml
        asked = nvml.c_nvmlGpmMetricsGet_t()
        asked.version = nvml.NVML_GPM_METRICS_GET_VERSION
        asked.numMetrics = 1
        asked.sample1, asked.sample2 = before, after
        asked.metrics[0].metricId = nvml.NVML_GPM_METRIC_GRAPHICS_UTIL
        nvml.nvmlGpmMetricsGet(asked)
        answer = asked.metrics[0]
        if answer.nvmlReturn != nvml.NVML_SUCCESS:
            raise nvml.NVMLError(answer.nvmlReturn)
        percent = float(answer.value)
        # A comparison with what is not a number is false, too.
        return min(percent / 100, 1.0) if 0 <= percent <= MOST_PERCENT else IMPLAUSIBLE

    def _failed(self, device: Device, error: Exception) -> Reason:
        nvml = self._nvml
        one = self._slices.get(device.uuid)
        if isinstance(error, nvml.NVMLError_NoPermission):
            refusal = NO_PERMISSION
        elif isinstance(error, nvml.NVMLError_FunctionNotFound):
            refusal = TOO_OLD
        elif isinstance(error, nvml.NVMLError_NotSupported):
            refusal = MIG_NO_UTILIZATION if one is None else NOT_SUPPORTED
        else:
            reason = reason_for(nvml, error)
            if one is not None:
                one.latest = reason
            return reason
        self._drop(device.uuid)
        self._refusals[device.uuid] = refusal
        return refusal

    def _drop(self, uuid: str) -> None:
        one = self._slices.pop(uuid, None)
        if one is not None:
            self._free(one.sample)

    def _free(self, sample: Any) -> None:
        if sample is not None:
            with suppress(Exception):  # it is lost with the driver then
                self._nvml.nvmlGpmSampleFree(sample)
