"""What the thread that asks the driver is asked for, and what is left when it does not answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from servers.process import wait_until

from jupyter_einfra.models import Reason
from jupyter_einfra.usage.models import GpuDetails, GpuFigure, GpuStatus, GpuUsage
from jupyter_einfra.usage.probes import nvml
from jupyter_einfra.usage.probes.driver import GpuReading
from jupyter_einfra.usage.probes.gpu_devices import has_gpu_devices

READING = GpuReading(
    [
        GpuUsage(
            index=0,
            uuid="GPU-0",
            name="A GPU",
            scope="gpu",
            utilization=0.5,
            utilization_source="nvml",
            memory_used_bytes=1,
            memory_total_bytes=2,
            source="nvml",
            reason=None,
        )
    ],
    GpuStatus(driver="575", reason=None),
    [
        GpuDetails(
            uuid="GPU-0",
            figures=[GpuFigure(figure="processes", source="nvml", reason=None)],
        )
    ],
    {100: 1},
)


class FakeDriver:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.asked: list[bool] = []
        self.may_answer = threading.Semaphore(0)
        self.reading = READING
        self.is_open = True

    def read(self, *, processes: bool) -> GpuReading:
        self.asked.append(processes)
        self.may_answer.acquire()
        return self.reading

    def close(self) -> None:
        pass


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    made = FakeDriver()
    monkeypatch.setattr(nvml, "Driver", lambda shared: made)
    return made


@contextmanager
def probing(driver: FakeDriver, timeout_seconds: float = 60.0) -> Iterator[nvml.GpuProbe]:
    probe = nvml.GpuProbe(timeout_seconds=timeout_seconds)
    probe.start()
    try:
        yield probe
    finally:
        driver.may_answer.release(100)
        probe.stop()


def test_a_wish_for_processes_is_kept_until_the_driver_is_asked_again(driver: FakeDriver) -> None:
    with probing(driver) as probe:
        probe.request()
        wait_until("the driver is asked", lambda: driver.asked == [False])
        probe.request(processes=True)  # too late for this one
        driver.may_answer.release(3)
        for _ in range(2):
            probe.latest(10)
            probe.request()
        probe.latest(10)
    assert driver.asked == [False, True, False]


def test_figures_of_a_driver_that_does_not_answer_are_unknown(driver: FakeDriver) -> None:
    with probing(driver, timeout_seconds=0.2) as probe:
        probe.request()
        driver.may_answer.release()
        wait_until("it answers", lambda: probe.latest() == READING)
        probe.request()
        wait_until("it is overdue", lambda: probe.latest().status.reason is not None)
        check_unknown(probe.latest(), "nvml_not_answering")
        driver.may_answer.release()
        wait_until("it answers after all", lambda: probe.latest() == READING)


def test_figures_of_a_driver_that_went_away_are_unknown(driver: FakeDriver) -> None:
    with probing(driver) as probe:
        driver.may_answer.release(2)
        probe.request()
        assert probe.latest(10) == READING
        failed = Reason(code="nvml_failed", message="It failed.", params={})
        driver.reading = GpuReading([], GpuStatus(driver="575", reason=failed))
        driver.is_open = False
        probe.request()
        check_unknown(probe.latest(10), "nvml_failed")


def check_unknown(told: GpuReading, code: str) -> None:
    """All that was known is still named, and has the reason in its place."""
    reason = told.status.reason
    assert reason is not None
    assert reason.code == code
    assert [(gpu.uuid, gpu.utilization, gpu.reason) for gpu in told.gpus] == [
        ("GPU-0", None, reason)
    ]
    figures = [GpuFigure(figure="processes", source=None, reason=reason)]
    assert told.details == [GpuDetails(uuid="GPU-0", figures=figures)]
    assert (told.processes, told.processes_reason) == (None, reason)


def test_without_gpus_no_process_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_einfra.usage.probes.driver.LIBRARY", str(tmp_path / "none.so"))
    probe = nvml.GpuProbe()
    starting = probe.latest()
    probe.start()
    probe.request(processes=True)
    missing = probe.latest(10)
    probe.stop()
    for reading in (starting, missing):
        assert (reading.processes, reading.processes_reason, reading.details) == (None, None, [])
    assert missing.status.reason is not None
    assert missing.status.reason.code == "nvml_missing"


@pytest.mark.parametrize(
    ("names", "there"),
    [([], False), (["nvidiactl", "nvidia-uvm", "nvidia-caps"], False), (["nvidia0"], True)],
)
def test_a_gpu_that_was_given_is_seen_whatever_the_driver_says(
    tmp_path: Path, names: list[str], there: bool
) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert has_gpu_devices(tmp_path) == there
    assert not has_gpu_devices(tmp_path / "nowhere")
