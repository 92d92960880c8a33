"""What tests of applications start, and where."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from servers.apps import MARK, Leavings


@pytest.fixture
def leavings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Leavings]:
    """What the test leaves behind, which is killed at its end."""
    made = Leavings()
    monkeypatch.setenv(MARK, made.mark)
    yield made
    for process in made.processes():
        with suppress(psutil.Error):
            process.kill()


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder with a short name, as sockets need it; the tests' own is a long one."""
    made = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    yield made
    shutil.rmtree(made, ignore_errors=True)
