"""Whose memory on a GPU is whose.

The driver may name processes as this container does, as the host does, or not at all,
and nothing says which. A host's number may by chance be that of one of our processes.
So a process counts only if it is here and has an NVIDIA device open.

Version 580 (on an H100 and an H200) names processes to anybody, in the numbers of the PID
namespace that asks. It leaves out those of other namespaces, but not the memory they use.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from ...models import Reason
from ..models import GpuUsage
from .gpu_devices import Device

#: Without any program nothing is in use, or some ten MiB; the smallest program has more
#: (on an H100 600 MiB).
IDLE_BYTES = 64 << 20

#: A process may have a million files open; devices are among the first.
MOST_FILES = 4096

HIDDEN = Reason(
    code="gpu_processes_hidden",
    message="The driver names no process that is known in this container, so that nobody "
    "can tell here whose GPU memory is whose.",
    params={},
)
NO_PERMISSION = Reason(
    code="gpu_processes_no_permission",
    message="The driver lets only administrators see the processes on this GPU.",
    params={},
)
NOT_SUPPORTED = Reason(
    code="gpu_processes_not_supported",
    message="The driver does not list the processes on this GPU.",
    params={},
)
NO_MEMORY = Reason(
    code="gpu_process_memory_unknown",
    message="The driver does not say how much memory a process uses on this GPU.",
    params={},
)
NOT_ASKED = Reason(
    code="gpu_processes_not_asked",
    message="The processes on a GPU are looked up only while somebody looks.",
    params={},
)

#: Functions that list processes, newest first. Unversioned names mean one of these, too,
#: but which one depends on the bindings.
_COMPUTE, *_OTHERS = (
    tuple(f"nvmlDeviceGet{kind}RunningProcesses_{version}" for version in ("v3", "v2"))
    for kind in ("Compute", "Graphics", "MPSCompute")
)


class GpuProcesses:
    """Reads the processes on each device once.

    Parameters
    ----------
    nvml:
        The bindings.
    proc:
        Where the kernel tells of processes.
    """

    def __init__(self, nvml: Any, proc: Path) -> None:
        self._nvml = nvml
        self._proc = proc
        self._ours: dict[int, bool] = {}

    def read(self, device: Device, usage: GpuUsage) -> Mapping[int, int] | Reason:
        """Bytes in use on one device by process of ours."""
        nvml = self._nvml
        try:
            listed = self._list(device, usage.memory_total_bytes)
        except nvml.NVMLError_NoPermission:
            return NO_PERMISSION
        except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound):
            return NOT_SUPPORTED
        if not listed:
            used = usage.memory_used_bytes
            return {} if used is not None and used <= IDLE_BYTES else HIDDEN
        ours = {pid: used for pid, used in listed.items() if self.is_ours(pid)}
        if not ours:
            return HIDDEN
        known = {pid: used for pid, used in ours.items() if used is not None}
        return known if len(known) == len(ours) else NO_MEMORY

    def is_ours(self, pid: int) -> bool:
        """Whether there is such a process in this container, and it uses a GPU."""
        if pid not in self._ours:
            # Reading the driver opens devices in this very process; CUDA opens one more.
            wanted = "/dev/nvidia-uvm" if pid == os.getpid() else "/dev/nvidia"
            self._ours[pid] = any(target.startswith(wanted) for target in self._open_files(pid))
        return self._ours[pid]

    def _list(self, device: Device, total: int | None) -> dict[int, int | None]:
        """Bytes by process; one that computes and draws is in two lists with the same bytes."""
        nvml = self._nvml
        found: dict[int, int | None] = {}
        lists = [self._call(_COMPUTE, device)]
        for names in _OTHERS:
            with suppress(
                nvml.NVMLError_NotSupported,
                nvml.NVMLError_FunctionNotFound,
                nvml.NVMLError_NoPermission,
                nvml.NVMLError_InvalidArgument,
            ):
                lists.append(self._call(names, device))
        for process in (process for one in lists for process in one):
            used = process.usedGpuMemory
            # A driver of 2023 filled the list in another layout; more than there is is noise.
            if used is not None and total is not None and used > total:
                used = None
            known = found.get(process.pid)
            found[process.pid] = used if known is None else max(known, used or 0)
        return found

    def _call(self, names: Sequence[str], device: Device) -> list[Any]:
        nvml = self._nvml
        for name in names:
            with suppress(nvml.NVMLError_FunctionNotFound, AttributeError):
                return list(getattr(nvml, name)(device.handle))
        raise nvml.NVMLError_FunctionNotFound

    def _open_files(self, pid: int) -> Iterator[str]:
        with suppress(OSError), os.scandir(self._proc / str(pid) / "fd") as files:
            for file in islice(files, MOST_FILES):
                with suppress(OSError):  # closed meanwhile
                    yield str(Path(file.path).readlink())


def settle(found: Sequence[Mapping[int, int] | Reason]) -> list[Mapping[int, int] | Reason]:
    """Believe lists without one of ours where the driver has named one of ours elsewhere.

    It names processes in one way on all devices.
    """
    believed = any(one and not isinstance(one, Reason) for one in found)
    return [{} if one is HIDDEN and believed else one for one in found]


def total(found: Sequence[Mapping[int, int] | Reason]) -> Mapping[int, int] | Reason:
    """Bytes by process on all devices; unknown if one of them is."""
    sums: dict[int, int] = {}
    for one in found:
        if isinstance(one, Reason):
            return one
        for pid, used in one.items():
            sums[pid] = sums.get(pid, 0) + used
    return sums
