"""What is remembered of each start of this server.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from .notices import Spoken
from .published import PublishedState

#: Of older ones nothing is asked any more.
MOST_STARTS = 20

#: Of one start; the oldest make room.
MOST_TOLD = 200

_Moment = Annotated[float, Meta(ge=0, le=1e12)]


class Told(Struct, frozen=True, kw_only=True):
    """An evaluation that the controller told of."""

    at: _Moment
    counter: Annotated[int, Meta(ge=0, le=1000)]


class Start(Struct, frozen=True, kw_only=True):
    """One life of the server, from the hub's start to its stop, whatever died in between."""

    id: str
    first_seen: Annotated[_Moment, Meta(description="0: it may be of any age.")]
    told: list[Told] = []
    spoken: Spoken | None = None


def heard(start: Start, state: PublishedState) -> Start:
    """Take note of what a controller published."""
    at = state.evaluated_at.timestamp()
    if any(told.at == at and told.counter == state.counter for told in start.told):
        return start
    told = Told(at=at, counter=state.counter)
    others = [one for one in start.told if one.at != at]
    in_order = sorted([*others, told], key=lambda one: one.at)
    return replace(start, told=in_order[-MOST_TOLD:])


def start_id(environ: Mapping[str, str]) -> str:
    """Name this start of the server: the hub gives each a token, which no restart changes."""
    token = environ.get("JUPYTERHUB_API_TOKEN")
    if not token:
        return "local"  # which may have been there for long
    return sha256(b"jupyter-einfra idle start\0" + token.encode("utf-8", "replace")).hexdigest()[
        :16
    ]


def server_name(environ: Mapping[str, str]) -> str | None:
    """Return what the hub calls this server: the user, a slash, and its name if it has one."""
    user = environ.get("JUPYTERHUB_USER")
    return f"{user}/{environ.get('JUPYTERHUB_SERVER_NAME', '')}" if user else None
