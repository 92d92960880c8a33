"""Tells when a notebook is done: when all cells that were to run have.

A kernel that does nothing for a moment has done all that it was asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from ..models import Notice
from ..notices import Board
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


@dataclass
class _Work:
    """What was done of one notebook."""

    last: CellRun
    cells: int = 0
    seconds: float = 0.0


@dataclass
class _Go:
    """What a kernel does from one pause to the next."""

    running: int = 0
    work: dict[str | None, _Work] = field(default_factory=dict)
    """By the notebooks' paths: several may share a kernel."""
    timer: asyncio.TimerHandle | None = None

    def count(self, run: CellRun) -> None:
        """Add an execution that ended to what was done of its notebook."""
        work = self.work.setdefault(run.path, _Work(run))
        work.last = run
        work.cells += 1
        work.seconds += run.seconds or 0.0


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
    are_deaths_told:
        Whether somebody else tells that a kernel died, and why.
    """

    def __init__(
        self,
        board: Board,
        *,
        is_awaited: Callable[[str], bool],
        settle: Callable[[str], None],
        are_deaths_told: Callable[[], bool],
    ) -> None:
        self._board = board
        self._is_awaited = is_awaited
        self._settle = settle
        self._are_deaths_told = are_deaths_told
        self._goes: dict[str, _Go] = {}
        self._told: dict[tuple[str, str | None], Notice] = {}
        """The last notice of each kernel and notebook, the oldest first."""

    def stop(self) -> None:
        """Tell nothing any more, and take down what was told."""
        for go in self._goes.values():
            _cancel(go)
        self._goes.clear()
        for notice in self._told.values():
            self._board.withdraw(notice.id)
        self._told.clear()

    def began(self, kernel_id: str) -> None:
        """Know that an execution began; what was told of the kernel is over."""
        go = self._goes.setdefault(kernel_id, _Go())
        go.running += 1
        _cancel(go)
        for of in [of for of in self._told if of[0] == kernel_id]:
            self._board.withdraw(self._told.pop(of).id)

    def ended(self, kernel_id: str) -> None:
        """Know that an execution ended; of which notebook it was is told in a moment."""
        go = self._goes.setdefault(kernel_id, _Go())
        go.running = max(go.running - 1, 0)
        self._wait(kernel_id, go)

    def recorded(self, run: CellRun) -> None:
        """Know what an execution was that ended."""
        if run.outcome in ("finished", "failed", "died"):
            go = self._goes.setdefault(run.kernel_id, _Go())
            go.count(run)
            self._wait(run.kernel_id, go)
        elif run.outcome not in ("interrupted", "unknown"):
            go = self._goes.pop(run.kernel_id, _Go())
            _cancel(go)
            for path in (run.path, *go.work):
                if path is not None:
                    self._settle(path)  # somebody wanted it

    def died(self, kernel_id: str, paths: Collection[str], now: datetime) -> None:
        """Know that a kernel died, after all that ran in it was recorded.

        What it did at last may have been too short to be heard of.
        """
        go = self._goes.pop(kernel_id, _Go())
        _cancel(go)
        for path in dict.fromkeys([*paths, *go.work]):
            work = go.work.get(path)
            seconds = 0.0 if work is None else work.seconds
            asked = path is not None and self._is_awaited(path)
            if (asked or seconds >= LONG_SECONDS) and not self._are_deaths_told():
                self._post(_death(kernel_id, path, now, seconds, asked=asked))
            if path is not None:
                self._settle(path)

    def withdraw_all(self, before: datetime) -> None:
        """Take down what was told up to a moment."""
        for of, notice in list(self._told.items()):
            if notice.time <= before:
                self._board.withdraw(self._told.pop(of).id)

    def look(self, now: datetime) -> None:
        """Take down what is old."""
        self.withdraw_all(now - _KEPT)

    def _wait(self, kernel_id: str, go: _Go) -> None:
        _cancel(go)
        if go.running == 0:
            loop = asyncio.get_running_loop()
            go.timer = loop.call_later(_PAUSE_SECONDS, self._tell, kernel_id)

    def _tell(self, kernel_id: str) -> None:
        go = self._goes.pop(kernel_id)
        for work in go.work.values():
            path = work.last.path
            asked = path is not None and self._is_awaited(path)
            if asked or work.seconds >= LONG_SECONDS:
                self._post(_end(work, asked=asked))
            if asked and path is not None:
                self._settle(path)

    def _post(self, notice: Notice) -> None:
        of = notice.kernel_id or "", notice.path
        before = self._told.pop(of, None)
        if before is not None:
            self._board.withdraw(before.id)
        self._told[of] = notice
        self._board.post(notice)
        while len(self._told) > _MOST:
            self._board.withdraw(self._told.pop(next(iter(self._told))).id)


def _cancel(go: _Go) -> None:
    if go.timer is not None:
        go.timer.cancel()
        go.timer = None


def _end(work: _Work, *, asked: bool) -> Notice:
    """Say that a notebook is done."""
    run = work.last
    name, took = name_of(run.path, run.kernel_id), duration(work.seconds)
    severity: Literal["info", "warning"] = "info"
    if run.outcome == "failed":
        severity, code = "warning", "run_failed"
        message = f"{name} stopped after {took}: {run.error_name or 'an error'}."
    else:
        code = "run_finished"
        many = f"{work.cells} {'cell' if work.cells == 1 else 'cells'}"
        message = f"{name} is done: {many} in {took}."
    until = run.until or run.time
    return Notice(
        id=_notice_id(run.kernel_id, run.path, until),
        time=until,
        feature="activity",
        severity=severity,
        code=code,
        message=message,
        params={
            "name": name,
            "seconds": work.seconds,
            "cells": work.cells,
            "asked": 1 if asked else 0,
            "error": run.error_name or "",
        },
        kernel_id=run.kernel_id,
        path=run.path,
    )


def _death(
    kernel_id: str, path: str | None, now: datetime, seconds: float, *, asked: bool
) -> Notice:
    """Say that a notebook will not be done."""
    name = name_of(path, kernel_id)
    return Notice(
        id=_notice_id(kernel_id, path, now),
        time=now,
        feature="activity",
        severity="warning",
        code="run_died",
        message=f"{name} is not done: its kernel died.",
        params={"name": name, "seconds": seconds, "asked": 1 if asked else 0},
        kernel_id=kernel_id,
        path=path,
    )


def _notice_id(kernel_id: str, path: str | None, moment: datetime) -> str:
    """Return what no other notice has: several notebooks of a kernel may end at one moment."""
    return f"run:{kernel_id}:{rfc3339(moment)}:{path or ''}"
