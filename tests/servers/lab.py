"""A real Jupyter server without a hub, in a process of its own."""

from __future__ import annotations

import secrets
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, final

import httpx

from .groups import joining
from .process import ServerProcess, clean_environment, free_port, wait_until


@final
class LabServer:
    """``jupyter lab`` or ``jupyter server`` as its user would start it, in a home of its own.

    Parameters
    ----------
    directory:
        Empty or missing; takes the home, the log and the notebooks.
    app:
        ``lab`` with the page, or the bare ``server``.
    args, env:
        Added to the command line and the environment.
    groups:
        Control groups to run in.
    port, token:
        A free and a random one if left out; a restart keeps them.
    """

    def __init__(
        self,
        directory: Path,
        *,
        app: Literal["lab", "server"] = "lab",
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        groups: Iterable[Path] = (),
        port: int | None = None,
        token: str | None = None,
        python: str = sys.executable,
    ) -> None:
        self.home = directory / "home"
        self.notebooks = directory / "notebooks"
        self.log = directory / "server.log"
        self.port = port or free_port()
        self.token = token or secrets.token_hex(16)
        self.url = f"http://127.0.0.1:{self.port}/"
        self._env = dict(env or {})
        module = {"lab": "jupyterlab", "server": "jupyter_server"}[app]
        command = [
            python,
            "-m",
            module,
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.notebooks}",
            f"--IdentityProvider.token={self.token}",
            *args,
        ]
        self._command = joining(groups, command)
        self._process: ServerProcess | None = None

    @property
    def pid(self) -> int:
        """Of the server's process."""
        return self._running().pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped, whatever became of it meanwhile."""
        return self._process is not None

    @property
    def has_ended(self) -> bool:
        """Whether it ended by itself, or by somebody's signal."""
        return self._running().has_ended

    def start(self) -> LabServer:
        """Start the server and wait until it answers."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.notebooks.mkdir(exist_ok=True)
        env = clean_environment(self.home, self._env)
        self._process = ServerProcess(self._command, env=env, cwd=self.notebooks, log=self.log)
        try:
            wait_until("the server answered", self._answers)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self, within_seconds: float = 20.0, *, with_signal: int = signal.SIGTERM) -> int:
        """End the server with its kernels and terminals; return its exit status."""
        process, self._process = self._running(), None
        return process.stop(within_seconds, with_signal=with_signal)

    def restart(self) -> None:
        """End the server and start it anew at the same address, with the same token."""
        self.stop()
        self.start()

    def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request to a path below the server's base URL, with its token.

        ``options`` are those of `httpx.request`.
        """
        headers = {"Authorization": f"token {self.token}", **options.pop("headers", {})}
        return httpx.request(
            method, self.url + path, headers=headers, trust_env=False, timeout=10.0, **options
        )

    def _running(self) -> ServerProcess:
        if self._process is None:
            raise RuntimeError("The server does not run.")
        return self._process

    def _answers(self) -> bool:
        self._running().must_run()
        try:
            return self.api("GET", "api/status").is_success
        except httpx.TransportError:
            return False

    def __enter__(self) -> LabServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.stop()
