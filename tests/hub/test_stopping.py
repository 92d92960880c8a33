"""Whether a server may stop itself is the hub's to say, and its owner's to use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from servers.hub import RealHub
from servers.process import wait_until

#: A hub, two servers and a browser share two cores.
PATIENCE = 60_000

#: As an operator would: alice's server may stop itself, nobody else's.
GRANT = """
def scopes(spawner):
    granted = ["users:activity!user", "access:servers!server"]
    if spawner.user.name == "alice":
        granted.append("delete:servers!server")
    return granted

c.Spawner.server_token_scopes = scopes
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    """Give alice, who shares hers with bob, and carol a server each."""
    env = {"JUPYTER_EINFRA_IDLE_POLICY": "2026-docs"}
    with RealHub(
        tmp_path_factory.mktemp("hub"), users=["alice", "bob", "carol"], config=GRANT, env=env
    ) as running:
        running.start_server("carol")
        running.start_server("alice")
        running.share("alice", with_user="bob")
        yield running


def ask(hub: RealHub, method: str, user: str, path: str, by: str | None = None) -> httpx.Response:
    token = hub.token_for(by or user)
    return hub.ask(user, method, f"jupyter-einfra/{path}", token=token)


def told(hub: RealHub, user: str) -> dict[str, Any]:
    reply = ask(hub, "GET", user, "idle/stop").raise_for_status().json()
    return {"may_stop": reply["may_stop"], "code": reply["reason"] and reply["reason"]["code"]}


def servers(hub: RealHub, user: str) -> dict[str, Any]:
    found: dict[str, Any] = hub.api("GET", f"users/{user}").raise_for_status().json()["servers"]
    return found


def test_without_the_grant_it_is_told_and_the_server_stays(hub: RealHub) -> None:
    assert told(hub, "carol") == {"may_stop": False, "code": "idle_stop_not_granted"}
    reply = ask(hub, "POST", "carol", "idle/stop")
    assert (reply.status_code, reply.json()["code"]) == (409, "idle_stop_not_granted")
    assert servers(hub, "carol")[""]["ready"]


def test_those_with_whom_it_is_shared_learn_nothing_and_stop_nothing(hub: RealHub) -> None:
    for method, path in (("GET", "idle"), ("GET", "idle/stop"), ("POST", "idle/stop")):
        assert ask(hub, method, "alice", path, by="bob").status_code == 403
    assert servers(hub, "alice")[""]["ready"]


def test_without_the_grant_there_is_a_way_to_the_hub(browser: Browser, hub: RealHub) -> None:
    with signed_in(browser, hub, "carol") as page:
        tab = open_page(page)
        link = tab.get_by_role("link", name="Control Panel")
        assert link.get_attribute("href") == "/hub/home"
        expect(tab.get_by_role("button", name="Save All")).to_be_visible()
        expect(tab.get_by_role("button", name="Stop My Server")).to_have_count(0)


def test_with_the_grant_its_owner_stops_it(browser: Browser, hub: RealHub) -> None:
    assert told(hub, "alice") == {"may_stop": True, "code": None}
    with signed_in(browser, hub, "alice") as page:
        tab = open_page(page)
        dialog = page.locator(".jp-Dialog")
        tab.get_by_role("button", name="Stop My Server").click()
        expect(dialog).to_contain_text("All applications end. What was not saved is lost")
        dialog.get_by_role("button", name="Cancel").click()
        assert servers(hub, "alice")[""]["ready"]
        tab.get_by_role("button", name="Stop My Server").click()
        dialog.get_by_role("button", name="Stop My Server").click()
        wait_until("it was gone", lambda: "" not in servers(hub, "alice"))
    assert "" in servers(hub, "carol")


@contextmanager
def signed_in(browser: Browser, hub: RealHub, user: str) -> Iterator[Page]:
    """Open a user's JupyterLab in a browser of their own."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        hub.login(page, user)
        page.goto(f"{hub.server_url(user)}lab?reset")
        page.wait_for_selector(".jp-Launcher")
        yield page


def open_page(page: Page) -> Locator:
    """Open the page that tells whether the server will be kept."""
    item = page.locator(".jp-EinfraIdle-item").get_by_role("button")
    expect(item).to_contain_text("Kept at least until")
    item.click()
    tab = page.locator("#einfra-idle-page")
    expect(tab.get_by_role("heading", level=2)).to_contain_text("Yes, at least until")
    return tab
