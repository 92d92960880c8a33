"""One way to keep state: a file that a thread of its own writes, and memory that is whole.

A feature keeps all of its state in memory and answers from there. What changed goes
to an SQLite file now and then, in one transaction. Whatever happens to the file, the
feature goes on, and once the file can be written again it is sent all that it lacks:

- another server of the same user has it: this one waits for it to end;
- the disk is full, read-only or gone: tried again and again, more and more rarely;
- the file is damaged, or of a later version: put aside, and a new one begun;
- the disk hangs: only the thread hangs with it.

The file lies in a folder of this server's own (`state.state_directory`). Homes are often on
NFS, so the journal is SQLite's plain one, never the shared memory of its other kind.
"""

from __future__ import annotations

import logging
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from . import keeping
from .models import Reason
from .store_file import (
    Connection,
    Fault,
    Held,
    Lock,
    Unusable,
    fault_of,
    identity,
    is_damage,
    prepare,
    set_aside,
)

__all__ = ["Connection", "Fault", "Keeper", "Store", "Unusable"]

_T = TypeVar("_T")

#: How long SQLite itself waits for a file that another program has just locked.
_BUSY_SECONDS = 0.2

#: The first pause is shorter by up to this share, so that servers that started together do
#: not write together. All later ones are equal: nothing waits longer than one pause.
_FIRST_SPREAD = 0.5

#: Tries come at about their time: all servers of a hub may have met the same fault.
_RETRY_SPREAD = 0.15

#: An operation that takes longer is said to hang.
_HUNG_SECONDS = 20.0


class Keeper(Protocol[_T]):
    """What a feature keeps. All methods are called in the store's thread.

    ``_T`` is what one transaction writes.
    """

    def held(self, directory: Path, *, waited: bool) -> None:
        """Take the folder for one's own: nobody else writes there from now on.

        ``waited`` tells whether another server had it when this one started.
        """

    def load(self, connection: Connection) -> None:
        """Merge what the file has, and count as changed what it lacks.

        Called for every file that is opened, so for the same one again after a fault.
        An `Unusable` or an SQL error that tells of damage puts the file aside.
        """

    def changes(self) -> _T | None:
        """Return what is to be written; None if nothing is."""

    def write(self, connection: Connection, changes: _T) -> None:
        """Write it, within a transaction."""

    def written(self, changes: _T) -> None:
        """Know that it is on disk."""

    def put_back(self, changes: _T) -> None:
        """Know that it is not, and return it with the next changes."""

    def set_aside(self, aside: Path) -> None:
        """Know that the file was damaged and where it is now; a new one follows."""


