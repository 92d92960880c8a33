"""``jupyter-einfra/activity...``: what happened here, and what of it was seen.

All of it is the owner's alone: it tells what they did, and when they were here.
"""

from __future__ import annotations

from typing import cast

from ..base import EinfraHandler, endpoint
from .manager import ActivityManager
from .models import (
    ActivityList,
    ActivityQuery,
    ActivityStatus,
    Awaited,
    Digest,
    DigestQuery,
    RecordingWanted,
    Seen,
)

#: Key of the `ActivityManager` in the web application's settings.
ACTIVITY = "einfra_activity"


class _Handler(EinfraHandler):
    auth_resource = "einfra-activity"

    @property
    def manager(self) -> ActivityManager:
        """What knows."""
        return cast("ActivityManager", self.settings[ACTIVITY])


class ActivityHandler(_Handler):
    """What was recorded, and its end."""

    @endpoint(action="read", query=ActivityQuery, returns=ActivityList, owner_only=True)
    async def get(self, *, query: ActivityQuery) -> bytes:
        """What happened on this server."""
        return await self.manager.events(query)

    @endpoint(action="write", returns=ActivityStatus, owner_only=True)
    async def delete(self) -> ActivityStatus:
        """Erase all that was recorded."""
        return await self.manager.erase()


class DigestHandler(_Handler):
    """The same in few lines."""

    @endpoint(action="read", query=DigestQuery, returns=Digest, owner_only=True)
    async def get(self, *, query: DigestQuery) -> Digest:
        """What happened since the owner was last here, in few lines."""
        return await self.manager.digest(query.since)


class SeenHandler(_Handler):
    """What of it the owner was shown."""

    @endpoint(action="write", body=Seen, returns=ActivityStatus, owner_only=True)
    async def post(self, *, body: Seen) -> ActivityStatus:
        """Take note that the owner was shown a digest."""
        return await self.manager.seen(body)


class RecordingHandler(_Handler):
    """Whether anything is recorded."""

    @endpoint(action="write", body=RecordingWanted, returns=ActivityStatus, owner_only=True)
    async def put(self, *, body: RecordingWanted) -> ActivityStatus:
        """Begin or end to record what happens."""
        return self.manager.set_recording(wanted=body.recording)


class AwaitedHandler(_Handler):
    """Notebooks of which the owner wants to be told when they are done."""

    @endpoint(action="write", body=Awaited, returns=ActivityStatus, owner_only=True)
    async def put(self, *, body: Awaited) -> ActivityStatus:
        """Tell, or do not tell, when a notebook is done."""
        return self.manager.set_awaited(body)


default_handlers = [
    ("activity", ActivityHandler),
    ("activity/digest", DigestHandler),
    ("activity/seen", SeenHandler),
    ("activity/recording", RecordingHandler),
    ("activity/awaited", AwaitedHandler),
]
