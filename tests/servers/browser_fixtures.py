"""Fixtures for tests with a browser; a folder's `conftest` imports what it needs of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from .browser import chromium, executable


@pytest.fixture
def jp_asyncio_loop() -> None:
    """Keep pytest-jupyter's loop away: Playwright runs one of its own."""


@pytest.fixture
def jp_server_cleanup() -> None:
    """Nothing to clean up: no server runs in this process."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, for the whole run. Within a context, pages of one site share a process."""
    if executable() is None:
        pytest.skip("there is no Chromium; `make setup` installs it as root or with sudo")
    with chromium("--process-per-site") as started:
        yield started
