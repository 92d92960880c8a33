"""GPU memory by process: who is ours, and when nobody can tell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.nvidia import StandInDriver, read_driver

from jupyter_einfra.models import Reason
from jupyter_einfra.usage.probes.driver import GpuReading
from jupyter_einfra.usage.probes.gpu_processes import HIDDEN, GpuProcesses, settle, total

MIB = 1 << 20
OURS = {100, 101, 102}


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc with three processes that use a GPU and, number 57, one that does not."""
    folder = tmp_path / "proc"
    for pid in (*OURS, 57):
        opened(folder, pid, "/dev/nvidia0" if pid in OURS else "/home/jovyan/dev/nvidia0")
    return folder


def opened(proc: Path, pid: int, *targets: str) -> None:
    """Let a process have files open."""
    files = proc / str(pid) / "fd"
    files.mkdir(parents=True)
    for number, target in enumerate(("pipe:[1]", *targets)):
        (files / str(number)).symlink_to(target)


def code(reading: GpuReading) -> str | None:
    """Name the reason for which processes are not known."""
    assert (reading.processes is None) == (reading.processes_reason is not None)
    return None if reading.processes_reason is None else reading.processes_reason.code


def figures(reading: GpuReading) -> dict[str, str | None]:
    """Where the processes of each device are read, or why they are not."""
    return {
        one.uuid: figure.source if figure.reason is None else figure.reason.code
        for one in reading.details
        for figure in one.figures
        if figure.figure == "processes"
    }


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("gpus=1 compute@GPU-0=100:500,101:20", {100: 500, 101: 20}, id="one-gpu"),
        pytest.param(
            "gpus=2 compute@GPU-0=100:500 compute@GPU-1=100:7,102:1",
            {100: 507, 102: 1},
            id="summed-over-gpus",
        ),
        pytest.param(
            "gpus=1 compute@GPU-0=100:500 graphics@GPU-0=100:500,101:9 mps@GPU-0=102:3",
            {100: 500, 101: 9, 102: 3},
            id="in-two-lists-at-once",
        ),
        pytest.param(
            "gpus=1 compute@GPU-0=100:-1 graphics@GPU-0=100:500",
            {100: 500},
            id="known-in-one-of-two-lists",
        ),
        pytest.param("gpus=1 compute@GPU-0=100:500 only_compute", {100: 500}, id="no-other-lists"),
        pytest.param(
            "gpus=1 compute@GPU-0=4711:900,100:500,57:800", {100: 500}, id="neighbours-left-out"
        ),
        pytest.param(
            "gpus=1 mig compute@MIG-0-1=100:500 compute@MIG-0-4=100:5,101:6",
            {100: 505, 101: 6},
            id="slices",
        ),
        pytest.param("gpus=1 idle_mib=0", {}, id="nobody-uses-it"),
        pytest.param("gpus=1 idle_mib=12", {}, id="nobody-but-the-driver"),
        pytest.param(
            "gpus=2 compute@GPU-0=100:500", {100: 500}, id="an-empty-list-is-believed-then"
        ),
        pytest.param("gpus=2 forbidden=1 compute@GPU-0=100:500", {100: 500}, id="not-ours"),
    ],
)
def test_memory_is_told_by_process_of_ours(
    driver: StandInDriver, proc: Path, words: str, expected: dict[int, int]
) -> None:
    driver.behave(words)
    with read_driver(driver.environ, proc=proc) as reader:
        reading = reader.read(processes=True)
    assert reading.processes == {pid: mib * MIB for pid, mib in expected.items()}
    assert reading.processes_reason is None
    assert set(figures(reading).values()) == {"nvml"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param("gpus=1 compute@GPU-0=4711:900", "gpu_processes_hidden", id="host-pids"),
        pytest.param("gpus=1 compute@GPU-0=57:900", "gpu_processes_hidden", id="chance-match"),
        pytest.param("gpus=1", "gpu_processes_hidden", id="hidden"),
        pytest.param("gpus=1 mig", "gpu_processes_hidden", id="hidden-on-slices"),
        pytest.param("gpus=1 memory_forbidden=0", "gpu_processes_hidden", id="memory-unknown-too"),
        pytest.param(
            "gpus=1 processes_forbidden=0", "gpu_processes_no_permission", id="no-permission"
        ),
        pytest.param("gpus=1 no_processes", "gpu_processes_not_supported", id="not-supported"),
        pytest.param("gpus=1 processes_fail", "gpu_unreadable", id="fails"),
        pytest.param(
            "gpus=1 compute@GPU-0=100:-1,101:5", "gpu_process_memory_unknown", id="no-memory"
        ),
        pytest.param(
            "gpus=1 compute@GPU-0=100:99999999", "gpu_process_memory_unknown", id="garbled"
        ),
        pytest.param(
            "gpus=2 lost=1 compute@GPU-0=100:500", "gpu_unreadable", id="one-of-two-lost-at-start"
        ),
    ],
)
def test_what_cannot_be_told_is_unknown_with_the_reason(
    driver: StandInDriver, proc: Path, words: str, reason: str
) -> None:
    driver.behave(words)
    with read_driver(driver.environ, proc=proc) as reader:
        reading = reader.read(processes=True)
    expected = "gpu_lost" if "lost" in words else reason
    assert code(reading) == expected
    assert figures(reading)[reading.gpus[-1].uuid] == expected
    # All else goes on.
    assert reading.status.reason is None
    assert reading.gpus[0].utilization is not None or "mig" in words


