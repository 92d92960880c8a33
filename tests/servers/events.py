"""A client that holds nothing but our stream, and reads it in a thread."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, final

import httpx

from .process import wait_until

#: Longer than any silence the server allows itself.
_READ_SECONDS = 120.0


@final
class HeldStream:
    """One open stream of ours, without a browser around it.

    Parameters
    ----------
    base_url:
        Of the Jupyter server.
    token:
        Sent with the one request that this makes.
    topics:
        Asked for by name; all when None.
    path:
        Of another stream below ``jupyter-einfra/``, with its query.

    Raises
    ------
    httpx.HTTPStatusError
        On entering, when the server refuses; carries the reply.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        topics: str | None = "usage",
        *,
        path: str | None = None,
    ) -> None:
        self._client = httpx.Client(
            trust_env=False,
            headers={"Authorization": f"token {token}"},
            timeout=httpx.Timeout(20.0, read=_READ_SECONDS),
        )
        if path is None:
            path = "stream" if topics is None else f"stream?topics={topics}"
        self._request = self._client.build_request("GET", f"{base_url}jupyter-einfra/{path}")
        self._lock = threading.Lock()
        self._events: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._read, name="held-stream")
        self.ended = False

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return all events of one kind so far, in order."""
        with self._lock:
            return [event for event in self._events if event["type"] == kind]

    def wait_for(self, kind: str, *, more_than: int = 0) -> dict[str, Any]:
        """Wait until there are more events of a kind than that, and return the latest."""

        def latest() -> dict[str, Any] | None:
            found = self.events(kind)
            return found[-1] if len(found) > more_than else None

        return wait_until(f"the stream sent {kind!r}", latest)

    def _read(self) -> None:
        lines: list[str] = []
        try:
            for line in self._response.iter_lines():
                if line:
                    lines.append(line)
                    continue
                fields = dict(text.split(": ", 1) for text in lines if not text.startswith(":"))
                lines.clear()
                if fields:
                    event = json.loads(fields["data"])
                    with self._lock:
                        self._events.append(event)
        except httpx.TransportError:
            pass  # cut, by either side, in the middle of the reply
        self.ended = True

    def __enter__(self) -> HeldStream:
        self._response = self._client.send(self._request, stream=True)
        try:
            if not self._response.is_success:
                self._response.read()
                self._response.raise_for_status()
        except BaseException:
            self._client.close()
            raise
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        connection: socket.socket = self._response.extensions["network_stream"].get_extra_info(
            "socket"
        )
        with suppress(OSError):  # the server may have hung up first
            connection.shutdown(socket.SHUT_RDWR)  # wakes the thread, as a closed tab would
        self._thread.join(10.0)
        self._response.close()
        self._client.close()
