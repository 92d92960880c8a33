"""When things happened, and were over.

Pure: standard library only, beside the models.
"""

from __future__ import annotations

from datetime import datetime, timezone

from .models import ActivityEvent, CellRun, CellsRan, FileEvent


def utc(seconds: float) -> datetime:
    """Return a moment, given in seconds since 1970; one that is none is the first."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, timezone.utc)


def maybe_utc(seconds: float | None) -> datetime | None:
    """Return a moment, if there is one."""
    return None if seconds is None else utc(seconds)


def ended(event: ActivityEvent) -> datetime | None:
    """Return when something ended; None of what still runs."""
    if isinstance(event, CellRun):
        return event.until
    return last_seen(event)


def last_seen(event: ActivityEvent) -> datetime:
    """Return the last moment of something that was seen."""
    if isinstance(event, (CellsRan, FileEvent)):
        return event.until
    if isinstance(event, CellRun):
        return event.until or event.time
    return event.time