def test_processes_on_a_shared_gpu_are_told_apart(driver: StandInDriver, proc: Path) -> None:
    driver.behave("gpus=1 compute@GPU-0=4711:900,101:20")
    with read_driver(driver.environ, shared=True, proc=proc) as reader:
        assert reader.read(processes=True).processes == {101: 20 * MIB}
        # Those of neighbours alone may as well be ours under other numbers.
        driver.behave("gpus=1 compute@GPU-0=4711:900")
        assert code(reader.read(processes=True)) == "gpu_processes_hidden"


def test_an_older_driver_lists_processes_in_its_own_way(
    driver: StandInDriver, libraries: Path, proc: Path
) -> None:
    driver.behave("gpus=1 compute@GPU-0=100:500")
    middle = {**driver.environ, "LD_LIBRARY_PATH": str(libraries / "middle")}
    with read_driver(middle, proc=proc) as reader:
        assert reader.read(processes=True).processes == {100: 500 * MIB}
    old = {**driver.environ, "LD_LIBRARY_PATH": str(libraries / "old")}
    with read_driver(old, proc=proc) as reader:
        assert code(reader.read(processes=True)) == "gpu_processes_not_supported"


def test_processes_are_asked_for_only_when_somebody_looks(
    driver: StandInDriver, proc: Path
) -> None:
    driver.behave("gpus=2 mig_gpu=1 gpm=30 compute@GPU-0=100:500 log_calls")
    with read_driver(driver.environ, proc=proc) as reader:
        reading = reader.read(times=3)
        assert code(reading) == "gpu_processes_not_asked"
        assert set(figures(reading).values()) == {"gpu_processes_not_asked"}
        assert not {call for call in driver.calls if "Processes" in call}
        assert reader.read(processes=True).processes == {100: 500 * MIB}
        assert {call for call in driver.calls if "Processes" in call}


def test_without_a_gpu_there_is_nothing_to_explain(driver: StandInDriver, proc: Path) -> None:
    driver.behave("gpus=0")
    with read_driver(driver.environ, proc=proc) as reader:
        reading = reader.read(processes=True)
    assert (reading.processes, reading.processes_reason) == (None, None)


@pytest.mark.parametrize(
    ("targets", "ours"),
    [
        (["/dev/nvidia0"], True),
        (["/dev/nvidiactl", "/dev/nvidia-uvm"], True),
        (["/tmp/x", "socket:[7]"], False),
        (["/tmp/dev/nvidia0", "/dev/null"], False),
        ([], False),
    ],
)
def test_a_process_is_ours_if_it_has_a_device_open(
    tmp_path: Path, targets: list[str], ours: bool
) -> None:
    opened(tmp_path, 100, *targets)
    assert GpuProcesses(SimpleNamespace(), tmp_path).is_ours(100) is ours


def test_reading_the_driver_does_not_make_the_server_a_program_on_the_gpu(tmp_path: Path) -> None:
    opened(tmp_path, os.getpid(), "/dev/nvidiactl", "/dev/nvidia0")
    assert not GpuProcesses(SimpleNamespace(), tmp_path).is_ours(os.getpid())
    (tmp_path / str(os.getpid()) / "fd" / "9").symlink_to("/dev/nvidia-uvm")
    assert GpuProcesses(SimpleNamespace(), tmp_path).is_ours(os.getpid())


def test_real_processes_without_a_gpu_and_ones_that_are_gone_are_not_ours() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        alive = GpuProcesses(SimpleNamespace(), Path("/proc")).is_ours(process.pid)
        process.communicate(b"\n")
    reader = GpuProcesses(SimpleNamespace(), Path("/proc"))
    gone = [reader.is_ours(pid) for pid in (process.pid, 0, 4294967295)]
    assert [alive, *gone] == [False, False, False, False]


def test_a_process_with_a_great_many_files_open_is_not_searched_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_einfra.usage.probes.gpu_processes.MOST_FILES", 20)
    opened(tmp_path, 100, *["/dev/null"] * 50)
    seen: list[Path] = []
    readlink = Path.readlink

    def watched(path: Path) -> Path:
        seen.append(path)
        return readlink(path)

    monkeypatch.setattr(Path, "readlink", watched)
    assert not GpuProcesses(SimpleNamespace(), tmp_path).is_ours(100)
    assert len(seen) == 20


LISTS = st.lists(
    st.one_of(
        st.dictionaries(st.integers(1, 5), st.integers(0, 1 << 40)),
        st.just(HIDDEN),
        st.just(Reason(code="gpu_lost", message="It is lost.", params={})),
    )
)


@given(LISTS)
def test_a_sum_is_told_only_where_every_part_of_it_is_known(
    found: list[dict[int, int] | Reason],
) -> None:
    result = total(settle(found))
    named = any(one and not isinstance(one, Reason) for one in found)
    if isinstance(result, Reason):
        assert result in found
        assert result is not HIDDEN or not named
    else:
        parts = [one for one in found if not isinstance(one, Reason)]
        assert len(parts) == len(found) or named
        for pid in {pid for part in parts for pid in part}:
            assert result[pid] == sum(part.get(pid, 0) for part in parts)
