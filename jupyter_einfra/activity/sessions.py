"""Which notebooks a kernel runs, and in which of several a cell is."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import stat
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..kernels.names import Named, all_names_of_kernels, tidy
from ..threads import in_thread

#: While cells run, names are looked up again no sooner than this: notebooks get new names.
_FRESH_SECONDS = 0.5

#: Nobody tells of a notebook that joins a kernel.
_OLD_SECONDS = 30.0

#: Sessions of a gateway are far away.
_TIMEOUT_SECONDS = 30.0

#: A page tells the server of a new name of its notebook in two steps.
_RENAME_SECONDS = 2.0

#: No cell is looked for in a notebook that is larger.
_MOST_BYTES = 50_000_000

#: Notebooks whose cells are remembered, of those that share a kernel.
_MOST_NOTEBOOKS = 20


class _Cell(msgspec.Struct):
    id: str = ""


class _Notebook(msgspec.Struct):
    cells: list[_Cell] = []


_decode = msgspec.json.Decoder(_Notebook).decode


class Sessions:
    """Knows the names of kernels, as of a moment ago. Used on the server's event loop.

    Parameters
    ----------
    session_manager:
        The server's own, of any make.
    root:
        The folder that the server shows.
    on_known:
        Called when names were looked up.
    log:
        For what should not happen.
    """

    def __init__(
        self,
        session_manager: Any,
        root: Path,
        on_known: Callable[[], None],
        log: logging.Logger,
    ) -> None:
        self._session_manager = session_manager
        self._root = root
        self._on_known = on_known
        self._log = log
        self._names: dict[str, list[Named]] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._timers: set[asyncio.TimerHandle] = set()
        self._is_due = False
        self._cells: dict[str, tuple[tuple[int, int], frozenset[str]]] = {}
        """Ids of the cells of notebooks, as of their time of change and size."""
        self._known = asyncio.Event()
        self._known.set()

    def stop(self) -> None:
        """Look nothing up any more, until that is asked for again."""
        for pending in (*self._timers, self._reading):
            if pending is not None:
                pending.cancel()
        self._timers.clear()
        self._is_due = False
        self._reading = None
        self._known.set()

    def named(self, kernel_id: str, otherwise: str) -> Named:
        """Return what people call a kernel; without a session by another name."""
        return self.all_of(kernel_id, otherwise)[0]

    def all_of(self, kernel_id: str, otherwise: str = "") -> Sequence[Named]:
        """Return all that a kernel is called."""
        return self._names.get(kernel_id) or [Named(tidy(otherwise or kernel_id), None)]

    def paths(self, kernel_id: str) -> list[str]:
        """Return the notebooks and files of a kernel."""
        return [named.path for named in self._names.get(kernel_id, ()) if named.path]

    @property
    def are_old(self) -> bool:
        """Whether a notebook may have come meanwhile that shares a kernel."""
        return time.monotonic() - self._read_at > _OLD_SECONDS

    @property
    def are_coming(self) -> bool:
        """Whether names are being looked up, or will be in a moment."""
        return not self._known.is_set()

    async def come(self) -> None:
        """Wait for names that are being looked up."""
        await self._known.wait()

    def look_up(self) -> None:
        """Look the names up, unless that was just done: then in a moment."""
        if self._is_due or (self._reading is not None and not self._reading.done()):
            return
        self._is_due = True
        self._known.clear()
        self._later(self._begin, max(self._read_at + _FRESH_SECONDS - time.monotonic(), 0.0))

    def look_up_after_rename(self) -> None:
        """Look the names up when the page has told the server that its notebook has a new one."""
        self._later(self.look_up, _RENAME_SECONDS)

    def _later(self, work: Callable[[], None], seconds: float) -> None:
        def run() -> None:
            self._timers.discard(timer)
            work()

        timer = asyncio.get_running_loop().call_later(seconds, run)
        self._timers.add(timer)

    def _begin(self) -> None:
        self._is_due = False
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        try:
            sessions = self._session_manager.list_sessions()
            if inspect.isawaitable(sessions):
                sessions = await asyncio.wait_for(sessions, _TIMEOUT_SECONDS)
            self._names = {
                kernel_id: [_within_root(named) for named in names]
                for kernel_id, names in all_names_of_kernels(sessions).items()
            }
        except Exception as error:  # noqa: BLE001 - the names stay what they were
            self._log.debug("Sessions could not be listed: %s", error)
        self._read_at = time.monotonic()
        self._known.set()
        self._on_known()

    async def notebook_with(self, cell_id: str, paths: Sequence[str]) -> str | None:
        """Return the notebook that has a cell; None if none of them has, as saved."""
        return await in_thread(self._notebook_with, cell_id, paths)

    def _notebook_with(self, cell_id: str, paths: Sequence[str]) -> str | None:
        for path in paths:
            try:
                if cell_id in self._cells_of(path):
                    return path
            except (OSError, ValueError, msgspec.MsgspecError, UnicodeError):
                continue  # it is looked for in the others
        return None

    def _cells_of(self, path: str) -> frozenset[str]:
        """Read the ids of a notebook's cells; a path is what a page says, and may be anything."""
        if ".." in path.split("/"):
            raise ValueError(path)
        # Not to wait for a pipe that nobody writes to.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
        file = os.open(self._root / path.lstrip("/"), flags)
        with os.fdopen(file, "rb") as opened:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise ValueError(path)
            version = status.st_mtime_ns, status.st_size
            known = self._cells.get(path)
            if known is not None and known[0] == version:
                return known[1]
            content = opened.read(_MOST_BYTES + 1)
        found = frozenset[str]()
        if len(content) <= _MOST_BYTES:
            found = frozenset(cell.id for cell in _decode(content).cells)
        while len(self._cells) >= _MOST_NOTEBOOKS:
            self._cells.pop(next(iter(self._cells)), None)
        self._cells[path] = version, found
        return found


def _within_root(named: Named) -> Named:
    """Leave out what JupyterLab's real-time collaboration puts before a path."""
    return Named(named.name, None if named.path is None else named.path.removeprefix("RTC:"))
