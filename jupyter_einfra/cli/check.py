"""``jupyter einfra check [--json]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any

import msgspec

from .._version import __version__
from ..check.models import Finding, Report

#: Who adds findings: feature name to the module that has ``check()``.
CHECKS = {
    "installation": "jupyter_einfra.check.installation",
    "usage": "jupyter_einfra.usage.check",
    "idle": "jupyter_einfra.idle.check",
    "activity": "jupyter_einfra.activity.check",
    "apps": "jupyter_einfra.apps.check",
    "running": "jupyter_einfra.cli.running",
}


def add_parser(commands: Any) -> None:
    """Add the command to ``jupyter einfra``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "check",
        help="look at what is installed and what is missing",
        description="Looks at everything that jupyter-einfra needs and can use here, and says "
        "how to get what is missing. Exit status 1 if something does not work.",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the report; 1 if there is an error in it."""
    report = make_report(CHECKS)
    if arguments.json:
        text = msgspec.json.format(msgspec.json.encode(report), indent=2).decode()
    else:
        text = "\n".join(_lines(report))
    sys.stdout.write(text + "\n")
    return 0 if report.ok else 1


def make_report(checks: dict[str, str]) -> Report:
    """Ask every feature; one whose check breaks is an error of its own."""
    features = {name: _ask(module) for name, module in checks.items()}
    ok = all(f.status != "error" for findings in features.values() for f in findings)
    return Report(version=__version__, ok=ok, features=features)


def _ask(module: str) -> list[Finding]:
    findings: list[Finding] = []
    try:
        findings.extend(import_module(module).check())
    except Exception as error:  # noqa: BLE001 - the other features' findings still count
        found = f"could not be looked at: {type(error).__name__}: {error}"
        findings.append(Finding(subject="this check", status="error", found=found))
    return findings


def _lines(report: Report) -> Iterable[str]:
    yield f"jupyter-einfra {report.version}"
    subjects = [f.subject for findings in report.features.values() for f in findings]
    width = max(map(len, subjects), default=0)
    for feature, findings in report.features.items():
        yield f"\n{feature}"
        for finding in findings:
            yield f"  {finding.status:<8}{finding.subject:<{width}}  {finding.found}"
            if finding.advice is not None:
                yield f"  {'':<8}{'':<{width}}  -> {finding.advice}"
