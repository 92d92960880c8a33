"""What the usage feature says to the browser.

Every figure names what it covers (`Scope`) and where it was read (``source``).

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ..models import Params, Reason, UtcTime

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
    throttled_share: Annotated[
        float | None,
        Meta(
            description="Share of the scheduler's periods since the sample before in which "
            "programs were stopped at the limit, 0 to 1; null where no control group sets "
            "one, with the first sample, and where a reason says so."
        ),
    ]
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
    anon_bytes: Annotated[
        int | None, Meta(description="Memory of programs that is not backed by any file.")
    ]
    shmem_bytes: Annotated[
        int | None, Meta(description="Shared memory, files in /dev/shm included.")
    ]
    cache_bytes: Annotated[
        int | None,
        Meta(description="File cache, which the system takes back where programs need it."),
    ]
    unreclaimable_bytes: Annotated[
        int | None,
        Meta(
            description="Memory that cannot be taken back: the working set less active "
            "file cache. At the limit this is what gets programs killed."
        ),
    ]
    oom_kills: Annotated[
        int | None,
        Meta(
            description="Processes killed in the control group for want of memory since "
            "the group was made; null where nothing counts them."
        ),
    ]
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
            description="Share of the time in which some program ran on the device, 0 to 1: "
            "of the driver's last sampling period (1/6 to 1 s) in steps of 0.01, or since "
            "the sample before where the source is gpm."
        ),
    ]
    utilization_source: Annotated[
        Literal["nvml", "gpm"] | None,
        Meta(description="Where the utilization was read; null where it is not known."),
    ]
    memory_used_bytes: Annotated[int | None, Meta(description="Memory in use on the device.")]
    memory_total_bytes: Annotated[int | None, Meta(description="Memory of the device.")]
    source: Annotated[Literal["nvml"], Meta(description="Where the figures were read.")]
    reason: Annotated[Reason | None, Meta(description="Why a figure here is null.")]


class GpuStatus(Struct, frozen=True, kw_only=True):
    """Whether GPUs can be read at all."""

    driver: Annotated[str | None, Meta(description="Version of the NVIDIA driver, once known.")]
    reason: Annotated[Reason | None, Meta(description="Why no GPU, or no new figure, can be told.")]


class DiskUsage(Struct, frozen=True, kw_only=True):
    """One place where files are kept."""

    name: Annotated[
        Literal["home", "tmp"],
        Meta(description="The home folder, or the folder for temporary files."),
    ]
    path: Annotated[str, Meta(description="Where it is.")]
    used_bytes: Annotated[int | None, Meta(description="Space in use.")]
    limit_bytes: Annotated[int | None, Meta(description="Space that may be used.")]
    scope: Annotated[
        Literal["quota", "filesystem"],
        Meta(description="What the figures cover: a quota of one's own, or a whole file system."),
    ]
    time: Annotated[
        UtcTime | None, Meta(description="When it was read; null before the first time.")
    ]
    reason: Annotated[Reason | None, Meta(description="Why a figure here is null.")]


class NetworkUsage(Struct, frozen=True, kw_only=True):
    """What goes through the network interfaces, the loopback one apart."""

    received_bytes_per_second: Annotated[
        float | None, Meta(description="Mean rate since the sample before.")
    ]
    sent_bytes_per_second: Annotated[
        float | None, Meta(description="Mean rate since the sample before.")
    ]
    scope: Annotated[
        Literal["container", "machine"],
        Meta(description="Whose interfaces they are: this container's, or the whole machine's."),
    ]
    reason: Annotated[Reason | None, Meta(description="Why a figure here is null.")]


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
    disks: list[DiskUsage]
    network: NetworkUsage


class Program(Struct, frozen=True, kw_only=True):
    """A kernel, a terminal, or another tree of processes."""

    kind: Annotated[
        Literal["kernel", "terminal", "app", "server", "other"],
        Meta(
            description="app: an application that is shown through this server; server: "
            "Jupyter Server with what it runs beside all of these; other: everything else "
            "that is visible in this container."
        ),
    ]
    id: Annotated[
        str,
        Meta(
            description="Id of the kernel or application, name of the terminal, or else the kind."
        ),
    ]
    name: Annotated[str, Meta(description="For people: the notebook's name, `terminal 1`.")]
    path: Annotated[
        str | None, Meta(description="The notebook or file of a kernel, where it has one.")
    ]
    language: Annotated[str | None, Meta(description="Name of the kernel's specification.")]
    pid: Annotated[int | None, Meta(description="Process at the root of the tree.")]
    cpu_cores: Annotated[
        float | None, Meta(description="Mean number of cores in use since the details before.")
    ]
    memory_bytes: Annotated[
        int | None,
        Meta(
            description="Memory of all its processes that no file backs. Pages that "
            "processes share after a fork are counted in each."
        ),
    ]
    processes: Annotated[int | None, Meta(description="Number of processes.")]
    threads: Annotated[int | None, Meta(description="Number of threads.")]
    gpu_memory_bytes: Annotated[
        int | None,
        Meta(description="GPU memory of its processes, on all devices; see gpu_reason if null."),
    ]
    gpu_reason: Annotated[
        Reason | None,
        Meta(description="Why gpu_memory_bytes is null; null too where there is no GPU."),
    ]
    state: Annotated[
        str | None, Meta(description="busy, idle, starting, ... as Jupyter says; null if unknown.")
    ]
    since: Annotated[
        UtcTime | None, Meta(description="When it came into this state, as far as known.")
    ]
    reason: Annotated[Reason | None, Meta(description="Why a figure here is null.")]


class GpuFigure(Struct, frozen=True, kw_only=True):
    """Whether one figure of a GPU can be told here."""

    figure: Annotated[
        Literal["utilization", "memory", "processes"],
        Meta(description="processes: whose memory on the device is whose."),
    ]
    source: Annotated[
        Literal["nvml", "gpm"] | None, Meta(description="Where it is read; null if it cannot be.")
    ]
    reason: Annotated[Reason | None, Meta(description="Why it cannot be told.")]


class GpuDetails(Struct, frozen=True, kw_only=True):
    """What can be told of one GPU or slice, and why not the rest."""

    uuid: Annotated[str, Meta(description="As in the usage.")]
    figures: list[GpuFigure]


class Run(Struct, frozen=True, kw_only=True):
    """One life of the server, from its start to its end."""

    started: Annotated[datetime, Meta(tz=True, description="RFC 3339 UTC.")]
    ended: Annotated[
        UtcTime | None,
        Meta(description="When it ended, or was last seen; null for the present one."),
    ]
    ending: Annotated[
        Literal["running", "stopped", "out-of-memory", "killed"],
        Meta(
            description="stopped: it was asked to; out-of-memory: killed at or very near "
            "the memory limit; killed: it ended without a word for another reason."
        ),
    ]
    reason: Annotated[
        Reason | None, Meta(description="What is known of the ending; null while it runs.")
    ]


class UsageDetails(Struct, frozen=True, kw_only=True, tag_field="type", tag="usage-details"):
    """What only an open panel asks for, as of ``time``."""

    time: Annotated[datetime, Meta(tz=True, description="When processes were read, RFC 3339 UTC.")]
    interval_seconds: Annotated[
        float, Meta(description="Seconds until the next details; more with more processes.")
    ]
    programs: Annotated[list[Program], Meta(description="Those that use most memory first.")]
    programs_reason: Annotated[Reason | None, Meta(description="Why there are none, or not all.")]
    gpus: list[GpuDetails]
    previous_run: Annotated[Run | None, Meta(description="How the server's last run ended.")]
    history_reason: Annotated[
        Reason | None, Meta(description="Why the history is not kept on disk; null when it is.")
    ]


class Band(Struct, frozen=True, kw_only=True):
    """One figure over time: its smallest, mean and greatest value at each point.

    Null where it was not known.
    """

    minimum: Annotated[list[float | None], Meta(description="Smallest value at each point.")]
    mean: Annotated[list[float | None], Meta(description="Mean of the samples at each point.")]
    maximum: Annotated[list[float | None], Meta(description="Greatest value at each point.")]


class GpuHistory(Struct, frozen=True, kw_only=True):
    """One GPU or slice over time."""

    uuid: Annotated[str, Meta(description="As in the usage.")]
    index: Annotated[int, Meta(description="Number of the physical GPU as NVML counts it.")]
    name: Annotated[str, Meta(description="Product name, with the profile for a MIG slice.")]
    scope: Annotated[Literal["gpu", "shared-gpu", "mig"], Meta(description="As in the usage.")]
    memory_total_bytes: Annotated[int | None, Meta(description="Memory of the device.")]
    utilization: Band
    memory_used_bytes: Band


class UsageEvent(Struct, frozen=True, kw_only=True):
    """Something that happened at one moment, to be marked on a chart."""

    time: Annotated[datetime, Meta(tz=True, description="RFC 3339 UTC.")]
    code: Annotated[str, Meta(description="Stable name of what happened, in snake_case.")]
    message: Annotated[str, Meta(description="What happened, in English.")]
    params: Annotated[Params, Meta(description="The figures and names inside the message.")]


class UsageHistory(Struct, frozen=True, kw_only=True):
    """Figures over time, one list entry per point in every list."""

    since: Annotated[datetime, Meta(tz=True, description="Start of what was asked for.")]
    until: Annotated[datetime, Meta(tz=True, description="End of what was asked for.")]
    resolution_seconds: Annotated[
        float, Meta(description="Time that one point stands for, from its own time on.")
    ]
    gap_seconds: Annotated[
        float,
        Meta(description="Points further apart than this have a gap between them: no data."),
    ]
    offsets_seconds: Annotated[
        list[float], Meta(description="Time of each point, counted from `since`.")
    ]
    cpu_used_cores: Band
    cpu_limit_cores: Band
    cpu_throttled_share: Band
    memory_working_set_bytes: Band
    memory_anon_shmem_bytes: Annotated[
        Band, Meta(description="Anonymous and shared memory together.")
    ]
    memory_cache_bytes: Band
    memory_limit_bytes: Band
    home_used_bytes: Band
    home_limit_bytes: Band
    tmp_used_bytes: Band
    tmp_limit_bytes: Band
    network_received_bytes_per_second: Band
    network_sent_bytes_per_second: Band
    gpus: list[GpuHistory]
    events: Annotated[list[UsageEvent], Meta(description="Oldest first.")]
    runs: Annotated[list[Run], Meta(description="Oldest first.")]
    reason: Annotated[
        Reason | None, Meta(description="Why the history is not kept on disk; null when it is.")
    ]


class HistoryQuery(Struct, frozen=True, kw_only=True):
    """Which history, and how fine."""

    since: Annotated[
        UtcTime | None,
        Meta(description="From when, RFC 3339; 15 minutes before `until` if left out."),
    ] = None
    until: Annotated[UtcTime | None, Meta(description="To when, RFC 3339; now if left out.")] = None
    resolution: Annotated[
        Annotated[float, Meta(ge=1, le=86400)] | None,
        Meta(
            description="Seconds per point at least; the history has 1, 10, 60, 600 and "
            "3600. The finest that covers the time with at most 2200 points is given; as "
            "comma-separated values, the one asked for.",
        ),
    ] = None
