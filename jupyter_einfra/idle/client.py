"""Asks the operator's controller about this server, and the hub to stop it.

All of it is slow and may hang: called in threads. The server's own token of the hub is
shown to nobody but the two that the operator named.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from ..models import Reason
from . import reasons
from .models import StopGrant, TimeAnswer, TimeWanted
from .published import MOST_BYTES, Malformed, PublishedState, decode

#: For all of an answer, however slowly it drips.
_PATIENCE_SECONDS = 10.0

#: Scopes that let a server stop itself, without what they are narrowed to.
#: Source: JupyterHub's reference of scopes.
_STOPPING = ("delete:servers", "servers", "admin:servers")


class Unanswered(Exception):
    """There was no answer, or none that makes sense; the reason says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.message)
        self.reason = reason


class _Failed(Exception):
    """What went wrong on the way, in a few words."""


class _Reply(msgspec.Struct):
    status: int
    content: bytes


def _ask(method: str, url: str, token: str, body: bytes | None = None) -> _Reply:
    """Send a request; no more than `MOST_BYTES` of the answer are read, nor for long.

    In a thread of its own, for an answer may begin at once and drip for ever.
    """
    replies: list[_Reply | _Failed] = []
    client = httpx.Client(timeout=_PATIENCE_SECONDS / 2, trust_env=False)

    def ask() -> None:
        try:
            replies.append(_answer(client, method, url, token, body))
        except _Failed as error:
            replies.append(error)

    asking = threading.Thread(target=ask, name="einfra-idle-ask", daemon=True)
    asking.start()
    asking.join(_PATIENCE_SECONDS)
    client.close()  # which ends what still drips
    reply = next(iter(replies), None)
    if reply is None:
        raise _Failed(f"its answer takes more than {_PATIENCE_SECONDS:g} s")
    if isinstance(reply, _Failed):
        raise reply
    return reply


def _answer(client: httpx.Client, method: str, url: str, token: str, body: bytes | None) -> _Reply:
    headers = {"Authorization": f"token {token}", "Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        if urlsplit(url).scheme not in ("http", "https"):
            raise _Failed("its address is not one of HTTP")
        with client.stream(method, url, headers=headers, content=body) as response:
            content = b""
            for piece in response.iter_bytes():
                content += piece
                if len(content) > MOST_BYTES:
                    raise _Failed("its answer is too long")
            return _Reply(response.status_code, content)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RuntimeError) as error:
        # Some have no words, and none may have the address with what is in it.
        raise _Failed(type(error).__name__) from error


class ControllerClient:
    """The operator's controller.

    Parameters
    ----------
    url:
        Where it answers about the server whose token it is shown: GET tells a
        `PublishedState`, POST takes a `TimeWanted` and tells a `TimeAnswer`.
    token:
        This server's own token of the hub.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token

    def state(self) -> PublishedState:
        """Ask what the controller knows of this server.

        Raises
        ------
        Unanswered
        """
        reply = self._ask("GET", None)
        if reply.status != httpx.codes.OK:
            raise Unanswered(reasons.controller_unreachable(f"status {reply.status}"))
        try:
            return decode(reply.content)
        except Malformed as error:
            raise Unanswered(reasons.controller_malformed(str(error))) from error

    def more_time(self, wanted: TimeWanted) -> TimeAnswer:
        """Ask for more time.

        Raises
        ------
        Unanswered
        """
        reply = self._ask("POST", msgspec.json.encode(wanted))
        if reply.status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unanswered(reasons.controller_unreachable(f"status {reply.status}"))
        try:
            return msgspec.json.decode(reply.content, type=TimeAnswer)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise Unanswered(reasons.controller_malformed(str(error))) from error

    def _ask(self, method: str, body: bytes | None) -> _Reply:
        try:
            return _ask(method, self._url, self._token, body)
        except _Failed as error:
            raise Unanswered(reasons.controller_unreachable(str(error))) from error


def hub_of(environ: Mapping[str, str]) -> HubClient | None:
    """Return the hub that started this server; None if none did."""
    api_url, user = (environ.get(f"JUPYTERHUB_{name}") for name in ("API_URL", "USER"))
    if not api_url or not user:
        return None
    token = environ.get("JUPYTERHUB_API_TOKEN", "")
    return HubClient(api_url, token, user, environ.get("JUPYTERHUB_SERVER_NAME", ""))


class HubClient:
    """The hub that started this server.

    Parameters
    ----------
    api_url, token, user, server:
        As the hub tells them in the environment; the default server has no name.
    """

    def __init__(self, api_url: str, token: str, user: str, server: str) -> None:
        self._api_url = api_url.rstrip("/")
        self._token = token
        self._user = user
        self._server = server

    def may_stop(self) -> StopGrant:
        """Ask whether this server may stop itself."""
        try:
            reply = _ask("GET", f"{self._api_url}/user", self._token)
            scopes: Any = msgspec.json.decode(reply.content)["scopes"]
            granted = any(self._stops(scope) for scope in scopes if isinstance(scope, str))
        except _Failed as error:
            return StopGrant(may_stop=None, reason=reasons.hub_unreachable(str(error)))
        except (msgspec.MsgspecError, UnicodeError, KeyError, TypeError):
            return StopGrant(may_stop=None, reason=reasons.hub_unreachable("no such answer"))
        return StopGrant(may_stop=granted, reason=None if granted else reasons.STOP_NOT_GRANTED)

    def stop_server(self) -> StopGrant:
        """Have the hub stop this server."""
        path = f"{self._api_url}/users/{quote(self._user, safe='')}/server"
        if self._server:
            path += f"s/{quote(self._server, safe='')}"
        try:
            reply = _ask("DELETE", path, self._token)
        except _Failed as error:
            return StopGrant(may_stop=None, reason=reasons.hub_unreachable(str(error)))
        if reply.status in (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND):
            return StopGrant(may_stop=False, reason=reasons.STOP_NOT_GRANTED)
        if not httpx.codes.is_success(reply.status):
            reason = reasons.hub_unreachable(f"status {reply.status}")
            return StopGrant(may_stop=None, reason=reason)
        return StopGrant(may_stop=True, reason=None)

    def _stops(self, scope: str) -> bool:
        name, _, narrowed = scope.partition("!")
        mine = ("", f"user={self._user}", f"server={self._user}/{self._server}")
        return name in _STOPPING and narrowed in mine
