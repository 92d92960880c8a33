"""What is about to go wrong, told before it does.

`Watch` takes every sample and returns the notices that hold. ``now`` counts seconds of
a clock that never jumps; the moments that people see are the samples' own.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...models import Notice
from ..models import Program, UsageSnapshot
from .idle_gpus import IdleGpus
from .pressure import MemoryPressure
from .shortages import FullDisks, Throttling


@dataclass(frozen=True)
class Thresholds:
    """When to warn; 0 switches that warning off."""

    memory_share: float = 0.9
    """Share of the memory limit that is too much."""
    clear_share: float = 0.85
    """Share of the memory limit below which all is well again."""
    trend_seconds: float = 60.0
    """Warn if memory, growing as it does, meets its limit within this time."""
    throttled_share: float = 0.25
    """Share of their turns in which programs were held back at the CPU limit."""
    throttled_seconds: float = 300.0
    """The time over which that share is taken."""
    disk_share: float = 0.95
    """Share of a disk that is too much."""
    gpu_unused_seconds: float = 12 * 3600.0
    """Time for which an assigned GPU may do nothing."""


class Watch:
    """Remembers what it must to tell a danger from a moment's noise.

    Parameters
    ----------
    thresholds:
        When to warn.
    """

    def __init__(self, thresholds: Thresholds = Thresholds()) -> None:
        self._memory = MemoryPressure(
            share=thresholds.memory_share,
            clear_share=thresholds.clear_share,
            trend_seconds=thresholds.trend_seconds,
        )
        self._throttling = Throttling(
            share=thresholds.throttled_share, window_seconds=thresholds.throttled_seconds
        )
        self._disks = FullDisks(share=thresholds.disk_share)
        self._gpus = IdleGpus(unused_seconds=thresholds.gpu_unused_seconds)

    def update(self, sample: UsageSnapshot, biggest: Program | None, now: float) -> list[Notice]:
        """Take a sample; return every notice that holds, unchanged ones too.

        Parameters
        ----------
        sample:
            The latest sample.
        biggest:
            What uses most memory, as far as known: a kernel if there is any.
        now:
            Seconds of a clock that never jumps.
        """
        return [
            *self._memory.update(sample, biggest, now),
            *self._throttling.update(sample, now),
            *self._disks.update(sample, now),
            *self._gpus.update(sample, now),
        ]

    def needs_fast_pace(self) -> bool:
        """Whether memory is so near its limit that each second counts."""
        return self._memory.is_near
