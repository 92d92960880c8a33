"""Utilization of MIG slices through the real bindings and a stand-in driver."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers.nvidia import StandInDriver, read_driver

from jupyter_einfra.usage.models import GpuUsage
from jupyter_einfra.usage.probes.driver import GpuReading

GIB = 1 << 30


def busy(reading: GpuReading) -> dict[str, float | str | None]:
    """Utilization of each device, or the code of the reason."""
    return {gpu.uuid: told(gpu) for gpu in reading.gpus}


def told(gpu: GpuUsage) -> float | str | None:
    if gpu.utilization is None:
        assert gpu.utilization_source is None
        return None if gpu.reason is None else gpu.reason.code
    assert gpu.utilization_source == ("gpm" if gpu.scope == "mig" else "nvml")
    return gpu.utilization


def both(what: float | str) -> dict[str, float | str]:
    return {"MIG-0-1": what, "MIG-0-4": what}


def test_two_readings_make_the_utilization_of_each_slice(driver: StandInDriver) -> None:
    driver.behave("gpus=1 mig gpm=30")
    with read_driver(driver.environ) as reader:
        first, second = reader.read(), reader.read()
        assert busy(first) == both("gpm_starting")
        assert busy(second) == {"MIG-0-1": 0.31, "MIG-0-4": 0.34}
        assert [gpu.reason for gpu in second.gpus] == [None, None]
        driver.behave("gpus=1 mig gpm=0")
        assert busy(reader.read()) == {"MIG-0-1": 0.01, "MIG-0-4": 0.04}


def test_samples_too_close_together_make_no_new_figure(driver: StandInDriver) -> None:
    driver.behave("gpus=1 mig gpm=30")
    with read_driver(driver.environ) as reader:
        reader.read()
        assert busy(reader.read(after=0.5)) == both("gpm_starting")
        assert busy(reader.read(after=0.5)) == {"MIG-0-1": 0.31, "MIG-0-4": 0.34}
        driver.behave("gpus=1 mig gpm=50")
        assert busy(reader.read(after=0.2))["MIG-0-1"] == 0.31
        assert busy(reader.read(after=0.8))["MIG-0-1"] == 0.51


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param("", "mig_no_utilization", id="generation-without-gpm"),
        pytest.param("gpm gpm_query_unsupported", "mig_no_utilization", id="not-even-asked"),
        pytest.param("gpm gpm_query_forbidden", "gpm_no_permission", id="may-not-ask"),
        pytest.param("gpm gpm_forbidden", "gpm_no_permission", id="may-not-sample"),
        pytest.param("gpm gpm_unsupported", "gpm_not_supported", id="cannot-sample"),
    ],
)
def test_a_refusal_is_a_reason_and_final_while_the_driver_is_open(
    driver: StandInDriver, words: str, reason: str
) -> None:
    driver.behave(f"gpus=1 mig {words}")
    with read_driver(driver.environ) as reader:
        first = reader.read()
        assert busy(first) == both(reason)
        # All else goes on.
        assert [gpu.memory_total_bytes for gpu in first.gpus] == [10 * GIB, 10 * GIB]
        driver.behave("gpus=1 mig gpm=30 log_calls")
        assert busy(reader.read(times=3)) == both(reason)
        assert not {call for call in driver.calls if "Gpm" in call}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param("gpm=30 gpm_no_memory", "gpu_unreadable", id="no-memory"),
        pytest.param("gpm=30 gpm_sample_fails", "gpu_unreadable", id="sample-fails"),
        pytest.param("gpm=30 gpm_fails", "gpu_unreadable", id="metrics-fail"),
        pytest.param("gpm=30 gpm_no_data", "gpu_unreadable", id="one-metric-fails"),
        pytest.param("gpm=30 gpm_nan", "gpm_implausible", id="not-a-number"),
        pytest.param("gpm=150", "gpm_implausible", id="more-than-all"),
        pytest.param("gpm=-50", "gpm_implausible", id="less-than-nothing"),
        pytest.param("gpm=30 lost=0", "gpu_lost", id="lost"),
    ],
)
def test_a_fault_passes(driver: StandInDriver, words: str, reason: str) -> None:
    driver.behave("gpus=1 mig gpm=30")
    with read_driver(driver.environ) as reader:
        assert busy(reader.read(times=2)) == {"MIG-0-1": 0.31, "MIG-0-4": 0.34}
        driver.behave(f"gpus=1 mig {words}")
        assert busy(reader.read(times=50)) == both(reason)
        driver.behave("gpus=1 mig gpm=30")
        assert busy(reader.read(times=2)) == {"MIG-0-1": 0.31, "MIG-0-4": 0.34}


def test_a_figure_from_before_a_fault_is_not_told_after_it(driver: StandInDriver) -> None:
    driver.behave("gpus=1 mig gpm=30")
    with read_driver(driver.environ) as reader:
        reader.read(times=2)
        driver.behave("gpus=1 mig gpm=30 gpm_fails")
        reader.read()
        assert busy(reader.read(after=0.2)) == both("gpu_unreadable")


def test_a_slice_that_never_rests_is_wholly_busy(driver: StandInDriver) -> None:
    driver.behave("gpus=1 mig gpm=99")
    with read_driver(driver.environ) as reader:
        # 100 % for the one and, as counters may have it, 103 % for the other.
        assert busy(reader.read(times=2)) == {"MIG-0-1": 1.0, "MIG-0-4": "gpm_implausible"}
        driver.behave("gpus=1 mig gpm=97")
        assert busy(reader.read()) == {"MIG-0-1": 0.98, "MIG-0-4": 1.0}


def test_a_driver_from_before_gpm_says_so(driver: StandInDriver, libraries: Path) -> None:
    driver.behave("gpus=1 mig")
    environ = {**driver.environ, "LD_LIBRARY_PATH": str(libraries / "middle")}
    with read_driver(environ) as reader:
        reading = reader.read(times=2)
    assert busy(reading) == both("gpm_too_old")
    assert [gpu.memory_total_bytes for gpu in reading.gpus] == [10 * GIB, 10 * GIB]


@pytest.mark.parametrize("name", ["nvmlGpmSampleAlloc", "nvmlGpmMigSampleGet"])
def test_bindings_from_before_gpm_say_so(driver: StandInDriver, name: str) -> None:
    driver.behave("gpus=1 mig gpm=30")
    with read_driver(driver.environ, forget=(name,)) as reader:
        assert busy(reader.read(times=2)) == both("gpm_too_old")


def test_a_part_of_a_gpu_instance_is_not_given_the_figure_of_the_whole(
    driver: StandInDriver,
) -> None:
    driver.behave("gpus=1 mig gpm=30 partial=4")
    with read_driver(driver.environ) as reader:
        assert busy(reader.read(times=2)) == {"MIG-0-1": 0.31, "MIG-0-4": "mig_partial"}


def test_three_gpus_at_once_are_each_told_as_they_are(driver: StandInDriver) -> None:
    driver.behave("gpus=3 mig_gpu=2 gpm=30")
    expected = {"GPU-0": 0.29, "GPU-1": 0.39, "MIG-2-1": 0.31, "MIG-2-4": 0.34}
    with read_driver(driver.environ) as reader:
        reading = reader.read(times=2)
        assert busy(reading) == expected
        assert [gpu.scope for gpu in reading.gpus] == ["gpu", "gpu", "mig", "mig"]
        driver.behave("gpus=3 mig_gpu=2 gpm=30 lost=1")
        assert busy(reader.read()) == {**expected, "GPU-1": "gpu_lost"}
    with read_driver(driver.environ, shared=True) as reader:
        driver.behave("gpus=3 mig_gpu=2 gpm=30")
        assert [gpu.scope for gpu in reader.read().gpus] == [
            "shared-gpu",
            "shared-gpu",
            "mig",
            "mig",
        ]


def test_what_can_be_told_of_each_device_is_told(driver: StandInDriver) -> None:
    driver.behave("gpus=3 mig_gpu=2 gpm=30 partial=4 memory_forbidden=1 idle_mib=0")
    with read_driver(driver.environ) as reader:
        details = reader.read(processes=True, times=2).details
    assert {
        one.uuid: {
            figure.figure: figure.source or (figure.reason and figure.reason.code)
            for figure in one.figures
        }
        for one in details
    } == {
        "GPU-0": {"utilization": "nvml", "memory": "nvml", "processes": "nvml"},
        "GPU-1": {
            "utilization": "nvml",
            "memory": "gpu_unreadable",
            "processes": "gpu_processes_hidden",
        },
        "MIG-2-1": {"utilization": "gpm", "memory": "nvml", "processes": "nvml"},
        "MIG-2-4": {"utilization": "mig_partial", "memory": "nvml", "processes": "nvml"},
    }
    # Whatever is told has no reason, and whatever is not has one.
    assert all(
        (one.source is None) == (one.reason is not None) for d in details for one in d.figures
    )


def test_a_slice_that_vanishes_stays_listed_and_is_found_again(driver: StandInDriver) -> None:
    driver.behave("gpus=2 mig_gpu=1 gpm=30")
    with read_driver(driver.environ) as reader:
        reader.read(times=2)
        driver.behave("gpus=2 mig_gpu=1 gpm=30 no_slice=4")
        reading = reader.read(times=3)
        assert busy(reading) == {"GPU-0": 0.29, "MIG-1-1": 0.31, "MIG-1-4": "mig_gone"}
        assert reading.gpus[-1].memory_used_bytes is None
        assert reading.status.reason is None
        driver.behave("gpus=2 mig_gpu=1 gpm=30")
        assert busy(reader.read()) == {"GPU-0": 0.29, "MIG-1-1": 0.31, "MIG-1-4": "gpm_starting"}
        assert busy(reader.read())["MIG-1-4"] == 0.34
    # It was never closed for that.
    assert driver.log == ["init nvmlInitWithFlags done", "shutdown nvmlShutdown done"]


def test_another_slice_under_the_same_handle_is_another_slice(driver: StandInDriver) -> None:
    driver.behave("gpus=1 mig gpm=30")
    with read_driver(driver.environ) as reader:
        reader.read(times=2)
        driver.behave("gpus=1 mig gpm=30 new_slice=4")
        assert busy(reader.read()) == {"MIG-0-1": 0.31, "MIG-0-4-new": "gpm_starting"}
        assert busy(reader.read()) == {"MIG-0-1": 0.31, "MIG-0-4-new": 0.34}


def test_a_gpu_without_slices_left_shows_those_it_had(driver: StandInDriver) -> None:
    driver.behave("gpus=1 mig gpm=30 no_slice=1")
    with read_driver(driver.environ) as reader:
        assert busy(reader.read()) == {"MIG-0-4": "gpm_starting"}
        driver.behave("gpus=1 mig gpm=30 no_slice=4")
        # The first is there again, and was never known: it is what there is now.
        assert busy(reader.read()) == {"MIG-0-1": "gpm_starting"}
        driver.behave("gpus=1 gpm=30 no_slice=1")
        assert busy(reader.read(times=2)) == {"MIG-0-1": "mig_gone"}


def test_no_sample_is_left_over(driver: StandInDriver) -> None:
    """The stand-in says so at its end, and has no more than 32 of them."""
    with read_driver(driver.environ) as reader:
        for fault in (
            "gpm=30",
            "gpm=30 gpm_fails",
            "gpm=30 gpm_sample_fails",
            "gpm=30 gpm_no_data",
            "gpm=30 lost=0",
            "gpm=30 no_slice=1",
            "gpm=30 new_slice=4",
            "gpm=30 gone",
            "gpm=30 gpm_nan",
        ):
            driver.behave(f"gpus=4 mig {fault}")
            reader.read(times=120)
        driver.behave("gpus=4 mig gpm=30")
        reading = reader.read(times=2)
    assert busy(reading)["MIG-3-4"] == 0.34
    assert driver.log[-1] == "shutdown nvmlShutdown done"
