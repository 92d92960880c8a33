"""``GET jupyter-einfra/usage``."""

from __future__ import annotations

from typing import cast

from ..base import EinfraHandler, endpoint
from ..errors import NotYet
from .manager import UsageManager
from .models import HistoryQuery, UsageHistory, UsageSnapshot

#: Key of the `UsageManager` in the web application's settings.
USAGE = "einfra_usage"


class UsageHandler(EinfraHandler):
    """What this container uses, as last sampled; nothing is collected to answer."""

    auth_resource = "einfra-usage"

    @property
    def manager(self) -> UsageManager:
        """What samples."""
        return cast("UsageManager", self.settings[USAGE])

    @endpoint(action="read", returns=UsageSnapshot)
    async def get(self) -> bytes:
        """What this container uses, as last sampled."""
        latest = self.manager.latest()
        if latest is None:
            raise NotYet("usage")
        return latest


class HistoryHandler(EinfraHandler):
    """What this container used over time: recorded, so the owner's alone."""

    auth_resource = "einfra-usage"

    @property
    def manager(self) -> UsageManager:
        """What keeps the history."""
        return cast("UsageManager", self.settings[USAGE])

    @endpoint(action="read", query=HistoryQuery, returns=UsageHistory, owner_only=True)
    async def get(self, *, query: HistoryQuery) -> bytes:
        """What this container used over time."""
        raise NotYet("usage")


class HistoryTableHandler(EinfraHandler):
    """The same as a file for spreadsheets."""

    auth_resource = "einfra-usage"

    @endpoint(
        action="read", query=HistoryQuery, returns=str, owner_only=True, media_type="text/csv"
    )
    async def get(self, *, query: HistoryQuery) -> bytes:
        """What this container used over time, as comma-separated values."""
        raise NotYet("usage")


default_handlers = [
    ("usage", UsageHandler),
    ("usage/history", HistoryHandler),
    ("usage/history.csv", HistoryTableHandler),
]
