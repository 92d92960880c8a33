"""Sizes, moments and durations as people say them, for the English messages.

Pure: standard library only.
"""

from __future__ import annotations

from datetime import datetime, timezone

_UNITS = (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("bytes", 1))

_MONTHS = (  # not strftime's, which follow the server's locale
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def size(count: float) -> str:
    """Word a number of bytes: ``12.1 GiB``, ``340 MiB``."""
    unit, scale = _unit(count)
    return f"{_number(count / scale, unit)} {unit}"


def share(used: float, limit: float) -> str:
    """Word a use and its limit in one unit: ``14.5 of 16 GiB``."""
    unit, scale = _unit(limit)
    most = _number(limit / scale, unit).removesuffix(".0")
    return f"{_number(used / scale, unit)} of {most} {unit}"


def clock(moment: datetime) -> str:
    """Word a moment of these days: ``03:12 UTC``."""
    return f"{moment.astimezone(timezone.utc):%H:%M} UTC"


def day(moment: datetime) -> str:
    """Word a day: ``20 November``."""
    utc = moment.astimezone(timezone.utc)
    return f"{utc.day} {_MONTHS[utc.month - 1]}"


def duration(seconds: float) -> str:
    """Word how long something took, in two units at most: ``5 h 48 min``."""
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    if minutes == 0:
        return f"{seconds:.1f} s" if 0.05 <= seconds < 9.95 else f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours == 0:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    days, hours = divmod(hours, 24)
    if days == 0:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{days} d {hours} h" if hours else f"{days} d"


def rfc3339(moment: datetime) -> str:
    """Word a moment for programs, to the millisecond."""
    utc = moment.astimezone(timezone.utc)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _unit(count: float) -> tuple[str, int]:
    return next((u for u in _UNITS if abs(count) >= u[1]), _UNITS[-1])


def _number(value: float, unit: str) -> str:
    return f"{value:.1f}" if unit in ("TiB", "GiB") else f"{value:.0f}"
