"""Which cell a page asked to be run: what a kernel does not say of an execution.

A page tells it to the server with each request. The server makes a connection of a class
that its settings name, and any extension may put its own there; so it is asked for when
all are loaded, and one method of it is overridden.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from typing import Any

from .messages import Request, requested

#: Requests that wait for their turn: all cells of a few large notebooks.
_MOST_WAITING = 5000

#: Where the server looks the class up, for each connection.
_SETTING = "kernel_websocket_connection_class"


class Requests:
    """Remembers requests until the kernel has begun with them."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def hear(self, request: Request) -> None:
        """Take note of what a page asks for."""
        self._waiting[request.id] = request.cell_id
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.popitem(last=False)

    def take(self, request_id: str) -> str | None:
        """Return the cell of a request, which has begun; None if it is not known."""
        return self._waiting.pop(request_id, None)


def follow(
    settings: MutableMapping[str, Any],
    hear: Callable[[Request], None],
    log: logging.Logger,
) -> Callable[[], None]:
    """Hear of each request to run a cell; return what ends that.

    Parameters
    ----------
    settings:
        The web application's, with all extensions loaded.
    hear:
        Called before the request goes to the kernel.
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
                    hear(request)
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
