"""How a handler sends server-sent events, of whatever kind, until its page is gone."""

from __future__ import annotations

import asyncio
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from .base import EinfraHandler


class EventStreamHandler(EinfraHandler):
    """Base of handlers whose reply goes on for as long as somebody reads it."""

    def begin_events(self) -> None:
        """Set the headers; events follow."""
        self.set_header("Content-Type", "text/event-stream")
        # Ask reverse proxies not to collect the stream before passing it on.
        self.set_header("X-Accel-Buffering", "no")

    async def flush_events(self, stall_seconds: float) -> None:
        """Wait until the page has taken all that was written: one batch in memory at most.

        Raises
        ------
        StreamClosedError
            The page is gone, or took nothing for so long that it is given up.
        """
        flushed = self.flush()
        if not flushed.done():  # nearly always it has, at once
            await asyncio.wait([flushed], timeout=stall_seconds)
        if not flushed.done():
            self.log.info("A page stopped reading its stream and is dropped.")
            cast("HTTP1Connection", self.request.connection).close()
            raise StreamClosedError
        flushed.result()

    def end_events(self) -> None:
        """End the reply in order."""
        self.finish(set_content_type="text/event-stream")
