"""A real Chromium without a window, as on a server that has no screen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")

#: No sandbox: the tests often run as root. The rest keeps the browser from calling home.
_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

#: A machine that does much else takes its time; whoever waits for longer waits in vain.
_PATIENCE_MS = 20_000


def executable() -> str | None:
    """Where the machine's Chromium is, if it has one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def chromium(*args: str) -> Iterator[Browser]:
    """Start the machine's Chromium, and close it with all its pages at the end."""
    found = executable()
    if found is None:
        raise RuntimeError("There is no Chromium. `make setup` installs it.")
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*_ARGS, *args])
        try:
            yield browser
        finally:
            browser.close()
