"""Many readers of the stream in one light process of its own.

Says ``ready`` when all are connected, and when its standard input closes prints the
``time`` of every usage event that each reader has got since.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from .servers import TOKEN
from .surroundings import ROOT

#: What a page reads, by what of ours is to be seen on it.
STATUS_BAR = "usage"
PANEL = "usage,usage-details,notices"

_TIME = re.compile(rb'event: usage\ndata: \{[^\n]*?"time":"([^"]+)"')
_PATIENCE_SECONDS = 30.0


class Listeners:
    """The process, seen from the one that measures."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def times(self) -> list[list[str]]:
        """Hang up and return what each reader was told the times of the samples are."""
        output, _ = self._process.communicate(timeout=_PATIENCE_SECONDS)
        return msgspec.json.decode(output, type=list[list[str]])


@contextmanager
def listening(port: int, count: int, topics: str = STATUS_BAR) -> Iterator[Listeners]:
    """Have so many readers of topics of a server's stream for a while."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(port), str(count), topics],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("The readers could not connect.")
        yield Listeners(process)
    finally:
        process.kill()
        process.wait()


async def _connect(port: int, topics: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = (
        f"GET /jupyter-einfra/stream?topics={topics} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\nAuthorization: token {TOKEN}\r\n\r\n"
    )
    writer.write(request.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.splitlines()[0]:
        raise RuntimeError(head.decode(errors="replace"))
    return reader, writer


async def _listen(port: int, count: int, topics: str) -> list[list[str]]:
    connecting = asyncio.gather(*(_connect(port, topics) for _ in range(count)))
    connections = await asyncio.wait_for(connecting, _PATIENCE_SECONDS)
    received = [bytearray() for _ in connections]

    async def read(number: int) -> None:
        while data := await connections[number][0].read(65536):
            received[number] += data

    reading = [asyncio.create_task(read(number)) for number in range(count)]
    # Everyone connects at another moment; what came before all were there does not count.
    await asyncio.sleep(0.5)
    for data in received:
        data.clear()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for task in reading:
        task.cancel()
    for _, writer in connections:
        writer.close()
    return [[time.decode() for time in _TIME.findall(data)] for data in received]


if __name__ == "__main__":
    told = asyncio.run(_listen(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
    print(msgspec.json.encode(told).decode())
