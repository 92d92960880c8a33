"""What is asked for, out of what is remembered: events, and what they come to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from ..models import Notice
from ..threads import in_thread
from .digest import counted, digest
from .journal import KEPT
from .models import ActivityList, ActivityQuery, Digest, DigestUse
from .moments import ended, maybe_utc, utc
from .remembered import Remembered

#: What is asked for from before, is asked for from then.
_EARLIEST = utc(0) + timedelta(days=2)

#: Without an absence, what is told of.
_DAY = timedelta(days=1)

_Result = TypeVar("_Result")


class Answers:
    """Answers out of what is remembered, in threads.

    Parameters
    ----------
    remembered:
        All that there is.
    standing:
        Returns the notices that hold now, of all features.
    use:
        Returns what was used between two moments; None if that is not known.
    programs:
        Returns the ids of all applications and the like that run.
    now:
        Seconds since 1970.
    log:
        Told of what cannot be summed up.
    """

    def __init__(
        self,
        remembered: Remembered,
        *,
        standing: Callable[[], Sequence[Notice]],
        use: Callable[[datetime, datetime], DigestUse | None],
        programs: Callable[[], Collection[str]],
        now: Callable[[], float],
        log: logging.Logger,
    ) -> None:
        self._remembered = remembered
        self._standing = standing
        self._use = use
        self._programs = programs
        self._now = now
        self._log = log
        self._started_at = utc(now())
        self._summing_up = asyncio.Lock()

    async def events(self, query: ActivityQuery) -> bytes:
        """Return the JSON of an `ActivityList`."""
        return await in_thread(self._events, query)

    def _events(self, query: ActivityQuery) -> bytes:
        until = max(query.until or utc(self._now()), _EARLIEST)
        since = query.since or until - _DAY
        found = [
            event
            for event in self._remembered.events()
            if event.time <= until and (ended(event) or until) >= since
        ]
        found.sort(key=lambda event: (event.time, event.id))
        told = ActivityList(
            events=found[-query.limit :],
            more=max(len(found) - query.limit, 0),
            recording=self._remembered.is_recording,
            reason=self._remembered.reason,
        )
        return msgspec.json.encode(told)

    async def digest(self, since: datetime | None) -> Digest:
        """Return what happened since a moment; since the owner was last here if left out."""
        if since is None:
            away_since = self._remembered.standing.presence.away_since
            since = utc(self._now()) - _DAY if away_since is None else utc(away_since)
        return await self._alone(self._digest, since)

    async def count(self, since: datetime) -> tuple[int, int]:
        """Return how many facts of an absence need attention, and how many others are news."""
        return await self._alone(self._count, since)

    async def _alone(self, work: Callable[[datetime], _Result], since: datetime) -> _Result:
        """Sum up in a thread, for one at a time: it takes a while of all the process's time."""
        async with self._summing_up:
            return await in_thread(work, since)

    def _count(self, since: datetime) -> tuple[int, int]:
        standing = self._remembered.standing
        back_at = maybe_utc(standing.presence.back_at) or utc(self._now())
        return counted(
            self._remembered.events(),
            self._standing(),
            since=since,
            until=back_at,
            seen=frozenset(standing.seen),
        )

    def _digest(self, since: datetime) -> Digest:
        now = utc(self._now())
        since = min(max(since, now - KEPT), now)
        standing = self._remembered.standing
        back_at = maybe_utc(standing.presence.back_at)
        until = back_at if back_at is not None and since < back_at < now else now
        return digest(
            self._remembered.events(),
            self._used(since, until),
            self._standing(),
            now=now,
            since=since,
            until=until,
            started_at=self._started_at,
            seen=frozenset(standing.seen),
            programs=frozenset(self._programs()),
            recording=self._remembered.is_recording,
            reason=self._remembered.reason,
        )

    def _used(self, since: datetime, until: datetime) -> DigestUse | None:
        try:
            return self._use(since, until)
        except Exception:  # noqa: BLE001 - all else can be told
            self._log.exception("What was used could not be summed up")
            return None
