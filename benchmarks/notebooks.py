"""A notebook's page as far as its kernel is concerned: a session and a WebSocket."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import NamedTuple

import msgspec
from jupyter_client.session import Session
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from .servers import TOKEN, Connection, Server

_PROTOCOL = "v1.kernel.websocket.jupyter.org"
_PATIENCE_SECONDS = 60.0

#: Jupyter Server's own limits would drop what is to be measured.
NO_LIMITS = (
    "--ZMQChannelsWebsocketConnection.iopub_msg_rate_limit=0",
    "--ZMQChannelsWebsocketConnection.iopub_data_rate_limit=0",
)


class Heard(NamedTuple):
    """One message of a kernel, as a page gets it."""

    kind: str
    parent_id: str
    content: bytes

    @property
    def is_idle(self) -> bool:
        """Whether the kernel is done with what was asked for."""
        return self.kind == "status" and msgspec.json.decode(self.content) == _IDLE


_IDLE = {"execution_state": "idle"}


class _Header(msgspec.Struct):
    msg_id: str = ""
    msg_type: str = ""


_header = msgspec.json.Decoder(_Header).decode


class Notebook:
    """A notebook with a kernel of its own; made by `opened`."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self._socket = socket
        self._session = Session()

    async def ask(self, source: str) -> str:
        """Ask for a cell to be run, as Lab does; return the id of the request."""
        content = {
            "code": source,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": True,
            "stop_on_error": True,
        }
        metadata = {"cellId": str(uuid.uuid4()), "deletedCells": []}
        message = self._session.msg("execute_request", content, metadata=metadata)
        sent = serialize_msg_to_ws_v1(message, "shell", self._session.pack)
        await self._socket.write_message(sent, binary=True)
        return str(message["header"]["msg_id"])

    async def hear(self) -> Heard:
        """Wait for the next message."""
        got = await self._socket.read_message()
        if not isinstance(got, bytes):
            raise ConnectionError(f"The kernel's WebSocket ended, or said {got!r}.")
        _, parts = deserialize_msg_from_ws_v1(got)
        header, parent, _, content = parts[:4]
        return Heard(_header(header).msg_type, _header(parent).msg_id, content)

    async def run(self, source: str) -> Counter[str]:
        """Run a cell to its end; return how many messages of each kind came of it."""
        request, kinds = await self.ask(source), Counter[str]()
        while True:
            heard = await self.hear()
            if heard.parent_id == request:
                kinds[heard.kind] += 1
                if heard.kind == "error":
                    raise RuntimeError(heard.content.decode())
                if heard.is_idle:
                    return kinds

    def close(self) -> None:
        """Leave the page."""
        self._socket.close()


async def opened(server: Server, path: str) -> Notebook:
    """Open a notebook, which need not exist; return it when its kernel runs."""
    body = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
    connection = Connection(server.port, _PATIENCE_SECONDS)
    try:
        session = msgspec.json.decode(connection.ask("/api/sessions", "POST", body))
    finally:
        connection.close()
    kernel = session["kernel"]["id"]
    socket = await websocket_connect(
        HTTPRequest(
            f"ws://127.0.0.1:{server.port}/api/kernels/{kernel}/channels?session_id={uuid.uuid4()}",
            headers={"Authorization": f"token {TOKEN}"},
            request_timeout=_PATIENCE_SECONDS,
        ),
        subprotocols=[_PROTOCOL],
    )
    notebook = Notebook(socket)
    await notebook.run("pass")
    return notebook
