"""What was recorded outlives the server, and no fault of the disk costs more than the disk."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from servers.process import wait_until

from jupyter_einfra.activity import remembered as module
from jupyter_einfra.activity import store
from jupyter_einfra.activity.journal import KEPT
from jupyter_einfra.activity.models import ActivityEvent, CellRun
from jupyter_einfra.activity.presence import Presence
from jupyter_einfra.activity.records import Records
from jupyter_einfra.activity.remembered import Remembered

from .kept import LOG, NOON, life, read
from .made import at, kernel, run


def put(kept: Remembered, *events: Any) -> None:
    with kept.journal() as journal:
        for event in events:
            journal.put(event)


def rows(directory: Path) -> int:
    with closing(sqlite3.connect(directory / "activity.sqlite")) as file:
        return int(file.execute("SELECT count(*) FROM events").fetchone()[0])


def test_events_and_where_things_stand_are_there_again(tmp_path: Path) -> None:
    with life(tmp_path) as kept:
        read(kept)
        put(kept, death := kernel(100), ended := run(100, 200))
        kept.wait_for("a.ipynb", wanted=True)
        kept.set_recording(wanted=False)
        kept.change(lambda known: replace(known, seen=["died:1"]))
    with life(tmp_path) as kept:
        assert {event.id: event for event in read(kept).events()} == {
            death.id: death,
            ended.id: ended,
        }
        standing = kept.standing
        assert (standing.awaited, standing.seen) == (["a.ipynb"], ["died:1"])
        assert not standing.recording


def test_what_ran_when_the_server_ended_without_a_word_ended_with_it(tmp_path: Path) -> None:
    with life(tmp_path, now=at(300).timestamp()) as kept:
        put(read(kept), running := run(100))
    with life(tmp_path, now=at(900).timestamp()) as kept:
        [event] = read(kept).events()
        assert isinstance(event, CellRun)
        assert (event.id, event.outcome, event.until) == (running.id, "server-ended", at(300))
        assert event.seconds == 200 * 60
    with life(tmp_path, now=at(950).timestamp()) as kept:
        assert read(kept).events() == [event]


def test_the_owner_was_here_until_the_server_was_last_seen(tmp_path: Path) -> None:
    with life(tmp_path, now=at(300).timestamp()) as kept:
        here = Presence().come(at(200).timestamp(), 900)
        read(kept).change(lambda known: replace(known, presence=here))
    with life(tmp_path) as kept:
        back = read(kept).standing.presence.come(NOON, 900)
        assert back.away_since == at(300).timestamp()


def test_what_is_recorded_before_the_file_was_read_is_added_to_it(tmp_path: Path) -> None:
    with life(tmp_path) as kept:
        put(read(kept), old := run(100, 200))
    kept = Remembered(tmp_path, now=lambda: NOON, log=LOG)
    put(kept, new := run(300, 400))
    kept.wait_for("b.ipynb", wanted=True)
    kept.start()
    assert {event.id for event in read(kept).events()} == {old.id, new.id}
    assert kept.standing.awaited == ["b.ipynb"]
    assert kept.stop(5.0)
    assert rows(tmp_path) == 2


def test_nothing_waits_while_the_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with life(tmp_path) as kept:
        put(read(kept), before := kernel(100))
    reading, go_on = threading.Event(), threading.Event()
    in_time = []

    def slowly(events: list[ActivityEvent]) -> Records:
        reading.set()
        in_time.append(go_on.wait(5))
        return Records(events)

    monkeypatch.setattr(module, "Records", slowly)
    with life(tmp_path) as kept:
        assert reading.wait(20)
        put(kept, since := kernel(700))
        go_on.set()
        assert [event.id for event in read(kept).events()] == [before.id, since.id]
    assert in_time == [True]


def test_whoever_switched_recording_off_finds_nothing_of_the_moment_before_that_was_read(
    tmp_path: Path,
) -> None:
    with life(tmp_path) as kept:
        put(read(kept), old := run(100, 200))
        kept.set_recording(wanted=False)
    kept = Remembered(tmp_path, now=lambda: NOON, log=LOG)
    with kept.journal() as journal:
        journal.put(run(300, 400, id=journal.new_id()))
    kept.start()
    assert [event.id for event in read(kept).events()] == [old.id]
    assert kept.stop(5.0)


def test_what_is_erased_is_not_even_in_the_file(tmp_path: Path) -> None:
    with life(tmp_path) as kept:
        put(read(kept), run(100, 200, path="SECRET-NAME.ipynb"))
    assert b"SECRET-NAME" in (tmp_path / "activity.sqlite").read_bytes()
    with life(tmp_path) as kept:
        read(kept)
        with kept.journal() as journal:
            journal.erase()
    for file in tmp_path.iterdir():
        assert b"SECRET-NAME" not in file.read_bytes()


def test_what_is_decided_before_the_file_was_read_is_not_undone_by_it(tmp_path: Path) -> None:
    with life(tmp_path) as kept:
        put(read(kept), run(100, 200))
        kept.wait_for("a.ipynb", wanted=True)
    kept = Remembered(tmp_path, now=lambda: NOON, log=LOG)
    kept.set_recording(wanted=False)
    kept.wait_for("a.ipynb", wanted=False)
    kept.erase()
    kept.start()
    assert read(kept).events() == []
    assert (kept.standing.recording, kept.standing.awaited) == (False, [])
    assert kept.stop(5.0)
    assert rows(tmp_path) == 0
    with life(tmp_path) as kept:
        read(kept).set_recording(wanted=True)
    with life(tmp_path) as kept:
        assert read(kept).standing.recording


def test_who_is_here_while_the_file_waits_is_not_taken_for_away(tmp_path: Path) -> None:
    """As of a second server, whose page is open for hours before the first one ends."""
    with life(tmp_path, now=at(100).timestamp()) as kept:
        here = Presence().come(at(90).timestamp(), 900).leave(at(100).timestamp())
        read(kept).change(lambda known: replace(known, presence=here))
    kept = Remembered(tmp_path, now=lambda: NOON, log=LOG, least_absence_seconds=900)
    now = Presence().come(at(600).timestamp(), 900)
    kept.change(lambda known: replace(known, presence=now))
    kept.start()
    presence = read(kept).standing.presence
    assert (presence.came_at, presence.away_since) == (at(600).timestamp(), None)
    assert kept.stop(5.0)


@pytest.mark.parametrize(("before", "since"), [(100, 600), (600, None), (None, 600)])
def test_when_the_owner_was_last_told_is_known_whichever_life_told_it(
    tmp_path: Path, before: int | None, since: int | None
) -> None:
    def told(minute: int | None) -> Presence:
        return Presence() if minute is None else Presence().told(at(minute).timestamp())

    with life(tmp_path) as kept:
        read(kept).change(lambda known: replace(known, presence=told(before)))
    kept = Remembered(tmp_path, now=lambda: NOON, log=LOG)
    kept.change(lambda known: replace(known, presence=told(since)))
    kept.start()
    assert read(kept).standing.presence.told_at == at(600).timestamp()
    assert kept.stop(5.0)


def test_without_a_record_nobody_waits_for_a_notebook_of_an_earlier_life(tmp_path: Path) -> None:
    with life(tmp_path) as kept:
        read(kept).wait_for("a.ipynb", wanted=True)
    kept = Remembered(tmp_path, now=lambda: NOON, log=LOG)
    kept.set_recording(wanted=False)
    kept.start()
    assert read(kept).standing.awaited == []
    assert kept.stop(5.0)


def test_what_is_erased_does_not_come_back_with_a_disk_that_was_full(tmp_path: Path) -> None:
    def connect(path: Path, **options: Any) -> sqlite3.Connection:
        return sqlite3.connect(path, factory=Full, **options)

    with life(tmp_path, connect=connect) as kept:
        put(read(kept), *(run(minute / 60, minute / 60 + 2) for minute in range(2500)))
        kept.flush()
        wait_until("it is written", lambda: rows_if_free(tmp_path) is None and kept.reason is None)
        Full.is_full = True
        try:
            kept.erase()
            kept.flush()
            wait_until("it is told", lambda: kept.reason and kept.reason.code.endswith("_full"))
        finally:
            Full.is_full = False
        wait_until("it is written again", lambda: kept.reason is None)
        assert kept.events() == []
    assert rows(tmp_path) == 0


def rows_if_free(directory: Path) -> int | None:
    """Count the rows; None while a server has the file."""
    try:
        return rows(directory)
    except sqlite3.OperationalError:
        return None


def test_a_notebook_that_is_waited_for_is_followed(tmp_path: Path) -> None:
    kept = Remembered(tmp_path, now=lambda: NOON, log=LOG)
    for path in ("a.ipynb", "d/b.ipynb", "dd/c.ipynb"):
        kept.wait_for(path, wanted=True)
    kept.follow("a.ipynb", "z.ipynb")
    kept.follow("d", "e/f")
    assert set(kept.standing.awaited) == {"z.ipynb", "e/f/b.ipynb", "dd/c.ipynb"}
    kept.follow("dd", None)
    assert set(kept.standing.awaited) == {"z.ipynb", "e/f/b.ipynb"}


def test_a_clock_that_is_ahead_for_a_moment_costs_nothing(tmp_path: Path) -> None:
    now = NOON
    kept = Remembered(tmp_path, now=lambda: now, log=LOG)
    put(kept, run(100, 200))
    kept.changes()
    now = NOON + 2 * KEPT.total_seconds()
    kept.changes()
    assert len(kept.events()) == 1
    now = NOON
    kept.changes()
    kept.changes()
    assert len(kept.events()) == 1


def test_what_is_ninety_days_old_leaves_the_file(tmp_path: Path) -> None:
    with life(tmp_path) as kept:
        put(read(kept), run(100, 200), run(700, 710))
    with life(tmp_path, now=at(300).timestamp() + KEPT.total_seconds()) as kept:
        read(kept)
    assert rows(tmp_path) == 1


def test_a_damaged_file_is_put_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    (tmp_path / "activity.sqlite").write_bytes(b"this is no database" * 100)
    with life(tmp_path) as kept:
        put(read(kept), run(100, 200))
    assert rows(tmp_path) == 1
    assert list(tmp_path.glob("activity.sqlite.broken-*"))


@pytest.mark.parametrize("damage", [b"{}", b'{"type":"run"}', b"\xff\xfe", b'{"type":"else"}'])
def test_a_record_that_makes_no_sense_puts_its_file_aside(tmp_path: Path, damage: bytes) -> None:
    with life(tmp_path) as kept:
        put(read(kept), run(100, 200))
    with closing(sqlite3.connect(tmp_path / "activity.sqlite")) as file:
        file.execute("INSERT INTO events VALUES ('x', ?)", (damage,))
        file.commit()
    with life(tmp_path) as kept:
        assert read(kept).events() == []
    assert list(tmp_path.glob("activity.sqlite.broken-*"))


def test_a_second_server_keeps_its_own_in_memory_until_the_first_ends(tmp_path: Path) -> None:
    with life(tmp_path) as first:
        put(read(first), one := run(100, 200))
        second = Remembered(tmp_path, now=lambda: NOON, log=LOG, retry_seconds=(0.05, 0.1))
        second.start()
        wait_until("it waits", lambda: second.reason and second.reason.code.endswith("_second"))
        put(second, two := run(300, 400))
        assert not second.is_read
        assert not second.is_being_read
    assert {event.id for event in read(second).events()} == {one.id, two.id}
    assert second.stop(5.0)
    assert rows(tmp_path) == 2


class Full(sqlite3.Connection):
    """A file on a disk that is full, while it is."""

    is_full = False

    def execute(self, sql: str, *args: Any) -> Any:
        if Full.is_full and sql.startswith("COMMIT"):
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(sql, *args)


def test_a_full_disk_is_told_and_written_to_when_there_is_space(tmp_path: Path) -> None:
    def connect(path: Path, **options: Any) -> sqlite3.Connection:
        return sqlite3.connect(path, factory=Full, **options)

    with life(tmp_path, connect=connect) as kept:
        put(read(kept), run(100, 200))
        Full.is_full = True
        kept.flush()
        try:
            wait_until("it is told", lambda: kept.reason and kept.reason.code.endswith("_full"))
            put(kept, last := run(300, 400))
            with kept.journal() as journal:
                journal.remove(last.id)
        finally:
            Full.is_full = False
        wait_until("it is written again", lambda: kept.reason is None)
    assert rows(tmp_path) == 1


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "einfra"
    with life(folder) as kept:
        put(read(kept), run(100, 200))
    assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}
    assert folder.stat().st_mode & 0o077 == 0


def test_the_file_never_changes_a_migration_that_was_released() -> None:
    assert store.MIGRATIONS[0].count("CREATE TABLE") == 2
