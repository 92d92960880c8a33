"""When to speak of a server's deletion, and what to say.

Once for each thing that is worse than all before it.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ..models import Notice, Params
from .models import IdleRule, IdleStatus

#: An estimate's counter is the worst that can be: of one, most servers would be told.
_LEAST_ESTIMATED = 2

#: Use that was proven no longer ago is still going on.
_NOW = timedelta(minutes=15)

#: From the least to the worst.
_RANKS = ("idle_counted", "idle_day", "idle_hour")

_SEVERITIES: dict[str, Literal["info", "warning", "error"]] = {
    "idle_counted": "info",
    "idle_day": "warning",
    "idle_hour": "error",
}


class Spoken(Struct, frozen=True, kw_only=True):
    """What was said since all was well, so that it is not said again."""

    id: Annotated[str, Meta(max_length=200)]
    rank: Annotated[int, Meta(ge=0, le=2)]
    counter: Annotated[int, Meta(ge=0, le=1000)]


def next_notice(
    status: IdleStatus, start: str, spoken: Spoken | None
) -> tuple[Notice | None, Spoken | None]:
    """Return what is to be said, and what has been said with that.

    A notice keeps its id, and so is shown once, until something is worse than all that was
    said since all was well.

    Parameters
    ----------
    status:
        What is known.
    start:
        Name of this start of the server.
    spoken:
        What this returned before.
    """
    code = _code(status)
    if code is None or status.delete_at is None:
        return None, None
    counter = 0 if status.counter is None else status.counter
    said = (_RANKS.index(code), counter)
    if spoken is None or said > (spoken.rank, spoken.counter):
        if spoken is None and _is_used_now(status):
            return None, None  # whoever works is not told what was before
        ident = f"idle:{start}:{code}:{counter}:{status.time:%Y%m%dT%H%M%S}"
        spoken = Spoken(id=ident, rank=said[0], counter=said[1])
    return _notice(code, status, status.delete_at, spoken.id), spoken


def _is_used_now(status: IdleStatus) -> bool:
    return (
        status.source == "estimate"
        and status.used_at is not None
        and status.time - status.used_at <= _NOW
    )


def _notice(code: str, status: IdleStatus, end: datetime, ident: str) -> Notice:
    rule = None if status.policy is None else status.policy.rule
    params: Params = {
        "end": end.isoformat(timespec="seconds"),
        "estimate": int(status.is_estimate),
        "counter": 0 if status.counter is None else status.counter,
    }
    if status.counter_limit is not None:
        params["counter_limit"] = status.counter_limit
    if rule is not None:
        params |= {"metric": rule.metric, "threshold": rule.threshold}
    if status.day_maximum is not None:
        params["maximum"] = status.day_maximum
    return Notice(
        id=ident,
        time=status.evaluated_at or status.time,
        feature="idle",
        severity=_SEVERITIES[code],
        code=code,
        message=_message(code, status, end, rule),
        params=params,
        kernel_id=None,
        path=None,
    )


def _code(status: IdleStatus) -> str | None:
    code = None
    if status.level == "hour":
        code = "idle_hour"
    elif status.level == "day":
        code = "idle_day"
    elif status.level == "kept" and status.counter is not None:
        least = _LEAST_ESTIMATED if status.source == "estimate" else 1
        code = "idle_counted" if status.counter >= least else None
    return code


def _message(code: str, status: IdleStatus, end: datetime, rule: IdleRule | None) -> str:
    assumed = " at the earliest" if status.is_estimate else ""
    when = f"on {end:%a %d %b %H:%M} UTC{assumed}"
    if code == "idle_counted":
        limit = "" if status.counter_limit is None else f" of {status.counter_limit}"
        times = "times" if status.counter != 1 or limit else "time"
        maybe = "May have been found" if status.source == "estimate" else "Found"
        return (
            f"{maybe} unused {status.counter}{limit} {times}. Unless it is used, this server is "
            f"deleted {when}."
        )
    if end <= status.time:
        when = "at any moment"
    return f"Unless it is used, this server is deleted {when}.{use_in_words(rule, status)}"


def use_in_words(rule: IdleRule | None, status: IdleStatus) -> str:
    """Say what counts as use, and how near the last day came; empty where that is not known."""
    if rule is None:
        return ""
    unit = "CPU cores" if rule.metric == "cpu_cores" else "of the GPU"

    def told(value: float) -> str:
        return f"{value:.3g} {unit}" if rule.metric == "cpu_cores" else f"{value:.2%} {unit}"

    least = "more than" if rule.idle_at_threshold else "at least"
    minutes = rule.averaging_seconds / 60
    said = f" Use is {least} {told(rule.threshold)} over {minutes:g} minutes"
    if status.day_maximum is None:
        return f"{said}."
    return f"{said}; in the last 24 hours it was at most {told(status.day_maximum)}."
