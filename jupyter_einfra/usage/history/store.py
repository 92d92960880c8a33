"""The history's file: one table for figures, one for GPUs, events and runs each.

Keys are slots of rings, so that the file is bounded and old rows are overwritten in
their place. What is not figures is kept as JSON: it is small and read whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import msgspec

from ...store import Connection
from ..models import UsageEvent
from .runs import RunRecord
from .series import MOST_GPUS, Changes, Device
from .tiers import ROWS, Row

MIGRATIONS = (
    """
    CREATE TABLE figures (
        key INTEGER PRIMARY KEY,
        start INTEGER NOT NULL,
        samples INTEGER NOT NULL,
        bands BLOB NOT NULL
    );
    CREATE TABLE gpu_figures (
        key INTEGER PRIMARY KEY,
        start INTEGER NOT NULL,
        samples INTEGER NOT NULL,
        bands BLOB NOT NULL
    );
    CREATE TABLE gpus (number INTEGER PRIMARY KEY, gpu BLOB NOT NULL);
    CREATE TABLE events (slot INTEGER PRIMARY KEY, number INTEGER NOT NULL, event BLOB NOT NULL);
    CREATE TABLE runs (slot INTEGER PRIMARY KEY, number INTEGER NOT NULL, run BLOB NOT NULL)
    """,
)

#: Rows that are read at a time, so that nobody waits long while they are taken in.
_CHUNK = 500

#: Beyond any count; damage must not leave numbers that have no successor.
_MOST_NUMBER = 2**53

#: Others would lead beyond the table.
_GPUS = "SELECT number, gpu FROM gpus WHERE number BETWEEN 0 AND ? - 1"

_T = TypeVar("_T")
_encode = msgspec.json.Encoder().encode


class Batch(NamedTuple):
    """What one transaction writes; slots by their number in the ring."""

    history: Changes
    events: dict[int, tuple[int, UsageEvent]]
    runs: dict[int, tuple[int, RunRecord]]
    samples: int
    """How many samples of this run the file then has."""


def write(connection: Connection, batch: Batch) -> None:
    """Write a batch within a transaction."""
    _put(connection, "figures", batch.history.figures, 0)
    numbers = _numbers(connection)
    for uuid in numbers.keys() - batch.history.known:
        first = numbers.pop(uuid) * ROWS
        connection.execute("DELETE FROM gpus WHERE number = ?", (first // ROWS,))
        connection.execute(
            "DELETE FROM gpu_figures WHERE key BETWEEN ? AND ?", (first, first + ROWS - 1)
        )
    for device, rows in batch.history.gpus:
        if device.uuid not in batch.history.known:
            continue
        number = numbers.get(device.uuid)
        if number is None:
            number = min(set(range(MOST_GPUS)) - set(numbers.values()))
            numbers[device.uuid] = number
        connection.execute("REPLACE INTO gpus VALUES (?, ?)", (number, _json(device)))
        _put(connection, "gpu_figures", rows, number * ROWS)
    for table, entries in (("events", batch.events), ("runs", batch.runs)):
        connection.executemany(
            f"REPLACE INTO {table} VALUES (?, ?, ?)",  # noqa: S608 - names of our own
            [(slot, number, _json(entry)) for slot, (number, entry) in entries.items()],
        )


def figures(connection: Connection) -> Iterator[list[Row]]:
    """Read the server's rows, some at a time."""
    return _rows(connection, "figures", 0)


def gpus(connection: Connection) -> Iterator[tuple[Device, Iterator[list[Row]]]]:
    """Read every GPU with its rows, some at a time."""
    for number, json in connection.execute(_GPUS, (MOST_GPUS,)).fetchall():
        device = _value(json, Device)
        if device is not None:
            yield device, _rows(connection, "gpu_figures", number * ROWS)


def events(connection: Connection) -> dict[int, UsageEvent]:
    """Read every event by its number."""
    return _numbered(connection, "SELECT number, event FROM events", UsageEvent)


def runs(connection: Connection) -> dict[int, RunRecord]:
    """Read every run by its number."""
    return _numbered(connection, "SELECT number, run FROM runs", RunRecord)


def _numbered(connection: Connection, query: str, model: type[_T]) -> dict[int, _T]:
    found = connection.execute(query).fetchall()
    values = {
        number: _value(json, model)
        for number, json in found
        if isinstance(number, int) and 0 <= number < _MOST_NUMBER
    }
    return {number: value for number, value in values.items() if value is not None}


def _put(connection: Connection, table: str, rows: list[Row], offset: int) -> None:
    connection.executemany(
        f"REPLACE INTO {table} VALUES (?, ?, ?, ?)",  # noqa: S608
        ((offset + row.key, row.start, row.samples, row.bands) for row in rows),
    )


def _rows(connection: Connection, table: str, offset: int) -> Iterator[list[Row]]:
    found = connection.execute(
        f"SELECT key - ?, start, samples, bands FROM {table} "  # noqa: S608
        "WHERE key BETWEEN ? AND ?",
        (offset, offset, offset + ROWS - 1),  # Python before 3.12.4 takes ?1 for a name
    )
    while rows := found.fetchmany(_CHUNK):
        yield [Row(*row) for row in rows if _is_row(row)]


def _is_row(row: tuple[object, ...]) -> bool:
    """Whether a row has the types that its table asks for; a damaged one may have any."""
    return all(isinstance(value, int) for value in row[:3]) and isinstance(row[3], bytes)


def _numbers(connection: Connection) -> dict[str, int]:
    """Return which GPU has which number."""
    found = connection.execute(_GPUS, (MOST_GPUS,)).fetchall()
    # One that cannot be read is nobody's, and so makes room.
    return {
        device.uuid if (device := _value(json, Device)) else f"?{number}": number
        for number, json in found
    }


def _value(json: object, model: type[_T]) -> _T | None:
    """Decode JSON of ours; None for what a fault has made of it."""
    try:
        return msgspec.json.decode(json, type=model) if isinstance(json, bytes) else None
    except (msgspec.MsgspecError, UnicodeError):
        return None


def _json(value: object) -> bytes:
    """Encode an entry; what has no JSON must not keep all else from the disk."""
    try:
        return _encode(value)
    except (OverflowError, ValueError):
        return b""
