"""A feature that only the owner may use, as later ones will be: an endpoint and a topic.

Loaded into single-user servers by the tests; the first features have nothing like it.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from jupyter_server.utils import url_path_join

from jupyter_einfra.base import EinfraHandler, endpoint
from jupyter_einfra.stream import EinfraStream, Topic
from jupyter_einfra.stream_handler import STREAM


class Secret(msgspec.Struct, frozen=True, tag_field="type", tag="secret"):
    """What only the owner may see."""

    secret: str


class SecretHandler(EinfraHandler):
    """``GET einfra-tests/secret``."""

    auth_resource = "einfra-secret"

    @endpoint(action="read", returns=Secret, owner_only=True)
    async def get(self) -> Secret:
        """Tell the secret."""
        return Secret("for the owner alone")


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "einfra_owner_only"}]


def _load_jupyter_server_extension(server: Any) -> None:
    app = server.web_app
    # Our own namespace is closed: its last handler answers 404 for what no feature has.
    path = url_path_join(app.settings["base_url"], "einfra-tests/secret")
    app.add_handlers(".*$", [(path, SecretHandler)])

    async def keep_telling(stream: EinfraStream) -> None:
        while True:
            stream.publish("secret", msgspec.json.encode(Secret("for the owner alone")))
            await asyncio.sleep(0.5)

    def start() -> None:
        # Once the server's loop runs, every extension has been loaded.
        stream: EinfraStream = app.settings[STREAM]
        stream.add_topic(Topic("secret", "secret", owner_only=True))
        app.settings["einfra_tests_task"] = asyncio.ensure_future(keep_telling(stream))

    server.io_loop.add_callback(start)
