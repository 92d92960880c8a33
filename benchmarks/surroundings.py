"""What the figures depend on: the machine, the versions, and the peer to compare with."""

from __future__ import annotations

import compileall
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]

#: Kept by `git` out of sight; the project itself must not depend on its peers.
CACHE = ROOT / ".cache" / "benchmarks"

PEER = "jupyter-resource-usage"
PEER_VERSION = "1.3.0"

_PACKAGES = ("jupyter-server", "jupyter-server-proxy", "tornado", "psutil", "msgspec")


def peer_directory() -> Path:
    """Return where the peer can be imported from; installs it there the first time.

    It runs in our own Python with the very same Jupyter Server, Tornado and psutil, so
    that nothing but the extensions differs. All else it needs comes with Jupyter Server.
    """
    directory = CACHE / f"{PEER}-{PEER_VERSION}"
    if not directory.exists():
        unfinished = directory.with_suffix(".part")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
        subprocess.run(
            [*pip, "--target", str(unfinished), f"{PEER}=={PEER_VERSION}"],
            check=True,
            timeout=180,
            stdout=sys.stderr,
        )
        unfinished.rename(directory)
    return directory


def compile_all() -> None:
    """Have the bytecode of our own modules, as ``pip`` makes it when it installs them."""
    compileall.compile_dir(ROOT / "jupyter_einfra", quiet=1)


def describe() -> Iterator[str]:
    """Yield lines that say when, where and with which versions."""
    yield f"Measured {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC"
    memory = psutil.virtual_memory().total / 2**30
    yield (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Linux {platform.release()}, load before: {os.getloadavg()[0]:.2f}"
    )
    versions = [f"{name} {metadata.version(name)}" for name in _PACKAGES]
    peer = f"{PEER} {PEER_VERSION}"
    yield ", ".join([f"Python {platform.python_version()}", *versions, peer])


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
