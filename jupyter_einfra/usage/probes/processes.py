"""Every process that this one sees, from ``/proc``, as cheaply as it goes.

One file is read per process, and a second where the first has changed: a process that
did not run, fault or shrink since the last look uses what it used. ``smaps`` is never
touched: reading it stops the process that it is about.

Sources: proc_pid_stat(5), proc_pid_statm(5), proc_pid_status(5), proc(5) for hidepid.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from ...models import Reason
from ..programs.processes import Process, ProcessTable
from . import formats
from .files import printable

#: From here on it is worth to ask how much of what is shared is no file's.
MUCH_SHARED_BYTES = 32 << 20

_KERNEL_THREAD = 0x00200000
_FLAGS = os.O_RDONLY | os.O_CLOEXEC

#: A list of a thousand groups fits.
_MOST_BYTES = 16384

#: Not every kernel tells all of them as a word.
_HIDING = {"1", "2", "4", "noaccess", "invisible", "ptraceable"}

INVISIBLE = Reason(
    code="processes_invisible",
    message="Processes of other users are hidden here (hidepid); only your own are counted.",
    params={},
)


class ProcessProbe:
    """Reads all processes.

    Parameters
    ----------
    root:
        The file system to read, so that tests can bring their own.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._proc = root / "proc"
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._ticks_per_second = os.sysconf("SC_CLK_TCK")
        self._known: dict[str, tuple[bytes, Process | None]] = {}
        self._invisible: bool | None = None

    def read(self) -> ProcessTable:
        """Read all processes; those that end meanwhile are left out."""
        at_seconds = time.monotonic()
        known: dict[str, tuple[bytes, Process | None]] = {}
        unread = 0
        try:
            folder = os.open(self._proc, _FLAGS | os.O_DIRECTORY)
        except OSError as error:
            return ProcessTable(at_seconds, {}, _unreadable(error))
        try:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in entries if entry.name[0] in "123456789"]
            for name in names:
                try:
                    stat = _contents(f"{name}/stat", folder)
                    before = self._known.get(name)
                    if before is not None and before[0] == stat:
                        known[name] = before
                    else:
                        known[name] = stat, self._process(name, stat, folder)
                except (FileNotFoundError, ProcessLookupError):
                    continue  # it ended
                except (OSError, ValueError):
                    unread += 1
        except OSError as error:
            return ProcessTable(at_seconds, {}, _unreadable(error))
        finally:
            os.close(folder)
        self._known = known
        found = {process.pid: process for _, process in known.values() if process is not None}
        return ProcessTable(at_seconds, found, self._reason(unread))

    def _process(self, name: str, stat: bytes, folder: int) -> Process | None:
        """Parse one process; None for a thread of the system's own."""
        fields = formats.parse_process_stat(stat)
        if int(fields[6]) & _KERNEL_THREAD:
            return None
        threads = int(fields[17])
        # A process goes on when its first thread alone has ended.
        ended = fields[0] in {b"Z", b"X"} and threads <= 1
        return Process(
            pid=int(name),
            ppid=int(fields[1]),
            started_ticks=int(fields[19]),
            cpu_seconds=(int(fields[11]) + int(fields[12])) / self._ticks_per_second,
            threads=threads,
            memory_bytes=0 if ended else self._memory_bytes(name, folder),
            collected_seconds=(int(fields[13]) + int(fields[14])) / self._ticks_per_second,
            ended=ended,
        )

    def _memory_bytes(self, name: str, folder: int) -> int | None:
        try:
            _, resident, shared, *_ = _contents(f"{name}/statm", folder).split()
            anon = (int(resident) - int(shared)) * self._page_bytes
            if int(shared) * self._page_bytes > MUCH_SHARED_BYTES:
                told = formats.parse_status_memory(_contents(f"{name}/status", folder))
                anon = anon if told is None else told
        except PermissionError:
            return None
        return max(anon, 0)

    def _reason(self, unread: int) -> Reason | None:
        if unread:
            return Reason(
                code="processes_hidden",
                message=f"Processes that could not be read and are not counted: {unread}.",
                params={"count": unread},
            )
        if self._invisible is None:
            self._invisible = os.geteuid() != 0 and self._is_hiding()
        return INVISIBLE if self._invisible else None

    def _is_hiding(self) -> bool:
        """Tell whether ``/proc`` leaves out other users' processes without a word."""
        try:
            text = (self._proc / "self/mounts").read_text("utf-8", "surrogateescape")
        except OSError:
            return False
        options: list[str] = []
        for line in text.split("\n"):
            fields = line.split(" ")
            if len(fields) > 3 and fields[1:3] == ["/proc", "proc"]:
                options = fields[3].split(",")
        return any(o.startswith("hidepid=") and o[8:] in _HIDING for o in options)


def _contents(path: str, folder: int) -> bytes:
    """Read a file that the kernel writes in one go."""
    descriptor = os.open(path, _FLAGS, dir_fd=folder)
    try:
        return os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)


def _unreadable(error: OSError) -> Reason:
    text = printable(error.strerror or str(error))
    return Reason(
        code="processes_unreadable",
        message=f"The processes could not be read: {text}",
        params={"error": text},
    )
