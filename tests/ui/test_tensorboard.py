"""The real TensorBoard on real event files, as its user meets it in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from playwright.sync_api import FrameLocator, Page, expect
from servers.event_files import train
from servers.lab import LabServer
from servers.lab_apps import instances
from servers.lab_page import open_lab, start_lab
from servers.process import wait_until

Shot = Callable[..., None]

#: Its first start compiles a lot on a machine that is busy.
PATIENCE = 60_000


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    with start_lab(tmp_path_factory.mktemp("lab")) as started:
        train(started.notebooks / "runs of 'May'/první")
        (started.notebooks / "empty").mkdir()
        yield started


def boards(lab: LabServer) -> list[dict[str, Any]]:
    """Return its instances."""
    return instances(lab, "tensorboard")


def in_tab(page: Page) -> FrameLocator:
    return page.frame_locator(".jp-EinfraApps-frame:visible iframe")


def open_folder(page: Page, name: str) -> FrameLocator:
    """Open a folder of the file browser by its menu, and return what is in the tab."""
    page.locator(".jp-DirListing-item", has_text=name).click(button="right")
    page.get_by_role("menuitem", name="Open in TensorBoard").click()
    return in_tab(page)


def test_a_folder_opens_in_a_tab_and_shows_its_runs(page: Page, lab: LabServer, shot: Shot) -> None:
    open_lab(page, lab)
    board = open_folder(page, "runs of 'May'")
    expect(board.get_by_text("loss", exact=True).first).to_be_visible(timeout=PATIENCE)
    expect(board.get_by_text("první").first).to_be_visible()
    shot(page, "tensorboard")
    (instance,) = [one for one in boards(lab) if one["folder"].endswith("May'")]
    assert re.fullmatch(r"tensorboard/[a-z0-9-]+/", instance["url"])

    # A second run begins while its user looks on.
    train(lab.notebooks / "runs of 'May'/druhý")
    wait_until("its loader has seen the run", lambda: sees(board, "druhý"), within_seconds=30)


def sees(board: FrameLocator, text: str) -> bool:
    """Have it show what it knows by now, and tell whether that is among it."""
    board.locator(".reload-button").click()
    return board.get_by_text(text, exact=True).first.is_visible()


def test_event_files_may_come_after_it(page: Page, lab: LabServer) -> None:
    open_lab(page, lab)
    board = open_folder(page, "empty")
    expect(board.get_by_text("No dashboards are active")).to_be_visible(timeout=PATIENCE)
    train(lab.notebooks / "empty")
    wait_until("they were picked up", lambda: sees(board, "loss"), within_seconds=30)


def test_its_own_address_lists_what_runs_and_what_was_open(page: Page, lab: LabServer) -> None:
    body = {"app": "tensorboard", "path": "runs of 'May'", "show": False}
    reply = lab.api("POST", "jupyter-einfra/apps/open", json=body).raise_for_status().json()
    page.goto(f"{lab.url}tensorboard?token={lab.token}")
    folder = str(lab.notebooks / "runs of 'May'")
    row = page.locator(".jp-EinfraLaunch-choice", has_text=folder)
    expect(row).to_be_visible()
    ident = reply["instance"]["id"]
    expect(row.get_by_role("link")).to_have_attribute("href", re.compile(f"{ident}/$"))
    row.get_by_role("link").click()
    expect(page.get_by_text("loss", exact=True).first).to_be_visible(timeout=PATIENCE)

    lab.api("POST", "jupyter-einfra/apps/stop", json={"id": ident}).raise_for_status()
    wait_until(
        "it stopped", lambda: [i["state"] for i in boards(lab) if i["id"] == ident] == ["stopped"]
    )
    page.goto(f"{lab.url}tensorboard/")
    row = page.locator(".jp-EinfraLaunch-choice", has_text=folder)
    expect(row).to_be_visible()  # remembered
    expect(row).not_to_contain_text("running")


def test_nobody_else_on_the_machine_can_reach_it(page: Page, lab: LabServer) -> None:
    body = {"app": "tensorboard", "path": "empty", "show": False}
    ident = lab.api("POST", "jupyter-einfra/apps/open", json=body).json()["instance"]["id"]
    wait_until(
        "it ran", lambda: [i["state"] for i in boards(lab) if i["id"] == ident] == ["running"]
    )
    programs = [
        process
        for process in psutil.process_iter()
        if any("tensorboard_on_socket" in word for word in process.cmdline())
        and f"--logdir={lab.notebooks / 'empty'}" in process.cmdline()
    ]
    assert programs
    for process in programs:
        assert process.net_connections("inet") == []
