"""Who uses what runs: keeps the record, and ends what nobody has used for long."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Protocol

from ...notices import Board
from ...threads import in_thread
from .. import reasons
from ..losses import warning
from ..supervision.instance import Instance
from .policy import Idle, Limit, look, remaining_seconds

#: How often to look, where an operator wants anything done about idleness.
LOOK_SECONDS = 60.0

#: Pages are told of no more than one use in this time.
_TELL_SECONDS = 30.0


class Cores(Protocol):
    """Tells how much is computed."""

    def __call__(self, roots: Collection[int]) -> Mapping[int, float] | None:
        """Return mean cores since the last call of all processes below some; blocks.

        None if that is not known, as at the first call.
        """


def unknown_cores() -> Cores:
    """Make what knows nothing of them."""

    def cores(roots: Collection[int]) -> None:
        return None

    return cores


class Idleness:
    """Looks after the use of all instances; called on the event loop.

    Parameters
    ----------
    busy_cores:
        From here on, what is computed counts as use; 0 if it never does.
    limits:
        When applications are stopped, by their names; those that are not there, never.
    instances:
        Returns all there are.
    cores:
        Makes what tells how much is computed; asked only where that counts.
    on_activity:
        Called with the time of every use.
    on_change:
        Called when pages should be told.
    """

    def __init__(
        self,
        *,
        busy_cores: float,
        limits: Mapping[str, Limit],
        instances: Callable[[], list[Instance]],
        cores: Callable[[], Cores],
        board: Board,
        on_activity: Callable[[datetime], None],
        on_change: Callable[[], None],
        log: logging.Logger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._busy_cores = busy_cores
        self._limits = limits
        self._instances = instances
        self._make_cores = cores
        self._cores: Cores | None = None
        self._board = board
        self._on_activity = on_activity
        self._on_change = on_change
        self._log = log
        self._clock = clock
        self._looked = clock()
        self._told: dict[str, float] = {}
        self._used: set[str] = set()
        """Ids of those that were used since the last look."""
        self._idle: dict[tuple[str, datetime], Idle] = {}
        """By id, and when it began to run."""
        self._warned: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look, if the operator wants anything done about idleness."""
        if self._busy_cores > 0 or self._limits:
            self._task = asyncio.ensure_future(self._go_on())

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    def use(self, instance: Instance) -> None:
        """Know that a person uses an instance."""
        now = datetime.now(timezone.utc)
        instance.use.last_used = now
        self._used.add(instance.id)
        self._withdraw(instance.id)
        self._on_activity(now)
        told = self._told.get(instance.id)
        if told is None or not 0 <= self._clock() - told < _TELL_SECONDS:
            self._told[instance.id] = self._clock()
            self._on_change()

    def hide(self, instance: Instance) -> None:
        """Know that a page does not allow the script that would tell of its use."""
        if not instance.use.is_hidden:
            instance.use.is_hidden = True
            self._log.warning(
                "%s: its content-security policy does not allow the script that tells of its "
                "use, which is seen in tabs of JupyterLab only",
                instance.id,
            )
            self._on_change()

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - contained here, so that it is tried again
                self._log.exception("It could not be told which applications are used")

    async def look(self) -> None:
        """See once who computes, and do what follows from idleness."""
        running = [one for one in self._instances() if one.state == "running"]
        busy = await self._busy(running)
        elapsed, self._looked = self._clock() - self._looked, self._clock()
        used, self._used = self._used, set()
        before, self._idle = self._idle, {}
        for instance in running:
            limit = self._limits.get(instance.app.name)
            if limit is None or instance.state != "running":
                continue
            key = instance.id, instance.since
            is_used = instance.id in used or busy is None or instance.id in busy
            idle, act = look(
                before.get(key, Idle()),
                limit,
                # One that has just begun to run was not idle before.
                elapsed_seconds=elapsed if key in before else 0.0,
                is_used=is_used,
            )
            self._idle[key] = idle
            if act == "warn":
                self._warn(instance, remaining_seconds(idle, limit))
            elif act == "stop":
                del self._idle[key]
                self._log.info("%s is stopped, for nobody uses it", instance.id)
                instance.stop(reasons.idle(instance.title, _since(instance)))
        still = {ident for (ident, _), idle in self._idle.items() if idle.is_warned}
        for ident in self._warned - still:  # it is used, computes, was stopped or began anew
            self._withdraw(ident)

    async def _busy(self, running: list[Instance]) -> set[str] | None:
        """Return ids of those that compute; None if that is not known and counts."""
        least = self._busy_cores
        if least == 0 or not running:
            return set()
        if self._cores is None:
            self._cores = self._make_cores()
        pids = {one.guardian_pid: one for one in running if one.guardian_pid is not None}
        cores = await in_thread(self._cores, list(pids))
        if cores is None:
            return None
        busy = [one for pid, one in pids.items() if cores.get(pid, 0.0) >= least]
        now = datetime.now(timezone.utc)
        for instance in busy:
            instance.use.last_busy = now
        if busy:
            self._on_activity(now)
            self._on_change()
        return {one.id for one in busy}

    def _warn(self, instance: Instance, seconds: float) -> None:
        now = datetime.now(timezone.utc)
        since, end = _since(instance), now + timedelta(seconds=seconds)
        reason = reasons.idle_soon(instance.title, since, end)
        self._warned.add(instance.id)
        self._board.post(warning(f"idle:{instance.id}", now, reason))

    def _withdraw(self, ident: str) -> None:
        with suppress(KeyError):
            self._warned.remove(ident)
            self._board.withdraw(f"idle:{ident}")


def _since(instance: Instance) -> datetime:
    """Return when it was last used, or began to run."""
    last = [instance.since, instance.use.last_used, instance.use.last_busy]
    return max(when for when in last if when is not None)
