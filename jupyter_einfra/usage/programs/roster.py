"""Which kernels, terminals and applications there are, and which kernels died.

All of it is read from objects of this process: no kernel is ever sent a message, and
nothing here moves a kernel's ``last_activity``. Kernel managers come in many makes; what
one does not have is unknown, and nothing here fails for it.

Everything runs on the server's event loop.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from ...kernels.names import Named, names_of_kernels, tidy
from ...kernels.watch import KERNEL_ACTIONS, KernelWatch, managers_of, read
from ..alerts.deaths import Death
from .processes import RosterEntry

#: Names are looked up again after this time, and a moment after a kernel came: its
#: session comes after it.
NAMES_SECONDS = 10.0
NEW_NAMES_SECONDS = 0.5

#: Sessions of this server are listed at once; those of a gateway are not waited for.
NAMES_WAIT_SECONDS = 0.05
NAMES_TIMEOUT_SECONDS = 30.0

#: More kernels, terminals or applications than any person has.
MOST_ENTRIES = 500


class Roster:
    """Knows kernels, terminals and applications of this server.

    Parameters
    ----------
    kernel_manager, session_manager, event_logger:
        The server's own; each may be of any make or not be there.
    terminal_manager:
        Returns the server's own, which comes after us; or None.
    log:
        For what should not happen.
    applications:
        Returns those that run through this server.
    on_death:
        Called on the loop for each kernel that ended without being asked to.
    """

    def __init__(
        self,
        kernel_manager: Any,
        session_manager: Any,
        terminal_manager: Callable[[], Any | None],
        log: logging.Logger,
        *,
        event_logger: Any | None = None,
        applications: Callable[[], list[RosterEntry]] = list,
        on_death: Callable[[Death], None] = lambda death: None,
    ) -> None:
        self._kernel_manager = kernel_manager
        self._session_manager = session_manager
        self._terminal_manager = terminal_manager
        self._log = log
        self._event_logger = event_logger
        self._applications = applications
        self.on_death = on_death
        self._watches: dict[str, KernelWatch] = {}
        self._names: dict[str, Named] = {}
        self._names_due = 0.0
        self._naming: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Hear of new kernels from now on; needs the running loop."""
        with suppress(Exception):  # refresh finds them too, only later
            self._event_logger.add_listener(  # type: ignore[union-attr]
                schema_id=KERNEL_ACTIONS, listener=self._on_action
            )
        self._meet()

    def stop(self) -> None:
        """Listen no more."""
        with suppress(Exception):
            self._event_logger.remove_listener(  # type: ignore[union-attr]
                schema_id=KERNEL_ACTIONS, listener=self._on_action
            )
        for watch in self._watches.values():
            watch.detach()
        self._watches.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self._naming is not None:
            self._naming.cancel()

    async def refresh(self) -> list[RosterEntry]:
        """Return all kernels, terminals and applications as they are now."""
        self._meet()
        if time.monotonic() >= self._names_due:
            naming = self._look_up_names()
            await asyncio.wait([naming], timeout=NAMES_WAIT_SECONDS)
        kernels = [self._kernel(kernel_id, watch) for kernel_id, watch in self._watches.items()]
        return kernels + self._terminals() + self._applications()[:MOST_ENTRIES]

    def _meet(self) -> None:
        """Find kernels that came and went."""
        managers = managers_of(self._kernel_manager, MOST_ENTRIES)
        for kernel_id, watch in list(self._watches.items()):
            if managers.get(kernel_id) is not watch.manager:
                watch.detach()
                del self._watches[kernel_id]
        for kernel_id, manager in managers.items():
            if kernel_id in self._watches:
                continue
            watch = KernelWatch(manager, self._on_kernel_death)
            watch.attach()
            self._watches[kernel_id] = watch
            self._names_due = 0.0
            self._name_soon()

    def _kernel(self, kernel_id: str, watch: KernelWatch) -> RosterEntry:
        language = read(watch.manager, "kernel_name")
        named = self._named(kernel_id, watch)
        pid, reason = watch.process()
        state, since = watch.state()
        return RosterEntry(
            kind="kernel",
            id=tidy(kernel_id),
            name=named.name,
            path=named.path,
            language=tidy(language) if isinstance(language, str) else None,
            pid=pid,
            state=state,
            since=since,
            reason=reason,
        )

    def _named(self, kernel_id: str, watch: KernelWatch) -> Named:
        return self._names.get(kernel_id) or Named(
            tidy(read(watch.manager, "kernel_name") or kernel_id), None
        )

    def _terminals(self) -> list[RosterEntry]:
        found: list[RosterEntry] = []
        with suppress(Exception):
            manager: Any = self._terminal_manager()
            for name, terminal in list(manager.terminals.items())[:MOST_ENTRIES]:
                pid = read(read(terminal, "ptyproc"), "pid")
                found.append(
                    RosterEntry(
                        kind="terminal",
                        id=tidy(name),
                        name=f"terminal {tidy(name)}",
                        path=None,
                        language=None,
                        pid=pid if isinstance(pid, int) else None,
                        state=None,
                        since=None,
                        reason=None,
                    )
                )
        return found

    async def _on_action(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        if data.get("action") in ("start", "shutdown") and data.get("status") == "success":
            self._meet()
            watch = self._watches.get(data.get("kernel_id", ""))
            if watch is not None:
                watch.attach()

    def _on_kernel_death(self, watch: KernelWatch, exit_code: int | None, gave_up: bool) -> None:
        kernel_id = next((i for i, known in self._watches.items() if known is watch), None)
        if kernel_id is None:
            return
        named = self._named(kernel_id, watch)
        now = datetime.now(timezone.utc)
        self.on_death(
            Death(
                time=now,
                kernel_id=kernel_id,
                name=named.name,
                path=named.path,
                exit_code=exit_code,
                gave_up=gave_up,
                first=watch.died_again(now),
            )
        )

    def _name_soon(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(NEW_NAMES_SECONDS, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._look_up_names()

    def _look_up_names(self) -> asyncio.Task[None]:
        if self._naming is None or self._naming.done():
            self._names_due = time.monotonic() + NAMES_SECONDS
            self._naming = asyncio.get_running_loop().create_task(self._read_names())
        return self._naming

    async def _read_names(self) -> None:
        try:
            sessions = self._session_manager.list_sessions()
            if inspect.isawaitable(sessions):
                sessions = await asyncio.wait_for(sessions, NAMES_TIMEOUT_SECONDS)
            self._names = names_of_kernels(sessions)
        except Exception as error:  # noqa: BLE001 - the names stay what they were
            self._log.debug("Sessions could not be listed: %s", error)
