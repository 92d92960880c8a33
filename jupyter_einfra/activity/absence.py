"""When the owner comes back, pages are told how long they were away and how much happened.

Everything runs on the server's event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from .models import ActivityStatus
from .moments import maybe_utc, utc
from .remembered import Remembered, Standing

#: How soon it is looked again whether the file was read: not all that may come of it is told.
_AGAIN_SECONDS = 1.0


class Absence:
    """Follows the owner's coming and going.

    Parameters
    ----------
    remembered:
        Where it is kept.
    count:
        Returns how many facts since a moment need attention, and how many others are news.
    publish:
        Takes a topic and one JSON object.
    least_absence_seconds:
        See `Presence.come`.
    now:
        Seconds since 1970.
    log:
        Told of what cannot be summed up.
    """

    def __init__(
        self,
        remembered: Remembered,
        *,
        count: Callable[[datetime], Awaitable[tuple[int, int]]],
        publish: Callable[[str, bytes], None],
        least_absence_seconds: float,
        now: Callable[[], float],
        log: logging.Logger,
    ) -> None:
        self._remembered = remembered
        self._count = count
        self._publish = publish
        self._least_absence_seconds = least_absence_seconds
        self._now = now
        self._log = log
        self._watchers = 0
        self._counts = (0, 0)
        self._is_told = False
        """Whether pages were told of an absence that is not over."""
        self._counting: asyncio.Task[None] | None = None
        self._again: asyncio.TimerHandle | None = None

    def on_watchers(self, count: int) -> None:
        """Know how many pages are open and seen: whether the owner is here."""
        self._watchers = count
        self.settle()

    def settle(self) -> None:
        """Have it known whether the owner is here, as soon as it is known what was before."""
        self._cancel()
        if self._remembered.is_being_read:
            self._again = asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self.settle)
            return
        now, before = self._now(), self._remembered.standing.presence
        is_here, least = self._watchers > 0, self._least_absence_seconds

        def turn(known: Standing) -> Standing:
            presence = known.presence
            moved = presence.settled(now).come(now, least) if is_here else presence.leave(now)
            return replace(known, presence=moved)

        if self._remembered.change(turn).presence != before:
            with self._remembered.journal() as journal:
                journal.cut()
            self._remembered.flush()
        if is_here and (self._counting is None or self._counting.done()):
            self._counting = asyncio.ensure_future(self._count_and_tell())

    def look(self) -> None:
        """Have who comes next not be told of an absence that is over."""
        if self._is_told and self._remembered.standing.presence.away_since is None:
            self.tell()

    def end(self) -> None:
        """Know that the server ends, and that nobody is here from then on."""
        self._cancel()
        now = self._now()
        self._remembered.change(lambda known: replace(known, presence=known.presence.leave(now)))

    def forget(self) -> None:
        """Know that there is nothing to tell of any more."""
        if self._counting is not None:
            self._counting.cancel()
        self._counts = (0, 0)

    def _cancel(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    async def _count_and_tell(self) -> None:
        away_since = self._remembered.standing.presence.away_since
        self._counts = (0, 0)
        if away_since is not None:
            try:
                self._counts = await self._count(utc(away_since))
            except Exception:  # noqa: BLE001 - all else can be told
                self._log.exception("What happened meanwhile could not be summed up")
        self.tell()

    def tell(self) -> ActivityStatus:
        """Tell all pages where things stand, and return it."""
        status = self._status()
        self._is_told = status.away_since is not None
        self._publish("activity", msgspec.json.encode(status))
        return status

    def _status(self) -> ActivityStatus:
        standing = self._remembered.standing
        presence = standing.presence
        attention, news = self._counts if presence.away_since is not None else (0, 0)
        return ActivityStatus(
            time=utc(self._now()),
            away_since=maybe_utc(presence.away_since),
            back_at=maybe_utc(presence.back_at),
            told_at=maybe_utc(presence.told_at),
            attention=attention,
            news=news,
            recording=self._remembered.is_recording,
            awaited=standing.awaited,
        )
