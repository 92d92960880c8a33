"""What the operator's controller publishes of this server, and whether to believe it.

The same JSON comes in an annotation of the pod, which the downward API makes a file of, and
from the controller's HTTP address.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ..models import Reason
from . import reasons
from .forecast import CLOCK_SECONDS
from .policy import Metric

#: More is no state.
MOST_BYTES = 65536

#: The controller may have started to count before this server could see anything.
_BEFORE_SECONDS = 1800.0

#: Of moments that a calendar has everywhere.
_FIRST_YEAR, _LAST_YEAR = 2000, 2200

_Time = Annotated[datetime, Meta(tz=True)]


class PublishedExtension(Struct, frozen=True, kw_only=True):
    """What is offered to those who ask for more time."""

    most_seconds: Annotated[int, Meta(ge=60, le=366 * 86400)]
    granted_until: _Time | None = None
    text: Annotated[str, Meta(max_length=1000)] = ""


class PublishedState(Struct, frozen=True, kw_only=True):
    """The controller's last word on one server. Fields that are not known here are passed over."""

    policy: Annotated[str, Meta(min_length=1, max_length=80, description="Revision of the policy.")]
    metric: Metric
    threshold: Annotated[float, Meta(ge=0, le=1e6)]
    counter: Annotated[int, Meta(ge=0, le=1000)]
    evaluated_at: _Time
    counter_limit: Annotated[int, Meta(ge=1, le=1000)] | None = None
    delete_at: Annotated[
        _Time | None, Meta(description="When it is deleted if not used; null if that is not set.")
    ] = None
    last_max: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    server: (
        Annotated[
            str, Meta(max_length=500, description="`user/` and the server's name, if it has one.")
        ]
        | None
    ) = None
    text: Annotated[str, Meta(max_length=2000, description="The policy in words.")] = ""
    extension: PublishedExtension | None = None


class Malformed(Exception):
    """It is not what a controller publishes; the message says why."""


_decode = msgspec.json.Decoder(PublishedState).decode


def decode(content: bytes) -> PublishedState:
    """Read what a controller published.

    Raises
    ------
    Malformed
    """
    if len(content) > MOST_BYTES:
        raise Malformed(f"more than {MOST_BYTES} bytes")
    try:
        state = _decode(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Malformed(str(error)) from error
    granted = None if state.extension is None else state.extension.granted_until
    for moment in (state.evaluated_at, state.delete_at, granted):
        if moment is not None and not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise Malformed(f"a time of the year {moment.year}")
    return state


def doubt(
    state: PublishedState,
    *,
    server: str | None,
    started_at: float | None,
    period_seconds: float,
    now: float,
) -> Reason | None:
    """Return why a state is not to be relied on; None if it is.

    Parameters
    ----------
    state:
        What was published.
    server:
        This server, as the hub calls it; None without a hub.
    started_at:
        When this start of the server was first seen, in seconds since 1970.
    period_seconds:
        From one evaluation to the next.
    now:
        In seconds since 1970.
    """
    evaluated_at = state.evaluated_at.timestamp()
    if state.server is not None and server is not None and state.server != server:
        return reasons.other_server(state.server)
    if evaluated_at > now + CLOCK_SECONDS:
        return reasons.future(evaluated_at)
    if started_at is not None:
        # A pod may have been counted once before anything ran in it, and not more often.
        before = CLOCK_SECONDS if state.counter > 1 else _BEFORE_SECONDS
        if evaluated_at < started_at - before:
            return reasons.older_start(evaluated_at)
    # One evaluation may be late or left out, not two.
    if evaluated_at < now - 2 * period_seconds - CLOCK_SECONDS:
        return reasons.old(evaluated_at)
    return None
