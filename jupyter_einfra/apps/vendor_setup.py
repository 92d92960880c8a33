"""Asks another package how its program is started, as jupyter-server-proxy would.

In a process of its own: such packages load a lot, run programs, leave temporary files and
keep their tokens for as long as a process lives. A start gets fresh ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from . import reasons
from .application import Launch, NotUsable

#: Loading such a package from a slow disk may take a while.
_SECONDS = 60.0

#: Runs there: `argv` and settings on standard input, what it says as its last line.
_SCRIPT = """
import importlib, inspect, json, os, sys
given = json.load(sys.stdin)
setup = getattr(importlib.import_module(given["module"]), given["function"])()
values = {"port": given["port"], "unix_socket": given["socket"], "base_url": given["base_url"]}
def called(value):
    if not callable(value):
        return value
    return value(**{name: values[name] for name in inspect.signature(value).parameters})
told = {
    name: called(setup.get(name) or empty)
    for name, empty in (("command", []), ("environment", {}), ("request_headers_override", {}))
}
own = str(os.getpid())
def filled(value):
    if isinstance(value, dict):
        return {name: filled(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [filled(one) for one in value]
    if value == own:  # it takes this process for the server
        return given["server"]
    text = str(value)
    for name, one in values.items():
        text = text.replace("{%s}" % name, str(one))
    return text
print("\\n" + json.dumps({name: filled(value) for name, value in told.items()}))
"""


class _SetupError(Exception):
    """The package does not say; carries why."""


@dataclass(frozen=True, kw_only=True)
class VendorSetup:
    """What a package says of a start; its values may be secret."""

    command: list[str] = field(repr=False)
    environment: dict[str, str] = field(repr=False)
    headers: dict[str, str] = field(repr=False)


def is_there(module: str) -> bool:
    """Whether a package is installed; does not load it."""
    return find_spec(module) is not None


def ask(
    title: str, module: str, function: str, launch: Launch, environ: Mapping[str, str]
) -> VendorSetup:
    """Call a package's function. Blocks.

    Parameters
    ----------
    title:
        Of the application.
    module, function:
        Of the entry point that jupyter-server-proxy would load.
    launch:
        Tells what jupyter-server-proxy would fill in, and where temporary files go.
    environ:
        For the process in which that happens.

    Raises
    ------
    NotUsable
        The package does not say.
    """
    try:
        return _ask(module, function, launch, environ)
    except _SetupError as error:
        package = module.replace("_", "-")
        raise NotUsable(reasons.broken(title, package, str(error))) from error


def _ask(module: str, function: str, launch: Launch, environ: Mapping[str, str]) -> VendorSetup:
    given: dict[str, Any] = {
        "module": module,
        "function": function,
        "socket": launch.socket,
        "port": launch.port,
        "base_url": launch.base_url,
        "server": str(os.getpid()),
    }
    try:
        done = subprocess.run(  # noqa: S603 - our own Python
            # Not isolated: the package may be found by PYTHONPATH alone.
            [sys.executable, "-c", _SCRIPT],
            input=json.dumps(given).encode(),
            capture_output=True,
            env={**environ, "TMPDIR": str(launch.directory)},
            cwd=launch.directory,  # nothing in the user's folder is taken for a module
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _SetupError(f"no answer in {_SECONDS:g} seconds") from None
    lines = done.stdout.decode("utf-8", "replace").strip().splitlines()
    if done.returncode != 0 or not lines:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _SetupError(said[-1][:300] if said else f"exit status {done.returncode}")
    try:
        told = json.loads(lines[-1])
        return VendorSetup(
            command=told["command"],
            environment=told["environment"],
            headers=told["request_headers_override"],
        )
    except (ValueError, LookupError, TypeError) as error:
        raise _SetupError(type(error).__name__) from None
