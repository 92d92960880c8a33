"""GPUs through the real bindings: a stand-in driver that is strict about how it is called.

The bindings keep the driver per process, so each test runs a process of its own.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from statistics import median
from types import SimpleNamespace

import msgspec
import pytest
from servers.nvidia import StandInDriver as Driver
from servers.nvidia import has_library
from servers.sampling import DEADLINE_SECONDS, Server, serve

from jupyter_einfra.usage.models import GpuUsage, UsageSnapshot
from jupyter_einfra.usage.probes import nvml

GIB = 1 << 30
MIB = 1 << 20


def gpu(index: int = 0, **other: object) -> dict[str, object]:
    """Say what the browser is told of a GPU that works."""
    told = {
        "index": index,
        "uuid": f"GPU-{index}",
        "name": "Stand-in X1",
        "scope": "gpu",
        "utilization": (29 + 10 * index) / 100,
        "memory_used_bytes": (index + 1) * GIB,
        "memory_total_bytes": 80 * GIB,
        "source": "nvml",
        "reason": None,
        **other,
    }
    return {"utilization_source": None if told["utilization"] is None else "nvml", **told}


def mig(index: int, slot: int) -> dict[str, object]:
    """Say what the browser is told of a MIG slice."""
    return gpu(
        index,
        uuid=f"MIG-{index}-{slot}",
        name="Stand-in X1 MIG 1g.10gb",
        scope="mig",
        utilization=None,
        memory_used_bytes=(slot + 1) * 100 * MIB,
        memory_total_bytes=10 * GIB,
        reason="mig_no_utilization",
    )


def unknown(index: int = 0, *, reason: str) -> dict[str, object]:
    """Say what the browser is told of a GPU that worked once."""
    return gpu(index, utilization=None, memory_used_bytes=None, reason=reason)


def unseen(index: int, *, reason: str) -> dict[str, object]:
    """Say what the browser is told of a GPU that the driver only lists."""
    nothing = {"utilization": None, "memory_used_bytes": None, "memory_total_bytes": None}
    return gpu(index, uuid=f"GPU {index}", name=f"GPU {index}", reason=reason, **nothing)


def told(gpus: list[GpuUsage]) -> list[dict[str, object]]:
    """Take a published list of GPUs apart, reasons by their codes."""
    return [
        {**msgspec.structs.asdict(one), "reason": one.reason and one.reason.code} for one in gpus
    ]


def asked(sample: UsageSnapshot) -> bool:
    """Whether the driver has answered once."""
    reason = sample.gpu_status.reason
    return reason is None or reason.code != "nvml_starting"


def code(sample: UsageSnapshot) -> str | None:
    """Name the reason for which no GPU is told."""
    reason = sample.gpu_status.reason
    return None if reason is None else reason.code


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("gpus=1", [gpu()], id="one"),
        pytest.param("gpus=2", [gpu(0), gpu(1)], id="two"),
        pytest.param("gpus=1 no_mig", [gpu()], id="cannot-be-divided"),
        pytest.param("gpus=0", [], id="none"),
        pytest.param("gpus=1 mig", [mig(0, 1), mig(0, 4)], id="mig"),
        pytest.param(
            "gpus=1 no_utilization",
            [gpu(utilization=None, reason="gpu_no_utilization")],
            id="no-utilization",
        ),
        pytest.param(
            "gpus=1 other_memory_version",
            [gpu(memory_used_bytes=GIB + 512 * MIB)],
            id="other-memory-version",
        ),
        pytest.param("gpus=2 forbidden=0", [gpu(1)], id="one-is-not-ours"),
        pytest.param(
            "gpus=2 lost_at_open=0", [unseen(0, reason="gpu_lost"), gpu(1)], id="one-was-lost"
        ),
        pytest.param(
            "gpus=2 lost=1", [gpu(0), unseen(1, reason="gpu_lost")], id="one-is-lost-when-named"
        ),
        pytest.param(
            "gpus=2 no_power=0",
            [unseen(0, reason="gpu_unreadable"), gpu(1)],
            id="one-has-no-power",
        ),
    ],
)
def test_what_the_driver_says_is_published(
    driver: Driver, words: str, expected: list[dict[str, object]]
) -> None:
    driver.behave(words)
    with serve(driver.environ) as server:
        sample = server.wait_for(asked)
        assert told(sample.gpus) == expected
        assert sample.gpu_status.reason is None
        assert sample.gpu_status.driver == "575.57.08"
        server.wait_for_more(2)
        assert told(server.samples[-1].gpus) == expected
        last_words = server.stop()
    assert last_words["stopped"] < 3
    # Opened once, however many samples, and closed.
    assert driver.log == ["init nvmlInitWithFlags done", "shutdown nvmlShutdown done"]


def test_slices_are_published_beside_whole_gpus(driver: Driver) -> None:
    driver.behave("gpus=3 mig_gpu=2 gpm=30")
    with serve(driver.environ) as server:
        sample = server.wait_for(
            lambda sample: [one.utilization for one in sample.gpus] == [0.29, 0.39, 0.31, 0.34]
        )
    assert told(sample.gpus) == [
        gpu(0),
        gpu(1),
        mig(2, 1) | {"utilization": 0.31, "utilization_source": "gpm", "reason": None},
        mig(2, 4) | {"utilization": 0.34, "utilization_source": "gpm", "reason": None},
    ]


def test_gpus_that_neighbours_use_too_say_so(driver: Driver) -> None:
    driver.behave("gpus=1")
    with serve(driver.environ, gpus_shared=True) as server:
        assert told(server.wait_for(asked).gpus) == [gpu(scope="shared-gpu")]


def test_an_old_driver_tells_what_it_can(driver: Driver, libraries: Path) -> None:
    driver.behave("gpus=1")
    environ = {**driver.environ, "LD_LIBRARY_PATH": str(libraries / "old")}
    with serve(environ) as server:
        sample = server.wait_for(asked)
    # Its one way to count memory includes what the driver keeps for itself.
    assert told(sample.gpus) == [gpu(memory_used_bytes=GIB + 512 * MIB)]
    assert sample.gpu_status.reason is None


def test_a_gpu_lost_midway_does_not_take_the_other_with_it(driver: Driver) -> None:
    driver.behave("gpus=2")
    with serve(driver.environ) as server:
        server.wait_for(lambda sample: len(sample.gpus) == 2)
        driver.behave("gpus=2 lost=0")
        sample = server.wait_for(lambda sample: sample.gpus[0].reason is not None)
    lost = unknown(0, reason="gpu_lost") | {"memory_total_bytes": None}
    assert told(sample.gpus) == [lost, gpu(1)]
    assert sample.gpu_status.reason is None


def test_a_driver_lost_midway_comes_back(driver: Driver) -> None:
    driver.behave("gpus=2")
    with serve(driver.environ) as server:
        server.wait_for(lambda sample: len(sample.gpus) == 2)
        driver.behave("gpus=2 gone")
        sample = server.wait_for(lambda sample: code(sample) == "nvml_failed")
        # Still listed, so that nobody wonders where they went, but without figures.
        gone = [unknown(index, reason="nvml_failed") for index in (0, 1)]
        assert told(sample.gpus) == gone
        assert sample.gpu_status.driver == "575.57.08"
        sample = server.wait_for(
            lambda sample: "Driver Not Loaded" in str(sample.gpu_status.reason)
        )
        assert told(sample.gpus) == gone
        driver.behave("gpus=2")
        sample = server.wait_for(lambda sample: code(sample) is None)
        assert told(sample.gpus) == [gpu(0), gpu(1)]
    assert driver.log[-1] == "init nvmlInitWithFlags done"


def test_a_driver_that_starts_late_is_found(driver: Driver) -> None:
    driver.behave("init_fails")
    with serve(driver.environ) as server:
        sample = server.wait_for(asked)
        assert code(sample) == "nvml_failed"
        assert sample.gpus == []
        driver.behave("gpus=1")
        assert told(server.wait_for(lambda sample: code(sample) is None).gpus) == [gpu()]


def test_a_missing_driver_is_looked_for_ever_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    tries: list[float] = []

    def missing(_: str) -> None:
        tries.append(now)
        raise OSError("there is no such library")

    monkeypatch.setattr("ctypes.CDLL", missing)
    monkeypatch.setattr(nvml, "time", SimpleNamespace(monotonic=lambda: now))
    probe = nvml.GpuProbe()
    probe.start()
    for second in range(1000):
        now = float(second)
        probe.request()
        reason = probe.latest(DEADLINE_SECONDS).status.reason
        assert reason is not None
        assert reason.code == "nvml_missing"
    probe.stop()
    assert tries == [0, 10, 30, 70, 150, 310, 610, 910]


def test_a_slow_driver_holds_nothing_up(driver: Driver) -> None:
    driver.behave("gpus=1 slow_init")
    with serve(driver.environ) as server:
        server.wait_for(lambda _: True)
        assert code(server.samples[0]) == "nvml_starting"
        check_pace(server)
        assert told(server.wait_for(lambda sample: code(sample) is None).gpus) == [gpu()]
        assert server.stop()["started"] < 1.5  # of the 2 s that the driver takes


@pytest.mark.parametrize("call", ["hang", "hang_init", "gpm_hang"])
def test_a_call_that_never_returns_holds_nothing_up(driver: Driver, call: str) -> None:
    machine = "gpus=2 mig_gpu=1 gpm=30" if call == "gpm_hang" else "gpus=1"
    driver.behave(f"{machine} hang_init" if call == "hang_init" else machine)
    with serve(driver.environ, gpu_timeout_seconds=0.4) as server:
        if call != "hang_init":
            server.wait_for(lambda sample: bool(sample.gpus))
            driver.behave(f"{machine} {call}")
        sample = server.wait_for(lambda sample: code(sample) == "nvml_not_answering")
        assert [one["uuid"] for one in told(sample.gpus)] == {
            "hang": ["GPU-0"],
            "hang_init": [],
            "gpm_hang": ["GPU-0", "MIG-1-1", "MIG-1-4"],
        }[call]
        assert told(sample.gpus)[:1] == [unknown(reason="nvml_not_answering")][: len(sample.gpus)]
        check_pace(server)
        last_words = server.stop()
    assert last_words["stopped"] < 3


def check_pace(server: Server) -> None:
    """CPU and memory go on, five times a second."""
    arrivals = server.wait_for_more(6)
    pauses = [after - before for before, after in pairwise(arrivals)]
    assert median(pauses) < 1
    for sample in server.samples[-3:]:
        assert sample.cpu.used_cores is not None
        assert sample.memory.working_set_bytes is not None


def test_a_call_that_returns_after_all_is_welcome(driver: Driver) -> None:
    driver.behave("gpus=1")
    with serve(driver.environ, gpu_timeout_seconds=0.4) as server:
        server.wait_for(lambda sample: len(sample.gpus) == 1)
        driver.behave("gpus=1 hang")
        server.wait_for(lambda sample: code(sample) == "nvml_not_answering")
        driver.behave("gpus=1")
        assert told(server.wait_for(lambda sample: code(sample) is None).gpus) == [gpu()]
        assert server.stop()["stopped"] < 3
    assert driver.log == ["init nvmlInitWithFlags done", "shutdown nvmlShutdown done"]


def test_what_the_bindings_cannot_decode_is_a_reason(driver: Driver) -> None:
    driver.behave("gpus=1 garbled_name")
    with serve(driver.environ, gpu_timeout_seconds=0.4) as server:
        sample = server.wait_for(asked)
        assert code(sample) == "nvml_failed"
        driver.behave("gpus=1")
        assert told(server.wait_for(lambda sample: code(sample) is None).gpus) == [gpu()]


def test_without_a_driver_nothing_is_loaded(tmp_path: Path) -> None:
    if has_library():
        pytest.skip("this machine has an NVIDIA driver")
    with serve({"LD_LIBRARY_PATH": str(tmp_path)}) as server:
        sample = server.wait_for(asked)
        assert code(sample) == "nvml_missing"
        assert sample.gpus == []
        assert sample.gpu_status.driver is None
        last_words = server.stop()
    assert not last_words["bindings"]


def test_a_library_that_is_none_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "libnvidia-ml.so.1").write_text("not a library")
    with serve({"LD_LIBRARY_PATH": str(tmp_path)}) as server:
        sample = server.wait_for(asked)
        assert code(sample) in {"nvml_missing", "nvml_failed"}
        check_pace(server)


def test_a_driver_that_the_operator_switched_off_is_left_alone(driver: Driver) -> None:
    driver.behave("gpus=1")
    with serve(driver.environ, gpus=False) as server:
        sample = server.wait_for(lambda _: True)
        assert code(sample) == "nvml_off"
        assert sample.gpus == []
        assert not server.stop()["bindings"]
    assert driver.log == []
