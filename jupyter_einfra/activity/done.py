"""Tells when a notebook is done: when all cells that were to run have.

A kernel that begins with nothing for a moment has done all that it was asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from ..models import Notice
from ..wording import duration, rfc3339
from .journal import LONG_SECONDS
from .models import CellRun
from .words import name_of

#: Cells that were asked for together follow each other within this time.
_PAUSE_SECONDS = 2.0

#: News is old after that, and a digest tells it better.
_KEPT = timedelta(hours=12)

#: Notices of this kind at a time.
_MOST = 10


class Board(Protocol):
    """Where notices are put up."""

    def post(self, notice: Notice) -> None: ...

    def withdraw(self, notice_id: str) -> None: ...


@dataclass
class _Go:
    """What a kernel does from one pause to the next."""

    began: datetime | None = None
    cells: int = 0
    last: CellRun | None = None
    timer: asyncio.TimerHandle | None = None


class Done:
    """Watches executions. Used on the server's event loop.

    Parameters
    ----------
    board:
        Where notices are put up.
    is_awaited:
        Whether the owner wants to be told of a notebook.
    settle:
        Called with a notebook that was waited for, when it is done.
    """

    def __init__(
        self,
        board: Board,
        *,
        is_awaited: Callable[[str], bool],
        settle: Callable[[str], None],
    ) -> None:
        self._board = board
        self._is_awaited = is_awaited
        self._settle = settle
        self._goes: dict[str, _Go] = {}
        self._told: dict[str, Notice] = {}
        """The last notice of each kernel, the oldest first."""

    def stop(self) -> None:
        """Tell nothing any more."""
        for go in self._goes.values():
            if go.timer is not None:
                go.timer.cancel()
        self._goes.clear()

    def began(self, kernel_id: str) -> None:
        """Know that an execution began; what was told of the kernel is over."""
        go = self._goes.setdefault(kernel_id, _Go())
        if go.timer is not None:
            go.timer.cancel()
            go.timer = None
        self.withdraw(kernel_id)

    def ended(self, run: CellRun) -> None:
        """Know that an execution ended."""
        go = self._goes.setdefault(run.kernel_id, _Go())
        if go.timer is not None:
            go.timer.cancel()
            go.timer = None
        if run.outcome not in ("finished", "failed"):
            # Somebody wanted it, or its kernel's own notice tells.
            del self._goes[run.kernel_id]
            if run.path is not None and run.outcome in ("died", "restarted", "shut-down"):
                self._settle(run.path)
            return
        go.began = run.time if go.began is None else min(go.began, run.time)
        go.cells += 1
        go.last = run
        loop = asyncio.get_running_loop()
        go.timer = loop.call_later(_PAUSE_SECONDS, self._tell, run.kernel_id)

    def withdraw(self, kernel_id: str) -> None:
        """Take down what was told of a kernel."""
        notice = self._told.pop(kernel_id, None)
        if notice is not None:
            self._board.withdraw(notice.id)

    def withdraw_all(self, before: datetime) -> None:
        """Take down what was told of all kernels up to a moment."""
        for kernel_id, notice in list(self._told.items()):
            if notice.time <= before:
                self.withdraw(kernel_id)

    def look(self, now: datetime) -> None:
        """Take down what is old."""
        self.withdraw_all(now - _KEPT)

    def _tell(self, kernel_id: str) -> None:
        go = self._goes.pop(kernel_id)
        run = go.last
        if run is None or run.until is None or go.began is None:
            return
        asked = run.path is not None and self._is_awaited(run.path)
        seconds = max((run.until - go.began).total_seconds(), run.seconds or 0.0)
        if not asked and seconds < LONG_SECONDS:
            return
        notice = _notice(run, run.until, seconds, go.cells, asked=asked)
        self._told[kernel_id] = notice
        self._board.post(notice)
        while len(self._told) > _MOST:
            self.withdraw(next(iter(self._told)))
        if asked and run.path is not None:
            self._settle(run.path)


def _notice(run: CellRun, until: datetime, seconds: float, cells: int, *, asked: bool) -> Notice:
    name = name_of(run.path, run.kernel_id)
    failed = run.outcome == "failed"
    took = duration(seconds)
    severity: Literal["info", "warning"] = "warning" if failed else "info"
    if failed:
        error = run.error_name or "an error"
        message = f"{name} stopped after {took}: {error}."
    else:
        message = f"{name} is done: {cells} {'cell' if cells == 1 else 'cells'} in {took}."
    return Notice(
        id=f"run:{run.kernel_id}:{rfc3339(until)}",
        time=until,
        feature="activity",
        severity=severity,
        code="run_failed" if failed else "run_finished",
        message=message,
        params={
            "name": name,
            "seconds": seconds,
            "cells": cells,
            "asked": 1 if asked else 0,
            "error": run.error_name or "",
        },
        kernel_id=run.kernel_id,
        path=run.path,
    )
