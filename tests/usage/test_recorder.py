"""The history survives whatever happens to the server and to its disk."""

from __future__ import annotations

import json
import logging
import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from servers import filesystems
from servers.process import wait_until
from servers.samples import GIB, SLICE, WHOLE, sample

from jupyter_einfra import store as store_module
from jupyter_einfra.errors import InvalidParameter
from jupyter_einfra.store_file import Lock
from jupyter_einfra.usage.history import keeper
from jupyter_einfra.usage.history.recorder import Recorder
from jupyter_einfra.usage.models import (
    GpuUsage,
    HistoryQuery,
    Run,
    UsageEvent,
    UsageHistory,
    UsageSnapshot,
)

LOG = logging.getLogger("tests.recorder")
NEVER = 600.0
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=timezone.utc)


@dataclass
class Clock:
    """The clock of one server; moves when told."""

    now: datetime = field(default=NOON)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


def taken(
    at: datetime, cores: float = 0.4, used_gib: float = 3.0, gpus: tuple[GpuUsage, ...] = ()
) -> UsageSnapshot:
    made = sample(used_gib=used_gib, gpus=gpus)
    memory = replace(made.memory, unreclaimable_bytes=int(used_gib * GIB))
    return replace(made, time=at, cpu=replace(made.cpu, used_cores=cores), memory=memory)


class Life:
    """One run of a server over a directory."""

    def __init__(self, directory: Path, clock: Clock, **options: Any) -> None:
        self.clock = clock
        self.loaded = threading.Event()
        self.told: list[Run | None] = []
        options = {"flush_seconds": 0.02, "retry_seconds": (0.02, 0.05), **options}
        self.recorder = Recorder(directory, gap_seconds=25, log=LOG, now=clock, **options)

    def start(self) -> None:
        def on_loaded(run: Run | None) -> None:
            self.told.append(run)
            self.loaded.set()

        self.recorder.start(on_loaded)

    def add(self, count: int = 1, step: float = 1.0, **figures: Any) -> None:
        for _ in range(count):
            self.clock.move(seconds=step)
            self.recorder.add(taken(self.clock.now, **figures))

    def committed(self, count: int) -> None:
        wait_until(
            f"{count} samples are on disk",
            lambda: self.recorder.committed >= count and self.recorder.reason is None,
            every_seconds=0.01,
        )

    def reason(self, code: str) -> None:
        def look() -> bool:
            reason = self.recorder.reason
            return reason is not None and reason.code == code

        wait_until(f"the reason is {code}", look, every_seconds=0.01)

    def points(self, **span: float) -> int:
        span = span or {"minutes": 15}
        return len(self.select(**span).offsets_seconds)

    def select(self, **span: float) -> UsageHistory:
        return self.recorder.select(HistoryQuery(since=self.clock.now - timedelta(**span)))


@contextmanager
def life(directory: Path, clock: Clock, **options: Any) -> Iterator[Life]:
    """A life that ends in good order, unless it has ended already."""
    one = Life(directory, clock, **options)
    one.start()
    try:
        yield one
    finally:
        one.recorder.stop(20)


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """No run before is judged by a sample that a test never takes."""
    monkeypatch.setattr(keeper, "_FIRST_SAMPLE_SECONDS", 0.02)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def loaded(one: Life) -> Run | None:
    assert one.loaded.wait(20)
    assert len(one.told) == 1
    return one.told[0]


# Plain life.


def test_what_was_recorded_is_there_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    with life(tmp_path / "s", clock) as first:
        assert loaded(first) is None
        first.add(30, cores=1.5, gpus=(WHOLE, SLICE))
        first.recorder.record(UsageEvent(time=clock.now, code="e", message="m", params={}))
        before = first.select(minutes=15)
    assert len(before.offsets_seconds) == 30
    with life(tmp_path / "s", clock) as second:
        loaded(second)
        after = second.select(minutes=15)
        second.committed(0)
    assert replace(after, runs=[], reason=None) == replace(before, runs=[], reason=None)
    assert [gpu.uuid for gpu in after.gpus] == [WHOLE.uuid, SLICE.uuid]
    assert [run.ending for run in after.runs] == ["stopped", "running"]


