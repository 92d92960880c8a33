"""The history's file: what goes in comes out, and it stays small."""

from __future__ import annotations

import logging
import random
import sqlite3
from array import array
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

import msgspec
import pytest

from jupyter_einfra.usage.history import store
from jupyter_einfra.usage.history.log import MOST_EVENTS, MOST_RUNS
from jupyter_einfra.usage.history.runs import Counters, RunRecord
from jupyter_einfra.usage.history.series import GPU_SERIES, MOST_GPUS, SERIES, Changes, Device
from jupyter_einfra.usage.history.tiers import ROWS, TIERS, Row
from jupyter_einfra.usage.models import UsageEvent

LOG = logging.getLogger("tests.usage_store")

#: After 2038, when a time takes two bytes more.
AT = datetime(2042, 1, 1, tzinfo=timezone.utc).timestamp()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "usage.sqlite"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        for script in store.MIGRATIONS:
            opened.executescript(script)
        yield opened


def device(number: int, seen: float = AT) -> Device:
    return Device(
        uuid=f"MIG-{number:036}",
        index=number,
        name="NVIDIA A100-SXM4-80GB MIG 3g.40gb",
        scope="mig",
        memory_total_bytes=40 * 2**30,
        seen=seen,
    )


def row(key: int, width: int, start: int, rng: random.Random) -> Row:
    bands = array("f", (rng.random() * 1e12 for _ in range(3 * width)))
    return Row(key, start, 3600, bands.tobytes())


def rows(width: int, rng: random.Random) -> Iterator[list[Row]]:
    """All that one track can have, in the order in which it comes about."""
    offset = 0
    for tier in TIERS:
        end = tier.start(AT)
        starts = range(end - tier.span_seconds, end + 1, tier.step_seconds)
        for at in range(0, len(starts), 60):
            yield [
                row(offset + tier.slot(start), width, start, rng) for start in starts[at : at + 60]
            ]
        offset += tier.capacity


def write(
    connection: sqlite3.Connection,
    figures: list[Row] | None = None,
    *,
    gpus: list[tuple[Device, list[Row]]] | None = None,
    known: frozenset[str] | None = None,
    events: dict[int, tuple[int, UsageEvent]] | None = None,
    runs: dict[int, tuple[int, RunRecord]] | None = None,
) -> None:
    gpus = gpus or []
    known = frozenset(gpu.uuid for gpu, _ in gpus) if known is None else known
    batch = store.Batch(Changes(figures or [], gpus, known), events or {}, runs or {}, 0)
    connection.execute("BEGIN IMMEDIATE")
    store.write(connection, batch)
    connection.execute("COMMIT")


def figures(connection: sqlite3.Connection) -> list[Row]:
    return [found for chunk in store.figures(connection) for found in chunk]


def gpus(connection: sqlite3.Connection) -> dict[str, list[Row]]:
    return {
        found.uuid: [entry for chunk in chunks for entry in chunk]
        for found, chunks in store.gpus(connection)
    }


def test_what_was_written_is_read(connection: sqlite3.Connection) -> None:
    rng = random.Random(1)
    ours = [row(key, len(SERIES), key, rng) for key in (0, 1, 5000, ROWS - 1)]
    theirs = [(device(n), [row(n, 2, n, rng), row(ROWS - 1, 2, n, rng)]) for n in range(3)]
    event = UsageEvent(time=datetime.now(timezone.utc), code="e", message="m", params={"a": 1})
    run = RunRecord(token=2**62 - 1, started=1.5, seen=2.5, counters=Counters(oom_kills=1))
    write(connection, ours, gpus=theirs, events={3: (1003, event)}, runs={0: (400, run)})
    assert figures(connection) == ours
    assert gpus(connection) == {gpu.uuid: entries for gpu, entries in theirs}
    assert store.events(connection) == {1003: event}
    assert store.runs(connection) == {400: run}


def test_a_row_takes_the_place_of_the_one_before(connection: sqlite3.Connection) -> None:
    rng = random.Random(1)
    write(connection, [row(7, 13, 70, rng)], gpus=[(device(0), [row(7, 2, 70, rng)])])
    latest = row(7, 13, 970, rng)
    write(connection, [latest], gpus=[(device(0), [row(8, 2, 80, rng)])])
    assert figures(connection) == [latest]
    assert [found.key for found in gpus(connection)[device(0).uuid]] == [7, 8]


def test_gpus_that_are_not_known_any_more_make_room(connection: sqlite3.Connection) -> None:
    rng = random.Random(1)
    every = [(device(n), [row(0, 2, 0, rng)]) for n in range(MOST_GPUS)]
    write(connection, gpus=every)
    new = (device(99), [row(1, 2, 1, rng)])
    known = frozenset(gpu.uuid for gpu, _ in every[1:]) | {new[0].uuid}
    write(connection, gpus=[new], known=known)
    found = gpus(connection)
    assert found.keys() == known
    assert found[new[0].uuid] == new[1]
    (count,) = connection.execute("SELECT count(*) FROM gpu_figures").fetchone()
    assert count == MOST_GPUS


