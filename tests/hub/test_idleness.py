"""Use of an application under a real hub: what its user does, and nothing that its tab does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from servers.all_apps import SHOWN, with_all_apps
from servers.event_files import train
from servers.hub import RealHub
from servers.process import wait_until
from servers.traffic import UNTOUCHED_SECONDS, Traffic

#: A single-user server, a browser and VS Code share two cores.
PATIENCE = 60_000


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def hub(directory: Path) -> Iterator[RealHub]:
    train(directory / "runs/first")
    env = with_all_apps(directory)
    with RealHub(directory, users=["alice", "bob"], env=env) as running:
        running.start_server("alice")
        running.share("alice", with_user="bob")
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        opened = context.new_page()
        opened.set_default_timeout(PATIENCE)
        yield opened


def instance(hub: RealHub, app: str) -> dict[str, Any]:
    """Return what is known of an application that was started."""
    token = hub.token_for("alice")
    reply = hub.ask("alice", "GET", "jupyter-einfra/apps", token=token).raise_for_status()
    (found,) = [found for found in reply.json()["apps"] if found["name"] == app]
    told: dict[str, Any] = found["instances"][0]
    return told


def start(hub: RealHub, app: str, path: str | None) -> str:
    """Have an application run; return its address on the hub."""
    body = {"app": app, "path": path, "show": False}
    token = hub.token_for("alice")
    reply = hub.ask("alice", "POST", "jupyter-einfra/apps/open", token=token, json=body)
    wait_until("it ran", lambda: instance(hub, app)["state"] == "running", within_seconds=60)
    return f"/user/alice/{reply.raise_for_status().json()['url']}"


def stop(hub: RealHub, app: str) -> None:
    body, token = {"id": instance(hub, app)["id"]}, hub.token_for("alice")
    hub.ask("alice", "POST", "jupyter-einfra/apps/stop", token=token, json=body).raise_for_status()
    wait_until("it stopped", lambda: instance(hub, app)["state"] == "stopped", within_seconds=60)


def activity(hub: RealHub) -> str:
    """Return what the server tells the hub."""
    quietly = {"params": {"no_track_activity": "1"}}
    status = hub.ask_directly("alice", "GET", "api/status", **quietly).raise_for_status()
    return str(status.json()["last_activity"])


def assert_counted(hub: RealHub, app: str, before: str) -> None:
    """Assert that somebody's use is known to us and to Jupyter."""
    counted = "it counted"
    wait_until(counted, lambda: instance(hub, app)["last_used"] > before, within_seconds=15)
    assert activity(hub) >= instance(hub, app)["last_used"]


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_a_tab_of_vs_code_is_no_activity_and_its_user_is(
    page: Page, hub: RealHub, user: str
) -> None:
    """Whoever may use it, is somebody who uses it."""
    traffic = Traffic(page)
    hub.sign_in(page, user, start(hub, "vscode", None))
    if user != "alice":
        page.get_by_role("button", name="Authorize").click()
    page.locator(SHOWN["vscode"]).wait_for()
    page.wait_for_load_state("networkidle")
    before, activity_before = instance(hub, "vscode")["last_used"], activity(hub)
    traffic.leave_alone()
    assert (instance(hub, "vscode")["last_used"], activity(hub)) == (before, activity_before)

    page.keyboard.press("Shift")
    assert_counted(hub, "vscode", before)


@pytest.mark.parametrize(
    ("app", "act"),
    [
        ("rstudio", "key"),
        ("matlab", "scroll"),
        ("tensorboard", "click"),
        ("desktop", "key"),
        ("desktop", "click"),
        ("desktop", "scroll"),
    ],
)
def test_so_it_is_with_the_others(
    page: Page, hub: RealHub, directory: Path, app: str, act: str
) -> None:
    path = str(directory / "runs") if app == "tensorboard" else None
    hub.sign_in(page, "alice", start(hub, app, path))
    page.locator(SHOWN[app]).first.wait_for()
    before, activity_before = instance(hub, app)["last_used"], activity(hub)
    page.wait_for_timeout(1500 + UNTOUCHED_SECONDS * 1000)
    assert (instance(hub, app)["last_used"], activity(hub)) == (before, activity_before)

    if act == "key":
        page.keyboard.press("Shift")
    elif act == "click":
        page.mouse.click(640, 500)
    else:
        page.mouse.move(640, 500)
        page.mouse.wheel(0, 300)
    assert_counted(hub, app, before)


@pytest.mark.parametrize("app", SHOWN)
def test_a_tab_of_lab_is_no_use_and_its_user_is(
    page: Page, hub: RealHub, directory: Path, app: str
) -> None:
    path = str(directory / "runs") if app == "tensorboard" else None
    address = start(hub, app, path)
    hub.sign_in(page, "alice", "/user/alice/lab?reset")
    page.locator(".jp-LauncherCard:visible").first.wait_for()
    shown = instance(hub, app)
    token, body = hub.token_for("alice"), {"app": app, "path": path, "show": True}
    hub.ask("alice", "POST", "jupyter-einfra/apps/open", token=token, json=body)
    frame = page.frame_locator(f'.jp-EinfraApps-frame:visible iframe[src*="{address}"]')
    frame.locator(SHOWN[app]).first.wait_for()
    before = instance(hub, app)["last_used"]
    assert before > shown["last_used"]  # to open it is to use it
    page.wait_for_timeout(1500 + UNTOUCHED_SECONDS * 1000)
    page.mouse.click(10, 500)  # what is done in Lab beside it is no use of it
    page.wait_for_timeout(1500)
    assert instance(hub, app)["last_used"] == before

    page.mouse.click(900, 500)
    assert_counted(hub, app, before)
    stop(hub, app)
