"""Which executions run in a kernel, from what it says of them.

A kernel tells of an execution when it begins (``execute_input``) and when it is done with
it (``status: idle``); one that ends with its kernel is told of no more.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .messages import Message
from .models import CellRun
from .moments import utc

#: Executions that run in one kernel at a time: one, but for those with subshells.
_MOST_RUNNING = 50

#: Longer names and texts of errors are cut.
MOST_ERROR_NAME = 100
MOST_ERROR_TEXT = 200


@dataclass
class Execution:
    """One execution, from its beginning on."""

    request_id: str
    began: float
    """In seconds since 1970."""
    began_monotonic: float
    """The same by a clock that nobody sets."""
    execution_count: int | None
    cell_id: str | None
    event_id: str | None = None
    """Of the record, once it has one."""
    error: tuple[str, str] | None = None
    """Name and text, once it has failed."""

    def record(self, new_id: Callable[[], str], kernel_id: str, path: str | None) -> CellRun:
        """Return its record while it runs, under the id that it has, or a new one."""
        return CellRun(
            id=self.event_id or new_id(),
            time=utc(self.began),
            until=None,
            kernel_id=kernel_id,
            path=path,
            cell_id=self.cell_id,
            execution_count=self.execution_count,
            seconds=None,
            outcome="running",
            error_name=None,
            error_text=None,
            times=1,
            others=0,
        )


class Executions:
    """Those of one kernel."""

    def __init__(self) -> None:
        self._running: dict[str, Execution] = {}

    @property
    def running(self) -> list[Execution]:
        """All that have not ended, the oldest first."""
        return list(self._running.values())

    def hear(
        self, message: Message, now: float, monotonic: float, cell_id: str | None
    ) -> tuple[Execution | None, Execution | None]:
        """Take in what the kernel says; return what begins by that, and what ends.

        Parameters
        ----------
        message:
            What it says.
        now, monotonic:
            When it was heard, by the two clocks.
        cell_id:
            Of the cell that the request was for, if that is known.
        """
        known = self._running.get(message.parent_id)
        if message.kind == "input":
            if known is not None or len(self._running) >= _MOST_RUNNING:
                return None, None
            begun = Execution(message.parent_id, now, monotonic, message.execution_count, cell_id)
            self._running[message.parent_id] = begun
            return begun, None
        if known is None:
            return None, None
        if message.kind == "error":
            known.error = (message.error_name, message.error_text)
            return None, None
        return None, self._running.pop(message.parent_id)

    def end(self) -> list[Execution]:
        """Know that none of them goes on; return those that ended by that."""
        ended, self._running = self.running, {}
        return ended
