"""Which files a digest tells of, and where one may go on.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import NamedTuple, TypeGuard

from ..models import Params
from . import words
from .facts import Asked, Ranked, end_of, fact
from .models import CellRun, CellsRan, Fact

#: Names of files that a line has.
_MOST_NAMES = 5


def files(asked: Asked) -> Iterator[Ranked]:
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
        return fact(
            asked,
            words.files(counts, names),
            ident=ident,
            time=last.until,
            severity="info",
            sources=[change.id for change in changes],
        )

    yield Ranked(0, last.until, f"files:{last.id}", make)


class _Last(NamedTuple):
    """The last use of a notebook."""

    at: datetime
    run: CellsRan | CellRun | None
    source: str
    """Id of the event that it was."""


def ways_on(asked: Asked) -> Iterator[Ranked]:
    found: dict[str, _Last] = {}
    for event in asked.runs:
        at = event.until or asked.now
        path = asked.present(event.path, end_of(event))
        if _is_notebook(path) and (path not in found or at >= found[path].at):
            found[path] = _Last(at, event, event.id)
    for change in asked.files:
        path = asked.present(change.path, change.until) if change.action == "saved" else None
        if _is_notebook(path) and (path not in found or change.until > found[path].at):
            run = found[path].run if path in found else None
            found[path] = _Last(change.until, run, change.id)
    for path, last in found.items():
        yield Ranked(0, last.at, f"continue:{path}", partial(_way, asked, path, last))


def _way(asked: Asked, path: str, last: _Last, ident: str) -> Fact:
    sources = [last.source, *([] if last.run is None else [last.run.id])]
    return fact(
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