def test_samples_before_the_file_is_read_join_those_in_it(tmp_path: Path, clock: Clock) -> None:
    with life(tmp_path / "s", clock) as first:
        first.add(5)
        loaded(first)
    second = Life(tmp_path / "s", clock)
    reason = second.recorder.reason
    assert reason is not None
    assert reason.code == "history_loading"
    second.add(5)
    assert second.points() == 5
    second.start()
    loaded(second)
    assert second.points() == 10
    second.recorder.stop(20)


def test_a_query_that_makes_no_sense_is_refused(tmp_path: Path, clock: Clock) -> None:
    recorder = Life(tmp_path, clock).recorder
    query = HistoryQuery(since=clock.now, until=clock.now - timedelta(seconds=1))
    for answer in (recorder.select, recorder.table):
        with pytest.raises(InvalidParameter, match="'since'"):
            answer(query)


def test_the_table_is_of_the_same_points(tmp_path: Path, clock: Clock) -> None:
    one = Life(tmp_path, clock)
    one.add(3)
    assert len(one.recorder.table(HistoryQuery()).splitlines()) == 4


def test_the_table_has_every_point_that_is_asked_for(tmp_path: Path, clock: Clock) -> None:
    one = Life(tmp_path, clock)
    one.add(2500, step=60)
    query = HistoryQuery(since=clock.now - timedelta(days=7), resolution=60)
    assert len(one.recorder.table(query).splitlines()) == 2501
    assert one.recorder.select(query).resolution_seconds == 600


def test_nothing_is_written_while_nothing_is_sampled(tmp_path: Path, clock: Clock) -> None:
    with life(tmp_path / "s", clock) as one:
        one.add(3)
        one.committed(3)
        assert one.recorder._keeper.changes() is None


