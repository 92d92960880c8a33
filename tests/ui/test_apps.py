"""What a person sees and does with applications, played by one that does as it is told."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, Request, Route, expect
from servers.apps import SCRIPT
from servers.axe import violations
from servers.lab import LabServer
from servers.lab_apps import instances
from servers.lab_page import DARK, LIGHT, open_lab, set_user_setting, start_lab
from servers.process import wait_until

APPS = "@e-infra/jupyter-einfra:apps"
THEMES = "@jupyterlab/apputils-extension:themes"

Shot = Callable[..., None]

TAB = ".jp-EinfraApps-frame:visible"
FRAME = f"{TAB} iframe"

#: Before the address of a tab that Lab keeps.
KEPT = "einfra-apps:einfra-apps-"

#: Starts what follows as soon as somebody lets it.
GATED = 'echo one line; echo another; while ! test -e gate; do sleep 0.05; done; exec "$@"'

#: Starts what follows once, and not again while what it leaves is there.
FRAGILE = 'test ! -e left || exit 3; touch left; exec "$@"'


NOTEBOOK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def command(*words: str) -> list[str]:
    return [sys.executable, "-S", "-E", SCRIPT, "{socket}", *words]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    apps = {
        "fake": {"command": command("print=hello"), "title": "Fake", "opens_folders": True},
        "slow": {"title": "Slow", "command": ["sh", "-c", GATED, "sh", *command("print=more")]},
        "never": {"command": command("print=still waiting", "sleep=600"), "title": "Never"},
        "broken": {
            "title": "Broken",
            "command": command("print=Loading", "print=Error: cannot find 'x'", "exit=3"),
        },
        "explore": {
            "title": "Explore",
            "command": command(
                "print=INFO:     Started server process",
                "print=INFO:     Waiting for application startup.",
                "print=Traceback (most recent call last):",
                'print=  File "/home/jovyan/explore/app.py", line 3, in <module>',
                "print=    from palmerpenguins import load_penguins",
                "print=ModuleNotFoundError: No module named 'palmerpenguins'",
                "exit=1",
            ),
        },
        "fragile": {
            "title": "Fragile",
            "command": ["sh", "-c", FRAGILE, "sh", *command()],
        },
        "many": {"command": command(), "title": "Many", "per_folder": True},
        "editor": {
            "title": "Editor",
            "command": command("print=shows {opened}"),
            "file_suffixes": [".R"],
        },
        "late": {"command": command("sleep=600"), "title": "Late"},
        "stubborn": {"command": command("deaf"), "title": "Stubborn"},
        "missing": {"command": "no-such-program {socket}", "title": "Missing"},
    }
    args = [f"--AppsManager.custom_apps={apps}"]
    with start_lab(tmp_path_factory.mktemp("lab"), args=args) as started:
        (started.notebooks / "runs").mkdir()
        (started.notebooks / "my 'second' runs").mkdir()
        (started.notebooks / "file.txt").write_text("text")
        (started.notebooks / "Fit.R").touch()
        (started.notebooks / "runs" / "train.ipynb").write_text(NOTEBOOK)
        yield started


@pytest.fixture(autouse=True)
def nothing_runs(lab: LabServer) -> Iterator[None]:
    """Each test begins and ends with nothing that runs; what ran before is forgotten."""
    yield
    set_user_setting(lab, APPS)
    set_user_setting(lab, THEMES, theme=LIGHT)
    for instance in instances(lab):
        lab.api("POST", "jupyter-einfra/apps/stop", json={"id": instance["id"]})
    wait_until(
        "nothing ran",
        lambda: all(one["state"] in ("stopped", "failed") for one in instances(lab)),
    )
    # The next test's page is of another browser, which has not seen to them.
    wait_until(
        "no wish was left", lambda: not lab.api("GET", "jupyter-einfra/apps").json()["wishes"]
    )


@pytest.fixture
def gate(lab: LabServer) -> Iterator[Path]:
    """A file that lets "Slow" go on once it is there."""
    path = lab.notebooks / "gate"
    yield path
    path.unlink(missing_ok=True)


def state(lab: LabServer, ident: str) -> str | None:
    found: list[str] = [one["state"] for one in instances(lab) if one["id"] == ident]
    return found[0] if found else None


def start(lab: LabServer, app: str, path: str | None = None, *, wait: bool = True) -> str:
    body = {"app": app, "path": path, "show": False}
    reply = lab.api("POST", "jupyter-einfra/apps/open", json=body).raise_for_status().json()
    ident: str = reply["instance"]["id"]
    if wait:
        wait_until("it ran", lambda: state(lab, ident) == "running")
    return ident


def go_to_start(page: Page, lab: LabServer, app: str) -> None:
    """Go to the page that shows a start, as somebody who has signed in."""
    page.goto(f"{lab.url}api?token={lab.token}")
    start(lab, app, wait=False)
    page.goto(f"{lab.url}{app}/")


def tile(page: Page, title: str) -> Locator:
    return page.locator(".jp-LauncherCard:visible", has_text=re.compile(f"^{title}$"))


def in_tab(page: Page) -> FrameLocator:
    return page.frame_locator(FRAME)


def run(page: Page, name: str, **args: str) -> None:
    page.wait_for_function("name => window.jupyterapp?.commands.hasCommand(name)", arg=name)
    page.evaluate(
        "([name, args]) => void window.jupyterapp.commands.execute(name, args)", [name, args]
    )


def agree(page: Page, label: str) -> None:
    """Say in the dialog that it is meant."""
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=label).click()
    expect(dialog).to_be_hidden()


def open_running(page: Page) -> Locator:
    """Open Lab's list of what runs, at our section."""
    if not page.locator("#jp-running-sessions").is_visible():
        page.get_by_role("tab", name="Running Terminals and Kernels").click()
    section = page.locator(".jp-RunningSessions-section", has=page.locator(".jp-EinfraApps-item"))
    expect(section).to_be_visible()
    return section


