"""Applications that an operator describes in the server's configuration, in a few lines.

c.AppsManager.custom_apps = {
"ttyd": {"command": "ttyd --interface {socket} --writable bash", "title": "ttyd"},
}
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from .application import Application, Launch


class AppSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What can be said of one; each as the attribute of `Application` with its name."""

    command: list[str] | str
    title: str | None = None
    icon: str = ""
    install: str | None = None
    environment: dict[str, str] = {}
    ready_path: str | None = "/"
    start_seconds: float | None = None
    absolute_url: bool = False
    raw_socket: bool = False
    per_folder: bool = False
    opens_folders: bool = False
    file_suffixes: list[str] = []


class ConfiguredApplication(Application):
    """An application made of settings.

    In the words of its command and the values of its environment, ``{socket}``,
    ``{port}``, ``{base_url}``, ``{url}``, ``{folder}`` and ``{opened}`` stand for those of a
    `Launch`. With the last one it opens files, too: of the kinds that ``file_suffixes`` names.

    Raises
    ------
    ValueError
        Says which setting is wrong.
    """

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        try:
            given = msgspec.convert(settings, AppSettings)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from None
        command = given.command
        self._words = shlex.split(command) if isinstance(command, str) else command
        if not self._words:
            raise ValueError("`command` is empty")
        self._environment = given.environment
        self.name = name
        self.title = given.title or name
        self.icon = given.icon
        self.programs = (self._words[0],)
        self.install = given.install or f"put {self._words[0]!r} on the PATH"
        self.listens = "port" if self._mentions("{port}") else "socket"
        self.ready_path = given.ready_path
        self.start_seconds = given.start_seconds
        self.absolute_url = given.absolute_url
        self.raw_socket = given.raw_socket
        self.per_folder = given.per_folder
        self.opens_folders = given.opens_folders or given.per_folder
        self.opens_at_start = self._mentions("{opened}")
        self.opens_files = self.opens_at_start
        self.file_suffixes = tuple(suffix.lower() for suffix in given.file_suffixes)
        self._fill(_TRIAL)

    def command(self, launch: Launch) -> Sequence[str]:
        """Return the operator's words, with the values of this start."""
        return [launch.program, *self._fill(launch)[0][1:]]

    def environment(self, launch: Launch) -> Mapping[str, str | None]:
        """Return the operator's variables, with the values of this start."""
        return self._fill(launch)[1]

    def _mentions(self, blank: str) -> bool:
        return any(blank in word for word in (*self._words, *self._environment.values()))

    def _fill(self, launch: Launch) -> tuple[list[str], dict[str, str]]:
        blanks = {
            "socket": launch.socket,
            "port": str(launch.port),
            "base_url": launch.base_url,
            "url": launch.url,
            "folder": launch.folder,
            "opened": launch.opened,
        }
        try:
            words = [word.format_map(blanks) for word in self._words]
            variables = {k: v.format_map(blanks) for k, v in self._environment.items()}
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError(
                f"a blank cannot be filled ({error}): there are {', '.join(blanks)}, and a "
                "bracket that is meant as such is written twice"
            ) from None
        return words, variables


#: Tells whether all blanks are known, before anything is started.
_TRIAL = Launch(
    program="/",
    socket="/",
    port=1,
    directory=Path("/"),
    base_url="/",
    url="/",
    folder="/",
    environ={},
)
