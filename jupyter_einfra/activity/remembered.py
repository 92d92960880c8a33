"""What is recorded, in memory at once and on disk soon, from one life of the server to the next."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ..models import Reason
from ..store import Connection, Store, Unusable
from . import store
from .journal import KEPT, Journal
from .models import ActivityEvent, CellRun
from .moments import utc
from .presence import Presence
from .records import Records

#: Of things that were seen; the oldest make room.
MOST_SEEN = 200

#: A clock that moves by so much between two writes is not believed at once: what is old by
#: it is forgotten only if it says so again.
_LEAP_SECONDS = 86400.0

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
    allowed:
        Whether anything may be recorded at all; else nothing is read or written.
    on_read:
        Called once, in the store's thread, when what there was is known.
    least_absence_seconds:
        See `Presence.come`.
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
        allowed: bool = True,
        on_read: Callable[[], None] = lambda: None,
        least_absence_seconds: float = 0.0,
        flush_seconds: float = 60.0,
        **options: Any,
    ) -> None:
        self._lock = threading.RLock()
        self._now = now
        self._allowed = allowed
        self._on_read = on_read
        self._directory = directory
        self._journal = Journal(secrets.token_hex(6))
        self._standing = Standing(alive_at=now())
        self._is_read = False
        self._least_absence_seconds = least_absence_seconds
        self._decided: bool | None = None
        """Whether to record, as somebody said in this life."""
        self._settled: set[str] = set()
        """Notebooks that nobody waits for any more, whatever the file says."""
        self._is_erased = False
        """Whether what the file has is not wanted."""
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
        if self._allowed:
            self._store.start()

    def stop(self, wait_seconds: float) -> bool:
        """Write what there is; return whether that was done in time."""
        return self._store.stop(wait_seconds)

    def flush(self) -> None:
        """Write soon: what is there now should not be lost."""
        self._store.flush()

    @property
    def is_recording(self) -> bool:
        """Whether what happens is recorded."""
        return self._allowed and self._standing.recording

    @property
    def reason(self) -> Reason | None:
        """Why nothing of it is kept on disk; None when it is, or is not meant to be."""
        return self._store.reason if self._allowed else None

    @property
    def is_read(self) -> bool:
        """Whether what earlier lives left is known."""
        return self._is_read

    @property
    def is_being_read(self) -> bool:
        """Whether it will be known in a moment."""
        fault = self._store.fault
        is_opening = fault is not None and fault.kind == "opening"
        return self._allowed and not self._is_read and is_opening

    @contextmanager
    def journal(self) -> Iterator[Journal]:
        """Hold the journal, to read or to change it."""
        with self._lock:
            yield self._journal

    @property
    def standing(self) -> Standing:
        """Where things stand."""
        return self._standing

    def change(self, change: Callable[[Standing], Standing]) -> Standing:
        """Have things stand otherwise."""
        with self._lock:
            self._standing = change(self._standing)
            return self._standing

    def set_recording(self, *, wanted: bool) -> None:
        """Have it that things are recorded, or not; whatever the file says."""
        with self._lock:
            self._standing = replace(self._standing, recording=wanted)
            self._decided = wanted

    def wait_for(self, path: str, *, wanted: bool) -> None:
        """Have a notebook be waited for, or no longer."""
        with self._lock:
            others = [other for other in self._standing.awaited if other != path]
            if wanted:
                others.append(path)
                self._settled.discard(path)
            else:
                self._settled.add(path)
            self._standing = replace(self._standing, awaited=others[-MOST_AWAITED:])

    def follow(self, path: str, new: str | None) -> None:
        """Know that a file or folder has another name; None if it is gone."""
        with self._lock:
            for awaited in self._standing.awaited:
                if awaited == path or awaited.startswith(f"{path}/"):
                    self.wait_for(awaited, wanted=False)
                    if new is not None:
                        self.wait_for(new + awaited[len(path) :], wanted=True)

    def erase(self, open_programs: Collection[str] = ()) -> None:
        """Forget what was recorded, also what is not known yet, but for what still runs."""
        with self._lock:
            self._journal.erase(open_programs)
            self._is_erased = not self._is_read
            self._standing = replace(self._standing, seen=[])

    def erase_files(self) -> None:
        """Delete all files of it that nobody has open. In a thread: the disk may hang."""
        which = "activity.sqlite.broken-*" if self._allowed else "activity.sqlite*"
        for path in self._directory.glob(which):
            path.unlink(missing_ok=True)

    def events(self) -> list[ActivityEvent]:
        """Return all that was recorded, in no particular order."""
        with self._lock:
            return list(self._journal)

    # As a `store.Keeper`, in the store's thread.

    def held(self, directory: Path, *, waited: bool) -> None:
        """Nothing else of it is in the folder."""

    def load(self, connection: Connection) -> None:
        """Take in what the file has, once; after a fault, memory knows better."""
        store.forget_well(connection)
        if self._is_read:
            with self._lock:
                self._journal.rewrite()
            return
        try:
            events = [_decode_event(row) for row in store.events(connection)]
            row = store.standing(connection)
            before = None if row is None else _decode_standing(row)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise Unusable(f"a record in it makes no sense: {error}") from error
        # All that takes long, without the lock: the server's loop may wait for that.
        events.sort(key=lambda event: event.time)
        records = Records(events)
        ended_at = utc(self._now() if before is None else before.alive_at)
        lost = [
            _lost(event, ended_at)
            for event in events
            if isinstance(event, CellRun) and event.until is None
        ]
        with self._lock:
            if self._is_erased:
                self._journal.rewrite()
            else:
                self._journal.load(records)
                for event in lost:
                    self._journal.put(event)
            if before is not None:
                self._standing = self._merged(before, self._standing)
            if not self._standing.recording:
                # What was recorded since this life began is not wanted.
                self._journal.forget_ours()
            self._is_read = True
        self._on_read()

    def _merged(self, before: Standing, since: Standing) -> Standing:
        """Return where things stand, from what was before and what became since."""
        presence = before.presence.woken()
        came_at, left_at = since.presence.came_at, since.presence.left_at
        if came_at is not None:
            presence = presence.come(came_at, self._least_absence_seconds)
        elif left_at is not None:
            presence = replace(presence, left_at=left_at)
        told = [at for at in (presence.told_at, since.presence.told_at) if at is not None]
        presence = replace(presence, told_at=max(told, default=None))
        awaited = [path for path in before.awaited if path not in self._settled]
        if self._decided is False:
            awaited = []  # whoever switches recording off waits for nothing any more
        return replace(
            before,
            recording=before.recording if self._decided is None else self._decided,
            presence=presence,
            seen=[] if self._is_erased else [*before.seen, *since.seen][-MOST_SEEN:],
            awaited=list(dict.fromkeys([*awaited, *since.awaited]))[-MOST_AWAITED:],
        )

    def changes(self) -> store.Batch:
        """Return what is not on disk yet, and that the server lives."""
        with self._lock:
            now = self._now()
            if abs(now - self._standing.alive_at) < _LEAP_SECONDS:
                self._journal.forget_before(utc(now) - KEPT)
            presence = self._standing.presence.see(now).settled(now)
            self._standing = replace(self._standing, alive_at=now, presence=presence)
            changes, standing = self._journal.changes(), self._standing
        encoded = {event.id: _encode(event) for event in changes.events}
        return store.Batch(encoded, changes.gone, changes.is_anew, _encode(standing))

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