class TestTiles:
    def test_there_is_one_for_everything_that_is_installed(
        self, page: Page, lab: LabServer, shot: Shot
    ) -> None:
        open_lab(page, lab)
        section = page.locator(".jp-Launcher-section", has_text="Applications")
        expect(tile(page, "Fake")).to_be_visible()
        expect(section.locator(".jp-LauncherCard")).to_contain_text(
            ["TensorBoard", "Fake", "Slow", "Never", "Broken", "Many"]
        )
        expect(tile(page, "Missing")).to_have_count(0)
        # Nothing of it runs before it is asked for.
        assert instances(lab) == [] or all(i["state"] != "running" for i in instances(lab))

    @pytest.mark.parametrize("theme", [LIGHT, DARK])
    def test_they_tell_what_runs_and_what_failed(
        self, page: Page, lab: LabServer, shot: Shot, theme: str
    ) -> None:
        set_user_setting(lab, THEMES, theme=theme)
        open_lab(page, lab)
        expect(tile(page, "Fake").locator(".jp-EinfraApps-mark")).to_have_count(0)
        start(lab, "fake")
        start(lab, "broken", wait=False)
        expect(tile(page, "Fake").locator(".jp-EinfraApps-mark.jp-mod-running")).to_be_visible()
        expect(tile(page, "Broken").locator(".jp-EinfraApps-mark.jp-mod-failed")).to_be_visible()
        # Marks are for eyes; the words are for everybody.
        expect(tile(page, "Fake")).to_have_attribute("title", re.compile("Fake runs since"))
        expect(tile(page, "Broken")).to_have_attribute("title", re.compile("exit status 3"))
        page.mouse.move(0, 0)
        shot(page, f"apps-tiles-{theme.rsplit(maxsplit=1)[-1].lower()}")
        lab.api("POST", "jupyter-einfra/apps/stop", json={"id": "fake"})
        expect(tile(page, "Fake").locator(".jp-EinfraApps-mark")).to_have_count(0)

    def test_one_that_starts_or_stops_does_not_run(
        self, page: Page, lab: LabServer, shot: Shot
    ) -> None:
        open_lab(page, lab)
        mark = tile(page, "Late").locator(".jp-EinfraApps-mark")
        start(lab, "late", wait=False)
        expect(mark).to_have_class(re.compile("jp-mod-starting"))
        expect(tile(page, "Late")).to_have_attribute("title", "Late is starting")
        page.mouse.move(0, 0)
        shot(page, "apps-tiles-starting")
        start(lab, "stubborn")
        stubborn = lab.api("GET", "stubborn/").json()["pid"]
        lab.api("POST", "jupyter-einfra/apps/stop", json={"id": "stubborn"})
        expect(tile(page, "Stubborn")).to_have_attribute("title", "Stubborn is stopping")
        os.kill(stubborn, signal.SIGKILL)  # as its guardian will, but sooner

    def test_the_focus_stays_on_one_while_others_change(self, page: Page, lab: LabServer) -> None:
        start(lab, "fake")
        open_lab(page, lab)
        expect(tile(page, "Fake").locator(".jp-EinfraApps-mark")).to_be_visible()
        for title, act in (("Never", "stop"), ("Fake", "start")):
            tile(page, title).focus()
            lab.api("POST", f"jupyter-einfra/apps/{act}", json={"id": "fake"})
            running = tile(page, "Fake").locator(".jp-mod-running")
            expect(running).to_have_count(int(act == "start"))
            expect(tile(page, title)).to_be_focused()

    def test_a_server_that_is_away_leaves_nothing_green(
        self, page: Page, tmp_path: Path, shot: Shot
    ) -> None:
        args = [f"--AppsManager.custom_apps={ {'fake': {'command': command(), 'title': 'Fake'}} }"]
        with start_lab(tmp_path, args=args) as server:
            start(server, "fake")
            open_lab(page, server)
            item = open_running(page).locator(".jp-EinfraApps-item", has_text="Fake")
            expect(item.locator(".jp-EinfraApps-figures")).to_contain_text("MiB")
            mark = tile(page, "Fake").locator(".jp-EinfraApps-mark")
            expect(mark).to_have_class(re.compile("jp-mod-running"))
            server.stop()
            lost = re.compile(r"^not known since \d+:\d+")
            expect(item.locator(".jp-EinfraApps-figures")).to_have_text(lost, timeout=20_000)
            expect(mark).to_have_class(re.compile("jp-mod-unknown"))
            title = re.compile("What Fake does is not known since")
            expect(tile(page, "Fake")).to_have_attribute("title", title)
            shot(page, "apps-lost")
            server.start()
            expect(mark).to_have_count(0, timeout=30_000)
            expect(tile(page, "Fake")).to_have_attribute("title", "Start Fake")

    def test_one_that_was_switched_off_by_its_user_leaves_no_trace(
        self, page: Page, lab: LabServer
    ) -> None:
        set_user_setting(lab, APPS, show=False)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        open_lab(page, lab)
        expect(page.locator(".jp-EinfraUsage-button")).to_be_visible()  # the stream is open
        expect(page.locator(".jp-Launcher-section", has_text="Applications")).to_have_count(0)
        streams = [url for url in asked if "jupyter-einfra/stream" in url]
        assert streams
        assert not any("apps" in url.partition("?")[2] for url in streams)


