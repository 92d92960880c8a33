"""Events as tests need them, at minutes of one day."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from typing import Any

from msgspec.structs import replace

from jupyter_einfra.activity.models import (
    CellRun,
    CellsRan,
    FileEvent,
    KernelEvent,
    ProgramEvent,
)
from jupyter_einfra.models import Notice, Reason

DAY = datetime(2026, 11, 20, tzinfo=timezone.utc)

_numbers = itertools.count()


def at(minutes: float) -> datetime:
    """Return a moment of that day."""
    return DAY + timedelta(minutes=minutes)


def run(start: float, end: float | None = None, **change: Any) -> CellRun:
    """Make an execution in `train.ipynb` that ended well, or still runs."""
    made = CellRun(
        id=f"e{next(_numbers)}",
        time=at(start),
        until=None if end is None else at(end),
        kernel_id="k1",
        path="train.ipynb",
        cell_id="c1",
        execution_count=14,
        seconds=None if end is None else (end - start) * 60,
        outcome="running" if end is None else "finished",
        error_name=None,
        error_text=None,
        times=1,
        others=0,
    )
    return replace(made, **change)


def failed(start: float, end: float, **change: Any) -> CellRun:
    """Make one that ended with an error."""
    error = {"outcome": "failed", "error_name": "KeyError", "error_text": "'station_id'"}
    return run(start, end, **{**error, **change})


def cells(start: float, end: float, count: int = 3, **change: Any) -> CellsRan:
    """Make some quick ones."""
    made = CellsRan(
        id=f"e{next(_numbers)}",
        time=at(start),
        until=at(end),
        kernel_id="k1",
        path="train.ipynb",
        cell_id="c3",
        execution_count=count,
        cells=count,
        seconds=6.0,
        longest_seconds=4.0,
    )
    return replace(made, **change)


def kernel(minutes: float, action: Any = "died", **change: Any) -> KernelEvent:
    """Make a death of the kernel of `train.ipynb`, or what else became of it."""
    made = KernelEvent(
        id=f"e{next(_numbers)}",
        time=at(minutes),
        kernel_id="k1",
        path="train.ipynb",
        name="train.ipynb",
        action=action,
        cause=Reason(code="kernel_exited", message="ended", params={"exit_code": 1})
        if action == "died"
        else None,
        execution_count=14 if action == "died" else None,
        cell_id="c1" if action == "died" else None,
        restarted=True,
        stays=False,
        times=1,
    )
    return replace(made, **change)


def file(minutes: float, action: Any, path: str, source: str | None = None) -> FileEvent:
    """Make a change of a file."""
    return FileEvent(
        id=f"e{next(_numbers)}",
        time=at(minutes),
        until=at(minutes),
        action=action,
        path=path,
        source_path=source,
        times=1,
    )


def program(
    minutes: float, action: Any, name: str = "TensorBoard", kind: Any = "application"
) -> ProgramEvent:
    """Make a beginning or an end of an application, or of the server."""
    return ProgramEvent(
        id=f"e{next(_numbers)}",
        time=at(minutes),
        program=kind,
        program_id=name,
        name=name,
        action=action,
        reason=None,
    )


def notice(minutes: float, **change: Any) -> Notice:
    """Make the notice of a full disk."""
    made = Notice(
        id="disk:home",
        time=at(minutes),
        feature="usage",
        severity="warning",
        code="disk_full",
        message="The disk is nearly full.",
        params={},
        kernel_id=None,
        path=None,
    )
    return replace(made, **change)
