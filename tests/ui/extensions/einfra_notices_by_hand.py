"""Puts notices up and takes them down as a test wants them, in place of a feature."""

from __future__ import annotations

from typing import Any

import msgspec
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.web import authenticated

from jupyter_einfra.models import Notice
from jupyter_einfra.notices import NoticeBoard

BOARD = "einfra_tests_board"


class NoticeHandler(APIHandler):
    """``PUT`` and ``DELETE einfra-tests/notices``."""

    @property
    def board(self) -> NoticeBoard:
        """The one of jupyter-einfra."""
        board: NoticeBoard = self.settings[BOARD]
        return board

    @authenticated
    async def put(self) -> None:
        """Put up the notice in the body."""
        self.board.post(msgspec.json.decode(self.request.body, type=Notice))
        self.set_status(204)

    @authenticated
    async def delete(self) -> None:
        """Take down the notice with the id in the query."""
        self.board.withdraw(self.get_query_argument("id"))
        self.set_status(204)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "einfra_notices_by_hand"}]


def _load_jupyter_server_extension(server: Any) -> None:
    app = server.web_app
    path = url_path_join(app.settings["base_url"], "einfra-tests/notices")
    app.add_handlers(".*$", [(path, NoticeHandler)])

    def find() -> None:
        # Once the server's loop runs, every extension has been loaded.
        [einfra] = server.extension_manager.extension_apps["jupyter_einfra"]
        app.settings[BOARD] = einfra.notices

    server.io_loop.add_callback(find)
