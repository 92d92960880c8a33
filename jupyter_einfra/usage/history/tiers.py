"""The figures of the last 90 days, at five steps, each in a ring as long as its time.

A bucket is one step's time; it keeps the smallest, mean and greatest value of every
series. Its slot in the ring follows from its start, so a ring never grows, nothing is
ever deleted, and a slot tells by its start whether it holds what was looked for. All
tiers take every sample, so each can be read at any moment, its last bucket unfinished.

A mean is that of the samples, each of equal weight. Where two parts of one bucket
meet (before and after a restart), each part weighs as many samples as it had.

Two clocks that differ may call two moments the same: the bucket then has both.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import math
import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

#: The value of a series at a moment when it was not known.
UNKNOWN = math.nan

#: Start of a bucket that was never filled.
_EMPTY = -(2**62)

#: More than any counter of a row's needs to tell.
_MOST_SAMPLES = 2**31


class Tier(NamedTuple):
    """Buckets of one length."""

    step_seconds: int
    capacity: int

    @property
    def span_seconds(self) -> int:
        """Time that the tier covers."""
        return self.step_seconds * self.capacity

    def start(self, at_seconds: float) -> int:
        """Start of the bucket that a moment falls into."""
        return int(at_seconds // self.step_seconds) * self.step_seconds

    def slot(self, start: int) -> int:
        """Place of the bucket in the ring."""
        return start // self.step_seconds % self.capacity


#: 15 minutes, 6 hours, twice 7 days, 90 days. The 600 s make a week a slice of a ring.
TIERS = (Tier(1, 900), Tier(10, 2160), Tier(60, 10080), Tier(600, 1008), Tier(3600, 2160))

#: Key of a row: number of its tier's first row plus its slot.
_OFFSETS = (0, *accumulate(tier.capacity for tier in TIERS))

#: Rows that one track can have.
ROWS = _OFFSETS[-1]


class Row(NamedTuple):
    """One bucket as it is kept in a file: minima, means, maxima as 32-bit floats."""

    key: int
    start: int
    samples: int
    bands: bytes


class Window(NamedTuple):
    """A copy of successive buckets of a ring, those that are not there included."""

    width: int
    present: list[bool]
    values: array[float]
    samples: array[int]
    """Of each bucket; of one that is not there they say nothing."""

    def column(self, series: int, statistic: int) -> array[float]:
        """One series; ``statistic`` 0 is the minimum, 1 the mean, 2 the maximum."""
        return self.values[statistic * self.width + series :: 3 * self.width]


class _Bucket:
    """The bucket that samples go to now, with all that a mean needs."""

    __slots__ = ("high", "known", "low", "samples", "start", "total")

    def __init__(self, start: int, width: int) -> None:
        self.start = start
        self.samples = 0
        self.known = [0] * width
        self.low = [UNKNOWN] * width
        self.total = [0.0] * width
        self.high = [UNKNOWN] * width

    def add(self, figures: Sequence[float]) -> None:
        self.samples += 1
        for i, value in enumerate(figures):
            if value == value:  # noqa: PLR0124 - not NaN
                self._take(i, 1, value, value, value)

    def add_bands(self, samples: int, bands: Sequence[float]) -> None:
        """Add what other samples of the same bucket came to."""
        width = len(self.known)
        self.samples = min(self.samples + samples, _MOST_SAMPLES)
        for i in range(width):
            low, mean, high = bands[i::width]
            if mean == mean:  # noqa: PLR0124
                self._take(i, samples, low, mean, high)

    def _take(self, i: int, samples: int, low: float, mean: float, high: float) -> None:
        self.known[i] += samples
        self.total[i] += mean * samples
        if not low >= self.low[i]:  # also where nothing was known yet
            self.low[i] = low
        if not high <= self.high[i]:
            self.high[i] = high

    def bands(self) -> array[float]:
        # Rounding must not push a mean out of its band.
        means = (
            min(max(total / known, low), high) if known else UNKNOWN
            for known, total, low, high in zip(
                self.known, self.total, self.low, self.high, strict=True
            )
        )
        return array("f", (*self.low, *means, *self.high))


class _Ring:
    """One tier of one track."""

    def __init__(self, tier: Tier, width: int) -> None:
        self.tier = tier
        self.dirty: set[int] = set()
        self._width = width
        self._starts = array("q", [_EMPTY]) * tier.capacity
        self._samples = array("I", [0]) * tier.capacity
        self._values = array("f", bytes(tier.capacity * width * 3 * 4))
        self._bucket: _Bucket | None = None
        self._unsaved: set[int] = set()

    def add(self, at_seconds: float, figures: Sequence[float]) -> None:
        start = self.tier.start(at_seconds)
        bucket = self._bucket
        if bucket is None or bucket.start != start:
            bucket = self._bucket = self._reopen(start)
        bucket.add(figures)
        self._put(bucket)

    def _reopen(self, start: int) -> _Bucket:
        bucket = _Bucket(start, self._width)
        slot = self.tier.slot(start)
        if self._starts[slot] == start:
            bucket.add_bands(self._samples[slot], self._bands(slot))
        return bucket

    def _put(self, bucket: _Bucket) -> None:
        slot = self.tier.slot(bucket.start)
        self._set(slot, bucket.start, bucket.samples, bucket.bands())
        self.dirty.add(slot)

    def _set(self, slot: int, start: int, samples: int, bands: array[float]) -> None:
        self._starts[slot] = start
        self._samples[slot] = samples
        size = 3 * self._width
        self._values[slot * size : (slot + 1) * size] = bands

    def _bands(self, slot: int) -> array[float]:
        size = 3 * self._width
        return self._values[slot * size : (slot + 1) * size]

    def row(self, slot: int) -> tuple[int, int, bytes]:
        return self._starts[slot], self._samples[slot], _little(self._bands(slot)).tobytes()

    def begin_load(self) -> None:
        """Take nothing for saved but what a file is now shown to have."""
        self._unsaved = self.dirty
        self.dirty = {slot for slot, start in enumerate(self._starts) if start != _EMPTY}

    def load(self, slot: int, row: Row, now_seconds: float, *, again: bool) -> None:
        bands = array("f")
        if (
            row.samples <= 0
            or len(row.bands) != 3 * self._width * bands.itemsize
            or row.start % self.tier.step_seconds
            or self.tier.slot(row.start) != slot
        ):
            return  # not of our making
        bands.frombytes(row.bands)
        bands, mine = _little(bands), self._starts[slot]
        if mine == row.start:
            if again:
                if slot not in self._unsaved:
                    self.dirty.discard(slot)
                return
            bucket = self._reopen(row.start)
            bucket.add_bands(row.samples, bands)
            self._put(bucket)
        # Of two times in one slot the later stays, unless its clock was wrong.
        elif mine == _EMPTY or (
            (row.start <= now_seconds, row.start) > (mine <= now_seconds, mine)
        ):
            self._set(slot, row.start, min(row.samples, _MOST_SAMPLES), bands)
            self.dirty.discard(slot)
        else:
            return
        self._bucket = None  # its sums no longer tell what the slot has

    def window(self, first: int, last: int) -> Window:
        """Copy the buckets that start from ``first`` to ``last``, at most all."""
        step, capacity = self.tier.step_seconds, self.tier.capacity
        count = max(0, min((last - first) // step + 1, capacity))
        begin, size = self.tier.slot(first), 3 * self._width
        end = begin + count
        starts = self._starts[begin:end] + self._starts[: max(0, end - capacity)]
        values = self._values[begin * size : end * size]
        values += self._values[: max(0, end - capacity) * size]
        expected = range(first, first + count * step, step)
        present = [start == wanted for start, wanted in zip(starts, expected, strict=True)]
        samples = self._samples[begin:end] + self._samples[: max(0, end - capacity)]
        return Window(self._width, present, values, samples)

    def memory_bytes(self) -> int:
        parts: tuple[array[int] | array[float], ...] = (self._starts, self._samples, self._values)
        return sum(len(part) * part.itemsize for part in parts)


class Track:
    """Series that are sampled together, at every tier.

    Parameters
    ----------
    width:
        Number of series.
    """

    def __init__(self, width: int) -> None:
        self._rings = [_Ring(tier, width) for tier in TIERS]

    def add(self, at_seconds: float, figures: Sequence[float]) -> None:
        """Take one sample; NaN where a figure was not known."""
        for ring in self._rings:
            ring.add(at_seconds, figures)

    def changes(self) -> list[Row]:
        """Return the rows that changed since the last call."""
        rows = []
        for ring, offset in zip(self._rings, _OFFSETS, strict=False):
            rows += [Row(offset + slot, *ring.row(slot)) for slot in sorted(ring.dirty)]
            ring.dirty.clear()
        return rows

    def put_back(self, rows: Iterable[Row]) -> None:
        """Count rows as changed again: they could not be written."""
        for row in rows:
            tier, slot = _place(row.key)
            self._rings[tier].dirty.add(slot)

    def begin_load(self) -> None:
        """Prepare for `load` of all that a file has: what it lacks counts as changed."""
        for ring in self._rings:
            ring.begin_load()

    def load(self, rows: Iterable[Row], now_seconds: float, *, again: bool) -> None:
        """Take in rows of a file.

        Parameters
        ----------
        rows:
            What cannot be ours is passed over.
        now_seconds:
            Buckets after this were recorded with a wrong clock and give way.
        again:
            Whether this history has known the file before, and so has all of it but
            what is newer; otherwise equal buckets are two parts of one.
        """
        for row in rows:
            if 0 <= row.key < ROWS:
                tier, slot = _place(row.key)
                self._rings[tier].load(slot, row, now_seconds, again=again)

    def window(self, tier: int, first: int, last: int) -> Window:
        """Copy the buckets that start from ``first`` to ``last``; none in the future."""
        return self._rings[tier].window(first, last)

    def memory_bytes(self) -> int:
        """Size of all that is kept."""
        return sum(ring.memory_bytes() for ring in self._rings)


def _place(key: int) -> tuple[int, int]:
    tier = bisect_right(_OFFSETS, key) - 1
    return tier, key - _OFFSETS[tier]


def _little(values: array[float]) -> array[float]:
    """Swap between this machine's byte order and the file's, which is little-endian."""
    if sys.byteorder == "big":
        values.byteswap()
    return values