class TestOpening:
    def test_a_click_shows_at_once_what_goes_on_and_then_the_program(
        self, page: Page, lab: LabServer, gate: Path
    ) -> None:
        open_lab(page, lab)
        tile(page, "Slow").click()
        frame = in_tab(page)
        expect(frame.get_by_role("heading", name="Starting Slow")).to_be_visible()
        expect(frame.get_by_role("progressbar")).to_be_visible()
        expect(frame.get_by_role("log")).to_have_text(re.compile("one line.*another"))
        # The way back to Lab is around it.
        expect(frame.get_by_text("Back to JupyterLab")).to_have_count(0)
        gate.touch()
        expect(frame.get_by_text('"method": "GET"')).to_be_visible()
        assert page.locator(".lm-TabBar-tab.jp-mod-current").inner_text() == "Slow"
        # The second start knows how long the first one took.
        gate.unlink()
        lab.api("POST", "jupyter-einfra/apps/restart", json={"id": "slow"})
        other = page.context.new_page()
        other.goto(f"{lab.url}slow/")
        expect(other.get_by_text(re.compile(r"^\d+\.\d s last time$"))).to_be_visible()

    def test_the_same_tile_leads_to_the_same_tab(self, page: Page, lab: LabServer) -> None:
        open_lab(page, lab)
        for _ in range(2):
            tile(page, "Fake").click()
            expect(in_tab(page).get_by_text('"method": "GET"')).to_be_visible()
            run(page, "launcher:create")
        expect(page.locator(".lm-TabBar-tab", has_text="Fake")).to_have_count(1)

    def test_in_a_tab_of_the_browser_where_the_user_wants_that(
        self, page: Page, lab: LabServer
    ) -> None:
        set_user_setting(lab, APPS, openIn="browser")
        open_lab(page, lab)
        with page.expect_popup() as popup:
            tile(page, "Fake").click()
        expect(popup.value.get_by_text('"method": "GET"')).to_be_visible()
        assert popup.value.url == f"{lab.url}fake/"
        expect(page.locator(".jp-EinfraApps-frame")).to_have_count(0)

    def test_a_folder_from_the_file_browser(self, page: Page, lab: LabServer, shot: Shot) -> None:
        open_lab(page, lab)
        name = "my 'second' runs"
        page.locator(".jp-DirListing-item", has_text=name).click(button="right")
        entry = page.get_by_role("menuitem", name="Open in Many")
        expect(entry).to_be_visible()
        shot(page, "apps-open-with")
        entry.click()
        expect(in_tab(page).get_by_text('"method": "GET"')).to_be_visible()
        expect(page.locator(".lm-TabBar-tab.jp-mod-current")).to_have_text(f"Many: {name}")
        (found,) = [one for one in instances(lab) if one["app"] == "many" and one["folder"]]
        assert found["folder"] == str(lab.notebooks / name)

    def test_all_that_is_selected(self, page: Page, lab: LabServer) -> None:
        open_lab(page, lab)
        items = page.locator(".jp-DirListing-item")
        items.filter(has_text=re.compile("^runs")).click()
        items.filter(has_text="file.txt").click(modifiers=["Control"])  # is not for it
        items.filter(has_text="my 'second' runs").click(modifiers=["Control"])
        items.filter(has_text="my 'second' runs").click(button="right")
        page.get_by_role("menuitem", name="Open in Many").click()
        tabs = page.locator(".lm-TabBar-tab", has_text="Many")
        expect(tabs).to_have_count(2)
        assert {*tabs.all_inner_texts()} == {"Many: runs", "Many: my 'second' runs"}

    def test_no_more_than_can_be_meant(self, page: Page, lab: LabServer) -> None:
        folder = lab.notebooks / "crowd"
        for number in range(11):
            (folder / str(number)).mkdir(parents=True, exist_ok=True)
        open_lab(page, lab, "lab/tree/crowd")
        items = page.locator(".jp-DirListing-item")
        expect(items).to_have_count(11)
        items.first.click()
        items.last.click(modifiers=["Shift"])
        items.last.click(button="right")
        entry = page.locator(".lm-Menu-item", has_text="Open in Many")
        expect(entry).to_have_class(re.compile("lm-mod-disabled"))

    def test_the_folder_that_the_file_browser_shows(self, page: Page, lab: LabServer) -> None:
        open_lab(page, lab, "lab/tree/runs")
        listing = page.locator(".jp-DirListing-content")
        expect(page.locator(".jp-BreadCrumbs-item", has_text="runs")).to_be_visible()
        listing.click(button="right")
        page.get_by_role("menuitem", name="Open This Folder in Many").click()
        expect(page.locator(".lm-TabBar-tab.jp-mod-current")).to_have_text("Many: runs")

    def test_a_notebook_stands_for_its_folder(self, page: Page, lab: LabServer) -> None:
        open_lab(page, lab, "lab/tree/runs")
        page.locator(".jp-DirListing-item", has_text="train.ipynb").click(button="right")
        expect(page.get_by_role("menuitem", name="Open in Many")).to_have_count(0)
        page.get_by_role("menuitem", name="Open Its Folder in Many").click()
        expect(page.locator(".lm-TabBar-tab.jp-mod-current")).to_have_text("Many: runs")

    def test_what_runs_already_is_shown_and_cannot_be_told_of_a_file(
        self, page: Page, lab: LabServer, shot: Shot
    ) -> None:
        open_lab(page, lab)
        item = page.locator(".jp-DirListing-item", has_text="Fit.R")
        item.click(button="right")
        page.get_by_role("menuitem", name="Open in Editor").click()
        expect(in_tab(page).get_by_text('"method": "GET"')).to_be_visible()
        log = lab.api("GET", "jupyter-einfra/apps/log?id=editor").json()["lines"]
        assert log == [f"shows {lab.notebooks / 'Fit.R'}"]
        expect(page.locator(".Toastify__toast")).to_have_count(0)
        (lab.notebooks / "other.R").touch()
        run(page, "einfra-apps:open", app="editor", path="other.R")
        expect(page.locator(".Toastify__toast")).to_contain_text("Editor runs already.")
        shot(page, "apps-opens-at-start")

    def test_a_file_from_a_terminal_is_opened_in_lab(self, page: Page, lab: LabServer) -> None:
        open_lab(page, lab)
        expect(tile(page, "Fake")).to_be_visible()  # by then it listens
        file = str(lab.notebooks / "file.txt")
        lab.api("POST", "jupyter-einfra/apps/show", json={"path": file}).raise_for_status()
        expect(page.locator(".lm-TabBar-tab.jp-mod-current")).to_have_text("file.txt")
        folder = str(lab.notebooks / "runs")
        lab.api("POST", "jupyter-einfra/apps/show", json={"path": folder}).raise_for_status()
        expect(page.locator(".jp-DirListing-item", has_text="train.ipynb")).to_be_visible()

    def test_a_file_is_offered_only_to_those_that_open_files(
        self, page: Page, lab: LabServer
    ) -> None:
        open_lab(page, lab)
        page.locator(".jp-DirListing-item", has_text="file.txt").click(button="right")
        expect(page.get_by_role("menuitem", name="Rename")).to_be_visible()
        expect(page.get_by_role("menuitem", name="Open in Many")).to_have_count(0)
        expect(page.get_by_role("menuitem", name="Open in Fake")).to_have_count(0)
        expect(page.get_by_role("menuitem", name="Open This Folder")).to_have_count(0)

    def test_by_the_palette(self, page: Page, lab: LabServer) -> None:
        open_lab(page, lab)
        expect(tile(page, "Fake")).to_be_visible()
        page.keyboard.press("Control+Shift+C")
        page.keyboard.type("open fake")
        page.keyboard.press("Enter")
        expect(in_tab(page).get_by_text('"method": "GET"')).to_be_visible()

    def test_the_keyboard_reaches_the_program(self, page: Page, lab: LabServer) -> None:
        open_lab(page, lab)
        tile(page, "Fake").focus()
        page.keyboard.press("Enter")
        expect(in_tab(page).get_by_text('"method": "GET"')).to_be_visible()
        expect(page.locator(FRAME)).to_be_focused()

    def test_what_is_started_in_a_terminal_shows_in_one_open_page(
        self, page: Page, lab: LabServer
    ) -> None:
        open_lab(page, lab)
        expect(tile(page, "Fake")).to_be_visible()
        body = {"app": "fake", "path": None, "show": True}
        lab.api("POST", "jupyter-einfra/apps/open", json=body).raise_for_status()
        expect(in_tab(page).get_by_text('"method": "GET"')).to_be_visible()
        saved(lab)
        page.locator(".lm-TabBar-tab", has_text="Fake").locator(".lm-TabBar-tabCloseIcon").click()
        not_saved(lab)  # else it is Lab that brings it back
        # Seen to once: neither the next news nor a reload brings it back.
        start(lab, "broken", wait=False)
        page.reload()
        page.wait_for_selector(".jp-Launcher")
        expect(tile(page, "Fake").locator(".jp-EinfraApps-mark")).to_be_visible()
        expect(page.locator(".jp-EinfraApps-frame")).to_have_count(0)


