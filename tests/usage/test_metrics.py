"""Prometheus reads the latest sample at Jupyter's own address, and costs nothing more."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec
import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from servers.samples import GIB, SHARED, SLICE, WHOLE, sample
from tornado.httpclient import HTTPResponse

from jupyter_einfra.usage.alerts.deaths import CAUSES
from jupyter_einfra.usage.figures import CpuReading, Limit, MemoryReading, NetworkReading
from jupyter_einfra.usage.metrics import MOST_GPUS, PREFIX, UsageCollector
from jupyter_einfra.usage.models import UsageSnapshot
from jupyter_einfra.usage.probes.cgroup import CgroupProbe
from jupyter_einfra.usage.probes.system import SystemProbes

Fetch = Callable[..., Awaitable[HTTPResponse]]
Told = dict[str, float]

CPU = CpuReading(
    at_seconds=5.0,
    cpu_seconds=1234.5,
    limit=Limit(2, "cgroup"),
    scope="container",
    source="cgroup-v2",
    origin="/",
    periods=1000,
    throttled_periods=250,
    throttled_seconds=12.5,
)
MEMORY = MemoryReading(
    working_set_bytes=3 * GIB,
    limit=Limit(16 * GIB, "cgroup"),
    scope="container",
    source="cgroup-v2",
    oom_kills=2,
)
NETWORK = NetworkReading(at_seconds=5.0, received_bytes=7000, sent_bytes=300, scope="container")


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    """A server without us, where nothing but the test observes."""
    return {"ServerApp": {"jpserver_extensions": {}}}


@pytest.fixture(autouse=True)
def alone() -> None:
    """Nobody speaks from an earlier test."""
    silent = UsageCollector()
    silent.register()
    silent.unregister()


@pytest.fixture
def collector() -> Iterator[UsageCollector]:
    made = UsageCollector()
    made.register()
    yield made
    made.unregister()


def parse(text: str) -> Told:
    return {
        found.name
        + "".join(f" {name}={value}" for name, value in sorted(found.labels.items())): found.value
        for family in text_string_to_metric_families(text)
        for found in family.samples
        if found.name.startswith(PREFIX)
    }


def scraped(collector: UsageCollector) -> Told:
    registry = CollectorRegistry()
    registry.register(collector)
    return parse(generate_latest(registry).decode())


def observing(told: UsageSnapshot, cpu: CpuReading = CPU, memory: MemoryReading = MEMORY) -> Told:
    collector = UsageCollector()
    collector.observe(told, cpu, memory, NETWORK)
    return scraped(collector)


async def test_jupyters_own_metrics_tell_ours(collector: UsageCollector, jp_fetch: Fetch) -> None:
    collector.observe(sample(3.1, (WHOLE,)), CPU, MEMORY, NETWORK)
    collector.count_death("out-of-memory")
    told = parse((await jp_fetch("metrics")).body.decode())
    assert told == {
        "jupyter_einfra_cpu_used_cores": 0.4,
        "jupyter_einfra_cpu_limit_cores": 2,
        "jupyter_einfra_cpu_seconds_total": 1234.5,
        "jupyter_einfra_cpu_periods_total": 1000,
        "jupyter_einfra_cpu_throttled_periods_total": 250,
        "jupyter_einfra_cpu_throttled_seconds_total": 12.5,
        "jupyter_einfra_memory_working_set_bytes": int(3.1 * GIB),
        "jupyter_einfra_memory_unreclaimable_bytes": int(3.1 * GIB * 0.9),
        "jupyter_einfra_memory_limit_bytes": 16 * GIB,
        "jupyter_einfra_memory_oom_kills_total": 2,
        "jupyter_einfra_gpu_utilization_ratio gpu=0 uuid=GPU-0": 0.63,
        "jupyter_einfra_gpu_memory_used_bytes gpu=0 uuid=GPU-0": 30 * GIB,
        "jupyter_einfra_gpu_memory_total_bytes gpu=0 uuid=GPU-0": 48 * GIB,
        "jupyter_einfra_disk_used_bytes disk=home": 40 * GIB,
        "jupyter_einfra_disk_limit_bytes disk=home": 100 * GIB,
        "jupyter_einfra_network_received_bytes_total": 7000,
        "jupyter_einfra_network_sent_bytes_total": 300,
        "jupyter_einfra_kernel_deaths_total cause=out-of-memory": 1,
        **{
            f"jupyter_einfra_kernel_deaths_total cause={cause}": 0
            for cause in CAUSES
            if cause != "out-of-memory"
        },
    }


async def test_a_scrape_reads_nothing(
    collector: UsageCollector, jp_fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector.observe(sample(), CPU, MEMORY, NETWORK)
    read: list[str] = []
    for owner in (SystemProbes, CgroupProbe):
        for name in vars(owner):
            if not name.startswith("__"):
                monkeypatch.setattr(owner, name, lambda *_, name=name, **__: read.append(name))
    first, second = [parse((await jp_fetch("metrics")).body.decode()) for _ in range(2)]
    assert first == second
    assert first["jupyter_einfra_cpu_seconds_total"] == 1234.5
    assert read == []


async def test_without_us_jupyter_tells_nothing_of_ours(jp_fetch: Fetch) -> None:
    assert parse((await jp_fetch("metrics")).body.decode()) == {}


def test_before_the_first_sample_only_deaths_are_known() -> None:
    told = scraped(UsageCollector())
    assert len(told) == len(CAUSES)
    assert set(told.values()) == {0}


def test_what_is_unknown_is_absent() -> None:
    told = sample(1.0, (WHOLE, SHARED, SLICE))
    told = msgspec.structs.replace(
        told,
        cpu=msgspec.structs.replace(told.cpu, used_cores=None, limit_cores=None),
        memory=msgspec.structs.replace(told.memory, unreclaimable_bytes=None),
        disks=[msgspec.structs.replace(told.disks[0], used_bytes=None)],
    )
    found = observing(told)
    assert "jupyter_einfra_gpu_utilization_ratio gpu=2 uuid=MIG-2" not in found
    assert "jupyter_einfra_gpu_memory_used_bytes gpu=2 uuid=MIG-2" in found
    assert "jupyter_einfra_gpu_utilization_ratio gpu=1 uuid=GPU-1" in found
    for name in ("cpu_used_cores", "cpu_limit_cores", "memory_unreclaimable_bytes"):
        assert PREFIX + name not in found
    assert "jupyter_einfra_disk_used_bytes disk=home" not in found
    assert "jupyter_einfra_disk_limit_bytes disk=home" in found


def test_nothing_known_is_no_zero() -> None:
    cpu = CpuReading(0.0, None, Limit(None, "cgroup"), "container", "cgroup-v2", "/")
    memory = MemoryReading(None, Limit(None, "cgroup"), "container", "cgroup-v2")
    found = observing(sample(), cpu, memory)
    assert "jupyter_einfra_cpu_seconds_total" not in found
    assert "jupyter_einfra_cpu_throttled_periods_total" not in found
    assert "jupyter_einfra_memory_oom_kills_total" not in found


def test_labels_are_bounded_and_harmless() -> None:
    hostile = msgspec.structs.replace(WHOLE, uuid='x"} 1\nevil_metric 2')
    told = observing(sample(gpus=(hostile,)))
    assert not any(name.startswith("evil") for name in told)
    many = tuple(msgspec.structs.replace(WHOLE, index=n, uuid=f"GPU-{n}") for n in range(500))
    found = observing(sample(gpus=many))
    assert sum("gpu_utilization_ratio" in name for name in found) == MOST_GPUS


def test_names_follow_the_practice_of_prometheus() -> None:
    collector = UsageCollector()
    collector.observe(sample(gpus=(WHOLE,)), CPU, MEMORY, NETWORK)
    for family in collector.collect():
        assert re.fullmatch(r"jupyter_einfra_[a-z][a-z_]+[a-z]", family.name)
        assert family.documentation.endswith(".")
        unit = ("_bytes", "_seconds", "_cores", "_ratio")
        assert family.type == "counter" or family.name.endswith(unit)
    described = {family.name for family in collector.describe()}
    assert described == {family.name for family in collector.collect()}


def test_the_server_started_last_speaks_for_the_process() -> None:
    first, second = UsageCollector(), UsageCollector()
    first.register()
    second.register()
    try:
        second.count_death("killed")
        first.unregister()
        told = parse(generate_latest(REGISTRY).decode())
        assert told["jupyter_einfra_kernel_deaths_total cause=killed"] == 1
    finally:
        second.unregister()
    second.unregister()
    assert parse(generate_latest(REGISTRY).decode()) == {}


def test_another_extension_cannot_take_our_names(collector: UsageCollector) -> None:
    with pytest.raises(ValueError, match="Duplicated"):
        REGISTRY.register(UsageCollector())
