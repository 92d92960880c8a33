"""A real JupyterLab in a real Chromium. Screenshots are left in test-results/."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from servers.browser_fixtures import browser, jp_asyncio_loop, jp_server_cleanup
from servers.lab import LabServer
from servers.lab_page import start_lab

__all__ = ["browser", "jp_asyncio_loop", "jp_server_cleanup"]

SHOTS = Path(__file__).parents[2] / "test-results"

#: What pages leave in their browser, but for the cache of what they loaded.
LEAVINGS = "cookies,local_storage,indexeddb,service_workers,cache_storage,file_systems"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """One JupyterLab for the tests of a file."""
    with start_lab(tmp_path_factory.mktemp("lab")) as started:
        yield started


@pytest.fixture(scope="module")
def warm_context(browser: Browser) -> Iterator[BrowserContext]:
    """What lets the tests of a file load and compile Lab's scripts once.

    Its first page is no test's. It keeps the process alive that all pages of this machine
    share, and with it what that has compiled.
    """
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        keeper = context.new_page()
        keeper.route("http://127.0.0.1/", lambda route: route.fulfill(body="<title>Kept</title>"))
        keeper.goto("http://127.0.0.1/")
        yield context


@pytest.fixture
def context(warm_context: BrowserContext) -> Iterator[BrowserContext]:
    """The browser as if nobody had used it, for one test.

    A test that needs another language, colour scheme or clock makes a context of its own.
    """
    keeper, *_ = warm_context.pages
    yield warm_context
    for page in warm_context.pages:
        if page is not keeper:
            page.close()
    warm_context.set_offline(False)
    warm_context.clear_permissions()
    warm_context.unroute_all()
    devtools = warm_context.new_cdp_session(keeper)
    devtools.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": LEAVINGS})
    devtools.detach()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A fresh page; the test fails if our code wrote an error to its console."""
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    faults: list[str] = []
    opened.on(
        "pageerror",
        lambda error: faults.append(error.message) if "einfra" in f"{error.stack}" else None,
    )
    opened.on(
        "console",
        lambda message: (
            faults.append(message.text)
            if message.type == "error"
            and "einfra" in message.text.lower()
            # A server that is away is told in the page, and by the browser itself.
            and "net::ERR" not in message.text
            # Nor are the complaints of VS Code ours, which has our name in its path.
            and "/vscode/" not in message.location["url"]
            else None
        ),
    )
    yield opened
    opened.close()
    assert faults == []


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Keep a screenshot where a person can look at it."""

    def keep(page: Page, name: str, **options: Any) -> None:
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png", **options)

    return keep
