"""What every feature says to the browser in the same words.

A figure that cannot be told is ``null`` with a `Reason` beside it. A reason has a
stable ``code`` that the browser renders in the user's language, ``params`` for the
blanks in that text, and an English ``message`` for everyone else.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

Params = dict[str, str | int | float]

#: A moment with its time zone; RFC 3339 on the wire.
UtcTime = Annotated[datetime, Meta(tz=True)]


class Reason(Struct, frozen=True, kw_only=True):
    """Why something is not known, or not there."""

    code: Annotated[str, Meta(description="Stable name of the reason, in snake_case.")]
    message: Annotated[str, Meta(description="The reason in English, with what to do next.")]
    params: Annotated[Params, Meta(description="The figures and names inside the message.")]


class ErrorBody(Struct, frozen=True, kw_only=True):
    """The body of every reply that is not a success."""

    message: Annotated[str, Meta(description="What happened and what to do next, in English.")]
    reason: Annotated[str, Meta(description="The HTTP reason phrase.")]
    code: Annotated[str, Meta(description="Stable name of the error, in snake_case.")]
    params: Annotated[Params, Meta(description="The figures and names inside the message.")]


class FeatureStatus(Struct, frozen=True, kw_only=True):
    """Whether one feature works on this server."""

    name: Annotated[str, Meta(description="The feature's one name, as in the settings.")]
    state: Annotated[
        Literal["on", "off", "failed"],
        Meta(description="off: switched off by the operator; failed: it could not start."),
    ]
    reason: Annotated[Reason | None, Meta(description="Why it is not on; null when it is.")]


class TopicRefusal(Struct, frozen=True, kw_only=True):
    """A topic that was asked for and is not sent."""

    topic: Annotated[str, Meta(description="The topic as it was asked for.")]
    reason: Annotated[Reason, Meta(description="Why it is not sent.")]


class SnapshotEvent(Struct, frozen=True, kw_only=True, tag_field="type", tag="snapshot"):
    """The first event of every stream: where the server stands now.

    The latest value of every state topic follows at once.
    """

    time: Annotated[datetime, Meta(tz=True, description="The server's clock, RFC 3339 UTC.")]
    version: Annotated[str, Meta(description="Version of jupyter-einfra on the server.")]
    features: Annotated[
        list[FeatureStatus], Meta(description="Every feature, on or not, in a fixed order.")
    ]
    topics: Annotated[list[str], Meta(description="The topics that this stream carries.")]
    refused: Annotated[list[TopicRefusal], Meta(description="Topics asked for and not carried.")]
    events_lost: Annotated[
        bool,
        Meta(description="Events since the given Last-Event-ID can no longer be had."),
    ]


class Notice(Struct, frozen=True, kw_only=True):
    """Something that a person should know, for as long as it holds."""

    id: Annotated[
        str, Meta(description="The same for as long as it is the same event; shown once.")
    ]
    time: Annotated[datetime, Meta(tz=True, description="When it began, RFC 3339 UTC.")]
    feature: Annotated[str, Meta(description="The feature that says it.")]
    severity: Annotated[
        Literal["info", "warning", "error"],
        Meta(description="error: something was lost or is about to be."),
    ]
    code: Annotated[str, Meta(description="Stable name of what happened, in snake_case.")]
    message: Annotated[str, Meta(description="What happened and what to do, in English.")]
    params: Annotated[Params, Meta(description="The figures and names inside the message.")]
    kernel_id: Annotated[
        str | None, Meta(description="The kernel that it is about, or that may be interrupted.")
    ]
    path: Annotated[
        str | None,
        Meta(description="The notebook or file that it is about, relative to the server's root."),
    ]


class NoticesEvent(Struct, frozen=True, kw_only=True, tag_field="type", tag="notices"):
    """All notices that hold now; one that is no longer here is over."""

    notices: Annotated[list[Notice], Meta(description="Oldest first.")]
