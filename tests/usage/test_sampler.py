"""One thread samples, at the pace of those who watch, whatever its probes do."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from jupyter_einfra.models import Reason
from jupyter_einfra.usage import sampler
from jupyter_einfra.usage.figures import CpuReading, Limit, MemoryReading, NetworkReading, Traffic
from jupyter_einfra.usage.models import DiskUsage, GpuStatus, UsageSnapshot
from jupyter_einfra.usage.probes.driver import GpuReading
from jupyter_einfra.usage.sampler import Sampler, Taken

#: Longer than any test: a pace at which no sample comes by itself.
NEVER = 600.0
DEADLINE_SECONDS = 20.0
GONE = Reason(code="cgroup_unreadable", message="It is gone.", params={})


@dataclass
class FakeProbes:
    """Half a core is always in use."""

    calls: list[str] = field(default_factory=list)
    memory_is_gone: bool = False
    failures: int = 0

    def resolve(self) -> None:
        self.calls.append("resolve")

    def read_cpu(self) -> CpuReading:
        self.calls.append("cpu")
        if self.failures > 0:
            self.failures -= 1
            raise RuntimeError("a probe that breaks its word")
        now = time.monotonic()
        return CpuReading(
            at_seconds=now,
            cpu_seconds=now / 2,
            limit=Limit(2, "cgroup"),
            scope="container",
            source="cgroup-v2",
            origin="/",
        )

    def read_memory(self) -> MemoryReading:
        self.calls.append("memory")
        return MemoryReading(
            working_set_bytes=None if self.memory_is_gone else 4096,
            limit=Limit(8192, "cgroup"),
            scope="container",
            source="cgroup-v2",
            reason=GONE if self.memory_is_gone else None,
        )

    def read_network(self) -> NetworkReading:
        self.calls.append("network")
        now = time.monotonic()
        traffic = Traffic(int(now * 1000), int(now * 2000))
        return NetworkReading(
            at_seconds=now,
            received_bytes=traffic.received_bytes,
            sent_bytes=traffic.sent_bytes,
            scope="container",
            interfaces={"eth0": traffic},
        )

    def read_disks(self) -> list[DiskUsage]:
        self.calls.append("disks")
        return []

    def request_gpus(self, *, processes: bool) -> None:
        self.calls.append("request with processes" if processes else "request")

    def read_gpus(self, wait_seconds: float) -> GpuReading:
        assert wait_seconds <= 0.1
        self.calls.append("gpus")
        return GpuReading([], GpuStatus(driver="575", reason=None))


@pytest.fixture(autouse=True)
def short_first_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second sample comes sooner than in real life."""
    monkeypatch.setattr(sampler, "FIRST_PAUSE_SECONDS", 0.15)


class Run:
    """A sampler at work."""

    def __init__(self, probes: FakeProbes, *, watched: float, unwatched: float) -> None:
        self.probes = probes
        self.samples: queue.Queue[UsageSnapshot] = queue.Queue()
        self.during_tick: Callable[[], None] = lambda: None
        self.sampler = Sampler(
            probes,
            self._on_sample,
            watched_seconds=watched,
            unwatched_seconds=unwatched,
            log=logging.getLogger("test"),
        )

    def _on_sample(self, taken: Taken) -> None:
        self.samples.put(taken.sample)
        self.during_tick()

    def next(self) -> UsageSnapshot:
        """Return the next sample."""
        return self.samples.get(timeout=DEADLINE_SECONDS)

    def assert_quiet(self) -> None:
        """No sample comes for as long as two take at the fast pace."""
        with pytest.raises(queue.Empty):
            self.samples.get(timeout=0.5)


@contextmanager
def sampling(
    probes: FakeProbes | None = None, *, watched: float = 0.2, unwatched: float = NEVER
) -> Iterator[Run]:
    """Sample; the first two samples, close together, are taken already."""
    run = Run(probes or FakeProbes(), watched=watched, unwatched=unwatched)
    run.sampler.start()
    try:
        assert run.next().cpu.used_cores is None
        assert run.next().cpu.used_cores == pytest.approx(0.5)
        yield run
    finally:
        run.sampler.stop()


def test_a_sample_says_what_was_read_and_when_the_next_one_comes() -> None:
    with sampling(watched=0.3, unwatched=1.5) as run:
        sample = run.next()
        assert sample.interval_seconds == 1.5
        assert sample.cpu.used_cores == pytest.approx(0.5)
        assert sample.memory.working_set_bytes == 4096
        assert (sample.gpus, sample.gpu_status.driver) == ([], "575")
        run.sampler.set_watched(True)
        assert run.next().interval_seconds == 0.3
        # A GPU is asked first and read last, so that its answer has time to come.
        assert run.probes.calls[-6:] == ["request", "cpu", "memory", "network", "disks", "gpus"]
        assert sample.network.sent_bytes_per_second == pytest.approx(2000, rel=0.05)