@pytest.mark.parametrize("value", ["X'00'", "'text'", "CAST(X'FF' AS BLOB)", "'{}'", "X'7B7D'"])
def test_what_is_not_ours_is_passed_over(connection: sqlite3.Connection, value: str) -> None:
    connection.execute(f"INSERT INTO figures VALUES (1, {value}, 1, X'00')")
    connection.execute("INSERT INTO figures VALUES (2, 1, 1, 'text')")
    connection.execute(f"INSERT INTO gpus VALUES (0, {value})")
    connection.execute(f"INSERT INTO events VALUES (1, 1, {value})")
    connection.execute(f"INSERT INTO runs VALUES (1, 1, {value})")
    connection.execute("INSERT INTO runs VALUES (2, 9223372036854775807, X'7B7D')")
    assert figures(connection) == []
    assert gpus(connection) == {}
    assert store.events(connection) == {}
    assert store.runs(connection) == {}
    # And it is no hindrance.
    write(connection, gpus=[(device(n), [row(0, 2, 0, random.Random())]) for n in range(MOST_GPUS)])
    assert len(gpus(connection)) == MOST_GPUS


@pytest.mark.parametrize("number", [2**62, -1, MOST_GPUS, 2**63 - 1, -(2**63)])
def test_a_gpu_of_an_absurd_number_is_no_hindrance(
    connection: sqlite3.Connection, number: int
) -> None:
    gpu = msgspec.json.encode(device(0))
    connection.execute("INSERT INTO gpus VALUES (?, ?)", (number, gpu))
    assert gpus(connection) == {}
    entries = [row(0, 2, 0, random.Random(1))]
    write(connection, gpus=[(device(0), entries)])
    write(connection, known=frozenset())
    write(connection, gpus=[(device(0), entries)])
    assert gpus(connection) == {device(0).uuid: entries}


@pytest.mark.parametrize("number", [2**70, -1, 10**400], ids=["large", "negative", "endless"])
def test_entries_with_absurd_numbers_are_passed_over(
    connection: sqlite3.Connection, number: int
) -> None:
    run = msgspec.json.encode(RunRecord(token=7, started=1.0, seen=2.0, samples=3))
    absurd = run.replace(b'"samples":3', b'"samples":%d' % number)
    connection.execute("INSERT INTO runs VALUES (0, 0, ?)", (absurd,))
    connection.execute("INSERT INTO runs VALUES (1, 1, ?)", (run,))
    assert store.runs(connection).keys() == {1}
    gpu = msgspec.json.encode(device(3)).replace(b'"index":3', b'"index":%d' % number)
    connection.execute("INSERT INTO gpus VALUES (3, ?)", (gpu,))
    assert gpus(connection) == {}


def test_an_entry_without_json_keeps_nothing_else_from_the_disk(
    connection: sqlite3.Connection,
) -> None:
    now = datetime.now(timezone.utc)
    odd = UsageEvent(time=now, code="e", message="\ud800", params={})
    fine = UsageEvent(time=now, code="e", message="m", params={})
    write(connection, events={0: (0, odd), 1: (1, fine)})
    assert store.events(connection) == {1: fine}


@pytest.mark.parametrize("order", ["as time goes", "at random"])
def test_a_full_file_is_within_its_bounds(
    connection: sqlite3.Connection, path: Path, order: str
) -> None:
    """At most 5 MB, and 1 MB more for every GPU."""
    rng = random.Random(1)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = OFF")
    batches = list(rows(len(SERIES), rng))
    if order == "at random":
        shuffled = [entry for batch in batches for entry in batch]
        rng.shuffle(shuffled)
        batches = [shuffled[at : at + 60] for at in range(0, len(shuffled), 60)]
    for batch in batches:
        write(connection, batch)
    event = UsageEvent(time=datetime.now(timezone.utc), code="c" * 40, message="m" * 480, params={})
    for number in range(5_000_000, 5_000_000 + MOST_EVENTS):
        write(connection, events={number % MOST_EVENTS: (number, event)})
    run = RunRecord(token=2**62 - 1, started=AT, seen=AT, used_bytes=2**40, limit_bytes=2**40)
    for number in range(5_000_000, 5_000_000 + MOST_RUNS):
        write(connection, runs={number % MOST_RUNS: (number, run)})
    assert len(figures(connection)) == ROWS
    server_bytes = path.stat().st_size
    assert server_bytes <= 5_000_000
    tracks = [list(rows(len(GPU_SERIES), rng)) for _ in range(2)]
    for number, track in enumerate(tracks):
        if order == "at random":
            shuffled = [entry for batch in track for entry in batch]
            rng.shuffle(shuffled)
            track = [shuffled[at : at + 60] for at in range(0, len(shuffled), 60)]  # noqa: PLW2901
        known = frozenset(device(n).uuid for n in range(number + 1))
        for batch in track:
            write(connection, gpus=[(device(number), batch)], known=known)
    assert path.stat().st_size - server_bytes <= 2_000_000
    # All of it once more, later: everything in its place.
    full = path.stat().st_size
    for batch in batches[::10]:
        write(connection, batch, known=known)
    assert path.stat().st_size == full
