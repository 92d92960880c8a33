"""A real driver, its own tool to compare with, and real programs on a GPU, where there are any."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from servers.events import HeldStream
from servers.kernels import NotebookKernel
from servers.lab import LabServer
from servers.nvidia import CUDA, read_driver, why_no_gpu
from servers.process import wait_until
from servers.sampling import serve

import jupyter_einfra

GIB = 1 << 30
MIB = 1 << 20

#: Of a program, and what else it may take: kernels of CUDA, tables.
HELD_MIB = 700
MOST_BESIDE = GIB

#: Says how it is called here, holds its memory, and ends with its input.
PROGRAM = (
    f"import os, sys\nmib = {HELD_MIB}\n{CUDA}\nprint(os.getpid(), flush=True)\nsys.stdin.read()"
)

#: Prints how the driver names the processes on whole GPUs to who asks.
NAMES = """
import pynvml as n
n.nvmlInit()
gpus = [n.nvmlDeviceGetHandleByIndex(index) for index in range(n.nvmlDeviceGetCount())]
print(*{one.pid for gpu in gpus for one in n.nvmlDeviceGetComputeRunningProcesses(gpu)})
"""

#: Starts a program that holds memory, and tells what is told of it.
INSIDE = """
import subprocess, sys
import msgspec
from jupyter_einfra.usage.probes.driver import Driver

names, program = ([sys.executable, "-c", text] for text in sys.argv[1:])
pipe = subprocess.PIPE
with subprocess.Popen(program, stdin=pipe, stdout=pipe, text=True) as process:
    pid = int(process.stdout.readline())
    named = subprocess.run(names, capture_output=True, text=True).stdout.split()
    processes = Driver(shared=False).read(processes=True).processes
    process.communicate("")
print(msgspec.json.encode(dict(pid=pid, named=named, processes=processes or {})).decode())
"""


@pytest.fixture(scope="module", autouse=True)
def gpu() -> None:
    """Skip all of this without a GPU."""
    reason = why_no_gpu()
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture
def tool() -> str:
    """The driver's own tool."""
    found = shutil.which("nvidia-smi")
    if found is None:
        pytest.skip("there is no nvidia-smi here to compare with")
    return found


@contextmanager
def holding() -> Iterator[int]:
    """Run a program that holds memory on a GPU; its number, as it knows it."""
    command, pipe = [sys.executable, "-c", PROGRAM], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.communicate("")


def skip_unless_named(pid: int) -> None:
    """Ask the driver itself; some name processes as the host does, or not at all."""
    command = [sys.executable, "-c", NAMES]
    named = subprocess.run(command, check=False, capture_output=True, text=True).stdout.split()
    if str(pid) not in named:
        pytest.skip("the driver does not name processes as they are called here")


def test_a_real_driver_is_read_as_its_own_tool_reads_it(tool: str) -> None:
    with serve({}) as server:
        sample = server.wait_for(lambda sample: bool(sample.gpus))
        listed = subprocess.run([tool, "-L"], capture_output=True, text=True, check=True).stdout
        query = "--query-gpu=uuid,memory.used,memory.total,utilization.gpu"
        command = [tool, query, "--format=csv,noheader,nounits"]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert server.stop()["stopped"] < 3
    assert sample.gpu_status.driver
    whole = {line.split(", ")[0]: line.split(", ")[1:] for line in lines.splitlines()}
    for one in sample.gpus:
        assert one.uuid in listed
        assert one.utilization is not None or one.reason is not None
        assert one.utilization is None or 0 <= one.utilization <= 1
        if one.scope == "gpu":
            used, total, _ = whole[one.uuid]
            assert one.memory_total_bytes is not None
            assert one.memory_used_bytes is not None
            assert abs(one.memory_total_bytes - int(total) * MIB) <= MIB
            assert abs(one.memory_used_bytes - int(used) * MIB) <= 64 * MIB


def test_memory_of_real_programs_is_told_by_their_processes() -> None:
    with read_driver({}) as reader, holding() as first, holding() as second:
        skip_unless_named(first)
        held = reader.read(processes=True).processes or {}
        used = [one.memory_used_bytes for one in reader.read().gpus]
    for pid in (first, second):
        assert HELD_MIB * MIB < held[pid] < HELD_MIB * MIB + MOST_BESIDE
    # Each process's is a part of the device's.
    assert held[first] + held[second] <= sum(amount or 0 for amount in used)
    with read_driver({}) as reader:
        assert not {first, second} & (reader.read(processes=True).processes or {}).keys()


def test_memory_of_programs_in_a_container_is_told_by_their_processes() -> None:
    """With process numbers of its own, as Kubernetes makes them; a neighbour's is not told."""
    apart = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if subprocess.run([*apart, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no namespace of process numbers can be made here")
    package = str(Path(jupyter_einfra.__file__).parents[1])
    with holding():
        done = subprocess.run(
            [*apart, sys.executable, "-c", INSIDE, NAMES, PROGRAM],
            env={**os.environ, "PYTHONPATH": package},
            capture_output=True,
            text=True,
            check=True,
        )
    told = json.loads(done.stdout)
    if str(told["pid"]) not in told["named"]:
        pytest.skip("the driver does not name processes as a container calls them")
    assert list(told["processes"]) == [str(told["pid"])]
    assert told["processes"][str(told["pid"])] > HELD_MIB * MIB


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[LabServer]:
    with LabServer(tmp_path, app="server") as started:
        yield started


def test_a_real_kernels_gpu_memory_is_its_own_until_it_dies(lab: LabServer) -> None:
    kernel = NotebookKernel(lab, "train.ipynb")

    def held(stream: HeldStream) -> int:
        programs = stream.wait_for("usage-details")["programs"]
        [amount] = [one["gpu_memory_bytes"] for one in programs if one["id"] == kernel.id]
        return amount or 0

    with HeldStream(lab.url, lab.token, "usage,usage-details") as stream:
        before = stream.wait_for("usage")["gpus"]
        kernel.do(f"mib = {HELD_MIB}\n{CUDA}")
        process = kernel.process()
        assert process is not None
        skip_unless_named(process.pid)
        amount = wait_until("its memory was told", lambda: held(stream) or None)
        assert HELD_MIB * MIB < amount < HELD_MIB * MIB + MOST_BESIDE
        process.send_signal(signal.SIGKILL)
        wait_until("the memory was free again", lambda: is_free(stream, before))


def is_free(stream: HeldStream, before: list[dict[str, Any]]) -> bool:
    """Whether no more memory is in use than there was."""
    now = stream.wait_for("usage")["gpus"]
    pairs = zip(before, now, strict=True)
    return all(b["memory_used_bytes"] <= a["memory_used_bytes"] + 64 * MIB for a, b in pairs)