def test_samples_come_fast_while_watched_and_slowly_otherwise() -> None:
    with sampling() as run:
        run.assert_quiet()
        run.sampler.set_watched(True)
        begun = time.monotonic()
        for _ in range(4):
            run.next()
        assert time.monotonic() - begun < DEADLINE_SECONDS / 2
        run.sampler.set_watched(False)
        # Those under way still come.
        while run.next().interval_seconds != NEVER:
            pass
        run.assert_quiet()


def test_in_danger_samples_come_fast_though_nobody_watches() -> None:
    run = Run(FakeProbes(), watched=0.2, unwatched=NEVER)
    dangers = iter([False, True, True, True, False])
    run.during_tick = lambda: run.sampler.set_hurried(next(dangers, False))
    run.sampler.start()
    try:
        for _ in range(6):
            run.next()
        run.assert_quiet()
    finally:
        run.sampler.stop()


def test_what_happened_is_sampled_at_once() -> None:
    with sampling() as run:
        run.sampler.sample_soon()
        run.next()
        run.assert_quiet()


def test_processes_on_gpus_are_asked_for_while_somebody_looks() -> None:
    with sampling() as run:
        run.sampler.set_processes_watched(True)
        run.sampler.sample_soon()
        run.next()
        assert run.probes.calls[-6] == "request with processes"
        assert run.probes.calls.count("request with processes") == 1


def test_the_first_watcher_gets_a_sample_at_once() -> None:
    with sampling(watched=NEVER) as run:
        run.sampler.set_watched(True)
        run.next()
        run.assert_quiet()


def test_a_watcher_who_comes_during_a_sample_gets_one_at_once() -> None:
    run = Run(FakeProbes(), watched=NEVER, unwatched=NEVER)
    comes = iter([False, True])
    run.during_tick = lambda: run.sampler.set_watched(next(comes, True))
    run.sampler.start()
    try:
        for _ in range(3):
            run.next()
        run.assert_quiet()
    finally:
        run.sampler.stop()


def test_more_watchers_take_no_more_samples() -> None:
    with sampling(watched=NEVER) as run:
        run.sampler.set_watched(True)
        run.next()
        for _ in range(50):
            run.sampler.set_watched(True)
        run.assert_quiet()


@pytest.mark.parametrize("broken", ["probe", "reader"])
def test_a_fault_costs_one_sample_and_not_the_rest(
    caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    with sampling() as run:
        if broken == "probe":
            run.probes.failures = 2
        else:
            faults = iter([RuntimeError("one"), RuntimeError("two")])

            def fail() -> None:
                for fault in faults:
                    raise fault

            run.during_tick = fail
        run.sampler.set_watched(True)
        for _ in range(4):
            run.next()
    assert [record.message for record in caplog.records] == ["A usage sample failed"] * 2


def test_groups_are_looked_for_again_while_a_figure_is_missing() -> None:
    with sampling() as run:
        # The first sample never has a CPU figure.
        assert [call for call in run.probes.calls if call in {"resolve", "gpus"}] == [
            "resolve",
            "gpus",
        ] * 2
        run.sampler.set_watched(True)
        for _ in range(3):
            run.next()
        assert run.probes.calls.count("resolve") == 2
        run.probes.memory_is_gone = True
        while run.next().memory.reason is None:
            pass
        run.next()
        run.next()
        assert run.probes.calls.count("resolve") >= 4


def test_stop_does_not_wait_for_the_next_sample() -> None:
    with sampling() as run:
        begun = time.monotonic()
        run.sampler.stop()
        assert time.monotonic() - begun < DEADLINE_SECONDS / 2
        run.sampler.set_watched(True)
        run.assert_quiet()


def test_stop_during_a_sample_ends_with_that_sample() -> None:
    with sampling(watched=NEVER) as run:
        within, go_on = threading.Event(), threading.Event()

        def hold() -> None:
            within.set()
            assert go_on.wait(DEADLINE_SECONDS)

        run.during_tick = hold
        run.sampler.set_watched(True)
        assert within.wait(DEADLINE_SECONDS)
        release = threading.Timer(0.2, go_on.set)
        release.start()
        begun = time.monotonic()
        run.sampler.stop(wait_seconds=DEADLINE_SECONDS)
        assert time.monotonic() - begun < DEADLINE_SECONDS / 2
        release.join()


def test_a_sampler_that_never_started_can_be_stopped() -> None:
    Run(FakeProbes(), watched=1, unwatched=1).sampler.stop()
