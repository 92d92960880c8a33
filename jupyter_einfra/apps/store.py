"""The file behind `remembered`: a row for each application, small and read whole."""

from __future__ import annotations

from ..store import Connection

MIGRATIONS = ("CREATE TABLE apps (name TEXT PRIMARY KEY, remembered BLOB NOT NULL)",)


def read(connection: Connection) -> dict[str, bytes]:
    """Read what there is of each application."""
    found = connection.execute("SELECT name, remembered FROM apps").fetchall()
    # A damaged file may have any types.
    return {n: value for n, value in found if isinstance(n, str) and isinstance(value, bytes)}


def write(connection: Connection, rows: dict[str, bytes]) -> None:
    """Write some of them within a transaction."""
    connection.executemany("REPLACE INTO apps VALUES (?, ?)", rows.items())