class TestChoosing:
    def test_a_folder_is_typed_and_remembered(self, page: Page, lab: LabServer, shot: Shot) -> None:
        open_lab(page, lab)
        tile(page, "Many").click()
        frame = in_tab(page)
        expect(frame.get_by_role("heading", name="Many")).to_be_visible()
        field = frame.get_by_label("Folder", exact=True)
        field.fill("nowhere")
        field.press("Enter")
        expect(frame.get_by_role("alert")).to_have_text(
            "There is nothing at “nowhere”. Check the path."
        )
        expect(field).to_be_focused()
        field.fill("runs")
        expect(frame.get_by_role("alert")).to_have_count(0)  # it is about another one
        expect(field).to_have_accessible_description(
            f"A path that does not begin with / is below {lab.notebooks}."
        )
        # Names of folders have such letters, too.
        frame.get_by_role("button", name="Open", exact=True).click()
        expect(frame.get_by_text('"method": "GET"')).to_be_visible()
        other = page.context.new_page()
        other.goto(f"{lab.url}many/")
        expect(other.get_by_text("Choose the folder that Many shows.")).to_be_visible()
        expect(other.get_by_role("heading", name="Recent folders")).to_be_visible()
        row = other.locator(".jp-EinfraLaunch-choice", has_text="/runs").first
        expect(row).to_contain_text("running")
        shot(other, "apps-choose-light")
        row.get_by_role("link").click()
        expect(other.get_by_text('"method": "GET"')).to_be_visible()

    def test_the_tab_is_that_of_the_folder_from_then_on(self, page: Page, lab: LabServer) -> None:
        open_lab(page, lab)
        tile(page, "Many").click()
        choose(page, "runs")
        tab = page.locator(".lm-TabBar-tab", has_text="Many")
        expect(tab).to_have_text("Many: runs")
        before = pid_in_tab(page)
        # What runs is shown where it is shown already.
        open_running(page).locator(".jp-EinfraApps-title", has_text="Many: runs").click()
        expect(tab).to_have_count(1)
        # The tile lets one choose again, and another folder gets another tab.
        run(page, "launcher:create")
        tile(page, "Many").click()
        choose(page, "my 'second' runs")
        expect(tab).to_have_text(["Many: runs", "Many: my 'second' runs"])
        assert pid_in_tab(page) != before
        # One that has a tab is shown there.
        run(page, "launcher:create")
        tile(page, "Many").click()
        in_tab(page).get_by_role("link", name=str(lab.notebooks / "runs"), exact=True).click()
        expect(tab).to_have_text(["Many: runs", "Many: my 'second' runs"])
        expect(page.locator(".lm-TabBar-tab.jp-mod-current")).to_have_text("Many: runs")
        assert pid_in_tab(page) == before
        # So Lab keeps them.
        saved(lab, "many/runs", "many/my-second-runs")
        page.goto(f"{lab.url}lab")
        expect(tab).to_have_text(["Many: runs", "Many: my 'second' runs"])
        assert pid_in_tab(page) == before

    def test_there_is_one_tab_to_choose_in(self, page: Page, lab: LabServer) -> None:
        open_lab(page, lab)
        tile(page, "Many").click()
        field = in_tab(page).get_by_label("Folder", exact=True)
        expect(field).to_have_value("")
        run(page, "launcher:create", cwd="runs")
        tile(page, "Many").click()
        expect(field).to_have_value("runs")
        expect(page.locator(".lm-TabBar-tab", has_text="Many")).to_have_count(1)

    def test_a_program_cannot_say_what_was_chosen(self, page: Page, lab: LabServer) -> None:
        open_lab(page, lab)
        tile(page, "Many").click()
        expect(in_tab(page).get_by_label("Folder", exact=True)).to_be_visible()
        run(page, "launcher:create")
        tile(page, "Fake").click()
        pid_in_tab(page)
        message = {"type": "einfra-apps:chosen", "id": "many/runs", "title": "Many: runs"}
        page.evaluate("heard = 0; addEventListener('message', ({data}) => heard += !!data.id)")
        send = "message => parent.postMessage(message, location.origin)"
        in_tab(page).locator("body").evaluate(f"(_, m) => ({send})(m)", message)
        page.evaluate(send, message)
        page.wait_for_function("heard === 2")
        expect(page.locator(".lm-TabBar-tab", has_text="Many")).to_have_text("Many")

    def test_a_folder_can_be_forgotten(self, page: Page, lab: LabServer) -> None:
        ident = start(lab, "many", "runs")
        lab.api("POST", "jupyter-einfra/apps/stop", json={"id": ident})
        wait_until("it stopped", lambda: state(lab, ident) == "stopped")
        page.goto(f"{lab.url}many/?token={lab.token}")
        folder = str(lab.notebooks / "runs")
        page.get_by_role("button", name=f"Forget {folder}").click()
        expect(page.get_by_role("link", name=folder, exact=True)).to_have_count(0)
        expect(page.get_by_label("Folder", exact=True)).to_be_focused()

    def test_the_folder_that_lab_shows_is_offered(self, page: Page, lab: LabServer) -> None:
        open_lab(page, lab, "lab/tree/runs")
        run(page, "launcher:create", cwd="runs")
        tile(page, "Many").last.click()
        expect(in_tab(page).get_by_label("Folder", exact=True)).to_have_value("runs")


