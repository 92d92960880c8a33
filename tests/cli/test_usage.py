"""`jupyter einfra usage` as it is typed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from servers.nvidia import StandInDriver
from servers.samples import SLICE, sample

from jupyter_einfra.cli.usage import lines
from jupyter_einfra.models import Reason
from jupyter_einfra.usage.models import GpuStatus, UsageSnapshot

COMMAND = [str(Path(sys.executable).parent / "jupyter"), "einfra", "usage"]


def test_each_resource_has_one_line_with_its_limit_and_scope() -> None:
    assert list(lines(sample(used_gib=3.0))) == [
        "CPU     0.40 of 2 cores         this container",
        "Memory  3.00 of 16.0 GiB        this container",
        "Home    40.00 of 100.0 GiB      your quota",
        "Network 1.0 kB/s in, 0.5 out    this container",
    ]


def test_what_is_not_known_says_why_and_is_never_0() -> None:
    gone = Reason(code="cgroup_unreadable", message="cpu.stat is gone.", params={})
    why = Reason(code="mig_no_utilization", message="No utilization of a slice.", params={})
    gpu = msgspec.structs.replace(SLICE, index=0, reason=why)
    whole = sample(gpus=(gpu,))
    cpu = msgspec.structs.replace(whole.cpu, used_cores=None, limit_cores=None, reason=gone)
    told = list(lines(msgspec.structs.replace(whole, cpu=cpu)))
    assert told[0] == "CPU     not known               this container; cpu.stat is gone."
    assert told[2] == "GPU 0   17.00 of 20.0 GiB       one MIG slice; No utilization of a slice."


@pytest.mark.parametrize(("code", "count"), [("nvml_missing", 4), ("nvml_failed", 5)])
def test_a_machine_without_gpus_is_nothing_to_speak_of_and_a_broken_driver_is(
    code: str, count: int
) -> None:
    status = GpuStatus(driver=None, reason=Reason(code=code, message="It is so.", params={}))
    assert len(list(lines(msgspec.structs.replace(sample(), gpu_status=status)))) == count


def test_json_is_the_same_as_on_the_wire() -> None:
    done = subprocess.run([*COMMAND, "--json"], capture_output=True, text=True, check=True)
    told = msgspec.json.decode(done.stdout, type=UsageSnapshot)
    assert told.cpu.used_cores is not None
    assert told.memory.working_set_bytes


def test_gpus_are_waited_for(driver: StandInDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.behave("gpus=1 slow_init")
    for name, value in driver.environ.items():
        monkeypatch.setenv(name, value)
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=True)
    assert "GPU 0   1.00 of 80.0 GiB, 29%" in done.stdout


def test_watching_goes_on_until_it_is_interrupted() -> None:
    with subprocess.Popen(
        [*COMMAND, "--json", "--watch"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        times = [json.loads(process.stdout.readline())["time"] for _ in range(2)]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert times[0] < times[1]
    assert (process.returncode, errors) == (0, "")
