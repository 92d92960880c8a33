"""Which notebooks a kernel runs, and in which of several a cell is."""

from __future__ import annotations

import asyncio
import inspect
import logging
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

#: No cell is looked for in a notebook that is larger.
_MOST_BYTES = 50_000_000


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
        self._timer: asyncio.TimerHandle | None = None
        self._known = asyncio.Event()
        self._known.set()

    def stop(self) -> None:
        """Look nothing up any more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._reading is not None:
            self._reading.cancel()

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
        if self._timer is not None or (self._reading is not None and not self._reading.done()):
            return
        self._known.clear()
        wait = max(self._read_at + _FRESH_SECONDS - time.monotonic(), 0.0)
        self._timer = asyncio.get_running_loop().call_later(wait, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        try:
            sessions = self._session_manager.list_sessions()
            if inspect.isawaitable(sessions):
                sessions = await asyncio.wait_for(sessions, _TIMEOUT_SECONDS)
            self._names = all_names_of_kernels(sessions)
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
            file = self._root / path.removeprefix("RTC:")
            try:
                if file.stat().st_size <= _MOST_BYTES and any(
                    cell.id == cell_id for cell in _decode(file.read_bytes()).cells
                ):
                    return path
            except (OSError, ValueError, msgspec.MsgspecError, UnicodeError):
                continue  # it is looked for in the others
        return None
