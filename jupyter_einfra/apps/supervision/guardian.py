"""Ends everything below it: one small process above each application that runs.

Started by path with an isolated interpreter (``python -I -S guardian.py NAME``), so it
imports the standard library alone, and little of that: there is one for each application
that runs, for weeks. NAME is for people who look at a list of processes.

- Standard input is a pipe from the server: first the `Orders`, marshalled, behind their
  length in four bytes; then single bytes, `STOP` or `KILL`. Its end means that the server
  is gone, however it went, and the application goes with it.
- Standard output tells the server what happened, a line each: see `Guardian`.
- The application's output goes to a log of bounded size. Nobody waits for a full disk.

The guardian is a child subreaper (``prctl(2)``): whatever leaves the process group, the
session or its parent below becomes the guardian's own child, and so is found and ended.
No privileges and no control group are needed.
"""

from __future__ import annotations

import ctypes
import errno
import marshal
import os
import select
import signal
import time
from contextlib import suppress

STOP = b"s"
"""Go through the steps, then end whatever is left."""
KILL = b"k"
"""End everything at once."""

#: From linux/prctl.h.
_PR_SET_CHILD_SUBREAPER = 36

#: Between the polite signal to what the application left behind and the other one.
_LEFT_SECONDS = 2.0

#: Between two looks at what does not go.
_LOOK_SECONDS = (0.02, 2.0)

#: Between two looks at programs that are known by their names: at first, and later.
_NAMED_SECONDS = (0.1, 5.0)

#: Longer names are cut by the system. Source: proc(5), ``/proc/pid/comm``.
_NAME_BYTES = 15

_READ_BYTES = 65536

#: Python's own handling of these must not reach the application.
_RESTORED = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class Orders:
    """What to run and how to end it; crosses the pipe as the values of its fields.

    Parameters
    ----------
    argv, env, cwd:
        As for ``execve``; the program's path is absolute.
    log:
        Path of the log; beside it lies the one before, with ``.1`` at its end.
    log_bytes:
        Size at which a new log begins.
    steps:
        How to stop it: a signal, whether for ``main`` (the program itself), ``group``
        (its process group), ``all`` (everything below) or ``named`` (programs below of a
        name), how many seconds it has, and that name.
    ends_with:
        Name of a program below that, once seen, has to be there; empty for none.
    directory:
        Removed with all that is in it when the server is gone; nobody else would.
    """

    def __init__(
        self,
        *,
        argv: list[str],
        env: dict[str, str],
        cwd: str,
        log: str,
        log_bytes: int,
        steps: list[tuple[int, str, float, str]],
        directory: str,
        ends_with: str,
    ) -> None:
        self.argv = argv
        self.env = env
        self.cwd = cwd
        self.log = log
        self.log_bytes = log_bytes
        self.steps = [
            (int(number), whom, float(seconds), name) for number, whom, seconds, name in steps
        ]
        self.directory = directory
        self.ends_with = ends_with

    def packed(self) -> bytes:
        """Return what is written to the guardian's standard input."""
        # Both ends are the same interpreter, and unlike JSON this one costs no memory.
        packed = marshal.dumps(vars(self))
        return len(packed).to_bytes(4, "big") + packed

    @classmethod
    def read(cls, descriptor: int) -> Orders:
        """Read them from a pipe, and not a byte of what follows."""
        size = int.from_bytes(_read_exactly(descriptor, 4), "big")
        fields = marshal.loads(_read_exactly(descriptor, size))  # noqa: S302 - our own pipe
        return cls(**fields)


class Log:
    """Keeps the newest part of the output, whatever the disk does."""

    def __init__(self, path: str, most_bytes: int) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._file: int | None = None
        self._size = 0

    def write(self, data: bytes) -> None:
        """Append; what cannot be written is lost, and the application goes on."""
        with suppress(OSError):  # a full disk, say; it may have room for the next line
            if self._file is None or self._size >= self._most_bytes:
                self._file = self._begin()
            self._size += os.write(self._file, data)

    def _begin(self) -> int:
        full, self._file = self._file, None
        if full is not None:
            os.close(full)
            os.replace(self._path, f"{self._path}.1")
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(file).st_size
        return file


