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


class _Waiting(NamedTuple):
    """A request that the kernel has not begun with, as far as is known."""

    kernel_id: str
    cell_id: str
    heard: float
    """In seconds of a clock that nobody sets."""


class Requests:
    """Remembers requests until the kernel has begun with them."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._sessions: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def hear(self, kernel_id: str, request: Request, monotonic: float) -> bool:
        """Take note of what a page asks for; return whether the page is a new one."""
        self._waiting[request.id] = _Waiting(kernel_id, request.cell_id, monotonic)
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.popitem(last=False)
        page = kernel_id, request.session
        is_new = page not in self._sessions
        self._sessions[page] = None
        while len(self._sessions) > _MOST_PAGES:
            self._sessions.popitem(last=False)
        return is_new

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


def follow(
    settings: MutableMapping[str, Any],
    hear: Callable[[str, Request], None],
    log: logging.Logger,
) -> Callable[[], None]:
    """Hear of each request to run a cell; return what ends that.

    Parameters
    ----------
    settings:
        The web application's, with all extensions loaded.
    hear:
        Called with the kernel's id before the request goes to it.
    log:
        For what should not happen.
    """
    base = settings.get(_SETTING)
    if not isinstance(base, type) or not hasattr(base, "handle_incoming_message"):
        log.warning("Cells cannot be told apart here: %s is %r", _SETTING, base)
        return lambda: None
    following = True

    def handle_incoming_message(self: Any, incoming_msg: Any, *args: Any, **kwargs: Any) -> Any:
        if following:
            try:
                request = requested(incoming_msg)
                if request is not None:
                    hear(str(getattr(self, "kernel_id", "")), request)
            except Exception:
                # Whatever becomes of the record, the cell has to run.
                log.exception("A request to run a cell could not be recorded")
        return base.handle_incoming_message(self, incoming_msg, *args, **kwargs)

    name = f"Followed{base.__name__}"
    followed = type(name, (base,), {"handle_incoming_message": handle_incoming_message})
    settings[_SETTING] = followed

    def end() -> None:
        nonlocal following
        following = False
        if settings.get(_SETTING) is followed:
            settings[_SETTING] = base

    return end
