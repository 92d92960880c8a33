"""What JupyterLab loads from us before the user does anything."""

from __future__ import annotations

import gzip
from pathlib import Path

from .figures import Figure
from .surroundings import ROOT

_STATIC = ROOT / "jupyter_einfra" / "labextension" / "static"


def measure() -> list[Figure]:
    """Add up every script: an upper bound, for some may load only when they are needed."""
    sizes = {path: _gzip_kb(path) for path in sorted(_STATIC.glob("**/*.js"))}
    if not sizes:
        raise FileNotFoundError("The JupyterLab extension is not built; `make setup` does it.")
    note = ", ".join(f"{_role(path)} {kb:.1f}" for path, kb in sizes.items())
    what = "page: all our scripts and styles, gzip"
    return [Figure(what, sum(sizes.values()), "kB", 60, note=note)]


def _gzip_kb(path: Path) -> float:
    return len(gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)) / 1e3


def _role(path: Path) -> str:
    return path.name.split(".")[0]
