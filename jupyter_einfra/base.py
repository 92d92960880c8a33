"""What every handler of ours does the same way.

- Nobody who is not signed in reaches a method, and none runs without the
  authorizer's word (`endpoint`).
- Answering never counts as the user's activity.
- Queries are decoded against a model; replies are encoded from one.
- Errors leave as `ErrorBody`, never as a stack trace.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from http.client import responses
from typing import Any, ClassVar, Literal, cast

import msgspec
from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado.web import HTTPError, authenticated

from .errors import EinfraError, FeatureOff, Forbidden, InvalidParameter
from .models import ErrorBody, FeatureStatus

#: Every address of ours starts here, below the server's base URL.
NAMESPACE = "jupyter-einfra"

#: Key of `FeatureStatuses` in the web application's settings.
STATUSES = "einfra_features"

Action = Literal["read", "write", "execute"]
FeatureStatuses = Mapping[str, FeatureStatus]

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Endpoint:
    """What the OpenAPI document tells of one method."""

    action: Action
    owner_only: bool
    query: type[msgspec.Struct] | None
    body: type[msgspec.Struct] | None
    returns: Any
    media_type: str


#: A coroutine method of a handler, and what `endpoint` makes of it.
_Method = Callable[..., Awaitable[Any]]


def endpoint(
    *,
    action: Action,
    returns: Any,
    query: type[msgspec.Struct] | None = None,
    body: type[msgspec.Struct] | None = None,
    owner_only: bool = False,
    media_type: str = "application/json",
) -> Callable[[_Method], _Method]:
    """Make a coroutine method the answer to the HTTP method of its name.

    Parameters
    ----------
    action:
        What the authorizer is asked for, on the handler's ``auth_resource``.
    returns:
        Model of the reply. The method returns an instance, its JSON as bytes, or
        None when it has written the reply itself.
    query:
        Model of the query string, passed to the method as ``query``. An unknown,
        repeated or malformed parameter answers 400 and names it.
    body:
        Model of the JSON that is sent, passed to the method as ``body``. Anything else
        answers 400.
    owner_only:
        Refuse people with whom the owner shared the server.
    media_type:
        Of the reply.
    """

    def decorate(method: _Method) -> _Method:
        @wraps(method)
        async def answer(self: EinfraHandler) -> None:
            with self.errors_mapped():
                if not await self.may(action, self.auth_resource):
                    raise Forbidden
                if owner_only and not self.acts_for_owner():
                    raise Forbidden
                arguments = {} if query is None else {"query": self.decode_query(query)}
                if body is not None:
                    arguments["body"] = self.decode_body(body)
                reply = await method(self, **arguments)
            if reply is not None:
                self.finish(reply if isinstance(reply, bytes) else _encode(reply))

        # Jupyter looks for this decorator where every address must have one.
        guarded: Any = authenticated(answer)
        guarded.endpoint = Endpoint(action, owner_only, query, body, returns, media_type)
        return cast("_Method", guarded)

    return decorate


class _MappedError(HTTPError):
    """Carries an `EinfraError` through Tornado to `EinfraHandler.write_error`."""

    def __init__(self, error: EinfraError) -> None:
        # Without a message for the log: Tornado would write it beside the whole query,
        # token included. The server's own line has the status, and no secrets.
        super().__init__(error.http_status)
        self.error = error


class Access:
    """Who may do what; mixed into every handler of ours."""

    async def may(self, action: Action, resource: str) -> bool:
        """Ask the server's authorizer.

        Jupyter's own decorator for this remembers the resource of the first call for
        every handler that inherits the method.
        """
        handler = cast("JupyterHandler", self)
        allowed: Any = handler.authorizer.is_authorized(
            handler, handler.current_user, action, resource
        )
        return bool(await ensure_async(allowed))

    def acts_for_owner(self) -> bool:
        """Whether the signed-in user owns this server.

        JupyterHub names the owner of a server in its environment. Without a hub,
        whoever holds the server's token owns it.
        """
        owner = os.environ.get("JUPYTERHUB_USER")
        if not owner:
            return True
        user = cast("JupyterHandler", self).current_user
        # A hub service may bear a user's name.
        kind = getattr(user, "hub_user", {}).get("kind", "user")
        return user is not None and user.username == owner and kind == "user"

    def require_feature(self, name: str) -> None:
        """See that a feature, if there is one of the name, runs.

        Raises
        ------
        FeatureOff
        """
        statuses: FeatureStatuses = cast("JupyterHandler", self).settings[STATUSES]
        status = statuses.get(name)
        if status is not None and status.reason is not None:
            reason = status.reason
            raise FeatureOff(reason.code, reason.message, **reason.params)


class EinfraHandler(Access, APIHandler):
    """Base of all our handlers. Subclasses set ``auth_resource``."""

    auth_resource: ClassVar[str]

    # The server's idle clock moves when its user acts, not when we answer.
    _track_activity = False

    async def prepare(self) -> None:  # type: ignore[override]
        """Let in only signed-in users, and only to features that run."""
        await super().prepare()
        if self.request.method == "OPTIONS":
            return  # a preflight asks for nothing of ours
        if self.current_user is None:
            raise HTTPError(403)
        with self.errors_mapped():
            self.require_feature(self.auth_resource.removeprefix("einfra-"))

    def set_default_headers(self) -> None:
        """Live figures are never worth keeping."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    def compute_etag(self) -> None:
        """Have none: what is never kept needs no name, and a hash would hold the loop."""
        return

    def decode_query(self, model: type[msgspec.Struct]) -> msgspec.Struct:
        """Convert the query string into a model, or raise `InvalidParameter`."""
        values: dict[str, str] = {}
        fields = {field.encode_name for field in msgspec.structs.fields(model)}
        for name, given in self.request.query_arguments.items():
            if name == "token":
                continue  # Jupyter's own
            if name not in fields:
                known = ", ".join(sorted(fields))
                raise InvalidParameter(name, f"is not known here. Known: {known}")
            if len(given) > 1:
                raise InvalidParameter(name, "is given more than once")
            try:
                values[name] = given[0].decode()
            except UnicodeDecodeError:
                raise InvalidParameter(name, "is not UTF-8") from None
        try:
            return msgspec.convert(values, model, strict=False)
        except msgspec.ValidationError as error:
            raise _invalid(error, "query") from None

    def decode_body(self, model: type[msgspec.Struct]) -> msgspec.Struct:
        """Convert the JSON that was sent into a model, or raise `InvalidParameter`."""
        try:
            return msgspec.json.decode(self.request.body, type=model)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise _invalid(error, "body") from None

    @contextmanager
    def errors_mapped(self) -> Iterator[None]:
        """Turn an `EinfraError` into the reply that it asks for."""
        try:
            yield
        except EinfraError as error:
            raise _MappedError(error) from error

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what went wrong as an `ErrorBody`; what it was in detail goes to the log."""
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error, _MappedError):
            code, message, params = error.error.code, error.error.message, error.error.params
        else:
            code, message = _GENERIC.get(status_code, _UNEXPECTED)
            params = {"status": status_code} if code == "http_error" else {}
            message = message.format(status=status_code)
        body = ErrorBody(
            message=message,
            reason=self._reason or responses.get(status_code, "Unknown"),
            code=code,
            params=params,
        )
        self.finish(_encode(body))


def _invalid(error: Exception, whole: str) -> InvalidParameter:
    """Name the part of a query or body that is wrong."""
    problem, _, place = str(error).partition(" - at `$.")
    return InvalidParameter(place.rstrip("`") or whole, f"is not valid: {problem}")


_GENERIC = {
    403: ("forbidden", "You may not see or do this on this server. Sign in, or ask its owner."),
    404: ("unknown_path", "There is nothing at this address. Reload the page if it is old."),
    405: ("method_not_allowed", "This address does not answer to this HTTP method."),
    500: ("internal_error", "The server met a fault of its own; its log tells more."),
}
_UNEXPECTED = ("http_error", "The server refused the request with status {status}.")


class UnknownPathHandler(EinfraHandler):
    """Answers below our namespace where no feature does."""

    auth_resource = "einfra"

    async def prepare(self) -> None:  # type: ignore[override]
        """Say which feature is off, or that there is none."""
        await super().prepare()
        if self.request.method == "OPTIONS":
            return  # which may come without credentials, so it must learn nothing
        with self.errors_mapped():
            self.require_feature((self.path_args[0] or "").partition("/")[0])
        raise HTTPError(404)