def test_one_transaction_has_what_many_samples_brought(tmp_path: Path, clock: Clock) -> None:
    statements: list[str] = []

    def connect(path: Path, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = sqlite3.connect(path, **options)
        connection.set_trace_callback(statements.append)
        return connection

    with life(tmp_path / "s", clock, flush_seconds=NEVER, connect=connect) as one:
        loaded(one)
        wait_until("it is open", lambda: one.recorder.reason is None, every_seconds=0.01)
        del statements[:]
        one.add(60)
        assert statements == []
    assert statements.count("COMMIT") == 1
    # 60 seconds, 6 or 7 times ten, and one or two of each other tier.
    assert sum("INTO figures" in statement for statement in statements) <= 60 + 7 + 2 + 2 + 2


# Endings.


def crash(directory: Path, clock: Clock, steps: Callable[[Life], None]) -> None:
    """Let a server live and end without a word: its file stays as it is at that moment."""
    copy = directory.with_name("copy")
    with life(directory, clock) as one:
        loaded(one)
        steps(one)
        words = one.recorder._keeper.last_words
        assert words is not None
        wait_until("nothing waits", lambda: not words._waiting, every_seconds=0.01)
        subprocess.run(["cp", "-r", directory, copy], check=True)
    subprocess.run(["rm", "-r", directory], check=True)
    copy.rename(directory)


def test_a_clean_end_is_told(tmp_path: Path, clock: Clock) -> None:
    with life(tmp_path / "s", clock) as one:
        one.add(3)
        loaded(one)
        clock.move(minutes=1)
        ended = clock.now
    clock.move(hours=1)
    with life(tmp_path / "s", clock) as next_one:
        previous = loaded(next_one)
        assert previous is not None
        assert (previous.started, previous.ended, previous.ending) == (NOON, ended, "stopped")
        assert next_one.recorder.previous_run == previous
        assert [run.ending for run in next_one.select(hours=2).runs] == ["stopped", "running"]


def test_an_end_at_the_limit_is_told_by_the_last_words(tmp_path: Path, clock: Clock) -> None:
    directory = tmp_path / "s"
    copy = tmp_path / "copy"
    one = Life(directory, clock, flush_seconds=0.02)
    one.start()
    loaded(one)
    one.recorder.set_open(["train.ipynb"])
    one.add(5, used_gib=3)
    one.committed(5)
    # From here on the file learns nothing more, as in the minute between two transactions.
    with closing(_Frozen(one)):
        for gib in (14.5, 15.0, 15.5, 15.9):
            one.add(1, used_gib=gib)
        words = one.recorder._keeper.last_words
        assert words is not None
        wait_until("they are written", lambda: words.written == 4, every_seconds=0.01)
        subprocess.run(["cp", "-r", directory, copy], check=True)
    one.recorder.stop(20)
    last = clock.now
    clock.move(minutes=2)
    with life(copy, clock) as after:
        previous = loaded(after)
        assert previous is not None
        assert (previous.ending, previous.ended) == ("out-of-memory", last)
        assert previous.reason is not None
        assert "15.9 of 16 GiB" in previous.reason.message
        assert after.recorder.previous_open == ("train.ipynb",)
        # The last words are part of the history.
        told = after.select(minutes=15)
        assert len(told.offsets_seconds) == 9
        assert max(v or 0 for v in told.memory_working_set_bytes.maximum) > 15.8 * GIB
    with life(copy, clock) as later:
        previous = loaded(later)
        assert later.points(minutes=15) == 9
        assert previous is not None
        assert previous.ending == "stopped"


class _Frozen:
    """Keeps a recorder's file as it is until it is closed."""

    def __init__(self, one: Life) -> None:
        self._keeper = one.recorder._keeper
        self._changes = self._keeper.changes
        self._keeper.changes = lambda: None  # type: ignore[method-assign]

    def close(self) -> None:
        self._keeper.changes = self._changes  # type: ignore[method-assign]


def test_an_end_without_a_word_far_from_the_limit_is_only_that(
    tmp_path: Path, clock: Clock
) -> None:
    def steps(one: Life) -> None:
        one.add(5, used_gib=3)
        one.committed(5)

    crash(tmp_path / "s", clock, steps)
    with life(tmp_path / "s", clock) as after:
        previous = loaded(after)
        assert previous is not None
        assert previous.ending == "killed"


def test_crashes_in_a_row_keep_each_its_run(tmp_path: Path, clock: Clock) -> None:
    def steps(one: Life) -> None:
        one.add(2)
        one.committed(2)

    for _ in range(3):
        crash(tmp_path / "s", clock, steps)
        clock.move(minutes=1)
    with life(tmp_path / "s", clock) as after:
        loaded(after)
        runs = after.select(hours=1).runs
        assert [run.ending for run in runs] == ["killed", "killed", "killed", "running"]
        assert len({run.started for run in runs}) == 4


def test_a_callback_that_breaks_costs_nothing(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    one = Life(tmp_path / "s", clock)

    def broken(run: Run | None) -> None:
        raise RuntimeError("a fault of its own")

    one.recorder.start(broken)
    one.add(3)
    one.committed(3)
    one.recorder.stop(20)
    assert [r.message for r in caplog.records] == [
        "Nobody could be told how the server's last run ended"
    ]


def test_counters_of_another_group_tell_nothing_of_the_run_before(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counting(one: Life, kills: int, origin: str) -> None:
        made = taken(one.clock.now)
        memory = replace(made.memory, oom_kills=kills)
        one.recorder.add(replace(made, memory=memory), origin=origin)

    def steps(one: Life) -> None:
        counting(one, 3, "/sys/fs/cgroup/a")
        one.committed(1)

    monkeypatch.setattr(keeper, "_boot", lambda: "boot")
    endings = []
    for origin in ("/sys/fs/cgroup/a", "/sys/fs/cgroup/b"):
        directory = tmp_path / origin[-1]
        crash(directory, clock, steps)
        clock.move(minutes=1)
        after = Life(directory, clock)
        counting(after, 4, origin)
        after.start()
        previous = loaded(after)
        after.recorder.stop(20)
        assert previous is not None
        endings.append(previous.ending)
    assert endings == ["out-of-memory", "killed"]


def test_whoever_tells_what_is_open_waits_for_nobody(tmp_path: Path, clock: Clock) -> None:
    def steps(one: Life) -> None:
        told = threading.Thread(target=one.recorder.set_open, args=(["a.ipynb"],), daemon=True)
        with one.recorder._keeper.lock:
            told.start()
            told.join(20)
            assert not told.is_alive()
        one.add(1)
        one.committed(1)

    crash(tmp_path / "s", clock, steps)
    with life(tmp_path / "s", clock) as after:
        loaded(after)
        assert after.recorder.previous_open == ("a.ipynb",)
        after.recorder.set_open(["b.ipynb"])  # and no sample after it
    with life(tmp_path / "s", clock) as later:
        loaded(later)
        assert later.recorder.previous_open == ("b.ipynb",)


# Clocks.


def test_a_clock_that_jumps_back_goes_on_and_shows_no_future(tmp_path: Path, clock: Clock) -> None:
    with life(tmp_path / "s", clock) as one:
        one.add(60)
        clock.move(hours=-1)
        one.add(60)
        told = one.select(minutes=10)
        assert len(told.offsets_seconds) == 60
        assert max(told.offsets_seconds) <= 600
        assert one.points(hours=2) == 7  # of ten seconds
        clock.move(hours=1)
        assert one.points(minutes=10) == 60  # what was hidden is there
        one.committed(120)
    with life(tmp_path / "s", clock) as again:
        loaded(again)
        assert again.points(minutes=10) == 60


def test_a_clock_that_jumps_a_year_ahead_and_back_recovers(tmp_path: Path, clock: Clock) -> None:
    with life(tmp_path / "s", clock) as one:
        one.add(60)
        clock.move(days=365)
        one.add(10)
        one.committed(70)
        assert one.points(minutes=15) == 10
        clock.move(days=-365)
        one.add(60)
        one.committed(130)
        assert one.points(minutes=15) >= 110  # at most those whose places were taken
        assert one.points(days=7) >= 1
    with life(tmp_path / "s", clock) as again:
        loaded(again)
        assert again.points(minutes=15) >= 110
        again.add(5)
        again.committed(5)


# Two servers, and disks.


def test_a_second_server_keeps_its_history_in_memory_and_then_takes_over(
    tmp_path: Path, clock: Clock
) -> None:
    with life(tmp_path / "s", clock) as first:
        first.add(10, cores=1.0)
        first.committed(10)
        other = Clock(clock.now)
        with life(tmp_path / "s", other) as second:
            second.reason("history_in_memory_second")
            second.add(10, cores=2.0)
            assert second.points() == 10
            assert second.told == []
            first.add(5, cores=1.0)
            first.recorder.stop(20)
            second.committed(10)
            # The other was beside this one, not before it.
            assert loaded(second) is None
            assert second.recorder.previous_run is None
            cores = second.select(minutes=15).cpu_used_cores
            assert len(cores.mean) == 20
            assert cores.mean[:10] == [1.0] * 10
            assert cores.mean[10:15] == [1.5] * 5  # both, at the same moments
            assert (cores.minimum[10], cores.maximum[10]) == (1.0, 2.0)
            assert cores.mean[15:] == [2.0] * 5
    with life(tmp_path / "s", other) as third:
        loaded(third)
        assert third.points() == 20


def test_a_run_before_is_told_even_if_its_lock_lingers(tmp_path: Path, clock: Clock) -> None:
    """As that of a machine that is gone does on NFS."""

    def steps(one: Life) -> None:
        one.add(5)
        one.committed(5)

    crash(tmp_path / "s", clock, steps)
    clock.move(minutes=1)
    lingering = Lock(tmp_path / "s" / "usage.lock")
    assert lingering.take()
    with life(tmp_path / "s", clock) as after:
        after.reason("history_in_memory_second")
        assert after.told == []
        lingering.release()
        previous = loaded(after)
        assert previous is not None
        assert previous.ending == "killed"
        assert after.recorder.previous_run == previous


def test_a_damaged_file_is_told_in_the_history_and_memory_is_kept(
    tmp_path: Path, clock: Clock
) -> None:
    with life(tmp_path / "s", clock) as one:
        one.add(10)
        loaded(one)
    (tmp_path / "s" / "usage.sqlite").write_bytes(os.urandom(50_000))
    with life(tmp_path / "s", clock) as after:
        after.add(5)
        assert loaded(after) is None
        after.committed(5)
        told = after.select(minutes=15)
        assert len(told.offsets_seconds) == 5
        (event,) = told.events
        assert event.code == "history_set_aside"
        assert (tmp_path / "s" / str(event.params["file"])).is_file()


def test_a_file_replaced_by_a_damaged_one_costs_nothing(tmp_path: Path, clock: Clock) -> None:
    with life(tmp_path / "s", clock) as one:
        one.add(30, gpus=(WHOLE,))
        one.committed(30)
        damaged = tmp_path / "damaged"
        damaged.write_bytes(os.urandom(20_000))
        damaged.replace(tmp_path / "s" / "usage.sqlite")
        one.add(30, gpus=(WHOLE,))
        one.committed(60)
        before = one.select(minutes=15)
        assert [event.code for event in before.events] == ["history_set_aside"]
    with life(tmp_path / "s", clock) as after:
        loaded(after)
        told = after.select(minutes=15)
    assert len(told.offsets_seconds) == 60
    assert (told.cpu_used_cores, told.gpus) == (before.cpu_used_cores, before.gpus)
    assert told.events == before.events


def test_a_full_disk_is_told_and_written_when_there_is_space(tmp_path: Path, clock: Clock) -> None:
    try:
        with filesystems.small(tmp_path / "disk", 512 * 1024) as disk:
            with life(disk / "s", clock) as one:
                one.add(10)
                one.committed(10)
                ballast = filesystems.fill(disk)
                one.add(900)
                one.reason("history_in_memory_full")
                assert one.points(minutes=15) == 900
                ballast.unlink()
                one.committed(910)
            with life(disk / "s", clock) as after:
                loaded(after)
                assert after.points(minutes=15) == 900
    except filesystems.NoFilesystemError as reason:
        pytest.skip(str(reason))


def test_a_read_only_home_is_told(tmp_path: Path, clock: Clock) -> None:
    try:
        with filesystems.small(tmp_path / "disk", 512 * 1024) as disk:
            filesystems.set_read_only(disk, read_only=True)
            with life(disk / "s", clock) as one:
                one.add(5)
                one.reason("history_in_memory_read_only")
                assert one.points() == 5
                filesystems.set_read_only(disk, read_only=False)
                one.committed(5)
    except filesystems.NoFilesystemError as reason:
        pytest.skip(str(reason))


def test_a_home_that_is_no_folder_is_told(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "home").write_text("in its place")
    with life(tmp_path / "home" / "s", clock) as one:
        one.add(5)
        one.reason("history_in_memory_unreachable")
        assert one.points() == 5
        assert one.select(minutes=1).reason == one.recorder.reason


def test_a_folder_whose_name_is_no_text_can_be_told(tmp_path: Path, clock: Clock) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/home\xff"))
    folder.write_text("in its place")
    with life(folder / "s", clock) as one:
        one.reason("history_in_memory_unreachable")
        reason = one.recorder.reason
        assert b"home" in msgspec.json.encode(reason)


def test_a_disk_that_hangs_delays_neither_samples_nor_answers_nor_the_end(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_HUNG_SECONDS", 0.05)
    answers, within = threading.Event(), threading.Event()

    def connect(path: Path, **options: Any) -> sqlite3.Connection:
        within.set()
        assert answers.wait(60)
        connection: sqlite3.Connection = sqlite3.connect(path, **options)
        return connection

    one = Life(tmp_path / "s", clock, connect=connect)
    one.start()
    assert within.wait(20)
    begun = time.monotonic()
    one.add(100, used_gib=15.9)
    assert one.points() == 100
    one.reason("history_in_memory_hung")
    one.recorder.stop(0.05)
    assert time.monotonic() - begun < 20
    answers.set()
    one.recorder.stop(20)
    with life(tmp_path / "s", clock) as after:
        loaded(after)
        assert after.points() == 100


# Kill -9.

#: A server whose every figure follows from its time, at a thousand times the pace.
SERVER = """
import itertools, logging, os, signal, sqlite3, sys, threading, time
from datetime import datetime, timezone
from pathlib import Path
from msgspec.structs import replace
from servers.samples import WHOLE, sample
from jupyter_einfra.usage.history.recorder import Recorder

directory, clock = Path(sys.argv[1]), [int(sys.argv[2])]
made, loaded = sample(), threading.Event()

def now():
    return datetime.fromtimestamp(clock[0], timezone.utc)

def add(recorder, gpus=()):
    clock[0] += 1
    cpu = replace(made.cpu, used_cores=clock[0] % 97 / 10)
    recorder.add(replace(made, time=now(), cpu=cpu, gpus=list(gpus)))

def server(flush_seconds, **options):
    made = Recorder(
        directory,
        gap_seconds=25,
        flush_seconds=flush_seconds,
        log=logging.getLogger(),
        now=now,
        **options,
    )
    made.start(lambda run: loaded.set())
    loaded.wait()
    return made
"""

#: Tells what is committed until it is killed.
TELLING = (
    SERVER
    + """
recorder, first, told = server(0.005), clock[0], 0
while True:
    add(recorder)
    if recorder.committed > told:
        told = recorder.committed
        print(first + told, flush=True)
    time.sleep(0.0005)
"""
)

#: Kills itself when a large transaction, a part of it in the file already, is committed.
AMIDST = (
    SERVER
    + """
armed = False

def traced(statement):
    if armed and statement == "COMMIT":
        os.kill(os.getpid(), signal.SIGKILL)

def connect(path, **options):
    connection = sqlite3.connect(path, **options)
    connection.set_trace_callback(traced)
    return connection

recorder = server(600, connect=connect)
gpus = [replace(WHOLE, uuid=f"GPU-{n}", index=n) for n in range(16)]
for _ in range(300):
    add(recorder, gpus)
recorder._store.flush()
while recorder.committed < 300:
    time.sleep(0.001)
armed = True
for _ in range(600):
    add(recorder, gpus)
recorder.stop(60)
"""
)


def served(script: str, directory: Path, at: int) -> subprocess.Popen[bytes]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", script, str(directory), str(at)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=env)


def assert_whole(directory: Path) -> None:
    with closing(sqlite3.connect(directory / "usage.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert list(directory.glob("*.broken-*")) == []


def test_a_kill_amidst_a_large_transaction_leaves_what_was_before_it(tmp_path: Path) -> None:
    directory, at = tmp_path / "s", int(NOON.timestamp())
    with served(AMIDST, directory, at) as child:
        assert child.wait(60) == -signal.SIGKILL
    assert (directory / "usage.sqlite-journal").stat().st_size > 0
    clock = Clock(datetime.fromtimestamp(at + 600, timezone.utc))
    with life(directory, clock) as after:
        loaded(after)
        told = after.select(minutes=15)
        assert len(told.offsets_seconds) == 300
        assert [gpu.utilization.mean for gpu in told.gpus] == [[0.63] * 300] * 16
    assert_whole(directory)


def test_no_kill_at_any_moment_loses_what_was_committed(tmp_path: Path) -> None:
    rng = random.Random(20260304)
    directory = tmp_path / "s"
    at = int(NOON.timestamp())
    committed: set[int] = set()
    crashes = 15
    for round_number in range(crashes):
        child = served(TELLING, directory, at)
        assert child.stdout is not None
        with child.stdout as output:
            first = output.readline()
            assert first, "the server ended by itself"
            time.sleep(rng.uniform(0, 0.06))
            child.send_signal(signal.SIGKILL)
            child.wait()
            lines = [line for line in (first + output.read()).split(b"\n")[:-1] if line]
        last = int(lines[-1])
        committed.update(range(at + 1, last + 1))
        clock = Clock(datetime.fromtimestamp(last + 30, timezone.utc))
        with life(directory, clock) as after:
            loaded(after)
            told = after.select(minutes=15)
            since = clock.now.timestamp() - 900
            found = {
                round(since + offset): cores
                for offset, cores in zip(
                    told.offsets_seconds, told.cpu_used_cores.mean, strict=True
                )
            }
            missing = {moment for moment in committed if moment > since + 1} - found.keys()
            assert missing == set(), round_number
            assert all(found[m] == pytest.approx(m % 97 / 10) for m in committed & found.keys())
            assert [run.ending for run in told.runs].count("running") == 1
        assert_whole(directory)
        at = last + 2000 if round_number == 7 else last + 100


# Bounds.


def test_memory_is_bounded_however_many_gpus_come_and_go(tmp_path: Path, clock: Clock) -> None:
    one = Life(tmp_path, clock)
    for number in range(40):
        one.add(gpus=(replace(WHOLE, uuid=f"MIG-{number}"),))
    assert one.recorder.memory_bytes() <= 2_800_000 + 16 * 650_000
    assert len(one.select(hours=1).gpus) == 16


def test_everything_told_is_json_without_nonsense(tmp_path: Path, clock: Clock) -> None:
    one = Life(tmp_path, clock)
    one.add(5, gpus=(WHOLE, SLICE))
    told = json.loads(
        msgspec.json.encode(one.select(minutes=1)),
        parse_constant=lambda name: pytest.fail(f"{name} is not JSON"),
    )
    lengths = {len(told["offsets_seconds"])}
    for value in told.values():
        if isinstance(value, dict) and "mean" in value:
            lengths |= {len(value[kind]) for kind in ("minimum", "mean", "maximum")}
    assert lengths == {5}
    assert math.isfinite(told["resolution_seconds"])


class TestMinutes:
    """What others judge use by tells of no more than was sampled."""

    def test_none_are_told_before_earlier_ones_were_read(self, tmp_path: Path) -> None:
        one = Life(tmp_path, Clock())
        one.add()
        assert one.recorder.minutes(0.0, one.clock.now.timestamp()) is None
        one.start()
        one.loaded.wait(10)
        assert one.recorder.minutes(0.0, one.clock.now.timestamp()) is not None
        one.recorder.stop()

    def test_a_utilization_that_is_missing_or_old_counts_for_no_sample(
        self, tmp_path: Path
    ) -> None:
        with life(tmp_path, Clock()) as one:
            one.loaded.wait(10)
            unknown = replace(WHOLE, utilization=None)
            never = replace(SLICE, utilization=None)
            for gpu in (WHOLE, unknown, unknown, WHOLE):
                one.add(gpus=(gpu, never))
            one.recorder.add(taken(one.clock.now, gpus=(WHOLE,)), gpus_are_new=False)
            now = one.clock.now.timestamp()
            told = one.recorder.minutes(now - 60, now)
            assert told is not None
            samples = {gpu.uuid: sum(gpu.utilization.samples) for gpu in told.gpus}
            # Of one that never has any, the memory is kept.
            assert samples == {WHOLE.uuid: 2, SLICE.uuid: 4}

    def test_a_figure_of_the_cpu_that_is_missing_is_a_break(self, tmp_path: Path) -> None:
        with life(tmp_path, Clock()) as one:
            one.loaded.wait(10)
            one.add(3)
            made = taken(one.clock.now)
            one.recorder.add(replace(made, cpu=replace(made.cpu, used_cores=None)))
            now = one.clock.now.timestamp()
            told = one.recorder.minutes(now - 60, now)
            assert told is not None
            assert told.breaks[-1] == now
