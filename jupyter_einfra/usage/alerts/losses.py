"""Which kills of the kernel's belong to which death.

The control group counts the processes that were killed for want of memory and does
not say whom. Jupyter tells of a dead kernel some seconds after the fact. So what was
counted is kept for a while, and a death is compared with what was counted before it
can have happened.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from .deaths import Counters, rose

#: Jupyter looks every 3 s whether a kernel lives; twice that for a busy machine.
NOTICED_SECONDS = 6.0

#: A held loop, or a busy machine, notices a death later still. Until then a kill that was
#: told without a dead kernel may turn out to have been one.
LATE_SECONDS = 60.0

#: Kept at one sample a second; more than is ever asked for.
_KEPT = 30


@dataclass(frozen=True)
class Loss:
    """What was counted before and after programs died."""

    at_seconds: float
    """When it was noticed."""
    before: Counters
    after: Counters
    was_told: bool = False
    """It was told before as one that no dead kernel explains."""


class Losses:
    """Remembers what was counted lately. Times are seconds of any one clock."""

    def __init__(self) -> None:
        self._counted: deque[tuple[float, Counters]] = deque(maxlen=_KEPT)
        self._unexplained: tuple[float, Counters] | None = None
        self._told: tuple[float, Counters] | None = None
        self._origin = ""

    def count(self, at_seconds: float, counters: Counters, origin: str) -> None:
        """Take note of what a sample counted; counts of two origins cannot be compared."""
        if origin != self._origin:
            self._origin = origin
            self._counted.clear()
            self._unexplained = self._told = None
        if self._counted and self._unexplained is None:
            before = self._counted[-1][1]
            if rose(before.oom_kills, counters.oom_kills):
                self._unexplained = (at_seconds, before)
        self._counted.append((at_seconds, counters))

    def death(self, at_seconds: float, *, killed: bool) -> Loss:
        """Return what to compare for a kernel that was found dead at a time.

        Of a group that was never counted, nothing is known. Without having been
        ``killed`` it may have died beside a shortage, but not of it.
        """
        if not self._counted:
            return Loss(at_seconds, Counters(), Counters())
        earlier = [c for at, c in self._counted if at <= at_seconds - NOTICED_SECONDS]
        before, after = earlier[-1] if earlier else self._counted[0][1], self._counted[-1][1]
        was_told = False
        if killed and not rose(before.oom_kills, after.oom_kills):
            kill = self._unexplained or self._told
            if kill is not None and at_seconds - kill[0] <= LATE_SECONDS:
                before, was_told = kill[1], self._unexplained is None
        if killed and rose(before.oom_kills, after.oom_kills):
            self._unexplained = None  # this kernel explains it
        return Loss(at_seconds, before, after, was_told)

    def unexplained(self, at_seconds: float) -> Loss | None:
        """Return kills after which no kernel was found dead, once; None if there are none."""
        if self._unexplained is None or at_seconds < self._unexplained[0] + NOTICED_SECONDS:
            return None
        self._told, self._unexplained = self._unexplained, None
        noticed, before = self._told
        return Loss(noticed, before, self._counted[-1][1])
