"""How much is computed below some processes, from one look to the next.

Pure: standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from .process_table import ProcessTable, cores_by_process


class TreeCores:
    """Looks at all processes, and tells of some what was computed since the last time.

    Parameters
    ----------
    read:
        Reads all processes.
    """

    def __init__(self, read: Callable[[], ProcessTable]) -> None:
        self._read = read
        self._before: ProcessTable | None = None

    def __call__(self, roots: Collection[int]) -> Mapping[int, float] | None:
        """Return mean cores of processes and of all below them; None if not known."""
        before, self._before = self._before, self._read()
        return cores_by_tree(before, self._before, roots)


def cores_by_tree(
    before: ProcessTable | None, now: ProcessTable, roots: Collection[int]
) -> dict[int, float] | None:
    """Return mean cores of processes and of all below them; None where there is no span."""
    cores = cores_by_process(before, now)
    if cores is None or not now.processes:
        return None
    trees = dict.fromkeys(roots, 0.0)
    for pid, used in cores.items():
        above: int | None = pid
        passed: set[int] = set()
        while above is not None and above not in trees and above not in passed:
            passed.add(above)
            process = now.processes.get(above)
            above = process.ppid if process else None
        if above in trees:
            trees[above] += used
    return trees
