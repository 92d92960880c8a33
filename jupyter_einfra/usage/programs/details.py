"""Looks at the processes of kernels and terminals, no more often than it is worth."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from ...models import Reason
from ..models import Program
from .processes import ProcessTable, RosterEntry, pace_seconds, programs

#: Details from before a longer pause say nothing of now.
STALE_SECONDS = 60.0


class Processes(Protocol):
    """Where processes are read; never raises."""

    def read_processes(self) -> ProcessTable: ...


class Details:
    """Who uses how much, kept until the next look. Used by the sampler's thread alone.

    Parameters
    ----------
    processes:
        Where processes are read.
    server_pid:
        The server's own process.
    least_seconds:
        Time from one look to the next at least; more where there are many processes.
    """

    def __init__(self, processes: Processes, *, server_pid: int, least_seconds: float) -> None:
        self._processes = processes
        self._server_pid = server_pid
        self._least_seconds = least_seconds
        self._before: ProcessTable | None = None
        self._looked_at = float("-inf")
        self.interval_seconds = least_seconds
        self.programs: list[Program] = []
        self.reason: Reason | None = None

    def age_seconds(self) -> float:
        """Time since the last look."""
        return time.monotonic() - self._looked_at

    def is_due(self) -> bool:
        """Whether it is worth to look again. A tick may come a little early."""
        return self.age_seconds() >= 0.9 * self.interval_seconds

    def look(
        self,
        roster: Sequence[RosterEntry],
        *,
        others: bool,
        gpu_memory: Mapping[int, int] | None,
        gpu_reason: Reason | None,
    ) -> None:
        """Read all processes; parameters as of `processes.programs`."""
        if self.age_seconds() > STALE_SECONDS:
            self._before = None
        began = time.thread_time()
        table = self._processes.read_processes()
        self.programs = programs(
            self._before,
            table,
            roster,
            server_pid=self._server_pid,
            others=others,
            gpu_memory=gpu_memory,
            gpu_reason=gpu_reason,
        )
        self.reason = table.reason
        self._before = table
        self._looked_at = time.monotonic()
        cost = time.thread_time() - began
        self.interval_seconds = pace_seconds(cost, self._least_seconds)
