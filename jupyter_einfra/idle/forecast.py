"""When a server could be deleted at the earliest, as far as a notebook can know.

All that is not certain counts against the user: what is not known was idle, evaluations come
at the worst moment, and the controller's data lack as much as they may. What is certain is
that a step counts as use, wherever scrapes fall (see `policy` for the terms):

- A window of ``averaging`` time that has all its scrapes covers it but for one ``step``,
  somewhere. So it has all of the use in buckets that lie far enough inside.
- Where use never falls below a value, no mean over that time does.

Assumed is that the controller evaluates when it should. One that was down itself may have
missed use that nothing tells of; what it publishes always goes before a forecast.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate, chain
from operator import eq, sub
from typing import NamedTuple

from .policy import Rule, Standing

#: By so much the controller's clock may differ from ours, and an evaluation be late.
CLOCK_SECONDS = 120.0

#: Evaluations are told apart by no less, and no more.
_CELL_SECONDS = 300.0

#: The server may have existed for so long before the notebook in it could see anything.
_START_SECONDS = 1800.0


class Series(NamedTuple):
    """The least use that is certain, in buckets of equal length; 0 where nothing is known."""

    first: float
    """Start of the first bucket, in seconds since 1970."""
    width: float
    """Length of a bucket in seconds."""
    sums: Sequence[float]
    """Use in each bucket, in core-seconds or busy seconds."""
    floors: Sequence[float]
    """What use did not fall below in each bucket, in cores or a share."""
    lag: float = 10.0
    """By so many seconds what is counted in a bucket may have begun before it."""


class Evaluation(NamedTuple):
    """One that may come, or have been, at the worst moment."""

    at: float
    """In seconds since 1970."""
    counter: int
    """What the counter may be after it."""
    used: bool
    """Whether it certainly finds use, or found it."""


class Forecast(NamedTuple):
    """What may happen at the earliest, if the server is not used from now on."""

    earliest: float
    """No deletion comes before, in seconds since 1970."""
    counter: int
    """The most that the counter may stand at now."""
    used_until: float | None
    """When use was certain for the last time, in seconds since 1970."""
    evaluations: list[Evaluation]
    """Those on the way to the earliest deletion, which is the last of them."""


class _Proof:
    """How much of any time certainly counts as use.

    The steps that a bucket proves to be use lie between its start and ``averaging`` seconds
    later. There are two ways to prove some; both have no more than a bucket's length each.
    """

    def __init__(self, rule: Rule, series: Series, since: float, alive_since: float) -> None:
        averaging, step = rule.averaging_seconds, rule.step_seconds
        first, width, sums, floors, lag = series
        self._rule, self._first, self._width = rule, first, width
        self._since, self._alive_since = since, alive_since
        # All means that certainly have so many successive buckets in them...
        room = averaging - 2 * step - lag
        together = max(0, math.floor((room - step) / width))
        # ...in the steps of so much time.
        self._span = min(width, math.floor((room - together * width) / step) * step)
        totals = [0.0, *accumulate(sums)]
        least = _least(rule, averaging)
        many = map(least.__le__, map(sub, totals[together:], totals)) if together else ()
        # A mean has at least so much of its time; all of that, and the lag, lies in buckets.
        least = _least(rule, averaging / (averaging - step))
        before = math.ceil((averaging + lag) / width)
        low = [0, *accumulate(map(least.__gt__, floors))]
        steady = map(eq, low[before + 1 :], low)
        pad = [0] * before
        self._many = [0, *accumulate(many)]
        self._steady = [0, *accumulate(chain(pad, steady))]
        ends = [_rises(totals) for totals in (self._many, self._steady)]
        latest = max((end for end in ends if end is not None), default=None)
        self.last = None if latest is None else first + latest * width
        if self.last is not None and self.last <= since:
            self.last = None  # that was another server
        #: Evaluations from the first moment to the second find use, and none after it does.
        self._surely = self._forgotten = -math.inf
        if self.last is not None:
            self._forgotten = self.last + averaging + rule.lookback_seconds
            # All of it lies in their lookback time at first; then ever less.
            seen = self.last + width + averaging + CLOCK_SECONDS
            self._forgotten = self._last_to_find(seen, self._forgotten)
            self._surely = seen

    def _last_to_find(self, start: float, end: float) -> float:
        """Return when evaluations cease to find use, of two moments between which they do."""
        while end - start > 1:
            middle = (start + end) / 2
            if self._finds(middle, middle + _CELL_SECONDS):
                start = middle
            else:
                end = middle
        return start

    def finds_use(self, start: float, end: float) -> bool:
        """Whether any evaluation between two moments, a cell apart, certainly finds use."""
        if start >= self._surely:
            return start < self._forgotten
        return self._finds(start, end)

    def _finds(self, start: float, end: float) -> bool:
        rule = self._rule
        # What lies in the lookback time of all of them.
        begin = max(end - rule.lookback_seconds + CLOCK_SECONDS, self._since)
        low = (begin - self._first) / self._width
        high = (start - CLOCK_SECONDS - rule.averaging_seconds - self._first) / self._width
        if high < 0 or high < low:
            return False
        seconds = max(
            _between(self._many, low, high) * self._span,
            _between(self._steady, low, high) * self._width,
        )
        life = min(rule.lookback_seconds, end - self._alive_since)
        return seconds > (1 - rule.least_coverage) * life


def _between(totals: Sequence[int], low: float, high: float) -> int:
    """Return how many there are of buckets that start between two places."""
    last = len(totals) - 1
    begin, end = max(math.ceil(low), 0), min(math.floor(high) + 1, last)
    return totals[end] - totals[begin] if begin < end else 0


def _rises(totals: Sequence[int]) -> int | None:
    """Return where a sum that never falls has risen for the last time."""
    return bisect_left(totals, totals[-1]) if totals[-1] else None


def _least(rule: Rule, factor: float) -> float:
    """Return from where on something is use; a little more, for figures are rounded."""
    least = rule.threshold * factor * (1 + 1e-6)
    return least + 1e-9 if rule.idle_at_threshold else max(least, 1e-12)


def forecast(
    rule: Rule,
    series: Series,
    standing: Standing | None,
    now: float,
    *,
    alive_since: float,
) -> Forecast:
    """Tell when a server may be deleted if nothing more is done on it.

    Parameters
    ----------
    rule:
        The one that holds for the server.
    series:
        What is certain of its use.
    standing:
        What the controller's last evaluation left behind; None if that is not known.
    now, alive_since:
        When this is, and since when the server is known, in seconds since 1970; minus
        infinity, or any time long ago, if it may be of any age.
    """
    since, alive_since = alive_since, alive_since - _START_SECONDS
    proof = _Proof(rule, series, since, alive_since)
    period = float(rule.evaluation_seconds)
    if standing is not None and standing.counter >= rule.counter_limit:
        return Forecast(now, standing.counter, proof.last, [])
    if standing is None or standing.evaluated_at is None:
        counter, begin = _unknown(rule, series, now, alive_since)
        cells = max(1, math.ceil(period / _CELL_SECONDS))
        width = period / cells
        # The same from one forecast to the next, so that only what happens changes it.
        first = now // width * width
        starts = [first + cell * width for cell in range(cells)]
    else:
        # It is known when the controller evaluates, but for what clocks differ by.
        counter, width = standing.counter, 2 * CLOCK_SECONDS
        begin = standing.evaluated_at + period - CLOCK_SECONDS
        since = standing.evaluated_at - CLOCK_SECONDS
        starts = [since + math.ceil((now - width - since) / period) * period]
    walk = _Walk(rule, proof, width, begin, counter)
    ways = [(*walk.along(start), start) for start in starts]
    _, earliest, start = min(ways, key=lambda way: way[1])
    evaluations: list[Evaluation] = []
    walk.along(start, evaluations.append)
    most = max(way[0] for way in ways)
    return Forecast(max(now, earliest), most, proof.last, evaluations)


def _unknown(rule: Rule, series: Series, now: float, alive_since: float) -> tuple[int, float]:
    """Return the worst counter that evaluations may have left, and since when to follow them."""
    born = alive_since + rule.least_age_seconds
    # What is further back than a counter can go does not matter, if use takes it all away.
    back = now - rule.counter_limit * rule.evaluation_seconds
    begin = max(min(now, series.first) if rule.reset == "one-less" else back, born)
    before = (begin - born) / rule.evaluation_seconds
    counter = 0 if before <= 0 else min(rule.counter_limit - 1, math.ceil(min(before, 1e9)))
    return counter, begin


class _Walk(NamedTuple):
    """Follows evaluations from one to the next."""

    rule: Rule
    proof: _Proof
    width: float
    """Each evaluation comes at some time of a cell of so many seconds."""
    begin: float
    """None before is followed."""
    counter: int
    """What those before may have left."""

    def along(
        self, at: float, record: Callable[[Evaluation], object] | None = None
    ) -> tuple[int, float]:
        """Follow those that come with a first one from now on, until one deletes.

        Parameters
        ----------
        at:
            Start of the first cell that does not lie in the past.
        record:
            Told of each.

        Returns
        -------
        What the counter may be now, and when the last one comes.
        """
        rule = self.rule
        period = rule.evaluation_seconds
        counter, standing = self.counter, self.counter
        number = -math.floor((at + self.width - self.begin) / period)
        while True:
            start = at + number * period
            used = self.proof.finds_use(start, start + self.width)
            if used:
                counter = 0 if rule.reset == "to-zero" else max(0, counter - 1)
            else:
                # As for what was, the server is still there.
                counter = min(counter + 1, rule.counter_limit - (number < 0))
            if number < 0:
                standing = counter
            if record is not None:
                record(Evaluation(start, counter, used))
            if counter >= rule.counter_limit:
                return standing, start
            number += 1
