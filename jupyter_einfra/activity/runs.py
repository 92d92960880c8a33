"""Records what kernels run: cells as they begin, go on and end.

Everything runs on the server's event loop, and nothing here waits for a kernel or a disk: of
which notebook a cell is, is found out beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone

from msgspec.structs import replace

from .endings import Endings, Watcher
from .executions import Execution
from .kernel import Kernel
from .messages import Message
from .models import CellRun, Outcome
from .remembered import Remembered
from .requests import Requests
from .sessions import Sessions

#: An execution of no longer leaves no record while it runs.
_BRIEF_SECONDS = 1.0

#: While cells run one after the other, they are written together.
_FLUSH_SECONDS = 15.0

#: A kernel that is heard in full and does nothing for so long has done what it ran.
_DOUBT_SECONDS = 5.0

#: What a kernel says so soon after it was found may be the end of what began before.
_DEAF_SECONDS = 10.0

#: An error so soon after an interrupt is that of it.
_INTERRUPTING_SECONDS = 5.0

#: What Python's kernel calls the error of an execution that was interrupted.
_INTERRUPTED = "KeyboardInterrupt"


class Runs:
    """Follows the executions of all kernels.

    Parameters
    ----------
    kernels:
        By their ids; those who come and go are put there and taken away by others.
    sessions:
        Knows the kernels' names.
    requests:
        Knows which cells were asked for.
    remembered:
        Where all is recorded.
    watcher:
        Told of executions.
    now, monotonic:
        The two clocks, in seconds.
    """

    def __init__(
        self,
        kernels: Mapping[str, Kernel],
        *,
        sessions: Sessions,
        requests: Requests,
        remembered: Remembered,
        watcher: Watcher,
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._kernels = kernels
        self._sessions = sessions
        self._requests = requests
        self._remembered = remembered
        self._watcher = watcher
        self._now = now
        self._monotonic = monotonic
        self._long_timer: asyncio.TimerHandle | None = None
        self._doubt_timer: asyncio.TimerHandle | None = None
        self._endings = Endings(sessions, remembered, watcher, now=now, monotonic=monotonic)
        self._flushed_at = float("-inf")

    def stop(self) -> None:
        """Look nothing up any more, and record what waits for that."""
        for timer in (self._long_timer, self._doubt_timer):
            if timer is not None:
                timer.cancel()
        self._long_timer = self._doubt_timer = None
        self._endings.hurry()

    def hear(self, kernel_id: str, message: Message) -> None:
        """Take in what a kernel says."""
        kernel = self._kernels.get(kernel_id)
        if kernel is None:
            return
        if message.kind == "input":
            cell_id = self._requests.take(message.parent_id)
            kernel.has_cells |= cell_id is not None
            if kernel.ear.hears_all:
                self.end_all(kernel_id, kernel, "unknown", keep_requests=True)
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

    def _adopt(self, kernel_id: str, kernel: Kernel, request_id: str) -> None:
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

    def _begin(self, kernel_id: str, kernel: Kernel) -> None:
        if not self._sessions.paths(kernel_id) or self._sessions.are_old:
            self._sessions.look_up()
        self._watcher.began(kernel_id)
        self._note_long_ones_later()
        if kernel.ear.hears_all:
            self._doubt_later()

    def _outcome(self, kernel: Kernel, execution: Execution) -> Outcome:
        if execution.error is None:
            return "finished"
        since = self._monotonic() - kernel.interrupted_at
        was_asked = since < _INTERRUPTING_SECONDS and kernel.interrupted_at >= (
            execution.began_monotonic
        )
        return "interrupted" if was_asked or execution.error[0] == _INTERRUPTED else "failed"

    def _end(self, kernel_id: str, kernel: Kernel, execution: Execution, outcome: Outcome) -> None:
        self._watcher.ended(kernel_id)
        if (
            outcome == "finished"
            and kernel.has_cells
            and execution.cell_id is None
            and execution.event_id is None
        ):
            return  # an extension looked at something; a page names its cells
        self._endings.put(kernel_id, kernel, execution, outcome)

    def end_all(
        self, kernel_id: str, kernel: Kernel, outcome: Outcome, *, keep_requests: bool = False
    ) -> list[str]:
        """Record that all executions of a kernel ended; return the ids of the records.

        With ``keep_requests`` the kernel goes on, and comes to what else it was asked for.
        """
        if not keep_requests:
            self._requests.forget(kernel_id)
            self._endings.hurry(kernel_id)  # these were before
        ids = []
        for execution in kernel.executions.end():
            self._watcher.ended(kernel_id)
            ids.append(self._endings.put_now(kernel_id, kernel, execution, outcome))
        return ids

    def say_instead(self, run_ids: Iterable[str], outcome: Outcome) -> None:
        """Record another end of executions than the one that it looked like."""
        with self._remembered.journal() as journal:
            for run_id in run_ids:
                run = journal.get(run_id)
                if isinstance(run, CellRun):
                    journal.put(replace(run, outcome=outcome, error_name=None, error_text=None))

    def on_names(self) -> None:
        """Put names to what was recorded before they were known: a session follows its kernel."""
        for kernel_id, kernel in self._kernels.items():
            named = self._sessions.named(kernel_id, "")
            if named.path is not None and not kernel.is_named:
                kernel.is_named = True
                with self._remembered.journal() as journal:
                    journal.name(kernel_id, named.name, named.path)

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
        path = self._sessions.all_of(kernel_id)[0].path
        with self._remembered.journal() as journal:
            return journal.put(execution.record(journal.new_id, kernel_id, path))

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
                self.end_all(kernel_id, kernel, "unknown", keep_requests=True)
            else:
                self._doubt_later()
