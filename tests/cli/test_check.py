"""`jupyter einfra check` as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_einfra import __version__
from jupyter_einfra.check.models import Finding, Report
from jupyter_einfra.cli import check, main

GOOD = Finding(subject="thing", status="ok", found="there")
BAD = Finding(subject="other thing", status="error", found="broken", advice="mend it")


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What the one check of this test finds."""
    findings: list[Finding] = []

    class Module:
        @staticmethod
        def check() -> Iterator[Finding]:
            yield from findings

    monkeypatch.setattr(check, "CHECKS", {"demo": "demo"})
    monkeypatch.setattr(check, "import_module", lambda name: Module)
    return findings


def test_all_good_is_status_0(finds: list[Finding], capsys: pytest.CaptureFixture[str]) -> None:
    finds.append(GOOD)
    assert main(["check"]) == 0
    assert "ok      thing  there" in capsys.readouterr().out


def test_an_error_is_status_1_and_says_what_to_do(
    finds: list[Finding], capsys: pytest.CaptureFixture[str]
) -> None:
    finds += [GOOD, BAD]
    assert main(["check"]) == 1
    assert "-> mend it" in capsys.readouterr().out


def test_json_is_the_report(finds: list[Finding], capsys: pytest.CaptureFixture[str]) -> None:
    finds += [GOOD, BAD]
    assert main(["check", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["version"]) == (False, __version__)
    assert report["features"]["demo"][1]["advice"] == "mend it"


def test_a_check_that_breaks_is_an_error_and_the_others_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report: Report = check.make_report(
        {"broken": "no.such.module", "usage": "jupyter_einfra.usage.check"}
    )
    assert not report.ok
    assert "no.such" in report.features["broken"][0].found or "No module" in (
        report.features["broken"][0].found
    )
    subjects = [finding.subject for finding in report.features["usage"]]
    assert subjects[:2] == ["CPU", "memory"]


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["check", "--nonsense"]])
def test_bad_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: jupyter einfra" in capsys.readouterr().err


def test_jupyter_finds_the_command() -> None:
    command = Path(sys.executable).parent / "jupyter-einfra"
    output = subprocess.run([command, "--version"], check=True, capture_output=True, text=True)
    assert output.stdout.strip() == __version__


def test_help_imports_no_server() -> None:
    script = (
        "import sys\nfrom jupyter_einfra.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "assert not {'jupyter_server', 'psutil', 'tornado'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
