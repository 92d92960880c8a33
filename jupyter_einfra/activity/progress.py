"""What of a digest is done, and what still runs.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import partial

from . import words
from .facts import Asked, Ranked, end_of, fact, fact_of_runs, last_of
from .models import CellRun, CellsRan, Fact, ProgramEvent


def finished(asked: Asked) -> Iterator[Ranked]:
    done: dict[str, list[CellsRan | CellRun]] = defaultdict(list)
    failures: dict[str, int] = defaultdict(int)
    for event in asked.runs:
        if not asked.covers(event.until):
            continue
        until = end_of(event)
        where = asked.present(event.path, until) or event.path or event.kernel_id
        if isinstance(event, CellsRan) or event.outcome == "finished":
            done[where].append(event)
        elif event.outcome == "failed":
            failures[where] += event.times + event.others
        elif event.outcome in ("died", "server-ended"):
            failures[where] += 1
        elif event.outcome != "running":
            yield Ranked(1, until, f"stopped:{event.id}", partial(_stop, asked, event))
    was_here = False
    for program in asked.programs:
        told = _ended(program, was_here) if asked.covers(program.time) else None
        was_here |= program.program == "server"
        if told is not None:
            make = partial(_program, asked, program, told)
            yield Ranked(2, program.time, f"ended:{program.id}", make)
    for where, runs in done.items():
        last = last_of(runs)
        make = partial(_go, asked, runs, failures[where])
        yield Ranked(0, end_of(last), f"done:{last.id}:{end_of(last).timestamp():.0f}", make)


def _stop(asked: Asked, run: CellRun, ident: str) -> Fact:
    return fact_of_runs(asked, words.stopped(run), ident=ident, severity="info", runs=[run])


def _program(asked: Asked, program: ProgramEvent, told: words.Told, ident: str) -> Fact:
    # Nobody is told as news that what they left open is open, or that it has ended.
    return fact(asked, told, ident=ident, time=program.time, severity="info", sources=[program.id])


def _go(asked: Asked, runs: Sequence[CellsRan | CellRun], failures: int, ident: str) -> Fact:
    told = words.finished(last_of(runs), runs, failures)
    return fact_of_runs(asked, told, ident=ident, severity="done", runs=runs)


def _ended(event: ProgramEvent, was_here: bool) -> words.Told | None:
    if event.program == "server":
        return words.SERVER_STARTED if event.action == "started" and was_here else None
    return None if event.action == "started" else words.program_ended(event)


def running(asked: Asked, known: Collection[str] | None) -> Iterator[Ranked]:
    for run in asked.runs:
        if isinstance(run, CellRun) and run.until is None:
            yield Ranked(0, run.time, f"running:{run.id}", partial(_run, asked, run))
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
            yield Ranked(1, program.time, f"running:{program.id}", make)


def _run(asked: Asked, run: CellRun, ident: str) -> Fact:
    seconds = max((asked.now - run.time).total_seconds(), 0.0)
    return fact(
        asked,
        words.running(run, seconds),
        ident=ident,
        time=run.time,
        severity="running",
        event=run,
        sources=[run.id],
        path=asked.present(run.path, run.time),
    )
