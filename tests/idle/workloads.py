"""One workload as two see it: a controller through Prometheus, and the notebook that runs it.

Nothing here knows the project's own rules: what the controller does is written after the
text of `policy`, so that a mistake there is one that the two do not share.

The truth is told second by second: cores in use, and the share of the second in which the
GPU was busy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from jupyter_einfra.idle.observed import Device, Observed, Track
from jupyter_einfra.idle.policy import Rule

Floats = npt.NDArray[np.float64]

#: When the workload's first second is; no multiple of anything.
EPOCH = 1_790_000_017

SCRAPE = 30
DAY = 86400
KEPT_SECONDS = 7 * DAY


@dataclass
class Workload:
    """What really happened on one server, from its start on."""

    cpu: Floats
    gpu: Floats
    down: Sequence[tuple[int, int]] = ()
    """When the container was between two of its lives."""

    def __post_init__(self) -> None:
        for start, end in self.down:
            self.cpu[start:end] = 0
            self.gpu[start:end] = 0

    def __len__(self) -> int:
        return len(self.cpu)


@dataclass
class Controller:
    """Sees what Prometheus has; see the text at the top of `policy`."""

    rule: Rule
    phase: int
    """Of its scrapes, in seconds."""
    evaluates_at: int
    """Seconds from the server's start to the first evaluation after it."""
    gaps: Sequence[tuple[int, int]] = ()
    """When nothing was scraped."""
    verdicts: list[tuple[int, str, int]] = field(default_factory=list)
    """Time, verdict and counter of each evaluation."""

    def deletes_at(self, workload: Workload) -> int | None:
        """Return when the server is deleted, in seconds since its start; None if it stays."""
        rule = self.rule
        times, values = self._means(workload)
        counter = 0
        for now in range(self.evaluates_at, len(workload), rule.evaluation_seconds):
            begin = max(0, now - rule.lookback_seconds)
            steps = now - np.arange((now - begin) // rule.step_seconds) * rule.step_seconds
            there = np.searchsorted(times, steps)
            seen = values[there]
            seen = seen[~np.isnan(seen)]
            coverage = len(seen) / len(steps) if len(steps) else 0.0
            if now < rule.least_age_seconds:
                self.verdicts.append((now, "young", counter))
                continue
            highest = seen.max() if len(seen) else np.nan
            limit = rule.threshold
            if highest > limit or (highest == limit and not rule.idle_at_threshold):
                verdict = "used"
                counter = 0 if rule.reset == "to-zero" else max(0, counter - 1)
            elif not len(seen) or coverage < rule.least_coverage:
                verdict, counter = "unseen", 0
            else:
                verdict, counter = "idle", counter + 1
            self.verdicts.append((now, verdict, counter))
            if counter >= rule.counter_limit:
                return now
        return None

    def _means(self, workload: Workload) -> tuple[npt.NDArray[np.int64], Floats]:
        """Return the mean at every step of all evaluations, NaN where a scrape is missing."""
        rule = self.rule
        scrapes = np.arange(self.phase, len(workload), SCRAPE)
        for start, end in [*self.gaps, *workload.down]:
            scrapes = scrapes[(scrapes < start) | (scrapes >= end)]
        steps = np.arange(self.evaluates_at % rule.step_seconds, len(workload), rule.step_seconds)
        first = np.searchsorted(scrapes, steps - rule.averaging_seconds, side="right")
        last = np.searchsorted(scrapes, steps, side="right")
        whole = last - first >= rule.averaging_seconds // SCRAPE
        first, last = first[whole], last[whole] - 1
        means = np.full(len(steps), np.nan)
        if rule.metric == "cpu_cores":
            means[whole] = self._rate(workload, scrapes, first, last, steps[whole])
        else:
            busy = np.concatenate(([0.0], np.cumsum(workload.gpu)))
            shares = (busy[scrapes] - busy[np.maximum(scrapes - SCRAPE, 0)]) / SCRAPE
            totals = np.concatenate(([0.0], np.cumsum(shares)))
            means[whole] = (totals[last + 1] - totals[first]) / (last + 1 - first)
        return steps, means

    def _rate(
        self,
        workload: Workload,
        scrapes: npt.NDArray[np.int64],
        first: npt.NDArray[np.int64],
        last: npt.NDArray[np.int64],
        steps: npt.NDArray[np.int64],
    ) -> Floats:
        """Return Prometheus's ``rate()``: resets seen, and stretched to the window's ends."""
        used = np.concatenate(([0.0], np.cumsum(workload.cpu)))[scrapes]
        births = np.array([0, *(end for _, end in workload.down)])
        born = births[np.searchsorted(births, scrapes, side="right") - 1]
        counter = used - np.concatenate(([0.0], np.cumsum(workload.cpu)))[born]
        steps_up = np.diff(counter)
        steps_up = np.where(steps_up < 0, counter[1:], steps_up)
        totals = np.concatenate(([0.0], np.cumsum(steps_up)))
        increase = totals[last] - totals[first]
        seconds = self.rule.averaging_seconds
        sampled = (scrapes[last] - scrapes[first]).astype(float)
        between = sampled / (last - first)
        to_start = (scrapes[first] - (steps - seconds)).astype(float)
        to_end = (steps - scrapes[last]).astype(float)
        to_start = np.where(to_start >= between * 1.1, between / 2, to_start)
        with np.errstate(divide="ignore", invalid="ignore"):
            to_zero = np.where(increase > 0, sampled * counter[first] / increase, np.inf)
        to_start = np.where(
            (increase > 0) & (counter[first] >= 0), np.minimum(to_start, to_zero), to_start
        )
        to_end = np.where(to_end >= between * 1.1, between / 2, to_end)
        return np.asarray(increase * (sampled + to_start + to_end) / sampled / seconds)


@dataclass
class Notebook:
    """Sees what its sampler does: every 10 s, every second while somebody looks."""

    workload: Workload
    phase: int = 0
    sees: str = "readings"
    stretch: float = 1.0
    """NVML's reading may be of a sixth of a second, and so up to 6 times the second's share."""
    watched: Sequence[tuple[int, int]] = ()
    away: Sequence[tuple[int, int]] = ()
    """When Jupyter did not run, though the container did."""
    earlier: int = 0
    """So many of the workload's first seconds were those of an earlier start."""

    def __post_init__(self) -> None:
        self.epoch = EPOCH - self.earlier
        self.breaks: list[int] = []
        for start, end in [*self.workload.down, *self.away, (self.earlier, self.earlier)]:
            self.breaks += [start, end]
        times = np.array(self._taken(), dtype=np.int64)
        for start, end in [*self.workload.down, *self.away]:
            times = times[(times < start) | (times >= end)]
        self.times = times
        used = np.concatenate(([0.0], np.cumsum(self.workload.cpu)))
        busy = np.concatenate(([0.0], np.cumsum(self.workload.gpu)))
        before = np.concatenate(([0], self.times[:-1]))
        spans = self.times - before
        self.cpu = (used[self.times] - used[before]) / spans
        whole = (busy[self.times] - busy[before]) / spans
        reading = np.minimum(1.0, self.workload.gpu[self.times - 1] * self.stretch)
        self.gpu = whole if self.sees == "all" else np.ceil(reading * 100) / 100
        first_of_life = np.isin(
            np.searchsorted(np.array(sorted(self.breaks)), self.times, side="right")[1:]
            - np.searchsorted(np.array(sorted(self.breaks)), self.times, side="right")[:-1],
            [0],
            invert=True,
        )
        starts = np.concatenate(([True], first_of_life))
        self.cpu[starts] = np.nan
        if self.sees == "all":
            self.gpu[starts] = np.nan

    def _taken(self) -> list[int]:
        """Return when samples are taken: ten seconds after the last, or as somebody comes.

        While nobody looks these are an even row, which is made at once.
        """
        length, at = len(self.workload), self.phase or 10
        found: list[int] = []
        for start, end in [*sorted(self.watched), (length, length)]:
            found += range(at, min(start, length), 10)
            at = max(start, found[-1] + 1 if found else 1)
            found += range(at, end)
            at = max(at, (found[-1] if found else 0) + 10)
        return [moment for moment in found if 0 < moment < length]

    def observed(self, now: int) -> Observed:
        """Return what is known at a time, in seconds since the server's start."""
        width, epoch = 60, self.epoch
        now += self.earlier
        first = (epoch + max(0, now - KEPT_SECONDS)) // width * width
        count = (epoch + now) // width - first // width + 1
        chosen = (self.times <= now) & (self.times + epoch >= first)
        places = (self.times[chosen] + epoch - first) // width
        gpu = self._track(self.gpu[chosen], places, count)
        sees = self.sees
        assert sees in ("all", "readings", "nothing")
        return Observed(
            first=float(first),
            width=float(width),
            cpu=self._track(self.cpu[chosen], places, count),
            gpus=[Device("GPU-1", sees, gpu)],  # type: ignore[arg-type] # it is one of them
            breaks=[float(epoch + moment) for moment in self.breaks if moment <= now],
            paces=(1.0, 10.0),
        )

    def _track(self, values: Floats, places: npt.NDArray[np.int64], count: int) -> Track:
        samples = np.bincount(places, minlength=count)
        known = ~np.isnan(values)
        numbers = np.bincount(places[known], minlength=count)
        totals = np.bincount(places[known], values[known], minlength=count)
        least = np.full(count, np.inf)
        np.minimum.at(least, places[known], values[known])
        highest = np.full(count, -np.inf)
        np.maximum.at(highest, places[known], values[known])
        with np.errstate(divide="ignore", invalid="ignore"):
            means = totals / numbers
        least[numbers == 0] = highest[numbers == 0] = np.nan
        # Rounding must not push a mean out of its band.
        means = np.minimum(np.maximum(means, least), highest)
        return Track(samples.tolist(), least.tolist(), means.tolist(), highest.tolist())
