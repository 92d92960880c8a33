"""Every application that comes with the package, where a test can have it."""

from __future__ import annotations

import os
from pathlib import Path

from jupyter_einfra.apps.desktop import SESSION

from . import rstudio
from .code_server import with_code_server

#: What is on the page of each once it can be used; RStudio's is a stand-in's, and MATLAB's
#: own without MATLAB.
SHOWN = {
    "vscode": ".monaco-workbench",
    "rstudio": "h1",
    "matlab": "text=Unable to find MATLAB on the system PATH",
    "desktop": "body[data-state=connected] canvas",
    "tensorboard": "text=loss",
}


def with_all_apps(directory: Path) -> dict[str, str]:
    """Return the environment of a server that has them.

    Parameters
    ----------
    directory:
        Takes the programs that are stand-ins.
    """
    env = {**with_code_server(), SESSION: "xterm"}
    programs = rstudio.install(directory / "bin").parent
    env["PATH"] = os.pathsep.join((str(programs), env["PATH"]))
    return env
