"""Listens to kernels, and records what they run, how they fail and how they end.

Each kernel is heard through its IOPub channel, its own notifications of its death, and what
the server says that was done to it. Everything runs on the server's event loop, and nothing
here ever waits for a kernel.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal, NamedTuple, Protocol

from msgspec.structs import replace

from ..kernels.names import tidy
from ..kernels.watch import KernelWatch, read
from ..models import Notice, Reason
from .executions import MOST_ERROR_NAME, MOST_ERROR_TEXT, Execution, Executions
from .iopub import Ear
from .journal import utc
from .messages import Message
from .models import CellRun, KernelEvent, Outcome
from .remembered import Remembered
from .requests import Requests
from .sessions import Sessions
from .words import cause_of_death

#: An execution of no longer leaves no record while it runs.
_BRIEF_SECONDS = 1.0

#: While cells run one after the other, they are written together.
_FLUSH_SECONDS = 15.0

#: How long after a kernel's end its restart may be told, which is then what it was.
_RESTART_SECONDS = 60.0

#: What a kernel interrupts before it ends, it does so shortly before.
_STOPPED_SHORT_SECONDS = 10.0

#: A kernel that is heard in full and does nothing for so long has done what it ran.
_DOUBT_SECONDS = 5.0

#: What a kernel says so soon after it was found may be the end of what began before.
_DEAF_SECONDS = 10.0

#: An error so soon after an interrupt is that of it.
_INTERRUPTING_SECONDS = 5.0

#: What Python's kernel calls the error of an execution that was interrupted.
_INTERRUPTED = "KeyboardInterrupt"

#: More kernels than any person has, and cells of notebooks that share one.
_MOST_KERNELS = 500
_MOST_CELLS = 5000


class Watcher(Protocol):
    """Who wants to know of executions as they begin and end."""

    def began(self, kernel_id: str) -> None: ...

    def ended(self, kernel_id: str) -> None: ...

    def recorded(self, run: CellRun) -> None: ...


class _Ending(NamedTuple):
    """An execution with how and when it ended."""

    execution: Execution
    outcome: Outcome
    until: float
    """In seconds since 1970."""
    seconds: float


@dataclass
class _Ended:
    """What was recorded of a kernel's end, which may turn out to be a restart."""

    at: float
    events: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)


