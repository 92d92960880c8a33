"""What an application is: one small class in a file of its own.

A class says where its program is found, how it is started so that it listens on a unix
socket of ours, how one can tell that it is ready, and how it is stopped. Everything
else, from the launch page to what survives nothing, is the supervisor's.

Other packages add theirs through the entry-point group ``jupyter_einfra.apps``.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..models import Reason
from .icons import checked

#: A name that fits into addresses, settings and commands alike.
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")

_ICONS = Path(__file__).parent / "icons"

#: Where the programs of the server's own Python are.
_OWN = Path(sys.executable).parent


#: What an application of somebody else may raise, and nobody but it may suffer from. Also
#: ``sys.exit``: that is for a program of one's own, and must not end the server.
FAILURES = (Exception, SystemExit)


class NotExecutable(Exception):
    """A program is there and may not be executed; carries its path."""


class PartMissing(Exception):
    """Its program is there, and something else that it takes is not.

    Parameters
    ----------
    programs:
        Names of programs any of which would do.
    install:
        The command that installs one.
    """

    def __init__(self, programs: tuple[str, ...], install: str) -> None:
        super().__init__(programs, install)
        self.programs = programs
        self.install = install


class NotUsable(Exception):
    """A program is there and cannot be used, which is no fault in our description of it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.message)
        self.reason = reason


class StopStep(NamedTuple):
    """One way to end a program, and how long it may take."""

    signal: int
    seconds: float
    whom: Literal["main", "group", "all", "named"] = "main"
    """The program itself, its process group, everything below it, or what is `named`."""
    named: str = ""
    """Name of programs below it, as of ``ps -o comm``. Such a step ends when they have."""


class Remark(NamedTuple):
    """What ``jupyter einfra check`` says of an application that is installed."""

    status: Literal["ok", "note", "warning", "error"]
    found: str
    advice: str | None = None


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What an application's methods know of the start that they prepare."""

    program: str
    """Absolute path of the program that was found."""
    socket: str
    """Where it has to listen, if it ``listens`` on a socket; its folder is private."""
    port: int
    """A free port of 127.0.0.1, if it ``listens`` on a port; else 0."""
    directory: Path
    """Private to this start, on a local disk, and removed after it."""
    base_url: str
    """Of the server, ``/user/alice/``."""
    url: str
    """Of this instance, ``/user/alice/tensorboard/runs-1a2b3c/``."""
    folder: str
    """The one that it was opened on, or the one that the server shows."""
    opened: str = ""
    """The folder or file that it is to show, if it ``opens_at_start`` and one was named."""
    environ: Mapping[str, str] = field(repr=False)
    """Of the server."""
    kept: dict[str, Any] = field(default_factory=dict, repr=False)
    """What one method of the application leaves for the next; in memory only."""


class Application:
    """Base of all applications. A subclass sets the names and overrides what differs."""

    name: str
    """Its one name: in addresses, settings and commands."""
    title: str
    """Its name for people."""
    icon: str = ""
    """A drawing (SVG, 16 by 16, of class ``jp-icon3``), or the name of one of ours."""
    programs: tuple[str, ...]
    """Names of its program; the first one on the PATH is it."""
    install: str
    """The command that installs it."""
    oldest_version: str = "0"
    """Earlier ones do not know what we ask of them."""
    vendor_names: tuple[str, ...] = ()
    """Names under which other packages offer it through jupyter-server-proxy."""

    listens: Literal["socket", "port"] = "socket"
    """On a unix socket, which nobody else on the machine can reach, or on a port."""
    absolute_url: bool = False
    """Whether it is asked for its whole address, as of ``Launch.url``, or what follows it."""
    raw_socket: bool = False
    """Whether its WebSockets carry a plain byte stream to its socket, as VNC's do."""
    page: str | None = None
    """Name of a page of ours that shows it, as a program without HTTP needs; see `own_page`."""
    ready_path: str | None = "/"
    """What answers over HTTP once it is ready; None: it is when it accepts connections."""
    start_seconds: float | None = None
    """How long a start may take; None: as long as the operator allows."""
    stop_steps: tuple[StopStep, ...] = (StopStep(signal.SIGTERM, 10.0),)
    saves_when_stopped: bool = False
    """Whether its stop saves something: then the server's own end waits for all its steps."""
    ends_with: str = ""
    """Name of a program below it, as of ``ps -o comm``, without which it is of no use."""
    leave_paths: tuple[str, ...] = ()
    """Where it signs people out, such as ``/sign-out``: a page of ours shows the way back."""
    kept_in: str = ""
    """Where the state is that `reset` sets aside, for people; empty if it keeps none."""

    opens_folders: bool = False
    opens_files: bool = False
    file_suffixes: tuple[str, ...] = ()
    """Of the files that it opens, in lower case with the dot; none: whatever the file."""
    opens_at_start: bool = False
    """Whether a folder or file is named when it starts; else by `query`, at any time."""
    per_folder: bool = False
    """Whether each folder has an instance of its own."""

    def find(self, environ: Mapping[str, str]) -> str | None:
        """Return the program's absolute path; None if it is not installed.

        Raises
        ------
        NotExecutable
            It is there and may not be executed.
        PartMissing
            It is there and not all that it takes; only subclasses know of that.
        """
        # A server that was started by its path has its own programs beside it.
        folders = [*environ.get("PATH", os.defpath).split(os.pathsep), str(_OWN)]
        for name in self.programs:
            if found := shutil.which(name, path=os.pathsep.join(folders)):
                return os.path.abspath(found)  # noqa: PTH100 - a link is meant as it is
        for folder in filter(None, folders):
            for name in self.programs:
                if (there := Path(folder, name)).is_file():
                    raise NotExecutable(str(there))
        return None

    def command(self, launch: Launch) -> Sequence[str]:
        """Return the command line, its program's path first."""
        raise NotImplementedError

    def environment(self, launch: Launch) -> Mapping[str, str | None]:
        """Return what differs from the server's environment; None takes a variable away."""
        return {}

    def prepare(self, launch: Launch) -> None:
        """Do what is to be done before a start; in a thread, so it may take its time."""

    def request_headers(self, launch: Launch) -> Mapping[str, str]:
        """Return what every request to it carries; browsers and logs never see it."""
        return {}

    def reset(self, environ: Mapping[str, str]) -> None:
        """Set aside, not delete, what a start would restore; in a thread, while it is stopped."""
        raise NotImplementedError

    def query(self, path: str, *, is_folder: bool) -> str:
        """Return the query that shows a path in an instance that runs; may be empty."""
        return ""

    def opens(self, path: str, *, is_folder: bool) -> bool:
        """Tell whether it opens a folder, or a file of that name."""
        if is_folder:
            return self.opens_folders
        return self.opens_files and (
            not self.file_suffixes or path.lower().endswith(self.file_suffixes)
        )

    def version_command(self, program: str) -> Sequence[str]:
        """Return the command that prints the version."""
        return [program, "--version"]

    def remarks(self, environ: Mapping[str, str]) -> Iterable[Remark]:
        """Return what else an image builder or operator has to know of it."""
        return ()

    def icon_svg(self) -> str:
        """Return the drawing itself.

        Raises
        ------
        ValueError, OSError
            It has something in it that a drawing does not need, or it is not there.
        """
        icon = self.icon or "application"
        return checked(
            icon if icon.lstrip().startswith("<") else (_ICONS / f"{icon}.svg").read_text()
        )
