"""What somebody asked for elsewhere, for the open pages of JupyterLab to show."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from .models import OpenWish

#: How long a page has to see to it. One that comes later must not find it.
WISH_SECONDS = 5.0


class Wishes:
    """Those of the last seconds. For the server's loop alone."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._wishes: dict[str, OpenWish] = {}

    def all(self) -> list[OpenWish]:
        """Return them, oldest first."""
        return list(self._wishes.values())

    def for_instance(self, ident: str, url: str) -> None:
        """Wish for an instance to be shown at an address below the base URL."""
        self._add(OpenWish(number=secrets.token_hex(8), id=ident, url=url, path=None))

    def for_path(self, path: str) -> None:
        """Wish for a folder or file to be shown, by its path below the root."""
        self._add(OpenWish(number=secrets.token_hex(8), id=None, url=None, path=path))

    def _add(self, wish: OpenWish) -> None:
        self._wishes[wish.number] = wish
        self._on_change()
        asyncio.get_running_loop().call_later(WISH_SECONDS, self._forget, wish.number)

    def _forget(self, number: str) -> None:
        del self._wishes[number]
        self._on_change()
