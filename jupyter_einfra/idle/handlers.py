"""``jupyter-einfra/idle...``: whether this server will be kept, and what to do about it.

All of it is the owner's alone: it tells when they were here.
"""

from __future__ import annotations

from typing import cast

from ..base import EinfraHandler, endpoint
from .manager import IdleManager
from .models import IdleReport, StopGrant, TimeAnswer, TimeWanted

#: Key of the `IdleManager` in the web application's settings.
IDLE = "einfra_idle"


class _Handler(EinfraHandler):
    auth_resource = "einfra-idle"

    @property
    def manager(self) -> IdleManager:
        """What knows."""
        return cast("IdleManager", self.settings[IDLE])


class IdleHandler(_Handler):
    """Whether this server will be kept, with all it takes to draw that."""

    @endpoint(action="read", returns=IdleReport, owner_only=True)
    async def get(self) -> IdleReport:
        """Whether this server will be kept."""
        return await self.manager.report()


class StopHandler(_Handler):
    """Stops this server, where the hub lets it stop itself."""

    @endpoint(action="read", returns=StopGrant, owner_only=True)
    async def get(self) -> StopGrant:
        """Whether this server may be stopped from here."""
        return await self.manager.may_stop()

    @endpoint(action="execute", returns=StopGrant, owner_only=True)
    async def post(self) -> StopGrant:
        """Stop this server: kernels and programs end, files stay."""
        return await self.manager.stop_server()


class TimeHandler(_Handler):
    """Asks the operator's controller for more time."""

    @endpoint(action="execute", body=TimeWanted, returns=TimeAnswer, owner_only=True)
    async def post(self, *, body: TimeWanted) -> TimeAnswer:
        """Ask for more time."""
        return await self.manager.ask_for_time(body)


default_handlers = [
    ("idle", IdleHandler),
    ("idle/stop", StopHandler),
    ("idle/time", TimeHandler),
]
