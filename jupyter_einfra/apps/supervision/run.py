"""One start of a program: its guardian, its private folder, its end.

The server's side of `guardian`. Everything here is called on the event loop.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ...threads import in_thread
from ..application import Application
from . import guardian, leftovers
from .guardian import Orders

_SCRIPT = guardian.__file__

#: Paths of unix sockets end here. Source: unix(7), sun_path, less the closing zero.
LONGEST_SOCKET_PATH = 107

#: Below a folder of ours: ``/12345678/socket`` or what an application puts beside it.
_ROOM = 40


def make_directory() -> Path:
    """Make a private folder, on a local disk, in which sockets have short names.

    Raises
    ------
    OSError
        There is no room, or no place where one may write.
    """
    parent: str | None = tempfile.gettempdir()
    if parent and len(os.fsencode(parent)) + _ROOM > LONGEST_SOCKET_PATH:
        parent = "/tmp"  # noqa: S108 - the folder in it is private and its name nobody's guess
    return Path(tempfile.mkdtemp(prefix="einfra-", dir=parent))


class Unstartable(Exception):
    """The program cannot be executed; carries the system's error number."""

    def __init__(self, number: int) -> None:
        super().__init__(os.strerror(number))
        self.number = number


class Run:
    """One start.

    Parameters
    ----------
    name:
        Of the application, for people who look at a list of processes.
    directory:
        Private to this run; the guardian removes it when the server is gone.
    mark:
        Value of `leftovers.MARK` in the environment of everything that it starts.
    log_bytes:
        Size at which a new log begins.
    on_stuck:
        Called with the number of processes that do not end though they were killed.
    """

    def __init__(
        self,
        name: str,
        directory: Path,
        *,
        mark: str,
        log_bytes: int,
        log: logging.Logger,
        on_stuck: Callable[[int], None] = lambda count: None,
    ) -> None:
        self.directory = directory
        self.output = directory / "log"
        """What the program prints; the part before it in a file with ``.1`` at its end."""
        self.guardian_pid: int | None = None
        self.pid: int | None = None
        self._name = name
        self._mark = mark
        self._log_bytes = log_bytes
        self._log = log
        self._on_stuck = on_stuck
        self._process: asyncio.subprocess.Process | None = None
        self._ended: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._following: asyncio.Task[None] | None = None
        self._abandoned = False
        self._over = asyncio.Event()

    async def start(
        self, argv: Sequence[str], env: dict[str, str], cwd: str, app: Application
    ) -> None:
        """Start the program and return as soon as it runs.

        Raises
        ------
        Unstartable
            It cannot be executed, or not even its guardian can.
        """
        try:
            packed = self._orders(argv, env, cwd, app).packed()
            # A plain child: what would run between fork and exec costs a large server much.
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", _SCRIPT, self._name),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the server, which then stops it in order
            )
            self.guardian_pid = self._process.pid
            self._write(packed)
            if self._abandoned:
                self.abandon()
            word, number = await self._hear()
        except BaseException as error:
            self.abandon()
            self._over.set()
            if isinstance(error, OSError):
                raise Unstartable(error.errno or errno.EIO) from error
            raise
        if word == "unstartable":
            await self._settle()
            self._over.set()
            raise Unstartable(number)
        # Else it runs; or its guardian was killed already, which `_follow` finds out.
        self.pid = number or None
        self._following = asyncio.ensure_future(self._follow())

    def _orders(
        self, argv: Sequence[str], env: dict[str, str], cwd: str, app: Application
    ) -> Orders:
        return Orders(
            argv=list(argv),
            env={**env, leftovers.MARK: self._mark},
            cwd=cwd,
            log=str(self.output),
            log_bytes=self._log_bytes,
            steps=[(step.signal, step.whom, step.seconds, step.named) for step in app.stop_steps],
            directory=str(self.directory),
            ends_with=app.ends_with,
        )

    async def ended(self) -> int | None:
        """Wait until the program itself ends; return its exit code, None if nobody saw it."""
        return await asyncio.shield(self._ended)

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left."""
        return self._over.is_set()

    async def over(self) -> None:
        """Wait until nothing of it is left."""
        await self._over.wait()

    def stop(self) -> None:
        """Have it stopped, step by step."""
        self._write(guardian.STOP)

    def kill(self) -> None:
        """Have all of it killed at once."""
        self._write(guardian.KILL)

    def abandon(self) -> None:
        """Have it stopped as if the server were gone: its folder goes with it."""
        self._abandoned = True
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def _write(self, data: bytes) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(ConnectionError, RuntimeError):  # it is gone, which is noticed elsewhere
                self._process.stdin.write(data)

    async def _hear(self) -> tuple[str, int]:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101, PT018
        line = await self._process.stdout.readline()
        word, _, number = line.decode("ascii", "replace").partition(" ")
        return word, int(number or 0)

    async def _follow(self) -> None:
        """Take in what the guardian tells, until it is gone; then see that all else is."""
        while (heard := await self._hear())[0]:
            word, number = heard
            if word == "ended" and not self._ended.done():
                self._ended.set_result(os.waitstatus_to_exitcode(number))
            elif word == "stuck":
                self._on_stuck(number)
        if not await self._settle():
            # Killed, maybe with the program it looked after, maybe without.
            left = await in_thread(leftovers.end, self._mark, self.pid)
            self._log.warning(
                "The guardian of %s was killed; %d processes were left and are ended",
                self._name,
                left,
            )
        if not self._ended.done():
            self._ended.set_result(None)
        self._over.set()

    async def _settle(self) -> bool:
        """Wait for the guardian's end; return whether it ended by itself."""
        assert self._process is not None  # noqa: S101
        self.abandon()
        return await self._process.wait() == 0
