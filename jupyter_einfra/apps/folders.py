"""Short names for folders that people can tell apart.

Pure: standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def short_names(folders: Iterable[str]) -> dict[str, str]:
    """Name each folder by its last part, and by as much above it as no other one has.

    Parameters
    ----------
    folders:
        Absolute paths.

    Returns
    -------
    Names by folder, ``a/runs`` and ``b/runs`` for instance; a folder that has no shorter
    one has its path.
    """
    parts = {folder: [part for part in folder.split("/") if part] for folder in folders}
    return {folder: _shortest(folder, parts) for folder in parts}


def _shortest(folder: str, parts: Mapping[str, Sequence[str]]) -> str:
    mine = parts[folder]
    others = [other for path, other in parts.items() if path != folder]
    for count in range(1, len(mine) + 1):
        if all(other[-count:] != mine[-count:] for other in others):
            return "/".join(mine[-count:])
    return folder
