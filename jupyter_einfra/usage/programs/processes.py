"""From a table of processes to who uses how much.

- A process belongs to the nearest kernel, terminal or application above it, else to the
  server if that is above it, else to the others. One whose parent ended (``nohup``,
  daemons) is adopted by process 1 or a reaper, and belongs to what that belongs to.
- Memory that processes share after a fork is counted in each.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ...models import Reason
from ..figures import FIRST_SAMPLE
from ..models import Program
from .process_table import Process, ProcessTable, cores_by_process

__all__ = ["Process", "ProcessTable", "RosterEntry", "pace_seconds", "programs"]

#: Most of a core that looking at processes may take.
MOST_SHARE = 0.002
MOST_SECONDS = 30.0
LEAST_SECONDS = 1.0

GONE = Reason(code="program_gone", message="Its process is there no more.", params={})
NOT_APART = Reason(
    code="program_not_apart",
    message="It runs inside the server or around it, so its own part cannot be told.",
    params={},
)
MEMORY_UNREADABLE = Reason(
    code="process_memory_unreadable",
    message="The memory of one of its processes could not be read.",
    params={},
)


@dataclass(frozen=True)
class RosterEntry:
    """A kernel, terminal or application that the server knows of."""

    kind: Literal["kernel", "terminal", "app", "server", "other"]
    id: str
    name: str
    path: str | None = None
    language: str | None = None
    pid: int | None = None
    """Its process; None where it runs elsewhere, and then ``reason`` says so."""
    state: str | None = None
    since: datetime | None = None
    reason: Reason | None = None


def pace_seconds(cost_seconds: float, least_seconds: float) -> float:
    """Time to the next look, so that looking takes little of a core."""
    pace = max(cost_seconds / MOST_SHARE, least_seconds, LEAST_SECONDS)
    return min(pace, MOST_SECONDS)


def programs(
    before: ProcessTable | None,
    now: ProcessTable,
    roster: Sequence[RosterEntry],
    *,
    server_pid: int,
    others: bool,
    gpu_memory: Mapping[int, int] | None,
    gpu_reason: Reason | None,
) -> list[Program]:
    """Tell what each kernel, terminal and application, the server and the others use.

    Parameters
    ----------
    before, now:
        CPU in use is that between the two; None without a table before.
    roster:
        Kernels, terminals and applications. Their names are passed on as they are.
    server_pid:
        The server's own process.
    others:
        Whether to tell of processes that are not below the server: in a container
        those are the user's, too.
    gpu_memory, gpu_reason:
        Bytes on the GPUs by process, or why that is not known.
    """
    roots, refused = _roots(roster, now, server_pid)
    members = _members(now, roots)
    cores = cores_by_process(before, now)

    def told(entry: RosterEntry, pids: Collection[int]) -> Program:
        living = [p for pid in pids if not (p := now.processes[pid]).ended]
        sizes = [p.memory_bytes for p in living if p.memory_bytes is not None]
        reason = FIRST_SAMPLE if cores is None else None
        if len(sizes) < len(living):
            reason = MEMORY_UNREADABLE
        gpu = None if gpu_memory is None else sum(gpu_memory.get(pid, 0) for pid in pids)
        return _program(
            entry,
            cpu_cores=None if cores is None else sum(cores[pid] for pid in pids),
            memory_bytes=None if reason is MEMORY_UNREADABLE else sum(sizes),
            processes=len(living),
            threads=sum(p.threads for p in living),
            gpu_memory_bytes=gpu,
            gpu_reason=gpu_reason if gpu is None else None,
            reason=reason,
        )

    def untold(entry: RosterEntry, why: Reason) -> Program:
        return _program(entry, gpu_reason=gpu_reason if gpu_memory is None else why, reason=why)

    found = [
        told(entry, members[index]) if why is None else untold(entry, why)
        for index, (entry, why) in enumerate(zip(roster, refused, strict=True))
    ]
    server = RosterEntry("server", "server", "Jupyter Server", pid=server_pid)
    if server_pid in now.processes:
        found.append(told(server, members[_SERVER]))
    else:
        found.append(untold(server, now.reason or GONE))
    if others and members[_OTHERS]:
        found.append(told(RosterEntry("other", "other", "Other programs"), members[_OTHERS]))
    return sorted(found, key=_biggest_first)


#: Owners of processes; all others go by their place in the roster.
_SERVER = -1
_OTHERS = -2

_KINDS = ("kernel", "terminal", "app", "server", "other")


def _biggest_first(program: Program) -> tuple[float, int, str]:
    size = -1 if program.memory_bytes is None else program.memory_bytes
    return -size, _KINDS.index(program.kind), program.id


def _program(
    entry: RosterEntry,
    *,
    reason: Reason | None,
    gpu_reason: Reason | None,
    cpu_cores: float | None = None,
    memory_bytes: int | None = None,
    processes: int | None = None,
    threads: int | None = None,
    gpu_memory_bytes: int | None = None,
) -> Program:
    return Program(
        kind=entry.kind,
        id=entry.id,
        name=entry.name,
        path=entry.path,
        language=entry.language,
        pid=entry.pid,
        cpu_cores=cpu_cores,
        memory_bytes=memory_bytes,
        processes=processes,
        threads=threads,
        gpu_memory_bytes=gpu_memory_bytes,
        gpu_reason=gpu_reason,
        state=entry.state,
        since=entry.since,
        reason=reason,
    )


def _roots(
    roster: Sequence[RosterEntry], now: ProcessTable, server_pid: int
) -> tuple[dict[int, int], list[Reason | None]]:
    """Find who owns the tree below which process, and why others own none."""
    around = _lineage(server_pid, now.processes)
    roots: dict[int, int] = {}
    refused: list[Reason | None] = []
    for index, entry in enumerate(roster):
        process = None if entry.pid is None else now.processes.get(entry.pid)
        if entry.pid is None:
            refused.append(entry.reason or GONE)
        elif process is None or process.ended:
            refused.append(now.reason or GONE)
        elif entry.pid in around:
            refused.append(NOT_APART)
        elif entry.pid in roots:
            refused.append(_shared(roster[roots[entry.pid]].name))
        else:
            roots[entry.pid] = index
            refused.append(None)
    if server_pid in now.processes:
        roots[server_pid] = _SERVER
    return roots, refused


def _shared(name: str) -> Reason:
    return Reason(
        code="program_shared",
        message=f"It runs in the same process as {name}, where it is counted.",
        params={"name": name},
    )


def _lineage(pid: int, processes: Mapping[int, Process]) -> set[int]:
    """Collect a process and those above it."""
    found = {pid}
    while pid in processes and (pid := processes[pid].ppid) not in found:
        found.add(pid)
    return found


def _members(now: ProcessTable, roots: Mapping[int, int]) -> dict[int, list[int]]:
    """Give every process to the nearest root above it, or to the others."""
    owners = dict(roots)
    for pid in now.processes:
        path = []
        above = pid
        while above in now.processes and above not in owners:
            owners[above] = _OTHERS  # so that a circle ends
            path.append(above)
            above = now.processes[above].ppid
        owner = owners.get(above, _OTHERS)
        owners.update((passed, owner) for passed in path)
    members: dict[int, list[int]] = {owner: [] for owner in (*roots.values(), _SERVER, _OTHERS)}
    for pid in now.processes:
        members[owners[pid]].append(pid)
    return members
