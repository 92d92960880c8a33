"""What was used is added up from what there are figures of, and only that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from servers.played import history
from servers.samples import GIB

from jupyter_einfra.activity.use import use_of
from jupyter_einfra.usage.models import Band, GpuHistory, Run, UsageHistory

from .made import at


def band(*mean: float | None, maximum: list[float | None] | None = None) -> Band:
    return Band(minimum=list(mean), mean=list(mean), maximum=maximum or list(mean))


def hours(count: int, **bands: Any) -> UsageHistory:
    none = band(*[None] * count)
    names = [name for name in UsageHistory.__struct_fields__ if name.endswith(("_cores", "_bytes"))]
    made = history(at(0), at(60 * count))
    return replace(
        made,
        resolution_seconds=3600,
        offsets_seconds=[3600.0 * hour for hour in range(count)],
        **{"gpus": [], **dict.fromkeys(names, none), **bands},
    )


def test_cores_times_hours_are_core_hours() -> None:
    use = use_of(hours(4, cpu_used_cores=band(2.0, None, 1.0, 0.5)), "container")
    assert use is not None
    assert use.cpu_core_hours == pytest.approx(3.5)
    assert use.known_seconds == 3 * 3600
    assert use.scope == "container"
    assert use.gpu_hours is None
    assert use.memory_peak_bytes is None


def test_the_peak_of_memory_is_told_with_its_moment_and_limit() -> None:
    use = use_of(
        hours(
            3,
            memory_working_set_bytes=band(1.0, 1.0, 1.0, maximum=[GIB, 7.0 * GIB, None]),
            memory_limit_bytes=band(16.0 * GIB, 8.0 * GIB, 16.0 * GIB),
            home_used_bytes=band(1.0, 3.0, None),
            home_limit_bytes=band(10.0, 10.0, 10.0),
        ),
        "container",
    )
    assert use is not None
    assert (use.memory_peak_bytes, use.memory_limit_bytes) == (7 * GIB, 8 * GIB)
    assert use.memory_peak_at == at(0) + timedelta(hours=1)
    assert (use.home_used_bytes, use.home_limit_bytes) == (3, 10)
    assert use.cpu_core_hours is None


def gpu(*utilization: float | None, total: int | None = None, most: Any = None) -> GpuHistory:
    count = len(utilization or most)
    return GpuHistory(
        index=0,
        uuid="GPU-0",
        name="GPU",
        scope="gpu",
        memory_total_bytes=total,
        utilization=band(*(utilization or [None] * count)),
        memory_used_bytes=band(*[0.0 if most else None] * count, maximum=most),
    )


def test_hours_of_gpus_are_added_up_from_those_there_are_figures_of() -> None:
    cores = band(1.0, 1.0)
    use = use_of(hours(2, cpu_used_cores=cores, gpus=[gpu(0.5, 1.0), gpu(None, 0.25)]), "container")
    assert use is not None
    assert use.gpu_hours == pytest.approx(1.75)
    use = use_of(hours(2, cpu_used_cores=cores, gpus=[gpu(None, None)]), "container")
    assert use is not None
    assert use.gpu_hours is None


@pytest.mark.parametrize(
    ("gpus", "peak"),
    [
        ([], (None, None)),
        ([gpu(1.0, 1.0)], (None, None)),
        ([gpu(1.0, 1.0, most=[5.0, None])], (5, None)),
        # Of one that is small the same memory is more.
        ([gpu(total=80, most=[20.0, 30.0]), gpu(total=10, most=[10.0, None])], (10, 10)),
        ([gpu(total=80, most=[20.0, 79.6]), gpu(total=10, most=[8.0, 9.0])], (80, 80)),
    ],
)
def test_the_fullest_gpu_is_told(gpus: list[GpuHistory], peak: tuple[int | None, ...]) -> None:
    use = use_of(hours(2, cpu_used_cores=band(1.0, 1.0), gpus=gpus), None)
    assert use is not None
    assert (use.gpu_memory_peak_bytes, use.gpu_memory_total_bytes) == peak


def test_a_sample_tells_of_the_time_since_the_one_before_but_for_a_gap() -> None:
    """While nobody looks, samples are further apart than the finest points are long."""
    cores = band(1.0, 1.0, None, 1.0, 1.0)
    sparse = replace(
        hours(5, cpu_used_cores=cores),
        resolution_seconds=1,
        gap_seconds=25,
        offsets_seconds=[8.0, 18.0, 28.0, 38.0, 638.0],
    )
    use = use_of(sparse, None)
    assert use is not None
    assert use.known_seconds == 1 + 10 + 10 + 1
    assert use.cpu_core_hours == pytest.approx(use.known_seconds / 3600)


def test_of_hours_that_are_not_all_of_the_time_asked_for_only_the_part_counts() -> None:
    """As of an absence of a week: it began and ended at any minute of an hour."""
    week = replace(
        hours(3, cpu_used_cores=band(4.0, 4.0, 4.0), gpus=[gpu(1.0, 1.0, 1.0)]),
        offsets_seconds=[-3000.0, 600.0, 4200.0],
        until=at(90),
    )
    use = use_of(week, None)
    assert use is not None
    assert use.known_seconds == 90 * 60
    assert use.cpu_core_hours == pytest.approx(4 * 1.5)
    assert use.gpu_hours == pytest.approx(1.5)


def lived(start: float, end: float | None) -> Run:
    ended = None if end is None else at(end)
    ending: Any = "running" if end is None else "stopped"
    return Run(started=at(start), ended=ended, ending=ending, reason=None)


@pytest.mark.parametrize(
    ("runs", "minutes"),
    [
        ([lived(-600, 90)], 90 + 60),
        ([lived(-600, 5), lived(50, 70), lived(170, None)], 5 + 20 + 10),
        # Where no run is known, it may have lived all the time.
        ([lived(-600, 90), lived(130, None)], 90 + 50),
        ([lived(-600, -500), lived(170, None)], 60 + 60 + 10),
        ([], 180),
    ],
)
def test_of_hours_in_which_the_server_began_or_ended_only_its_life_counts(
    runs: list[Run], minutes: float
) -> None:
    use = use_of(replace(hours(3, cpu_used_cores=band(6.0, 6.0, 6.0)), runs=runs), None)
    assert use is not None
    assert use.known_seconds == minutes * 60
    assert use.cpu_core_hours == pytest.approx(6 * minutes / 60)


def test_a_gpu_that_is_not_in_every_sample_is_counted_by_its_own() -> None:
    """Its driver may be slower than all else, and it may go, and come again."""
    sparse = replace(
        hours(6, cpu_used_cores=band(*[1.0] * 6)),
        resolution_seconds=10,
        gap_seconds=25,
        offsets_seconds=[0.0, 10.0, 20.0, 30.0, 40.0, 70.0],
        gpus=[gpu(1.0, None, 1.0, None, None, 1.0)],
    )
    use = use_of(sparse, None)
    assert use is not None
    assert use.known_seconds == 60
    assert use.gpu_hours == pytest.approx((10 + 20 + 10) / 3600)


def test_without_figures_nothing_is_told() -> None:
    assert use_of(hours(3), None) is None