class TestTheLaunchPage:
    """By itself, as where an image opens straight into an application."""

    def test_it_is_painted_at_once(self, page: Page, lab: LabServer) -> None:
        page.goto(f"{lab.url}api?token={lab.token}")  # signs in
        page.goto(f"{lab.url}never/")
        expect(page.get_by_role("heading", name="Starting Never")).to_be_visible()
        # Nothing is loaded but the page itself.
        names = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
        assert [name for name in names if "apps/launch" not in name] == []

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_it_follows_the_browsers_preference(
        self, browser: Browser, lab: LabServer, shot: Shot, scheme: Any
    ) -> None:
        with browser.new_context(color_scheme=scheme) as context:
            page = context.new_page()
            page.goto(f"{lab.url}never/?token={lab.token}")
            start_again = page.get_by_role("button", name="Start")
            expect(page.get_by_role("log").or_(start_again).first).to_be_visible()
            if start_again.is_visible():
                start_again.click()
            expect(page.get_by_role("log")).to_have_text("still waiting")
            background = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (background == "rgb(255, 255, 255)") == (scheme == "light")
            shot(page, f"apps-launch-{scheme}")
            assert violations(page, "main") == []
            page.goto(f"{lab.url}broken/")
            retry = page.get_by_role("button", name=re.compile("Try again|Start"))
            retry.click()
            expect(page.get_by_role("heading", name="Broken could not be started")).to_be_visible()
            expect(page.get_by_role("log")).to_contain_text("Error: cannot find 'x'")
            expect(page.get_by_text("exit status 3")).to_be_visible()
            shot(page, f"apps-failed-{scheme}")
            assert violations(page, "main") == []
            page.goto(f"{lab.url}many/")
            expect(page.get_by_label("Folder", exact=True)).to_be_focused()
            assert violations(page, "main") == []

    def test_in_a_tab_of_lab_it_is_as_dark_as_lab_is(
        self, page: Page, lab: LabServer, shot: Shot
    ) -> None:
        set_user_setting(lab, THEMES, theme=DARK)
        open_lab(page, lab)
        tile(page, "Never").click()
        frame = in_tab(page)
        expect(frame.get_by_role("log")).to_have_text("still waiting")
        background = frame.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
        assert background == "rgb(30, 30, 30)"
        shot(page, "apps-launch-in-lab-dark")
        run(page, "apputils:change-theme", theme=LIGHT)
        body = frame.locator("body")
        expect(body).to_have_css("background-color", "rgb(255, 255, 255)")

    def test_a_server_can_open_straight_into_it(self, page: Page, tmp_path: Path) -> None:
        fake = {"title": "Fake", "command": command("sleep=1")}
        args = ["--LabApp.default_url=/fake/", f"--AppsManager.custom_apps={ {'fake': fake} }"]
        with start_lab(tmp_path, args=args) as server:
            page.goto(f"{server.url}?token={server.token}")
            expect(page.get_by_role("heading", name="Starting Fake")).to_be_visible()
            expect(page.get_by_text('"method": "GET"')).to_be_visible()
            assert page.url == f"{server.url}fake/"

    def test_a_start_can_be_cancelled_and_tried_again(self, page: Page, lab: LabServer) -> None:
        go_to_start(page, lab, "never")
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("heading", name="Never is stopped")).to_be_visible()
        assert state(lab, "never") == "stopped"
        page.reload()  # by itself it does not come back
        expect(page.get_by_role("heading", name="Never is stopped")).to_be_visible()
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_role("heading", name="Starting Never")).to_be_visible()

    def test_the_keyboard_keeps_its_place(self, page: Page, lab: LabServer) -> None:
        go_to_start(page, lab, "never")
        page.get_by_role("button", name="Cancel").press("Enter")
        expect(page.get_by_role("button", name="Start")).to_be_focused()

    def test_what_is_in_the_way_of_the_eye_comes_first(self, page: Page, lab: LabServer) -> None:
        start(lab, "fake")
        open_lab(page, lab)
        run(page, "einfra-apps:log", id="fake")
        log = page.locator(".jp-EinfraApps-log:visible")
        # Shown by the keyboard, it is there for the keyboard.
        expect(log.locator(":focus")).to_have_count(1)
        buttons = log.locator(".jp-EinfraLaunch-act")
        expect(buttons).to_have_text(["Stop", "Restart", "Open"])
        places = [box["x"] for one in buttons.all() if (box := one.bounding_box())]
        assert places == sorted(places)
        expect(buttons.last).to_have_class(re.compile("jp-mod-first"))

    def test_nothing_moves_between_a_start_and_its_end(
        self, page: Page, lab: LabServer, shot: Shot
    ) -> None:
        go_to_start(page, lab, "never")
        log, heading = page.get_by_role("log"), page.get_by_role("heading")
        expect(log).to_have_text("still waiting")
        before = [one.bounding_box() for one in (heading, log)]
        assert before[0]
        assert before[0]["y"] == pytest.approx(160, abs=24)  # a fifth of the window
        lab.api("POST", "jupyter-einfra/apps/stop", json={"id": "never"})
        expect(page.get_by_role("button", name="Start")).to_be_visible()
        after = [one.bounding_box() for one in (heading, log)]
        places = [[(box["y"], box["height"]) for box in boxes if box] for boxes in (before, after)]
        # The heading may be another one, of the same height.
        assert places[0] == places[1]
        shot(page, "apps-stopped")

    def test_its_log_stays_at_its_end_whatever_its_size(self, page: Page, lab: LabServer) -> None:
        page.set_viewport_size({"width": 1280, "height": 800})
        start(lab, "fake")
        open_lab(page, lab)
        lab.api("GET", "fake/do?" + "&".join(f"print=line+{number}" for number in range(100)))
        run(page, "einfra-apps:log", id="fake")
        log = page.locator(".jp-EinfraApps-log:visible").get_by_role("log")
        expect(log).to_contain_text("line+99")
        to_end = "e => e.scrollHeight - e.scrollTop - e.clientHeight < 24"
        assert log.evaluate(to_end)
        before = log.evaluate("e => e.clientHeight")
        page.set_viewport_size({"width": 1280, "height": 500})
        log.evaluate(f"(e, before) => {settled('e.clientHeight < before')}", before)
        assert log.evaluate(to_end)
        # Who reads further up stays there.
        log.evaluate("e => { e.scrollTop = 100; }")
        log.evaluate(f"(e, top) => {settled('e.scrollTop === top')}", 100)
        page.set_viewport_size({"width": 1280, "height": 450})
        log.evaluate(f"(e, before) => {settled('e.clientHeight < before')}", before - 320)
        assert log.evaluate("e => e.scrollTop") == 100

    def test_forced_colours_leave_it_readable(
        self, browser: Browser, lab: LabServer, shot: Shot
    ) -> None:
        with browser.new_context(forced_colors="active") as context:
            page = context.new_page()
            go_to_start(page, lab, "never")
            expect(page.get_by_role("log")).to_have_text("still waiting")
            colours = page.get_by_role("progressbar").evaluate(
                "e => [e, e.firstElementChild].map(e => getComputedStyle(e).backgroundColor)"
            )
            assert len(set(colours)) == 2
            border = "e => getComputedStyle(e).borderTopWidth"
            assert page.get_by_role("log").evaluate(border) == "1px"
            shot(page, "apps-launch-forced-colours")

    def test_it_has_a_way_back(self, page: Page, lab: LabServer) -> None:
        go_to_start(page, lab, "never")
        page.get_by_role("link", name="Back to JupyterLab").click()
        page.wait_for_selector("#jp-main-dock-panel")

    def test_after_a_new_start_of_the_server_it_does_not_run(
        self, page: Page, tmp_path: Path
    ) -> None:
        never = {"title": "Never", "command": command("print=still waiting", "sleep=600")}
        args = [f"--AppsManager.custom_apps={ {'never': never} }"]
        with start_lab(tmp_path, args=args) as server:
            page.goto(f"{server.url}api?token={server.token}")
            page.goto(f"{server.url}never/")
            expect(page.get_by_role("log")).to_have_text("still waiting")
            server.restart()
            heading = page.get_by_role("heading", name="Never does not run")
            expect(heading).to_be_visible(timeout=20_000)  # it tries again by itself
            # Nobody came from elsewhere, and what was printed is of a run that is gone.
            expect(page.get_by_role("status")).to_have_text("Never does not run")
            expect(page.get_by_role("log")).to_be_hidden()
            page.get_by_role("button", name="Start").click()
            expect(page.get_by_role("log")).to_have_text("still waiting")

    def test_two_windows_see_the_same(self, page: Page, lab: LabServer, gate: Path) -> None:
        page.goto(f"{lab.url}api?token={lab.token}")
        start(lab, "slow", wait=False)
        other = page.context.new_page()
        for window in (page, other):
            window.goto(f"{lab.url}slow/")
            expect(window.get_by_role("heading", name="Starting Slow")).to_be_visible()
        gate.touch()
        for window in (page, other):
            expect(window.get_by_text('"method": "GET"')).to_be_visible()

    def test_it_speaks_czech_to_who_reads_czech(
        self, browser: Browser, lab: LabServer, shot: Shot
    ) -> None:
        with browser.new_context(locale="cs-CZ") as context:
            page = context.new_page()
            go_to_start(page, lab, "broken")
            expect(
                page.get_by_role("heading", name="Aplikaci Broken se nepodařilo spustit")
            ).to_be_visible()
            expect(page.get_by_text("skončila s návratovým kódem 3")).to_be_visible()
            expect(page.get_by_role("button", name="Zkusit znovu")).to_be_visible()
            assert page.evaluate("document.documentElement.lang") == "cs-CZ"

    def test_a_page_of_another_site_cannot_start_anything_but_asks(
        self, page: Page, lab: LabServer, tmp_path: Path
    ) -> None:
        page.goto(f"{lab.url}api?token={lab.token}")
        # Another name of this machine is another site.
        evil = tmp_path / "evil.html"
        address = f"{lab.url}fake/"
        evil.write_text(f'<a href="{address}">go</a><img src="{address}">')
        page.goto(evil.as_uri())
        page.get_by_text("go").click()
        expect(page.get_by_role("heading", name=re.compile("Start Fake?|Fake is"))).to_be_visible()
        assert state(lab, "fake") != "running"
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_text('"method": "GET"')).to_be_visible()

    def test_a_server_that_goes_away_is_told(self, page: Page, lab: LabServer) -> None:
        go_to_start(page, lab, "never")
        expect(page.get_by_role("log")).to_have_text("still waiting")
        page.context.set_offline(True)
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("The server cannot be reached.")).to_be_visible()
        page.context.set_offline(False)
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("heading", name="Never is stopped")).to_be_visible()


