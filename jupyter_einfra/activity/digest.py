"""What happened while somebody was away, in few lines, the most important first.

Nothing is in it that no event or notice tells; each line names those that it is of.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Literal

from msgspec.structs import replace

from ..models import Notice, Reason
from .attention import attention
from .facts import Asked, Ranked, sorted_out
from .models import (
    ActivityEvent,
    CellRun,
    Digest,
    DigestSection,
    DigestUse,
)
from .places import files, ways_on
from .progress import finished, running

_Name = Literal["attention", "finished", "running", "files", "continue"]

#: Lines of a section: what a person reads.
_MOST_FACTS: dict[_Name, int] = {
    "attention": 8,
    "finished": 6,
    "running": 6,
    "files": 1,
    "continue": 3,
}


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
    asked = sorted_out(events, now, since, seen)
    sections = [
        _section("attention", attention(asked, standing)),
        _section("finished", finished(asked)),
        _section("running", running(asked, programs)),
        _section("files", files(asked)),
        _section("continue", ways_on(asked)),
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


def _with_peaks(use: DigestUse, asked: Asked) -> DigestUse:
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


def _section(name: _Name, ranked: Iterable[Ranked]) -> DigestSection:
    in_order = sorted(ranked, key=lambda one: (one.rank, -one.time.timestamp(), one.ident))
    most = _MOST_FACTS[name]
    facts = [one.make(one.ident) for one in in_order[:most]]
    # Nobody misses the fourth notebook to go on with.
    more = 0 if name == "continue" else max(len(in_order) - most, 0)
    return DigestSection(name=name, facts=facts[:most], more=more)
