"""`jupyter einfra idle`, as it is typed on a server that has a policy, and what check says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from servers.lab import LabServer
from servers.process import wait_until

from jupyter_einfra.check.models import Finding
from jupyter_einfra.cli import main
from jupyter_einfra.idle.check import check
from jupyter_einfra.idle.models import IdleReport


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    directory = tmp_path_factory.mktemp("idle")
    env = {
        "JUPYTER_EINFRA_IDLE_POLICY": "2026-docs",
        "JUPYTER_EINFRA_IDLE_STATE_FILE": str(directory / "state.json"),
        "JUPYTER_EINFRA_IDLE_LOOK_SECONDS": "0.1",
    }
    with LabServer(directory, app="server", env=env) as started:
        yield started


@pytest.fixture(autouse=True)
def at_home(lab: LabServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(lab.home))
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


def publish(lab: LabServer, **changes: object) -> None:
    now = datetime.now(timezone.utc)
    state = {
        "policy": "2026-docs",
        "metric": "cpu_cores",
        "threshold": 0.1,
        "counter": 4,
        "delete_at": (now + timedelta(hours=20)).isoformat(),
        "evaluated_at": now.isoformat(),
        **changes,
    }
    file = lab.home.parent / "state.json"
    new = file.with_suffix(".new")
    new.write_text(json.dumps(state))
    new.replace(file)


def level(lab: LabServer) -> tuple[str, str]:
    told = lab.api("GET", "jupyter-einfra/idle").raise_for_status().json()["status"]
    return told["level"], told["source"]


def test_an_estimate_says_that_it_is_one(
    lab: LabServer, capsys: pytest.CaptureFixture[str]
) -> None:
    (lab.home.parent / "state.json").unlink(missing_ok=True)
    wait_until("it was known", lambda: level(lab) == ("kept", "estimate"))
    assert main(["idle"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("This server is kept until ")
    assert "(an estimate, at the earliest)" in told
    assert "Use is at least 0.1 CPU cores over 5 minutes" in told
    assert "not used. The operator's controller has not written it yet." in told


def test_the_controller_s_word_is_told_as_its_own(
    lab: LabServer, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(lab)
    wait_until("it was read", lambda: level(lab) == ("day", "file"))
    assert main(["idle"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Unless it is used, this server is deleted on ")
    assert "(as the controller says). Save your work." in told
    assert "Found unused  4 of 5 times\n" in told
    assert main(["idle", "--json"]) == 0
    report = msgspec.json.decode(capsys.readouterr().out, type=IdleReport)
    assert report.status.counter == 4


def found(monkeypatch: pytest.MonkeyPatch, **environ: str) -> dict[str, Finding]:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return {finding.subject: finding for finding in check()}


def test_check_says_how_to_set_a_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    (told,) = found(monkeypatch).values()
    assert told.status == "note"
    assert "unknown" in told.found
    assert "JUPYTER_EINFRA_IDLE_POLICY" in str(told.advice)
    told = found(monkeypatch, JUPYTER_EINFRA_IDLE_POLICY="2027")["idle policy"]
    assert told.status == "error"


def test_check_looks_at_all_that_is_set(
    monkeypatch: pytest.MonkeyPatch, lab: LabServer, tmp_path: Path
) -> None:
    publish(lab)
    told = found(
        monkeypatch,
        JUPYTER_EINFRA_IDLE_POLICY="2026-docs",
        JUPYTER_EINFRA_IDLE_STATE_FILE=str(lab.home.parent / "state.json"),
        JUPYTER_EINFRA_IDLE_CONTROLLER_URL="http://127.0.0.1:1/",
        JUPYTERHUB_API_URL="http://127.0.0.1:1/hub/api",
        JUPYTERHUB_USER="alice",
    )
    assert [finding.status for finding in told.values()] == ["ok", "ok", "warning", "warning"]
    assert told["idle policy"].found == (
        "2026-docs: cpu_cores below 0.1, 5 times; gpu_busy_share below 0.005, 3 times"
    )
    assert told["file of the controller"].found.startswith("counter 4, policy 2026-docs")
    monkeypatch.setenv("JUPYTER_EINFRA_IDLE_STATE_FILE", str(tmp_path / "nowhere"))
    assert {finding.subject: finding.status for finding in check()}[
        "file of the controller"
    ] == "warning"
