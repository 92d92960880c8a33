"""Reads what a program printed: the end of it, and what comes after. Blocks: for threads.

Its guardian writes to one file, and puts that aside when it is full: see `guardian.Log`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .output import LineReader, lines_of

#: More than a page can show at a time.
_MOST_BYTES = 256 * 1024

#: A line is seldom longer than this on average; enough is read for that many.
_BYTES_PER_LINE = 400


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last lines; none if nothing was printed, or it is gone."""
    wanted = min(count * _BYTES_PER_LINE, _MOST_BYTES)
    data = b""
    # The newest part may have just begun.
    for part in (path, Path(f"{path}.1")):
        if len(data) < wanted:
            data = _end_of(part, wanted - len(data)) + data
    lines = lines_of(data)
    if lines and not lines[-1]:
        lines.pop()  # what follows the last line's end
    return lines[-count:]


def _end_of(path: Path, size: int) -> bytes:
    with suppress(FileNotFoundError), path.open("rb") as file:
        whole = file.seek(0, os.SEEK_END)
        file.seek(max(0, whole - size))
        return file.read(size)
    return b""


class Tail:
    """Follows a file from its end on.

    Parameters
    ----------
    path:
        Need not be there yet.
    lines:
        So many of those that are there already come first.
    """

    def __init__(self, path: Path, lines: int) -> None:
        self._path = path
        self._first: list[str] | None = None
        self._wanted = lines
        self._reader = LineReader()
        self._file: int | None = None

    def read(self, *, whole: bool = False) -> tuple[list[str], int]:
        """Return the lines that came, and how many bytes before them were left out.

        Parameters
        ----------
        whole:
            Nothing more will come, so a line without an end is one, too.
        """
        if self._file is None and not self._open():
            return [], 0
        lines: list[str] = []
        if self._first is not None:
            lines, self._first = self._first, None
        skipped = 0
        for data, left_out in self._pieces():
            skipped += left_out
            if left_out:
                self._reader.end()  # its beginning is not there
            lines += self._reader.feed(data)
        if whole:
            lines += self._reader.end()
        return lines, skipped

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> bool:
        with suppress(FileNotFoundError):
            self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            if self._wanted:
                self._first = last_lines(self._path, self._wanted)
                self._wanted = 0
                os.lseek(self._file, 0, os.SEEK_END)
            return True
        return False

    def _pieces(self) -> Iterator[tuple[bytes, int]]:
        """Yield what is new in the present file and in the one that followed it, if one did."""
        for _ in range(2):
            if self._file is None:
                return
            status = os.fstat(self._file)
            at = os.lseek(self._file, 0, os.SEEK_CUR)
            left_out = max(0, status.st_size - at - _MOST_BYTES)
            if left_out:
                os.lseek(self._file, left_out, os.SEEK_CUR)
            yield os.read(self._file, _MOST_BYTES), left_out
            try:
                followed = os.stat(self._path).st_ino != status.st_ino  # noqa: PTH116
            except FileNotFoundError:
                return
            if not followed:
                return
            os.close(self._file)
            self._file = None
            self._open()
