"""What is recorded of a server's work, and what is told of it.

No source of a cell and no output is among it; of an error its name and a short message.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ..models import Params, Reason, UtcTime
from ..usage.models import Scope

EventId = Annotated[str, Meta(description="Names the event, on this server.")]
Began = Annotated[datetime, Meta(tz=True, description="When it began, RFC 3339 UTC.")]
Happened = Annotated[datetime, Meta(tz=True, description="When it happened, RFC 3339 UTC.")]
KernelId = Annotated[str, Meta(description="The kernel that it happened in.")]
NotebookPath = Annotated[
    str | None,
    Meta(
        description="The notebook or file, relative to the server's root, as it was named then; "
        "null where a kernel has none."
    ),
]
CellId = Annotated[
    str | None,
    Meta(description="The cell, by the id that its notebook has it under; null if not known."),
]
ExecutionCount = Annotated[
    int | None, Meta(description="The number that the kernel gave the execution, as in `[14]`.")
]
Seconds = Annotated[float, Meta(description="By a clock that nobody sets.")]
Outcome = Annotated[
    Literal[
        "running",
        "finished",
        "failed",
        "interrupted",
        "died",
        "restarted",
        "shut-down",
        "server-ended",
        "unknown",
    ],
    Meta(
        description="running: it has not ended; died, restarted, shut-down: its kernel did so "
        "while it ran; server-ended: the whole server did; unknown: it ended unseen."
    ),
]
KernelAction = Annotated[
    Literal["started", "restarted", "interrupted", "shut-down", "died"],
    Meta(description="All but `died` were asked for."),
]
ProgramKind = Annotated[
    Literal["application", "terminal", "exposure", "server"],
    Meta(description="exposure: a public address of something that runs here."),
]
ProgramAction = Annotated[
    Literal["started", "stopped", "failed"], Meta(description="failed: it ended with an error.")
]
Ended = Annotated[UtcTime | None, Meta(description="When it ended; null while it runs.")]


class CellsRan(Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag="cells"):
    """Cells of one notebook that ran well and not for long, one after the other."""

    id: EventId
    time: Began
    until: Annotated[datetime, Meta(tz=True, description="When the last of them ended.")]
    kernel_id: KernelId
    path: NotebookPath
    cell_id: CellId
    """Of the last one."""
    execution_count: ExecutionCount
    cells: Annotated[int, Meta(description="How many there were.")]
    seconds: Annotated[float, Meta(description="What they took together.")]
    longest_seconds: Annotated[float, Meta(description="What the longest of them took.")]


class CellRun(Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag="run"):
    """One execution that is worth to be told by itself: it was long, failed, or still runs."""

    id: EventId
    time: Began
    until: Ended
    kernel_id: KernelId
    path: NotebookPath
    cell_id: CellId
    execution_count: ExecutionCount
    seconds: Annotated[float | None, Meta(description="What it took; null while it runs.")]
    outcome: Outcome
    error_name: Annotated[str | None, Meta(description="The class of the error, of one.")]
    error_text: Annotated[str | None, Meta(description="The beginning of its message.")]
    times: Annotated[int, Meta(description="How often the same came of it, one after the other.")]
    others: Annotated[
        int, Meta(description="Errors unlike it that came with it, of which no more is known.")
    ]


class KernelEvent(Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag="kernel"):
    """Something that became of a kernel."""

    id: EventId
    time: Happened
    kernel_id: KernelId
    path: NotebookPath
    name: Annotated[str, Meta(description="Of the kernel, for people.")]
    action: KernelAction
    cause: Annotated[Reason | None, Meta(description="Why it died, as far as is known.")]
    execution_count: ExecutionCount
    """Of what ran in it then."""
    cell_id: CellId
    restarted: Annotated[bool, Meta(description="Whether it was started anew by itself.")]
    stays: Annotated[
        bool,
        Meta(description="Whether it is there though dead: most servers drop what they give up."),
    ]
    times: Annotated[int, Meta(description="How often, one time soon after the other.")]


class FileEvent(Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag="file"):
    """A file that was changed through the server."""

    id: EventId
    time: Happened
    until: Annotated[datetime, Meta(tz=True, description="When it happened last.")]
    action: Annotated[
        Literal["saved", "renamed", "copied", "deleted"],
        Meta(description="saved: also when it was made by that."),
    ]
    path: Annotated[str, Meta(description="Relative to the server's root; the new one.")]
    source_path: Annotated[
        str | None, Meta(description="What was renamed or copied, by its old name.")
    ]
    times: Annotated[int, Meta(description="How often, with little time between.")]


class ProgramEvent(Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag="program"):
    """Something else that began or ended."""

    id: EventId
    time: Happened
    program: ProgramKind
    program_id: Annotated[str, Meta(description="The same from its start to its end.")]
    name: Annotated[str, Meta(description="For people.")]
    action: ProgramAction
    reason: Annotated[Reason | None, Meta(description="Why it failed, or was stopped.")]


ActivityEvent = CellsRan | CellRun | KernelEvent | FileEvent | ProgramEvent

Recording = Annotated[
    bool, Meta(description="Whether what happens is recorded; the server's owner decides.")
]


class ActivityList(Struct, frozen=True, kw_only=True):
    """What was recorded."""

    events: Annotated[list[ActivityEvent], Meta(description="Oldest first.")]
    more: Annotated[int, Meta(description="How many older ones of the time were left out.")]
    recording: Recording
    reason: Annotated[
        Reason | None, Meta(description="Why it is not kept on disk; null when it is.")
    ]


class ActivityQuery(Struct, frozen=True, kw_only=True):
    """Which events."""

    since: Annotated[UtcTime | None, Meta(description="From when; a day ago if left out.")] = None
    until: Annotated[UtcTime | None, Meta(description="To when; now if left out.")] = None
    limit: Annotated[
        Annotated[int, Meta(ge=1, le=10_000)],
        Meta(description="How many at most; the newest are given."),
    ] = 1000


class DigestQuery(Struct, frozen=True, kw_only=True):
    """Since when."""

    since: Annotated[
        UtcTime | None,
        Meta(description="From when; since the owner was last here if left out, or for a day."),
    ] = None


class Fact(Struct, frozen=True, kw_only=True):
    """One line of a digest."""

    id: Annotated[str, Meta(description="The same for as long as it is the same thing; seen once.")]
    code: Annotated[str, Meta(description="Stable name of what happened, in snake_case.")]
    message: Annotated[str, Meta(description="What happened, in English.")]
    params: Annotated[Params, Meta(description="The figures and names inside the message.")]
    time: Annotated[UtcTime | None, Meta(description="When, or since when.")]
    severity: Annotated[
        Literal["error", "warning", "done", "running", "info"],
        Meta(description="error: something was lost or failed; done: it ended well."),
    ]
    path: Annotated[
        str | None,
        Meta(description="The notebook or file by its present name; null if it is gone."),
    ]
    kernel_id: Annotated[str | None, Meta(description="The kernel that it is about.")]
    cell_id: CellId
    execution_count: ExecutionCount
    can_restart: Annotated[bool, Meta(description="Whether its kernel is dead, and there.")]
    sources: Annotated[
        list[str], Meta(description="Ids of the events and notices that it was made of.")
    ]
    seen: Annotated[bool, Meta(description="Whether the owner was shown it before.")]


class DigestSection(Struct, frozen=True, kw_only=True):
    """Facts of one kind."""

    name: Annotated[
        Literal["attention", "finished", "running", "files", "continue"],
        Meta(description="Their kind; `continue` has the notebooks that were used last."),
    ]
    facts: Annotated[list[Fact], Meta(description="The most important first.")]
    more: Annotated[int, Meta(description="How many more there were.")]


class DigestUse(Struct, frozen=True, kw_only=True):
    """What was used over the time of a digest."""

    known_seconds: Annotated[float, Meta(description="Of that time, what there are figures of.")]
    scope: Annotated[
        Scope | None,
        Meta(description="As in the usage, of the CPU and the memory; null if it is not known."),
    ]
    cpu_core_hours: Annotated[float | None, Meta(description="Of all cores together.")]
    gpu_hours: Annotated[
        float | None,
        Meta(description="Utilization times time, of all GPUs of this server together."),
    ]
    memory_peak_bytes: Annotated[int | None, Meta(description="The most memory in use.")]
    memory_peak_at: Annotated[UtcTime | None, Meta(description="When that was.")]
    memory_limit_bytes: Annotated[int | None, Meta(description="Its limit then.")]
    gpu_memory_peak_bytes: Annotated[
        int | None, Meta(description="The most memory in use of the GPU that was the fullest.")
    ]
    gpu_memory_total_bytes: Annotated[int | None, Meta(description="What that GPU has.")]
    home_used_bytes: Annotated[int | None, Meta(description="Space of the home in use at last.")]
    home_limit_bytes: Annotated[int | None, Meta(description="Space that it may use.")]


class Digest(Struct, frozen=True, kw_only=True):
    """What happened since a moment, in few lines."""

    time: Annotated[datetime, Meta(tz=True, description="When it was made, RFC 3339 UTC.")]
    since: Annotated[datetime, Meta(tz=True, description="What was before is not in it.")]
    until: Annotated[
        datetime, Meta(tz=True, description="When the owner came back; else the same as `time`.")
    ]
    started_at: Annotated[datetime, Meta(tz=True, description="When this server started.")]
    sections: Annotated[
        list[DigestSection], Meta(description="The most important first; none is empty.")
    ]
    use: Annotated[DigestUse | None, Meta(description="Null if it is not known.")]
    recording: Recording
    reason: Annotated[Reason | None, Meta(description="Why there may be less than there was.")]


class ActivityStatus(Struct, frozen=True, kw_only=True, tag_field="type", tag="activity"):
    """Whether there is something to tell the owner, who has just come, or is here."""

    time: Annotated[datetime, Meta(tz=True, description="RFC 3339 UTC.")]
    away_since: Annotated[
        UtcTime | None,
        Meta(description="Begin of the absence of which nothing was shown yet; null without one."),
    ]
    back_at: Annotated[UtcTime | None, Meta(description="Its end.")]
    told_at: Annotated[
        UtcTime | None,
        Meta(description="When the owner was last shown what happened; null if they never were."),
    ]
    attention: Annotated[
        int, Meta(description="Facts of that time that need attention, not shown yet.")
    ]
    news: Annotated[int, Meta(description="Other facts of that time: done, or still running.")]
    recording: Recording
    awaited: Annotated[
        list[str],
        Meta(description="Notebooks of which the owner wants to be told when they are done."),
    ]


class Seen(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the owner was shown."""

    until: Annotated[datetime, Meta(tz=True, description="The `time` of the digest.")]
    facts: Annotated[
        list[Annotated[str, Meta(max_length=1000)]],
        Meta(max_length=100, description="Ids of its facts that need attention."),
    ]


class RecordingWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether to record."""

    recording: Recording


class Awaited(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether to tell when a notebook is done."""

    path: Annotated[
        str, Meta(min_length=1, max_length=4096, description="Relative to the server's root.")
    ]
    wanted: Annotated[bool, Meta(description="Whether the owner wants to be told.")]
