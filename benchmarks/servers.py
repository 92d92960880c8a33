"""Jupyter servers that load exactly what is compared, and what they cost."""

from __future__ import annotations

import http.client
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

import msgspec
import psutil
from servers.process import ServerProcess, clean_environment, free_port

from .surroundings import ROOT, peer_directory

TOKEN = "benchmark"

#: Which extensions each kind of server loads.
EXTENSIONS = {
    "bare": (),
    "proxy": ("jupyter_server_proxy",),
    "einfra": ("jupyter_server_proxy", "jupyter_einfra"),
    # What its kernels are is not known to it.
    "unknown": ("jupyter_server_proxy", "jupyter_einfra", "benchmarks.unknown"),
    "peer": ("jupyter_resource_usage",),
    # Whatever is loaded while it runs.
    "later": (),
}
Kind = Literal["bare", "proxy", "einfra", "unknown", "peer", "later"]

_ANSWER_SECONDS = 30.0

#: How our own threads' names begin.
_OURS = "einfra-"


class Connection:
    """One kept connection to a server."""

    def __init__(self, port: int, timeout_seconds: float = _ANSWER_SECONDS) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_seconds)
        self._headers = {"Authorization": f"token {TOKEN}"}

    def ask(self, path: str, method: str = "GET", body: object = None) -> bytes:
        """Send one request, maybe with JSON, and return the reply; refuse any but a success."""
        sent = None if body is None else msgspec.json.encode(body)
        self._http.request(method, path, sent, self._headers)
        reply = self._http.getresponse()
        body = reply.read()
        if reply.status not in (http.client.OK, http.client.CREATED):
            raise RuntimeError(f"{method} {path} answered {reply.status}: {body[:500]!r}")
        return body

    def close(self) -> None:
        """Hang up."""
        self._http.close()


class Server:
    """One running server of a kind.

    Parameters
    ----------
    directory:
        For its home and log.
    kind:
        What it loads.
    arguments:
        Added to the command line.
    helped:
        Load `inside`, too; not where the start itself is measured.
    """

    def __init__(
        self, directory: Path, kind: Kind, arguments: Sequence[str] = (), *, helped: bool = True
    ) -> None:
        # It may be there already, with what the server is to find.
        directory.mkdir(exist_ok=True)
        extensions = [*EXTENSIONS[kind], *(["benchmarks.inside"] if helped else [])]
        enabled = dict.fromkeys(extensions, True)
        self.port = free_port()
        command = [
            *(sys.executable, "-m", "jupyter_server"),
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={directory}",
            f"--ServerApp.jpserver_extensions={enabled}",
            f"--IdentityProvider.token={TOKEN}",
            *arguments,
        ]
        self._process = ServerProcess(
            command,
            env=clean_environment(directory, _environment(directory, kind)),
            cwd=directory,
            log=directory / "server.log",
        )

    @property
    def pid(self) -> int:
        """Of the server's one process."""
        return self._process.pid

    def wait(self) -> None:
        """Return as soon as it answers."""
        deadline = time.monotonic() + _ANSWER_SECONDS
        while time.monotonic() < deadline:
            self._process.must_run()
            connection = Connection(self.port)
            try:
                connection.ask("/api/status")
            except ConnectionError:
                time.sleep(0.002)
            else:
                return
            finally:
                connection.close()
        raise TimeoutError(f"The server does not answer:\n{self._process.log_tail()}")

    def ask(self, path: str, method: str = "GET") -> Any:
        """Send one request by itself; return the reply's JSON."""
        connection = Connection(self.port)
        try:
            return msgspec.json.decode(connection.ask(path, method))
        finally:
            connection.close()

    @contextmanager
    def children(self, count: int) -> Iterator[None]:
        """Give the server so many child processes for a while."""
        self.ask(f"/benchmark/children?count={count}", "POST")
        time.sleep(0.2)
        try:
            yield
        finally:
            self.ask("/benchmark/children?count=0", "POST")

    def cpu_seconds(self) -> float:
        """CPU time of all its threads so far, to the nanosecond; children do not count."""
        # Source: clock_getres(2) and linux/posix-timers.h, CPUCLOCK_SCHED of a process.
        return time.clock_gettime((~self.pid << 3) | 2)

    def our_threads(self) -> list[int]:
        """Return the kernel's ids of our own threads: samplers, and who writes to disk."""
        threads = cast("dict[str, list[int]]", self.ask("/benchmark/threads"))
        return [i for name, ids in threads.items() if name.startswith(_OURS) for i in ids]

    def threads_cpu_seconds(self, threads: Iterable[int]) -> float:
        """CPU time of some of its threads so far."""
        paths = [Path(f"/proc/{self.pid}/task/{thread}/schedstat") for thread in threads]
        return sum(int(path.read_text().split()[0]) for path in paths) / 1e9

    def load(self, extension: str) -> None:
        """Load one more extension; needs `inside`."""
        self.ask(f"/benchmark/extension?name={extension}", "POST")

    def unload(self, extension: str) -> None:
        """Stop an extension as at the server's end; needs `inside`."""
        self.ask(f"/benchmark/extension?name={extension}", "DELETE")

    def rss_bytes(self) -> int:
        """Resident memory of its process."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def stop(self, within_seconds: float = 20.0) -> None:
        """End it and everything that it started."""
        self._process.stop(within_seconds)


def _environment(directory: Path, kind: Kind) -> Mapping[str, str]:
    paths = [str(ROOT)]
    if kind in {"peer", "later"}:
        paths.append(str(peer_directory()))
    # Jupyter then reads no configuration at all, so that nothing else is loaded.
    return {
        "JUPYTER_NO_CONFIG": "1",
        "PYTHONPATH": os.pathsep.join(paths),
        "TMPDIR": str(directory),
    }


@contextmanager
def running(
    directory: Path,
    name: str,
    kind: Kind,
    arguments: Sequence[str] = (),
    *,
    helped: bool = True,
    stop_seconds: float = 20.0,
) -> Iterator[Server]:
    """Start a server, wait until it answers, and stop it at the end."""
    server = Server(directory / name, kind, arguments, helped=helped)
    try:
        server.wait()
        yield server
    finally:
        server.stop(stop_seconds)
