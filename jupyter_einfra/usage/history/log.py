"""What happened: events, and the runs of the server, the latest of each.

Both are numbered and lie in rings in the file, so they are bounded there as here.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from ..models import UsageEvent
from .records import Word
from .runs import Counters, RunRecord, judge

MOST_EVENTS = 1000
MOST_RUNS = 200

#: How long an event is told.
EVENTS_KEPT = timedelta(days=90)

#: Of an event's JSON; one that is longer is cut to its essence.
_MOST_BYTES = 600

_T = TypeVar("_T")

#: Slots of a ring, with the number and the entry that each now has.
Changed = dict[int, tuple[int, _T]]


class Log:
    """Events and runs. Not for two threads at once.

    Parameters
    ----------
    run:
        The present one.
    """

    def __init__(self, run: RunRecord) -> None:
        self.run = run
        self.previous: RunRecord | None = None
        self._number = 0
        self._runs: dict[int, RunRecord] = {0: run}
        self._events: dict[int, UsageEvent] = {}
        self._dirty_runs: set[int] = {0}
        self._dirty_events: set[int] = set()

    def update(self, run: RunRecord) -> None:
        """Know more about the present run."""
        if run != self.run:
            self.run = self._runs[self._number] = run
            self._dirty_runs.add(self._number)

    def record(self, event: UsageEvent) -> None:
        """Take note of an event."""
        number = max(self._events, default=-1) + 1
        self._events[number] = _bounded(event)
        self._events.pop(number - MOST_EVENTS, None)
        self._dirty_events.add(number)

    def events(self, now: datetime) -> list[UsageEvent]:
        """Return the events that are still told."""
        return [event for event in self._events.values() if now - event.time <= EVENTS_KEPT]

    def runs(self) -> list[RunRecord]:
        """Return all runs, the present one last."""
        return list(self._runs.values())

    def load(
        self,
        events: Mapping[int, UsageEvent],
        runs: Mapping[int, RunRecord],
        words: Iterable[Word],
        *,
        counters: Counters,
        boot: str | None,
    ) -> list[Word]:
        """Take in what a file has from before, and judge the runs that were not closed.

        Parameters
        ----------
        events, runs:
            By their numbers.
        words:
            Last words of any run, those of one in their order.
        counters:
            What the control group has counted by now.
        boot:
            The machine's present life.

        Returns
        -------
        Last words that the file does not have.
        """
        mine = list(self._events.values())
        self._events, self._dirty_events = _latest(events, MOST_EVENTS), set()
        for event in mine:
            self.record(event)
        self._runs, self._dirty_runs = _latest(runs, MOST_RUNS), set()
        news = self._hear(words)
        for number, run in list(self._runs.items()):
            if run.ending == "running":
                self._set(number, judge(run, counters, boot))
        self.previous = next(reversed(self._runs.values()), None)
        for number, run in list(self._runs.items()):
            if run.open:  # asked of the latest run only, and that was just told
                self._set(number, replace(run, open=()))
        self.run = replace(self.run, boot=boot)
        self._number = self._append(self.run)
        return news

    def reload(self, events: Mapping[int, UsageEvent], runs: Mapping[int, RunRecord]) -> None:
        """Count as changed what a file, maybe a new one, does not have."""
        self._dirty_events |= {n for n, event in self._events.items() if events.get(n) != event}
        self._dirty_runs |= {n for n, run in self._runs.items() if runs.get(n) != run}

    def changes(self) -> tuple[Changed[UsageEvent], Changed[RunRecord]]:
        """Return what changed since the last call."""
        events, runs = self._dirty_events, self._dirty_runs
        self._dirty_events, self._dirty_runs = set(), set()
        return _slots(self._events, events, MOST_EVENTS), _slots(self._runs, runs, MOST_RUNS)

    def put_back(self, events: Changed[UsageEvent], runs: Changed[RunRecord]) -> None:
        """Count it as changed again: it could not be written."""
        self._dirty_events.update(number for number, _ in events.values())
        self._dirty_runs.update(number for number, _ in runs.values())

    def _hear(self, words: Iterable[Word]) -> list[Word]:
        """Bring the runs up to their last words; return those that are news."""
        numbers = {run.token: number for number, run in self._runs.items()}
        oldest = min((run.started for run in self._runs.values()), default=0.0)
        news = []
        for word in words:
            if word.run not in numbers:
                if word.at_seconds < oldest:
                    continue  # of a run that was forgotten
                # Of one that never reached the file.
                run = RunRecord(token=word.run, started=word.at_seconds, seen=word.at_seconds)
                numbers[word.run] = self._append(run)
            number = numbers[word.run]
            run = self._runs[number]
            if run.ending != "running" or word.number <= run.samples:
                continue
            news.append(word)
            run = replace(
                run,
                seen=word.at_seconds,
                samples=word.number,
                used_bytes=word.used_bytes,
                limit_bytes=word.limit_bytes,
                counters=word.counters,
            )
            self._set(number, run)
        return news

    def _append(self, run: RunRecord) -> int:
        number = max(self._runs, default=-1) + 1
        self._set(number, run)
        self._runs.pop(number - MOST_RUNS, None)
        return number

    def _set(self, number: int, run: RunRecord) -> None:
        self._runs[number] = run
        self._dirty_runs.add(number)


def _latest(entries: Mapping[int, _T], most: int) -> dict[int, _T]:
    """Return those that one ring can hold, in order."""
    newest = max(entries, default=0)
    return {n: entries[n] for n in sorted(entries) if n > newest - most}


def _slots(entries: Mapping[int, _T], numbers: Iterable[int], most: int) -> Changed[_T]:
    return {n % most: (n, entries[n]) for n in sorted(numbers) if n in entries}


def _bounded(event: UsageEvent) -> UsageEvent:
    """Cut an event that is too long to keep."""
    if len(msgspec.json.encode(event)) <= _MOST_BYTES:
        return event
    return replace(event, code=event.code[:40], message=event.message[:200], params={})
