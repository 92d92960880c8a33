"""Only what a person does counts as use: in tabs of Lab and of the browser, in frames of frames.

Keys and clicks are the browser's own here, as a person's are: what a script makes does not
count, and Playwright's ``evaluate`` would pass for a person where frames cannot be entered.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect
from servers.all_apps import SHOWN, with_all_apps
from servers.apps import SCRIPT
from servers.event_files import train
from servers.lab import LabServer
from servers.lab_apps import instances
from servers.lab_page import DARK, LIGHT, open_lab, set_user_setting, start_lab
from servers.played import PlayedStream
from servers.process import also_in, wait_until
from servers.traffic import UNTOUCHED_SECONDS, Traffic

from jupyter_einfra.apps import reasons
from jupyter_einfra.models import Notice, NoticesEvent

Shot = Callable[..., None]

#: Its first start reads 100 MB of scripts.
PATIENCE = 60_000

#: What is written in Markdown is shown in a webview at once.
SETTINGS = {"workbench.editorAssociations": {"*.md": "vscode.markdown.preview.editor"}}

FAKE = {"title": "Fake", "command": [sys.executable, SCRIPT, "{socket}"]}

#: For how long a browser knows that somebody did something; Playwright's looks count, too.
GESTURE_MS = 5500

NO_SCRIPTS = quote("Content-Security-Policy: script-src 'none'")
NO_ORIGIN = quote("Content-Security-Policy: sandbox allow-scripts")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    directory = tmp_path_factory.mktemp("idleness")
    data = directory / "image/share/jupyter"
    (data / "einfra/vscode").mkdir(parents=True)
    (data / "einfra/vscode/settings.json").write_text(json.dumps(SETTINGS))
    env = {**with_all_apps(directory), **also_in("JUPYTER_PATH", data)}
    args = [f"--AppsManager.custom_apps={ {'fake': FAKE} }"]
    with start_lab(directory, args=args, env=env) as started:
        (started.notebooks / "read.md").write_text("# A heading\n\n" + "a line\n\n" * 200)
        train(started.notebooks / "runs/first")
        yield started


@pytest.fixture(autouse=True)
def nothing_runs(lab: LabServer) -> Iterator[None]:
    yield
    for one in instances(lab):
        lab.api("POST", "jupyter-einfra/apps/stop", json={"id": one["id"]})
    wait_until("nothing ran", lambda: {one["state"] for one in instances(lab)} <= {"stopped"})
    (lab.home / ".local/share/code-server/coder.json").unlink(missing_ok=True)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A browser that has not been here before, so that the first use is reported at once."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        opened = context.new_page()
        opened.set_default_timeout(PATIENCE)
        yield opened


def start(lab: LabServer, app: str, path: str | None = None) -> str:
    """Have an application run; return the address of its page."""
    body = {"app": app, "path": path, "show": False}
    told = lab.api("POST", "jupyter-einfra/apps/open", json=body).raise_for_status().json()
    ident = told["instance"]["id"]
    wait_until("it ran", lambda: instance(lab, ident)["state"] == "running")
    return f"{lab.url}{told['url']}"


def instance(lab: LabServer, ident: str) -> dict[str, Any]:
    (found,) = [one for one in instances(lab) if one["id"].startswith(ident)]
    return found


def used(lab: LabServer, ident: str) -> str:
    """Return our own record of when it was last used, behind which is Jupyter's."""
    return str(instance(lab, ident)["last_used"])


def activity(lab: LabServer) -> str:
    """Return Jupyter's record of when anything was last done."""
    status = lab.api("GET", "api/status", params={"no_track_activity": "1"})
    return str(status.raise_for_status().json()["last_activity"])


def sign_in(page: Page, lab: LabServer) -> None:
    page.goto(f"{lab.url}tree-is-not-there?token={lab.token}")


def assert_counted(lab: LabServer, ident: str, before: str) -> None:
    """Assert that somebody's use is known to us and to Jupyter."""
    wait_until("it counted", lambda: used(lab, ident) > before, within_seconds=10)
    assert activity(lab) >= used(lab, ident)


def test_untouched_vs_code_in_a_tab_of_the_browser(page: Page, lab: LabServer) -> None:
    traffic = Traffic(page)
    address = start(lab, "vscode")
    sign_in(page, lab)
    page.goto(address)
    page.get_by_role("treeitem", name="read.md").wait_for()
    before, activity_before = used(lab, "vscode"), activity(lab)
    traffic.leave_alone()
    assert used(lab, "vscode") == before
    assert activity(lab) == activity_before
    assert traffic.reports == 0

    page.keyboard.press("Shift")
    assert_counted(lab, "vscode", before)
    # Whatever else is done in this minute is told no more.
    page.keyboard.type("as fast as one can")
    page.mouse.click(640, 400)
    traffic.leave_alone(2)
    assert traffic.reports == 1


def test_untouched_vs_code_in_a_tab_of_lab(page: Page, lab: LabServer) -> None:
    traffic = Traffic(page)
    start(lab, "vscode")
    open_lab(page, lab)
    page.locator(".jp-LauncherCard", has_text="VS Code").click()
    frame = page.frame_locator(".jp-EinfraApps-frame:visible iframe")
    frame.get_by_role("treeitem", name="read.md").wait_for()
    before = used(lab, "vscode")
    traffic.leave_alone()
    # What is done in Lab beside it is no use of it.
    page.mouse.click(10, 400)
    page.keyboard.press("Escape")
    traffic.leave_alone(2)
    assert used(lab, "vscode") == before
    assert traffic.reports == 0

    page.mouse.click(900, 400)
    assert_counted(lab, "vscode", before)
    page.mouse.click(900, 420)
    traffic.leave_alone(2)
    assert traffic.reports == 1


