"""What happened while somebody was away, in few lines, the most important first.

Nothing is in it that no event or notice tells; each line names those that it is of.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Literal, NamedTuple, TypeGuard

from msgspec.structs import replace

from ..models import Notice, Params, Reason
from . import words
from .models import (
    ActivityEvent,
    CellRun,
    CellsRan,
    Digest,
    DigestSection,
    DigestUse,
    Fact,
    FileEvent,
    KernelEvent,
    ProgramEvent,
)
from .paths import Paths

_Name = Literal["attention", "finished", "running", "files", "continue"]

#: Lines of a section: what a person reads.
_MOST_FACTS: dict[_Name, int] = {
    "attention": 8,
    "finished": 6,
    "running": 6,
    "files": 1,
    "continue": 3,
}

#: Names of files that a line has, and events that it is said to be of.
_MOST_NAMES = 5
_MOST_SOURCES = 50

#: Notices of the same thing come no later.
_SAME = timedelta(minutes=5)

#: From what is worst on.
_HOUR, _DEATH, _LOST, _FAILED, _DAY, _OTHER = range(6)


class _Ranked(NamedTuple):
    """What may be told, and is only made if it is among the most important."""

    rank: int
    time: datetime
    ident: str
    make: Callable[[str], Fact]
    """Makes it, given its id."""


class _Asked(NamedTuple):
    """What is asked for, with what all sections need."""

    runs: Sequence[CellsRan | CellRun]
    """In their order, as all of these."""
    kernels: Sequence[KernelEvent]
    files: Sequence[FileEvent]
    programs: Sequence[ProgramEvent]
    paths: Paths
    now: datetime
    since: datetime
    seen: Collection[str]

    def covers(self, moment: datetime | None) -> bool:
        return moment is not None and self.since < moment

    def present(self, path: str | None, then: datetime) -> str | None:
        return None if path is None else self.paths.now(path, then)


def digest(
    events: Iterable[ActivityEvent],
    usage: DigestUse | None,
    standing: Sequence[Notice],
    *,
    now: datetime,
    since: datetime,
    started_at: datetime,
    until: datetime | None = None,
    seen: Collection[str] = (),
    programs: Collection[str] | None = None,
    recording: bool = True,
    reason: Reason | None = None,
) -> Digest:
    """Tell what happened.

    Parameters
    ----------
    events:
        All that was recorded, in any order.
    usage:
        What was used since then; None if that is not known.
    standing:
        Notices that hold now, of a deletion and full disks among others.
    now:
        The moment of asking.
    since:
        What was before is not told; but for what still runs and stands.
    started_at:
        When the server started.
    until:
        When the owner came back; now if left out.
    seen:
        Ids of facts that they were shown before.
    programs:
        Ids of those that run now: some may have ended unseen. None if that is not known.
    recording, reason:
        Whether all that happens is recorded, and why something may be missing.
    """
    asked = _sorted_out(events, now, since, seen)
    sections = [
        _section("attention", _attention(asked, standing)),
        _section("finished", _finished(asked)),
        _section("running", _running(asked, programs)),
        _section("files", _files(asked)),
        _section("continue", _continue(asked)),
    ]
    use = None if usage is None else _with_peaks(usage, asked)
    return Digest(
        time=now,
        since=since,
        until=until or now,
        started_at=started_at,
        sections=[section for section in sections if section.facts],
        use=use,
        recording=recording,
        reason=reason,
    )


def _with_peaks(use: DigestUse, asked: _Asked) -> DigestUse:
    """Count in what killed a kernel: memory that is full for a moment is between two samples."""
    for event in asked.kernels:
        params = event.cause.params if event.cause is not None else {}
        used, limit = params.get("used_bytes"), params.get("limit_bytes")
        if not (asked.covers(event.time) and isinstance(used, int) and isinstance(limit, int)):
            continue
        if used > (use.memory_peak_bytes or 0):
            use = replace(
                use,
                memory_peak_bytes=used,
                memory_peak_at=event.time,
                memory_limit_bytes=limit,
            )
    return use


def _sorted_out(
    events: Iterable[ActivityEvent], now: datetime, since: datetime, seen: Collection[str]
) -> _Asked:
    runs: list[CellsRan | CellRun] = []
    kernels: list[KernelEvent] = []
    files: list[FileEvent] = []
    programs: list[ProgramEvent] = []
    for event in sorted(events, key=attrgetter("time", "id")):
        if isinstance(event, (CellsRan, CellRun)):
            runs.append(event)
        elif isinstance(event, FileEvent):
            files.append(event)
        elif isinstance(event, KernelEvent):
            kernels.append(event)
        else:
            programs.append(event)
    return _Asked(runs, kernels, files, programs, Paths(files), now, since, seen)


def counted(
    events: Iterable[ActivityEvent],
    standing: Sequence[Notice],
    *,
    since: datetime,
    until: datetime,
    seen: Collection[str],
) -> tuple[int, int]:
    """Return how many facts of an absence need attention, and how many others are news.

    What happened before or after it, the owner saw happen.
    """
    then = [event for event in map(partial(_as_of, until), events) if event is not None]
    begun = [notice for notice in standing if since < notice.time <= until]
    told = digest(then, None, begun, now=until, since=since, started_at=since, seen=seen)
    attention = news = 0
    for section in told.sections:
        unseen = [fact for fact in section.facts if not fact.seen]
        if section.name == "attention":
            attention += len(unseen) + section.more
        elif section.name in ("finished", "running"):
            news += sum(fact.severity in ("done", "running") for fact in unseen)
    return attention, news


def _as_of(moment: datetime, event: ActivityEvent) -> ActivityEvent | None:
    """Return an event as it was known at a moment; None if it was to come."""
    if event.time > moment:
        return None
    if isinstance(event, CellRun) and event.until is not None and event.until > moment:
        return replace(event, until=None, outcome="running")
    return event


def _section(name: _Name, ranked: Iterable[_Ranked]) -> DigestSection:
    in_order = sorted(ranked, key=lambda one: (one.rank, -one.time.timestamp(), one.ident))
    most = _MOST_FACTS[name]
    facts = [one.make(one.ident) for one in in_order[:most]]
    # Nobody misses the fourth notebook to go on with.
    more = 0 if name == "continue" else max(len(in_order) - most, 0)
    return DigestSection(name=name, facts=facts[:most], more=more)


def _fact(
    asked: _Asked,
    told: words.Told,
    *,
    ident: str,
    time: datetime,
    severity: Literal["error", "warning", "done", "running", "info"],
    event: CellsRan | CellRun | KernelEvent | None = None,
    sources: Sequence[str],
    path: str | None = None,
    can_restart: bool = False,
) -> Fact:
    return Fact(
        id=ident,
        code=told.code,
        message=told.message,
        params=told.params,
        # A clock that was ahead has seen nothing of the future.
        time=min(time, asked.now),
        severity=severity,
        path=path,
        kernel_id=None if event is None else event.kernel_id,
        cell_id=None if event is None else event.cell_id,
        execution_count=None if event is None else event.execution_count,
        can_restart=can_restart,
        sources=list(sources)[:_MOST_SOURCES],
        seen=ident in asked.seen,
    )


# Needs attention ------------------------------------------------------------------------------


def _attention(asked: _Asked, standing: Sequence[Notice]) -> Iterator[_Ranked]:
    yield from _deaths(asked, _deaths_of_kernels(asked))
    yield from _failed(asked)
    for notice in standing:
        if notice.feature == "activity" or _is_told(notice, asked):
            continue
        if notice.severity == "info" and notice.feature != "idle":
            continue
        rank = {"error": _HOUR, "warning": _DAY, "info": _OTHER}[notice.severity]
        yield _Ranked(rank, notice.time, notice.id, partial(_standing, asked, notice))


def _standing(asked: _Asked, notice: Notice, ident: str) -> Fact:
    return Fact(
        id=ident,
        code=notice.code,
        message=notice.message,
        params=notice.params,
        time=notice.time,
        severity="error" if notice.severity == "error" else "warning",
        path=asked.present(notice.path, notice.time),
        kernel_id=notice.kernel_id,
        cell_id=None,
        execution_count=None,
        can_restart=False,
        sources=[notice.id],
        seen=notice.id in asked.seen,
    )


def _is_told(notice: Notice, asked: _Asked) -> bool:
    """Whether a notice is of a death that was recorded, too."""
    if not notice.code.startswith("kernel_"):
        return False
    return any(
        event.action == "died"
        and event.kernel_id == notice.kernel_id
        and abs(event.time - notice.time) <= _SAME
        for event in asked.kernels
    )


def _deaths_of_kernels(asked: _Asked) -> dict[str, list[KernelEvent]]:
    deaths: dict[str, list[KernelEvent]] = defaultdict(list)
    for event in asked.kernels:
        if event.action == "died" and asked.covers(event.time):
            deaths[event.kernel_id].append(event)
    return deaths


def _deaths(asked: _Asked, deaths: dict[str, list[KernelEvent]]) -> Iterator[_Ranked]:
    for all_of_it in deaths.values():
        last = all_of_it[-1]
        yield _Ranked(_DEATH, last.time, f"died:{last.id}", partial(_death, asked, all_of_it))


def _death(asked: _Asked, deaths: Sequence[KernelEvent], ident: str) -> Fact:
    last = deaths[-1]
    return _fact(
        asked,
        words.died(last, sum(death.times for death in deaths)),
        ident=ident,
        time=last.time,
        severity="error",
        event=last,
        sources=[death.id for death in reversed(deaths)],
        path=asked.present(last.path, last.time),
        can_restart=last.stays and not _went_on(asked, last.kernel_id, last),
    )


def _went_on(asked: _Asked, kernel_id: str, death: KernelEvent) -> bool:
    """Whether something became of a kernel, or of the whole server, after it had died."""
    later = any(
        event.kernel_id == kernel_id and event.time >= death.time and event is not death
        for event in asked.kernels
    )
    return later or any(
        event.program == "server" and event.time >= death.time for event in asked.programs
    )


def _failed(asked: _Asked) -> Iterator[_Ranked]:
    same: dict[tuple[str | None, ...], list[CellRun]] = defaultdict(list)
    for event in asked.runs:
        if isinstance(event, CellsRan) or not asked.covers(event.until):
            continue
        if event.outcome == "failed":
            where = event.path or event.kernel_id
            same[where, event.cell_id, event.error_name, event.error_text].append(event)
        elif event.outcome == "server-ended":
            ended = event.until or event.time
            yield _Ranked(_LOST, ended, f"lost:{event.id}", partial(_loss, asked, event))
    for runs in same.values():
        last = max(runs, key=lambda run: (run.until or run.time, run.id))
        ident = f"failed:{last.id}:{last.times}:{last.others}"
        yield _Ranked(_FAILED, last.until or last.time, ident, partial(_failure, asked, runs, last))


def _loss(asked: _Asked, run: CellRun, ident: str) -> Fact:
    ended = run.until or run.time
    return _fact(
        asked,
        words.lost(run),
        ident=ident,
        time=ended,
        severity="error",
        event=run,
        sources=[run.id],
        path=asked.present(run.path, ended),
    )


def _failure(asked: _Asked, runs: Sequence[CellRun], last: CellRun, ident: str) -> Fact:
    ended = last.until or last.time
    return _fact(
        asked,
        words.failed(last, sum(run.times for run in runs), sum(run.others for run in runs)),
        ident=ident,
        time=ended,
        severity="error",
        event=last,
        sources=[run.id for run in reversed(runs)],
        path=asked.present(last.path, ended),
    )


# Finished and running -------------------------------------------------------------------------


def _finished(asked: _Asked) -> Iterator[_Ranked]:
    done: dict[str, list[CellsRan | CellRun]] = defaultdict(list)
    failures: dict[str, int] = defaultdict(int)
    for event in asked.runs:
        if not asked.covers(event.until):
            continue
        until = event.until or event.time
        where = asked.present(event.path, until) or event.path or event.kernel_id
        if isinstance(event, CellsRan) or event.outcome == "finished":
            done[where].append(event)
        elif event.outcome == "failed":
            failures[where] += event.times + event.others
        elif event.outcome in ("died", "server-ended"):
            failures[where] += 1
        elif event.outcome != "running":
            yield _Ranked(1, until, f"stopped:{event.id}", partial(_stop, asked, event))
    was_here = False
    for program in asked.programs:
        told = _ended(program, was_here) if asked.covers(program.time) else None
        was_here |= program.program == "server"
        if told is not None:
            make = partial(_program, asked, program, told)
            yield _Ranked(2, program.time, f"ended:{program.id}", make)
    for where, runs in done.items():
        last = max(runs, key=lambda run: (run.until or run.time, run.id))
        until = last.until or last.time
        make = partial(_go, asked, runs, last, failures[where])
        yield _Ranked(0, until, f"done:{last.id}:{until.timestamp():.0f}", make)


def _stop(asked: _Asked, run: CellRun, ident: str) -> Fact:
    until = run.until or run.time
    return _fact(
        asked,
        words.stopped(run),
        ident=ident,
        time=until,
        severity="info",
        event=run,
        sources=[run.id],
        path=asked.present(run.path, until),
    )


def _program(asked: _Asked, program: ProgramEvent, told: words.Told, ident: str) -> Fact:
    # Nobody is told as news that what they left open is open, or that it has ended.
    return _fact(asked, told, ident=ident, time=program.time, severity="info", sources=[program.id])


def _go(
    asked: _Asked,
    runs: Sequence[CellsRan | CellRun],
    last: CellsRan | CellRun,
    failures: int,
    ident: str,
) -> Fact:
    until = last.until or last.time
    return _fact(
        asked,
        words.finished(last, runs, failures),
        ident=ident,
        time=until,
        severity="done",
        event=last,
        sources=[run.id for run in reversed(runs)],
        path=asked.present(last.path, until),
    )


def _ended(event: ProgramEvent, was_here: bool) -> words.Told | None:
    if event.program == "server":
        return words.SERVER_STARTED if event.action == "started" and was_here else None
    return None if event.action == "started" else words.program_ended(event)


def _running(asked: _Asked, known: Collection[str] | None) -> Iterator[_Ranked]:
    for run in asked.runs:
        if isinstance(run, CellRun) and run.until is None:
            yield _Ranked(0, run.time, f"running:{run.id}", partial(_run, asked, run))
    programs: dict[str, ProgramEvent] = {}
    for change in asked.programs:
        if change.program == "server":
            programs.clear()  # all of them end with it
        elif change.action == "started":
            programs[change.program_id] = change
        else:
            programs.pop(change.program_id, None)
    for program in programs.values():
        if program.program != "terminal" and (known is None or program.program_id in known):
            make = partial(_program, asked, program, words.program_running(program))
            yield _Ranked(1, program.time, f"running:{program.id}", make)


def _run(asked: _Asked, run: CellRun, ident: str) -> Fact:
    seconds = max((asked.now - run.time).total_seconds(), 0.0)
    return _fact(
        asked,
        words.running(run, seconds),
        ident=ident,
        time=run.time,
        severity="running",
        event=run,
        sources=[run.id],
        path=asked.present(run.path, run.time),
    )


# Files, and where to go on --------------------------------------------------------------------


def _files(asked: _Asked) -> Iterator[_Ranked]:
    changes = [change for change in asked.files if asked.covers(change.until)]
    if not changes:
        return
    changes.sort(key=lambda change: (change.until, change.id), reverse=True)
    counts: Params = {
        action: len({change.path for change in changes if change.action == action})
        for action in ("saved", "renamed", "copied", "deleted")
    }
    present = [asked.present(change.path, change.until) or change.path for change in changes]
    names = list(dict.fromkeys(present))[:_MOST_NAMES]
    last = changes[0]

    def make(ident: str) -> Fact:
        return _fact(
            asked,
            words.files(counts, names),
            ident=ident,
            time=last.until,
            severity="info",
            sources=[change.id for change in changes],
        )

    yield _Ranked(0, last.until, f"files:{last.id}", make)


class _Last(NamedTuple):
    """The last use of a notebook."""

    at: datetime
    run: CellsRan | CellRun | None
    source: str
    """Id of the event that it was."""


def _continue(asked: _Asked) -> Iterator[_Ranked]:
    found: dict[str, _Last] = {}
    for event in asked.runs:
        at = event.until or asked.now
        path = asked.present(event.path, event.until or event.time)
        if _is_notebook(path) and (path not in found or at >= found[path].at):
            found[path] = _Last(at, event, event.id)
    for change in asked.files:
        path = asked.present(change.path, change.until) if change.action == "saved" else None
        if _is_notebook(path) and (path not in found or change.until > found[path].at):
            run = found[path].run if path in found else None
            found[path] = _Last(change.until, run, change.id)
    for path, last in found.items():
        yield _Ranked(0, last.at, f"continue:{path}", partial(_way, asked, path, last))


def _way(asked: _Asked, path: str, last: _Last, ident: str) -> Fact:
    sources = [last.source, *([] if last.run is None else [last.run.id])]
    return _fact(
        asked,
        words.go_on(path),
        ident=ident,
        time=last.at,
        severity="info",
        event=last.run,
        sources=list(dict.fromkeys(sources)),
        path=path,
    )


def _is_notebook(path: str | None) -> TypeGuard[str]:
    return path is not None and path.endswith(".ipynb")
