"""What a notebook has seen of its own use, and what of that is certain.

A sample of the CPU tells of all the time since the sample before. One of a GPU, where the
driver's plain utilization is all there is, tells of as little as a sixth of a second, in
whole percent; what was between two of them is not known.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from .forecast import Series
from .policy import Gpus, Metric

#: The least time that a utilization read from NVML is of.
#: Source: NVML API reference, ``nvmlUtilization_t``.
_READING_SECONDS = 1 / 6

#: NVML's whole percent may be rounded up from anything above the percent below.
_ROUNDED = 0.01


class Track(NamedTuple):
    """One figure, bucket by bucket; NaN where it was not known."""

    samples: Sequence[int]
    least: Sequence[float]
    mean: Sequence[float]
    highest: Sequence[float]


class Device(NamedTuple):
    """One GPU or slice."""

    uuid: str
    sees: Literal["all", "readings", "nothing"]
    """Whether its figure tells of all the time, of moments in it, or also of neighbours."""
    track: Track


class Observed(NamedTuple):
    """The history of one server."""

    first: float
    """Start of the first bucket, in seconds since 1970."""
    width: float
    """Length of a bucket in seconds."""
    cpu: Track
    gpus: list[Device]
    breaks: Sequence[float]
    """When the server's runs began and ended."""
    paces: Sequence[float]
    """Seconds from one sample to the next, at each of the paces there are."""
    hides_gpus: bool = False
    """Whether there may be GPUs that cannot be seen from here."""


def certain(observed: Observed, metric: Metric, *, at_face_value: bool = False) -> list[Series]:
    """Return the least use of a metric that is certain: one series for each device.

    Each proves its own part of the use, so whichever forecast of them is the latest holds.

    Parameters
    ----------
    observed, metric:
        What was seen, and of what.
    at_face_value:
        Take readings of moments for what was all the time: likely, and not certain.
    """
    if metric == "cpu_cores":
        return [_series(observed, observed.cpu, _of_all_time(observed))]
    return [
        _series(
            observed,
            device.track,
            _of_all_time(observed)
            if device.sees == "all" or at_face_value
            else _of_moments(observed),
        )
        for device in visible(observed)
        if any(value > 0 for value in device.track.highest)
    ]


def visible(observed: Observed) -> list[Device]:
    """Return the devices whose use can be seen at all."""
    return [
        device
        for device in observed.gpus
        if device.sees != "nothing" and any(value >= 0 for value in device.track.highest)
    ]


#: Tells from samples, least, mean and highest of a bucket its certain sum and floor.
_Judge = Callable[[int, float, float, float], tuple[float, float]]

#: Of so much time before a run ended, a controller may have seen nothing.
_UNSCRAPED_SECONDS = 60.0


def _series(observed: Observed, track: Track, judge: _Judge) -> Series:
    first, width = observed.first, observed.width
    judged = [
        judge(samples, least, mean, highest)
        if samples > 0 and 0 <= least <= mean <= highest
        else (0.0, 0.0)
        for samples, least, mean, highest in zip(
            track.samples, track.least, track.mean, track.highest, strict=True
        )
    ]
    lag = max(observed.paces)
    for moment in observed.breaks:
        # Of such a bucket it is not known of how much of its time its samples tell.
        begin = int((moment - lag - _UNSCRAPED_SECONDS - first) // width)
        for i in range(begin, int((moment + lag - first) // width) + 1):
            if 0 <= i < len(judged):
                judged[i] = (0.0, 0.0)
    # Beside a gap neither, for a sample may be the only one of its bucket.
    known = [False, *(samples > 0 for samples in track.samples), False]
    judged = [
        one if before and after else (0.0, 0.0)
        for one, before, after in zip(judged, known, known[2:], strict=False)
    ]
    return Series(first, width, [one[0] for one in judged], [one[1] for one in judged], lag)


def _of_all_time(observed: Observed) -> _Judge:
    """Judge samples that each tell of the time since the one before.

    The mean of a bucket weighs all of them alike, though they come at two paces. If each is
    taken to be of one pace's time, those of less time count too much: together for no more
    than what the bucket's time is exceeded by, and none for more than the highest.
    """
    width, slowest = observed.width, max(observed.paces)

    def judge(samples: int, least: float, mean: float, highest: float) -> tuple[float, float]:
        sums = (
            pace * samples * mean - highest * max(0.0, pace * samples - width + slowest)
            for pace in observed.paces
        )
        return max(least * width, *sums), least

    return judge


def _of_moments(observed: Observed) -> _Judge:
    def judge(samples: int, least: float, mean: float, highest: float) -> tuple[float, float]:
        # Readings closer together than a second may be of the same time.
        readings = min(samples, observed.width)
        return readings * _READING_SECONDS * max(0.0, mean - _ROUNDED), 0.0

    return judge


#: A GPU's driver takes a while to start, and is not asked in each minute.
_LATE_MINUTES = 5


def gpus_seen(observed: Observed | None, since: float) -> Gpus:
    """Whether GPUs were there since a moment, in seconds since 1970."""
    if observed is None:
        return "never"
    if observed.hides_gpus and not observed.gpus:
        return "sometimes"
    begin = max(0, int((since - observed.first) // observed.width))
    lives = [samples > 0 for samples in observed.cpu.samples[begin:]]
    tracks = [gpu.track.samples[begin:] for gpu in observed.gpus]
    with_gpu = [any(track[i] for track in tracks) for i in range(len(lives))]
    if not any(with_gpu):
        return "never"
    without = sum(life and not gpu for life, gpu in zip(lives, with_gpu, strict=True))
    return "sometimes" if without > _LATE_MINUTES * 60 / observed.width else "always"
