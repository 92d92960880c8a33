"""What is remembered of applications from server to server."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.process import wait_until

from jupyter_einfra.apps.remembered import MOST_FOLDERS, Remembered

Make = Callable[..., Remembered]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make one as a server would, and wait until it has read what there is."""
    made: list[Remembered] = []

    def remembered(**options: Any) -> Remembered:
        loaded: list[bool] = []
        one = Remembered(
            tmp_path,
            log=logging.getLogger(__name__),
            on_loaded=lambda: loaded.append(True),
            **options,
        )
        made.append(one)
        one.start()
        wait_until("it was read", lambda: bool(loaded))
        return one

    yield remembered
    for one in made:
        one.stop(5)


def test_it_outlives_the_server(make: Make) -> None:
    times = iter(range(1, 100))
    first = make(now=lambda: float(next(times)))
    first.started("vscode", 1.23456)
    first.opened("tensorboard", "/home/runs")
    first.opened("tensorboard", "/home/other")
    first.stop(5)
    second = make()
    assert second.start_seconds("vscode") == 1.235
    assert second.start_seconds("tensorboard") is None
    assert second.folders("tensorboard") == ["/home/other", "/home/runs"]
    assert second.folders("vscode") == []


def test_the_latest_folders_come_first_and_only_some_are_kept(make: Make) -> None:
    times = iter(range(1, 100))
    remembered = make(now=lambda: float(next(times)))
    for number in range(MOST_FOLDERS + 5):
        remembered.opened("tb", f"/{number}")
    remembered.opened("tb", "/7")
    assert remembered.folders("tb")[:3] == ["/7", "/14", "/13"]
    assert len(remembered.folders("tb")) == MOST_FOLDERS


def test_a_folder_that_is_forgotten_stays_so(make: Make) -> None:
    first = make()
    first.opened("tb", "/a")
    first.opened("tb", "/b")
    first.forget("tb", "/a")
    assert first.folders("tb") == ["/b"]
    first.stop(5)
    assert make().folders("tb") == ["/b"]


def test_what_happens_before_it_is_read_is_not_lost(make: Make, tmp_path: Path) -> None:
    first = make(now=lambda: 1.0)
    first.opened("tb", "/old")
    first.started("tb", 9.0)
    first.stop(5)
    second = Remembered(tmp_path, log=logging.getLogger(__name__), now=lambda: 2.0)
    second.opened("tb", "/new")
    second.forget("tb", "/old")
    second.started("tb", 3.0)
    second.start()
    second.stop(5)
    third = make()
    assert third.folders("tb") == ["/new"]
    assert third.start_seconds("tb") == 3.0


def test_rows_that_make_no_sense_are_passed_over(make: Make, tmp_path: Path) -> None:
    first = make()
    first.opened("tb", "/a")
    first.stop(5)
    with sqlite3.connect(tmp_path / "apps.sqlite") as connection:
        connection.execute("REPLACE INTO apps VALUES ('odd', ?)", (b"{",))
        connection.execute("REPLACE INTO apps VALUES ('odder', ?)", (b'{"folders":{"rel":1}}',))
        connection.execute("REPLACE INTO apps VALUES (?, 'text')", (b"blob",))
    connection.close()
    second = make()
    assert second.folders("tb") == ["/a"]
    assert second.folders("odd") == second.folders("odder") == []


def test_a_name_that_is_no_text_is_not_kept(make: Make) -> None:
    remembered = make()
    remembered.opened("tb", "/caf\udce9")
    remembered.opened("tb", "/caf\udce9 😀")
    assert remembered.folders("tb") == []
