"""Records in memory: bounded in number and size, and what they have in common held once.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import chain

from msgspec.structs import replace

from .models import ActivityEvent, CellRun, CellsRan, FileEvent

#: Far more than ninety days of a person's work come to.
MOST_EVENTS = 15_000

#: What they may take, roughly: texts of errors and names of files have any length.
MOST_BYTES = 8_000_000

#: What a record takes beside its texts.
_RECORD_BYTES = 560

#: Texts that records may share.
_MOST_TEXTS = 10_000

_SHARED = ("kernel_id", "path", "cell_id", "error_name", "error_text")


class Records:
    """Events by their ids, each kind in the order in which they came.

    Parameters
    ----------
    events:
        The first ones.
    """

    def __init__(self, events: Iterable[ActivityEvent] = ()) -> None:
        self._events: dict[type[ActivityEvent], dict[str, ActivityEvent]] = {}
        """By their kinds, so that what happens often does not push out what is rare."""
        self._texts: dict[str, str] = {}
        """What many records have in common is held once."""
        self._bytes = 0
        for event in events:
            self.put(event)

    def __len__(self) -> int:
        return sum(map(len, self._events.values()))

    def __iter__(self) -> Iterator[ActivityEvent]:
        return chain.from_iterable(kind.values() for kind in self._events.values())

    def get(self, event_id: str) -> ActivityEvent | None:
        """Return a record, if there is one of the id."""
        return next((kind[event_id] for kind in self._events.values() if event_id in kind), None)

    def put(self, event: ActivityEvent) -> None:
        """Take in a record, in the place of the one that has its id."""
        kind = self._events.setdefault(type(event), {})
        before = kind.get(event.id)
        kind[event.id] = self._sharing(event)
        self._bytes += _size(event) - (0 if before is None else _size(before))

    def remove(self, event_id: str) -> bool:
        """Take a record away; return whether it was there."""
        event = self.get(event_id)
        if event is None:
            return False
        del self._events[type(event)][event_id]
        self._bytes -= _size(event)
        return True

    def first_to_go(self) -> str | None:
        """Return the id of the record that is to make room; None while there is enough."""
        if self._bytes <= MOST_BYTES and len(self) <= MOST_EVENTS:
            return None
        most = max(self._events.values(), key=len)
        return next(iter(most))

    def _sharing(self, event: ActivityEvent) -> ActivityEvent:
        """Have the records of one notebook hold its name once."""
        if not isinstance(event, (CellsRan, CellRun)):
            return event
        if len(self._texts) >= _MOST_TEXTS:
            self._texts.clear()  # what comes from now on is shared anew
        known = {name: getattr(event, name) for name in _SHARED if hasattr(event, name)}
        return replace(
            event,
            **{name: text and self._texts.setdefault(text, text) for name, text in known.items()},
        )


def _size(event: ActivityEvent) -> int:
    """Return what a record takes in memory, in bytes, roughly."""
    text = getattr(event, "error_text", None) or getattr(event, "source_path", None) or ""
    name = event.path if isinstance(event, FileEvent) else ""
    cause = getattr(event, "cause", None) or getattr(event, "reason", None)
    told = "" if cause is None else cause.message
    return _RECORD_BYTES + sum(sys.getsizeof(t) for t in (text, name, told) if t)
