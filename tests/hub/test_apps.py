"""Applications where they are used: on a real hub, by its users, in their browsers."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect
from servers.apps import SCRIPT
from servers.code_server import with_code_server
from servers.event_files import train
from servers.hub import RealHub
from servers.process import wait_until

#: A single-user server, a browser and VS Code share two cores.
PATIENCE = 60_000


def fake(*words: str) -> dict[str, Any]:
    return {"command": [sys.executable, SCRIPT, "{socket}", *words]}


APPS = {
    "fake": {**fake("print=hello"), "title": "Fake"},
    "never": {**fake("print=still waiting", "sleep=600"), "title": "Never"},
    "broken": {**fake("print=oh no", "exit=3"), "title": "Broken"},
}


#: As an operator would: vera's image opens straight into an application.
STRAIGHT = """
def straight_into_vs_code(spawner):
    if spawner.user.name == "vera":
        spawner.default_url = ""
        spawner.args = [*spawner.args, "--ServerApp.default_url=/vscode/"]

c.Spawner.pre_spawn_hook = straight_into_vs_code
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    """Give alice a server, shared with bob; carol and vera have none yet."""
    with RealHub(
        tmp_path_factory.mktemp("hub"),
        users=["alice", "bob", "carol", "vera"],
        args=[f"--AppsManager.custom_apps={APPS}"],
        env=with_code_server(),
        config=STRAIGHT,
    ) as running:
        running.start_server("alice")
        running.share("alice", with_user="bob")
        yield running


@pytest.fixture
def page(browser: Browser, hub: RealHub) -> Iterator[Page]:
    """A page of alice's, who has signed in."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        opened = context.new_page()
        opened.set_default_timeout(PATIENCE)
        hub.login(opened, "alice")
        opened.goto(f"{hub.server_url('alice')}lab?reset")
        opened.wait_for_selector(".jp-Launcher")
        yield opened


@pytest.fixture(autouse=True)
def nothing_runs(hub: RealHub) -> Iterator[None]:
    yield
    for ident in states(hub):
        act(hub, "stop", id=ident)
    wait_until("nothing ran", lambda: {*states(hub).values()} <= {"stopped", "failed"})


def act(
    hub: RealHub, name: str, *, user: str = "alice", owner: str = "alice", **body: Any
) -> httpx.Response:
    """Do something to somebody's applications, as a user."""
    path = f"jupyter-einfra/apps/{name}"
    return hub.ask(owner, "POST", path, token=hub.token_for(user), json=body)


def states(hub: RealHub, owner: str = "alice") -> dict[str, str]:
    """Return what somebody's instances do."""
    reply = hub.ask(owner, "GET", "jupyter-einfra/apps", token=hub.token_for(owner))
    apps = reply.raise_for_status().json()["apps"]
    return {one["id"]: one["state"] for app in apps for one in app["instances"]}


def start(hub: RealHub, app: str, state: str = "running", *, owner: str = "alice") -> None:
    opened = act(hub, "open", user=owner, owner=owner, app=app, path=None, show=False)
    opened.raise_for_status()
    wait_until(f"it was {state}", lambda: states(hub, owner).get(app) == state)


def home(hub: RealHub) -> Path:
    return hub.directory / "homes/alice"


def in_tab(page: Page) -> FrameLocator:
    return page.frame_locator(".jp-EinfraApps-frame:visible iframe")


def tile(page: Page, title: str) -> Any:
    return page.locator(".jp-LauncherCard:visible", has_text=title)


def test_a_start_shows_in_a_tab_of_lab_and_is_steered_there(page: Page, hub: RealHub) -> None:
    """The page is framed, follows its stream, and its acts pass the hub's checks."""
    tile(page, "Never").click()
    frame = in_tab(page)
    expect(frame.get_by_role("heading", name="Starting Never")).to_be_visible()
    expect(frame.get_by_role("log")).to_have_text("still waiting")
    frame.get_by_role("button", name="Cancel").click()
    expect(frame.get_by_role("heading", name="Never is stopped")).to_be_visible()
    assert states(hub)["never"] == "stopped"

    page.locator(".lm-TabBar-addButton:visible").click()
    tile(page, "Broken").click()
    expect(in_tab(page).get_by_role("heading", name="Broken could not be started")).to_be_visible()
    expect(in_tab(page).get_by_role("log")).to_contain_text("oh no")
    in_tab(page).get_by_role("button", name="Try again").click()
    expect(in_tab(page).get_by_role("heading", name="Broken could not be started")).to_be_visible()


