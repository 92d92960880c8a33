"""All that was recorded, and how it is put together.

What happens often and means little is one record: cells that ran well and not for long,
saves of a file, an error that came again and again.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from .models import ActivityEvent, CellRun, CellsRan, FileEvent, KernelEvent, ProgramEvent
from .moments import ended, last_seen
from .records import Records

#: What is older is forgotten, as what was used is.
KEPT = timedelta(days=90)

#: An execution of less is one of many; of more, one that somebody waits for.
LONG_SECONDS = 60.0

#: What is further apart is not of one go, and no go is longer.
_GAP = timedelta(minutes=10)
_GO = timedelta(hours=1)

#: What happens within this time is the same act.
_AT_ONCE = timedelta(seconds=5)

#: Errors of one kernel in one go that are told one by one.
_MOST_ERRORS = 10

#: Kernels, notebooks and files that are followed at a time.
_MOST_LATEST = 1000

#: Records that were taken away and may still be on disk; of more, the file is written anew.
_MOST_GONE = 2000

_Event = TypeVar("_Event", bound=ActivityEvent)


class Changes(NamedTuple):
    """What is to be done to a file."""

    events: list[ActivityEvent]
    """To be written."""
    gone: list[str]
    """Ids of those to be deleted."""
    is_anew: bool
    """Whether all others are to be deleted."""


class Journal:
    """Records by their ids, and what of them is not on disk yet.

    Parameters
    ----------
    life:
        Begins the ids of this life of the server, and of no other.
    """

    def __init__(self, life: str) -> None:
        self._life = life
        self._numbers = itertools.count(1)
        self._records = Records()
        self._dirty: set[str] = set()
        self._gone: set[str] = set()
        self._is_anew = False
        """Whether all of the file is to be replaced, so that it need not be known what is gone."""
        self._latest: dict[tuple[str, ...], str] = {}
        """Ids of records that may take in what comes next, by what that must have in common."""
        self._errors: dict[str, tuple[datetime, int]] = {}

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[ActivityEvent]:
        return iter(self._records)

    def get(self, event_id: str | None) -> ActivityEvent | None:
        """Return a record, if there is one of the id."""
        return None if event_id is None else self._records.get(event_id)

    def new_id(self) -> str:
        """Make an id for a record."""
        return f"{self._life}-{next(self._numbers)}"

    def is_ours(self, event_id: str) -> bool:
        """Whether a record is of this life."""
        return event_id.startswith(f"{self._life}-")

    def put(self, event: ActivityEvent) -> str:
        """Record something, or change what has its id; return the id."""
        self._records.put(event)
        self._dirty.add(event.id)
        self._gone.discard(event.id)
        self._make_room()
        return event.id

    def _make_room(self) -> None:
        while (event_id := self._records.first_to_go()) is not None:
            self.remove(event_id)

    def remove(self, event_id: str) -> None:
        """Forget a record."""
        if not self._records.remove(event_id):
            return
        self._dirty.discard(event_id)
        self._gone.add(event_id)
        if len(self._gone) > _MOST_GONE:
            self.rewrite()

    def forget_before(self, moment: datetime) -> None:
        """Forget what ended earlier."""
        old = [event.id for event in self if ended(event) is not None and last_seen(event) < moment]
        for event_id in old:
            self.remove(event_id)

    def erase(self, open_programs: Collection[str] = ()) -> None:
        """Forget everything but what still runs.

        Parameters
        ----------
        open_programs:
            Ids of applications and the like that do.
        """
        for event in list(self):
            is_open = (
                isinstance(event, ProgramEvent)
                and event.program_id in open_programs
                and event.action == "started"
            )
            if ended(event) is not None and not is_open:
                self.remove(event.id)
        self._latest.clear()
        self._errors.clear()

    def forget_ours(self) -> None:
        """Forget what this life recorded."""
        for event in list(self):
            if self.is_ours(event.id):
                self.remove(event.id)

    def name(self, kernel_id: str, name: str, path: str) -> None:
        """Put a name to what this life recorded of a kernel while it had none."""
        for event in list(self):
            if isinstance(event, (FileEvent, ProgramEvent)) or event.kernel_id != kernel_id:
                continue
            if event.path is None and self.is_ours(event.id):
                named = replace(event, path=path)
                self.put(replace(named, name=name) if isinstance(named, KernelEvent) else named)
        for key in [key for key in self._latest if key[1:] == (kernel_id, "")]:
            self._latest[key[0], kernel_id, path] = self._latest.pop(key)

    def cut(self) -> None:
        """Have what comes from now on be told apart from what was."""
        self._latest = {key: i for key, i in self._latest.items() if key[0] == "died"}

    # What is recorded in its own way -----------------------------------------------------

    def ran(self, run: CellRun) -> str:
        """Record an execution that ended, with those like it; return the id of the record."""
        if run.outcome == "finished" and (run.seconds or 0.0) < LONG_SECONDS:
            self.remove(run.id)
            return self._ran_quickly(run)
        if run.outcome == "failed":
            return self._failed(run)
        return self.put(run)

    def _ran_quickly(self, run: CellRun) -> str:
        until, seconds = run.until or run.time, run.seconds or 0.0
        key = ("cells", run.kernel_id, run.path or "")
        known = self._recent(key, CellsRan, run.time)
        if known is None or until - known.time > _GO:
            made = CellsRan(
                id=self.new_id(),
                time=run.time,
                until=until,
                kernel_id=run.kernel_id,
                path=run.path,
                cell_id=run.cell_id,
                execution_count=run.execution_count,
                cells=1,
                seconds=seconds,
                longest_seconds=seconds,
            )
            return self._begin(key, made)
        return self.put(
            replace(
                known,
                until=until,
                cell_id=run.cell_id,
                execution_count=run.execution_count,
                cells=known.cells + 1,
                seconds=known.seconds + seconds,
                longest_seconds=max(known.longest_seconds, seconds),
            )
        )

    def _failed(self, run: CellRun) -> str:
        began, count = self._errors.get(run.kernel_id, (run.time, 0))
        if abs(run.time - began) > _GAP:
            began, count = run.time, 0
        while len(self._errors) >= _MOST_LATEST:
            del self._errors[next(iter(self._errors))]
        self._errors[run.kernel_id] = (began, count + 1)
        key = ("failed", run.kernel_id, run.path or "")
        known = self._recent(key, CellRun, run.time)
        if known is not None:
            is_same = (known.cell_id, known.error_name, known.error_text) == (
                run.cell_id,
                run.error_name,
                run.error_text,
            )
            if is_same:
                self.remove(run.id)
                again = replace(known, until=run.until, seconds=run.seconds, times=known.times + 1)
                return self.put(again)
            if count >= _MOST_ERRORS:
                self.remove(run.id)
                return self.put(replace(known, others=known.others + 1))
        return self._begin(key, run)

    def happened(self, event: KernelEvent) -> str:
        """Record what became of a kernel; the same again is one record, of the last time."""
        key = ("kernel", event.kernel_id, event.action)
        known = self._recent(key, KernelEvent, event.time)
        if known is None:
            return self._begin(key, event)
        return self.put(replace(event, id=known.id, times=known.times + 1))

    def died(self, death: KernelEvent, *, again: bool) -> str:
        """Record the death of a kernel; one right after another is one more of the same."""
        key = ("died", death.kernel_id)
        known = self.get(self._latest.get(key))
        if again and isinstance(known, KernelEvent):
            return self.put(
                replace(
                    known,
                    cause=death.cause,
                    restarted=death.restarted,
                    stays=death.stays,
                    times=known.times + 1,
                    cell_id=death.cell_id or known.cell_id,
                    execution_count=death.execution_count or known.execution_count,
                )
            )
        return self._begin(key, death)

    def latest_death(self, kernel_id: str) -> KernelEvent | None:
        """Return how a kernel died last, in this life of the server."""
        known = self.get(self._latest.get(("died", kernel_id)))
        return known if isinstance(known, KernelEvent) else None

    def changed(self, change: FileEvent) -> str:
        """Record a change of a file, with those like it."""
        if change.action == "copied":
            # The server saves the copy first, and tells of that, too.
            saved = self._recent(("file", "saved", change.path), FileEvent, change.time)
            if saved is not None and change.time - saved.time < _AT_ONCE:
                self.remove(saved.id)
        key = ("file", change.action, change.path)
        known = self._recent(key, FileEvent, change.time)
        if known is None or change.action != "saved" or change.until - known.time > _GO:
            return self._begin(key, change)
        return self.put(replace(known, until=change.until, times=known.times + 1))

    def _recent(self, key: tuple[str, ...], kind: type[_Event], now: datetime) -> _Event | None:
        known = self.get(self._latest.get(key))
        if not isinstance(known, kind) or not timedelta(0) <= now - last_seen(known) <= _GAP:
            return None
        return known

    def _begin(self, key: tuple[str, ...], event: ActivityEvent) -> str:
        while len(self._latest) >= _MOST_LATEST:
            del self._latest[next(iter(self._latest))]
        self._latest.pop(key, None)
        self._latest[key] = event.id
        return self.put(event)

    # What is on disk ----------------------------------------------------------------------

    def load(self, earlier: Records) -> None:
        """Take in what was recorded before, the oldest first; what is here already is newer."""
        ours, self._records = self._records, earlier
        for event_id in self._gone:
            earlier.remove(event_id)
        for event in ours:
            earlier.put(event)
        self._make_room()

    def changes(self) -> Changes:
        """Return what is to be done to the file, and count it as done."""
        dirty, self._dirty = self._dirty, set()
        gone, self._gone = self._gone, set()
        is_anew, self._is_anew = self._is_anew, False
        if is_anew:
            return Changes(list(self), [], is_anew)
        changed = [event for event in map(self.get, sorted(dirty)) if event is not None]
        return Changes(changed, sorted(gone), is_anew)

    def put_back(self, changed: Iterable[str], gone: Iterable[str], *, is_anew: bool) -> None:
        """Know that changes of records of these ids were not written."""
        self._is_anew |= is_anew
        self._dirty |= {i for i in changed if self.get(i) is not None}
        self._gone |= {i for i in gone if self.get(i) is None}

    def rewrite(self) -> None:
        """Have all of the file be replaced."""
        self._is_anew = True
        self._gone.clear()
