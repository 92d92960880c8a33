"""RStudio Server, https://posit.co/products/open-source/rstudio-server, on a socket.

Two programs: ``rserver`` answers browsers and starts one ``rsession`` for each session, in
which R runs. Sources of what is said of them here: their ``--help``, ``ServerOptions`` and
``SessionSuspend`` in https://github.com/rstudio/rstudio, and what
https://github.com/jupyterhub/jupyter-rsession-proxy has found out.
"""

from __future__ import annotations

import os
import pwd
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from . import reasons, vendor_setup
from .application import Application, Launch, NotExecutable, NotUsable, Remark, StopStep
from .rstudio_home import set_aside
from .rstudio_session import carrying, write_script

#: Knows its flags; installed or not.
_VENDOR = "jupyter_rsession_proxy"

#: Where Debian's packages put it, beside the PATH.
_FOLDERS = ("/usr/lib/rstudio-server/bin", "/usr/lib/rstudio/bin")

#: Without these it would listen on a port, without a password; or write where it may not.
_NEEDED = ("www-socket", "www-root-path", "server-data-dir", "database-config-file")

_HELP_SECONDS = 20.0

#: To restore a large session takes longer than the 30 seconds that it allows by itself.
_RESTORE_SECONDS = 600

#: A session that is busy does not heed the first signal; then it is interrupted.
_SUSPEND = StopStep(signal.SIGUSR1, 10.0, "named", "rsession")
_FORCE = StopStep(signal.SIGUSR2, 45.0, "named", "rsession")
_END = StopStep(signal.SIGTERM, 5.0, "all")


class RStudio(Application):
    """One server with the session that was last open in it."""

    name = "rstudio"
    title = "RStudio"
    icon = "rstudio"
    programs = ("rserver",)
    install = "apt-get install ./rstudio-server-*.deb (from https://posit.co/download)"
    oldest_version = "1.4"
    start_seconds = 180.0
    stop_steps = (_SUSPEND, _FORCE, _END)
    saves_when_stopped = True
    leave_paths = ("/auth-sign-out",)
    kept_in = "~/.local/share/rstudio/sessions"
    opens_folders = True
    opens_files = True
    file_suffixes = (".rproj", ".r", ".rmd", ".qmd")
    opens_at_start = True

    def find(self, environ: Mapping[str, str]) -> str | None:
        """Return the path of ``rserver``, on the PATH or where its packages put it."""
        if found := super().find(environ):
            return found
        for folder in _FOLDERS:
            program = Path(folder, "rserver")
            if os.access(program, os.X_OK):
                return str(program)
            if program.is_file():
                raise NotExecutable(str(program))
        return None

    def prepare(self, launch: Launch) -> None:
        """See that it knows what we need, and make what it is told to use."""
        known = _known_flags(launch)
        if missing := [f"--{name}" for name in _NEEDED if name not in known]:
            raise NotUsable(reasons.too_old(self.title, missing, self.install))
        launch.kept["known"] = known
        # It opens this folder to everybody, which the private one around it does not.
        (launch.directory / "data").mkdir()
        database = f"provider=sqlite\ndirectory={launch.directory}/data\n"
        (launch.directory / "database.conf").write_text(database)
        script = write_script(launch)
        if os.statvfs(script).f_flag & os.ST_NOEXEC:
            raise NotUsable(reasons.not_executable(self.title, str(script)))
        launch.kept["vendor"] = self._vendor(launch)

    def command(self, launch: Launch) -> Sequence[str]:
        """Return the command; its flags: ``rserver --help``."""
        vendor: vendor_setup.VendorSetup | None = launch.kept["vendor"]
        given = _own_flags(launch) if vendor is None else _flags(vendor.command[1:])
        ours = {
            "www-socket": launch.socket,
            "www-root-path": launch.url,
            "server-data-dir": f"{launch.directory}/data",
            "database-config-file": f"{launch.directory}/database.conf",
            "secure-cookie-key-file": f"{launch.directory}/cookie-key",
            "rsession-path": f"{launch.directory}/rsession",
            # Only of root does it become a daemon by itself, of which nobody knows the end.
            "server-daemonize": "0",
            "server-pid-file": f"{launch.directory}/pid",
            "rsession-proxy-max-wait-secs": str(_RESTORE_SECONDS),
        }
        given.pop("www-port", None)
        given.pop("www-address", None)
        known: frozenset[str] = launch.kept["known"]
        flags = {**given, **{name: value for name, value in ours.items() if name in known}}
        return [
            *carrying("save", launch),
            launch.program,
            *(f"--{name}={value}" for name, value in flags.items()),
        ]

    def environment(self, launch: Launch) -> Mapping[str, str | None]:
        """Have it know its user, and no RStudio around us."""
        vendor: vendor_setup.VendorSetup | None = launch.kept["vendor"]
        around = {n: None for n in launch.environ if n.startswith(("RSTUDIO_SESSION_", "RS_"))}
        return {**around, "USER": _user(), **({} if vendor is None else vendor.environment)}

    def reset(self, environ: Mapping[str, str]) -> None:
        """Set the sessions aside that it would restore."""
        set_aside(environ)

    def remarks(self, environ: Mapping[str, str]) -> Iterator[Remark]:
        """Say what an operator has to allow, which cannot be seen from in here."""
        seconds = sum(step.seconds for step in self.stop_steps)
        yield Remark(
            "note",
            f"it suspends its session when the server stops, which takes up to {seconds:g} s; "
            "KubeSpawner gives 1 s if it is not told otherwise",
            "the operator sets KubeSpawner.delete_grace_period, and the pod's "
            "terminationGracePeriodSeconds, to 75",
        )

    def _vendor(self, launch: Launch) -> vendor_setup.VendorSetup | None:
        """Ask jupyter-rsession-proxy for the flags, if it is installed."""
        if not vendor_setup.is_there(_VENDOR):
            return None
        path = f"{Path(launch.program).parent}{os.pathsep}{launch.environ.get('PATH', os.defpath)}"
        environ = {**launch.environ, "PATH": path}
        return vendor_setup.ask(self.title, _VENDOR, "setup_rserver", launch, environ)


def _known_flags(launch: Launch) -> frozenset[str]:
    """Ask the program for the flags that it knows.

    Raises
    ------
    NotUsable
        It does not tell.
    """
    try:
        done = subprocess.run(  # noqa: S603 - a program that the user has
            [launch.program, "--help"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(launch.environ),
            cwd=launch.directory,
            timeout=_HELP_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotUsable(reasons.broken("RStudio", "rserver --help", str(error))) from error
    said = done.stdout.decode("utf-8", "replace")
    known = frozenset(re.findall(r"--([a-z][a-z0-9-]+)", said))
    if not known:
        last = (said.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise NotUsable(reasons.broken("RStudio", "rserver --help", last))
    return known


def _own_flags(launch: Launch) -> dict[str, str]:
    """Return what it has to be told where nobody else knows; of those that it knows."""
    known: frozenset[str] = launch.kept["known"]
    flags = {
        "auth-none": "1",  # Jupyter asks who it is, before anything reaches the socket
        "server-user": _user(),
        "www-frame-origin": "same",
        "www-verify-user-agent": "0",
    }
    return {name: value for name, value in flags.items() if name in known}


def _flags(words: Sequence[str]) -> dict[str, str]:
    parts = (word.removeprefix("--").partition("=") for word in words)
    return {name: value for name, _, value in parts}


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a user that it does not name
        return os.environ.get("NB_USER") or os.environ.get("USER") or str(os.getuid())
