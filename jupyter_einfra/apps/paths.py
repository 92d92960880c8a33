"""Folders and files as people and pages name them. All of it asks the disk, and so blocks."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import PurePath

from . import reasons
from .errors import NoSuchPath, NotShown


def resolve(root: str, path: str) -> tuple[str, bool]:
    """Return an absolute path and whether it is a folder.

    Parameters
    ----------
    root:
        The folder that the server shows, where relative paths begin.
    path:
        Absolute or not; a tilde is the home.

    Raises
    ------
    NoSuchPath
    """
    full = os.path.normpath(os.path.join(root, os.path.expanduser(path)))  # noqa: PTH111, PTH118
    try:
        is_folder = os.path.isdir(full)  # noqa: PTH112
        exists = is_folder or os.path.exists(full)  # noqa: PTH110
    except ValueError:  # a zero byte
        exists = is_folder = False
    if not exists:
        raise NoSuchPath(reasons.text(path))
    return full, is_folder


def shown(root: str, path: str) -> str:
    """Return the path of a folder or file from the folder that the server shows.

    Raises
    ------
    NoSuchPath, NotShown
    """
    full, _ = resolve(root, path)
    # A terminal knows the folder behind a link, the server maybe the link.
    for base, there in ((root, full), (os.path.realpath(root), os.path.realpath(full))):
        with suppress(ValueError):
            below = str(PurePath(there).relative_to(base))
            return "" if below == os.curdir else reasons.text(below)
    raise NotShown(reasons.text(full), reasons.text(root))
