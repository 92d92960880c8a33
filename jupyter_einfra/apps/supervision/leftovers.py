"""Ends what a guardian that was killed itself could not end.

Everything that an application starts has a mark in its environment, which tells one
start from every other on this machine. A program can take it away; then it is still
known by the session that the guardian began for it.

Reads ``/proc``, and so belongs into a thread.
"""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

#: The environment variable. Its value: the server's pid, when that started, the namespace
#: in which both are true, and the start, with dots between them.
MARK = "JUPYTER_EINFRA_APP_START"

_PROC = Path("/proc")

#: Between the polite signal and the other one.
_POLITE_SECONDS = 2.0

#: How long what was killed may take to be gone.
_PATIENCE_SECONDS = 10.0

_LOOK_SECONDS = 0.05


def new_mark() -> str:
    """Return the mark of a new start, which tells who started it."""
    pid = os.getpid()
    return f"{pid}.{_started(pid)}.{_namespace()}.{secrets.token_hex(8)}"


def end(mark: str, session: int | None = None) -> int:
    """End everything with a mark, or in a session, and wait until it is gone.

    Returns
    -------
    How many processes there were at first.
    """
    return _end_all(
        lambda pid: _mark_of(pid) == mark or (session is not None and _session_of(pid) == session)
    )


def end_orphans() -> int:
    """End what servers that are gone have left behind; return how many processes.

    Their guardians were killed, or they would have done it. Servers that live, and
    programs of other users, are left alone.
    """
    # Ours, if this server runs inside an application itself, is for the one around us.
    own = os.environ.get(MARK)
    return _end_all(lambda pid: (mark := _mark_of(pid)) not in (None, own) and not _lives(mark))


def _end_all(is_meant: Callable[[int], bool]) -> int:
    number = signal.SIGTERM
    begun = time.monotonic()
    first: int | None = None
    while True:
        left = [pid for pid in _processes() if is_meant(pid)]
        first = len(left) if first is None else first
        passed = time.monotonic() - begun
        if not left or passed > _PATIENCE_SECONDS:
            return first
        if passed > _POLITE_SECONDS:
            number = signal.SIGKILL
        if number == signal.SIGKILL or passed < _LOOK_SECONDS:
            for pid in left:
                _signal(pid, number, is_meant)
        time.sleep(_LOOK_SECONDS)
        for pid in left:
            # Where this server is the container's first process, orphans are its children.
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _signal(pid: int, number: int, is_meant: Callable[[int], bool]) -> None:
    """Signal a process, unless it is meanwhile another one with the same number."""
    try:
        held = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):  # an older system, or a sandbox
        with suppress(OSError):
            os.kill(pid, number)
        return
    try:
        if is_meant(pid):
            signal.pidfd_send_signal(held, number)
    except OSError:
        return  # gone, or not ours
    finally:
        os.close(held)


def _processes() -> Iterator[int]:
    """Yield everybody but ourselves."""
    own = os.getpid()
    for name in os.listdir(_PROC):  # noqa: PTH208 - hundreds of names
        if name.isdigit() and int(name) != own:
            yield int(name)


def _mark_of(pid: int) -> str | None:
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return None  # gone, or not ours
    for entry in environment.split(b"\0"):
        if entry.startswith(_PREFIX):
            return entry.removeprefix(_PREFIX).decode("ascii", "replace")
    return None


_PREFIX = f"{MARK}=".encode()


def _lives(mark: str) -> bool:
    """Whether the server that a mark names is still there, or nobody can tell from here."""
    pid, started, namespace, *_ = [*mark.split("."), "", "", ""]
    # The numbers of a container inside this one, or around it, are not ours.
    return not pid.isdigit() or namespace != _namespace() or _started(int(pid)) == started


def _namespace() -> str:
    """Return the number of our own process numbers' namespace. Source: pid_namespaces(7)."""
    try:
        return os.readlink(_PROC / "self/ns/pid").strip("pid:[]")  # noqa: PTH115 - no path
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when a process started, in ticks since boot; empty if there is none."""
    fields = _stat(pid)
    return fields[19] if fields else ""


def _session_of(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[3]) if fields and fields[0] != "Z" else None


def _stat(pid: int) -> list[str] | None:
    """Return the fields of ``/proc/PID/stat`` from the state on. Source: proc(5)."""
    try:
        text = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # The name before the bracket may hold anything.
    fields = text.rpartition(")")[2].split()
    return fields if len(fields) > 19 else None
