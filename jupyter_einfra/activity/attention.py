"""What of a digest needs attention: deaths, errors, losses, and dangers that stand.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

from msgspec.structs import replace

from ..models import Notice
from . import words
from .facts import Asked, Ranked, end_of, fact, fact_of_runs, last_of
from .models import CellRun, CellsRan, Fact, KernelEvent

#: Notices of the same thing come no later.
_SAME = timedelta(minutes=5)

#: From what is worst on.
_HOUR, _DEATH, _LOST, _FAILED, _DAY, _OTHER = range(6)


def attention(asked: Asked, standing: Sequence[Notice]) -> Iterator[Ranked]:
    yield from _deaths(asked, _deaths_of_kernels(asked))
    yield from _failed(asked)
    for notice in standing:
        if notice.feature == "activity" or _is_told(notice, asked):
            continue
        if notice.severity == "info" and notice.feature != "idle":
            continue
        rank = {"error": _HOUR, "warning": _DAY, "info": _OTHER}[notice.severity]
        yield Ranked(rank, notice.time, notice.id, partial(_standing, asked, notice))


def _standing(asked: Asked, notice: Notice, ident: str) -> Fact:
    told = fact(
        asked,
        words.Told(notice.code, notice.params, notice.message),
        ident=ident,
        time=notice.time,
        severity="error" if notice.severity == "error" else "warning",
        sources=[notice.id],
        path=asked.present(notice.path, notice.time),
    )
    return replace(told, kernel_id=notice.kernel_id)


def _is_told(notice: Notice, asked: Asked) -> bool:
    """Whether a notice is of a death that was recorded, too."""
    if not notice.code.startswith("kernel_"):
        return False
    return any(
        event.action == "died"
        and event.kernel_id == notice.kernel_id
        and abs(event.time - notice.time) <= _SAME
        for event in asked.kernels
    )


def _deaths_of_kernels(asked: Asked) -> dict[str, list[KernelEvent]]:
    deaths: dict[str, list[KernelEvent]] = defaultdict(list)
    for event in asked.kernels:
        if event.action == "died" and asked.covers(event.time):
            deaths[event.kernel_id].append(event)
    return deaths


def _deaths(asked: Asked, deaths: dict[str, list[KernelEvent]]) -> Iterator[Ranked]:
    for all_of_it in deaths.values():
        last = all_of_it[-1]
        yield Ranked(_DEATH, last.time, f"died:{last.id}", partial(_death, asked, all_of_it))


def _death(asked: Asked, deaths: Sequence[KernelEvent], ident: str) -> Fact:
    last = deaths[-1]
    return fact(
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


def _went_on(asked: Asked, kernel_id: str, death: KernelEvent) -> bool:
    """Whether something became of a kernel, or of the whole server, after it had died."""
    later = any(
        event.kernel_id == kernel_id and event.time >= death.time and event is not death
        for event in asked.kernels
    )
    return later or any(
        event.program == "server" and event.time >= death.time for event in asked.programs
    )


def _failed(asked: Asked) -> Iterator[Ranked]:
    same: dict[tuple[str | None, ...], list[CellRun]] = defaultdict(list)
    for event in asked.runs:
        if isinstance(event, CellsRan) or not asked.covers(event.until):
            continue
        if event.outcome == "failed":
            where = event.path or event.kernel_id
            same[where, event.cell_id, event.error_name, event.error_text].append(event)
        elif event.outcome == "server-ended":
            yield Ranked(_LOST, end_of(event), f"lost:{event.id}", partial(_loss, asked, event))
    for runs in same.values():
        last = last_of(runs)
        ident = f"failed:{last.id}:{last.times}:{last.others}"
        yield Ranked(_FAILED, end_of(last), ident, partial(_failure, asked, runs))


def _loss(asked: Asked, run: CellRun, ident: str) -> Fact:
    return fact_of_runs(asked, words.lost(run), ident=ident, severity="error", runs=[run])


def _failure(asked: Asked, runs: Sequence[CellRun], ident: str) -> Fact:
    times, others = sum(run.times for run in runs), sum(run.others for run in runs)
    told = words.failed(last_of(runs), times, others)
    return fact_of_runs(asked, told, ident=ident, severity="error", runs=runs)
