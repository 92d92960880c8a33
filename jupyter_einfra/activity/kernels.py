"""Listens to kernels, and records what becomes of them.

Each kernel is heard through its IOPub channel (what it runs is for `runs`), its own
notifications of its death, and what the server says that was done to it. Everything runs on
the server's event loop, and nothing here ever waits for a kernel.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from msgspec.structs import replace

from ..kernels.watch import KernelWatch, managers_of, read
from ..models import Notice, Reason
from .endings import Watcher
from .iopub import Ear
from .journal import Journal
from .kernel import Ended, Kernel
from .messages import Message
from .models import KernelAction, KernelEvent, Outcome
from .moments import utc
from .remembered import Remembered
from .requests import Requests
from .runs import Runs
from .sessions import Sessions
from .words import cause_of_death

#: How long after a kernel's end its restart may be told, which is then what it was.
_RESTART_SECONDS = 60.0

#: What a kernel interrupts before it ends, it does so shortly before.
_STOPPED_SHORT_SECONDS = 10.0

#: More kernels than any person has.
_MOST_KERNELS = 500


class Kernels:
    """Listens until `stop`.

    Parameters
    ----------
    kernel_manager:
        The server's own, of any make.
    sessions:
        Knows the kernels' names.
    requests:
        Knows which cells were asked for.
    remembered:
        Where all is recorded.
    watcher:
        Told of executions.
    log:
        For what should not happen.
    now, monotonic:
        The two clocks, in seconds.
    """

    def __init__(
        self,
        kernel_manager: Any,
        *,
        sessions: Sessions,
        requests: Requests,
        remembered: Remembered,
        watcher: Watcher,
        log: logging.Logger,
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._kernel_manager = kernel_manager
        self._sessions = sessions
        self._watcher = watcher
        self._requests = requests
        self._remembered = remembered
        self._log = log
        self._now = now
        self._monotonic = monotonic
        self._kernels: dict[str, Kernel] = {}
        self._runs = Runs(
            self._kernels,
            sessions=sessions,
            requests=requests,
            remembered=remembered,
            watcher=watcher,
            now=now,
            monotonic=monotonic,
        )

    def stop(self, outcome: Outcome) -> None:
        """Listen no more; what runs ended, as far as is known, in this way."""
        self._runs.stop()
        for kernel_id in list(self._kernels):
            self._leave(kernel_id, outcome)

    def on_names(self) -> None:
        """Know that names of kernels were looked up."""
        self._runs.on_names()

    def explain(self, notice: Notice) -> None:
        """Take in why a kernel died, from who knows more of it than its exit status."""
        kernel = self._kernels.get(notice.kernel_id or "")
        if kernel is None or not notice.code.startswith("kernel_"):
            return
        cause = Reason(code=notice.code, message=notice.message, params=notice.params)
        kernel.explanation = (self._monotonic(), cause)
        with self._remembered.journal() as journal:
            death = journal.latest_death(notice.kernel_id or "")
            if death is not None and self._now() - death.time.timestamp() < _RESTART_SECONDS:
                journal.put(replace(death, cause=cause))
        self._remembered.flush()

    # Which there are -------------------------------------------------------------------------

    def look(self) -> None:
        """Find what nobody told of."""
        self._meet()
        for kernel in list(self._kernels.values()):
            pid, _ = kernel.watch.process()  # finds a death that nobody else looks out for
            was_restarted = pid is not None and kernel.pid not in (None, pid)
            if was_restarted or (pid is not None and not kernel.ear.is_open):
                self._listen(kernel)
            kernel.pid = pid or kernel.pid

    def _listen(self, kernel: Kernel) -> None:
        kernel.ear.open()
        kernel.opened_at = self._monotonic()

    def _meet(self) -> None:
        """Find kernels that came and went."""
        managers = managers_of(self._kernel_manager, _MOST_KERNELS)
        for kernel_id, kernel in list(self._kernels.items()):
            if managers.get(kernel_id) is not kernel.manager:
                self._leave(kernel_id, "unknown")
        for kernel_id, manager in managers.items():
            if kernel_id not in self._kernels:
                self._join(kernel_id, manager)

    def _join(self, kernel_id: str, manager: Any) -> None:
        def on_message(message: Message) -> None:
            self._runs.hear(kernel_id, message)

        def on_death(watch: KernelWatch, exit_code: int | None, gave_up: bool) -> None:
            self._on_death(kernel_id, exit_code, gave_up)

        watch = KernelWatch(manager, on_death)
        kernel = Kernel(manager, watch, Ear(manager, on_message, self._log))
        self._kernels[kernel_id] = kernel
        kernel.watch.attach()
        self._listen(kernel)
        self._sessions.look_up()

    def _leave(self, kernel_id: str, outcome: Outcome) -> None:
        kernel = self._kernels.pop(kernel_id)
        kernel.close()
        self._runs.end_all(kernel_id, kernel, outcome)

    # Its ends and beginnings ----------------------------------------------------------------

    def _on_death(self, kernel_id: str, exit_code: int | None, gave_up: bool) -> None:
        kernel = self._kernels.get(kernel_id)
        if kernel is None:
            return
        running = kernel.executions.running
        last = running[-1] if running else None
        cell_id = self._requests.next_of(kernel_id, kernel.clear_since)
        if last is not None:
            cell_id = last.cell_id
        self._runs.end_all(kernel_id, kernel, "died")
        kernel.restarts_itself = not gave_up
        if gave_up:
            kernel.ear.close()
        now = utc(self._now())
        again = kernel.watch.died_again(now) is not None
        cause = cause_of_death(exit_code)
        if kernel.explanation is not None and not again:
            at, told = kernel.explanation
            if self._monotonic() - at < 1.0:
                cause = told  # who explains it was told of it first
        with self._remembered.journal() as journal:
            event = replace(
                self._event(journal, kernel_id, "died", now),
                cause=cause,
                execution_count=None if last is None else last.execution_count,
                cell_id=cell_id,
                restarted=not gave_up,
                stays=gave_up and not read(kernel.manager, "autorestart", True),
            )
            journal.died(event, again=again)
        self._watcher.died(kernel_id, self._sessions.paths(kernel_id), now)
        self._remembered.flush()

    async def on_action(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        """Hear of what was done to a kernel, from the server's event logger."""
        action, kernel_id = data.get("action"), data.get("kernel_id")
        if data.get("status") != "success" or not isinstance(kernel_id, str):
            return
        if action == "start":
            self._meet()
            self._started(kernel_id)
        elif action == "shutdown":
            self._shut_down(kernel_id)
        elif action == "restart":
            self._restarted(kernel_id)
        elif action == "interrupt" and kernel_id in self._kernels:
            self._kernels[kernel_id].interrupted_at = self._monotonic()
            self._tell_of(kernel_id, "interrupted")

    def _started(self, kernel_id: str) -> None:
        kernel = self._kernels.get(kernel_id)
        if kernel is None:
            return
        kernel.watch.attach()
        event_id = self._tell_of(kernel_id, "started")
        if kernel.ended is not None:  # so it was one that went on
            kernel.ended.events.append(event_id)
            self._listen(kernel)

    def _shut_down(self, kernel_id: str) -> None:
        """Record an end, which is the first half of a restart, too."""
        kernel = self._kernels.get(kernel_id)
        if kernel is None:
            return
        runs = self._runs.end_all(kernel_id, kernel, "shut-down")
        runs += self._stopped_short(kernel)
        self._runs.say_instead(runs, "shut-down")
        event_id = self._tell_of(kernel_id, "shut-down")
        kernel.ended = Ended(self._monotonic(), [event_id], runs)
        self._remembered.flush()

    def _restarted(self, kernel_id: str) -> None:
        kernel = self._kernels.get(kernel_id)
        if kernel is None:
            return
        ended, kernel.ended = kernel.ended, None
        if ended is not None and self._monotonic() - ended.at < _RESTART_SECONDS:
            with self._remembered.journal() as journal:
                for event_id in ended.events:
                    journal.remove(event_id)
            self._runs.say_instead(ended.runs, "restarted")
        itself, kernel.restarts_itself = kernel.restarts_itself, False
        if not itself:
            self._runs.end_all(kernel_id, kernel, "restarted")
            self._runs.say_instead(self._stopped_short(kernel), "restarted")
            self._tell_of(kernel_id, "restarted")
        kernel.watch.attach()
        self._listen(kernel)

    def _stopped_short(self, kernel: Kernel) -> list[str]:
        """Return the record of what was interrupted because the kernel was to end."""
        stopped, kernel.stopped_short = kernel.stopped_short, None
        if stopped is None or self._monotonic() - stopped[0] > _STOPPED_SHORT_SECONDS:
            return []
        return [stopped[1]]

    def _tell_of(
        self,
        kernel_id: str,
        action: Literal["started", "restarted", "interrupted", "shut-down"],
    ) -> str:
        with self._remembered.journal() as journal:
            event = self._event(journal, kernel_id, action, utc(self._now()))
            # The others may be taken back, each by itself.
            is_final = action in ("interrupted", "restarted")
            return journal.happened(event) if is_final else journal.put(event)

    def _event(
        self, journal: Journal, kernel_id: str, action: KernelAction, time: datetime
    ) -> KernelEvent:
        kernel_name = read(self._kernels[kernel_id].manager, "kernel_name")
        named = self._sessions.named(kernel_id, str(kernel_name or ""))
        return KernelEvent(
            id=journal.new_id(),
            time=time,
            kernel_id=kernel_id,
            path=named.path,
            name=named.name,
            action=action,
            cause=None,
            execution_count=None,
            cell_id=None,
            restarted=action == "restarted",
            stays=False,
            times=1,
        )
