"""Records executions that ended, in the notebooks that have their cells.

Everything runs on the server's event loop, and nothing here waits for a disk: of which
notebook a cell is, is found out beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from ..kernels.names import tidy
from .executions import MOST_ERROR_NAME, MOST_ERROR_TEXT, Execution
from .kernel import Kernel
from .models import CellRun, Outcome
from .moments import utc
from .remembered import Remembered
from .sessions import Sessions

#: Cells that are remembered of notebooks that share a kernel.
_MOST_CELLS = 5000


class Watcher(Protocol):
    """Who wants to know of executions as they begin and end."""

    def began(self, kernel_id: str) -> None: ...

    def ended(self, kernel_id: str) -> None: ...

    def recorded(self, run: CellRun) -> None: ...

    def died(self, kernel_id: str, paths: Collection[str], now: datetime) -> None: ...


class _Ending(NamedTuple):
    """An execution with how and when it ended."""

    kernel_id: str
    kernel: Kernel
    execution: Execution
    outcome: Outcome
    until: float
    """In seconds since 1970."""
    seconds: float


class Endings:
    """Takes in executions as they end.

    Parameters
    ----------
    sessions:
        Knows the kernels' notebooks.
    remembered:
        Where all is recorded.
    watcher:
        Told of what was recorded.
    now, monotonic:
        The two clocks, in seconds.
    """

    def __init__(
        self,
        sessions: Sessions,
        remembered: Remembered,
        watcher: Watcher,
        *,
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._remembered = remembered
        self._watcher = watcher
        self._now = now
        self._monotonic = monotonic
        self._finding: dict[asyncio.Task[None], _Ending] = {}
        """What is recorded once it is known of which notebook it is."""

    def hurry(self, kernel_id: str | None = None) -> None:
        """Look nothing up any more, of one kernel or of all, and record what waits for that."""
        for task, ending in list(self._finding.items()):
            # One that is done has recorded it.
            if kernel_id in (None, ending.kernel_id) and task.cancel():
                path, _ = self._notebook(ending)
                self._record(ending, path)

    def put(self, kernel_id: str, kernel: Kernel, execution: Execution, outcome: Outcome) -> None:
        """Record the end of an execution, as soon as it is known of which notebook it is."""
        ending = self._ending(kernel_id, kernel, execution, outcome)
        if execution.event_id is not None:
            self._sessions.look_up()  # a notebook may have another name by now
        if not self._sessions.are_coming:
            path, is_sure = self._notebook(ending)
            if is_sure:
                self._record(ending, path)
                return
        task = asyncio.ensure_future(self._find_and_record(ending))
        self._finding[task] = ending
        task.add_done_callback(lambda task: self._finding.pop(task, None))

    def put_now(
        self, kernel_id: str, kernel: Kernel, execution: Execution, outcome: Outcome
    ) -> str:
        """Record it as well as may be known; return the id of the record."""
        ending = self._ending(kernel_id, kernel, execution, outcome)
        path, _ = self._notebook(ending)
        return self._record(ending, path)

    def _ending(
        self, kernel_id: str, kernel: Kernel, execution: Execution, outcome: Outcome
    ) -> _Ending:
        seconds = self._monotonic() - execution.began_monotonic
        return _Ending(kernel_id, kernel, execution, outcome, self._now(), seconds)

    def _notebook(self, ending: _Ending) -> tuple[str | None, bool]:
        """Return the notebook of an execution, and whether it can be no other one."""
        paths = self._sessions.paths(ending.kernel_id)
        cell_id = ending.execution.cell_id
        known = ending.kernel.notebooks.get(cell_id or "")
        if known in paths:
            return known, True
        return (paths[0] if paths else None), len(paths) < 2 or cell_id is None

    async def _find_and_record(self, ending: _Ending) -> None:
        await self._sessions.come()
        path, is_sure = self._notebook(ending)
        cell_id = ending.execution.cell_id
        if not is_sure and cell_id is not None:
            paths = self._sessions.paths(ending.kernel_id)
            found = await self._sessions.notebook_with(cell_id, paths)
            if found is not None:
                notebooks = ending.kernel.notebooks
                if len(notebooks) >= _MOST_CELLS:
                    notebooks.clear()
                path = notebooks[cell_id] = found
        self._record(ending, path)

    def _record(self, ending: _Ending, path: str | None) -> str:
        kernel, execution = ending.kernel, ending.execution
        error_name, error_text = execution.error or (None, None)
        with self._remembered.journal() as journal:
            run = replace(
                execution.record(journal.new_id, ending.kernel_id, path),
                until=utc(max(ending.until, execution.began)),
                seconds=ending.seconds,
                outcome=ending.outcome,
                error_name=None if error_name is None else tidy(error_name, MOST_ERROR_NAME),
                error_text=None if error_text is None else tidy(error_text, MOST_ERROR_TEXT),
            )
            event_id = journal.ran(run)
        if run.outcome == "interrupted" and kernel.interrupted_at < execution.began_monotonic:
            kernel.stopped_short = (self._monotonic(), event_id)
        self._watcher.recorded(run)
        return event_id
