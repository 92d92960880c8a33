"""The file behind a store: whose it is, whether it is whole, what is wrong with it."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

Connection = sqlite3.Connection

#: SQLite's memory for pages; what is read once is not worth keeping.
_CACHE_KIBIBYTES = 256

#: Damaged files that are kept for whoever wants to look.
_KEPT_ASIDE = 3

#: "eInf", so that a file tells whose it is.
_APPLICATION_ID = 0x65496E66

_Kind = Literal["opening", "second", "busy", "full", "read-only", "unreachable", "hung"]


class Fault(NamedTuple):
    """Why the file does not have what memory has."""

    kind: _Kind
    """opening: it was not yet read; second: another server has it; busy: another
    program has; hung: the disk does not answer."""
    detail: str
    """In the words of the system."""


class Unusable(Exception):
    """The file is whole, yet not one that this version can use."""


class Held(Exception):
    """Another process has the lock."""


class Lock:
    """A lock that ends with its process, however that ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> bool:
        """Take the lock, or see that we have it; return whether it is newly ours.

        Raises
        ------
        Held
            Another process has it.
        """
        if self._file is not None:
            if identity(self._path) == identity(self._file):
                return False
            self.release()  # the folder was removed; the lock on it is worth nothing
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(self._path, flags, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise Held(str(self._path)) from None
        except BaseException:
            os.close(file)
            raise
        self._file = file
        return True

    def release(self) -> None:
        """Let others have it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def identity(file: Path | int) -> tuple[int, int] | None:
    """Tell a file from another of the same name; None if there is none."""
    try:
        status = os.stat(file)  # noqa: PTH116 - descriptors too
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def prepare(connection: Connection, migrations: Sequence[str]) -> None:
    """Lock the file, check that it is whole and ours, and bring it to this version."""
    for pragma in (
        "locking_mode = EXCLUSIVE",
        "journal_mode = TRUNCATE",
        "synchronous = FULL",
        "trusted_schema = OFF",
        f"cache_size = -{_CACHE_KIBIBYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN EXCLUSIVE")
    version = _number(connection, "user_version")
    if version == 0 and _number(connection, "schema_version") == 0:
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    elif _number(connection, "application_id") != _APPLICATION_ID:
        raise Unusable("it is not ours")
    if version > len(migrations):
        raise Unusable(f"version {version} is later than {len(migrations)}")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise Unusable(str(verdict))
    for script in migrations[version:]:
        for statement in script.split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
    connection.execute("COMMIT")


def set_aside(path: Path) -> Path:
    """Rename a file that cannot be used, keep the last few, and return where it is now."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = path.with_name(f"{path.name}.broken-{stamp}-{time.time_ns() % 10**9:09}")
    # First the journal: the new file must not be repaired by the old one's.
    for ending in ("-journal", ""):
        with suppress(FileNotFoundError):
            Path(f"{path}{ending}").replace(f"{aside}{ending}")
    kept = sorted(path.parent.glob(f"{path.name}.broken-*[0-9]"), reverse=True)
    for old in kept[_KEPT_ASIDE:]:
        old.unlink(missing_ok=True)
        Path(f"{old}-journal").unlink(missing_ok=True)
    return aside


def _number(connection: Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def is_damage(error: Exception) -> bool:
    """Whether the file itself is at fault, and not what is around it."""
    if isinstance(error, sqlite3.OperationalError):
        # Tables that our statements do not fit, text that is none.
        return any(words in str(error) for words in ("no such", "columns", "decode"))
    # Malformed, not a database, or with rules that are not ours.
    return isinstance(error, (Unusable, sqlite3.DatabaseError)) and not isinstance(
        error, (sqlite3.ProgrammingError, sqlite3.NotSupportedError)
    )


_KINDS_BY_ERRNO: dict[int | None, _Kind] = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "read-only",
    errno.EACCES: "read-only",
    errno.EPERM: "read-only",
}


def fault_of(error: Exception) -> Fault:
    detail = str(error) or type(error).__name__
    if isinstance(error, Held):
        return Fault("second", detail)
    if isinstance(error, OSError):
        return Fault(_KINDS_BY_ERRNO.get(error.errno, "unreachable"), detail)
    if isinstance(error, sqlite3.Error):
        if "locked" in detail:
            return Fault("busy", detail)
        if "full" in detail:
            return Fault("full", detail)
        if "readonly" in detail:
            return Fault("read-only", detail)
    return Fault("unreachable", detail)
