"""Policies: those that were published, by name, and those that an operator has in a file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ..files import read_start, told
from ..policy import Policy

_FOLDER = Path(__file__).parent

#: Longer files are not policies.
_MOST_BYTES = 65536


class NoPolicy(Exception):
    """There is no such policy, or it makes no sense; the message says why and what to do."""


def presets() -> dict[str, Policy]:
    """Return the published policies by their revisions."""
    found = [_decoded(path) for path in sorted(_FOLDER.glob("*.json"))]
    return {policy.revision: policy for policy in found}


def load(name: str) -> Policy:
    """Return a policy by the name of a preset, or from a file.

    Parameters
    ----------
    name:
        A preset's revision, or the absolute path of a JSON file.

    Raises
    ------
    NoPolicy
    """
    path = Path(name)
    if path.is_absolute():
        return _decoded(path)
    known = presets()
    if name not in known:
        names = ", ".join(known)
        raise NoPolicy(f"there is no policy {name!r}; give the path of a file, or one of: {names}")
    return known[name]


def _decoded(path: Path) -> Policy:
    name = told(path)
    try:
        content = read_start(path, _MOST_BYTES)
    except OSError as error:
        raise NoPolicy(f"{name} cannot be read: {error.strerror or error}") from error
    if len(content) > _MOST_BYTES:
        raise NoPolicy(f"{name} has more than {_MOST_BYTES} bytes, so it is no policy")
    try:
        return msgspec.json.decode(content, type=Policy)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise NoPolicy(f"{name} is no policy: {error}") from error
