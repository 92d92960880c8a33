"""What all instances of a server share."""

from __future__ import annotations

import asyncio
import itertools
import logging
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...threads import in_thread
from ..registry import Registry
from ..remembered import Remembered
from .run import make_directory

#: Held until they are done: asyncio itself does not.
_removing: set[asyncio.Task[None]] = set()


def remove(directory: Path) -> None:
    """Remove what a start has made. Blocks."""
    shutil.rmtree(directory, ignore_errors=True)


def remove_soon(directory: Path) -> None:
    """Remove it while other work goes on; called on the loop."""
    _removing.add(removing := asyncio.ensure_future(in_thread(remove, directory)))
    removing.add_done_callback(_removing.discard)


@dataclass(kw_only=True)
class Surroundings:
    """The server around the instances, and what they tell it."""

    registry: Registry
    remembered: Remembered
    base_url: str
    """Of the server; ends with a slash."""
    root: str
    """The folder that the server shows, and where programs start."""
    environ: Mapping[str, str] = field(repr=False)
    log: logging.Logger
    start_seconds: float
    """How long a start may take."""
    log_bytes: int
    """Size at which a new log begins."""
    on_change: Callable[[], None]
    """Called on the loop whenever an instance looks different."""
    _directory: Path | None = None
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def new_directory(self) -> Path:
        """Make a private folder for one start. Blocks.

        Raises
        ------
        OSError
            There is no place for it.
        """
        with self._lock:
            if self._directory is None or not self._directory.is_dir():  # somebody tidied up
                self._directory = make_directory()
            made = self._directory / str(next(self._numbers))
            made.mkdir(mode=0o700)
            return made

    def remove_directories(self) -> None:
        """Remove all of them. Blocks."""
        with self._lock:
            if self._directory is not None:
                remove(self._directory)
