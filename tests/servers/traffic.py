"""What an open page sends by itself, while nobody touches it."""

from __future__ import annotations

import os

from playwright.sync_api import Page, WebSocket

#: How long nobody touches a page; minutes in `make soak`.
UNTOUCHED_SECONDS = float(os.environ.get("EINFRA_SOAK_SECONDS", "0"))

#: Longest time from one message to the next in a page that is open.
_PATIENCE_SECONDS = 60


class Traffic:
    """Counts requests and WebSocket messages of a page that is not opened yet."""

    def __init__(self, page: Page) -> None:
        self.sent = 0
        self.reports = 0
        """Of somebody's use."""
        self._page = page
        page.on("websocket", self._listen)
        page.on("request", lambda request: self._count(request.url))

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda _: self._count(socket.url))

    def _count(self, url: str) -> None:
        self.sent += 1
        self.reports += url.endswith("/apps/used")

    def leave_alone(self, messages: int = 6) -> None:
        """Wait until the page has sent so many messages more, and longer in a soak test."""
        until = self.sent + messages
        for _ in range(_PATIENCE_SECONDS * 10):
            if self.sent >= until:
                break
            self._page.wait_for_timeout(100)
        else:
            raise AssertionError(f"it sends nothing by itself: {self.sent} of {until}")
        self._page.wait_for_timeout(UNTOUCHED_SECONDS * 1000)
