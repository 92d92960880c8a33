"""Listens to what happens on this server, and records it.

It hears the server's own events, each kernel, and other features, and looks now and then for
terminals, of which nobody tells. Sessions are not recorded: a kernel's tells its name, and
no more. Everything runs on the server's event loop, and nothing here ever waits for a disk.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..kernels.names import tidy
from ..kernels.watch import KERNEL_ACTIONS
from ..models import Notice, Reason
from . import requests
from .endings import Watcher
from .kernels import Kernels
from .messages import Request
from .models import FileEvent, Outcome, ProgramAction, ProgramEvent, ProgramKind
from .moments import utc
from .remembered import Remembered
from .sessions import Sessions

CONTENTS_ACTIONS = "https://events.jupyter.org/jupyter_server/contents_service/v1"

#: What this server's own sessions and terminals are looked at for.
_LOOK_SECONDS = 60.0

#: More terminals than any person has.
_MOST_TERMINALS = 500

_FILE_ACTIONS: dict[str, Literal["saved", "renamed", "copied", "deleted"]] = {
    "save": "saved",
    "rename": "renamed",
    "copy": "copied",
    "delete": "deleted",
}


class Server(NamedTuple):
    """What of the server is listened to; each part may be of any make or not be there."""

    kernel_manager: Any
    session_manager: Any
    event_logger: Any
    terminal_manager: Callable[[], Any | None]
    settings: Callable[[], MutableMapping[str, Any]]
    """Of the web application."""
    root: Path
    """The folder that it shows."""


class Recorder:
    """Records until `stop`.

    Parameters
    ----------
    server:
        What is listened to.
    remembered:
        Where it is recorded.
    watcher:
        Told of executions.
    log:
        For what should not happen.
    now, monotonic:
        The two clocks, in seconds.
    """

    def __init__(
        self,
        server: Server,
        remembered: Remembered,
        watcher: Watcher,
        log: logging.Logger,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._remembered = remembered
        self._log = log
        self._now = now
        self._monotonic = monotonic
        self._requests = requests.Requests()
        self._sessions = Sessions(server.session_manager, server.root, self._on_names, log)
        self._kernels = Kernels(
            server.kernel_manager,
            sessions=self._sessions,
            requests=self._requests,
            remembered=remembered,
            watcher=watcher,
            log=log,
            now=now,
            monotonic=monotonic,
        )
        self._terminals: set[str] = set()
        self._listeners = (
            (KERNEL_ACTIONS, self._kernels.on_action),
            (CONTENTS_ACTIONS, self._on_contents_action),
        )
        self._follower = requests.Follower(self._on_request, log)
        self._look_timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to listen; needs the running loop, and all extensions loaded."""
        for schema, listener in self._listeners:
            with suppress(Exception):  # a server without events is looked at
                self._server.event_logger.add_listener(schema_id=schema, listener=listener)
        self._follower.join(self._server.settings())
        self._look_again()

    def stop(self, outcome: Outcome) -> None:
        """Listen no more; what runs ended, as far as is known, in this way."""
        for schema, listener in self._listeners:
            with suppress(Exception):
                self._server.event_logger.remove_listener(schema_id=schema, listener=listener)
        self._follower.is_wanted = False
        if self._look_timer is not None:
            self._look_timer.cancel()
            self._look_timer = None
        self._sessions.stop()
        self._kernels.stop(outcome)

    # From other features -----------------------------------------------------------------

    def program(
        self,
        program: ProgramKind,
        program_id: str,
        name: str,
        action: ProgramAction,
        reason: Reason | None = None,
    ) -> None:
        """Record that something began or ended."""
        with self._remembered.journal() as journal:
            journal.put(
                ProgramEvent(
                    id=journal.new_id(),
                    time=utc(self._now()),
                    program=program,
                    program_id=tidy(program_id),
                    name=tidy(name),
                    action=action,
                    reason=reason,
                )
            )

    def explain(self, notice: Notice) -> None:
        """Take in why a kernel died, from who knows more of it than its exit status."""
        self._kernels.explain(notice)

    # What is heard and seen ------------------------------------------------------------------

    def _on_request(self, kernel_id: str, request: Request) -> None:
        if self._requests.hear(kernel_id, request, self._monotonic()):
            self._sessions.look_up()  # a notebook may have come to share the kernel

    def _on_names(self) -> None:
        self._kernels.on_names()

    def look(self) -> None:
        """Find what nobody told of."""
        try:
            self._kernels.look()
            self._look_at_terminals()
        except Exception:  # noqa: BLE001 - it is looked at again
            self._log.exception("What there is could not be looked at")

    def _look_again(self) -> None:
        self._look_timer = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look_again)
        self.look()

    async def _on_contents_action(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        action = _FILE_ACTIONS.get(data.get("action", ""))
        path, source = data.get("path"), data.get("source_path")
        if action is None or not isinstance(path, str) or not path:
            return
        now = utc(self._now())
        with self._remembered.journal() as journal:
            journal.changed(
                FileEvent(
                    id=journal.new_id(),
                    time=now,
                    until=now,
                    action=action,
                    path=_text(path),
                    source_path=_text(source) if isinstance(source, str) and source else None,
                    times=1,
                )
            )
        if action == "renamed":
            self._sessions.look_up()
            self._sessions.look_up_after_rename()
        if action in ("renamed", "deleted"):
            old = _text(source) if isinstance(source, str) and source else _text(path)
            self._remembered.follow(old, _text(path) if action == "renamed" else None)

    def _look_at_terminals(self) -> None:
        with suppress(Exception):  # there may be none, or of another make
            manager: Any = self._server.terminal_manager()
            names = set(list(manager.terminals)[:_MOST_TERMINALS])
            for name in sorted(names - self._terminals):
                self.program("terminal", f"terminal:{name}", f"terminal {tidy(name)}", "started")
            for name in sorted(self._terminals - names):
                self.program("terminal", f"terminal:{name}", f"terminal {tidy(name)}", "stopped")
            self._terminals = names


def _text(path: str) -> str:
    """Return a path as text, which names of files need not be."""
    return path.strip("/")[:4096].encode("utf-8", "replace").decode()
