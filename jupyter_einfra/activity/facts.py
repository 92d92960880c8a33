"""What the sections of a digest are made of: events in order, and facts in the making.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Literal, NamedTuple, TypeVar

from . import words
from .models import (
    ActivityEvent,
    CellRun,
    CellsRan,
    Fact,
    FileEvent,
    KernelEvent,
    ProgramEvent,
)
from .paths import Paths

#: Events that a fact is said to be of, at most.
_MOST_SOURCES = 50


class Ranked(NamedTuple):
    """What may be told, and is only made if it is among the most important."""

    rank: int
    time: datetime
    ident: str
    make: Callable[[str], Fact]
    """Makes it, given its id."""


class Asked(NamedTuple):
    """What is asked for, with what all sections need."""

    runs: Sequence[CellsRan | CellRun]
    """In their order, as all of these."""
    kernels: Sequence[KernelEvent]
    files: Sequence[FileEvent]
    programs: Sequence[ProgramEvent]
    paths: Paths
    now: datetime
    since: datetime
    seen: Collection[str]

    def covers(self, moment: datetime | None) -> bool:
        """Whether a moment is in the time that is asked about."""
        return moment is not None and self.since < moment

    def present(self, path: str | None, then: datetime) -> str | None:
        """Return the present name of what had one at a time; None if it is gone, or has none."""
        return None if path is None else self.paths.now(path, then)


def sorted_out(
    events: Iterable[ActivityEvent], now: datetime, since: datetime, seen: Collection[str]
) -> Asked:
    """Put events in order, each kind by itself."""
    runs: list[CellsRan | CellRun] = []
    kernels: list[KernelEvent] = []
    files: list[FileEvent] = []
    programs: list[ProgramEvent] = []
    for event in sorted(events, key=attrgetter("time", "id")):
        if isinstance(event, (CellsRan, CellRun)):
            runs.append(event)
        elif isinstance(event, FileEvent):
            files.append(event)
        elif isinstance(event, KernelEvent):
            kernels.append(event)
        else:
            programs.append(event)
    return Asked(runs, kernels, files, programs, Paths(files), now, since, seen)


def fact(
    asked: Asked,
    told: words.Told,
    *,
    ident: str,
    time: datetime,
    severity: Literal["error", "warning", "done", "running", "info"],
    event: CellsRan | CellRun | KernelEvent | None = None,
    sources: Sequence[str],
    path: str | None = None,
    can_restart: bool = False,
) -> Fact:
    """Make a fact of what is to be told, and of the event that tells which kernel and cell."""
    return Fact(
        id=ident,
        code=told.code,
        message=told.message,
        params=told.params,
        # A clock that was ahead has seen nothing of the future.
        time=min(time, asked.now),
        severity=severity,
        path=path,
        kernel_id=None if event is None else event.kernel_id,
        cell_id=None if event is None else event.cell_id,
        execution_count=None if event is None else event.execution_count,
        can_restart=can_restart,
        sources=list(sources)[:_MOST_SOURCES],
        seen=ident in asked.seen,
    )


def fact_of_runs(
    asked: Asked,
    told: words.Told,
    *,
    ident: str,
    severity: Literal["error", "done", "info"],
    runs: Sequence[CellsRan | CellRun],
) -> Fact:
    """Make a fact of what ended in one notebook: it is of the last of it."""
    last = last_of(runs)
    return fact(
        asked,
        told,
        ident=ident,
        time=end_of(last),
        severity=severity,
        event=last,
        sources=[run.id for run in reversed(runs)],
        path=asked.present(last.path, end_of(last)),
    )


_Run = TypeVar("_Run", CellsRan, CellRun, CellsRan | CellRun)


def last_of(runs: Sequence[_Run]) -> _Run:
    """Return what ended last."""
    return max(runs, key=lambda run: (end_of(run), run.id))


def end_of(run: CellsRan | CellRun) -> datetime:
    """Return when something ended, or began if it still runs."""
    return run.until or run.time