class _Kernel:
    """One kernel that is listened to."""

    def __init__(self, manager: Any, watch: KernelWatch, ear: Ear) -> None:
        self.manager = manager
        self.watch = watch
        self.ear = ear
        self.executions = Executions()
        self.interrupted_at = float("-inf")
        self.clear_since = float("-inf")
        """Since when what is asked for and not begun is still to come."""
        self.restarts_itself = False
        """Whether the next restart is the end of a death."""
        self.ended: _Ended | None = None
        self.has_cells = False
        """Whether a page has named cells of it."""
        self.opened_at = float("-inf")
        self.ended_at = float("-inf")
        """When it was listened to, and when its last execution ended."""
        self.notebooks: dict[str, str] = {}
        """Of cells, where several notebooks share the kernel."""
        self.stopped_short: tuple[float, str] | None = None
        """When an execution was interrupted that nobody asked to be, and its record: a kernel
        that is to end interrupts what it does."""
        self.is_named = False
        self.pid: int | None = None
        """Of its process, when it was last looked at."""
        self.explanation: tuple[float, Reason] | None = None
        """Of a death that was not heard of yet."""

    def close(self) -> None:
        self.ear.close()
        self.watch.detach()


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
        self._requests = requests
        self._remembered = remembered
        self._watcher = watcher
        self._log = log
        self._now = now
        self._monotonic = monotonic
        self._kernels: dict[str, _Kernel] = {}
        self._long_timer: asyncio.TimerHandle | None = None
        self._finding: dict[asyncio.Task[None], tuple[str, _Ending]] = {}
        """What is recorded once it is known of which notebook it is."""
        self._doubt_timer: asyncio.TimerHandle | None = None
        self._flushed_at = float("-inf")

    def stop(self, outcome: Outcome) -> None:
        """Listen no more; what runs ended, as far as is known, in this way."""
        for timer in (self._long_timer, self._doubt_timer):
            if timer is not None:
                timer.cancel()
        self._long_timer = self._doubt_timer = None
        for task, (kernel_id, ending) in list(self._finding.items()):
            task.cancel()
            paths = self._sessions.paths(kernel_id)
            self._record(kernel_id, ending, paths[0] if paths else None)
        for kernel_id in list(self._kernels):
            self._leave(kernel_id, outcome)

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

    # What they run ----------------------------------------------------------------------

    def look(self) -> None:
        """Find what nobody told of."""
        self._meet()
        for kernel in list(self._kernels.values()):
            pid, _ = kernel.watch.process()  # finds a death that nobody else looks out for
            was_restarted = pid is not None and kernel.pid not in (None, pid)
            if was_restarted or (pid is not None and not kernel.ear.is_open):
                self._listen(kernel)
            kernel.pid = pid or kernel.pid

    def _listen(self, kernel: _Kernel) -> None:
        kernel.ear.open()
        kernel.opened_at = self._monotonic()

    def _meet(self) -> None:
        """Find kernels that came and went."""
        managers: dict[str, Any] = {}
        with suppress(Exception):
            for kernel_id in list(self._kernel_manager.list_kernel_ids())[:_MOST_KERNELS]:
                with suppress(Exception):  # gone meanwhile
                    managers[kernel_id] = self._kernel_manager.get_kernel(kernel_id)
        for kernel_id, kernel in list(self._kernels.items()):
            if managers.get(kernel_id) is not kernel.manager:
                self._leave(kernel_id, "unknown")
        for kernel_id, manager in managers.items():
            if kernel_id not in self._kernels:
                self._join(kernel_id, manager)

    def _join(self, kernel_id: str, manager: Any) -> None:
        def on_message(message: Message) -> None:
            self._on_message(kernel_id, message)

        def on_death(watch: KernelWatch, exit_code: int | None, gave_up: bool) -> None:
            self._on_death(kernel_id, exit_code, gave_up)

        watch = KernelWatch(manager, on_death)
        kernel = _Kernel(manager, watch, Ear(manager, on_message, self._log))
        self._kernels[kernel_id] = kernel
        kernel.watch.attach()
        self._listen(kernel)
        self._sessions.look_up()

    def _leave(self, kernel_id: str, outcome: Outcome) -> None:
        kernel = self._kernels.pop(kernel_id)
        kernel.close()
        self._end_all(kernel_id, kernel, outcome)

    def _on_message(self, kernel_id: str, message: Message) -> None:
        kernel = self._kernels.get(kernel_id)
        if kernel is None:
            return
        if message.kind == "input":
            cell_id = self._requests.take(message.parent_id)
            kernel.has_cells |= cell_id is not None
            if kernel.ear.hears_all:
                self._end_all(kernel_id, kernel, "unknown", keep_requests=True)
        else:
            cell_id = None
            self._adopt(kernel_id, kernel, message.parent_id)
        begun, ended = kernel.executions.hear(message, self._now(), self._monotonic(), cell_id)
        if begun is not None:
            self._begin(kernel_id, kernel)
        if ended is not None:
            kernel.ended_at = self._monotonic()
            if ended.error is not None:
                # With it the kernel may have dropped all that waited.
                kernel.clear_since = self._monotonic()
            self._end(kernel_id, kernel, ended, self._outcome(kernel, ended))

    def _adopt(self, kernel_id: str, kernel: _Kernel, request_id: str) -> None:
        """Know of an execution that began before the kernel could be heard."""
        waiting = self._requests.waiting(request_id)
        monotonic = self._monotonic()
        if (
            waiting is None
            or waiting.kernel_id != kernel_id
            or waiting.heard < kernel.clear_since
            or monotonic - kernel.opened_at > _DEAF_SECONDS
        ):
            return
        began = max(waiting.heard, kernel.ended_at)
        now = self._now() - (monotonic - began)
        cell_id = self._requests.take(request_id)
        kernel.executions.hear(Message("input", request_id), now, began, cell_id)
        self._begin(kernel_id, kernel)

    def _begin(self, kernel_id: str, kernel: _Kernel) -> None:
        if not self._sessions.paths(kernel_id) or self._sessions.are_old:
            self._sessions.look_up()
        self._watcher.began(kernel_id)
        self._note_long_ones_later()
        if kernel.ear.hears_all:
            self._doubt_later()

    def _outcome(self, kernel: _Kernel, execution: Execution) -> Outcome:
        if execution.error is None:
            return "finished"
        since = self._monotonic() - kernel.interrupted_at
        was_asked = since < _INTERRUPTING_SECONDS and kernel.interrupted_at >= (
            execution.began_monotonic
        )
        return "interrupted" if was_asked or execution.error[0] == _INTERRUPTED else "failed"

    def _end(self, kernel_id: str, kernel: _Kernel, execution: Execution, outcome: Outcome) -> None:
        """Record the end of an execution, in the notebook that has its cell."""
        self._watcher.ended(kernel_id)
        ending = self._ending(execution, outcome)
        if (
            outcome == "finished"
            and kernel.has_cells
            and execution.cell_id is None
            and ending.seconds < _BRIEF_SECONDS
        ):
            return  # an extension looked at something; a page names its cells
        if execution.event_id is not None:
            self._sessions.look_up()  # a notebook may have another name by now
        if not self._sessions.are_coming:
            path, is_sure = self._notebook(kernel_id, kernel, ending)
            if is_sure:
                self._record(kernel_id, ending, path)
                return
        task = asyncio.ensure_future(self._find_and_record(kernel_id, kernel, ending))
        self._finding[task] = kernel_id, ending
        task.add_done_callback(lambda task: self._finding.pop(task, None))

    def _notebook(
        self, kernel_id: str, kernel: _Kernel, ending: _Ending
    ) -> tuple[str | None, bool]:
        """Return the notebook of an execution, and whether it can be no other one."""
        paths = self._sessions.paths(kernel_id)
        cell_id = ending.execution.cell_id
        known = kernel.notebooks.get(cell_id or "")
        if known in paths:
            return known, True
        return (paths[0] if paths else None), len(paths) < 2 or cell_id is None

    async def _find_and_record(self, kernel_id: str, kernel: _Kernel, ending: _Ending) -> None:
        await self._sessions.come()
        path, is_sure = self._notebook(kernel_id, kernel, ending)
        cell_id = ending.execution.cell_id
        if not is_sure and cell_id is not None:
            paths = self._sessions.paths(kernel_id)
            found = await self._sessions.notebook_with(cell_id, paths)
            if found is not None:
                if len(kernel.notebooks) >= _MOST_CELLS:
                    kernel.notebooks.clear()
                path = kernel.notebooks[cell_id] = found
        self._record(kernel_id, ending, path)

    def _ending(self, execution: Execution, outcome: Outcome) -> _Ending:
        seconds = self._monotonic() - execution.began_monotonic
        return _Ending(execution, outcome, self._now(), seconds)

    def _record(self, kernel_id: str, ending: _Ending, path: str | None) -> str:
        execution = ending.execution
        error_name, error_text = execution.error or (None, None)
        with self._remembered.journal() as journal:
            run = CellRun(
                id=execution.event_id or journal.new_id(),
                time=utc(execution.began),
                until=utc(max(ending.until, execution.began)),
                kernel_id=kernel_id,
                path=path,
                cell_id=execution.cell_id,
                execution_count=execution.execution_count,
                seconds=ending.seconds,
                outcome=ending.outcome,
                error_name=None if error_name is None else tidy(error_name, MOST_ERROR_NAME),
                error_text=None if error_text is None else tidy(error_text, MOST_ERROR_TEXT),
                times=1,
                others=0,
            )
            event_id = journal.ran(run)
        kernel = self._kernels.get(kernel_id)
        if (
            kernel is not None
            and run.outcome == "interrupted"
            and kernel.interrupted_at < execution.began_monotonic
        ):
            kernel.stopped_short = (self._monotonic(), event_id)
        self._watcher.recorded(run)
        return event_id

    def _note_long_ones_later(self) -> None:
        if self._long_timer is None:
            loop = asyncio.get_running_loop()
            self._long_timer = loop.call_later(_BRIEF_SECONDS, self._note_long_ones)

    def _note_long_ones(self) -> None:
        """Give executions that go on a record while they run."""
        self._long_timer = None
        still_brief = False
        for kernel_id, kernel in self._kernels.items():
            for execution in kernel.executions.running:
                if execution.event_id is not None:
                    continue
                if self._monotonic() - execution.began_monotonic < 0.9 * _BRIEF_SECONDS:
                    still_brief = True
                    continue
                execution.event_id = self._note(kernel_id, execution)
                self._flush()
        if still_brief:
            self._note_long_ones_later()

    def _flush(self) -> None:
        """Have it written what runs, so that a sudden end of the server is one of that, too."""
        now = self._monotonic()
        if now - self._flushed_at >= _FLUSH_SECONDS:
            self._flushed_at = now
            self._remembered.flush()

    def _note(self, kernel_id: str, execution: Execution) -> str:
        with self._remembered.journal() as journal:
            return journal.put(
                CellRun(
                    id=journal.new_id(),
                    time=utc(execution.began),
                    until=None,
                    kernel_id=kernel_id,
                    path=self._sessions.all_of(kernel_id)[0].path,
                    cell_id=execution.cell_id,
                    execution_count=execution.execution_count,
                    seconds=None,
                    outcome="running",
                    error_name=None,
                    error_text=None,
                    times=1,
                    others=0,
                )
            )

    def on_names(self) -> None:
        """Put names to what was recorded before they were known: a session follows its kernel."""
        for kernel_id, kernel in self._kernels.items():
            named = self._sessions.named(kernel_id, "")
            if named.path is not None and not kernel.is_named:
                kernel.is_named = True
                with self._remembered.journal() as journal:
                    journal.name(kernel_id, named.name, named.path)

    def _end_all(
        self, kernel_id: str, kernel: _Kernel, outcome: Outcome, *, keep_requests: bool = False
    ) -> list[str]:
        """Record that all executions of a kernel ended; return the ids of the records."""
        if not keep_requests:
            self._requests.forget(kernel_id)
        ids = []
        for execution in kernel.executions.end():
            self._watcher.ended(kernel_id)
            ending = self._ending(execution, outcome)
            path, _ = self._notebook(kernel_id, kernel, ending)
            ids.append(self._record(kernel_id, ending, path))
        return ids

    def _doubt_later(self) -> None:
        if self._doubt_timer is None:
            loop = asyncio.get_running_loop()
            self._doubt_timer = loop.call_later(_DOUBT_SECONDS, self._doubt)

    def _doubt(self) -> None:
        """End what must have ended: of a kernel that is heard in full, a word may be lost.

        Of others nothing is, and what Jupyter takes them to do is not about their cells alone.
        """
        self._doubt_timer = None
        for kernel_id, kernel in self._kernels.items():
            if not (kernel.ear.hears_all and kernel.executions.running):
                continue
            state, since = kernel.watch.state()
            lasts = None if since is None else datetime.now(timezone.utc) - since
            if state == "idle" and lasts is not None and lasts.total_seconds() >= _DOUBT_SECONDS:
                self._end_all(kernel_id, kernel, "unknown", keep_requests=True)
            else:
                self._doubt_later()

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
        self._end_all(kernel_id, kernel, "died")
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
        named = self._sessions.named(kernel_id, str(read(kernel.manager, "kernel_name") or ""))
        with self._remembered.journal() as journal:
            journal.died(
                KernelEvent(
                    id=journal.new_id(),
                    time=now,
                    kernel_id=kernel_id,
                    path=named.path,
                    name=named.name,
                    action="died",
                    cause=cause,
                    execution_count=None if last is None else last.execution_count,
                    cell_id=cell_id,
                    restarted=not gave_up,
                    stays=gave_up and not read(kernel.manager, "autorestart", True),
                    times=1,
                ),
                again=again,
            )
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
        runs = self._end_all(kernel_id, kernel, "shut-down")
        runs += self._stopped_short(kernel)
        self._say_instead(runs, "shut-down")
        event_id = self._tell_of(kernel_id, "shut-down")
        kernel.ended = _Ended(self._monotonic(), [event_id], runs)
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
            self._say_instead(ended.runs, "restarted")
        itself, kernel.restarts_itself = kernel.restarts_itself, False
        if not itself:
            self._end_all(kernel_id, kernel, "restarted")
            self._say_instead(self._stopped_short(kernel), "restarted")
            self._tell_of(kernel_id, "restarted")
        kernel.watch.attach()
        self._listen(kernel)

    def _stopped_short(self, kernel: _Kernel) -> list[str]:
        """Return the record of what was interrupted because the kernel was to end."""
        stopped, kernel.stopped_short = kernel.stopped_short, None
        if stopped is None or self._monotonic() - stopped[0] > _STOPPED_SHORT_SECONDS:
            return []
        return [stopped[1]]

    def _say_instead(self, run_ids: Iterable[str], outcome: Outcome) -> None:
        with self._remembered.journal() as journal:
            for run_id in run_ids:
                run = journal.get(run_id)
                if isinstance(run, CellRun):
                    journal.put(replace(run, outcome=outcome, error_name=None, error_text=None))

    def _tell_of(
        self,
        kernel_id: str,
        action: Literal["started", "restarted", "interrupted", "shut-down"],
    ) -> str:
        kernel = self._kernels[kernel_id]
        named = self._sessions.named(kernel_id, str(read(kernel.manager, "kernel_name") or ""))
        with self._remembered.journal() as journal:
            return journal.happened(
                KernelEvent(
                    id=journal.new_id(),
                    time=utc(self._now()),
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
            )
