"""Visual Studio Code in the browser: code-server, https://github.com/coder/code-server."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping, Sequence

from tornado.escape import url_escape

from .application import Application, Launch, StopStep
from .vscode_home import seed


class VSCode(Application):
    """One window manager for all folders; each tab of the browser shows one of them."""

    name = "vscode"
    title = "VS Code"
    icon = "vscode"
    programs = ("code-server",)
    install = "npm install --global code-server"
    oldest_version = "4.18"  # knows --session-socket
    vendor_names = ("code-server", "codeserver", "code", "openvscode-server", "openvscode")
    ready_path = "/healthz"
    stop_steps = (StopStep(signal.SIGTERM, 5.0),)
    opens_folders = True
    opens_files = True

    def prepare(self, launch: Launch) -> None:
        """Give a first user our settings, and everybody what the image brings."""
        seed(launch.environ)
        # Otherwise the user's own is read, which may ask for a password or for TLS.
        (launch.directory / "config.yaml").write_text("auth: none\n")

    def command(self, launch: Launch) -> Sequence[str]:
        """Return code-server's command; its flags: ``code-server --help``."""
        return [
            launch.program,
            f"--config={launch.directory}/config.yaml",
            "--auth=none",  # Jupyter asks who it is, before anything reaches the socket
            f"--socket={launch.socket}",
            "--socket-mode=0600",
            # By default it is in the home, where that of another server may be.
            f"--session-socket={launch.directory}/session",
            "--disable-telemetry",
            "--disable-update-check",  # the image decides
            "--disable-workspace-trust",  # all that is here runs as the user anyway
            launch.folder,
        ]

    def environment(self, launch: Launch) -> Mapping[str, str | None]:
        """Have it show ports through this server, and forget any VS Code around us."""
        around = {name: None for name in launch.environ if name.startswith("VSCODE_")}
        return {
            **around,
            "PASSWORD": None,  # each of these would change what the flags say
            "HASHED_PASSWORD": None,
            "PORT": None,
            "VSCODE_PROXY_URI": f"{launch.base_url}proxy/{{{{port}}}}/",
        }

    def version_command(self, program: str) -> Sequence[str]:
        """Return the command that prints the version, and writes nothing into the home."""
        return [program, "--config=/dev/null", "--version"]

    def query(self, path: str, *, is_folder: bool) -> str:
        """Return what names a folder or file in its address."""
        folder = path if is_folder else path.rpartition("/")[0] or "/"
        query = f"folder={url_escape(folder, plus=False)}"
        if is_folder:
            return query
        file = f"vscode-remote://remote{url_escape(path, plus=False).replace('%2F', '/')}"
        return f"{query}&payload={url_escape(json.dumps([['openFile', file]]), plus=False)}"
