"""The last samples before memory runs out are there, whatever happened while they were written."""

from __future__ import annotations

import logging
import math
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers import filesystems
from servers.process import wait_until

from jupyter_einfra.usage.history.last_words import RECORDS, LastWords, create, read
from jupyter_einfra.usage.history.records import RECORD_BYTES, Word, decode, encode
from jupyter_einfra.usage.history.runs import Counters
from jupyter_einfra.usage.history.series import SERIES

LOG = logging.getLogger("tests.last_words")


def word(number: int, run: int = 1) -> Word:
    figures = tuple(float(number + i) for i in range(len(SERIES)))
    return Word(run, number, 1e9 + number, figures, number, 2**34, Counters(oom_kills=1))


@contextmanager
def writing(path: Path, **options: Any) -> Iterator[LastWords]:
    words = LastWords(path, log=LOG, **options)
    words.start()
    try:
        yield words
    finally:
        words.stop(20)


def written(words: LastWords, number: int) -> None:
    wait_until("it is written", lambda: words.written == number, every_seconds=0.001)


counts = st.none() | st.integers(0, 2**62)


@given(
    st.builds(
        Word,
        st.integers(0, 2**62),
        st.integers(0, 2**62),
        st.floats(allow_nan=False),
        st.tuples(*[st.floats(allow_nan=False)] * len(SERIES)),
        counts,
        counts,
        st.builds(Counters, oom_kills=counts, limit_hits=counts, origin=counts),
    )
)
def test_a_record_is_read_as_it_was_written(told: Word) -> None:
    assert decode(encode(told)) == told


def test_an_unknown_figure_stays_unknown() -> None:
    found = decode(encode(word(1)._replace(figures=(math.nan,) * len(SERIES))))
    assert found is not None
    assert all(math.isnan(value) for value in found.figures)


@given(st.integers(0, RECORD_BYTES - 1), st.integers(1, 255))
def test_a_record_with_one_wrong_byte_is_none(at: int, change: int) -> None:
    record = bytearray(encode(word(1)))
    record[at] ^= change
    assert decode(bytes(record)) is None


@given(st.integers(1, RECORD_BYTES - 1))
def test_a_record_that_was_half_written_is_none(torn: int) -> None:
    """The beginning is of the new record, the rest of the one before."""
    new, old = encode(word(65)), encode(word(1))
    mixed = new[:torn] + old[torn:]
    assert decode(mixed) in (None, word(65), word(1))
    assert decode(new[:torn]) is None
    assert decode(new[:torn] + bytes(RECORD_BYTES - torn)) in (None, word(65))


@given(st.binary(max_size=3 * RECORD_BYTES))
def test_anything_else_is_none(garbage: bytes) -> None:
    assert decode(garbage) is None


def test_the_latest_records_are_there_and_the_file_does_not_grow(tmp_path: Path) -> None:
    path = tmp_path / "words"
    with writing(path) as words:
        for number in range(1, 3 * RECORDS):
            words.put(word(number))
            written(words, number)
    assert [found.number for found in read(path)] == list(range(2 * RECORDS, 3 * RECORDS))
    assert path.stat().st_size == RECORDS * RECORD_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_has_its_length_before_the_first_word(tmp_path: Path) -> None:
    path = tmp_path / "words"
    with writing(path):
        wait_until("it is made", path.exists, every_seconds=0.01)
    assert path.stat().st_size == RECORDS * RECORD_BYTES
    assert read(path) == []


def test_words_of_two_runs_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "words"
    with writing(path) as words:
        for number in range(40, 60):
            words.put(word(number, run=1))
    with writing(path) as words:
        for number in (1, 2, 3):
            words.put(word(number, run=2))
    found = read(path)
    assert [w.number for w in found if w.run == 2] == [1, 2, 3]
    assert [w.number for w in found if w.run == 1] == list(range(40, 60))


def test_torn_records_and_garbage_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "words"
    with writing(path) as words:
        for number in range(1, 11):
            words.put(word(number))
    with path.open("r+b") as file:
        file.seek(4 * RECORD_BYTES + 50)
        file.write(b"garbage")
    assert [w.number for w in read(path)] == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    path.write_bytes(path.read_bytes()[: 3 * RECORD_BYTES + 7])
    assert [w.number for w in read(path)] == [1, 2]
    path.write_bytes(os.urandom(100_000))
    assert read(path) == []
    path.unlink()
    assert read(path) == []
    path.mkdir()
    assert read(path) == []


def test_what_is_in_place_of_the_file_holds_up_nobody(tmp_path: Path) -> None:
    with writing(tmp_path / "elsewhere") as words:
        words.put(word(1))
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert read(tmp_path / "link") == []
    os.mkfifo(tmp_path / "pipe")
    found: list[list[Word]] = []
    reader = threading.Thread(target=lambda: found.append(read(tmp_path / "pipe")), daemon=True)
    reader.start()
    reader.join(10)
    assert found == [[]]


def test_a_process_that_is_killed_leaves_its_last_words(tmp_path: Path) -> None:
    """The word goes out, the process learns so and is killed at once."""
    script = (
        "import logging, os, signal, sys, time\n"
        "from pathlib import Path\n"
        "from jupyter_einfra.usage.history.last_words import LastWords\n"
        "from jupyter_einfra.usage.history.records import Word\n"
        "from jupyter_einfra.usage.history.runs import Counters\n"
        "words = LastWords(Path(sys.argv[1]), log=logging.getLogger())\n"
        "words.start()\n"
        "words.put(Word(7, 1, 5.0, (0.0,) * 13, 1, 2, Counters()))\n"
        "while words.written < 1: time.sleep(0.001)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "words"
    done = subprocess.run([sys.executable, "-c", script, path], check=False, timeout=60)
    assert done.returncode < 0
    assert [w.run for w in read(path)] == [7]


def test_a_disk_that_hangs_holds_up_nobody_and_loses_nothing_that_the_file_can_hold(
    tmp_path: Path,
) -> None:
    answers, within = threading.Event(), threading.Event()

    def opener(path: Path) -> int:
        within.set()
        assert answers.wait(60)
        return create(path)

    path = tmp_path / "words"
    words = LastWords(path, log=LOG, opener=opener)
    words.start()
    assert within.wait(20)
    begun = time.monotonic()
    for number in range(1, 1000):
        words.put(word(number))
    words.stop(0.05)
    assert time.monotonic() - begun < 10
    answers.set()
    words.stop(20)
    assert [w.number for w in read(path)] == list(range(1000 - RECORDS, 1000))


def test_the_space_is_taken_before_the_disk_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    try:
        with filesystems.small(disk, 64 * 1024):
            with writing(disk / "words") as words:
                wait_until("it is made", (disk / "words").exists, every_seconds=0.01)
                words.put(word(1))
                wait_until("it is written", lambda: words.written == 1, every_seconds=0.01)
                filesystems.fill(disk)
                for number in range(2, RECORDS + 1):
                    words.put(word(number))
            assert len(read(disk / "words")) == RECORDS
    except filesystems.NoFilesystemError as reason:
        pytest.skip(str(reason))


def test_a_file_that_cannot_be_written_is_told_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "home"
    home.write_text("in its place")
    with writing(home / "words") as words:
        wait_until("it was told", lambda: bool(caplog.records), every_seconds=0.01)
        words.put(word(1))
        home.unlink()
        home.mkdir()

        def put_again() -> bool:
            words.put(word(2))
            return words.written > 0

        wait_until("it is written", put_again, every_seconds=0.01)
    assert len(caplog.records) == 1
    assert read(home / "words")[-1].number == 2