class Store(Generic[_T]):
    """Keeps one feature's file.

    Parameters
    ----------
    path:
        The file, ``<state directory>/<feature>.sqlite``.
    keeper:
        What is kept.
    migrations:
        SQL scripts that lead from an empty file to the present one. The file counts
        how many it has seen; never change one that was released.
    flush_seconds:
        Time from one transaction to the next; to the second, half of it to all of it.
    log:
        Told of every fault as it begins and ends.
    retry_seconds:
        Time until the first and, doubled each time, at most until every later try.
    connect:
        Opens the file.
    """

    def __init__(
        self,
        path: Path,
        keeper: Keeper[_T],
        *,
        migrations: Sequence[str],
        flush_seconds: float,
        log: logging.Logger,
        retry_seconds: tuple[float, float] = (1.0, 60.0),
        connect: Callable[..., Connection] = sqlite3.connect,
    ) -> None:
        self.path = path
        self._keeper = keeper
        self._migrations = migrations
        self._flush_seconds = flush_seconds
        self._log = log
        self._retry_seconds = retry_seconds
        self._connect = connect
        self._lock = Lock(path.with_suffix(".lock"))
        self._connection: Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._fault: Fault | None = Fault("opening", "")
        self._waited = False
        self._suspected = False
        self._busy_since: float | None = None
        self._stopping = False
        self._wake = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"einfra-store-{path.stem}", daemon=True
        )

    @property
    def fault(self) -> Fault | None:
        """Why the file does not have what memory has; None if it has, or soon will."""
        since = self._busy_since
        if since is not None and time.monotonic() - since > _HUNG_SECONDS:
            return Fault("hung", "")
        return self._fault

    @property
    def reason(self) -> Reason | None:
        """The same in words for who asks; None if the file has what memory has, or soon will."""
        fault = self.fault
        if fault is None:
            return None
        # Names of files are bytes, maybe of no text.
        detail, folder = (
            os.fsencode(name).decode("utf-8", "replace")
            for name in (fault.detail, self.path.parent)
        )
        return keeping.reason(fault.kind, detail, folder)

    def start(self) -> None:
        """Open the file and keep it until `stop`; returns at once."""
        self._thread.start()

    def flush(self) -> None:
        """Write soon, without waiting for the next time."""
        self._wake.set()

    def stop(self, wait_seconds: float) -> bool:
        """Write what there is and let go of the file; return whether that was done in time."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(wait_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        retry = self._retry_seconds[0]
        spread = random.uniform(1 - _FIRST_SPREAD, 1)  # noqa: S311
        while True:
            self._wake.clear()
            stopping = self._stopping
            self._busy_since = time.monotonic()
            done = self._turn()
            self._busy_since = None
            if stopping:
                break
            if done:
                retry = self._retry_seconds[0]
                pause, spread = self._flush_seconds * spread, 1.0
            else:
                pause = retry * random.uniform(1 - _RETRY_SPREAD, 1 + _RETRY_SPREAD)  # noqa: S311
                retry = min(2 * retry, self._retry_seconds[1])
            self._wake.wait(pause)
        self._close()
        self._lock.release()

    def _turn(self) -> bool:
        """Do what there is to do; return whether it was done."""
        try:
            try:
                self._bring_up_to_date()
            except Exception as error:
                if not self._is_damage(error):
                    raise
                self._set_aside(error)
                self._bring_up_to_date()
        except Exception as error:  # noqa: BLE001 - memory goes on whatever happened
            self._close()
            self._waited |= isinstance(error, Held)
            self._report(fault_of(error), error)
            return False
        self._report(None, None)
        return True

    def _is_damage(self, error: Exception) -> bool:
        if isinstance(error, (OverflowError, UnicodeError)):
            # Values beyond all bounds. If a new file has them too, it is not the file.
            suspected, self._suspected = self._suspected, True
            return not suspected
        return is_damage(error)

    def _bring_up_to_date(self) -> None:
        if self._connection is not None and identity(self.path) != self._identity:
            self._close()  # somebody removed the file, or all of the home
        if self._connection is None:
            self._open()
        connection = self._connection
        changes = self._keeper.changes()
        if changes is None or connection is None:
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._keeper.write(connection, changes)
            connection.execute("COMMIT")
        except BaseException:
            self._keeper.put_back(changes)
            raise
        self._keeper.written(changes)

    def _open(self) -> None:
        directory = self.path.parent
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(OSError):  # some file systems know no modes
            directory.chmod(0o700)
        if self._lock.take():
            self._keeper.held(directory, waited=self._waited)
        # SQLite would make it readable for everyone, and its journal like it.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._identity = identity(self.path)
        self._connection = self._connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        prepare(self._connection, self._migrations)
        self._keeper.load(self._connection)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _set_aside(self, error: Exception) -> None:
        self._close()
        aside = set_aside(self.path)
        self._log.warning("%s cannot be used (%s); it is kept as %s", self.path, error, aside.name)
        self._keeper.set_aside(aside)

    def _report(self, fault: Fault | None, error: Exception | None) -> None:
        before, self._fault = self._fault, fault
        if fault is None:
            if before is not None and before.kind != "opening":
                self._log.info("%s is written again", self.path)
        elif before is None or before.kind != fault.kind:
            unforeseen = not isinstance(error, (OSError, sqlite3.Error, Held))
            self._log.warning(
                "%s is kept in memory only (%s): %s",
                self.path,
                fault.kind,
                fault.detail,
                exc_info=error if unforeseen else None,
            )
