"""What is recorded, in memory at once and on disk soon, from one life of the server to the next."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from .. import keeping
from ..models import Reason
from ..store import Connection, Store, Unusable
from . import store
from .journal import KEPT, Journal, utc
from .models import ActivityEvent, CellRun
from .presence import Presence

#: Of things that were seen; the oldest make room.
MOST_SEEN = 200

#: Notebooks that somebody waits for.
MOST_AWAITED = 50


class Standing(Struct, frozen=True, kw_only=True):
    """Where things stand, beside what happened."""

    recording: bool = True
    presence: Presence = Presence()
    seen: list[str] = []
    """Ids of facts that the owner was shown, the oldest first."""
    awaited: list[str] = []
    """Notebooks of which the owner wants to be told when they are done."""
    alive_at: float = 0.0
    """When the server was last known to live, in seconds since 1970."""


_encode = msgspec.json.Encoder().encode
_decode_event = msgspec.json.Decoder(ActivityEvent).decode
_decode_standing = msgspec.json.Decoder(Standing).decode


class Remembered:
    """Keeps a journal and where things stand, as a `store.Keeper`.

    Parameters
    ----------
    directory:
        The server's own, see `state.state_directory`; made if need be.
    now:
        When this is, in seconds since 1970.
    log:
        Told of faults as they begin and end.
    on_read:
        Called once, in the store's thread, when what there was is known.
    flush_seconds:
        Time between two transactions, and so what a sudden end may lose.
    options:
        Further arguments of the `Store`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        now: Callable[[], float],
        log: logging.Logger,
        on_read: Callable[[], None] = lambda: None,
        flush_seconds: float = 60.0,
        **options: Any,
    ) -> None:
        self._lock = threading.RLock()
        self._now = now
        self._on_read = on_read
        self._directory = directory
        self._journal = Journal(secrets.token_hex(6))
        self._standing = Standing(alive_at=now())
        self._is_read = False
        self._store: Store[store.Batch] = Store(
            directory / "activity.sqlite",
            self,
            migrations=store.MIGRATIONS,
            flush_seconds=flush_seconds,
            log=log,
            **options,
        )

    def start(self) -> None:
        """Begin to read and write the disk; returns at once."""
        self._store.start()

    def stop(self, wait_seconds: float) -> bool:
        """Write what there is; return whether that was done in time."""
        return self._store.stop(wait_seconds)

    def flush(self) -> None:
        """Write soon: what is there now should not be lost."""
        self._store.flush()

    @property
    def reason(self) -> Reason | None:
        """Why nothing of it is kept on disk; None when it is."""
        fault = self._store.fault
        if fault is None:
            return None
        # Names of files are bytes, maybe of no text.
        detail, folder = (
            os.fsencode(name).decode("utf-8", "replace") for name in (fault.detail, self._directory)
        )
        return keeping.reason(fault.kind, detail, folder)

    @property
    def is_read(self) -> bool:
        """Whether what earlier lives left is known."""
        return self._is_read

    @property
    def is_being_read(self) -> bool:
        """Whether it will be known in a moment."""
        fault = self._store.fault
        return not self._is_read and fault is not None and fault.kind == "opening"

    @contextmanager
    def journal(self) -> Iterator[Journal]:
        """Hold the journal, to read or to change it."""
        with self._lock:
            yield self._journal

    @property
    def standing(self) -> Standing:
        """Where things stand."""
        return self._standing

    def change(self, **changes: Any) -> Standing:
        """Have things stand otherwise; the fields are those of `Standing`."""
        with self._lock:
            self._standing = replace(self._standing, **changes)
            return self._standing

    def events(self) -> list[ActivityEvent]:
        """Return all that was recorded, in no particular order."""
        with self._lock:
            return list(self._journal)

    # As a `store.Keeper`, in the store's thread.

    def held(self, directory: Path, *, waited: bool) -> None:
        """Nothing else of it is in the folder."""

    def load(self, connection: Connection) -> None:
        """Take in what the file has; after a fault, memory knows better."""
        store.forget_well(connection)
        try:
            events = [_decode_event(row) for row in store.events(connection)]
            row = store.standing(connection)
            before = None if row is None else _decode_standing(row)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise Unusable(f"a record in it makes no sense: {error}") from error
        with self._lock:
            if self._is_read:
                self._journal.load(events)
                self._journal.rewrite()
                return
            ended_at = utc(self._now() if before is None else before.alive_at)
            self._journal.load(events)
            for event in events:
                if isinstance(event, CellRun) and event.until is None:
                    self._journal.put(_lost(event, ended_at))
            if before is not None:
                self._standing = _merged(before, self._standing)
            if not self._standing.recording:
                # It was switched off before; what was recorded since this life began is not wanted.
                for event in list(self._journal):
                    if self._journal.is_ours(event.id):
                        self._journal.remove(event.id)
            self._is_read = True
        self._on_read()

    def changes(self) -> store.Batch:
        """Return what is not on disk yet, and that the server lives."""
        with self._lock:
            now = self._now()
            self._journal.forget_before(utc(now) - KEPT)
            presence = self._standing.presence.see(now).settled(now)
            self._standing = replace(self._standing, alive_at=now, presence=presence)
            changes = self._journal.changes()
        encoded = {event.id: _encode(event) for event in changes.events}
        return store.Batch(encoded, changes.gone, changes.is_anew, _encode(self._standing))

    def write(self, connection: Connection, changes: store.Batch) -> None:
        """Write it, within a transaction."""
        store.write(connection, changes)

    def written(self, changes: store.Batch) -> None:
        """Nothing waits for it."""

    def put_back(self, changes: store.Batch) -> None:
        """Know that it is not on disk."""
        with self._lock:
            self._journal.put_back(changes.events, changes.gone, is_anew=changes.is_anew)

    def set_aside(self, aside: Path) -> None:
        """Know that what was recorded before is lost."""


def _lost(run: CellRun, ended_at: datetime) -> CellRun:
    """Return an execution that ended with its server."""
    until = max(run.time, ended_at)
    seconds = (until - run.time).total_seconds()
    return replace(run, until=until, seconds=seconds, outcome="server-ended")


def _merged(before: Standing, since: Standing) -> Standing:
    """Return where things stand, from what was before and what became since this life began."""
    presence = before.presence.woken()
    here = since.presence.came_at
    return replace(
        before,
        presence=presence if here is None else replace(presence, came_at=None),
        alive_at=since.alive_at,
        seen=[*before.seen, *since.seen][-MOST_SEEN:],
        awaited=list(dict.fromkeys([*before.awaited, *since.awaited]))[-MOST_AWAITED:],
    )
