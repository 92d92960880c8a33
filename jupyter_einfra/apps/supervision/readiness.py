"""Asks a program that is starting whether it can be used."""

from __future__ import annotations

import asyncio
from contextlib import suppress

#: Between two questions: at first often, since a start of a second should not become two.
_PAUSES_SECONDS = (0.02, 0.25)

#: A program that takes longer to answer is asked anew.
_ANSWER_SECONDS = 5.0

#: Of an answer that are read.
_MOST_BYTES = 1_000_000

#: One that goes on for longer, or has no end, is an answer all the same.
_REST_SECONDS = 0.1


async def until_ready(socket: str, port: int, path: str | None) -> None:
    """Return once a program answers.

    Parameters
    ----------
    socket, port:
        Where it listens: at the socket, or if that is empty at the port of 127.0.0.1.
    path:
        Asked for over HTTP; any answer but an error of the server's own will do. None: a
        connection will do.
    """
    pause = _PAUSES_SECONDS[0]
    while True:
        # Not `wait_for`: in Python before 3.12 it loses a cancellation that comes with an error.
        asking = asyncio.ensure_future(_answers(socket, port, path))
        try:
            await asyncio.wait({asking}, timeout=_ANSWER_SECONDS)
        finally:
            asking.cancel()
        # ValueError: a first line without end.
        with suppress(OSError, ValueError, asyncio.CancelledError, asyncio.InvalidStateError):
            if asking.result():
                return
        await asyncio.sleep(pause)
        pause = min(1.2 * pause, _PAUSES_SECONDS[1])


async def _answers(socket: str, port: int, path: str | None) -> bool:
    if socket:
        reader, writer = await asyncio.open_unix_connection(socket)
    else:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        if path is None:
            return True
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        writer.write(request.encode("ascii", "replace"))
        line = await reader.readline()
        # A program that cannot send all of its answer may say so in its log.
        reading = asyncio.ensure_future(_rest(reader))
        await asyncio.wait({reading}, timeout=_REST_SECONDS)
        reading.cancel()
    finally:
        writer.close()
    protocol, _, rest = line.partition(b" ")
    return protocol.startswith(b"HTTP/") and rest[:1] in (b"1", b"2", b"3", b"4")


async def _rest(reader: asyncio.StreamReader) -> None:
    left = _MOST_BYTES
    while left > 0 and (more := await reader.read(left)):
        left -= len(more)