class Guardian:
    """Runs one application and tells what happens.

    The lines: ``started PID``; or ``unstartable ERRNO``, and nothing follows; ``ended
    STATUS`` as of ``waitpid(2)``, when its output is in the log; ``stuck COUNT`` when
    processes do not end though they were killed.
    """

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self._log = Log(orders.log, orders.log_bytes)
        self._output = -1
        self._main: int | None = None
        self._has_partner = False
        self._told_end = False
        self._looked = time.monotonic()
        self._pause = _NAMED_SECONDS[0]
        self._stopping = False
        self._killing = False
        self._server_gone = False
        # Signals wake `_wait` through this pipe.
        self._wakeup, wake = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._on_signal)
        for ignored in (signal.SIGINT, signal.SIGHUP):
            signal.signal(ignored, signal.SIG_IGN)

    def run(self) -> None:
        """Start it, stay until nothing of it is left, and leave nothing."""
        try:
            pid = self._start()
        except OSError as error:
            self._tell("unstartable", error.errno or errno.EIO)
            return
        self._main = pid
        self._tell("started", pid)
        self._wait_until(None)
        for number, whom, seconds, name in self.orders.steps:
            if self._is_done():
                break
            if whom == "named":
                self._end_named(number, name, seconds)
            else:
                self._signal(number, whom)
                self._wait_until(seconds)
        self._end_the_rest()
        self._drain()
        if self._server_gone:
            _remove(self.orders.directory)

    def _is_done(self) -> bool:
        """Whether there is nobody to be stopped in order."""
        return self._main is None or self._killing

    def _start(self) -> int:
        """Start the program in a session of its own.

        Raises
        ------
        OSError
            Why it cannot be run.
        """
        orders = self.orders
        self._output, output = os.pipe()
        failed, fail = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                for restored in _RESTORED:
                    signal.signal(restored, signal.SIG_DFL)
                signal.set_wakeup_fd(-1)
                nothing = os.open(os.devnull, os.O_RDONLY)
                for source, target in ((nothing, 0), (output, 1), (output, 2)):
                    os.dup2(source, target)  # inherited; all others close themselves
                os.chdir(orders.cwd)
                os.execve(orders.argv[0], orders.argv, orders.env)  # noqa: S606 - no shell
            except (OSError, ValueError) as error:
                os.write(fail, str(getattr(error, "errno", None) or errno.EINVAL).encode())
            finally:
                os._exit(127)
        os.close(output)
        os.close(fail)
        os.set_blocking(self._output, False)
        # Ends without a word when the program runs: the other end closed itself.
        number = os.read(failed, 16)
        os.close(failed)
        if number:
            os.waitpid(pid, 0)
            raise OSError(int(number), os.strerror(int(number)))
        return pid

    def _on_signal(self, *_: object) -> None:
        self._stopping = True

    def _wait(self, seconds: float | None) -> None:
        """Wait for whatever comes next, and do what it asks for."""
        poll = select.poll()
        poll.register(self._wakeup, select.POLLIN)
        if not self._server_gone:
            poll.register(0, select.POLLIN)
        if self._output >= 0:
            poll.register(self._output, select.POLLIN)
        for descriptor, _ in poll.poll(None if seconds is None else max(seconds, 0) * 1000):
            if descriptor == 0:
                self._obey()
            elif descriptor == self._output:
                self._copy()
            else:
                _empty(self._wakeup)
        self._reap()

    def _obey(self) -> None:
        order = os.read(0, 1)
        self._server_gone |= not order
        self._killing |= order == KILL
        self._stopping = True

    def _wait_until(self, seconds: float | None) -> None:
        """Wait until the program ends, or is to be stopped, or has had its time."""
        until = None if seconds is None else time.monotonic() + seconds
        while not self._is_done():
            left = self._pause if self.orders.ends_with else None
            if until is not None:
                left = until - time.monotonic()
                if left <= 0:
                    return
            elif self._stopping or self._has_lost_partner():
                return
            self._wait(left)

    def _end_named(self, number: int, name: str, seconds: float) -> None:
        """Signal programs of a name, and wait until they end.

        What they forked before is theirs, and outlives them here as our own child: it gets
        no signal and nobody waits for it. One that is started meanwhile gets the signal.
        """
        until = time.monotonic() + seconds
        known: set[int] = set()
        waited: set[int] = set()
        while not self._is_done():
            found = named(os.getpid(), name)
            waited &= found.keys()
            for pid in found.keys() - known:
                known.add(pid)
                if found[pid] not in found:
                    waited.add(pid)
                    with suppress(OSError):
                        os.kill(pid, number)
            left = until - time.monotonic()
            if left <= 0 or not waited:
                return
            self._wait(min(left, _NAMED_SECONDS[0]))

    def _has_lost_partner(self) -> bool:
        """Whether a program that has to be there was, and is no more: that is the end."""
        now = time.monotonic()
        if not self.orders.ends_with or now < self._looked + self._pause:
            return False
        self._looked = now  # however often output comes
        self._pause = min(2 * self._pause, _NAMED_SECONDS[1])
        is_there = bool(named(os.getpid(), self.orders.ends_with))
        if is_there or not self._has_partner:
            self._has_partner = is_there
            return False
        self._tell("ended", 0)  # whatever becomes of the rest
        self._told_end = True
        return True

    def _copy(self) -> bool:
        """Take some output into the log; return whether there may be more."""
        try:
            data = os.read(self._output, _READ_BYTES)
        except BlockingIOError:
            return False
        if data:
            self._log.write(data)
            return True
        os.close(self._output)  # nobody is left who could write
        self._output = -1
        return False

    def _drain(self) -> None:
        # Bounded: what floods the log without end must not hold this up.
        for _ in range(64):
            if self._output < 0 or not self._copy():
                return

    def _reap(self) -> bool:
        """Take in all that ended; return whether any child is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._main:
                self._main = None
                self._drain()
                if not self._told_end:
                    self._tell("ended", status)

    def _end_the_rest(self) -> None:
        """End whatever is below, whoever started it."""
        until = time.monotonic() + _LEFT_SECONDS
        if not self._killing:
            self._signal(signal.SIGTERM, "all")
        pause = _LOOK_SECONDS[0]
        told = False
        while self._reap():
            if self._killing or time.monotonic() >= until:
                self._signal(signal.SIGKILL, "all")
            self._wait(pause)
            pause = min(2 * pause, _LOOK_SECONDS[1])
            if not told and time.monotonic() > until + 5 * _LEFT_SECONDS:
                told = True  # it waits for a device or a file server
                self._tell("stuck", len(descendants(os.getpid())))

    def _signal(self, number: int, whom: str) -> None:
        if whom == "all":
            targets = descendants(os.getpid())
        else:
            targets = [] if self._main is None else [self._main]
        for pid in targets:
            with suppress(OSError):  # gone meanwhile, or not ours to signal
                if whom == "group":
                    os.killpg(pid, number)
                else:
                    os.kill(pid, number)

    def _tell(self, word: str, number: int) -> None:
        with suppress(OSError):  # the server is gone, which standard input tells too
            os.write(1, f"{word} {number}\n".encode())


def descendants(ancestor: int) -> list[int]:
    """Find every process below one, by their parents in ``/proc``."""
    return [pid for pid, _ in _below(ancestor)]


def named(ancestor: int, name: str) -> dict[int, int]:
    """Find the programs of a name below a process, each with its parent."""
    wanted = os.fsencode(name)[:_NAME_BYTES]
    return {pid: parent for pid, (parent, has) in _below(ancestor) if has == wanted}


def _below(ancestor: int) -> list[tuple[int, tuple[int, bytes]]]:
    """Find every process below one, each with its parent and its name."""
    told: dict[int, tuple[int, bytes]] = {}
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                # The name in brackets may hold anything.
                head, _, rest = file.read().rpartition(b")")
            state, parent = rest.split()[:2]
            # One that has ended and waits for its parent is nobody any more.
            name = b"" if state in b"ZX" else head.partition(b"(")[2]
            told[int(entry)] = (int(parent), name)
        except (OSError, ValueError, IndexError):
            continue  # gone meanwhile
        children.setdefault(int(parent), []).append(int(entry))
    found: list[int] = []
    waiting = [ancestor]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return [(pid, told[pid]) for pid in found]


def _read_exactly(descriptor: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = os.read(descriptor, size - len(data))
        if not more:
            raise EOFError("The server went before it said what to run.")
        data += more
    return data


def _empty(descriptor: int) -> None:
    with suppress(BlockingIOError):
        while os.read(descriptor, 512):
            continue


def _remove(directory: str) -> None:
    """Remove a folder, and the one around it if that is now empty."""
    for parent, folders, files in os.walk(directory, topdown=False):
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            with suppress(OSError):  # somebody else's, or gone
                if name in files or os.path.islink(path):
                    os.unlink(path)
                else:
                    os.rmdir(path)
    with suppress(OSError):
        os.rmdir(directory)
        os.rmdir(os.path.dirname(directory))


def main() -> None:
    """Obey the orders on standard input."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        # Without it, what detaches itself would get away.
        os.write(1, f"unstartable {ctypes.get_errno()}\n".encode())
        return
    Guardian(Orders.read(0)).run()


if __name__ == "__main__":
    main()
