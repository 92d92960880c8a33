"""MATLAB in the browser, by https://github.com/mathworks/jupyter-matlab-proxy.

Its manager starts ``matlab-proxy-app``, which licenses and starts MATLAB. Its command, its
tokens and its settings are its own; here it is only looked after.
"""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from . import vendor_setup
from .application import Application, Launch, Remark, StopStep

#: Code that MATLAB runs when it starts.
_STARTUP = "MWI_MATLAB_STARTUP_SCRIPT"

_ADVICE = "put `matlab` on the PATH, or set MWI_CUSTOM_MATLAB_ROOT to MATLAB's folder"


class MATLAB(Application):
    """One MATLAB, which is found and licensed as its own package does it."""

    name = "matlab"
    title = "MATLAB"
    icon = "matlab"
    programs = ("matlab-proxy-manager-app",)
    install = "pip install jupyter-matlab-proxy"
    listens = "port"
    absolute_url = True
    # It ends MATLAB, which takes its time.
    stop_steps = (StopStep(signal.SIGTERM, 20.0),)
    # After its own time without use this ends, and leaves a manager that answers errors.
    ends_with = "matlab-proxy-app"
    opens_folders = True
    opens_files = True
    file_suffixes = (".m", ".mlx")
    opens_at_start = True

    def prepare(self, launch: Launch) -> None:
        """Ask its package how it is started this time: with which tokens."""
        launch.kept["setup"] = vendor_setup.ask(
            self.title, "jupyter_matlab_proxy", "setup_matlab", launch, launch.environ
        )

    def command(self, launch: Launch) -> Sequence[str]:
        """Return the package's own command, with the path of its program."""
        setup: vendor_setup.VendorSetup = launch.kept["setup"]
        return [launch.program, *setup.command[1:]]

    def environment(self, launch: Launch) -> Mapping[str, str | None]:
        """Return the package's own variables."""
        setup: vendor_setup.VendorSetup = launch.kept["setup"]
        # It starts others of its programs by their names.
        folder = str(Path(launch.program).parent)
        path = launch.environ.get("PATH", "")
        return {
            **setup.environment,
            **_showing(launch.opened, launch.environ),
            "PATH": f"{path}:{folder}" if path else folder,
        }

    def request_headers(self, launch: Launch) -> Mapping[str, str]:
        """Return the token that it wants of whoever asks it for anything."""
        setup: vendor_setup.VendorSetup = launch.kept["setup"]
        return setup.headers

    def version_command(self, program: str) -> Sequence[str]:
        """Return the command that prints the version of its package."""
        script = "import importlib.metadata as m; print(m.version('jupyter-matlab-proxy'))"
        return [sys.executable, "-c", script]

    def remarks(self, environ: Mapping[str, str]) -> Iterator[Remark]:
        """Say whether MATLAB itself is missing, as its page would."""
        root = environ.get("MWI_CUSTOM_MATLAB_ROOT")
        if root and not Path(root, "bin", "matlab").exists():
            yield Remark("error", f"MWI_CUSTOM_MATLAB_ROOT is {root}, without bin/matlab", _ADVICE)
        elif not root and shutil.which("matlab", path=environ.get("PATH")) is None:
            yield Remark("warning", "MATLAB itself was not found", _ADVICE)


def _showing(path: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return what has MATLAB show a folder or file, after what the operator has it do."""
    if not path.isprintable() or not path:
        return {}  # there is no text for it in a program of MATLAB's
    is_folder = Path(path).is_dir()
    folder = path if is_folder else str(Path(path).parent)
    code = [environ.get(_STARTUP, ""), f"cd({_quoted(folder)});"]
    if not is_folder:
        code.append(f"edit({_quoted(path)});")
    return {_STARTUP: "\n".join(filter(None, code))}


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