class TestTabsThatStayOpen:
    def test_a_stop_under_two_tabs_is_the_end(self, page: Page, lab: LabServer) -> None:
        """Both windows hold a WebSocket and try again and again, as such pages do."""
        page.goto(f"{lab.url}api?token={lab.token}")
        start(lab, "fake")
        other = page.context.new_page()
        script = """
            () => {
              window.closed_ = 0;
              const connect = () => {
                const socket = new WebSocket(location.href.replace('http', 'ws') + 'socket');
                socket.onclose = () => { window.closed_++; setTimeout(connect, 100); };
              };
              connect();
              setInterval(() => fetch('x').catch(() => 0), 100);
            }
        """
        for window in (page, other):
            window.goto(f"{lab.url}fake/")
            window.evaluate(script)
        lab.api("POST", "jupyter-einfra/apps/stop", json={"id": "fake"}).raise_for_status()
        for window in (page, other):
            window.wait_for_function("window.closed_ > 5")
        assert state(lab, "fake") == "stopped"
        # The user's own reload shows what happened, and a way to go on.
        page.reload()
        expect(page.get_by_role("heading", name="Fake is stopped")).to_be_visible()

    def test_a_reload_of_lab_brings_tabs_back_and_starts_nothing(
        self, page: Page, lab: LabServer
    ) -> None:
        open_lab(page, lab)
        tile(page, "Fake").click()
        expect(in_tab(page).get_by_text('"method": "GET"')).to_be_visible()
        saved(lab)
        page.goto(f"{lab.url}lab")  # while it runs, it is there again
        expect(in_tab(page).get_by_text('"method": "GET"')).to_be_visible()
        lab.api("POST", "jupyter-einfra/apps/stop", json={"id": "fake"})
        wait_until("it stopped", lambda: state(lab, "fake") == "stopped")
        page.goto(f"{lab.url}lab")
        tab = page.locator(TAB)
        expect(tab.get_by_role("heading", name="Fake does not run")).to_be_visible()
        assert state(lab, "fake") == "stopped"
        tab.get_by_role("button", name="Start").click()
        expect(in_tab(page).get_by_text('"method": "GET"')).to_be_visible()

    def test_a_tab_that_was_put_back_follows_what_happens(
        self, page: Page, lab: LabServer, shot: Shot, gate: Path
    ) -> None:
        gate.touch()
        open_lab(page, lab)
        tile(page, "Slow").click()
        expect(in_tab(page).get_by_text('"method": "GET"')).to_be_visible()
        icon = page.locator(".lm-TabBar-tab.jp-mod-current .lm-TabBar-tabIcon svg")
        box = icon.bounding_box()
        saved(lab, "slow/")
        lab.api("POST", "jupyter-einfra/apps/stop", json={"id": "slow"})
        wait_until("it stopped", lambda: state(lab, "slow") == "stopped")
        # Nothing is said of what is not known yet.
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        page.route("**/jupyter-einfra/stream*", hold)
        page.goto(f"{lab.url}lab")
        tab = page.locator(TAB)
        expect(tab.get_by_role("heading", name="Slow", exact=True)).to_be_visible()
        expect(tab.get_by_role("button", name="Open")).to_be_visible()
        wait_for(page, lambda: bool(held))
        page.unroute("**/jupyter-einfra/stream*")  # lets them go, too
        expect(tab.get_by_role("heading", name="Slow does not run")).to_be_visible()
        assert icon.bounding_box() == box
        shot(page, "apps-put-back")
        assert violations(page, TAB.removesuffix(":visible")) == []
        # Somebody starts it elsewhere.
        gate.unlink()
        start(lab, "slow", wait=False)
        expect(in_tab(page).get_by_role("heading", name="Starting Slow")).to_be_visible()
        page.goto(f"{lab.url}lab")  # what is being started is shown at once
        expect(in_tab(page).get_by_role("heading", name="Starting Slow")).to_be_visible()
        gate.touch()
        expect(in_tab(page).get_by_text('"method": "GET"')).to_be_visible()

    @pytest.mark.parametrize("theme", [LIGHT, DARK])
    def test_a_stop_is_told_above_the_page_that_stays(
        self, page: Page, lab: LabServer, shot: Shot, theme: str
    ) -> None:
        set_user_setting(lab, THEMES, theme=theme)
        open_lab(page, lab)
        tile(page, "Fake").click()
        before = pid_in_tab(page)
        lab.api("POST", "jupyter-einfra/apps/stop", json={"id": "fake"})
        tab = page.locator(TAB)
        expect(tab.get_by_role("status")).to_contain_text("Fake was stopped.")
        assert pid_in_tab(page) == before  # there to be copied
        assert state(lab, "fake") == "stopped"
        shot(page, f"apps-over-{theme.rsplit(maxsplit=1)[-1].lower()}")
        assert violations(page, ".jp-EinfraApps-over") == []
        tab.get_by_role("button", name="Show Log").click()
        expect(page.locator(".jp-EinfraApps-log:visible")).to_contain_text("hello")
        page.locator(".lm-TabBar-tab", has_text=re.compile("^Fake$")).click()
        tab.get_by_role("button", name="Start").click()
        expect(tab.locator(".jp-EinfraApps-over")).to_have_count(0)
        assert pid_in_tab(page) != before

    def test_the_tile_leads_to_a_page_that_works(self, page: Page, lab: LabServer) -> None:
        open_lab(page, lab)
        tile(page, "Fake").click()
        before = pid_in_tab(page)
        lab.api("POST", "jupyter-einfra/apps/stop", json={"id": "fake"})
        expect(page.locator(".jp-EinfraApps-over")).to_be_visible()
        run(page, "launcher:create")
        tile(page, "Fake").click()
        expect(page.locator(".jp-EinfraApps-over")).to_have_count(0)
        assert pid_in_tab(page) != before
        expect(page.locator(".lm-TabBar-tab", has_text="Fake")).to_have_count(1)

    def test_a_page_gives_way_to_one_of_the_next_start(self, page: Page, lab: LabServer) -> None:
        open_lab(page, lab)
        tile(page, "Fake").click()
        pids = [pid_in_tab(page)]
        loads: list[str] = []
        page.on("framenavigated", lambda frame: loads.append(frame.url))
        restarts: list[Callable[[], object]] = [
            lambda: lab.api("POST", "jupyter-einfra/apps/restart", json={"id": "fake"}),
            lambda: lab.api("GET", "fake/do?signal=11"),  # started again by itself
        ]
        for restart in restarts:
            restart()
            expect(in_tab(page).get_by_text(f'"pid": {pids[-1]}')).to_have_count(0)
            pids.append(pid_in_tab(page))
            expect(page.locator(".jp-EinfraApps-over")).to_have_count(0)
        assert len(set(pids)) == len(restarts) + 1
        # The first one by way of the page that shows a start; nothing is loaded twice.
        assert len([url for url in loads if url.endswith("/fake/")]) <= len(restarts) + 1

    def test_a_page_that_is_not_seen_gives_way_when_it_is(self, page: Page, lab: LabServer) -> None:
        open_lab(page, lab)
        tile(page, "Fake").click()
        before = pid_in_tab(page)
        run(page, "launcher:create")
        expect(tile(page, "Fake")).to_be_visible()
        loads: list[str] = []
        page.on("framenavigated", lambda frame: loads.append(frame.url))
        lab.api("POST", "jupyter-einfra/apps/restart", json={"id": "fake"})
        wait_until("it ran again", lambda: pid(lab) not in (None, before))
        start(lab, "never", wait=False)
        expect(tile(page, "Never").locator(".jp-EinfraApps-mark")).to_be_visible()  # so it knows
        assert [url for url in loads if url.endswith("/fake/")] == []
        page.locator(".lm-TabBar-tab", has_text=re.compile("^Fake$")).click()
        expect(in_tab(page).get_by_text(f'"pid": {before}')).to_have_count(0)
        assert pid_in_tab(page) != before

    def test_one_that_does_not_start_again_tells_why(self, page: Page, lab: LabServer) -> None:
        left = lab.notebooks / "left"
        left.unlink(missing_ok=True)
        open_lab(page, lab)
        tile(page, "Fragile").click()
        before = pid_in_tab(page)
        lab.api("GET", "fragile/do?signal=11")
        tab = page.locator(TAB)
        expect(tab.get_by_role("alert")).to_contain_text("Fragile ended with exit status 3")
        assert pid_in_tab(page) == before
        left.unlink()
        tab.get_by_role("button", name="Try again").click()
        expect(tab.locator(".jp-EinfraApps-over")).to_have_count(0)
        assert pid_in_tab(page) != before


