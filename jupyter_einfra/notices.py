"""What people should know now, of all features, as one state topic of the stream.

A state, not a series of events: a page that connects learns at once what holds, and
one that was away learns what is over. Which of them a person has seen, the browser
remembers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import msgspec

from .models import Notice, NoticesEvent

#: Name of the topic, and the feature that the authorizer is asked about.
NOTICES = "notices"

#: Older ones make room: a feature gone wild must not fill every page.
MOST_NOTICES = 50


class Board(Protocol):
    """Where features put notices up."""

    def post(self, notice: Notice) -> None:
        """Put one up, or change the one with its id."""

    def withdraw(self, notice_id: str) -> None:
        """Take one down; nothing happens if it is not there."""


class NoticeBoard:
    """Holds the notices that are true now and publishes every change.

    Any thread may call these methods.

    Parameters
    ----------
    publish:
        Takes a topic and one JSON object.
    """

    def __init__(self, publish: Callable[[str, bytes], None]) -> None:
        self._publish = publish
        self._lock = threading.Lock()
        self._notices: dict[str, Notice] = {}

    def post(self, notice: Notice) -> None:
        """Put a notice up, or change the one with its id.

        Raises
        ------
        UnicodeEncodeError
            If it holds what no page could be sent; the others stay.
        """
        msgspec.json.encode(notice)
        with self._lock:
            if self._notices.get(notice.id) == notice:
                return
            self._notices[notice.id] = notice
            while len(self._notices) > MOST_NOTICES:
                del self._notices[min(self._notices.values(), key=lambda n: n.time).id]
            self._send()

    def withdraw(self, notice_id: str) -> None:
        """Take a notice down that is over; nothing happens if it is not there."""
        with self._lock:
            if self._notices.pop(notice_id, None) is not None:
                self._send()

    def all(self) -> list[Notice]:
        """Return those that are up, the oldest first."""
        with self._lock:
            return self._in_order()

    def send(self) -> None:
        """Publish what is there, so that a page learns it even if there is nothing."""
        with self._lock:
            self._send()

    def _send(self) -> None:
        self._publish(NOTICES, msgspec.json.encode(NoticesEvent(notices=self._in_order())))

    def _in_order(self) -> list[Notice]:
        return sorted(self._notices.values(), key=lambda notice: (notice.time, notice.id))
