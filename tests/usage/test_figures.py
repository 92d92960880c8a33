"""The arithmetic between what was read and what is shown."""

from __future__ import annotations

import math
from dataclasses import replace
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
    NetworkReading,
    Traffic,
    cpu_usage,
    memory_usage,
    network_usage,
    smallest,
    widest,
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


def throttled(reading: CpuReading, periods: int | None, stopped: int | None) -> CpuReading:
    return replace(reading, periods=periods, throttled_periods=stopped)


@pytest.mark.parametrize(
    ("before", "now", "share"),
    [
        ((10, 4), (30, 9), 0.25),
        ((10, 4), (30, 4), 0.0),
        ((10, 4), (10, 4), 0.0),  # nothing ran
        ((10, 4), (30, 40), 1.0),  # read while they changed
        ((10, 4), (9, 4), None),  # counted anew
        ((10, 4), (30, 3), None),
        ((None, None), (30, 3), None),
        ((10, 4), (None, None), None),
        ((10, 4), (30, None), None),
    ],
)
def test_the_throttled_share_is_that_of_the_periods_between(
    before: tuple[int | None, int | None],
    now: tuple[int | None, int | None],
    share: float | None,
) -> None:
    told = cpu_usage(throttled(cpu(100, 40), *before), throttled(cpu(101, 41), *now))
    assert told.throttled_share == share
    assert told.used_cores == 1.0


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (None, cpu(100, 40)),
        (cpu(99, 39, origin="/b"), cpu(100, 40)),
        (cpu(99, 41), cpu(100, 40)),
        (cpu(99, 41), cpu(100, 0)),
        (cpu(100, 40), cpu(100, 40)),
    ],
    ids=["first", "other-group", "fell", "fell-to-nothing", "same-time"],
)
def test_without_two_readings_that_compare_throttling_is_not_known(
    before: CpuReading | None, now: CpuReading
) -> None:
    known = None if before is None else throttled(before, 10, 4)
    assert cpu_usage(known, throttled(now, 30, 9)).throttled_share is None


def test_throttling_needs_no_cpu_seconds() -> None:
    before, now = throttled(cpu(99, None), 10, 4), throttled(cpu(100, None), 20, 9)
    told = cpu_usage(before, now)
    assert (told.used_cores, told.throttled_share) == (None, 0.5)
    assert told.reason is UNREADABLE


counts = st.none() | st.integers(0, 2**62)


counted = st.builds(throttled, readings, counts, counts)


@given(counted, counted)
def test_a_throttled_share_is_a_share(before: CpuReading, now: CpuReading) -> None:
    share = cpu_usage(before, now).throttled_share
    assert share is None or 0 <= share <= 1


def network(
    at: float, reason: Reason | None = None, **interfaces: tuple[int, int]
) -> NetworkReading:
    traffic = {name: Traffic(*counts) for name, counts in interfaces.items()}
    return NetworkReading(
        at_seconds=at,
        received_bytes=None if reason else sum(t.received_bytes for t in traffic.values()),
        sent_bytes=None if reason else sum(t.sent_bytes for t in traffic.values()),
        scope="container",
        reason=reason,
        interfaces=traffic,
    )


@pytest.mark.parametrize(
    ("before", "now", "rates"),
    [
        (network(100, eth0=(1000, 50)), network(102, eth0=(3000, 150)), (1000, 50)),
        (network(100, a=(0, 0), b=(7, 7)), network(101, a=(5, 6), b=(9, 8)), (7, 7)),
        (network(100, a=(5, 5)), network(101, a=(5, 5)), (0, 0)),
        (network(100), network(101), (0, 0)),  # no interface, no traffic
        # One came, with bytes of another life; one went; one began anew.
        (network(100, a=(5, 5)), network(101, a=(6, 6), b=(10**12, 10**12)), (1, 1)),
        (network(100, a=(5, 5), b=(10**12, 9)), network(101, a=(6, 6)), (1, 1)),
        (network(100, a=(5, 5), b=(900, 900)), network(101, a=(6, 6), b=(3, 950)), (1, 1)),
    ],
)
def test_a_rate_counts_what_went_through_the_same_interfaces(
    before: NetworkReading, now: NetworkReading, rates: tuple[float, float]
) -> None:
    told = network_usage(before, now)
    assert (told.received_bytes_per_second, told.sent_bytes_per_second) == rates
    assert told.reason is None
    assert told.scope == "container"


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (None, network(100, a=(5, 5))),
        (network(99, UNREADABLE), network(100, a=(5, 5))),
        (network(100 - MIN_SPAN_SECONDS / 2, a=(1, 1)), network(100, a=(5, 5))),
        (network(101, a=(1, 1)), network(100, a=(5, 5))),
        (network(99, b=(1, 1)), network(100, a=(5, 5))),
        (network(99, a=(9, 9)), network(100, a=(5, 5))),
        (network(99, a=(9, 9)), network(100)),
    ],
    ids=["first", "unread", "too-close", "clock-back", "others", "fell", "gone"],
)
def test_without_the_same_interfaces_a_rate_is_awaited(
    before: NetworkReading | None, now: NetworkReading
) -> None:
    told = network_usage(before, now)
    assert (told.received_bytes_per_second, told.sent_bytes_per_second) == (None, None)
    assert told.reason is not None
    assert told.reason.code == "network_first_sample"


def test_a_network_that_could_not_be_read_keeps_its_reason() -> None:
    told = network_usage(network(99, a=(1, 1)), network(100, UNREADABLE))
    assert told.received_bytes_per_second is None
    assert told.reason is UNREADABLE


networks = st.builds(
    lambda at, interfaces: network(at, **interfaces),
    st.floats(0, 1e9),
    st.dictionaries(
        st.sampled_from("abc"), st.tuples(st.integers(0, 2**64), st.integers(0, 2**64))
    ),
)


@given(st.none() | networks, networks)
def test_rates_are_never_negative_nor_more_than_was_counted(
    before: NetworkReading | None, now: NetworkReading
) -> None:
    told = network_usage(before, now)
    rate = told.received_bytes_per_second
    assert (rate is None) == (told.reason is not None)
    if rate is not None:
        assert before is not None
        assert now.received_bytes is not None
        assert 0 <= rate <= now.received_bytes / (now.at_seconds - before.at_seconds)
        assert math.isfinite(rate)


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


def test_of_two_scopes_the_wider_one_is_told() -> None:
    assert widest("container", "container") == "container"
    assert widest("cgroup", "container") == "cgroup"
    assert widest("container", "machine") == "machine"


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
