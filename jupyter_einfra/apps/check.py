"""What ``jupyter einfra check`` says of applications: found, version, or how to get it."""

from __future__ import annotations

import logging
import os
import re
import subprocess
from collections.abc import Iterator

from ..check.models import Finding
from ..models import Reason
from .application import Application
from .registry import Found, Registry

#: Longer than any program needs to print its version.
_VERSION_SECONDS = 20.0

_VERSION = re.compile(r"\d+(?:\.\d+)*")

_LOG = logging.getLogger(__name__)


def check() -> Iterator[Finding]:
    """Look for every application that comes with this package or another one.

    Those that an operator describes in the server's configuration are not known here.
    """
    problems: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: problems.append(record.getMessage())  # type: ignore[method-assign]
    _LOG.addHandler(listener)
    _LOG.propagate = False
    registry = Registry(custom={}, disabled=(), environ=os.environ, log=_LOG)
    registry.look()
    _LOG.removeHandler(listener)
    for app in registry.all():
        found = registry.found(app)
        yield _finding(app, found)
        if found.program is not None:
            for remark in app.remarks(os.environ):
                yield Finding(
                    subject=app.title,
                    status=remark.status,
                    found=remark.found,
                    advice=remark.advice,
                )
    for problem in problems:
        yield Finding(subject="descriptions", status="error", found=problem)


def _finding(app: Application, found: Found) -> Finding:
    if found.program is None:
        reason = found.reason
        missing = reason is None or reason.code == "app_not_installed"
        return Finding(
            subject=app.title,
            status="note" if missing else "error",
            found="not installed" if missing or reason is None else reason.message,
            advice=app.install if missing else _advice(reason),
        )
    try:
        version = _version(app, found.program)
    except _NoVersionError as problem:
        return Finding(
            subject=app.title,
            status="error",
            found=f"{found.program} does not tell its version: {problem}",
            advice=f"install it anew: {app.install}",
        )
    if _parts(version) < _parts(app.oldest_version):
        return Finding(
            subject=app.title,
            status="error",
            found=f"{version}, {found.program}",
            advice=f"it has to be {app.oldest_version} or newer: {app.install}",
        )
    return Finding(subject=app.title, status="ok", found=f"{version}, {found.program}")


def _advice(reason: Reason | None) -> str | None:
    command = None if reason is None else reason.params.get("command")
    return None if command is None else str(command)


class _NoVersionError(Exception):
    """A program does not tell its version; says why."""


def _version(app: Application, program: str) -> str:
    """Run a program to have its version.

    Raises
    ------
    _NoVersionError
    """
    try:
        done = subprocess.run(  # noqa: S603 - a program that the user has on the PATH
            list(app.version_command(program)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _NoVersionError(error) from None
    said = done.stdout.decode("utf-8", "replace").strip().splitlines()
    # Some say more than that, and before it what they have set up.
    version = _VERSION.search(said[-1]) if said else None
    if done.returncode != 0 or version is None:
        raise _NoVersionError(said[-1] if said else f"exit status {done.returncode}")
    return version[0]


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
