"""Use of an application under a real hub: what its user does, and nothing that its tab does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from servers.code_server import with_code_server
from servers.hub import RealHub
from servers.process import wait_until
from servers.traffic import Traffic

#: A single-user server, a browser and VS Code share two cores.
PATIENCE = 60_000


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    with RealHub(
        tmp_path_factory.mktemp("hub"), users=["alice", "bob"], env=with_code_server()
    ) as running:
        running.start_server("alice")
        running.share("alice", with_user="bob")
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        opened = context.new_page()
        opened.set_default_timeout(PATIENCE)
        yield opened


def vscode(hub: RealHub) -> dict[str, Any]:
    """Return what is known of VS Code."""
    token = hub.token_for("alice")
    reply = hub.ask("alice", "GET", "jupyter-einfra/apps", token=token).raise_for_status()
    (app,) = [app for app in reply.json()["apps"] if app["name"] == "vscode"]
    found: dict[str, Any] = app["instances"][0]
    return found


def activity(hub: RealHub) -> str:
    """Return what the server tells the hub."""
    quietly = {"params": {"no_track_activity": "1"}}
    status = hub.ask_directly("alice", "GET", "api/status", **quietly).raise_for_status()
    return str(status.json()["last_activity"])


@pytest.fixture
def running(hub: RealHub) -> None:
    body = {"app": "vscode", "path": None, "show": False}
    path, token = "jupyter-einfra/apps/open", hub.token_for("alice")
    hub.ask("alice", "POST", path, token=token, json=body).raise_for_status()
    wait_until("it ran", lambda: vscode(hub)["state"] == "running")


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("user", ["alice", "bob"])
def test_a_tab_of_vs_code_is_no_activity_and_its_user_is(
    page: Page, hub: RealHub, user: str
) -> None:
    """Whoever may use it, is somebody who uses it."""
    traffic = Traffic(page)
    hub.sign_in(page, user, "/user/alice/vscode/")
    if user != "alice":
        page.get_by_role("button", name="Authorize").click()
    page.locator(".monaco-workbench").wait_for()
    page.wait_for_load_state("networkidle")
    before, activity_before = vscode(hub)["last_used"], activity(hub)
    traffic.leave_alone()
    assert (vscode(hub)["last_used"], activity(hub)) == (before, activity_before)

    page.keyboard.press("Shift")
    wait_until("it counted", lambda: vscode(hub)["last_used"] > before, within_seconds=10)
    assert activity(hub) >= vscode(hub)["last_used"]
