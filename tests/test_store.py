"""State survives, and no fault of a disk costs what was committed or holds anybody up."""

from __future__ import annotations

import logging
import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from servers import filesystems
from servers.process import wait_until

from jupyter_einfra import store as store_module
from jupyter_einfra.store import Connection, Store, Unusable
from jupyter_einfra.store_file import set_aside

LOG = logging.getLogger("tests.store")
MIGRATIONS = ("CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT NOT NULL)",)
NEVER = 600.0

#: Another server: takes the lock, says so and keeps it until it is killed.
HOLDER = """
import fcntl, os, sys, time
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


class Notes:
    """The least that a feature can keep."""

    def __init__(self, **notes: str) -> None:
        self.lock = threading.Lock()
        self.notes: dict[str, str] = {}
        self.dirty: set[str] = set()
        self.held_folders: list[bool] = []
        self.asides: list[Path] = []
        self.loads = 0
        self.transactions = 0
        for name, text in notes.items():
            self.note(name, text)

    def note(self, name: str, text: str) -> None:
        with self.lock:
            self.notes[name] = text
            self.dirty.add(name)

    def held(self, directory: Path, *, waited: bool) -> None:
        assert directory.is_dir()
        self.held_folders.append(waited)

    def load(self, connection: Connection) -> None:
        found = dict(connection.execute("SELECT name, text FROM notes").fetchall())
        if "poison" in found:
            raise Unusable("it has what we never wrote")
        with self.lock:
            self.dirty |= self.notes.keys() - found.keys()
            self.notes = {**found, **self.notes}
            self.loads += 1

    def changes(self) -> dict[str, str] | None:
        with self.lock:
            names, self.dirty = self.dirty, set()
            return {name: self.notes[name] for name in names} or None

    def write(self, connection: Connection, changes: dict[str, str]) -> None:
        connection.executemany("REPLACE INTO notes VALUES (?, ?)", changes.items())

    def written(self, changes: dict[str, str]) -> None:
        self.transactions += 1

    def put_back(self, changes: dict[str, str]) -> None:
        with self.lock:
            self.dirty |= changes.keys()

    def set_aside(self, aside: Path) -> None:
        self.asides.append(aside)


@contextmanager
def keeping(
    path: Path, notes: Notes, *, flush_seconds: float = 0.02, **options: Any
) -> Iterator[Store[dict[str, str]]]:
    store = Store(
        path,
        notes,
        migrations=options.pop("migrations", MIGRATIONS),
        flush_seconds=flush_seconds,
        log=LOG,
        retry_seconds=(0.02, 0.05),
        **options,
    )
    store.start()
    try:
        yield store
    finally:
        assert store.stop(20)


def written(store: Store[dict[str, str]], notes: Notes) -> None:
    wait_until(
        "everything is on disk",
        lambda: store.fault is None and not notes.dirty,
        every_seconds=0.01,
    )


def failing(store: Store[dict[str, str]], kind: str) -> None:
    def look() -> bool:
        return store.fault is not None and store.fault.kind == kind

    wait_until(f"the store says {kind}", look, every_seconds=0.01)


def on_disk(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return dict(connection.execute("SELECT name, text FROM notes").fetchall())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "notes.sqlite"


@pytest.fixture
def mounts() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def mounted(mounts: ExitStack, made: Any) -> Path:
    try:
        folder = mounts.enter_context(made)
    except filesystems.NoFilesystemError as reason:
        pytest.skip(str(reason))
    assert isinstance(folder, Path)
    return folder


# The plain case.


def test_what_was_kept_is_there_again(path: Path) -> None:
    with keeping(path, Notes(a="1", b="2")) as store:
        assert store.stop(20)
    again = Notes(b="3")
    with keeping(path, again) as store:
        written(store, again)
        assert again.notes == {"a": "1", "b": "3"}
    assert on_disk(path) == {"a": "1", "b": "3"}


def test_the_last_change_is_written_at_the_end(path: Path) -> None:
    notes = Notes()
    with keeping(path, notes, flush_seconds=NEVER) as store:
        wait_until("it is open", lambda: store.fault is None, every_seconds=0.01)
        notes.note("late", "1")
    assert on_disk(path) == {"late": "1"}


def test_nothing_is_written_when_nothing_changed(path: Path) -> None:
    notes = Notes(a="1")
    with keeping(path, notes, flush_seconds=NEVER) as store:
        written(store, notes)
        before = path.stat()
        for _ in range(5):
            store.flush()
    assert notes.transactions == 1
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_many_changes_are_one_transaction(path: Path) -> None:
    notes = Notes(**{f"n{i}": "x" for i in range(100)})
    with keeping(path, notes, flush_seconds=NEVER) as store:
        written(store, notes)
        for i in range(100):
            notes.note(f"n{i}", "y")
    assert notes.transactions == 2


def test_only_the_owner_may_read_any_of_it(path: Path) -> None:
    old = os.umask(0)
    try:
        with keeping(path, Notes(a="1")):
            pass
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert {"notes.sqlite", "notes.lock"} <= set(modes)


def test_a_later_version_migrates_and_keeps_what_there_was(path: Path) -> None:
    with keeping(path, Notes(a="1")):
        pass
    later = (*MIGRATIONS, "CREATE TABLE more (x); ALTER TABLE notes ADD COLUMN y")
    notes = Notes()
    with keeping(path, notes, migrations=later) as store:
        wait_until("it is open", lambda: store.fault is None, every_seconds=0.01)
    assert notes.notes == {"a": "1"}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("SELECT name, y FROM notes").fetchall() == [("a", None)]


def test_a_store_that_never_started_can_be_stopped(path: Path) -> None:
    store = Store(path, Notes(), migrations=MIGRATIONS, flush_seconds=1, log=LOG)
    assert store.fault is not None
    assert store.fault.kind == "opening"
    assert store.stop(0)
    assert not path.parent.exists()


# When it is written.


def test_servers_that_start_together_write_apart_and_never_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    enough = threading.Event()

    class Wake(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert timeout is not None
            pauses.append(timeout)
            if len(pauses) < 5:
                return True
            enough.set()
            return super().wait(timeout)

    store = Store(path, Notes(a="1"), migrations=MIGRATIONS, flush_seconds=NEVER, log=LOG)
    monkeypatch.setattr(store, "_wake", Wake())
    monkeypatch.setattr(random, "uniform", lambda low, high: low)
    store.start()
    assert enough.wait(20)
    assert store.stop(20)
    assert pauses[0] < NEVER
    assert pauses[1:] == [NEVER] * 4


def test_the_thread_tells_whose_it_is(path: Path) -> None:
    with keeping(path, Notes()):
        assert "einfra-store-notes" in [thread.name for thread in threading.enumerate()]


# Others who want the file.


def test_a_second_server_keeps_its_own_and_takes_over_when_the_first_ends(path: Path) -> None:
    first = Notes(a="first", b="first")
    second = Notes(b="second", c="second")
    with keeping(path, first) as one:
        written(one, first)
        with keeping(path, second) as two:
            failing(two, "second")
            first.note("d", "late")
            assert one.stop(20)
            written(two, second)
            assert second.notes == {"a": "first", "b": "second", "c": "second", "d": "late"}
    assert first.held_folders == [False]
    assert second.held_folders == [True]
    assert on_disk(path) == second.notes


def test_the_lock_of_a_server_that_was_killed_is_free(path: Path) -> None:
    path.parent.mkdir()
    lock = path.with_suffix(".lock")
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, lock], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    notes = Notes(a="1")
    try:
        assert holder.stdout.readline() == b"held\n"
        with keeping(path, notes) as store:
            failing(store, "second")
            holder.send_signal(signal.SIGKILL)
            written(store, notes)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    assert on_disk(path) == {"a": "1"}


def test_a_program_that_has_the_file_open_is_waited_for(path: Path) -> None:
    with keeping(path, Notes(a="1")):
        pass
    notes = Notes(b="2")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with keeping(path, notes) as store:
            failing(store, "busy")
            assert store.stop(20)
        other.execute("ROLLBACK")
    assert on_disk(path) == {"a": "1"}
    with keeping(path, notes) as store:
        written(store, notes)
    assert on_disk(path) == {"a": "1", "b": "2"}


# Damage.


def _random(path: Path) -> None:
    path.write_bytes(os.urandom(20_000))


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def _short(path: Path) -> None:
    os.truncate(path, 50)


def _garbage_inside(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))


def _sql(*statements: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    return damage


DAMAGES = {
    "random": _random,
    "truncated": _truncate,
    "short": _short,
    "garbage inside": _garbage_inside,
    "of a later version": _sql("PRAGMA user_version = 99"),
    "without its table": _sql("DROP TABLE notes"),
    "with another table": _sql("DROP TABLE notes", "CREATE TABLE notes (name, x)"),
    "with a column more": _sql("ALTER TABLE notes ADD COLUMN z"),
    "with a rule more": _sql(
        "DROP TABLE notes",
        "CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT CHECK (text = ''))",
    ),
    "of another program": _sql("PRAGMA application_id = 7"),
    "with text that is none": _sql("INSERT INTO notes VALUES ('x', CAST(X'FF' AS TEXT))"),
    "refused by its keeper": _sql("INSERT INTO notes VALUES ('poison', '')"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_put_aside_and_memory_is_kept(
    path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    with keeping(path, Notes(**{f"n{i}": str(i) * 500 for i in range(40)})):
        pass
    damage(path)
    content = path.read_bytes()
    notes = Notes(a="same", b="same")
    with keeping(path, notes) as store:
        written(store, notes)
    assert notes.notes.items() >= {"a": "same", "b": "same"}.items()
    assert on_disk(path) == notes.notes
    (aside,) = notes.asides
    assert aside.name.startswith("notes.sqlite.broken-")
    assert aside.parent == path.parent
    # What was damaged at the end of the first transaction has seen its beginning.
    assert len(aside.read_bytes()) >= len(content) > 0
    assert any(aside.name in message for message in caplog.messages)


def test_a_file_that_is_damaged_while_it_is_kept_loses_nothing(path: Path) -> None:
    # Every name that differs in its first letters lies on a page of its own.
    notes = Notes(**{f"{i:03}": str(i) * 300 for i in range(300)})
    with keeping(path, notes) as store:
        written(store, notes)
        with path.open("r+b") as file:
            for at in range(4096, path.stat().st_size, 4096):
                file.seek(at)
                file.write(os.urandom(4096))
        for i in range(300):
            notes.note(f"{i:03}", "new")
        wait_until("it was noticed", lambda: bool(notes.asides), every_seconds=0.01)
        written(store, notes)
    assert on_disk(path) == notes.notes
    assert len(notes.notes) == 300


def test_few_damaged_files_are_kept_and_the_latest_of_them(path: Path) -> None:
    contents = []
    for round_number in range(5):
        with keeping(path, Notes(a=str(round_number))):
            pass
        contents.append(os.urandom(5000))
        path.write_bytes(contents[-1])
    with keeping(path, Notes()):
        pass
    kept = sorted(path.parent.glob("*.broken-*[0-9]"))
    assert [found.read_bytes() for found in kept] == contents[-3:]


def test_the_journal_of_a_damaged_file_does_not_touch_the_new_one(path: Path) -> None:
    with keeping(path, Notes(a="1")):
        pass
    _random(path)
    journal = Path(f"{path}-journal")
    journal.write_bytes(os.urandom(5000))
    with keeping(path, Notes(b="2")):
        pass
    assert on_disk(path) == {"b": "2"}
    assert not journal.exists() or journal.stat().st_size == 0


def test_a_journal_goes_with_its_file(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"file")
    Path(f"{path}-journal").write_bytes(b"journal")
    aside = set_aside(path)
    assert aside.read_bytes() == b"file"
    assert Path(f"{aside}-journal").read_bytes() == b"journal"
    assert sorted(path.parent.iterdir()) == [aside, Path(f"{aside}-journal")]


# Disks.


def test_a_full_disk_costs_nothing_and_is_used_again_when_there_is_space(
    tmp_path: Path, mounts: ExitStack
) -> None:
    disk = mounted(mounts, filesystems.small(tmp_path / "disk", 256 * 1024))
    path = disk / "state" / "notes.sqlite"
    notes = Notes(a="1")
    with keeping(path, notes) as store:
        written(store, notes)
        ballast = filesystems.fill(disk)
        notes.note("a", "new")
        notes.note("b", "2" * 20_000)
        failing(store, "full")
        shutil.copy(path, tmp_path / "copy.sqlite")
        assert on_disk(tmp_path / "copy.sqlite") == {"a": "1"}
        ballast.unlink()
        written(store, notes)
    assert on_disk(path) == notes.notes


def test_a_disk_that_was_full_from_the_start_is_used_when_there_is_space(
    tmp_path: Path, mounts: ExitStack
) -> None:
    disk = mounted(mounts, filesystems.small(tmp_path / "disk", 64 * 1024))
    ballast = filesystems.fill(disk)
    path = disk / "state" / "notes.sqlite"
    notes = Notes(a="1")
    with keeping(path, notes) as store:
        failing(store, "full")
        ballast.unlink()
        written(store, notes)
    assert on_disk(path) == {"a": "1"}


def test_a_disk_that_turns_read_only_is_used_again_when_it_can_be_written(
    tmp_path: Path, mounts: ExitStack
) -> None:
    disk = mounted(mounts, filesystems.small(tmp_path / "disk", 2**20))
    path = disk / "state" / "notes.sqlite"
    with keeping(path, Notes(a="1")):
        pass
    filesystems.set_read_only(disk, read_only=True)
    notes = Notes(b="2")
    with keeping(path, notes) as store:
        failing(store, "read-only")
        filesystems.set_read_only(disk, read_only=False)
        written(store, notes)
    assert on_disk(path) == {"a": "1", "b": "2"}


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with keeping(tmp_path / "state" / "notes.sqlite", Notes(a="1")) as store:
            failing(store, "read-only")
    finally:
        tmp_path.chmod(0o700)


def test_a_home_that_is_not_there_is_told_and_used_when_it_comes(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("in its place")
    path = home / "state" / "notes.sqlite"
    notes = Notes(a="1")
    with keeping(path, notes) as store:
        failing(store, "unreachable")
        home.unlink()
        written(store, notes)
    assert on_disk(path) == {"a": "1"}


def test_a_folder_that_is_removed_is_made_anew_with_all_there_was(path: Path) -> None:
    notes = Notes(a="1")
    with keeping(path, notes) as store:
        written(store, notes)
        shutil.rmtree(path.parent)
        notes.note("b", "2")
        wait_until("it is there again", path.exists, every_seconds=0.01)
        written(store, notes)
    assert on_disk(path) == {"a": "1", "b": "2"}
    assert notes.held_folders == [False, False]


def test_a_link_in_place_of_the_lock_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.with_suffix(".lock").symlink_to(tmp_path / "elsewhere")
    with keeping(path, Notes(a="1")) as store:
        failing(store, "unreachable")
    assert not (tmp_path / "elsewhere").exists()


# What hangs.


def test_a_disk_that_hangs_holds_up_nobody(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_HUNG_SECONDS", 0.05)
    answers = threading.Event()
    within = threading.Event()

    def connect(path: Path, **options: Any) -> Connection:
        within.set()
        assert answers.wait(60)
        connection: Connection = sqlite3.connect(path, **options)
        return connection

    notes = Notes(a="1")
    store = Store(path, notes, migrations=MIGRATIONS, flush_seconds=0.02, log=LOG, connect=connect)
    store.start()
    assert within.wait(20)
    failing(store, "hung")
    assert not store.stop(0.05)
    answers.set()
    assert store.stop(20)
    assert on_disk(path) == {"a": "1"}


def test_a_real_disk_that_hangs_holds_up_nobody_and_is_written_when_it_answers(
    tmp_path: Path, mounts: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_HUNG_SECONDS", 0.05)
    disk = mounted(mounts, filesystems.on_a_disk(tmp_path / "disk"))
    path = disk / "state" / "notes.sqlite"
    notes = Notes(a="1")
    with keeping(path, notes) as store:
        written(store, notes)
        with filesystems.frozen(disk):
            notes.note("b", "2")
            failing(store, "hung")
            notes.note("c", "3")
            begun = time.monotonic()
            assert not store.stop(0.1)
            assert time.monotonic() - begun < 10
        assert store.stop(20)
    assert on_disk(path).items() >= {"a": "1", "b": "2"}.items()


# Faults nobody thought of.


def test_a_keeper_that_breaks_is_logged_and_tried_again(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Notes):
        faults = 2

        def write(self, connection: Connection, changes: dict[str, str]) -> None:
            super().write(connection, changes)
            if self.faults:
                self.faults -= 1
                raise RuntimeError("a fault of its own")

    notes = Broken(a="1")
    with keeping(path, notes) as store:
        written(store, notes)
    assert on_disk(path) == {"a": "1"}
    assert [r.exc_info is not None for r in caplog.records if "fault of its own" in r.message] == [
        True
    ]


@pytest.mark.parametrize("place", ["load", "write"])
def test_a_file_whose_values_are_beyond_all_bounds_is_put_aside(path: Path, place: str) -> None:
    class Strict(Notes):
        def load(self, connection: Connection) -> None:
            super().load(connection)
            self.check(connection, "load")

        def write(self, connection: Connection, changes: dict[str, str]) -> None:
            self.check(connection, "write")
            super().write(connection, changes)

        def check(self, connection: Connection, where: str) -> None:
            (count,) = connection.execute("SELECT count(*) FROM notes WHERE name='huge'").fetchone()
            if count and where == place:
                raise OverflowError("Python int too large to convert to SQLite INTEGER")

    with keeping(path, Notes(huge="1")):
        pass
    notes = Strict(b="2")
    with keeping(path, notes) as store:
        wait_until("it is put aside", lambda: bool(notes.asides), every_seconds=0.01)
        written(store, notes)
    assert on_disk(path)["b"] == "2"
    assert len(notes.asides) == 1


def test_memory_that_cannot_be_written_costs_one_file_and_no_more(path: Path) -> None:
    class Strange(Notes):
        tries = 0

        def write(self, connection: Connection, changes: dict[str, str]) -> None:
            self.tries += 1
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

    notes = Strange(a="1")
    with keeping(path, notes) as store:
        failing(store, "unreachable")
        wait_until("it was tried again", lambda: notes.tries > 5, every_seconds=0.01)
    assert len(notes.asides) == 1


def test_a_fault_is_told_once_however_often_it_is_met(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    home = tmp_path / "home"
    home.write_text("in its place")
    notes = Notes(a="1")
    with keeping(home / "state" / "notes.sqlite", notes) as store:
        failing(store, "unreachable")
        for _ in range(20):
            store.flush()
        home.unlink()
        written(store, notes)
    told = [r.message for r in caplog.records if r.name == LOG.name]
    assert len(told) == 2
    assert "in memory only" in told[0]
    assert "written again" in told[1]
