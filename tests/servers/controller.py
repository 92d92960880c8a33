"""A stand-in for the operator's controller: answers as its text says, and as it should not.

Checks what it is sent as strictly as a real one would: the token, the body's fields.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, final


@final
class StandInController:
    """Listens on this machine for as long as the context lasts.

    Parameters
    ----------
    token:
        Whoever shows another is sent away.
    """

    def __init__(self, token: str = "secret") -> None:
        self.token = token
        self.state: Any = None
        """What GET answers: JSON, or bytes as they are."""
        self.answer: Any = {"granted": False, "until": None, "text": ""}
        """What POST answers."""
        self.status = 200
        self.pause_seconds = 0.0
        """Before each piece of an answer."""
        self.piece_bytes = 4096
        self.asked: list[tuple[str, Any]] = []
        """Method and body of each request."""
        self.misuse: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._serve(self, lambda: outer.state)

            def do_POST(self) -> None:
                outer._serve(self, lambda: outer.answer)

            def log_request(self, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/idle"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def _serve(self, request: BaseHTTPRequestHandler, reply: Callable[[], Any]) -> None:
        if request.headers.get("Authorization") != f"token {self.token}":
            self.misuse.append(f"token {request.headers.get('Authorization')}")
            request.send_response(403)
            request.end_headers()
            return
        length = int(request.headers.get("Content-Length", 0))
        body = json.loads(request.rfile.read(length)) if length else None
        if body is not None and set(body) != {"seconds", "why"}:
            self.misuse.append(f"body {body}")
        self.asked.append((request.command, body))
        told = reply()
        content = told if isinstance(told, bytes) else json.dumps(told).encode()
        request.send_response(self.status)
        request.end_headers()
        try:
            for start in range(0, len(content), self.piece_bytes):
                time.sleep(self.pause_seconds)
                request.wfile.write(content[start : start + self.piece_bytes])
                request.wfile.flush()
        except OSError:
            pass  # who asked has gone

    def __enter__(self) -> StandInController:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        assert self.misuse == []
