"""Whether a figure grows steadily, and how fast.

A single step, a spike and a garbage collector's sawtooth are no growth; memory that a
program fills up is. So growth counts only if all of the window shares in it and the
figure is at its highest for some minutes.

Pure: standard library only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from itertools import accumulate, combinations, pairwise
from statistics import median

#: How far back the growth is measured, and the least that says anything.
WINDOW_SECONDS = 30.0
MIN_SPAN_SECONDS = 10.0
MIN_POINTS = 3

#: Closer points than this only cost time.
MIN_STEP_SECONDS = 0.75

#: Share of its part that each third of the window must have in the growth.
MIN_PART = 0.3

#: Falls deeper than this share of the growth make it a sawtooth.
MOST_FALL = 0.5

#: A figure below what it was within this time only comes back, as a sawtooth does.
PEAKS_SECONDS = 300.0


class Trend:
    """Follows one figure over time."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, float]] = deque()
        self._peaks: deque[tuple[float, float]] = deque()
        """Moments older than the window that no later one of them surpassed."""

    def add(self, now: float, value: float) -> None:
        """Take the figure of a moment that is later than all before, in seconds."""
        if len(self._points) > 1 and now - self._points[-2][0] < MIN_STEP_SECONDS:
            self._points.pop()
        self._points.append((now, value))
        while now - self._points[0][0] > WINDOW_SECONDS:
            peak = self._points.popleft()
            while self._peaks and self._peaks[-1][1] <= peak[1]:
                self._peaks.pop()
            self._peaks.append(peak)
        while self._peaks and now - self._peaks[0][0] > PEAKS_SECONDS:
            self._peaks.popleft()

    def slope(self) -> float | None:
        """Return the growth per second while it is steady, else None."""
        if len(self._points) < MIN_POINTS:
            return None
        start, end = self._points[0][0], self._points[-1][0]
        if end - start < MIN_SPAN_SECONDS:
            return None
        if self._peaks and self._points[-1][1] <= self._peaks[0][1]:
            return None
        # Theil-Sen: outliers, and a step beside slow growth, hardly move a median.
        slope = median(
            (later[1] - earlier[1]) / (later[0] - earlier[0])
            for earlier, later in combinations(self._points, 2)
        )
        if slope <= 0 or self._deepest_fall() > MOST_FALL * slope * (end - start):
            return None
        third = (end - start) / 3
        marks = [self._at(start + third * part) for part in range(4)]
        least = MIN_PART * slope * third
        return slope if all(b - a >= least for a, b in pairwise(marks)) else None

    def _deepest_fall(self) -> float:
        highest = accumulate((value for _, value in self._points), max)
        return max(top - value for top, (_, value) in zip(highest, self._points, strict=True))

    def _at(self, moment: float) -> float:
        """Return the figure at a moment within the window, between points in proportion."""
        index = bisect_left(self._points, (moment,), lo=1, hi=len(self._points) - 1)
        (before, low), (after, high) = self._points[index - 1], self._points[index]
        return low + (high - low) * (moment - before) / (after - before)
