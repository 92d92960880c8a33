"""Carries a program's plain byte stream in a WebSocket's messages, at the slower one's pace.

jupyter-server-proxy's own would gather in memory whatever one side sends and the other does
not take, and have whoever sends without end keep the server from everybody else.
"""

from __future__ import annotations

import asyncio
from typing import cast

from tornado.websocket import WebSocketClosedError, WebSocketHandler

#: Of what the browser has not taken yet: more of it, and the program waits; less, and it
#: may go on.
_MOST_BYTES = 2**20
_FEW_BYTES = 2**18


class ByteStream(asyncio.Protocol):
    """The program's side of one WebSocket."""

    def __init__(self, socket: WebSocketHandler) -> None:
        self._socket = socket
        self._transport: asyncio.Transport | None = None
        self._waiting_bytes = 0
        self._may_write = asyncio.Event()
        self._may_write.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass on what the program says."""
        try:
            sending = asyncio.ensure_future(self._socket.write_message(data, binary=True))
        except WebSocketClosedError:
            self.abort()
            return
        self._waiting_bytes += len(data)
        sending.add_done_callback(lambda sent: self._on_sent(sent, len(data)))
        if self._waiting_bytes > _MOST_BYTES and self._transport is not None:
            self._transport.pause_reading()

    def _on_sent(self, sent: asyncio.Future[None], size: int) -> None:
        self._waiting_bytes -= size
        if sent.cancelled() or sent.exception() is not None:
            self.abort()
        elif self._waiting_bytes < _FEW_BYTES and self._transport is not None:
            self._transport.resume_reading()

    async def send(self, message: str | bytes) -> None:
        """Pass on what the browser says; returns when there is room for more.

        The handler reads no further message before that.
        """
        if self._transport is None:
            return
        self._transport.write(message.encode() if isinstance(message, str) else message)
        # Also if there is room: messages that are there already would come without a pause.
        await asyncio.sleep(0)
        await self._may_write.wait()

    def pause_writing(self) -> None:
        """Wait: the program does not read."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._may_write.set()

    def connection_lost(self, error: Exception | None) -> None:
        """End the WebSocket, too."""
        self._may_write.set()
        self._transport = None
        self._socket.close()

    def abort(self) -> None:
        """Let go of the program, whether it has read everything or not."""
        if self._transport is not None:
            self._transport.abort()
