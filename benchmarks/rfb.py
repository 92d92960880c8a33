"""A client of VNC that types and waits until pixels change. Source: RFC 6143."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Awaitable, Callable

#: Nothing more is drawn for one key after a silence of this length.
_SILENCE_SECONDS = 0.08

_RAW = 0
_PIXEL_BYTES = 4


class Client:
    """One connection to a desktop, whatever carries it.

    Parameters
    ----------
    read:
        Reads so many bytes.
    write:
        Sends some.
    """

    def __init__(
        self, read: Callable[[int], Awaitable[bytes]], write: Callable[[bytes], Awaitable[None]]
    ) -> None:
        self._read = read
        self._write = write
        self._size = (0, 0)
        self._pending: asyncio.Future[None] | None = None

    async def begin(self) -> None:
        """Shake hands and take the first picture."""
        await self._read(12)
        await self._write(b"RFB 003.008\n")
        (count,) = await self._read(1)
        await self._read(count)
        await self._write(b"\x01")  # no password: who gets here was asked already
        await self._read(4)
        await self._write(b"\x01")  # others stay
        width, height, *_ = struct.unpack(">HH16s", await self._read(20))
        self._size = (width, height)
        (length,) = struct.unpack(">I", await self._read(4))
        await self._read(length)
        await self._write(struct.pack(">BxHi", 2, 1, _RAW))
        await self._ask(only_new=False)
        await self._update()
        await self._settle()

    async def type(self, keysym: int) -> float:
        """Press a key; return the seconds until pixels have changed."""
        begun = time.perf_counter()
        for is_down in (1, 0):
            await self._write(struct.pack(">BBxxI", 4, is_down, keysym))
        await self._update()
        taken = time.perf_counter() - begun
        await self._settle()
        return taken

    async def end(self) -> None:
        """Wait for nothing more."""
        if self._pending is not None:
            self._pending.cancel()
            await asyncio.wait({self._pending})

    async def _settle(self) -> None:
        """Take what else is drawn; the answer to the last request is still to come."""
        while True:
            await self._ask(only_new=True)
            update = asyncio.ensure_future(self._update())
            done, _ = await asyncio.wait({update}, timeout=_SILENCE_SECONDS)
            if not done:
                self._pending = update
                return
            update.result()

    async def _ask(self, *, only_new: bool) -> None:
        await self._write(struct.pack(">BBHHHH", 3, only_new, 0, 0, *self._size))

    async def _update(self) -> None:
        """Read until a picture has come, or a part of one."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            await pending
            return
        while True:
            (kind,) = await self._read(1)
            if kind == 0:
                break
            if kind == 3:  # somebody copied something
                (length,) = struct.unpack(">3xI", await self._read(7))
                await self._read(length)
            elif kind != 2:  # the bell
                raise RuntimeError(f"message {kind}")
        (count,) = struct.unpack(">xH", await self._read(3))
        for _ in range(count):
            _, _, width, height, encoding = struct.unpack(">HHHHi", await self._read(12))
            if encoding != _RAW:
                raise RuntimeError(f"encoding {encoding}")
            await self._read(width * height * _PIXEL_BYTES)
