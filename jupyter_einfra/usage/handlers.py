"""``GET jupyter-einfra/usage`` and what it was over time."""

from __future__ import annotations

import asyncio
from typing import cast

import msgspec

from ..base import EinfraHandler, endpoint
from ..errors import NotYet
from .manager import UsageManager
from .models import HistoryQuery, UsageHistory, UsageSnapshot

#: Key of the `UsageManager` in the web application's settings.
USAGE = "einfra_usage"


class _Handler(EinfraHandler):
    auth_resource = "einfra-usage"

    @property
    def manager(self) -> UsageManager:
        """What samples and remembers."""
        return cast("UsageManager", self.settings[USAGE])


class UsageHandler(_Handler):
    """What this container uses, as last sampled; nothing is collected to answer."""

    @endpoint(action="read", returns=UsageSnapshot)
    async def get(self) -> bytes:
        """What this container uses, as last sampled."""
        latest = self.manager.latest()
        if latest is None:
            raise NotYet("usage")
        return latest


class HistoryHandler(_Handler):
    """What this container used over time: recorded, so the owner's alone."""

    @endpoint(action="read", query=HistoryQuery, returns=UsageHistory, owner_only=True)
    async def get(self, *, query: HistoryQuery) -> bytes:
        """What this container used over time."""
        select = self.manager.recorder.select
        # In a thread: a history of months takes longer than the loop may be held.
        return await asyncio.to_thread(lambda: msgspec.json.encode(select(query)))


class HistoryTableHandler(_Handler):
    """The same for spreadsheets."""

    @endpoint(
        action="read", query=HistoryQuery, returns=str, owner_only=True, media_type="text/csv"
    )
    async def get(self, *, query: HistoryQuery) -> None:
        """What this container used over time, as comma-separated values."""
        table = await asyncio.to_thread(self.manager.recorder.table, query)
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        self.set_header("Content-Disposition", 'attachment; filename="usage.csv"')
        self.finish(table, set_content_type="text/csv; charset=utf-8")


default_handlers = [
    ("usage", UsageHandler),
    ("usage/history", HistoryHandler),
    ("usage/history.csv", HistoryTableHandler),
]
