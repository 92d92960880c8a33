"""What became of files: under what name something is found now.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from .models import FileEvent

#: Renames that are followed; a circle of them is left at that.
_MOST_STEPS = 100

#: Folders above a file that are followed.
_MOST_FOLDERS = 50


class Paths:
    """Follows names through what happened to files and folders, the oldest first."""

    def __init__(self, changes: Iterable[FileEvent]) -> None:
        self._moved: dict[str, list[tuple[datetime, str | None]]] = defaultdict(list)
        """Of each name, when it was moved and where to; None for having been deleted."""
        self._made: dict[str, datetime] = {}
        """When something last came to be at a name."""
        self._stayed: set[str] = set()
        """Names of which nothing was ever moved."""
        self._ends: dict[tuple[str, datetime], str | None] = {}
        """Where what was moved to a name at a time is now."""
        for change in sorted(changes, key=lambda change: (change.time, change.id)):
            if change.action == "deleted":
                self._moved[change.path].append((change.time, None))
            else:
                self._made[change.path] = change.until
                if change.action == "renamed" and change.source_path:
                    self._moved[change.source_path].append((change.time, change.path))

    def now(self, path: str, then: datetime) -> str | None:
        """Return the present name of what had this one at a time; None if it is gone."""
        if path in self._stayed:
            return path
        if not any(base in self._moved for base in _and_folders(path)):
            self._stayed.add(path)
            return path
        trail: list[tuple[str, datetime]] = []
        found = path
        while len(trail) < _MOST_STEPS:
            if (found, then) in self._ends:
                end = self._ends[found, then]
                break
            trail.append((found, then))
            step = self._next(found, then)
            if step is None:
                end = found
                break
            then, base, new = step
            if new is None:
                made = self._made.get(found)
                end = found if made is not None and made > then else None
                break
            found = new + found[len(base) :]
        else:
            end = found
        # All that came this way ends there, too; but for the first, it is a move that they share.
        self._ends.update(dict.fromkeys(trail[1:], end))
        return end

    def _next(self, path: str, then: datetime) -> tuple[datetime, str, str | None] | None:
        found: list[tuple[datetime, str, str | None]] = []
        for base in _and_folders(path):
            moves = self._moved.get(base)
            if moves:
                at = bisect_left(moves, then, key=lambda move: move[0])
                # What was at the name from the beginning, and not what came there later.
                if at < len(moves) and moves[at][1] != path:
                    found.append((moves[at][0], base, moves[at][1]))
        return min(found, key=lambda step: step[0], default=None)


def _and_folders(path: str) -> Iterator[str]:
    yield path
    for _ in range(_MOST_FOLDERS):
        path, slash, _ = path.rpartition("/")
        if not slash:
            return
        yield path
