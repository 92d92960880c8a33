"""Warnings before and explanations after, put on the notice board."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...kernels.signals import signal_of
from ...models import Notice
from ...notices import Board
from ..models import MemoryUsage, Program, Run, UsageEvent
from ..sampler import Taken
from .deaths import (
    Cause,
    Counters,
    Death,
    cause_of,
    event_of,
    explain,
    killed_elsewhere,
    rose,
    shrunk,
)
from .endings import previous_run_notice
from .losses import Losses
from .pressure import TREND_MIN_SHARE
from .warnings import Thresholds, Watch

#: What is older is history; the chart has it.
EXPLAINED_FOR = timedelta(days=1)
MOST_EXPLANATIONS = 20

#: The most memory of this time before a death is what is told of.
PEAK_OF = timedelta(minutes=1)

#: Which program lost a process is told by a look before and one after; a look that was
#: older tells nothing.
LOSER_SECONDS = 60.0

#: While memory is short, how old a look at programs may be, and by how much of the limit
#: memory may have grown since.
LOOK_SECONDS = 10.0
LOOK_GROWTH = 0.05


@dataclass(frozen=True)
class _Found:
    at_seconds: float
    death: Death


class Alerts:
    """Judges every sample. Used by the sampler's thread, but where it says otherwise.

    Parameters
    ----------
    board:
        Where notices are put up.
    record:
        Keeps what happened for the charts.
    on_cause:
        Called for each dead kernel.
    on_explained:
        Called for each with what is told of it.
    thresholds:
        When to warn.
    """

    def __init__(
        self,
        *,
        board: Board,
        record: Callable[[UsageEvent], None],
        on_cause: Callable[[Cause], None],
        on_explained: Callable[[Notice], None] = lambda notice: None,
        thresholds: Thresholds,
    ) -> None:
        self._board = board
        self._record = record
        self._on_cause = on_cause
        self._on_explained = on_explained
        self._watch = Watch(thresholds)
        self._losses = Losses()
        self._found: deque[_Found] = deque()
        self._warned: set[str] = set()
        self._explained: deque[Notice] = deque()
        self._unexplained: Notice | None = None
        """The latest kill that was told without a dead kernel."""
        self._used: deque[tuple[datetime, int]] = deque()
        self._looks: deque[tuple[float, Sequence[Program]]] = deque(maxlen=2)
        self._oom_kills: int | None = None
        self._dead: set[str | None] = set()
        """Kernels that died while a warning named them."""
        self._losers: list[str] = []
        """Names of programs that may have lost a process for want of memory."""
        self._looked_bytes = 0
        """The least memory in use since the last look."""

    def on_death(self, death: Death, at_seconds: float) -> None:
        """Take note of a dead kernel, to be explained with the next sample. Any thread."""
        self._found.append(_Found(at_seconds, death))

    def on_previous_run(self, run: Run | None, open_names: Sequence[str], now: datetime) -> None:
        """Say how the server's last run ended, if it did not end well. Any thread."""
        notice = None if run is None else previous_run_notice(run, open_names, now)
        if notice is not None:
            self._board.post(notice)

    @property
    def needs_fast_pace(self) -> bool:
        """Whether each second counts."""
        return self._watch.needs_fast_pace()

    def wants_look(self, memory: MemoryUsage, at_seconds: float) -> bool:
        """Whether to look who uses how much before this memory is judged.

        Whom a notice names is what may be interrupted, so it must be right at once. And
        who lost a process shows only now.
        """
        if rose(self._oom_kills, memory.oom_kills):
            return True
        used, limit = memory.working_set_bytes, memory.limit_bytes
        if used is None or not limit:
            return False
        self._looked_bytes = min(self._looked_bytes, used)
        if used >= TREND_MIN_SHARE * limit and used >= self._looked_bytes + LOOK_GROWTH * limit:
            return True
        looked_at = self._looks[-1][0] if self._looks else float("-inf")
        return self.needs_fast_pace and at_seconds >= looked_at + LOOK_SECONDS

    def on_look(self, programs: Sequence[Program], memory: MemoryUsage, at_seconds: float) -> None:
        """Take note of who uses how much."""
        self._looks.append((at_seconds, programs))
        if rose(self._oom_kills, memory.oom_kills):
            self._losers = self._shrunk()
        self._looked_bytes = memory.working_set_bytes or 0

    def on_sample(self, taken: Taken, at_seconds: float) -> None:
        """Warn of what is near, explain what died.

        Parameters
        ----------
        taken:
            The latest sample.
        at_seconds:
            Now, by the clock of `on_death` and `on_look`.
        """
        sample, memory = taken.sample, taken.memory
        counters = Counters(memory.oom_kills, memory.limit_hits)
        self._losses.count(at_seconds, counters, memory.origin)
        self._oom_kills = memory.oom_kills
        used = sample.memory.working_set_bytes
        if used is not None:
            self._used.append((sample.time, used))
        while self._used and abs(sample.time - self._used[0][0]) > PEAK_OF:
            self._used.popleft()
        while self._found:
            self._explain(self._found.popleft(), taken)
        warnings = self._watch.update(sample, self._biggest(used), at_seconds)
        self._warn(self._of_the_living(warnings, sample.memory))
        self._tell_of_unexplained(sample.time, at_seconds)
        while self._explained and self._is_over(self._explained[0], sample.time):
            self._board.withdraw(self._explained.popleft().id)

    def _is_over(self, notice: Notice, now: datetime) -> bool:
        return len(self._explained) > MOST_EXPLANATIONS or notice.time < now - EXPLAINED_FOR

    def _biggest(self, used_bytes: int | None) -> Program | None:
        """Find what uses most memory, as far as known."""
        programs = self._looks[-1][1] if self._looks else []
        ours = [program for program in programs if program.kind != "other"]
        told = sum(program.memory_bytes or 0 for program in ours)
        # Others may count against another limit, as those of a pod's other containers do.
        explained = used_bytes is None or 2 * told >= used_bytes
        # Where others are not listed, whoever it is may be none of ours.
        if not explained and len(ours) == len(programs):
            return None
        return next(iter(ours if explained else programs), None)

    def _shrunk(self) -> list[str]:
        if len(self._looks) < 2:
            return []
        (before_at, before), (after_at, after) = self._looks
        return shrunk(before, after) if after_at - before_at <= LOSER_SECONDS else []

    def _of_the_living(self, notices: Sequence[Notice], memory: MemoryUsage) -> list[Notice]:
        """Leave out what is over with the kernel that it names."""
        self._dead &= {notice.kernel_id for notice in notices}
        used, limit = memory.working_set_bytes, memory.limit_bytes
        if used is None or not limit or used >= Thresholds.clear_share * limit:
            return list(notices)
        return [notice for notice in notices if notice.kernel_id not in self._dead]

    def _warn(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            if notice.id not in self._warned:
                self._record(event_of(notice))
            self._board.post(notice)
        holding = {notice.id for notice in notices}
        for over in self._warned - holding:
            self._board.withdraw(over)
        self._warned = holding

    def _explain(self, found: _Found, taken: Taken) -> None:
        memory = taken.sample.memory
        killed = signal_of(found.death.exit_code) == 9
        loss = self._losses.death(found.at_seconds, killed=killed)
        notice = explain(
            found.death,
            loss.before,
            loss.after,
            memory.limit_bytes,
            max(self._used, key=lambda used: used[1], default=None),
            scope=memory.scope,
        )
        self._dead.add(found.death.kernel_id)
        cause = cause_of(notice)
        if loss.was_told and cause in ("out-of-memory", "machine-out-of-memory"):
            self._take_back()
        self._on_cause(cause)
        self._on_explained(notice)
        self._tell(notice)

    def _tell_of_unexplained(self, time: datetime, at_seconds: float) -> None:
        loss = self._losses.unexplained(at_seconds)
        if loss is None:
            return
        notice = killed_elsewhere(loss.before, loss.after, self._losers, time)
        self._losers = []
        if notice is not None:
            self._unexplained = notice
            self._tell(notice)

    def _take_back(self) -> None:
        """Withdraw what a late death explains after all."""
        notice, self._unexplained = self._unexplained, None
        if notice is not None:
            self._explained = deque(n for n in self._explained if n.id != notice.id)
            self._board.withdraw(notice.id)

    def _tell(self, notice: Notice) -> None:
        self._record(event_of(notice))
        # A row of deaths is one notice, told anew.
        earlier = [known for known in self._explained if known.id != notice.id]
        self._explained = deque([*earlier, notice])
        self._board.post(notice)
