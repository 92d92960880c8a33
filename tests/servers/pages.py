"""What a page of a notebook says to a server: a WebSocket to its kernel, cells by their ids."""

from __future__ import annotations

import json
import secrets
import struct
from itertools import pairwise
from types import TracebackType
from typing import Any, final

import nbformat
import websocket

from .lab import LabServer

#: How long a kernel may take to answer.
_PATIENCE_SECONDS = 60.0


def write_notebook(lab: LabServer, path: str, *sources: str) -> list[str]:
    """Save a notebook with these cells; return their ids."""
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in sources]
    notebook = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )
    file = lab.notebooks / path
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, file)
    return [cell["id"] for cell in cells]


def open_session(lab: LabServer, path: str, kernel: str = "python3", **more: str) -> str:
    """Begin the session of a notebook, as its page does; return the kernel's id."""
    body = {
        "path": path,
        "name": path.rpartition("/")[2],
        "type": "notebook",
        "kernel": {"name": kernel, **more},
    }
    reply = lab.api("POST", "api/sessions", json=body).raise_for_status()
    return str(reply.json()["kernel"]["id"])


@final
class KernelSocket:
    """The WebSocket of a page; on entering, the kernel is ready.

    Parameters
    ----------
    lab, kernel_id:
        Where.
    protocol:
        ``v1.kernel.websocket.jupyter.org``, or empty for that with JSON.
    """

    def __init__(
        self, lab: LabServer, kernel_id: str, protocol: str = "v1.kernel.websocket.jupyter.org"
    ) -> None:
        self.kernel_id = kernel_id
        self._protocol = protocol
        self._session = secrets.token_hex(8)
        address = lab.url.replace("http", "ws", 1)
        self._url = f"{address}api/kernels/{kernel_id}/channels?session_id={self._session}"
        self._header = [f"Authorization: token {lab.token}"]

    def __enter__(self) -> KernelSocket:
        self._socket = websocket.create_connection(
            self._url,
            header=self._header,
            subprotocols=[self._protocol] if self._protocol else None,
            timeout=_PATIENCE_SECONDS,
            http_no_proxy=["127.0.0.1"],
        )
        self.do("None")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def run(self, source: str, cell_id: str | None = None) -> str:
        """Ask for a cell to be run, and leave it alone."""
        content = {
            "code": source,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        metadata = {} if cell_id is None else {"cellId": cell_id, "deletedCells": []}
        return self.send("shell", "execute_request", content, metadata)

    def send(
        self, channel: str, kind: str, content: dict[str, Any], metadata: dict[str, Any]
    ) -> str:
        """Send any message; return its id."""
        ident = secrets.token_hex(16)
        header = {
            "msg_id": ident,
            "msg_type": kind,
            "session": self._session,
            "username": "",
            "version": "5.3",
            "date": "2026-11-26T00:00:00Z",
        }
        if self._protocol:
            told = (json.dumps(part).encode() for part in (header, {}, metadata, content))
            parts = [channel.encode(), *told]
            at = [8 * (len(parts) + 2)]
            for part in parts:
                at.append(at[-1] + len(part))
            packed = struct.pack(f"<{len(at) + 1}Q", len(at), *at) + b"".join(parts)
            self._socket.send_binary(packed)
        else:
            message = {
                "channel": channel,
                "header": header,
                "parent_header": {},
                "metadata": metadata,
                "content": content,
                "buffers": [],
            }
            self._socket.send(json.dumps(message))
        return ident

    def do(self, source: str, cell_id: str | None = None) -> dict[str, Any]:
        """Run a cell to its end; return the content of the reply."""
        ident = self.run(source, cell_id)
        while True:
            channel, header, parent, content = self._read()
            if (
                channel == "shell"
                and header.get("msg_type") == "execute_reply"
                and parent.get("msg_id") == ident
            ):
                return content

    def _read(self) -> tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]:
        raw = self._socket.recv()
        if isinstance(raw, str):
            message = json.loads(raw)
            return (
                message["channel"],
                message["header"],
                message["parent_header"],
                message["content"],
            )
        (count,) = struct.unpack_from("<Q", raw)
        at = struct.unpack_from(f"<{count}Q", raw, 8)
        parts = [raw[start:end] for start, end in pairwise(at)]
        channel, header, parent, _, content = parts[:5]
        return channel.decode(), json.loads(header), json.loads(parent), json.loads(content)
