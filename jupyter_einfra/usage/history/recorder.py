"""Records every sample, in memory at once and on disk soon, and answers from memory."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from ...models import Reason
from ...store import Store
from ..models import HistoryQuery, Run, UsageEvent, UsageHistory, UsageSnapshot
from . import selection, store
from .keeper import HistoryKeeper
from .minutes import Minutes, minutes
from .records import Word
from .runs import Counters, origin_of, stopped, told, worth_naming
from .series import Device, figures_of, gpus_of
from .table import table

#: Samples without a figure of the CPU that are remembered: there is hardly ever one.
_MOST_HOLES = 1000

#: A figure of a GPU that is missing for no longer is only missing for once.
_ONCE_SECONDS = 120.0


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class Recorder:
    """The history of one server.

    Parameters
    ----------
    directory:
        The server's own, see `state.state_directory`; made if need be.
    gap_seconds:
        Samples further apart than this have a gap between them.
    flush_seconds:
        Time between two transactions, and so what a sudden end may lose.
    last_words_share:
        Share of the memory limit above which each sample goes to disk at once.
    log:
        Told of faults as they begin and end.
    now:
        The clock that samples are stamped with.
    options:
        Further arguments of the `Store`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        gap_seconds: float,
        flush_seconds: float = 60.0,
        last_words_share: float = 0.9,
        log: logging.Logger,
        now: Callable[[], datetime] = _utc_now,
        **options: Any,
    ) -> None:
        self._directory = directory
        self._gap_seconds = gap_seconds
        self._last_words_share = last_words_share
        self._log = log
        self._now = now
        self._open: tuple[str, ...] = ()
        self._holes: deque[float] = deque(maxlen=_MOST_HOLES)
        self._utilized: dict[str, float] = {}
        self._on_loaded: Callable[[Run | None], None] | None = None
        self._keeper = HistoryKeeper(log=log, now=now, on_loaded=self._loaded)
        self._store: Store[store.Batch] = Store(
            directory / "usage.sqlite",
            self._keeper,
            migrations=store.MIGRATIONS,
            flush_seconds=flush_seconds,
            log=log,
            **options,
        )

    @property
    def reason(self) -> Reason | None:
        """Why the history is not kept on disk; None when it is."""
        return self._store.reason

    @property
    def previous_run(self) -> Run | None:
        """How the run before this one ended; None if there was none, or it is not known yet."""
        return None if self._keeper.previous is None else told(self._keeper.previous)

    @property
    def previous_open(self) -> Sequence[str]:
        """Notebooks that had a kernel when the run before this one ended."""
        return () if self._keeper.previous is None else self._keeper.previous.open

    def start(self, on_loaded: Callable[[Run | None], None] | None = None) -> None:
        """Begin to read and write the disk; returns at once.

        Parameters
        ----------
        on_loaded:
            Called once, in the store's thread, when the history of earlier runs is
            there, with the run before this one.
        """
        self._on_loaded = on_loaded
        self._store.start()

    def stop(self, wait_seconds: float = 2.0) -> None:
        """Mark a clean end and write it; give up on a disk that does not answer."""
        self._keeper.sampled.set()  # nobody need wait for a sample any more
        with self._keeper.lock:
            run = replace(self._keeper.log.run, open=self._open)
            self._keeper.log.update(stopped(run, self._now().timestamp()))
        if not self._store.stop(wait_seconds):
            self._log.warning("The last of the history could not be written in time")
        elif self._keeper.last_words is not None:
            self._keeper.last_words.stop(wait_seconds / 4)

    def add(
        self,
        sample: UsageSnapshot,
        *,
        limit_hits: int | None = None,
        origin: str = "",
        gpus_are_new: bool = True,
    ) -> None:
        """Record a sample.

        Parameters
        ----------
        sample:
            The figures; unknown ones leave a hole.
        limit_hits:
            How often the control group met its memory limit so far.
        origin:
            Which group that is: counters of different ones do not compare.
        gpus_are_new:
            Whether the driver has answered since the sample before; what it said then must
            not count twice.
        """
        memory = sample.memory
        at_seconds, figures = sample.time.timestamp(), figures_of(sample)
        gpus = self._worth_keeping(at_seconds, gpus_of(sample)) if gpus_are_new else []
        used, limit = memory.unreclaimable_bytes, memory.limit_bytes
        if used is None:
            used = memory.working_set_bytes
        counters = Counters(
            oom_kills=memory.oom_kills, limit_hits=limit_hits, origin=origin_of(origin)
        )
        keeper = self._keeper
        with keeper.lock:
            if math.isnan(figures[0]):
                self._holes.append(at_seconds)
            keeper.history.add(at_seconds, figures, gpus)
            others_open = keeper.log.run.open != self._open
            run = replace(
                keeper.log.run,
                seen=at_seconds,
                samples=keeper.log.run.samples + 1,
                used_bytes=used,
                limit_bytes=limit,
                counters=counters,
                open=self._open,
            )
            keeper.log.update(run)
        keeper.sampled.set()
        if others_open:  # a person's act, so not a quiet time, and what would be lost
            self._store.flush()
        if keeper.last_words is None or used is None or limit is None:
            return
        if used >= self._last_words_share * limit:
            keeper.last_words.put(
                Word(run.token, run.samples, at_seconds, figures, used, limit, run.counters)
            )

    def _worth_keeping(
        self, at_seconds: float, gpus: list[tuple[Device, tuple[float, float]]]
    ) -> list[tuple[Device, tuple[float, float]]]:
        """Leave out a device whose utilization is missing for once.

        It would count among the samples that its mean is of. One that has none for longer is
        kept, for its memory.
        """
        known = {gpu.uuid for gpu, values in gpus if not math.isnan(values[0])}
        self._utilized |= dict.fromkeys(known, at_seconds)
        return [
            (gpu, values)
            for gpu, values in gpus
            if gpu.uuid in known
            or not 0 <= at_seconds - self._utilized.get(gpu.uuid, -math.inf) < _ONCE_SECONDS
        ]

    def record(self, event: UsageEvent) -> None:
        """Record that something happened, for 90 days; it is written soon."""
        with self._keeper.lock:
            self._keeper.log.record(event)
        self._store.flush()

    def set_open(self, names: Sequence[str]) -> None:
        """Remember which notebooks have a kernel, for the run after this one.

        Called on the loop, so it waits for nobody: the next sample takes it along.
        """
        self._open = worth_naming(names)

    def select(self, query: HistoryQuery, *, every_point: bool = False) -> UsageHistory:
        """Answer a query from memory.

        Parameters
        ----------
        query:
            What is asked for.
        every_point:
            Whether a resolution is kept to however many points that makes.

        Raises
        ------
        InvalidParameter
            The query makes no sense.
        """
        now = self._now()
        where = selection.span(query, now, every_point=every_point)
        with self._keeper.lock:
            part = selection.cut(self._keeper.history, where)
            events, runs = self._keeper.log.events(now), self._keeper.log.runs()
        return selection.told(
            where,
            part,
            now=now,
            gap_seconds=self._gap_seconds,
            events=events,
            runs=[told(run) for run in runs],
            reason=self.reason,
        )

    def table(self, query: HistoryQuery) -> str:
        """Answer a query as comma-separated values, with as many lines as it asks for.

        Slow; called in a thread of its own.

        Raises
        ------
        InvalidParameter
            The query makes no sense.
        """
        pieces = []
        for piece in table(self.select(query, every_point=True)):
            pieces.append(piece)
            time.sleep(0)  # the loop's turn
        return "".join(pieces)

    def minutes(self, since: float, until: float) -> Minutes | None:
        """Return a part of the last week, minute by minute; times in seconds since 1970.

        None while what earlier runs left has not been read.
        """
        if not self._keeper.is_loaded:
            return None
        with self._keeper.lock:
            log = self._keeper.log
            return minutes(self._keeper.history, log.runs(), since, until, tuple(self._holes))

    def memory_bytes(self) -> int:
        """Size of all figures in memory."""
        with self._keeper.lock:
            return self._keeper.history.memory_bytes()

    @property
    def committed(self) -> int:
        """How many of the samples of this run are on disk."""
        return self._keeper.committed

    def _loaded(self) -> None:
        try:
            if self._on_loaded is not None:
                self._on_loaded(self.previous_run)
        except Exception:  # noqa: BLE001 - a fault of theirs must not cost the history
            self._log.exception("Nobody could be told how the server's last run ended")
