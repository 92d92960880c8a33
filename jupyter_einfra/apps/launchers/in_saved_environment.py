"""Carries an environment past a program that takes it from those that it starts.

``save FILE PROGRAM ...`` writes the environment into a private file and becomes PROGRAM;
``restore FILE PROGRAM ...``, which that starts later, adds what has been taken and becomes
PROGRAM. So no value is ever part of a command line.

Run by path with an isolated interpreter; standard library alone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

#: What the program between has set on purpose wins; of these both parts are needed.
_PATHS = ("LD_LIBRARY_PATH", "MANPATH", "PATH")

#: Of an RStudio around the server, or of the program between alone.
_FOREIGN = ("RSTUDIO_SESSION_", "RS_", "RSTUDIO_USER_IDENTITY", "INVOCATION_ID", "JOURNAL_STREAM")


def save(file: str) -> None:
    """Write the environment, as ``/proc/self/environ`` would show it."""
    data = b"".join(name + b"=" + value + b"\0" for name, value in os.environb.items())
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as written:
        written.write(data)


def restore(file: str) -> None:
    """Add to the environment what was saved and is not there."""
    lines = Path(file).read_bytes().split(b"\0")
    for line in filter(None, lines):
        name, _, value = line.partition(b"=")
        text = os.fsdecode(name)
        if name not in os.environb:
            if not text.startswith(_FOREIGN):
                os.environb[name] = value
        elif text in _PATHS:
            os.environb[name] = _joined(os.environb[name], value)


def _joined(first: bytes, second: bytes) -> bytes:
    parts = [*first.split(b":"), *second.split(b":")]
    return b":".join(dict.fromkeys(part for part in parts if part))


def main() -> None:
    """Save or restore, then become the program."""
    act, file, *command = sys.argv[1:]
    {"save": save, "restore": restore}[act](file)
    os.execv(command[0], command)  # noqa: S606 - no shell


if __name__ == "__main__":
    main()
