"""Servers as child processes: free ports, waiting with a deadline, leaving nothing behind."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil

_T = TypeVar("_T")

#: Marks every process that a `ServerProcess` brought about, however it detached itself.
_MARK = "EINFRA_TESTS_SERVER"

#: What a Jupyter around the tests must not tell the Jupyter inside them. Search paths may:
#: they only add.
_FOREIGN = ("JUPYTER", "JPY_", "IPYTHON", "CONFIGPROXY", "PYTEST")
_KEPT = ("JUPYTER_CONFIG_PATH", "JUPYTER_PATH")


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on now.

    Not one of those that the kernel gives to outgoing connections, which could take it
    before the server does.
    """
    while True:
        port = random.randint(20_000, 30_000)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def wait_until(
    what: str,
    look: Callable[[], _T | None],
    *,
    within_seconds: float = 30.0,
    every_seconds: float = 0.1,
) -> _T:
    """Look again and again until there is something other than None or False.

    Raises
    ------
    TimeoutError
        It did not come about in time; says what was waited for.
    """
    deadline = time.monotonic() + within_seconds
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() >= deadline:
            raise TimeoutError(f"Waited {within_seconds:g} s in vain until {what}.")
        time.sleep(every_seconds)


def clean_environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Copy this process's environment with a home of its own and no Jupyter or proxy settings."""
    env = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT
        or not (
            name.startswith(_FOREIGN) or name.lower().endswith("_proxy") or name == "PYTHONHOME"
        )
    }
    env.update(HOME=str(home), PYTHONUNBUFFERED="1", XDG_CACHE_HOME=str(home / ".cache"))
    env.update(extra or {})
    return env


def also_in(variable: str, directory: Path) -> dict[str, str]:
    """Return a search path's environment variable with one more directory, the first."""
    return {variable: os.pathsep.join(filter(None, (str(directory), os.environ.get(variable))))}


class ServerProcess:
    """One server, its log, and everything that it starts."""

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path
    ) -> None:
        self.mark = {_MARK: uuid.uuid4().hex}
        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command,
                env={**env, **self.mark},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only those who then stop it in order
            )

    @staticmethod
    def marks() -> list[str]:
        """Names of environment variables that whatever the server starts must inherit."""
        return [_MARK]

    @property
    def pid(self) -> int:
        """Of the server itself."""
        return self._popen.pid

    @property
    def has_ended(self) -> bool:
        """Whether the server itself is gone."""
        return self._popen.poll() is not None

    def must_run(self) -> None:
        """Say what happened if the server ended by itself."""
        if self.has_ended:
            raise RuntimeError(
                f"The server ended with status {self._popen.returncode}:\n{self.log_tail()}"
            )

    def log_tail(self, lines: int = 40) -> str:
        """Return the end of what the server printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, within_seconds: float = 20.0, *, with_signal: int = signal.SIGTERM) -> int:
        """End the server, wait for it, and kill whatever of it is left.

        Returns
        -------
        The server's exit status; below zero, the signal that it took.
        """
        if self._popen.poll() is None:
            self._popen.send_signal(with_signal)
            try:
                self._popen.wait(within_seconds)
            except subprocess.TimeoutExpired:
                self._popen.kill()
        status = self._popen.wait()
        for process in self.descendants():
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        wait_until("the server left no process behind", lambda: not self.descendants())
        return status

    def descendants(self) -> list[psutil.Process]:
        """Every living process that the server brought about, in sessions of their own too."""
        ((name, value),) = self.mark.items()
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(name) == value and process.pid != self.pid:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue  # gone meanwhile, or not ours
        return found
