"""When to speak of a server's deletion, and what to say.

Once for each new state: a notice keeps its name for as long as the state is the same.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Literal

from ..models import Notice, Params
from .models import IdleRule, IdleStatus

#: An estimate's counter is the worst that can be: of one, most servers would be told.
_LEAST_ESTIMATED = 2

_SEVERITIES: dict[str, Literal["info", "warning", "error"]] = {
    "idle_counted": "info",
    "idle_day": "warning",
    "idle_hour": "error",
}


def notice_of(status: IdleStatus, start: str) -> Notice | None:
    """Return what is to be said; None if all is well.

    Parameters
    ----------
    status:
        What is known.
    start:
        Name of this start of the server.
    """
    code = _code(status)
    if code is None or status.delete_at is None:
        return None
    # What makes the state another one.
    since = status.used_at if status.source == "estimate" else status.evaluated_at
    stamp = "start" if since is None else since.isoformat(timespec="minutes")
    counter = 0 if status.counter is None else status.counter
    rule = None if status.policy is None else status.policy.rule
    params: Params = {
        "end": status.delete_at.isoformat(timespec="seconds"),
        "estimate": int(status.is_estimate),
        "counter": counter,
    }
    if status.counter_limit is not None:
        params["counter_limit"] = status.counter_limit
    if rule is not None:
        params |= {"metric": rule.metric, "threshold": rule.threshold}
    if status.day_maximum is not None:
        params["maximum"] = status.day_maximum
    return Notice(
        id=f"idle:{start}:{code}:{counter if code == 'idle_counted' else ''}:{stamp}",
        time=status.evaluated_at or status.used_at or status.time,
        feature="idle",
        severity=_SEVERITIES[code],
        code=code,
        message=_message(code, status, rule),
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
    elif status.level in ("kept", "unsure") and status.counter is not None:
        least = _LEAST_ESTIMATED if status.source == "estimate" else 1
        code = "idle_counted" if status.counter >= least else None
    return code


def _message(code: str, status: IdleStatus, rule: IdleRule | None) -> str:
    assumed = " at the earliest" if status.is_estimate else ""
    end = "" if status.delete_at is None else f"{status.delete_at:%a %d %b %H:%M} UTC{assumed}"
    if code == "idle_counted":
        limit = "" if status.counter_limit is None else f" of {status.counter_limit}"
        times = "times" if status.counter != 1 or limit else "time"
        return (
            f"Found unused {status.counter}{limit} {times}. Unless it is used, this server is "
            f"deleted on {end}."
        )
    return f"Unless it is used, this server is deleted on {end}.{use_in_words(rule, status)}"


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
