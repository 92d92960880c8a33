"""What of the history goes to disk and comes from there, and what it is in memory.

Three threads meet here. The sampler's adds, and never waits for a disk. The store's
loads and writes. Requests select. What they share is held for as long as it takes to
copy a part of it.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from ...store import Connection
from ..models import UsageEvent
from . import store
from .last_words import LastWords, read
from .log import Log
from .records import Word
from .runs import Counters, RunRecord
from .series import History

#: How long a run's judgement waits for what the control group counts now.
_FIRST_SAMPLE_SECONDS = 2.0

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class HistoryKeeper:
    """The history in memory, as a `store.Keeper`.

    Parameters
    ----------
    log:
        Told of what goes wrong.
    now:
        The clock that samples are stamped with.
    on_loaded:
        Called once, in the store's thread, when the history of earlier runs is there.
    """

    def __init__(
        self,
        *,
        log: logging.Logger,
        now: Callable[[], datetime],
        on_loaded: Callable[[], None],
    ) -> None:
        started = now().timestamp()
        self.lock = threading.Lock()
        """Held by whoever reads or changes `history` or `log`."""
        self.history = History()
        self.log = Log(RunRecord(token=random.getrandbits(62), started=started, seen=started))
        self.previous: RunRecord | None = None
        """The run before this one, once it is known."""
        self.committed = 0
        """How many samples of this run are on disk."""
        self.sampled = threading.Event()
        """Set with the first sample."""
        self.last_words: LastWords | None = None
        self._logger = log
        self._now = now
        self._on_loaded = on_loaded
        self.is_loaded = False
        """Whether the file was read."""
        self._waited = False
        self._spoken: list[Word] = []

    def held(self, directory: Path, *, waited: bool) -> None:
        """Read the last words of the run before, and begin with one's own."""
        path = directory / "usage.last-words"
        if not self.is_loaded:
            self._spoken, self._waited = read(path), waited
        if self.last_words is not None:
            self.last_words.stop(0.0)  # of a folder that is gone
        self.last_words = LastWords(path, log=self._logger)
        self.last_words.start()

    def load(self, connection: Connection) -> None:
        """Merge the file with what was recorded meanwhile."""
        now = self._now().timestamp()
        again = self.is_loaded
        events, runs = store.events(connection), store.runs(connection)
        with self.lock:
            self.history.begin_load()
        for rows in store.figures(connection):
            with self.lock:
                self.history.server.load(rows, now, again=again)
        for device, chunks in store.gpus(connection):
            for rows in chunks:
                with self.lock:
                    self.history.load_gpu(device, rows, now, again=again)
        if again:
            with self.lock:
                self.log.reload(events, runs)
        else:
            self._begin(events, runs)

    def _begin(self, events: Mapping[int, UsageEvent], runs: Mapping[int, RunRecord]) -> None:
        """Judge the runs before this one and take in their last words, once."""
        boot = _boot()
        unclosed = [run for run in runs.values() if run.ending == "running"]
        if any(run.boot == boot and run.counters != Counters() for run in unclosed):
            self.sampled.wait(_FIRST_SAMPLE_SECONDS)
        with self.lock:
            counters = self.log.run.counters
            news = self.log.load(events, runs, self._spoken, counters=counters, boot=boot)
            for word in news:
                self.history.add(word.at_seconds, word.figures)
        self._spoken, self.is_loaded = [], True
        previous = self.log.previous
        # While the folder was another's, the latest run may have been beside this one; but
        # the lock of a machine that is gone lingers too, and its run was before.
        if previous is not None and (not self._waited or previous.seen < self.log.run.started):
            self.previous = previous
        self._on_loaded()

    def changes(self) -> store.Batch | None:
        """Return what the file lacks."""
        with self.lock:
            history = self.history.changes()
            events, runs = self.log.changes()
            samples = self.log.run.samples
        if history.figures or history.gpus or events or runs:
            return store.Batch(history, events, runs, samples)
        return None

    def write(self, connection: Connection, changes: store.Batch) -> None:
        """Write it, within a transaction."""
        store.write(connection, changes)

    def written(self, changes: store.Batch) -> None:
        """Know that it is on disk."""
        self.committed = changes.samples

    def put_back(self, changes: store.Batch) -> None:
        """Know that it is not."""
        with self.lock:
            self.history.put_back(changes.history)
            self.log.put_back(changes.events, changes.runs)

    def set_aside(self, aside: Path) -> None:
        """Record that the file was damaged."""
        event = UsageEvent(
            time=self._now(),
            code="history_set_aside",
            message=f"The history on disk was damaged. What could not be read is kept as "
            f"{aside.name}; a new one was begun.",
            params={"file": aside.name},
        )
        with self.lock:
            self.log.record(event)


def _boot() -> str | None:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except (OSError, UnicodeError):
        return None