def test_only_pages_of_the_same_server_may_frame_it(page: Page, hub: RealHub) -> None:
    reply = page.request.get(
        f"{hub.server_url('alice')}never/",
        headers={"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"},
    )
    assert "frame-ancestors 'self'" in reply.headers["content-security-policy"]
    assert "never" not in states(hub) or states(hub)["never"] == "stopped"


def test_vs_code_in_a_tab_of_lab(page: Page, hub: RealHub) -> None:
    (home(hub) / "of alice").mkdir(exist_ok=True)
    tile(page, "VS Code").click()
    workbench = in_tab(page)
    workbench.get_by_role("treeitem", name="of alice").first.wait_for(timeout=PATIENCE)
    # Its connection is a WebSocket through the hub's proxy and ours.
    workbench.locator(".monaco-workbench").click()
    expect(workbench.locator(".part.auxiliarybar")).to_be_hidden()


def test_tensorboard_on_a_folder(page: Page, hub: RealHub) -> None:
    train(home(hub) / "runs" / "first")
    page.get_by_role("button", name="Refresh", exact=False).first.click()
    page.locator(".jp-DirListing-item", has_text="runs").click(button="right")
    page.get_by_role("menuitem", name="Open in TensorBoard").click()
    expect(in_tab(page).get_by_text("loss", exact=True).first).to_be_visible(timeout=PATIENCE)
    page.goto(f"{hub.server_url('alice')}tensorboard/")
    row = page.locator(".jp-EinfraLaunch-choice", has_text=str(home(hub) / "runs"))
    expect(row).to_contain_text("running")


def test_by_itself_it_has_ways_back_to_lab_and_to_the_hub(page: Page, hub: RealHub) -> None:
    start(hub, "never", "starting")
    page.goto(f"{hub.server_url('alice')}never/")
    page.get_by_role("link", name="Back to JupyterLab").click()
    page.wait_for_selector("#jp-main-dock-panel")
    page.goto(f"{hub.server_url('alice')}never/")
    page.get_by_role("link", name="Hub").click()
    page.wait_for_url(f"{hub.url}hub/home")
    expect(page.get_by_role("button", name="Stop My Server")).to_be_visible()


def test_a_guest_uses_what_runs_and_no_more(browser: Browser, hub: RealHub) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        hub.sign_in(page, "bob", "/user/alice/fake/")
        page.get_by_role("button", name="Authorize").click()  # as of any server of another
        expect(page.get_by_role("heading", name=re.compile("Fake"))).to_be_visible()
        expect(page.get_by_role("button")).to_have_count(0)
        assert states(hub).get("fake", "stopped") == "stopped"
        start(hub, "fake")
        page.reload()
        expect(page.get_by_text('"method": "GET"')).to_be_visible()
    for name, body in (
        ("open", {"app": "fake", "path": None, "show": False}),
        ("stop", {"id": "fake"}),
        ("restart", {"id": "fake"}),
    ):
        assert act(hub, name, user="bob", **body).status_code == 403
    assert states(hub)["fake"] == "running"


def test_nobody_else_reaches_it(hub: RealHub) -> None:
    start(hub, "fake")
    url = f"{hub.server_url('alice')}fake/"
    for headers in ({}, {"Authorization": "token made-up"}, {"Sec-Fetch-Mode": "cors"}):
        reply = httpx.get(url, headers=headers, trust_env=False)
        assert reply.status_code == 302
        assert "/hub/api/oauth2/authorize" in reply.headers["Location"]


def test_a_server_that_is_stopped_takes_everything_with_it(hub: RealHub) -> None:
    hub.start_server("carol")
    start(hub, "fake", owner="carol")
    pid = int(hub.ask("carol", "GET", "fake/", token=hub.token_for("carol")).json()["pid"])
    hub.stop_server("carol")
    wait_until("it was gone", lambda: not Path(f"/proc/{pid}").exists())


def test_an_image_can_open_straight_into_an_application(browser: Browser, hub: RealHub) -> None:
    """As its command line says; the page of the start is then the first one of a server."""
    hub.start_server("vera")
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        hub.sign_in(page, "vera", "/user/vera/")
        expect(page.get_by_role("heading", name="Starting VS Code")).to_be_visible()
        expect(page.get_by_role("link", name="Hub")).to_be_visible()
        page.locator(".monaco-workbench").wait_for(timeout=PATIENCE)
        assert page.url.startswith(f"{hub.server_url('vera')}vscode/")
    hub.stop_server("vera")
