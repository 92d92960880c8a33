"""The one server-sent-event stream that all features publish to.

A *state* topic keeps only its latest value: a reader that is slower than the
publisher skips values and never falls behind. An *event* topic keeps every event,
with an id: a reader too slow for it is dropped, reconnects with the last id it has
seen and is sent what it missed. So a reader costs a bounded amount of memory
whatever it does.

Everything here runs on the server's event loop, but for `EinfraStream.publish`, which any
thread may call. Each value is encoded once, however many read it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from traitlets import Float, Integer

from .config import EinfraConfigurable
from .errors import TooManyStreams
from .stream_reader import Reader


@dataclass(frozen=True)
class Topic:
    """A line of news that a feature publishes.

    Parameters
    ----------
    name:
        As readers ask for it.
    feature:
        Whose it is; the authorizer is asked for ``read`` on ``einfra-<feature>``.
    kind:
        ``state``: only the latest value counts; ``event``: each one does.
    owner_only:
        Refuse people with whom the owner shared the server.
    on_watchers:
        Called on the loop with the number of readers whenever it changes.
    also:
        Other features whose news it carries; the authorizer is asked about each.
    fades:
        A state that nobody keeps fresh while nobody reads it: forgotten then.
    """

    name: str
    feature: str
    kind: Literal["state", "event"] = "state"
    owner_only: bool = False
    on_watchers: Callable[[int], None] | None = None
    also: tuple[str, ...] = ()
    fades: bool = False

    @property
    def auth_resources(self) -> list[str]:
        """What the authorizer is asked about, each of which it must allow."""
        return [f"einfra-{feature}" for feature in (self.feature, *self.also)]


def frame(name: str, data: bytes, event_id: int | None = None) -> bytes:
    """Encode one server-sent event; ``data`` is JSON, so it holds no line break.

    Source: HTML Living Standard, section 9.2.5 "Parsing an event stream".
    """
    ident = b"" if event_id is None else b"id: %d\n" % event_id
    return b"event: %s\n%sdata: %s\n\n" % (name.encode(), ident, data)


class EinfraStream(EinfraConfigurable):
    """Carries what features publish to the pages that ask for it."""

    env_prefix = "JUPYTER_EINFRA_STREAM_"

    heartbeat_seconds = Float(
        15.0,
        min=0.1,
        help="Seconds of silence after which a comment is sent, so that proxies between the "
        "server and the browser do not take the stream for dead.",
    ).tag(config=True)
    stall_seconds = Float(
        60.0,
        min=0.1,
        help="Seconds that one write may take before its reader is given up.",
    ).tag(config=True)
    reauthorize_seconds = Float(
        60.0,
        min=0.1,
        help="Seconds after which an open stream checks again that its user still has access.",
    ).tag(config=True)
    max_readers = Integer(
        200,
        min=2,
        help="Streams that the server holds open at most; more are answered 429. People with "
        "whom the server was shared have half of them.",
    ).tag(config=True)
    backlog_bytes = Integer(
        1_000_000,
        min=1_000,
        help="Bytes of events that may wait for one reader, and that are kept for readers "
        "that come back.",
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.topics: dict[str, Topic] = {}
        self._latest: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._scheduled = False
        self._overflowed = False
        self._incoming_states: dict[str, bytes] = {}
        self._incoming_events: list[tuple[str, bytes]] = []
        self._incoming_bytes = 0
        self._history: deque[tuple[int, str, bytes]] = deque()
        self._history_bytes = 0
        self._last_id = 0
        self._readers: set[Reader] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def add_topic(self, topic: Topic) -> None:
        """Announce a topic; its feature may publish to it from now on."""
        self.topics[topic.name] = topic

    def remove_topics(self, feature: str) -> None:
        """Take back what a feature announced that then could not start."""
        self.topics = {n: topic for n, topic in self.topics.items() if topic.feature != feature}

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to carry: the loop runs from now on."""
        self._loop = loop

    def close(self) -> None:
        """End every open stream and take no more; the server is stopping."""
        self._closed = True
        for reader in list(self._readers):
            reader.end()

    def publish(self, topic: str, data: bytes) -> None:
        """Send one JSON object to the topic's readers. Any thread may call this.

        Before the server runs and after it stops there is nobody to tell, and
        nothing happens. What is published while the loop is held up stays bounded, as
        it does for a slow reader.
        """
        known = self.topics.get(topic)
        if known is None or self._loop is None or self._closed:
            return
        with self._lock:
            if known.kind == "state":
                self._incoming_states[topic] = data
            elif self._incoming_bytes + len(data) > self.backlog_bytes:
                self._overflowed = True
            else:
                self._incoming_events.append((topic, data))
                self._incoming_bytes += len(data)
            if self._scheduled:
                return
            self._scheduled = True
        try:
            self._loop.call_soon_threadsafe(self._deliver)
        except RuntimeError:
            # The loop closed between the check and the call.
            self._closed = True

    def _deliver(self) -> None:
        with self._lock:
            states, self._incoming_states = self._incoming_states, {}
            events, self._incoming_events = self._incoming_events, []
            overflowed, self._overflowed = self._overflowed, False
            self._incoming_bytes = 0
            self._scheduled = False
        for name, data in events:
            self._deliver_event(name, data)
        if overflowed:
            self._forget_events()
        for name, data in states.items():
            framed = frame(name, data)
            topic = self.topics.get(name)
            if topic is None or not topic.fades or self._count(name):
                self._latest[name] = framed
            for reader in self._readers:
                if name in reader.topics:
                    reader.put_state(name, framed)

    def _deliver_event(self, name: str, data: bytes) -> None:
        self._last_id += 1
        framed = frame(name, data, self._last_id)
        self._history.append((self._last_id, name, framed))
        self._history_bytes += len(framed)
        while self._history_bytes > self.backlog_bytes:
            self._history_bytes -= len(self._history.popleft()[2])
        for reader in self._readers:
            if name in reader.topics:
                reader.put_event(framed)

    def _forget_events(self) -> None:
        """Let everyone who follows events come back and be told that some are lost."""
        self._last_id += 1
        self._history.clear()
        self._history_bytes = 0
        followed = {topic.name for topic in self.topics.values() if topic.kind == "event"}
        for reader in self._readers:
            if reader.topics & followed:
                reader.end()

    def can_resume(self, last_event_id: int) -> bool:
        """Whether every event after the given one is still at hand.

        Ids restart with the server, so an id from the future belongs to an earlier
        run, of which nothing is known.
        """
        oldest = self._history[0][0] if self._history else self._last_id + 1
        return oldest - 1 <= last_event_id <= self._last_id

    @contextmanager
    def reader(
        self,
        topics: Iterable[str],
        last_event_id: int | None = None,
        *,
        is_guest: bool = False,
    ) -> Iterator[Reader]:
        """Join as a reader: first the latest states and missed events, then what comes.

        Raises
        ------
        TooManyStreams
            The server holds as many as ``max_readers`` already, or half of that for
            guests.
        """
        guests = sum(reader.is_guest for reader in self._readers)
        if len(self._readers) >= self.max_readers or (is_guest and guests >= self.max_readers // 2):
            raise TooManyStreams(self.max_readers)
        reader = Reader(frozenset(topics), self.backlog_bytes, is_guest=is_guest)
        for name in sorted(reader.topics & self._latest.keys()):
            reader.put_state(name, self._latest[name])
        if last_event_id is not None and self.can_resume(last_event_id):
            for event_id, name, framed in self._history:
                if event_id > last_event_id and name in reader.topics:
                    reader.put_event(framed)
        self._readers.add(reader)
        if self._closed:
            reader.end()
        try:
            self._tell_watchers(reader.topics)
            yield reader
        finally:
            self._readers.discard(reader)
            self._tell_watchers(reader.topics)

    def _count(self, name: str) -> int:
        return sum(name in reader.topics for reader in self._readers)

    def _tell_watchers(self, topics: frozenset[str]) -> None:
        for name in topics:
            topic = self.topics.get(name)
            if topic is None:
                continue
            count = self._count(name)
            if topic.fades and count == 0:
                self._latest.pop(name, None)
            if topic.on_watchers is None:
                continue
            try:
                topic.on_watchers(count)
            except Exception:
                # One feature's fault must not cost the others the stream.
                self.log.exception("The topic %r did not hear of its watchers", name)
