"""Pages of ours that show a program which has none: it runs, and speaks through a socket.

The document is made for each visit; what it loads is named by what is in it, and so kept
by browsers for good. `pages/NAME.html`, with the script and style of the same name.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import secrets
from functools import cache
from typing import NamedTuple

from jupyter_server.base.handlers import JupyterHandler

from .page import asset, catalogues, hub
from .presence.element import script_element
from .supervision.instance import Instance

#: Where the socket is, below the address of the instance.
SOCKET_PATH = "/websockify"

_ASSET_PATH = re.compile(r"/assets/([0-9a-f]{16})/([a-z]+)\.(js|css)")

_TYPES = {"js": "text/javascript", "css": "text/css"}

#: Its own script and style, its own server, and pictures that it makes itself. Nobody else
#: may frame it.
_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src data: blob:; style-src 'nonce-{nonce}'; "
    "script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class Asset(NamedTuple):
    """A file that the document loads."""

    content_type: str
    content: str


def find_asset(page: str, path: str) -> Asset | None:
    """Return what is at an address below the instance's; None if nothing is.

    Parameters
    ----------
    page:
        Name of the page.
    path:
        From the slash after the instance's address on.
    """
    found = _ASSET_PATH.fullmatch(path)
    if found is None or found[2] != page:
        return None
    name = f"{page}.{found[3]}"
    return Asset(_TYPES[found[3]], asset(name)) if found[1] == _digest(name) else None


def rendered(page: str, instance: Instance, handler: JupyterHandler) -> tuple[str, str]:
    """Return the document and its content-security policy."""
    nonce = secrets.token_urlsafe(16)
    title = instance.title
    _ = handler.xsrf_token  # sets the cookie that goes with it, with which the page reports
    data = {
        "title": title,
        "socket": SOCKET_PATH.lstrip("/"),
        "lab": f"{handler.base_url}lab" if "jupyterlab" in handler.settings else handler.base_url,
        "hub": hub(),
        "catalogues": catalogues(f"{page}.js"),
    }
    text = asset(f"{page}.html").format(
        nonce=nonce,
        presence=script_element(handler.base_url, instance.id, nonce).decode(),
        title=html.escape(title),
        style=_address(f"{page}.css"),
        script=_address(f"{page}.js"),
        # Nothing in it may end the element.
        data=json.dumps(data).replace("<", "\\u003c"),
    )
    return text, _POLICY.format(nonce=nonce)


def _address(name: str) -> str:
    return f"assets/{_digest(name)}/{name}"


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(asset(name).encode()).hexdigest()[:16]
