"""What `jupyter einfra check` says of applications."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers import rstudio

from jupyter_einfra.apps import application
from jupyter_einfra.apps.check import check
from jupyter_einfra.check.models import Finding


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where programs are."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(application, "_OWN", tmp_path)
    return tmp_path


def found(subject: str = "VS Code") -> Finding:
    (finding,) = [finding for finding in check() if finding.subject == subject]
    return finding


def program(path: Path, script: str, mode: int = 0o755) -> None:
    file = path / "code-server"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(mode)


def test_what_is_missing_comes_with_the_command_that_installs_it(path: Path) -> None:
    finding = found()
    assert (finding.status, finding.advice) == ("note", "npm install --global code-server")
    assert found("TensorBoard").advice == "pip install tensorboard"


def test_what_is_there_comes_with_its_version(path: Path) -> None:
    program(path, "echo 'wrote a file'; echo '4.139.1 53c2f with Code 1.139.1'")
    finding = found()
    assert (finding.status, finding.found) == ("ok", f"4.139.1, {path}/code-server")


def test_what_is_too_old_is_told(path: Path) -> None:
    program(path, "echo 4.9.0")
    finding = found()
    assert finding.status == "error"
    assert finding.advice is not None
    assert "4.18 or newer" in finding.advice


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 3", "exit status 3"),
        ("echo 'node: not found' >&2; exit 127", "node: not found"),
        ("echo none", "none"),
        ("", "exit status 0"),
    ],
)
def test_what_does_not_work_is_told_with_why(path: Path, script: str, why: str) -> None:
    program(path, script)
    finding = found()
    assert finding.status == "error"
    assert why in finding.found


def test_what_an_operator_has_to_know_of_rstudio_is_told_where_it_is_installed(path: Path) -> None:
    assert [f.status for f in check() if f.subject == "RStudio"] == ["note"]  # not installed
    rstudio.install(path)
    version, grace = (finding for finding in check() if finding.subject == "RStudio")
    assert (version.status, version.found) == ("ok", f"2026.05.1, {path}/rserver")
    assert grace.advice is not None
    assert "delete_grace_period" in grace.advice


def test_what_may_not_be_executed_is_told(path: Path) -> None:
    program(path, "echo 4.139", 0o644)
    finding = found()
    assert finding.status == "error"
    assert "may not be executed" in finding.found


def test_a_program_that_never_answers_is_given_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_einfra.apps.check._VERSION_SECONDS", 0.2)
    program(path, "exec sleep 60")
    assert "timed out" in found().found
