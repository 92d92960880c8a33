"""What is remembered of each application from server to server.

How long its last start took, so that the next one can be told in advance, and the
folders that it was opened on.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from ..store import Connection, Store
from . import store

#: Folders that are remembered; nobody looks further back.
MOST_FOLDERS = 10

#: A person opens something, or a start is over: both are seldom.
_FLUSH_SECONDS = 60.0


class AppMemory(Struct, kw_only=True):
    """Of one application."""

    start_seconds: float | None = None
    folders: dict[str, float] = {}
    """When each was last used, in seconds since 1970; 0 for one that is to be forgotten."""


class Remembered:
    """Answers from memory at once; what changes goes to disk soon.

    Parameters
    ----------
    directory:
        The server's own, see `state.state_directory`.
    on_loaded:
        Called in the store's thread when what earlier servers knew is there.
    options:
        Further arguments of the `Store`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        log: logging.Logger,
        on_loaded: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.time,
        **options: Any,
    ) -> None:
        self._lock = threading.Lock()
        self._apps: dict[str, AppMemory] = {}
        self._changed: set[str] = set()
        self._on_loaded = on_loaded
        self._now = now
        self._store: Store[dict[str, bytes]] = Store(
            directory / "apps.sqlite",
            self,
            migrations=store.MIGRATIONS,
            flush_seconds=_FLUSH_SECONDS,
            log=log,
            **options,
        )

    def start(self) -> None:
        """Begin to read; returns at once."""
        self._store.start()

    def stop(self, wait_seconds: float) -> None:
        """Write what there is."""
        self._store.stop(wait_seconds)

    def start_seconds(self, app: str) -> float | None:
        """Return how long the application's last start took."""
        with self._lock:
            memory = self._apps.get(app)
            return memory.start_seconds if memory else None

    def folders(self, app: str) -> list[str]:
        """Return the folders that it was opened on, the latest first."""
        with self._lock:
            return _latest(self._apps.get(app, AppMemory()).folders)

    def started(self, app: str, seconds: float) -> None:
        """Remember how long a start took."""
        with self._lock:
            self._memory(app).start_seconds = round(seconds, 3)

    def opened(self, app: str, folder: str) -> None:
        """Remember a folder that it was opened on."""
        if any("\ud800" <= letter <= "\udfff" for letter in folder):
            return  # its name is no text, and so has no JSON
        with self._lock:
            folders = self._memory(app).folders
            folders[folder] = self._now()
            for old in _latest(folders)[MOST_FOLDERS:]:
                del folders[old]
        self._store.flush()

    def forget(self, app: str, folder: str) -> None:
        """Remember a folder no more."""
        with self._lock:
            self._memory(app).folders[folder] = 0.0
        self._store.flush()

    def _memory(self, app: str) -> AppMemory:
        self._changed.add(app)
        return self._apps.setdefault(app, AppMemory(folders={}))

    # As the store's keeper, in its thread.

    def held(self, directory: Path, *, waited: bool) -> None:
        """Keep nothing beside the file."""

    def load(self, connection: Connection) -> None:
        """Merge the file with what happened meanwhile."""
        rows = store.read(connection)
        with self._lock:
            for app, row in rows.items():
                try:
                    before = msgspec.json.decode(row, type=AppMemory)
                except (msgspec.MsgspecError, UnicodeError):
                    continue
                known = self._apps.get(app) or AppMemory(folders={})
                merged = {**before.folders, **known.folders}
                self._apps[app] = AppMemory(
                    start_seconds=known.start_seconds or before.start_seconds,
                    folders={folder: merged[folder] for folder in _latest(merged)[:MOST_FOLDERS]},
                )
        self._on_loaded()

    def changes(self) -> dict[str, bytes] | None:
        """Return what the file lacks."""
        with self._lock:
            changed, self._changed = self._changed, set()
            return {app: _row(self._apps[app]) for app in changed} or None

    def write(self, connection: Connection, changes: dict[str, bytes]) -> None:
        """Write it, within a transaction."""
        store.write(connection, changes)

    def written(self, changes: dict[str, bytes]) -> None:
        """Know that it is on disk."""

    def put_back(self, changes: Iterable[str]) -> None:
        """Know that it is not."""
        with self._lock:
            self._changed.update(changes)

    def set_aside(self, aside: Path) -> None:
        """Begin anew: nothing of it is worth a word."""


def _latest(folders: dict[str, float]) -> list[str]:
    used = sorted(folders.items(), key=lambda entry: entry[1], reverse=True)
    return [folder for folder, when in used if when > 0 and os.path.isabs(folder)]  # noqa: PTH117


def _row(memory: AppMemory) -> bytes:
    kept = {folder: memory.folders[folder] for folder in _latest(memory.folders)}
    return msgspec.json.encode(AppMemory(start_seconds=memory.start_seconds, folders=kept))
