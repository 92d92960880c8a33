"""What has to be found out and made before a program can be started."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...models import Reason
from ...threads import in_thread
from .. import reasons
from ..application import FAILURES, Application, Launch, NotUsable
from .run import LONGEST_SOCKET_PATH
from .surroundings import Surroundings, remove


class NotPossible(Exception):
    """It cannot be started, for a reason that a person can do something about."""

    def __init__(self, reason: Reason | None) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Prepared:
    """All that a start takes."""

    launch: Launch
    argv: list[str]
    env: dict[str, str]
    headers: dict[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a start is for."""

    url: str
    """Of the instance, relative to the server's base URL."""
    folder: str | None
    """What it is opened on; None for the folder that the server shows."""
    opened: str = ""
    """What it is to show at first; may be empty."""
    resets: bool = False
    """Whether what it would restore is set aside."""


async def prepare(app: Application, wanted: Wanted, around: Surroundings) -> Prepared:
    """Find the program, make its folder and do what it asks for; in a thread.

    Raises
    ------
    NotPossible
        It cannot be started, and why.
    """
    return await in_thread(_prepare, app, wanted, around)


def _prepare(app: Application, wanted: Wanted, around: Surroundings) -> Prepared:
    folder = wanted.folder
    around.registry.look()
    found = around.registry.found(app)
    if found.program is None:
        raise NotPossible(found.reason)
    if folder is not None and not os.path.isdir(folder):  # noqa: PTH112 - may be no text
        raise NotPossible(reasons.no_folder(app.title, folder))
    directory: Path | None = None
    try:
        if wanted.resets:
            app.reset(around.environ)
        directory = around.new_directory()
        launch = Launch(
            program=found.program,
            socket=str(directory / "socket") if app.listens == "socket" else "",
            port=free_port() if app.listens == "port" else 0,
            directory=directory,
            base_url=around.base_url,
            url=around.base_url + wanted.url,
            folder=around.root if folder is None else folder,
            opened=wanted.opened,
            environ=around.environ,
        )
        return _describe(app, launch)
    except BaseException as error:
        if directory is not None:
            remove(directory)
        if isinstance(error, OSError):
            raise NotPossible(reasons.unwritable(app.title, error)) from error
        if isinstance(error, NotUsable):
            raise NotPossible(error.reason) from error
        if isinstance(error, NotPossible) or not isinstance(error, FAILURES):
            raise
        around.log.exception("The application %r describes itself wrongly", app.name)
        raise NotPossible(reasons.unusable(app.title, error)) from error


def _describe(app: Application, launch: Launch) -> Prepared:
    """Ask an application how it is started."""
    if len(os.fsencode(launch.socket)) > LONGEST_SOCKET_PATH:
        raise NotPossible(reasons.long_path(app.title, launch.socket))
    app.prepare(launch)
    argv = [str(word) for word in app.command(launch)]
    env = merged(launch.environ, app.environment(launch))
    # A zero would end the word for the system, which then runs something else.
    if any("\0" in word for word in (*argv, *env, *env.values())):
        raise ValueError("its command has a zero byte in it")
    if odd := [name for name in env if not name or "=" in name]:
        raise ValueError(f"there can be no variable with the name {odd[0]!r}")
    return Prepared(launch, argv, env, dict(app.request_headers(launch)))


def merged(environ: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return an environment with some variables changed, or taken away by None."""
    kept = {name: value for name, value in environ.items() if name not in changes}
    return {**kept, **{name: str(v) for name, v in changes.items() if v is not None}}


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
