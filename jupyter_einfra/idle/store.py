"""The file behind `remembered`: a row for each start of the server, small and read whole."""

from __future__ import annotations

from ..store import Connection

MIGRATIONS = ("CREATE TABLE starts (id TEXT PRIMARY KEY, start BLOB NOT NULL)",)


def read(connection: Connection) -> dict[str, bytes]:
    """Read what there is of each start."""
    found = connection.execute("SELECT id, start FROM starts").fetchall()
    # A damaged file may have any types.
    return {n: value for n, value in found if isinstance(n, str) and isinstance(value, bytes)}


def write(connection: Connection, rows: dict[str, bytes]) -> None:
    """Have these rows and no others, within a transaction."""
    connection.execute("DELETE FROM starts")
    connection.executemany("INSERT INTO starts VALUES (?, ?)", rows.items())
