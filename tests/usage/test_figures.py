"""The arithmetic between what was read and what is shown."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_einfra.models import Reason
from jupyter_einfra.usage.figures import (
    MIN_SPAN_SECONDS,
    CpuReading,
    Limit,
    MemoryReading,
    cpu_usage,
    memory_usage,
    smallest,
)

UNREADABLE = Reason(code="cgroup_unreadable", message="It could not be read.", params={})

sources: st.SearchStrategy[Literal["cgroup", "affinity", "machine"]] = st.sampled_from(
    ["cgroup", "affinity", "machine"]
)
known_limits = st.builds(Limit, st.floats(0.001, 2**60), sources)
limits = st.builds(Limit, st.none() | st.floats(0.001, 2**60), sources)
seconds = st.floats(0, 1e12)


TWO_CORES = Limit(2.0, "cgroup")


def cpu(
    at: float, used: float | None, *, origin: str = "/a", limit: Limit = TWO_CORES
) -> CpuReading:
    return CpuReading(
        at_seconds=at,
        cpu_seconds=used,
        limit=limit,
        scope="container",
        source="cgroup-v2",
        origin=origin,
        reason=UNREADABLE if used is None else None,
    )


readings = st.builds(
    cpu,
    st.floats(0, 1e9),
    st.none() | seconds,
    origin=st.sampled_from(["/a", "/b"]),
    limit=limits,
)


def test_cores_in_use_are_cpu_time_over_time() -> None:
    told = cpu_usage(cpu(100, 40), cpu(102, 43))
    assert told.used_cores == 1.5
    assert told.reason is None
    assert (told.limit_cores, told.limit_source) == (2.0, "cgroup")
    assert (told.scope, told.source) == ("container", "cgroup-v2")


def test_an_idle_group_uses_nothing_and_not_null() -> None:
    assert cpu_usage(cpu(100, 40), cpu(101, 40)).used_cores == 0.0


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (None, cpu(100, 40)),
        (cpu(99, None), cpu(100, 40)),
        (cpu(99, 39, origin="/b"), cpu(100, 40)),
        (cpu(99, 41), cpu(100, 40)),
        (cpu(100 - MIN_SPAN_SECONDS / 2, 40), cpu(100, 40)),
        (cpu(100, 40), cpu(100, 40)),
        (cpu(101, 39), cpu(100, 40)),
    ],
    ids=["first", "unread", "other-group", "fell", "too-close", "same-time", "clock-back"],
)
def test_without_two_readings_that_compare_the_first_sample_is_awaited(
    before: CpuReading | None, now: CpuReading
) -> None:
    told = cpu_usage(before, now)
    assert told.used_cores is None
    assert told.reason is not None
    assert told.reason.code == "cpu_first_sample"


def test_what_could_not_be_read_keeps_its_reason() -> None:
    told = cpu_usage(cpu(99, 39), cpu(100, None))
    assert told.used_cores is None
    assert told.reason is UNREADABLE


@given(st.none() | readings, readings)
def test_cores_in_use_are_never_negative_and_null_only_with_a_reason(
    before: CpuReading | None, now: CpuReading
) -> None:
    told = cpu_usage(before, now)
    assert (told.used_cores is None) == (told.reason is not None)
    assert told.used_cores is None or told.used_cores >= 0
    assert (told.limit_cores, told.limit_source) == (now.limit.value, now.limit.source)


@given(st.lists(known_limits | st.none(), max_size=4), known_limits)
def test_the_smallest_limit_binds(others: list[Limit | None], one: Limit) -> None:
    found = smallest(*others, one)
    values = [limit.value for limit in (*others, one) if limit is not None]
    assert found in (*others, one)
    assert found.value == min(value for value in values if value is not None)


@given(st.lists(limits, min_size=1, max_size=5))
def test_a_limit_that_is_not_known_may_be_the_smallest(all_limits: list[Limit]) -> None:
    unknown = any(limit.value is None for limit in all_limits)
    assert (smallest(*all_limits).value is None) == unknown


def test_of_equal_limits_the_first_is_named() -> None:
    assert smallest(None, Limit(4, "cgroup"), Limit(4, "machine")).source == "cgroup"
    assert smallest(Limit(4, "affinity"), Limit(4, "cgroup")).source == "affinity"


@given(st.none() | st.integers(0, 2**62), limits)
def test_memory_is_told_in_whole_bytes(used: int | None, limit: Limit) -> None:
    reason = UNREADABLE if used is None else None
    now = MemoryReading(
        working_set_bytes=used, limit=limit, scope="cgroup", source="cgroup-v1", reason=reason
    )
    told = memory_usage(now)
    assert told.working_set_bytes == used
    assert told.reason is reason
    assert told.limit_bytes == (None if limit.value is None else int(limit.value))
    assert told.limit_bytes is None or isinstance(told.limit_bytes, int)
    assert (told.limit_source, told.scope, told.source) == (limit.source, "cgroup", "cgroup-v1")
