"""Where the tests' code-server is, if it was built."""

from __future__ import annotations

import os
from pathlib import Path


class NoCodeServerError(Exception):
    """It was not built; says how it is."""


def code_server_folder() -> Path:
    """Return the folder that goes into the PATH.

    Raises
    ------
    NoCodeServerError
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    built = sorted((cache / "jupyter-einfra").glob("code-server-*/complete"))
    if not built:
        raise NoCodeServerError("there is no code-server; `bash scripts/code-server.sh` builds it")
    return built[-1].parent / "bin"


def with_code_server() -> dict[str, str]:
    """Return the environment of a server that finds it."""
    return {"PATH": os.pathsep.join((str(code_server_folder()), os.environ["PATH"]))}
