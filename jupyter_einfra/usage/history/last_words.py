"""The last samples before memory runs out, each on its way to disk at once.

A file of fixed length, a ring of fixed-size records. Each record carries a checksum:
one that was being written when the process died is passed over. Nothing is synced:
what a process handed over outlives it, even if it is killed a moment later; only the
machine's own end may take it along.

The writer is a thread of its own, so that a disk that hangs holds nobody up. Waiting
records are kept as long as they would be in the file.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from .records import RECORD_BYTES, Word, decode, encode

#: Records in the file: the last minute at one sample a second.
RECORDS = 64


def read(path: Path) -> list[Word]:
    """Return all records that are whole, those of a run in its order; none without a file."""
    # What somebody put in its place must not hold us up, nor lead us elsewhere.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        file = os.open(path, flags)
    except OSError:
        return []
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return []
        content = os.read(file, RECORDS * RECORD_BYTES)
    except OSError:
        return []
    finally:
        os.close(file)
    found = (decode(content[at : at + RECORD_BYTES]) for at in range(0, len(content), RECORD_BYTES))
    return sorted((word for word in found if word), key=lambda word: (word.run, word.number))


def create(path: Path) -> int:
    """Open the file for writing, at its full length, and return its descriptor.

    The space is taken while there is some: on a full disk the last words still fit.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.open(path, flags, 0o600)
    try:
        missing = RECORDS * RECORD_BYTES - os.fstat(file).st_size
        if missing > 0:
            os.pwrite(file, bytes(missing), RECORDS * RECORD_BYTES - missing)
    except BaseException:
        os.close(file)
        raise
    return file


class LastWords:
    """Writes records to the file.

    Parameters
    ----------
    path:
        The file; nobody else may write to it.
    log:
        Told once if the file cannot be written.
    opener:
        Opens the file, at its full length.
    """

    def __init__(
        self,
        path: Path,
        *,
        log: logging.Logger,
        opener: Callable[[Path], int] = create,
    ) -> None:
        self._path = path
        self._log = log
        self._opener = opener
        self._waiting: deque[Word] = deque(maxlen=RECORDS)
        self._wake = threading.Event()
        self._stopping = False
        self._complained = False
        self._thread = threading.Thread(target=self._run, name="einfra-last-words", daemon=True)
        self.written = 0

    def start(self) -> None:
        """Open the file and begin to write."""
        self._thread.start()

    def put(self, word: Word) -> None:
        """Write a record soon; returns at once. Any thread may call this."""
        self._waiting.append(word)
        self._wake.set()

    def stop(self, wait_seconds: float) -> None:
        """Write what waits and end; give up on a disk that hangs."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(wait_seconds)

    def _run(self) -> None:
        file: int | None = None
        while True:
            try:
                if file is None:
                    file = self._opener(self._path)
                self._write(file)
            except OSError as error:
                self._waiting.clear()
                if file is not None:
                    os.close(file)
                file = None
                if not self._complained:
                    self._complained = True
                    self._log.warning("The last words cannot be written: %s", error)
            if self._stopping:
                break
            self._wake.wait()
            self._wake.clear()
        if file is not None:
            os.close(file)

    def _write(self, file: int) -> None:
        while self._waiting:
            word = self._waiting.popleft()
            os.pwrite(file, encode(word), word.number % RECORDS * RECORD_BYTES)
            self.written += 1
