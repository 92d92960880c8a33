"""What a request for an application's address is: somebody going there, or a page asking.

Only a person may start an application. A page that is open somewhere asks again and again
by itself, a browser fetches what it expects to need, and other sites can make a browser
ask for anything; none of these may.

Source: https://www.w3.org/TR/fetch-metadata/. Browsers send its headers over HTTPS and
to the machine itself only; without them the ``Referer`` has to do, which other sites can
leave out and cannot forge.

Pure: standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum

_HOST = re.compile(r"https?://(?:[^/?#@]*@)?([^/?#@]+)", re.IGNORECASE)


class Visit(Enum):
    """Who asks."""

    PERSON = "person"
    """Somebody goes there from here, or from the address bar."""
    STRANGER = "stranger"
    """Somebody comes from another site, or from who knows where."""
    SCRIPT = "script"
    """A page asks in the background, or the browser ahead of time."""
    SOCKET = "socket"
    """A page wants to open a WebSocket."""


def visit_of(method: str, headers: Mapping[str, str], host: str) -> Visit:
    """Tell who asks.

    Parameters
    ----------
    method:
        Of HTTP.
    headers:
        Looked up without regard to case.
    host:
        Name and port under which the browser knows this server.
    """
    if headers.get("Upgrade", "").lower() == "websocket":
        return Visit.SOCKET
    purposes = (headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz"))
    if method != "GET" or any("prefetch" in purpose.lower() for purpose in purposes):
        return Visit.SCRIPT
    if "Sec-Fetch-Mode" in headers or "Sec-Fetch-Dest" in headers:
        if headers.get("Sec-Fetch-Dest") not in ("document", "iframe"):
            return Visit.SCRIPT
        ours = headers.get("Sec-Fetch-Site") in ("same-origin", "none")
        return Visit.PERSON if ours else Visit.STRANGER
    if not _wants_html(headers):
        return Visit.SCRIPT
    return Visit.PERSON if _host_of(headers.get("Referer", "")) == host.lower() else Visit.STRANGER


def shows_answer(method: str, headers: Mapping[str, str]) -> bool:
    """Whether the answer becomes a page of its own, in a tab or a frame.

    Parameters
    ----------
    method:
        Of HTTP.
    headers:
        Looked up without regard to case.
    """
    if method not in ("GET", "POST") or "Range" in headers:
        return False
    if "Sec-Fetch-Dest" in headers:
        return headers["Sec-Fetch-Dest"] in ("document", "iframe", "frame")
    return _wants_html(headers)


def _wants_html(headers: Mapping[str, str]) -> bool:
    """Whether a page is asked for, as far as a browser tells that does not say it."""
    return "text/html" in headers.get("Accept", "") and "X-Requested-With" not in headers


def _host_of(url: str) -> str | None:
    """Return name and port of an address; None if it has none."""
    found = _HOST.match(url)
    return None if found is None else found[1].lower()
