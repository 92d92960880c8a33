"""Where RStudio keeps sessions, and how a stuck one is taken out of its way.

Source: ``core/system/Xdg.cpp`` and ``SessionActiveSessions`` in
https://github.com/rstudio/rstudio.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def data_folder(environ: Mapping[str, str]) -> Path:
    """Return where RStudio keeps what belongs to its user."""
    if own := environ.get("RSTUDIO_DATA_HOME"):
        return Path(own)
    home = environ.get("HOME") or str(Path.home())
    return Path(environ.get("XDG_DATA_HOME") or Path(home, ".local", "share"), "rstudio")


def set_aside(environ: Mapping[str, str]) -> Path | None:
    """Move the sessions that a start would restore into a folder beside them.

    Returns
    -------
    The folder; None if there was nothing.

    Raises
    ------
    OSError
        They cannot be moved.
    """
    sessions = data_folder(environ) / "sessions"
    active = sessions / "active"
    if not os.path.lexists(active):
        return None
    day = time.strftime("%Y-%m-%d-%H%M%S")
    for number in itertools.count():
        aside = sessions / (f"aside-{day}" + (f"-{number}" if number else ""))
        with suppress(FileExistsError):
            aside.mkdir(mode=0o700)
            break
    active.rename(aside / "active")  # at once, however large they are
    return aside
