"""Runs TensorBoard on a unix socket, which it cannot do by itself.

``python tensorboard_on_socket.py SOCKET --logdir=...``, with the Python that TensorBoard is
installed in; so nothing of ours may be imported here.

Source: https://github.com/tensorflow/tensorboard/issues/6057
"""

from __future__ import annotations

import os
import sys
from typing import Any

from absl import app
from tensorboard import default, main_lib, program
from werkzeug import serving

SOCKET = sys.argv.pop(1)


class SocketServer(serving.ThreadedWSGIServer, program.TensorBoardServer):  # type: ignore[misc]
    """Serves on a path, where Werkzeug's own server takes the name of a host too."""

    daemon_threads = True

    def __init__(self, wsgi_app: Any, flags: Any) -> None:
        super().__init__(f"unix://{SOCKET}", 0, wsgi_app, Handler)
        os.chmod(SOCKET, 0o600)  # noqa: PTH101 - one call

    def get_url(self) -> str:
        """Return what is printed at the start."""
        return "a private socket"


class Handler(serving.WSGIRequestHandler):
    """Keeps connections open from request to request, and the log for what goes wrong."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print nothing."""


class Board(program.TensorBoard):  # type: ignore[misc]
    """TensorBoard that tells others on the machine nothing of itself: it has no port."""

    def _register_info(self, server: Any) -> None:
        return


if __name__ == "__main__":
    main_lib.global_init()
    board = Board(default.get_plugins(), server_class=SocketServer)
    app.run(board.main, flags_parser=board.configure)
