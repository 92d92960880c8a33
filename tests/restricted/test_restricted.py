"""Clusters run containers as any user, with nothing to write to and nobody to call."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
NAMESPACES = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]


def why_not() -> str | None:
    """Say what this machine lacks to run the test, if anything."""
    if os.geteuid() != 0:
        return "only root may become another user"
    for tool in ("unshare", "setpriv", "mount"):
        if shutil.which(tool) is None:
            return f"there is no {tool!r} (util-linux)"
    attempt = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True, check=False)
    if attempt.returncode:
        return f"namespaces are not permitted here: {attempt.stderr.strip()}"
    return None


WHY_NOT = why_not()


@pytest.fixture
def home() -> Iterator[Path]:
    """Give a folder that any user can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="einfra-restricted-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
def test_the_server_works_for_any_user_with_a_read_only_root_and_no_network(home: Path) -> None:
    seen = run_inside(home)

    # That it was as restricted as the name says ...
    assert (seen["uid"], seen["named"]) == (123456, False)
    assert seen["writable"] == [str(home)]
    assert seen["network"] == ["lo"]
    # ... and worked.
    assert seen["http_status"] == 200
    assert seen["body"]["cpu"]["limit_cores"] > 0
    assert seen["body"]["memory"]["working_set_bytes"] > 0
    assert seen["body"]["memory"]["limit_bytes"] > 0
    assert seen["exit_status"] == 0
    assert "Traceback" not in seen["log"]


def run_inside(home: Path) -> dict[str, Any]:
    """Run `inside.py` and return what it tells."""
    script = Path(__file__).with_name("inside.py")
    command = [*NAMESPACES, "--mount-proc", sys.executable, str(script), "root", str(home)]
    done = subprocess.run(
        [*command, str(TESTS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told
