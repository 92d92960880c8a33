"""The last week minute by minute, for those who judge how much was used.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from .runs import RunRecord
from .series import GPU_SERIES, SERIES, History
from .tiers import TIERS, UNKNOWN, Window

WIDTH_SECONDS = 60.0

#: A week of minutes.
_TIER = next(i for i, tier in enumerate(TIERS) if tier.step_seconds == WIDTH_SECONDS)


class Minute(NamedTuple):
    """One figure, minute by minute; NaN where it was not known."""

    samples: list[int]
    least: list[float]
    mean: list[float]
    highest: list[float]


class GpuMinutes(NamedTuple):
    """Utilization of one GPU or slice."""

    uuid: str
    scope: Literal["gpu", "shared-gpu", "mig"]
    utilization: Minute


class Minutes(NamedTuple):
    """A part of the history."""

    first: float
    """Start of the first minute, in seconds since 1970."""
    cpu: Minute
    """Cores in use."""
    gpus: list[GpuMinutes]
    breaks: list[float]
    """When runs began and ended, and when a figure of the CPU was missing."""


def minutes(
    history: History,
    runs: Iterable[RunRecord],
    since: float,
    until: float,
    holes: Iterable[float] = (),
) -> Minutes:
    """Copy a part of the history; quick, since nobody may write meanwhile.

    Parameters
    ----------
    history, runs:
        All that there are.
    since, until:
        In seconds since 1970.
    holes:
        When samples had no figure of the CPU.
    """
    tier = TIERS[_TIER]
    last = tier.start(until)
    first = max(tier.start(since), last - (tier.capacity - 1) * tier.step_seconds)
    gpus = [
        GpuMinutes(device.uuid, device.scope, _minute(window, GPU_SERIES.index("utilization")))
        for device, track in history.gpus.values()
        if any((window := track.window(_TIER, first, last)).present)
    ]
    return Minutes(
        first=float(first),
        cpu=_minute(history.server.window(_TIER, first, last), SERIES.index("cpu_used_cores")),
        gpus=gpus,
        breaks=[*(moment for run in runs for moment in (run.started, run.seen)), *holes],
    )


def _minute(window: Window, series: int) -> Minute:
    def known(values: Iterable[float]) -> list[float]:
        return [
            value if there else UNKNOWN for value, there in zip(values, window.present, strict=True)
        ]

    return Minute(
        samples=[
            count if there else 0
            for count, there in zip(window.samples, window.present, strict=True)
        ],
        least=known(window.column(series, 0)),
        mean=known(window.column(series, 1)),
        highest=known(window.column(series, 2)),
    )