def pid_in_tab(page: Page) -> int:
    """Return the process that made the page in the tab that is seen."""
    answer = in_tab(page).get_by_text('"method": "GET"')
    expect(answer).to_be_visible()
    return int(json.loads(answer.inner_text())["pid"])


def choose(page: Page, folder: str) -> None:
    """Type a folder into the page in the tab that is seen."""
    field = in_tab(page).get_by_label("Folder", exact=True)
    field.fill(folder)
    field.press("Enter")
    expect(in_tab(page).get_by_text('"method": "GET"')).to_be_visible()


def saved(lab: LabServer, current: str = "fake/", *others: str) -> None:
    """Wait until Lab has kept its layout with these tabs in it."""

    def kept() -> bool:
        data = lab.api("GET", "lab/api/workspaces/default").json()["data"]
        main = data.get("layout-restorer:data", {}).get("main", {})
        tabs = json.dumps(main.get("dock"))
        return (main.get("current") or "").startswith(f"{KEPT}{current}") and all(
            f'"{KEPT}{address}' in tabs for address in (current, *others)
        )

    wait_until("Lab keeps its layout", kept)


def not_saved(lab: LabServer, address: str = "fake/") -> None:
    """Wait until Lab has kept its layout without a tab."""
    wait_until(
        "Lab has no such tab",
        lambda: f"{KEPT}{address}" not in lab.api("GET", "lab/api/workspaces/default").text,
    )


class TestWhatRuns:
    def test_lab_lists_it_with_what_it_uses(self, page: Page, lab: LabServer, shot: Shot) -> None:
        start(lab, "fake")
        start(lab, "broken", wait=False)
        open_lab(page, lab)
        section = open_running(page)
        item = section.locator(".jp-EinfraApps-item", has_text="Fake")
        expect(item.locator(".jp-EinfraApps-figures")).to_have_text(
            re.compile(r"\d+ (sec|min) · [\d.]+ cores · [\d.]+ MiB")
        )
        failed = section.locator(".jp-EinfraApps-item", has_text="Broken")
        expect(failed).to_contain_text("failed")
        item.hover()
        shot(page, "apps-running-light")
        set_user_setting(lab, THEMES, theme=DARK)

    def test_figures_are_asked_for_only_while_the_list_is_seen(
        self, page: Page, lab: LabServer
    ) -> None:
        start(lab, "fake")
        topics: list[str] = []
        page.on(
            "request",
            lambda request: (
                topics.append(request.url) if "jupyter-einfra/stream" in request.url else None
            ),
        )
        open_lab(page, lab)
        expect(tile(page, "Fake").locator(".jp-EinfraApps-mark")).to_be_visible()
        assert not any("usage-details" in url for url in topics)
        open_running(page)
        page.wait_for_function("true")
        wait_for(page, lambda: "usage-details" in topics[-1])
        page.get_by_role("tab", name=re.compile("File Browser")).click()
        wait_for(page, lambda: "usage-details" not in topics[-1])

    def test_it_is_shown_stopped_and_started_again_from_there(
        self, page: Page, lab: LabServer
    ) -> None:
        start(lab, "fake")
        open_lab(page, lab)
        section = open_running(page)
        item = section.locator(".jp-EinfraApps-item", has_text="Fake")
        item.locator(".jp-EinfraApps-title").click()
        frame = in_tab(page)
        expect(frame.get_by_text('"method": "GET"')).to_be_visible()
        before = json.loads(frame.locator("body").inner_text())["pid"]
        item.hover()
        item.get_by_role("button", name="Restart Fake").click()
        agree(page, "Restart")
        wait_until("it ran again", lambda: pid(lab) not in (None, before))
        item.hover()
        item.get_by_role("button", name="Show the log of Fake").click()
        log = page.locator(".jp-EinfraApps-log:visible")
        expect(log.get_by_role("heading", name="Fake is running")).to_be_visible()
        expect(log.get_by_role("log")).to_contain_text("hello")
        lab.api("GET", "fake/do?print=something+new")
        expect(log.get_by_role("log")).to_contain_text("something+new")
        item.hover()
        item.get_by_title("Stop").click()
        agree(page, "Stop")
        expect(log.get_by_role("heading", name="Fake is stopped")).to_be_visible()
        log.get_by_role("button", name="Start").click()
        expect(log.get_by_role("heading", name="Fake is running")).to_be_visible()

    def test_what_failed_is_dismissed_or_tried_again(
        self, page: Page, lab: LabServer, shot: Shot
    ) -> None:
        start(lab, "broken", wait=False)
        open_lab(page, lab)
        item = open_running(page).locator(".jp-EinfraApps-item", has_text="Broken")
        expect(item).to_contain_text("failed")
        expect(item.get_by_title("Stop")).to_have_count(0)
        item.hover()
        shot(page, "apps-running-failed")
        with page.expect_request(asks("start", "broken")):
            item.get_by_role("button", name="Try again: Broken").click()
        expect(item).to_contain_text("failed")
        item.hover()
        with page.expect_request(asks("stop", "broken")):
            item.get_by_role("button", name="Dismiss Broken").click()

    def test_all_of_it_is_stopped_and_dismissed_at_once(
        self, page: Page, lab: LabServer, shot: Shot
    ) -> None:
        start(lab, "fake")
        start(lab, "broken", wait=False)
        open_lab(page, lab)
        section = open_running(page)
        expect(section.locator(".jp-EinfraApps-item", has_text="Broken")).to_contain_text("failed")
        toolbar = page.get_by_role("toolbar", name="Applications toolbar")
        toolbar.get_by_role("button", name="Stop All").click()
        dialog = page.get_by_role("dialog")
        # What is lost is named, and what failed before is not.
        expect(dialog).to_contain_text("This stops Fake. What has not been saved there is lost.")
        shot(page, "apps-stop-all")
        with (
            page.expect_request(asks("stop", "fake")),
            page.expect_request(asks("stop", "broken")),
        ):
            dialog.get_by_role("button", name="Stop All").click()
        wait_until("it stopped", lambda: state(lab, "fake") == "stopped")
        wait_until("it was dismissed", lambda: state(lab, "broken") == "stopped")
        start(lab, "broken", wait=False)
        expect(section.locator(".jp-EinfraApps-item", has_text="Broken")).to_contain_text("failed")
        # Nothing is lost, and nothing asked.
        with page.expect_request(asks("stop", "broken")):
            toolbar.get_by_role("button", name="Dismiss All").click()
        expect(dialog).to_have_count(0)

    @pytest.mark.parametrize("theme", [LIGHT, DARK])
    def test_a_row_has_room_for_its_name_and_buttons_that_can_be_seen(
        self, page: Page, lab: LabServer, theme: str
    ) -> None:
        set_user_setting(lab, THEMES, theme=theme)
        start(lab, "fake")
        open_lab(page, lab)
        item = open_running(page).locator(".jp-EinfraApps-item", has_text="Fake")
        label = item.locator(".jp-RunningSessions-itemLabel").bounding_box()
        title = item.locator(".jp-EinfraApps-title").bounding_box()
        assert label
        assert title
        assert title["width"] == label["width"]
        item.hover()
        stop = item.get_by_title("Stop").bounding_box()
        assert stop
        fill = "e => getComputedStyle(e.querySelector('svg [fill]')).fill.match(/\\d+/)[0]"
        for name in ("Restart Fake", "Show the log of Fake"):
            button = item.get_by_role("button", name=name)
            box = button.bounding_box()
            assert box
            assert (box["width"], box["height"]) == (24, 24)
            assert box["y"] + 12 == pytest.approx(stop["y"] + stop["height"] / 2, abs=1)
            shade = int(button.evaluate(fill))
            assert shade < 120 if theme == LIGHT else shade > 160

    def test_the_keyboard_reaches_all_that_can_be_done(self, page: Page, lab: LabServer) -> None:
        start(lab, "fake")
        open_lab(page, lab)
        item = open_running(page).locator(".jp-EinfraApps-item", has_text="Fake")
        item.focus()
        page.keyboard.press("Tab")
        expect(item.get_by_role("button", name="Restart Fake")).to_be_focused()
        page.keyboard.press("Enter")
        with page.expect_request(asks("restart", "fake")):
            agree(page, "Restart")
        wait_until("it ran again", lambda: state(lab, "fake") == "running")
        expect(item.get_by_role("button", name="Restart Fake")).to_be_focused()
        page.keyboard.press("Tab")
        expect(item.get_by_role("button", name="Show the log of Fake")).to_be_focused()
        page.keyboard.press("Tab")
        expect(item.get_by_title("Stop")).to_be_focused()
        page.keyboard.press("Space")  # Lab keeps Enter for the row
        agree(page, "Stop")
        wait_until("it stopped", lambda: state(lab, "fake") == "stopped")

    def test_labs_own_button_asks_once_for_all(self, page: Page, lab: LabServer) -> None:
        """It is shown where Lab has no room for one of ours."""
        running = (start(lab, "fake"), start(lab, "many", "runs"))
        open_lab(page, lab)
        open_running(page)
        page.locator(
            ".jp-RunningSessions-toolbar:has([data-jp-item-name='einfra-apps:stop-all'])"
            " [data-jp-item-name='shutdown-all']"
        ).evaluate("e => (e.querySelector('jp-button, button') ?? e).click()")
        agree(page, "Stop All")
        wait_until("both stopped", lambda: all(state(lab, one) == "stopped" for one in running))
        expect(page.get_by_role("dialog")).to_have_count(0)

    def test_labs_search_for_what_runs_finds_it(self, page: Page, lab: LabServer) -> None:
        start(lab, "fake")
        open_lab(page, lab)
        expect(tile(page, "Fake").locator(".jp-EinfraApps-mark")).to_be_visible()
        run(page, "running:show-modal")
        page.keyboard.type("Fake")
        dialog = page.locator(".jp-SearchableSessions-modal")
        expect(dialog.locator(".jp-EinfraApps-item", has_text="Fake")).to_be_visible()
        page.keyboard.press("Escape")

    def test_by_the_palette(self, page: Page, lab: LabServer) -> None:
        start(lab, "fake")
        open_lab(page, lab)
        expect(tile(page, "Fake").locator(".jp-EinfraApps-mark")).to_be_visible()
        page.keyboard.press("Control+Shift+C")
        page.keyboard.type("stop fake")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("This stops Fake. What has not been saved there is lost.")
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_be_hidden()
        assert state(lab, "fake") == "running"
        run(page, "einfra-apps:stop", id="fake")
        agree(page, "Stop")
        wait_until("it stopped", lambda: state(lab, "fake") == "stopped")

    def test_the_usage_panel_names_it(self, page: Page, lab: LabServer) -> None:
        start(lab, "fake")
        open_lab(page, lab)
        run(page, "einfra-usage:open-panel")
        row = page.get_by_role("row", name=re.compile("Fake"))
        expect(row).to_contain_text("running")
        row.get_by_role("button", name="What to do with Fake").click()
        page.get_by_role("menuitem", name="Stop").click()
        agree(page, "Stop")
        wait_until("it stopped", lambda: state(lab, "fake") == "stopped")

    @pytest.mark.parametrize("theme", [LIGHT, DARK])
    def test_axe_finds_nothing_to_complain_of(
        self, page: Page, lab: LabServer, shot: Shot, theme: str
    ) -> None:
        set_user_setting(lab, THEMES, theme=theme)
        start(lab, "fake")
        open_lab(page, lab)
        open_running(page)
        page.locator(".jp-EinfraApps-item", has_text="Fake").hover()
        shot(page, f"apps-running-{theme.rsplit(maxsplit=1)[-1].lower()}")
        assert violations(page, ".jp-EinfraApps-item .jp-RunningSessions-itemLabel") == []
        run(page, "einfra-apps:log", id="fake")
        expect(page.locator(".jp-EinfraApps-log:visible")).to_contain_text("hello")
        shot(page, f"apps-log-{theme.rsplit(maxsplit=1)[-1].lower()}")
        assert violations(page, ".jp-EinfraApps-log") == []


