"""The file behind `remembered`: a row for each event, and one for where things stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..store import Connection

MIGRATIONS = (
    """
    CREATE TABLE events (id TEXT PRIMARY KEY, event BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE standing (one INTEGER PRIMARY KEY CHECK (one = 1), standing BLOB NOT NULL)
    """,
)


class Batch(NamedTuple):
    """What one transaction writes."""

    events: dict[str, bytes]
    gone: list[str]
    """Ids of those that are deleted."""
    is_anew: bool
    """Whether all others are deleted, too."""
    standing: bytes


def forget_well(connection: Connection) -> None:
    """Have what is deleted be overwritten: its owner may want it gone."""
    connection.execute("PRAGMA secure_delete = ON")


def events(connection: Connection) -> Iterator[bytes]:
    """Read every event."""
    for (value,) in connection.execute("SELECT event FROM events"):
        if isinstance(value, bytes):  # a damaged file may have any types
            yield value


def standing(connection: Connection) -> bytes | None:
    """Read where things stood; None of a new file."""
    row = connection.execute("SELECT standing FROM standing").fetchone()
    return row[0] if row and isinstance(row[0], bytes) else None


def write(connection: Connection, batch: Batch) -> None:
    """Write it, within a transaction."""
    if batch.is_anew:
        connection.execute("DELETE FROM events")
    connection.executemany("DELETE FROM events WHERE id = ?", ((i,) for i in batch.gone))
    connection.executemany("INSERT OR REPLACE INTO events VALUES (?, ?)", batch.events.items())
    connection.execute("INSERT OR REPLACE INTO standing VALUES (1, ?)", (batch.standing,))
