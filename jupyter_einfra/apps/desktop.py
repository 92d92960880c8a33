"""A desktop in the browser: TigerVNC's X server, https://tigervnc.org, and noVNC's client."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from .application import Application, Launch, PartMissing, StopStep

#: Runs the X server and the session.
_LAUNCHER = Path(__file__).parent / "launchers" / "desktop_session.py"

#: The command of the session, for who builds an image.
SESSION = "JUPYTER_EINFRA_DESKTOP_SESSION"

#: Sessions that need neither systemd nor a graphics card, the most complete first.
_SESSIONS = (
    *("xfce4-session", "mate-session", "startlxqt", "startlxde"),
    *("openbox-session", "openbox", "icewm-session", "fluxbox", "icewm", "twm"),
)

_INSTALL_SESSION = "apt-get install --no-install-recommends xfce4 xfce4-terminal dbus-x11"

_VERSION = """
import re, subprocess, sys
done = subprocess.run([sys.argv[1], "-version"], stdout=-1, stderr=-2, timeout=10, check=False)
found = re.search(rb"TigerVNC ([\\d.]+)", done.stdout)
sys.exit(print(found[1].decode()) if found else done.stdout.decode("utf-8", "replace"))
"""


class Desktop(Application):
    """One desktop for each server; every tab shows the same one."""

    name = "desktop"
    title = "Desktop"
    icon = "desktop"
    programs = ("Xtigervnc", "Xvnc")
    install = (
        "apt-get install --no-install-recommends tigervnc-standalone-server xfce4 "
        "xfce4-terminal dbus-x11"
    )
    oldest_version = "1.8"  # knows -rfbunixpath
    raw_socket = True
    page = "desktop"
    ready_path = None
    stop_steps = (StopStep(signal.SIGTERM, 5.0),)

    def find(self, environ: Mapping[str, str]) -> str | None:
        """Return the X server's path if there is a session for it, too."""
        found = super().find(environ)
        if found is None or not _is_tigervnc(found):
            return None
        session(environ)
        return found

    def command(self, launch: Launch) -> Sequence[str]:
        """Return our own program's command, which starts both."""
        return [
            sys.executable,
            "-I",
            "-S",
            str(_LAUNCHER),
            launch.program,
            launch.socket,
            str(launch.directory),
            *session(launch.environ),
        ]

    def version_command(self, program: str) -> Sequence[str]:
        """Return the command that prints TigerVNC's version; it says more than that itself."""
        return [sys.executable, "-I", "-S", "-c", _VERSION, program]


def session(environ: Mapping[str, str]) -> list[str]:
    """Return the command of a session.

    Raises
    ------
    PartMissing
        There is none.
    ValueError
        What the image's builder said is no command.
    """
    path = environ.get("PATH", os.defpath)
    said = environ.get(SESSION, "")
    try:
        words = shlex.split(said)
    except ValueError as error:
        raise ValueError(f"{SESSION}: {error}") from error
    if words:
        if shutil.which(words[0], path=path) is None:
            raise PartMissing((words[0],), f"{_INSTALL_SESSION}; or set {SESSION}")
        return words
    for name in _SESSIONS:
        if found := shutil.which(name, path=path):
            return [found]
    raise PartMissing(_SESSIONS, _INSTALL_SESSION)


def _is_tigervnc(program: str) -> bool:
    """Whether a program is it; others have the same name, and other flags."""
    path = Path(program)
    if "Xtigervnc" in (path.name, path.resolve().name):
        return True
    status = path.stat()
    return _says_tigervnc(program, status.st_mtime_ns, status.st_size)


@cache
def _says_tigervnc(program: str, _changed: int, _size: int) -> bool:
    """Ask a program what it is; once, until it is another one."""
    try:
        done = subprocess.run(  # noqa: S603 - a program that the user has on the PATH
            [program, "-version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=5.0,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return b"TigerVNC" in done.stdout
