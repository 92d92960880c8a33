"""What waits to be sent to one open page: bounded, whatever the page does."""

from __future__ import annotations

import asyncio
from collections import deque

HEARTBEAT = b":\n\n"


class Reader:
    """The latest value of each state topic, and a bounded queue of events.

    Parameters
    ----------
    topics:
        Names of what is read.
    backlog_bytes:
        Events that may wait; a reader further behind is dropped.
    is_guest:
        Whether the page is of somebody with whom the server was shared.
    """

    def __init__(
        self, topics: frozenset[str], backlog_bytes: int, *, is_guest: bool = False
    ) -> None:
        self.topics = topics
        self.is_guest = is_guest
        self.ended = False
        self._backlog_bytes = backlog_bytes
        self._states: dict[str, bytes] = {}
        self._events: deque[bytes] = deque()
        self._events_bytes = 0
        self._waiter: asyncio.Future[None] | None = None

    def put_state(self, topic: str, framed: bytes) -> None:
        """Replace what waits on a state topic."""
        self._states[topic] = framed
        self._wake()

    def put_event(self, framed: bytes) -> None:
        """Queue an event; drop the reader if it is too far behind."""
        if self.ended:
            return
        self._events.append(framed)
        self._events_bytes += len(framed)
        if self._events_bytes > self._backlog_bytes:
            self.end()
        self._wake()

    def end(self) -> None:
        """Send nothing more: the page is gone, too slow, or the server stops."""
        self.ended = True
        self._events.clear()
        self._states.clear()
        self._wake()

    async def take(self, timeout_seconds: float) -> bytes | None:
        """Wait for news and return all of it.

        Returns
        -------
        The frames to send, a heartbeat if the time passed without any, or None when
        the stream has ended.
        """
        if not (self._states or self._events or self.ended):
            # A future and a timer: a task for each wait would cost more than the news.
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = loop.call_later(timeout_seconds, self._wake)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        if self.ended:
            return None
        if not (self._states or self._events):
            return HEARTBEAT
        news = b"".join((*self._events, *self._states.values()))
        self._events.clear()
        self._events_bytes = 0
        self._states.clear()
        return news

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
