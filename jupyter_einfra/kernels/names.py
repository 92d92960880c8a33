"""What people call a kernel: its notebook, its file, its console.

Pure: standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: Longer names and paths are not what people gave their files.
MOST_NAME = 200
MOST_PATH = 4096

#: Of several sessions of one kernel, the one that people know best.
_ORDER = ("notebook", "file")

#: What JupyterLab's real-time collaboration puts before a path.
_DRIVE = "RTC:"


@dataclass(frozen=True)
class Named:
    """A kernel's name and, where it has one, its notebook or file."""

    name: str
    path: str | None


def tidy(text: object, most: int = MOST_NAME) -> str:
    """Return a text as one line of bounded length; one that is cut ends with an ellipsis."""
    whole = str(text)
    line = " ".join("".join(c if c.isprintable() else " " for c in whole[: most + 1]).split())
    # Spaces that became fewer may have made room for what was never looked at.
    is_whole = len(line) <= most and (len(whole) <= most + 1 or whole[most + 1 :].isspace())
    return line if is_whole else line[: most - 1] + "…"


def names_of_kernels(sessions: Iterable[object]) -> dict[str, Named]:
    """Return the name of each kernel that has a session, by the kernel's id.

    Parameters
    ----------
    sessions:
        As the session manager lists them; what is malformed is left out.
    """
    return {kernel_id: names[0] for kernel_id, names in all_names_of_kernels(sessions).items()}


def all_names_of_kernels(sessions: Iterable[object]) -> dict[str, list[Named]]:
    """Return all names of each kernel, which several notebooks may share.

    The first is the one that people know best; parameters as of `names_of_kernels`.
    """
    found: dict[str, list[tuple[int, Named]]] = {}
    for session in sessions:
        if not isinstance(session, Mapping) or not isinstance(session.get("kernel"), Mapping):
            continue
        kernel_id = session["kernel"].get("id")
        kind, path = session.get("type"), session.get("path")
        rank = _ORDER.index(kind) if kind in _ORDER else len(_ORDER)
        named = _named(kind in _ORDER, path, session.get("name"))
        if isinstance(kernel_id, str) and named is not None:
            found.setdefault(kernel_id, []).append((rank, named))
    return {
        kernel_id: [named for _, named in sorted(names, key=lambda name: name[0])]
        for kernel_id, names in found.items()
    }


def _named(is_file: bool, path: object, name: object) -> Named | None:
    if is_file and isinstance(path, str) and 0 < len(path) <= MOST_PATH:
        path = path.encode("utf-8", "replace").decode()  # a gateway's may be no text at all
        last = tidy(path.removeprefix(_DRIVE).rpartition("/")[2])
        return Named(last or tidy(path), path)
    # The path of a console is no file; the name is what its tab shows.
    text = tidy(name) if isinstance(name, str) else ""
    return Named(text, None) if text else None
