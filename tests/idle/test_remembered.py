"""Each start of the server has a memory of its own, which no restart and no fault shortens."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from servers.process import wait_until

from jupyter_einfra.idle.published import decode
from jupyter_einfra.idle.remembered import Remembered
from jupyter_einfra.idle.starts import MOST_STARTS

from .made import DAY, HOUR, NOW, state

LOG = logging.getLogger("tests.idle")


@contextmanager
def life(
    directory: Path, start: str = "first", now: float = NOW, **options: Any
) -> Iterator[Remembered]:
    kept = Remembered(directory, start, now=lambda: now, log=LOG, **options)
    kept.start()
    try:
        yield kept
    finally:
        assert kept.stop(5.0)


def known(kept: Remembered) -> Any:
    return wait_until("it was read", lambda: kept.present)


def test_a_start_is_as_old_as_its_first_life(tmp_path: Path) -> None:
    with life(tmp_path) as kept:
        assert known(kept).first_seen == NOW
    with life(tmp_path, now=NOW + HOUR) as kept:
        assert known(kept).first_seen == NOW
    with life(tmp_path, "second", now=NOW + 2 * HOUR) as kept:
        assert known(kept).first_seen == NOW + 2 * HOUR


def test_what_the_controller_told_is_kept_with_the_start(tmp_path: Path) -> None:
    with life(tmp_path) as kept:
        known(kept)
        kept.hear(decode(json.dumps(state()).encode()))
    with life(tmp_path) as kept:
        assert [told.counter for told in known(kept).told] == [2]
    with life(tmp_path, "second") as kept:
        assert known(kept).told == []


def test_it_is_there_after_a_sudden_end(tmp_path: Path) -> None:
    with life(tmp_path) as kept:
        known(kept)
        kept.hear(decode(json.dumps(state()).encode()))

        # The file is locked while it is open; a copy is what a killed server leaves.
        copy = tmp_path / "copy"
        copy.mkdir()

        def copied() -> bool:
            (copy / "idle.sqlite").write_bytes((tmp_path / "idle.sqlite").read_bytes())
            with suppress(sqlite3.Error), closing(sqlite3.connect(copy / "idle.sqlite")) as db:
                (row,) = db.execute("SELECT start FROM starts").fetchone()
                return b'"counter":2' in row
            return False  # it was just being written

        wait_until("it was written", copied)


def test_a_damaged_file_leaves_no_start_younger(tmp_path: Path) -> None:
    (tmp_path / "idle.sqlite").write_bytes(b"no database" * 100)
    for later in (0, HOUR):
        with life(tmp_path, now=NOW + later) as kept:
            assert known(kept).first_seen == 0.0
    with life(tmp_path, "second", now=NOW + 2 * HOUR) as kept:
        assert known(kept).first_seen == NOW + 2 * HOUR


def test_what_another_server_has_may_be_of_any_age(tmp_path: Path) -> None:
    with life(tmp_path) as kept:
        known(kept)
        with life(tmp_path, "second") as other:
            assert known(other).first_seen == 0.0


def test_a_clock_that_was_ahead_makes_no_start_younger(tmp_path: Path) -> None:
    clock = [NOW + 3 * DAY]
    kept = Remembered(tmp_path, "first", now=lambda: clock[0], log=LOG)
    kept.start()
    assert known(kept).first_seen == NOW + 3 * DAY
    clock[0] = NOW
    assert known(kept).first_seen == NOW
    clock[0] = NOW + HOUR
    assert known(kept).first_seen == NOW
    assert kept.stop(5.0)


def test_old_starts_are_forgotten(tmp_path: Path) -> None:
    for number in range(MOST_STARTS + 3):
        with life(tmp_path, f"start-{number}", now=NOW + number) as kept:
            known(kept)
    with closing(sqlite3.connect(tmp_path / "idle.sqlite")) as db:
        names = {name for (name,) in db.execute("SELECT id FROM starts")}
    assert names == {f"start-{number}" for number in range(3, MOST_STARTS + 3)}
