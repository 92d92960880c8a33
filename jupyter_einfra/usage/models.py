"""What the usage feature says to the browser.

Every figure names what it covers (`Scope`) and where it was read (``source``).

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ..models import Reason

Scope = Annotated[
    Literal["container", "cgroup", "machine"],
    Meta(
        description="What the figure covers: this container, the control group that the "
        "server runs in (a login session or a batch job), or the whole machine."
    ),
]
Source = Annotated[
    Literal["cgroup-v2", "cgroup-v1", "psutil"],
    Meta(description="Where the used figure was read."),
]
LimitSource = Annotated[
    Literal["cgroup", "affinity", "machine"],
    Meta(
        description="What sets the limit: the control group, the CPUs that the server may "
        "run on, or the size of the machine (nobody set a limit)."
    ),
]


class CpuUsage(Struct, frozen=True, kw_only=True):
    """CPU time used between the last two samples."""

    used_cores: Annotated[
        float | None, Meta(description="Mean number of cores in use since the sample before.")
    ]
    limit_cores: Annotated[float | None, Meta(description="Cores that may be used at once.")]
    scope: Scope
    source: Source
    limit_source: LimitSource
    reason: Annotated[Reason | None, Meta(description="Why a figure here is null.")]


class MemoryUsage(Struct, frozen=True, kw_only=True):
    """Memory that counts against the limit."""

    working_set_bytes: Annotated[
        int | None,
        Meta(
            description="Memory in use less inactive file cache, as kubelet computes it; "
            "on a whole machine, total less available memory."
        ),
    ]
    limit_bytes: Annotated[int | None, Meta(description="Memory at which processes are killed.")]
    scope: Scope
    source: Source
    limit_source: LimitSource
    reason: Annotated[Reason | None, Meta(description="Why a figure here is null.")]


class GpuUsage(Struct, frozen=True, kw_only=True):
    """One GPU, or one MIG slice of one."""

    index: Annotated[int, Meta(description="Number of the physical GPU as NVML counts it.")]
    uuid: Annotated[str, Meta(description="The driver's name for the device.")]
    name: Annotated[str, Meta(description="Product name, with the profile for a MIG slice.")]
    scope: Annotated[
        Literal["gpu", "shared-gpu", "mig"],
        Meta(
            description="What the figures cover: a whole GPU of one's own, a whole GPU "
            "shared with neighbours who are counted too, or one MIG slice."
        ),
    ]
    utilization: Annotated[
        float | None,
        Meta(
            description="Share of the driver's last sampling period (1/6 to 1 s) in which "
            "some program ran on the GPU, 0 to 1, in steps of 0.01."
        ),
    ]
    memory_used_bytes: Annotated[int | None, Meta(description="Memory in use on the device.")]
    memory_total_bytes: Annotated[int | None, Meta(description="Memory of the device.")]
    source: Annotated[Literal["nvml"], Meta(description="Where the figures were read.")]
    reason: Annotated[Reason | None, Meta(description="Why a figure here is null.")]


class GpuStatus(Struct, frozen=True, kw_only=True):
    """Whether GPUs can be read at all."""

    driver: Annotated[str | None, Meta(description="Version of the NVIDIA driver, once known.")]
    reason: Annotated[Reason | None, Meta(description="Why no GPU, or no new figure, can be told.")]


class UsageSnapshot(Struct, frozen=True, kw_only=True, tag_field="type", tag="usage"):
    """What this server uses, as of ``time``."""

    time: Annotated[
        datetime, Meta(tz=True, description="When CPU and memory were read, RFC 3339 UTC.")
    ]
    interval_seconds: Annotated[
        float, Meta(description="Seconds until the next sample at the present pace.")
    ]
    cpu: CpuUsage
    memory: MemoryUsage
    gpus: list[GpuUsage]
    gpu_status: GpuStatus
