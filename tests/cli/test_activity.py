"""`jupyter einfra activity`, as it is typed on a server on which something has happened."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from servers.kernels import NotebookKernel
from servers.lab import LabServer
from servers.process import wait_until

from jupyter_einfra.activity.check import check
from jupyter_einfra.activity.models import ActivityList, Digest, DigestUse
from jupyter_einfra.cli import main
from jupyter_einfra.cli.activity import lines


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    with LabServer(tmp_path_factory.mktemp("activity"), app="server") as started:
        kernel = NotebookKernel(started, "train.ipynb")

        def has_failed() -> bool:
            kernel.run("None")
            kernel.run("raise KeyError('station_id')")
            told = started.api("GET", "jupyter-einfra/activity").json()["events"]
            return {"cells", "run"} <= {e["type"] for e in told if e.get("path") == "train.ipynb"}

        wait_until("it has failed", has_failed)
        yield started


@pytest.fixture(autouse=True)
def at_home(lab: LabServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(lab.home))
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_it_says_what_needs_attention_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["activity"]) == 0
    said = capsys.readouterr().out
    assert re.search(
        r"Needs your attention\n  \w+ \d\d \w+ \d\d:\d\d +train.ipynb stopped at cell \[\d+\] with "
        r"KeyError: 'station_id'.*\n\nFinished\n.*train.ipynb: \d+ cells?.*\n\nWhere to go on\n",
        said,
        re.DOTALL,
    )
    assert "\nUsed: " in said


def test_it_says_each_event_and_nothing_from_before(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["activity", "--events"]) == 0
    said = capsys.readouterr().out
    assert "kernel of train.ipynb: started" in said
    assert re.search(r"train.ipynb: a cell failed after .*: KeyError", said)
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    assert main(["activity", "--since", tomorrow.isoformat()]) == 0
    assert "Nothing has happened since." in capsys.readouterr().out


def test_it_prints_what_the_server_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["activity", "--json", "--since", "2d"]) == 0
    digest = msgspec.json.decode(capsys.readouterr().out, type=Digest)
    assert digest.sections[0].name == "attention"
    assert main(["activity", "--json", "--events"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out, type=ActivityList).events


@pytest.mark.parametrize("since", ["yesterday", "5", "5y", "-2h", "9999999d", "0000-01-01"])
def test_a_time_that_is_none_is_refused(since: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["activity", f"--since={since}"])
    assert ended.value.code == 2
    assert "is no time: give one such as 8h" in capsys.readouterr().err


def test_recording_is_switched_and_what_was_recorded_erased(
    lab: LabServer, capsys: pytest.CaptureFixture[str]
) -> None:
    def told() -> Any:
        return lab.api("GET", "jupyter-einfra/activity").json()

    assert main(["activity", "--record", "off"]) == 0
    assert not told()["recording"]
    assert main(["activity", "--erase"]) == 0
    assert told()["events"] == []
    assert main(["activity"]) == 0
    assert "What happens is not recorded" in capsys.readouterr().out
    assert main(["activity", "--record", "on"]) == 0
    assert told()["recording"]


def test_without_a_server_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    assert main(["activity"]) == 1
    assert "No Jupyter server of yours runs" in capsys.readouterr().err


def test_only_figures_that_are_known_are_said() -> None:
    now = datetime(2026, 11, 20, tzinfo=timezone.utc)
    use = DigestUse(
        known_seconds=60,
        scope="container",
        cpu_core_hours=26.34,
        gpu_hours=None,
        memory_peak_bytes=16 * 2**30,
        memory_peak_at=now,
        memory_limit_bytes=None,
        gpu_memory_peak_bytes=None,
        gpu_memory_total_bytes=None,
        home_used_bytes=212 * 2**30,
        home_limit_bytes=250 * 2**30,
    )
    digest = Digest(
        time=now,
        since=now,
        until=now,
        started_at=now,
        sections=[],
        use=use,
        recording=True,
        reason=None,
    )
    of_all = msgspec.structs.replace(digest, use=msgspec.structs.replace(use, scope="machine"))
    on_gpu = msgspec.structs.replace(
        use, gpu_memory_peak_bytes=71 * 2**30, gpu_memory_total_bytes=80 * 2**30
    )
    told = list(lines(msgspec.structs.replace(digest, use=on_gpu)))[-1]
    assert ", most GPU memory 71.0 of 80 GiB, home " in told
    assert list(lines(of_all))[-1].startswith("Used (of the whole machine): 26.3 CPU-hours, ")
    assert list(lines(digest))[-1] == (
        "Used: 26.3 CPU-hours, most memory 16.0 GiB, home 212.0 of 250 GiB."
    )


@pytest.mark.parametrize(
    ("value", "status"), [(None, "ok"), ("true", "ok"), ("false", "note"), ("maybe", "error")]
)
def test_check_tells_whether_there_may_be_a_record(
    value: str | None, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JUPYTER_EINFRA_ACTIVITY_RECORD", raising=False)
    if value is not None:
        monkeypatch.setenv("JUPYTER_EINFRA_ACTIVITY_RECORD", value)
    [finding] = check()
    assert finding.status == status
    assert json.loads(msgspec.json.encode(finding))["subject"] == "record of activity"
