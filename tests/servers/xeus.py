"""A kernel that has nothing of ipykernel: xeus-python, from its wheel, in a folder of its own.

Installed among the other packages it would show in the launcher of every test.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

_VERSION = "0.19.0"


def install_xeus() -> Path:
    """Install it, once for all runs on this machine; return the folder."""
    folder = Path.home() / ".cache/jupyter-einfra" / f"xeus-python-{_VERSION}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            wanted = [f"xeus-python=={_VERSION}", "xeus-python-shell>=0.8,<0.9"]
            options = ["--no-deps", "--upgrade", "--target", str(folder)]
            pip = [sys.executable, "-m", "pip", "install", "-q", *options, *wanted]
            subprocess.run(pip, check=True)
            (folder / "done").touch()
    return folder
