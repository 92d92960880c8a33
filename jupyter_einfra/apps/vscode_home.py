"""What VS Code finds in a home when it starts: our settings, the image's extensions.

An image brings them in ``<prefix>/share/jupyter/einfra/vscode/``, or below any other of
Jupyter's data folders: ``extensions/``, filled by ``code-server --extensions-dir=...
--install-extension ...``, and ``settings.json``. They are not in the home, because a home
outlives the image. What a user changed or removed stays so.
"""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_path

#: What a first user finds. The panel for chats would take a third of the window.
SETTINGS = {
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "telemetry.telemetryLevel": "off",
}

#: VS Code starts without its home, and may be what its user clears the disk with.
_BEARABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

#: Beside the extensions: which of the image's have been offered before.
_OFFERED = ".jupyter-einfra.json"

Entry = dict[str, Any]

_log = logging.getLogger(__name__)


def seed(environ: Mapping[str, str], data_folders: list[str] | None = None) -> None:
    """Bring a home up to date with the image, if it has room and may be written.

    Parameters
    ----------
    environ:
        Tells where the home is.
    data_folders:
        Where an image may bring something; those of Jupyter if left out.

    Raises
    ------
    OSError
        The home is not its user's to write.
    """
    home = Path(environ.get("HOME") or Path.home())
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local/share") / "code-server"
    found = jupyter_path("einfra", "vscode") if data_folders is None else data_folders
    folders = [folder for folder in map(Path, found) if folder.is_dir()]
    try:
        _seed_settings(data / "User" / "settings.json", folders)
        _seed_extensions(data / "extensions", [folder / "extensions" for folder in folders])
    except OSError as error:
        if error.errno not in _BEARABLE:
            raise


def _seed_settings(path: Path, folders: list[Path]) -> None:
    if path.exists():
        return
    settings: Entry = dict(SETTINGS)
    for folder in reversed(folders):  # the first one wins
        brought = _read(folder / "settings.json", {})
        if isinstance(brought, dict):
            settings.update(brought)
        else:
            _log.warning("%s is left out: it is no JSON object", folder / "settings.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, settings)


def _seed_extensions(mine: Path, folders: list[Path]) -> None:
    brought: dict[str, tuple[Path, Entry]] = {}
    for folder in folders:
        for name, entry in _entries(_read(folder / "extensions.json", [])):
            if (at := folder / entry["relativeLocation"]).is_dir():
                brought.setdefault(name, (at, entry))
    index = _read(mine / "extensions.json", [])
    offered = _read(mine / _OFFERED, [])
    if not isinstance(index, list) or not isinstance(offered, list):
        return  # not as code-server writes it, so not ours to change
    if not brought and not offered:
        return
    mine.mkdir(parents=True, exist_ok=True)
    had = dict(_entries(index))
    kept = [
        entry for entry in index if not _is_ours(mine, entry) or _is_current(mine, entry, brought)
    ]
    names = {name for name, _ in _entries(kept)}
    for name, (at, entry) in brought.items():
        if name in names or (name in offered and name not in had):
            continue  # the user's own, or removed by the user
        link = mine / at.name
        with suppress(FileNotFoundError):
            if link.is_symlink():
                link.unlink()
        if not link.exists():
            link.symlink_to(at)
        location = {"$mid": 1, "path": str(link), "scheme": "file"}
        kept.append({**entry, "location": location, "relativeLocation": link.name})
    if kept != index:
        _replace(mine / "extensions.json", kept)
    known = sorted(set(offered) | brought.keys())
    if known != offered:
        _replace(mine / _OFFERED, known)


def _entries(index: Any) -> Iterator[tuple[str, Entry]]:
    """Yield the entries of an index that can be understood, by the extension's name."""
    for entry in index if isinstance(index, list) else ():
        with suppress(KeyError, TypeError, AttributeError):
            relative = entry["relativeLocation"]
            if isinstance(relative, str) and relative and "/" not in relative:
                yield str(entry["identifier"]["id"]).lower(), entry


def _is_ours(mine: Path, entry: Entry) -> bool:
    """Whether it leads to the image: what a user installs is a folder."""
    return any((mine / known["relativeLocation"]).is_symlink() for _, known in _entries([entry]))


def _is_current(mine: Path, entry: Entry, brought: Mapping[str, tuple[Path, Entry]]) -> bool:
    """Whether it leads to what this image brings."""
    for name, known in _entries([entry]):
        at, _ = brought.get(name, (None, None))
        link = mine / known["relativeLocation"]
        return at is not None and os.readlink(link) == str(at)  # noqa: PTH115 - as written
    return False


def _read(path: Path, default: Any) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return default
    except ValueError:
        return None


def _replace(path: Path, value: Any) -> None:
    """Write a file so that it is there as a whole or as before."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(json.dumps(value, indent=2) + "\n", "utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
