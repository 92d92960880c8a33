"""What is told of a server's deletion for want of use.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ..models import Reason, UtcTime
from .policy import Metric

SourceName = Annotated[
    Literal["file", "controller", "estimate"],
    Meta(
        description="file: what the operator's controller wrote into this container; "
        "controller: what it answers; estimate: made here from what was seen of the use."
    ),
]


class IdleRule(Struct, frozen=True, kw_only=True):
    """The rule that holds for this server, or may hold."""

    metric: Annotated[Metric, Meta(description="What is looked at.")]
    threshold: Annotated[float, Meta(description="In cores, or a share from 0 to 1.")]
    idle_at_threshold: Annotated[
        bool, Meta(description="Whether what is exactly at the threshold is idle, too.")
    ]
    averaging_seconds: Annotated[float, Meta(description="Time of which means are made.")]
    lookback_seconds: Annotated[float, Meta(description="Time whose highest mean counts.")]
    evaluation_seconds: Annotated[float, Meta(description="From one evaluation to the next.")]
    counter_limit: Annotated[int, Meta(description="Of the counter, at which it is deleted.")]


class IdlePolicy(Struct, frozen=True, kw_only=True):
    """The operator's policy, as far as it is known."""

    revision: Annotated[str, Meta(description="The policy's own name.")]
    text: Annotated[str, Meta(description="In the operator's words; may be empty.")]
    rule: Annotated[
        IdleRule | None, Meta(description="Null for a revision that is not known here.")
    ]


class IdleSource(Struct, frozen=True, kw_only=True):
    """One of those who may know, in the order in which they are asked."""

    name: SourceName
    time: Annotated[UtcTime | None, Meta(description="Of what it knows; null if nothing.")]
    reason: Annotated[Reason | None, Meta(description="Why it is not relied on.")]


class IdleExtension(Struct, frozen=True, kw_only=True):
    """What the controller offers to those who ask for more time."""

    most_seconds: Annotated[int, Meta(description="The longest time that it grants.")]
    granted_until: Annotated[
        UtcTime | None, Meta(description="Until when the server is kept by a grant.")
    ]
    text: Annotated[str, Meta(description="The operator's words on it; may be empty.")]


class IdleStatus(Struct, frozen=True, kw_only=True, tag_field="type", tag="idle"):
    """Whether and when this server may be deleted for want of use."""

    time: Annotated[datetime, Meta(tz=True, description="RFC 3339 UTC.")]
    level: Annotated[
        Literal["unknown", "kept", "unsure", "day", "hour"],
        Meta(
            description="unknown: there is no policy, or nobody can tell; kept: for more than a "
            "day; unsure: it seems used, which cannot be proven from here; day, hour: within "
            "such a time it may be deleted."
        ),
    ]
    policy: Annotated[IdlePolicy | None, Meta(description="Null if none is known.")]
    reason: Annotated[Reason | None, Meta(description="Why the level is unknown.")]
    source: Annotated[SourceName | None, Meta(description="Whom the rest is from.")]
    sources: Annotated[list[IdleSource], Meta(description="All who were asked, best first.")]
    delete_at: Annotated[
        UtcTime | None,
        Meta(description="When it is deleted if not used; of an estimate, at the earliest."),
    ]
    is_estimate: Annotated[
        bool,
        Meta(
            description="Whether delete_at was worked out here: no deletion comes before, if the "
            "policy is followed. Else it is the controller's own word."
        ),
    ]
    counter: Annotated[
        int | None, Meta(description="How often it was found idle; of an estimate, at most.")
    ]
    counter_limit: Annotated[int | None, Meta(description="At which it is deleted.")]
    evaluated_at: Annotated[UtcTime | None, Meta(description="When it was last evaluated.")]
    next_evaluation_at: Annotated[
        UtcTime | None, Meta(description="When it is next; null if that is not known.")
    ]
    used_at: Annotated[
        UtcTime | None, Meta(description="Last time at which it was certainly in use.")
    ]
    day_maximum: Annotated[
        float | None,
        Meta(description="Highest mean of the metric in the last 24 hours, as seen here."),
    ]
    unseen: Annotated[
        list[Reason], Meta(description="What cannot be seen from here and so counts as idle.")
    ]
    extension: Annotated[
        IdleExtension | None, Meta(description="Null where more time cannot be asked for.")
    ]


class IdleEvaluation(Struct, frozen=True, kw_only=True):
    """One look of the controller at this server, that was or that may come."""

    time: Annotated[datetime, Meta(tz=True, description="RFC 3339 UTC.")]
    counter: Annotated[int, Meta(description="After it; of an estimate, at most.")]
    used: Annotated[bool, Meta(description="Whether it found use, or certainly will.")]
    known: Annotated[bool, Meta(description="Whether the controller told of it.")]


class IdleReport(Struct, frozen=True, kw_only=True):
    """The status, with what it takes to draw it."""

    status: IdleStatus
    since: Annotated[datetime, Meta(tz=True, description="Time of the first value.")]
    step_seconds: Annotated[float, Meta(description="From one value to the next.")]
    values: Annotated[
        list[float | None],
        Meta(description="Highest mean of the metric in each step; null where not known."),
    ]
    evaluations: Annotated[
        list[IdleEvaluation],
        Meta(description="Oldest first, up to the deletion; of an estimate, at its earliest."),
    ]


class StopGrant(Struct, frozen=True, kw_only=True):
    """Whether this server may be stopped from here."""

    may_stop: Annotated[
        bool | None, Meta(description="Null if the hub could not be asked, or there is none.")
    ]
    reason: Annotated[Reason | None, Meta(description="Why not.")]


class TimeWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request for more time."""

    seconds: Annotated[int, Meta(ge=60, le=366 * 86400, description="How long.")]
    why: Annotated[str, Meta(min_length=1, max_length=1000, description="What for.")]


class TimeAnswer(Struct, frozen=True, kw_only=True):
    """What the controller answered."""

    granted: Annotated[bool, Meta(description="Whether the server is kept for longer.")]
    until: Annotated[UtcTime | None, Meta(description="Until when; null if it was not granted.")]
    text: Annotated[str, Meta(description="The operator's words; may be empty.")]
