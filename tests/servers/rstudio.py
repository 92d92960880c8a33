"""Puts the stand-ins for RStudio Server's programs where it would put its own."""

from __future__ import annotations

import sys
from pathlib import Path


def install(folder: Path) -> Path:
    """Install ``rserver`` and ``rsession``; return the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("rserver", "rsession"):
        script = (Path(__file__).parent / f"{name}.py").read_text()
        program = folder / name
        # Its own name in the list of processes, as `ps -o comm` shows it.
        program.write_text(f"#!{sys.executable} -S\n{script}")
        program.chmod(0o755)
    return folder / "rserver"
