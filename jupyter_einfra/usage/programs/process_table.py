"""All processes at one moment, and the CPU time between two such moments.

CPU time of a child that ended in between is its parent's once the parent has waited
for it (so the kernel keeps it), which makes a build of a thousand short commands count.
What cannot be told apart from time of before is left out: never guessed high.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from ...models import Reason
from ..figures import MIN_SPAN_SECONDS


@dataclass(frozen=True)
class Process:
    """One process at one moment."""

    pid: int
    ppid: int
    started_ticks: int
    """When it started, in ticks since the machine did; tells it from another of its number."""
    cpu_seconds: float
    """CPU time so far, without its children's."""
    threads: int
    memory_bytes: int | None
    """Memory that no file backs; None where it could not be read."""
    collected_seconds: float = 0.0
    """CPU time of children, and of theirs, that ended and were waited for."""
    ended: bool = False
    """Whether it only waits to be waited for."""

    @property
    def all_seconds(self) -> float:
        """What a parent that waits for it will be given."""
        return self.cpu_seconds + self.collected_seconds


@dataclass(frozen=True)
class ProcessTable:
    """All processes that could be read."""

    at_seconds: float
    processes: Mapping[int, Process]
    reason: Reason | None
    """Why there are none, or not all."""


def cores_by_process(before: ProcessTable | None, now: ProcessTable) -> dict[int, float] | None:
    """Mean cores in use between two tables; None where they are not two."""
    if before is None or (span := now.at_seconds - before.at_seconds) < MIN_SPAN_SECONDS:
        return None
    newest = max((p.started_ticks for p in before.processes.values()), default=0)
    seconds: dict[int, float] = {}
    collected: dict[int, float] = {}
    gone = dict(before.processes)
    for pid, process in now.processes.items():
        old = before.processes.get(pid)
        if old is not None and old.started_ticks == process.started_ticks:
            del gone[pid]
            seconds[pid] = max(process.cpu_seconds - old.cpu_seconds, 0.0)
            collected[pid] = max(process.collected_seconds - old.collected_seconds, 0.0)
        elif process.started_ticks >= newest:
            seconds[pid], collected[pid] = process.cpu_seconds, process.collected_seconds
        else:  # it was there, but only now could be seen
            seconds[pid] = collected[pid] = 0.0
    # Of children that could not be seen nobody knows how much is old.
    if before.reason is None and now.reason is None:
        for pid, late in _ended_meanwhile(gone, collected).items():
            seconds[pid] += late
    return {pid: used / span for pid, used in seconds.items()}


def _ended_meanwhile(
    gone: Mapping[int, Process], collected: Mapping[int, float]
) -> dict[int, float]:
    """CPU time since the table before of processes that ended since, by who collected it.

    Parameters
    ----------
    gone:
        Processes of the table before that are no more.
    collected:
        What each process of now was given since; of those gone, that is their whole life.
    """
    lives: defaultdict[int, float] = defaultdict(float)
    for process in gone.values():
        above, passed = process.ppid, {process.pid}
        while above in gone and above not in passed:
            passed.add(above)
            above = gone[above].ppid
        lives[above] += process.all_seconds
    late = {pid: given - lives[pid] for pid, given in collected.items() if given > lives[pid]}
    # Orphans are collected by others than was to be expected. Of all together no more
    # can be new than was not there before.
    total = sum(late.values())
    most = max(sum(collected.values()) - sum(p.all_seconds for p in gone.values()), 0.0)
    share = min(most / total, 1.0) if total else 0.0
    return {pid: seconds * share for pid, seconds in late.items()}