def test_a_click_into_a_webview_of_vs_code(page: Page, lab: LabServer) -> None:
    """It is a frame in a frame, whose document is written by a script."""
    traffic = Traffic(page)
    address = start(lab, "vscode", "read.md")
    sign_in(page, lab)
    # Only then VS Code knows which files wait for its extensions; others are shown as text.
    page.goto(f"{lab.url}vscode/")
    page.get_by_role("treeitem", name="read.md").wait_for()
    page.goto(address)
    shown = page.frame_locator("iframe.webview").frame_locator("iframe")
    heading = shown.get_by_role("heading", name="A heading")
    heading.wait_for()
    place = heading.bounding_box()
    assert place
    before = used(lab, "vscode")
    traffic.leave_alone()
    assert (used(lab, "vscode"), traffic.reports) == (before, 0)

    def click() -> bool:
        page.mouse.click(place["x"] + 20, place["y"] + 10)
        return used(lab, "vscode") > before

    # Its document is looked for once a second: the first click may come too early.
    wait_until("it counted", click, every_seconds=0.5)
    assert activity(lab) >= used(lab, "vscode")


@pytest.mark.parametrize("act", ["key", "click", "scroll"])
def test_untouched_tensorboard(page: Page, lab: LabServer, act: str) -> None:
    address = start(lab, "tensorboard", "runs")
    sign_in(page, lab)
    page.goto(address)
    page.get_by_text("loss", exact=True).first.wait_for()
    before, activity_before = used(lab, "tensorboard"), activity(lab)
    page.wait_for_timeout(3000 + UNTOUCHED_SECONDS * 1000)  # it sends nothing by itself
    assert (used(lab, "tensorboard"), activity(lab)) == (before, activity_before)
    page.mouse.move(640, 500)
    page.wait_for_timeout(1500)
    assert used(lab, "tensorboard") == before  # to pass over it is not to use it
    if act == "key":
        page.keyboard.press("ArrowDown")
    elif act == "click":
        page.mouse.click(640, 500)
    else:
        page.mouse.wheel(0, 300)
    assert_counted(lab, "tensorboard", before)


@pytest.mark.parametrize("app", ["rstudio", "matlab", "desktop"])
def test_an_untouched_page_of_the_others(page: Page, lab: LabServer, app: str) -> None:
    address = start(lab, app)
    sign_in(page, lab)
    page.goto(address)
    page.locator(SHOWN[app]).first.wait_for()
    before, activity_before = used(lab, app), activity(lab)
    page.wait_for_timeout(3000 + UNTOUCHED_SECONDS * 1000)
    assert (used(lab, app), activity(lab)) == (before, activity_before)
    page.mouse.click(640, 400)
    assert_counted(lab, app, before)


def test_a_page_that_forbids_scripts_is_left_as_it_is(page: Page, lab: LabServer) -> None:
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text))
    address = start(lab, "fake")
    sign_in(page, lab)
    blocked.clear()
    page.goto(f"{address}page?{NO_SCRIPTS}")
    expect(page.get_by_text("A page")).to_be_visible()
    assert page.locator("script").count() == 0
    assert blocked == []
    before = used(lab, "fake")
    page.mouse.click(300, 300)
    page.wait_for_timeout(1500)
    assert used(lab, "fake") == before
    assert instance(lab, "fake")["hides_use"]


@pytest.mark.parametrize("policy", ["", NO_SCRIPTS, NO_ORIGIN])
def test_in_a_tab_of_lab_any_page_is_seen_to_be_used(
    page: Page, lab: LabServer, policy: str
) -> None:
    start(lab, "fake")
    open_lab(page, lab)
    page.wait_for_timeout(GESTURE_MS)
    page.route("**/fake/", lambda route: route.continue_(url=f"{lab.url}fake/page?{policy}"))
    body = {"app": "fake", "path": None, "show": True}
    with page.expect_response("**/fake/page*") as response:
        lab.api("POST", "jupyter-einfra/apps/open", json=body)
    assert "content-security-policy" in response.value.headers or not policy
    page.wait_for_timeout(2500)  # no more than one use could be told of by then
    before = used(lab, "fake")
    page.wait_for_timeout(2500)
    assert used(lab, "fake") == before
    page.mouse.click(900, 400)
    assert_counted(lab, "fake", before)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_warning_can_be_answered_where_it_is_read(
    page: Page, lab: LabServer, shot: Shot, theme: str
) -> None:
    start(lab, "fake")
    set_user_setting(lab, "@jupyterlab/apputils-extension:themes", theme=theme)
    now = datetime.now(timezone.utc)
    warning = reasons.idle_soon("Fake", now - timedelta(hours=3), now + timedelta(minutes=10))
    notice = Notice(
        id="idle:fake",
        time=now,
        feature="apps",
        severity="warning",
        code=warning.code,
        message=warning.message,
        params=warning.params,
        kernel_id=None,
        path=None,
    )
    PlayedStream(page, NoticesEvent(notices=[notice]))
    open_lab(page, lab)
    toast = page.locator(".jp-toastContainer .Toastify__toast")
    expect(toast).to_contain_text("Nobody has used Fake since")
    shot(page, f"idle-warning-{'dark' if theme == DARK else 'light'}")
    before = used(lab, "fake")
    toast.get_by_role("button", name="Keep Running").click()
    assert_counted(lab, "fake", before)


def test_the_list_of_what_runs_tells_when_it_was_last_used(page: Page, lab: LabServer) -> None:
    start(lab, "fake")
    open_lab(page, lab)
    page.get_by_role("tab", name="Running Terminals and Kernels").click()
    item = page.locator(".jp-EinfraApps-item", has_text="Fake")
    expect(item.locator("[title*='Last used: ']")).to_be_visible()
