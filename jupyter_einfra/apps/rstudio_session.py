"""What is started in place of RStudio's ``rsession``, and becomes it.

It has the environment of the container, of which ``rserver`` gives little to R, and the first
one is told what to open. Source of the variables for that: ``SessionOptions`` in
https://github.com/rstudio/rstudio.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from .application import Launch

#: Carries the environment past ``rserver``.
_CARRIER = Path(__file__).parent / "launchers" / "in_saved_environment.py"

_CONFIGURATION = Path("/etc/rstudio/rserver.conf")


def carrying(act: str, launch: Launch) -> list[str]:
    """Return the command to which a program is added that is to ``save`` or ``restore``."""
    return [sys.executable, "-I", "-S", str(_CARRIER), act, f"{launch.directory}/environment"]


def write_script(launch: Launch) -> Path:
    """Write it into the private folder of a start; return its path."""
    script = launch.directory / "rsession"
    words = [*carrying("restore", launch), _program(launch.program)]
    lines = ["#!/bin/sh"]
    if opened := _opened(launch.opened):
        # Later sessions of the same start are begun by the user, in RStudio itself.
        first = launch.directory / "first"
        first.touch()
        lines.append(f"if rm {shlex.quote(str(first))} 2>/dev/null; then export {opened}; fi")
    lines.append(f'exec {shlex.join(words)} "$@"')
    script.write_text("\n".join([*lines, ""]), errors="surrogateescape")
    script.chmod(0o700)
    return script


def _opened(path: str) -> str:
    """Return the variable that has a session open a project, or begin in a folder."""
    if not path:
        return ""
    there = Path(path)
    if there.is_dir():
        projects = sorted(p for p in there.iterdir() if p.suffix.lower() == ".rproj")
        if len(projects) != 1:
            return f"RS_INITIAL_WD={shlex.quote(path)}"
        there = projects[0]
    if there.suffix.lower() == ".rproj":
        return f"RS_INITIAL_PROJECT={shlex.quote(str(there))}"
    return f"RS_INITIAL_WD={shlex.quote(str(there.parent))}"


def _program(server: str) -> str:
    """Return the ``rsession`` that an ``rserver`` would start by itself."""
    beside = Path(server).resolve().parent
    try:
        lines = _CONFIGURATION.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, equals, value = line.partition("=")
        if equals and name.strip() == "rsession-path" and value.strip():
            return str(beside / value.strip())  # an absolute one stays as it is
    return str(beside / "rsession")
