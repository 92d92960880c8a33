"""The metric over time as the policy looks at it, for people to see.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from .observed import Observed, Track, visible
from .policy import Rule

#: More points than this say nothing more.
_MOST_POINTS = 600


class Curve(NamedTuple):
    """Highest means, step by step."""

    since: float
    """Start of the first step, in seconds since 1970."""
    step: float
    values: list[float | None]

    def maximum(self, since: float) -> float | None:
        """Return the highest value of the steps after a moment; None if none is known."""
        skipped = max(0, math.ceil((since - self.since) / self.step))
        return max((v for v in self.values[skipped:] if v is not None), default=None)


def curve(observed: Observed, rule: Rule, since: float, until: float) -> Curve:
    """Draw the metric of a rule: of several devices, the highest.

    Parameters
    ----------
    observed, rule:
        What was seen, and what makes means of it.
    since, until:
        In seconds since 1970.
    """
    tracks = (
        [observed.cpu]
        if rule.metric == "cpu_cores"
        else [device.track for device in visible(observed)]
    )
    width, first = observed.width, observed.first
    begin = max(0, math.floor((since - first) / width))
    count = max(0, math.ceil((until - first) / width) - begin)
    # Each point has whole buckets, of which it shows the highest mean.
    together = max(1, math.ceil(count / _MOST_POINTS))
    over = max(1, round(rule.averaging_seconds / width))
    columns = [_means(track, over)[begin : begin + count] for track in tracks]
    highest = [max(column, default=None) for column in _known(columns, count)]
    values = [
        max((v for v in highest[i : i + together] if v is not None), default=None)
        for i in range(0, len(highest), together)
    ]
    rounded = [None if value is None else round(value, 5) for value in values]
    return Curve(first + begin * width, together * width, rounded)


def _known(columns: Sequence[Sequence[float | None]], count: int) -> list[list[float]]:
    return [
        [column[i] for column in columns if i < len(column) and column[i] is not None]  # type: ignore[misc] # see the condition
        for i in range(count)
    ]


def _means(track: Track, over: int) -> list[float | None]:
    """Return the mean of each bucket and those before it, where half of them are known."""
    known = [0 <= value < math.inf for value in track.mean]
    totals = [0.0, *accumulate(v if k else 0.0 for v, k in zip(track.mean, known, strict=True))]
    numbers = [0, *accumulate(known)]
    found: list[float | None] = []
    for i, is_known in enumerate(known):
        begin = max(0, i + 1 - over)
        number = numbers[i + 1] - numbers[begin]
        # Of less, a moment's peak would look like a mean.
        enough = is_known and number >= over / 2
        found.append((totals[i + 1] - totals[begin]) / number if enough else None)
    return found
