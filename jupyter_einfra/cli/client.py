"""Finds the Jupyter server that a command is for, and asks it.

In a terminal of JupyterLab that is the server that the terminal belongs to; elsewhere the
only one that runs, or the one that is named.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from jupyter_core.paths import jupyter_runtime_dir

from ..models import ErrorBody

_TIMEOUT_SECONDS = 30.0


class NoServer(Exception):
    """There is no server to ask, or it does not answer; the message says what to do."""


class Refused(Exception):
    """The server said no; the message is its own."""


class Server:
    """A server that runs, as it has written down of itself.

    Parameters
    ----------
    told:
        The content of its ``jpserver-*.json``.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        self.url = str(told.get("url", ""))
        self.pid = int(told.get("pid", 0))
        self._socket = told.get("sock") or None
        # Behind a hub the server has no token of its own; ours there is the user's.
        token = told.get("token") or os.environ.get("JUPYTERHUB_API_TOKEN", "")
        self._headers = {"Authorization": f"token {token}"} if token else {}
        self._base = str(told.get("base_url", "/"))

    @property
    def lives(self) -> bool:
        """Whether its process is there; one that was killed leaves its file behind."""
        return Path(f"/proc/{self.pid}").exists()

    def address(self, path: str) -> str:
        """Return the address of a path below the base URL, for people."""
        return self.url.rstrip("/") + "/" + path

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Ask for JSON below ``jupyter-einfra/``.

        Raises
        ------
        NoServer, Refused
        """
        with self._client() as client:
            try:
                reply = client.request(method, self._path(path), **options)
            except httpx.HTTPError as error:
                raise NoServer(f"The server at {self.url} does not answer: {error}") from None
            self._check(reply)
            try:
                return reply.json()
            except ValueError:
                raise NoServer(f"What answers at {self.url} is not this server.") from None

    def follow(self, path: str, **options: Any) -> Iterator[Any]:
        """Yield the events of a stream below ``jupyter-einfra/``.

        Raises
        ------
        NoServer, Refused
        """
        with self._client() as client:
            try:
                with client.stream("GET", self._path(path), **options) as reply:
                    if not reply.is_success:
                        reply.read()
                        self._check(reply)
                    for line in reply.iter_lines():
                        if line.startswith("data: "):
                            yield json.loads(line.removeprefix("data: "))
            except httpx.HTTPError as error:
                raise NoServer(f"The server at {self.url} does not answer: {error}") from None

    def _path(self, path: str) -> str:
        return f"{self._base.rstrip('/')}/jupyter-einfra/{path}"

    @contextmanager
    def _client(self) -> Iterator[httpx.Client]:
        transport = httpx.HTTPTransport(uds=self._socket) if self._socket else None
        with httpx.Client(
            base_url="http://localhost" if self._socket else httpx.URL(self.url).join("/"),
            headers=self._headers,
            timeout=httpx.Timeout(_TIMEOUT_SECONDS, read=None),
            transport=transport,
            trust_env=False,  # no proxy leads to this machine itself
            verify=False,  # noqa: S501 - this machine's own server, known by its file
        ) as client:
            yield client

    def _check(self, reply: httpx.Response) -> None:
        if reply.is_success:
            return
        try:
            raise Refused(msgspec.json.decode(reply.content, type=ErrorBody).message)
        except msgspec.MsgspecError:
            raise NoServer(
                f"The server at {self.url} answers with status {reply.status_code}. "
                "Is jupyter-einfra enabled there? `jupyter einfra check` tells."
            ) from None


def find_server(named: str | None, runtime_dir: Path | None = None) -> Server:
    """Return the server that a command is for.

    Parameters
    ----------
    named:
        Its address, or the beginning of it; None to find out.
    runtime_dir:
        Where servers write down that they run; Jupyter's own if left out.

    Raises
    ------
    NoServer
        None or several come into question.
    """
    servers = sorted(_running(runtime_dir or Path(jupyter_runtime_dir())), key=lambda s: s.url)
    if named is not None:
        servers = [server for server in servers if server.url.startswith(named.rstrip("/"))]
        if not servers:
            raise NoServer(f"No Jupyter server of yours runs at {named}.")
    by_pid = {server.pid: server for server in servers}
    for pid in _ancestors():
        if pid in by_pid:
            return by_pid[pid]
    if len(servers) == 1:
        return servers[0]
    if not servers:
        raise NoServer("No Jupyter server of yours runs on this machine. Start one first.")
    urls = "\n".join(f"  --server {server.url}" for server in servers)
    raise NoServer(f"Several Jupyter servers of yours run here. Name one:\n{urls}")


def _running(folder: Path) -> Iterator[Server]:
    for path in folder.glob("jpserver-*.json"):
        try:
            told = json.loads(path.read_text("utf-8"))
            server = Server(told)
        except (OSError, ValueError, TypeError, AttributeError):
            continue  # being written, or somebody else's
        if server.url and server.lives:
            yield server


def _ancestors() -> Iterator[int]:
    """Yield the processes above this one, the nearest first."""
    pid = os.getppid()
    while pid > 0:
        yield pid
        try:
            text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
            pid = int(text.rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return
