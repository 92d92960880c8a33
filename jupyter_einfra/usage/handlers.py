"""``GET jupyter-einfra/usage``."""

from __future__ import annotations

from typing import cast

from ..base import EinfraHandler, endpoint
from ..errors import NotYet
from .manager import UsageManager
from .models import UsageSnapshot

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


default_handlers = [("usage", UsageHandler)]
