"""MATLAB's own page, the real one, through our proxy; MATLAB itself is not installed here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest
from playwright.sync_api import Page, expect
from servers.lab import LabServer
from servers.lab_apps import instances
from servers.lab_page import DARK, open_lab, set_user_setting, start_lab
from servers.process import wait_until

Shot = Callable[..., None]

#: It loads a lot of Python, twice.
PATIENCE = 60_000


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    env = {"MWI_SESSION_NAME": "Course of May"}
    with start_lab(tmp_path_factory.mktemp("matlab"), env=env) as started:
        yield started


def test_its_page_comes_up_and_says_that_matlab_is_missing(
    page: Page, lab: LabServer, shot: Shot
) -> None:
    sent: list[dict[str, str]] = []
    page.on("request", lambda request: sent.append(request.headers))
    got: list[str] = []
    page.on("response", lambda response: got.append(str(response.headers)))
    page.goto(f"{lab.url}matlab/?token={lab.token}")
    expect(page.get_by_text("Unable to find MATLAB on the system PATH").first).to_be_visible(
        timeout=PATIENCE
    )
    shot(page, "matlab")
    expect(page).to_have_title("Course of May - MATLAB")
    page.emulate_media(color_scheme="dark")
    shot(page, "matlab-dark")
    assert not [headers for headers in sent if "mwi-mpm-auth-token" in headers]
    assert "mwi-mpm-auth-token" not in "".join(got).lower()


def test_it_opens_in_lab_and_starts_again_after_its_own_end(
    page: Page, lab: LabServer, shot: Shot
) -> None:
    set_user_setting(lab, "@jupyterlab/apputils-extension:themes", theme=DARK)
    open_lab(page, lab)
    # One tile beside those of its kernel: that of its own package is hidden.
    tile = page.locator(".jp-LauncherCard", has=page.get_by_text("MATLAB", exact=True))
    expect(tile).to_have_count(1)
    shot(page, "matlab-tile")
    tile.click()
    frame = page.frame_locator(".jp-EinfraApps-frame:visible iframe")
    text = frame.get_by_text("Unable to find MATLAB on the system PATH").first
    expect(text).to_be_visible(timeout=PATIENCE)
    shot(page, "matlab-in-lab-dark")

    for process in psutil.Process(lab.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.name() == "matlab-proxy-app"[:15]:
                process.terminate()
    wait_until("it stopped", lambda: [i["state"] for i in instances(lab, "matlab")] == ["stopped"])
    again = page.get_by_role("button", name="Start", exact=True)
    shot(page, "matlab-ended")
    again.first.click()
    expect(text).to_be_visible(timeout=PATIENCE)


def test_its_own_package_does_not_start_a_second_one(lab: LabServer) -> None:
    tiles = lab.api("GET", "server-proxy/servers-info").raise_for_status().json()
    assert not {"matlab", "rstudio"} & {tile["name"] for tile in tiles["server_processes"]}