def settled(condition: str) -> str:
    """Wait in a page until something is so, and what follows from it has been drawn."""
    return (
        "new Promise(done => { const look = () => requestAnimationFrame(() => "
        f"{condition} ? requestAnimationFrame(() => requestAnimationFrame(done)) : look()); "
        "look(); })"
    )


def asks(act: str, ident: str) -> Callable[[Request], bool]:
    """Tell the request that asks the server to do something to one of them."""
    return lambda request: (
        request.url.endswith(f"apps/{act}") and request.post_data_json == {"id": ident}
    )


def pid(lab: LabServer) -> int | None:
    reply = lab.api("GET", "fake/")
    return int(reply.json()["pid"]) if reply.is_success else None


def wait_for(page: Page, condition: Callable[[], bool]) -> None:
    """Wait while the page's events are delivered."""

    def look() -> bool:
        page.wait_for_timeout(50)
        return condition()

    wait_until("it came about", look)


def test_a_program_that_dies_is_told_with_its_log(page: Page, lab: LabServer, shot: Shot) -> None:
    start(lab, "fake")
    open_lab(page, lab)
    expect(tile(page, "Fake").locator(".jp-EinfraApps-mark")).to_be_visible()
    lab.api("GET", "fake/do?print=oh+dear&signal=11")
    toast = page.locator(".Toastify__toast", has_text="Fake was ended by SIGSEGV")
    expect(toast).to_be_visible()
    shot(page, "apps-died-light")
    toast.get_by_role("button", name="Show Log").click()
    expect(page.locator(".jp-EinfraApps-log:visible")).to_be_visible()


def test_a_narrow_window_keeps_it_whole(page: Page, lab: LabServer, shot: Shot) -> None:
    page.set_viewport_size({"width": 400, "height": 600})
    go_to_start(page, lab, "explore")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) <= 0
    shot(page, "apps-failed-narrow")
    page.set_viewport_size({"width": 800, "height": 400})
    shot(page, "apps-failed")


def test_a_narrow_window_keeps_the_chooser_whole(page: Page, lab: LabServer, shot: Shot) -> None:
    folder = lab.notebooks / "-".join(["a-long-name"] * 12)
    folder.mkdir()
    ident = start(lab, "many", folder.name)
    lab.api("POST", "jupyter-einfra/apps/stop", json={"id": ident})
    wait_until("it stopped", lambda: state(lab, ident) == "stopped")
    page.goto(f"{lab.url}api?token={lab.token}")
    for width in (700, 320):
        page.set_viewport_size({"width": width, "height": 600})
        page.goto(f"{lab.url}many/")
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) <= 0
        for name in ("Open", f"Forget {folder}"):
            expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport(ratio=1)
        shot(page, f"apps-choose-{width}")
