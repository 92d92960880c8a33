"""Runs an X server that speaks VNC on a unix socket, and a session of a desktop on it.

``python -I -S desktop_session.py XVNC SOCKET DIRECTORY COMMAND...``: the X server is
TigerVNC's, the directory is private, the command is the session's. Ends with status 0
when the session did, and otherwise when the session or the X server failed.

- The X server listens on no TCP port; who has not the cookie in the private directory
  gets neither in by X nor, for the socket's mode, by VNC. Of the displays it takes one
  that is free.
- The socket appears when there is something to see: not before the session has lasted
  for a moment.
- Nothing is written into the home. What locks or darkens screens is kept from starting:
  there is no password to unlock them with.
- Files can be shown in JupyterLab: its menu entry is that of notebooks, and one of the
  others for text.
"""

from __future__ import annotations

import os
import pwd
import secrets
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

#: A session that has lasted for so long is one that has found what it needs.
SETTLED_SECONDS = 0.3

#: Nobody logs out sooner than this.
BRIEF_SECONDS = 3.0

#: How long the X server may take until it has a display.
_DISPLAY_SECONDS = 30.0

#: How long a session may take to end, and then the X server.
_END_SECONDS = 2.0

#: How much later than its session the end of an X server may be seen that took it along.
_ALONG_SECONDS = 0.5

#: What desktops do unless the user has said otherwise: they lock and darken no screens.
_DEFAULTS = Path(__file__).parent / "desktop_defaults"

#: What is meant where nothing is said. Source: XDG Base Directory Specification 0.8.
_DATA_DIRS = "/usr/local/share:/usr/share"

#: Of a session around this one, which that one's programs would take for theirs.
_FOREIGN = (
    *("DBUS_SESSION_BUS_ADDRESS", "DESKTOP_SESSION", "SESSION_MANAGER", "WAYLAND_DISPLAY"),
    *("XDG_SEAT", "XDG_SESSION_ID", "XDG_VTNR"),
)

#: Names of desktops as their menus and files know them, by the beginning of the command.
_DESKTOPS = {
    "startlxde": "LXDE",
    "startxfce4": "XFCE",
    "lxqt-session": "LXQt",
    "mate-session": "MATE",
    "startlxqt": "LXQt",
    "xfce4-session": "XFCE",
}


#: Files that JupyterLab shows as more than text, and text.
_TYPES = (
    *("application/x-ipynb+json", "application/json", "application/geo+json"),
    *("text/csv", "text/markdown", "text/plain", "text/x-python", "text/tab-separated-values"),
)

#: Asks the server that this desktop belongs to, which it finds by the processes above it.
_OPENER = "import sys; from jupyter_einfra.cli import main; sys.exit(main(sys.argv[1:]))"


class Failure(Exception):
    """There is no desktop; says why."""


def write_cookie(path: Path) -> None:
    """Let in whoever can read this file, whatever the display's number.

    Source: Xau(3), struct ``Xauth``.
    """
    name, cookie = b"MIT-MAGIC-COOKIE-1", secrets.token_bytes(16)
    family_wild = 0xFFFF
    parts = b"".join(len(part).to_bytes(2, "big") + part for part in (b"", b"", name, cookie))
    path.touch(0o600)
    path.write_bytes(family_wild.to_bytes(2, "big") + parts)


def write_entry(directory: Path) -> Path:
    """Offer JupyterLab for files on this desktop; return the folder of its menu entry.

    Source: Desktop Entry Specification 1.5 and MIME Applications Specification 1.0,
    https://specifications.freedesktop.org.
    """
    opener = directory / "open-in-jupyterlab"
    words = shlex.join([sys.executable, "-c", _OPENER, "open"])
    opener.write_text(f'#!/bin/sh\nexec {words} "$1"\n')
    entries = directory / "share" / "applications"
    entries.mkdir(parents=True)
    (entries / "jupyterlab.desktop").write_text(
        "[Desktop Entry]\nType=Application\nName=JupyterLab\n"
        "Comment=Show in the page of JupyterLab that is open\n"
        "Comment[cs]=Ukázat na otevřené stránce JupyterLabu\n"
        f'Exec=sh "{opener}" %f\nNoDisplay=true\nMimeType={";".join(_TYPES)};\n',
        "utf-8",
    )
    # Without a cache, which is not made here, what an entry says of kinds is not read.
    added = "".join(f"{kind}=jupyterlab.desktop;\n" for kind in _TYPES)
    (entries / "mimeapps.list").write_text(
        f"[Added Associations]\n{added}\n[Default Applications]\n{_TYPES[0]}=jupyterlab.desktop\n"
    )
    return entries.parent


