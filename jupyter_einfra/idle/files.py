"""Reads files that others wrote, and that may be anything."""

from __future__ import annotations

import os
from pathlib import Path


def read_start(path: Path, most_bytes: int) -> bytes:
    """Return the beginning of a file, and one byte more if it is longer.

    A pipe that nobody writes to is empty, and holds nobody.

    Raises
    ------
    OSError
    """
    with open(path, "rb", opener=_without_waiting) as file:
        return file.read(most_bytes + 1) or b""


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def told(path: Path) -> str:
    """Return the name of a file, which may be of no text."""
    return os.fsencode(path).decode("utf-8", "replace")
