"""``GET jupyter-einfra/stream``: one page's end of the stream."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Annotated, Any, cast

import msgspec
from jupyter_core.utils import ensure_async
from msgspec import Meta, Struct
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

from ._version import __version__
from .base import STATUSES, FeatureStatuses, endpoint
from .errors import EinfraError, Forbidden, InvalidParameter, UnknownTopic
from .event_stream import EventStreamHandler
from .models import Reason, SnapshotEvent, TopicRefusal
from .stream import EinfraStream, Topic, frame
from .stream_reader import Reader

#: Key of the `EinfraStream` in the web application's settings.
STREAM = "einfra_stream"


#: Far more than there are; a list without end would hold up the loop.
MOST_TOPICS = 50


class StreamQuery(Struct, frozen=True, kw_only=True):
    """What a page wants to be told."""

    topics: Annotated[
        str | None,
        Meta(
            description="Topic names, separated by commas; all that the user may read if left out."
        ),
    ] = None


class StreamHandler(EventStreamHandler):
    """A snapshot, the latest value of every state topic, then each change."""

    auth_resource = "einfra-stream"
    _reader: Reader | None = None

    @property
    def stream(self) -> EinfraStream:
        """What features publish to."""
        return cast("EinfraStream", self.settings[STREAM])

    @endpoint(
        action="read", query=StreamQuery, returns=SnapshotEvent, media_type="text/event-stream"
    )
    async def get(self, *, query: StreamQuery) -> None:
        """Live data of all features as server-sent events."""
        asked = None if query.topics is None else [t for t in query.topics.split(",") if t]
        if asked is not None and len(asked) > MOST_TOPICS:
            raise InvalidParameter("topics", f"names more than {MOST_TOPICS} topics")
        topics, refused = await self._grant(asked)
        last_event_id = self._last_event_id()
        guest = not self.acts_for_owner()
        with self.stream.reader(topics, last_event_id, is_guest=guest) as reader:
            self._reader = reader
            snapshot = SnapshotEvent(
                time=datetime.now(timezone.utc),
                version=__version__,
                features=list(cast("FeatureStatuses", self.settings[STATUSES]).values()),
                topics=sorted(topics),
                refused=refused,
                events_lost=last_event_id is not None and not self.stream.can_resume(last_event_id),
            )
            self.begin_events()
            self.write(frame("snapshot", msgspec.json.encode(snapshot)))
            try:
                await self._follow(reader)
            except StreamClosedError:
                return  # the page is gone
        self.end_events()

    async def _follow(self, reader: Reader) -> None:
        """Send what comes until the reader ends, stalls or loses its access."""
        # Beside the sending: a hub may take its time to answer.
        watch = asyncio.ensure_future(self._watch_access(reader))
        try:
            await self._flush()
            while (news := await reader.take(self.stream.heartbeat_seconds)) is not None:
                self.write(news)
                await self._flush()
        finally:
            watch.cancel()

    async def _flush(self) -> None:
        await self.flush_events(self.stream.stall_seconds)

    def on_connection_close(self) -> None:
        """Forget the reader as soon as its page is gone."""
        if self._reader is not None:
            self._reader.end()
        super().on_connection_close()

    async def _grant(self, asked: list[str] | None) -> tuple[set[str], list[TopicRefusal]]:
        """Split what was asked for into what the user may read and what not.

        Raises
        ------
        Forbidden
            If topics were named and access to all of them is denied.
        """
        known: Mapping[str, Topic] = self.stream.topics
        topics: set[str] = set()
        refused: list[TopicRefusal] = []
        for name in dict.fromkeys(known if asked is None else asked):
            topic = known.get(name)
            if topic is not None and await self._may_read(topic):
                topics.add(name)
            elif asked is not None:
                refused.append(TopicRefusal(topic=name, reason=self._refusal(name, topic)))
        codes = {refusal.reason.code for refusal in refused}
        if codes == {Forbidden.code} and not topics:
            raise Forbidden
        return topics, refused

    def _refusal(self, name: str, topic: Topic | None) -> Reason:
        statuses: FeatureStatuses = self.settings[STATUSES]
        status = statuses.get(name if topic is None else topic.feature)
        if status is not None and status.reason is not None:
            return status.reason
        error: EinfraError = UnknownTopic(name) if topic is None else Forbidden()
        return Reason(code=error.code, message=error.message, params=dict(error.params))

    async def _may_read(self, topic: Topic) -> bool:
        if topic.owner_only and not self.acts_for_owner():
            return False
        return all([await self.may("read", resource) for resource in topic.auth_resources])

    async def _watch_access(self, reader: Reader) -> None:
        """End the reader when its user may read it no longer."""
        while True:
            await asyncio.sleep(self.stream.reauthorize_seconds)
            try:
                allowed = await self._still_allowed(reader.topics)
            except Exception:
                self.log.exception("The access to an open stream could not be checked")
                allowed = False
            if not allowed:
                reader.end()
                return

    async def _still_allowed(self, topics: frozenset[str]) -> bool:
        """Check access again, as if the page connected now.

        The owner of a hub's server is not looked up again: asking the hub about a
        user's token counts as that user's activity, and an open page must add none.
        """
        if not (self.acts_for_owner() and hasattr(self.current_user, "hub_user")):
            self.current_user = self._jupyter_current_user = await self._look_up_user()
        if self.current_user is None or not await self.may("read", self.auth_resource):
            return False
        known = [self.stream.topics[name] for name in topics if name in self.stream.topics]
        return all([await self._may_read(topic) for topic in known])

    async def _look_up_user(self) -> Any:
        # Jupyter's identity provider and JupyterHub's keep their answer on the handler.
        for kept in ("_jupyter_current_user", "_jupyterhub_user", "_cached_hub_user"):
            self.__dict__.pop(kept, None)
        try:
            return await ensure_async(self.identity_provider.get_user(self))
        except HTTPError as error:
            if error.status_code < 500:
                return None
            # A hub that does not answer has not taken the access away.
            self.log.warning("Could not check the access to an open stream again: %s", error)
            return self.current_user

    def _last_event_id(self) -> int | None:
        text = self.request.headers.get("Last-Event-ID", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


default_handlers = [("stream", StreamHandler)]
