"""Which cell a page asked to be run: what a kernel does not say of an execution.

A page tells it to the server with each request. The server makes a connection of a class
that its settings name, and any extension may put its own there; so it is asked for when
all are loaded, and one method of it is overridden.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from typing import Any, NamedTuple

from .messages import Request, requested

#: Requests that wait for their turn: all cells of a few large notebooks.
_MOST_WAITING = 5000

#: Pages that are told apart.
_MOST_PAGES = 1000

#: Where the server looks the class up, for each connection.
_SETTING = "kernel_websocket_connection_class"


class Waiting(NamedTuple):
    """A request that the kernel has not begun with, as far as is known."""

    kernel_id: str
    cell_id: str
    heard: float
    """In seconds of a clock that nobody sets."""


class Requests:
    """Remembers requests until the kernel has begun with them."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Waiting] = OrderedDict()
        self._sessions: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def hear(self, kernel_id: str, request: Request, monotonic: float) -> bool:
        """Take note of what a page asks for; return whether the page is a new one."""
        self._waiting[request.id] = Waiting(kernel_id, request.cell_id, monotonic)
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.popitem(last=False)
        page = kernel_id, request.session
        is_new = page not in self._sessions
        self._sessions[page] = None
        while len(self._sessions) > _MOST_PAGES:
            self._sessions.popitem(last=False)
        return is_new

    def waiting(self, request_id: str) -> Waiting | None:
        """Return a request that the kernel has not begun with, as far as is known."""
        return self._waiting.get(request_id)

    def take(self, request_id: str) -> str | None:
        """Return the cell of a request, which has begun; None if it is not known."""
        waiting = self._waiting.pop(request_id, None)
        return None if waiting is None else waiting.cell_id

    def next_of(self, kernel_id: str, since: float) -> str | None:
        """Return the cell that a kernel came to first of those that were asked for since a time.

        One that ends its kernel at once may do so before the kernel could tell of it.
        """
        for waiting in self._waiting.values():
            if waiting.kernel_id == kernel_id and waiting.heard >= since:
                return waiting.cell_id
        return None

    def forget(self, kernel_id: str) -> None:
        """Know that a kernel will come to nothing that it was asked for."""
        for ident in [i for i, w in self._waiting.items() if w.kernel_id == kernel_id]:
            del self._waiting[ident]


class Follower:
    """Hears of each request to run a cell, while it is wanted.

    Parameters
    ----------
    hear:
        Called with the kernel's id before the request goes to it.
    log:
        For what should not happen.
    """

    def __init__(self, hear: Callable[[str, Request], None], log: logging.Logger) -> None:
        self._hear = hear
        self._log = log
        self._is_there = False
        self.is_wanted = False

    def join(self, settings: MutableMapping[str, Any]) -> None:
        """Take part in every connection that is made from now on; once is enough.

        Parameters
        ----------
        settings:
            The web application's, with all extensions loaded.
        """
        self.is_wanted = True
        if self._is_there:
            return
        base = settings.get(_SETTING)
        if not isinstance(base, type) or not hasattr(base, "handle_incoming_message"):
            self._log.warning("Cells cannot be told apart here: %s is %r", _SETTING, base)
            return
        follower = self

        def handle_incoming_message(self: Any, incoming_msg: Any, *args: Any, **kwargs: Any) -> Any:
            follower.look(self, incoming_msg)
            return base.handle_incoming_message(self, incoming_msg, *args, **kwargs)

        # Nobody takes it away again: others may have put theirs on top.
        name = f"Followed{base.__name__}"
        settings[_SETTING] = type(
            name, (base,), {"handle_incoming_message": handle_incoming_message}
        )
        self._is_there = True

    def look(self, connection: Any, message: str | bytes) -> None:
        """Look at what a page sends; whatever becomes of that, it has to reach the kernel."""
        if not self.is_wanted:
            return
        try:
            request = requested(message)
            if request is not None:
                self._hear(str(getattr(connection, "kernel_id", "")), request)
        except Exception:  # noqa: BLE001 - as above
            self._log.exception("A request to run a cell could not be recorded")
