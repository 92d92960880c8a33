"""What is remembered from one life of the process to the next, for each start of the server."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from ..store import Connection, Store, Unusable
from . import store
from .notices import Spoken
from .published import PublishedState
from .starts import MOST_STARTS, Start, heard

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Start).decode


class Remembered:
    """Keeps the starts of one server, as a `store.Keeper`.

    Parameters
    ----------
    directory:
        The server's own, see `state.state_directory`; made if need be.
    start:
        Name of the present start.
    now:
        When this is, in seconds since 1970.
    log:
        Told of faults as they begin and end.
    options:
        Further arguments of the `Store`.
    """

    def __init__(
        self,
        directory: Path,
        start: str,
        *,
        now: Callable[[], float],
        log: logging.Logger,
        **options: Any,
    ) -> None:
        self._lock = threading.Lock()
        self._now = now
        self._id = start
        self._starts: dict[str, Start] = {}
        self._begun = Start(id=start, first_seen=now())
        self._is_read = False
        self._is_lost = False
        self._is_dirty = True
        self.on_read: Callable[[], None] = lambda: None
        """Called once, in the store's thread, when it is known."""
        self._store: Store[dict[str, bytes]] = Store(
            directory / "idle.sqlite",
            self,
            migrations=store.MIGRATIONS,
            flush_seconds=60.0,
            log=log,
            **options,
        )

    def start(self) -> None:
        """Begin to read and write the disk; returns at once."""
        self._store.start()

    def stop(self, wait_seconds: float) -> bool:
        """Write what there is; return whether that was done in time."""
        return self._store.stop(wait_seconds)

    @property
    def begun_at(self) -> float:
        """When this life of the process began, in seconds since 1970."""
        return self._begun.first_seen

    @property
    def present(self) -> Start | None:
        """The present start; None while the file is being opened.

        What cannot be read, or was lost, may have begun at any time.
        """
        now = self._now()
        with self._lock:
            if not self._is_read:
                fault = self._store.fault
                if fault is not None and fault.kind == "opening":
                    return None
                return replace(self._begun, first_seen=0.0)
            known = self._starts[self._id]
            if known.first_seen > now:
                # The clock was ahead.
                known = self._starts[self._id] = replace(known, first_seen=now)
                self._is_dirty = True
            return known

    def hear(self, state: PublishedState) -> None:
        """Take note of what a controller published of this start."""
        self._change(lambda start: heard(start, state))

    def speak(self, spoken: Spoken | None) -> None:
        """Take note of what was said of this start."""
        self._change(lambda start: replace(start, spoken=spoken))

    def _change(self, change: Callable[[Start], Start]) -> None:
        with self._lock:
            if not self._is_read:
                return
            before = self._starts[self._id]
            after = change(before)
            if after == before:
                return
            self._starts[self._id] = after
            self._is_dirty = True
        self._store.flush()

    # As a `store.Keeper`, in the store's thread.

    def held(self, directory: Path, *, waited: bool) -> None:
        """Nothing else of it is in the folder."""

    def load(self, connection: Connection) -> None:
        """Take in what the file has, once; after a fault it is written anew."""
        rows = store.read(connection)
        with self._lock:
            if self._is_read:
                self._is_dirty = True
                return
            for name, row in rows.items():
                try:
                    self._starts[name] = _decode(row)
                except (msgspec.MsgspecError, UnicodeError) as error:
                    raise Unusable(f"a start in it makes no sense: {error}") from error
            # A clock that was ahead at first would make the server too young.
            known = self._starts.get(self._id, self._begun)
            first = 0.0 if self._is_lost else min(known.first_seen, self._begun.first_seen)
            self._starts[self._id] = replace(known, first_seen=first)
            self._is_read = True
        self.on_read()

    def changes(self) -> dict[str, bytes] | None:
        """Return all starts, if any of them changed."""
        with self._lock:
            if not self._is_dirty:
                return None
            self._is_dirty = False
            others = [one for one in self._starts.values() if one.id != self._id]
            others.sort(key=lambda one: one.first_seen)
            kept = [*others[-(MOST_STARTS - 1) :], self._starts.get(self._id, self._begun)]
            return {one.id: _encode(one) for one in kept}

    def write(self, connection: Connection, changes: dict[str, bytes]) -> None:
        """Write them, within a transaction."""
        store.write(connection, changes)

    def written(self, changes: dict[str, bytes]) -> None:
        """Nothing waits for it."""

    def put_back(self, changes: dict[str, bytes]) -> None:
        """Know that they are not on disk."""
        self._is_dirty = True

    def set_aside(self, aside: Path) -> None:
        """Know that what was remembered is lost: this start may be of any age."""
        with self._lock:
            self._is_lost = True
