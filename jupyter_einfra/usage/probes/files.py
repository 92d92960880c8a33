"""Reads the small files that the kernel writes on the spot."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from ...models import Reason

T = TypeVar("T")

_SURROGATE = re.compile("[\ud800-\udfff]")
_MOST_LETTERS = 1024


class Unreadable(Exception):
    """A file that must tell a figure did not."""

    def __init__(self, path: str | Path, error: Exception) -> None:
        self._error = (
            error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        )
        self._name = printable(path)
        super().__init__(f"{self._name} could not be read: {self._error}")

    def reason(self, code: str) -> Reason:
        """Word it for people."""
        params: dict[str, str | int | float] = {"path": self._name, "error": self._error}
        return Reason(code=code, message=str(self), params=params)


class FirstReason:
    """Takes what can be read, and keeps the reason of the first thing that cannot."""

    def __init__(self, code: str) -> None:
        self._code = code
        self.reason: Reason | None = None

    def attempt(self, read: Callable[[], T]) -> T | None:
        """Return what was read; None where it could not be."""
        try:
            return read()
        except Unreadable as error:
            self.reason = self.reason or error.reason(self._code)
            return None


def printable(path: str | Path) -> str:
    """Make a path text of bounded length; names may be any bytes, and JSON takes only text."""
    text = _SURROGATE.sub("\ufffd", str(path))
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}\u2026"


def read(path: str | Path, parse: Callable[[str], T]) -> T:
    """Read a file whole."""
    try:
        # Far cheaper than a file object, and this is most of what a sample costs.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            chunks = list(iter(partial(os.read, descriptor, 65536), b""))
        finally:
            os.close(descriptor)
        return parse(b"".join(chunks).decode("utf-8", "surrogateescape"))
    except (OSError, ValueError) as error:
        raise Unreadable(path, error) from error


def read_if_there(path: str | Path, parse: Callable[[str], T]) -> T | None:
    """Read a file that not every group has, such as a limit on the root."""
    try:
        return read(path, parse)
    except Unreadable as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def is_there(path: Path) -> bool:
    """Tell whether a path is there and may be seen."""
    try:
        return path.exists()
    except OSError:  # a folder on the way may not be searched, or a name is too long
        return False
