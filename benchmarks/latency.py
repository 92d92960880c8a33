"""How long a trivial request takes, asked by a light process at a steady pace.

The event loop as it is from outside: whoever holds it delays the answer. A request that
was due while the one before still waited counts from when it was due, so that one long
hold is as bad as it was for all who would have asked meanwhile.

Says ``ready`` when it is connected and has been answered; prints the milliseconds of every
request, in order, when its time is over.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from .servers import TOKEN
from .surroundings import ROOT

PACE_SECONDS = 0.02

#: What a loop that is held without end may take to say so.
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Latency:
    """Milliseconds of many requests."""

    values: Sequence[float]

    @property
    def p50(self) -> float:
        """Half of them took longer."""
        return statistics.median(self.values)

    @property
    def p99(self) -> float:
        """One in a hundred took longer."""
        return statistics.quantiles(self.values, n=100)[98]

    @property
    def most(self) -> float:
        """The longest."""
        return max(self.values)

    def __add__(self, other: Latency) -> Latency:
        return Latency([*self.values, *other.values])

    def __str__(self) -> str:
        return f"p50 {self.p50:.2f}, p99 {self.p99:.2f}, max {self.most:.1f} ms"


class Probe:
    """The process, seen from the one that measures."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def finished(self) -> Latency:
        """Wait until its time is over and return what it saw."""
        output, _ = self._process.communicate(timeout=5 * _PATIENCE_SECONDS)
        if self._process.returncode:
            raise RuntimeError("The requests failed.")
        return Latency(msgspec.json.decode(output, type=list[float]))


@contextmanager
def asking(port: int, seconds: float, pace_seconds: float = PACE_SECONDS) -> Iterator[Probe]:
    """Ask a server again and again for a while."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(port), str(seconds), str(pace_seconds)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("The server was not reached.")
        yield Probe(process)
    finally:
        process.kill()
        process.wait()


def latency(port: int, seconds: float) -> Latency:
    """Ask a server again and again and return what it took."""
    with asking(port, seconds) as probe:
        return probe.finished()


def _ask(connection: socket.socket, request: bytes) -> None:
    """Send one request and read its reply, which is short and has a length."""
    connection.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    if b" 200 " not in head.splitlines()[0]:
        raise RuntimeError(head.decode(errors="replace"))
    lengths = [line for line in head.lower().splitlines() if line.startswith(b"content-length:")]
    left = int(lengths[0].split(b":")[1]) - len(body)
    while left > 0:
        left -= len(_some(connection))


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("The server hung up.")
    return data


def _measure(port: int, seconds: float, pace_seconds: float) -> list[float]:
    request = (
        f"GET /api HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: token {TOKEN}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _ask(connection, request)
        print("ready", flush=True)
        taken: list[float] = []
        begin = due = time.perf_counter()
        while due < begin + seconds:
            time.sleep(max(0.0, due - time.perf_counter()))
            asked = time.perf_counter()
            _ask(connection, request)
            answered = time.perf_counter()
            taken.append((answered - asked) * 1e3)
            due += pace_seconds
            while due < min(answered, begin + seconds):
                taken.append((answered - due) * 1e3)
                due += pace_seconds
        return taken


if __name__ == "__main__":
    measured = _measure(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
    print(msgspec.json.encode(measured).decode())