def environment(
    around: Mapping[str, str], directory: Path, display: str, command: Sequence[str]
) -> dict[str, str]:
    """Return the session's environment."""
    env = {name: value for name, value in around.items() if name not in _FOREIGN}
    env.update(
        DISPLAY=display,
        XAUTHORITY=str(directory / "xauthority"),
        XDG_RUNTIME_DIR=str(directory / "runtime"),
        XDG_CONFIG_DIRS=f"{_DEFAULTS}:{around.get('XDG_CONFIG_DIRS') or '/etc/xdg'}",
        XDG_DATA_DIRS=f"{directory / 'share'}:{around.get('XDG_DATA_DIRS') or _DATA_DIRS}",
        XDG_SESSION_TYPE="x11",
    )
    if desktop := _DESKTOPS.get(Path(command[0]).name):
        env["XDG_CURRENT_DESKTOP"] = desktop
        if desktop in ("XFCE", "LXDE", "MATE"):
            env.setdefault("XDG_MENU_PREFIX", f"{desktop.lower()}-")
    if not any(around.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")):
        env["LC_CTYPE"] = "C.UTF-8"  # or letters beyond ASCII could not be typed
    return env


class Desktop:
    """One X server with one session."""

    def __init__(self, xvnc: str, socket: Path, directory: Path, command: Sequence[str]) -> None:
        self._xvnc = xvnc
        self._socket = socket
        self._directory = directory
        self._command = command
        self._server: subprocess.Popen[bytes] | None = None
        self._session: subprocess.Popen[bytes] | None = None
        # The end of either wakes `_wait` through this pipe.
        self._wakeup, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> int:
        """Stay until the session ends; return the status to end with.

        Raises
        ------
        Failure
        """
        (self._directory / "runtime").mkdir(0o700)
        write_cookie(self._directory / "xauthority")
        write_entry(self._directory)
        display = self._start_server()
        env = environment(os.environ, self._directory, display, self._command)
        begun = time.monotonic()
        self._session = self._start_session(env)
        self._wait(SETTLED_SECONDS)
        if self._session.poll() is None and self._server_status() is None:
            # Only now can anybody connect.
            (self._directory / "rfb").rename(self._socket)
            self._wait(None)
        return self._judge(time.monotonic() - begun)

    def end(self) -> None:
        """End what runs: first the session, whose programs may have something to save."""
        for process in (self._session, self._server):
            if process is None or process.poll() is not None:
                continue
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start_server(self) -> str:
        """Start the X server; return its display.

        Raises
        ------
        Failure
        """
        number, told = os.pipe()
        self._server = subprocess.Popen(  # noqa: S603 - the program that was found
            [
                self._xvnc,
                *("-displayfd", str(told)),
                *("-auth", str(self._directory / "xauthority")),
                *("-nolisten", "tcp"),
                *("-rfbunixpath", str(self._directory / "rfb")),
                *("-rfbunixmode", "0600"),
                *("-rfbport", "-1"),  # no TCP
                *("-SecurityTypes", "None"),  # Jupyter asks who it is, before the socket
                *("-desktop", "Desktop"),
                *("-geometry", "1280x800"),  # until the page tells its own
                *("-depth", "24"),
                *("-dpi", "96"),
                "-AlwaysShared",  # one desktop in several tabs
                *("-MaxCutText", "4194304"),
                *("-IdleTimeout", "0"),  # what is idle is decided elsewhere
                *("-s", "0"),  # no screen saver of its own, and no sleep
                "-dpms",
                "-noreset",
                *("-Log", "*:stderr:10"),  # what goes wrong; no statistics
            ],
            stdin=subprocess.DEVNULL,
            pass_fds=[told],
            start_new_session=True,
        )
        os.close(told)
        said = _read_line(number, _DISPLAY_SECONDS)
        os.close(number)
        if not said.isdigit():
            raise Failure("The X server did not start.")
        return f":{int(said)}"

    def _start_session(self, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start the session, with a message bus of its own where there is one.

        Raises
        ------
        Failure
        """
        path = env.get("PATH")
        bus: list[str] = []
        if not _has_name():
            sys.stderr.write("There is no message bus: this user is not in /etc/passwd.\n")
        elif runner := shutil.which("dbus-run-session", path=path):
            bus = [runner, "--"]
        elif launcher := shutil.which("dbus-launch", path=path):
            bus = [launcher, "--exit-with-session"]
        try:
            return subprocess.Popen(  # noqa: S603 - what the image has, or its builder says
                [*bus, *self._command],
                env=dict(env),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise Failure(f"{self._command[0]} cannot be run: {error.strerror}.") from error

    def _server_status(self) -> int | None:
        return None if self._server is None else self._server.poll()

    def _wait(self, seconds: float | None) -> None:
        """Wait until the session or the X server ends, but no longer than so many seconds."""
        until = None if seconds is None else time.monotonic() + seconds
        while self._session is not None and self._session.poll() is None:
            if self._server_status() is not None:
                return
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return
            if select.select([self._wakeup], [], [], left)[0]:
                os.read(self._wakeup, 512)

    def _judge(self, lasted: float) -> int:
        """Tell what it means that it ended.

        Raises
        ------
        Failure
        """
        session = None if self._session is None else self._session.poll()
        if session != 0:
            # One takes the other along; who was first is seen soon.
            self._wait_for_server(_ALONG_SECONDS)
        server = self._server_status()
        if server is not None:
            raise Failure(f"The X server ended, {_how(server)}.")
        if session is not None and (session != 0 or lasted < BRIEF_SECONDS):
            command = " ".join(self._command)
            raise Failure(f"The session ({command}) ended after {lasted:.1f} s, {_how(session)}.")
        return 0

    def _wait_for_server(self, seconds: float) -> None:
        if self._server is not None:
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(seconds)


def _has_name() -> bool:
    """Whether the system knows who this is; D-Bus gives up otherwise."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return True


def _read_line(descriptor: int, seconds: float) -> bytes:
    """Read a line from a pipe: to its end, which may come later and must find a reader."""
    said = b""
    until = time.monotonic() + seconds
    while not said.endswith(b"\n"):
        if not select.select([descriptor], [], [], max(0.0, until - time.monotonic()))[0]:
            return b""
        if not (more := os.read(descriptor, 32)):
            return b""
        said += more
    return said.strip()


def _how(status: int) -> str:
    return f"with status {status}" if status >= 0 else f"by signal {-status}"


def main() -> int:
    """Run what the command line says."""
    xvnc, socket, directory, *command = sys.argv[1:]
    desktop = Desktop(xvnc, Path(socket), Path(directory), command)
    signal.signal(signal.SIGTERM, _stop)
    try:
        return desktop.run()
    except Failure as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        desktop.end()


def _stop(*_: object) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
