"""The end of a log, and what comes after it, while its guardian changes files."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_einfra.apps.supervision import tail
from jupyter_einfra.apps.supervision.guardian import Log
from jupyter_einfra.apps.supervision.tail import Tail, last_lines


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_there_is_nothing_before_anything_was_printed(path: Path) -> None:
    assert last_lines(path, 50) == []
    follower = Tail(path, 50)
    assert follower.read() == ([], 0)
    path.write_bytes(b"first\n")
    assert follower.read() == (["first"], 0)
    follower.close()


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"one\ntwo\nthree\n", ["two", "three"]),
        (b"one\ntwo\nthree", ["two", "three"]),
        (b"one\n\n", ["one", ""]),
    ],
)
def test_the_last_lines_are_those(path: Path, content: bytes, lines: list[str]) -> None:
    path.write_bytes(content)
    assert last_lines(path, 2) == lines


def test_a_log_that_has_just_begun_is_continued_by_the_one_before(path: Path) -> None:
    Path(f"{path}.1").write_bytes(b"a\nb\nc\n")
    path.write_bytes(b"d\n")
    assert last_lines(path, 3) == ["b", "c", "d"]


def test_what_follows_comes_once(path: Path) -> None:
    path.write_bytes(b"old\nrecent\n")
    follower = Tail(path, 1)
    assert follower.read() == (["recent"], 0)
    assert follower.read() == ([], 0)
    with path.open("ab") as file:
        file.write(b"new\nhal")
        file.flush()
        assert follower.read() == (["new"], 0)
        file.write(b"f\n")
        file.flush()
        assert follower.read() == (["half"], 0)
    follower.close()


def test_a_line_without_an_end_is_one_when_nothing_more_comes(path: Path) -> None:
    path.write_bytes(b"")
    follower = Tail(path, 10)
    assert follower.read() == ([], 0)
    path.write_bytes(b"last words")
    assert follower.read() == ([], 0)
    assert follower.read(whole=True) == (["last words"], 0)
    follower.close()


def test_nothing_is_lost_while_a_new_log_begins(path: Path) -> None:
    log = Log(str(path), 100)
    log.write(b"begun\n")
    follower = Tail(path, 10)
    found = follower.read()[0]
    for number in range(200):
        log.write(b"%d\n" % number)
        if number % 7 == 0:
            found += follower.read()[0]
    found += follower.read()[0]
    assert found == ["begun", *(str(number) for number in range(200))]
    follower.close()


def test_a_flood_is_skipped_and_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "_MOST_BYTES", 100)
    path.write_bytes(b"begun\n")
    follower = Tail(path, 10)
    assert follower.read() == (["begun"], 0)
    with path.open("ab") as file:
        file.write(b"".join(b"line %d\n" % n for n in range(1000)))
    lines, skipped = follower.read()
    assert skipped == path.stat().st_size - len(b"begun\n") - 100
    assert lines[-1] == "line 999"
    assert sum(len(line) + 1 for line in lines) == 100
    follower.close()
