"""When an application that nobody uses is stopped, and when that is told before.

Only time is counted in which somebody looked on: while a laptop sleeps or a server hangs,
nobody could have used anything, nor read a warning. And nothing is stopped without a
warning that stood for as long as the operator said.

Pure: standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

#: More than that from one look to the next, and something was amiss.
MOST_SECONDS = 120.0

Act = Literal["nothing", "warn", "stop"]


@dataclass(frozen=True)
class Limit:
    """What an operator has set."""

    idle_seconds: float
    """Without use, before it is stopped."""
    warning_seconds: float
    """Between the warning and that."""


@dataclass(frozen=True)
class Idle:
    """How long nobody has used something."""

    seconds: float = 0.0
    warned_seconds: float | None = None
    """Since the warning; None before it."""

    @property
    def is_warned(self) -> bool:
        """Whether a warning stands."""
        return self.warned_seconds is not None


def look(idle: Idle, limit: Limit, *, elapsed_seconds: float, is_used: bool) -> tuple[Idle, Act]:
    """Tell what follows from one look.

    Parameters
    ----------
    idle:
        What followed from the look before.
    limit:
        What is set for this application.
    elapsed_seconds:
        Since that, by a clock that may have jumped.
    is_used:
        Whether it was used since, or computes, or whether that is not known.

    Returns
    -------
    What is to be kept for the next look, and what is to be done now. A warning is taken back
    where none stands any more.
    """
    if is_used:
        return Idle(), "nothing"
    seen = min(max(elapsed_seconds, 0.0), MOST_SECONDS)
    now = replace(idle, seconds=idle.seconds + seen)
    if idle.warned_seconds is None:
        if now.seconds < limit.idle_seconds - limit.warning_seconds:
            return now, "nothing"
        return replace(now, warned_seconds=0.0), "warn"
    warned = idle.warned_seconds + seen
    is_over = warned >= limit.warning_seconds and now.seconds >= limit.idle_seconds
    return replace(now, warned_seconds=warned), "stop" if is_over else "nothing"


def remaining_seconds(idle: Idle, limit: Limit) -> float:
    """Return how long it may run on, if nobody uses it."""
    warning = limit.warning_seconds - (idle.warned_seconds or 0.0)
    return max(warning, limit.idle_seconds - idle.seconds, 0.0)
