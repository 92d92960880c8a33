"""RStudio as its user meets it in a browser; its programs are stand-ins, see `servers.rserver`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect
from servers import rstudio
from servers.axe import violations
from servers.lab import LabServer
from servers.lab_apps import instances
from servers.lab_page import open_lab, start_lab
from servers.process import wait_until

Shot = Callable[..., None]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """An image that opens straight into RStudio, for who does not ask for Lab."""
    directory = tmp_path_factory.mktemp("rstudio")
    folder = rstudio.install(directory / "bin").parent
    env = {
        "PATH": os.pathsep.join((str(folder), os.environ["PATH"])),
        "RSESSION_SUSPENDS": "1",
        "IMAGE": "of the container",
    }
    args = ["--LabApp.default_url=/rstudio/"]
    with start_lab(directory, env=env, args=args) as started:
        yield started


def state(lab: LabServer) -> dict[str, Any]:
    return next(iter(instances(lab, "rstudio")), {"state": None})


@pytest.fixture(autouse=True)
def nothing_runs(lab: LabServer) -> Iterator[None]:
    yield
    if state(lab)["state"] in ("starting", "running"):
        lab.api("POST", "jupyter-einfra/apps/stop", json={"id": "rstudio"})
    wait_until("it stopped", lambda: state(lab)["state"] not in ("starting", "running", "stopping"))


def run(place: Page | FrameLocator, code: str, output: str) -> None:
    """Have R run some code."""
    console = place.get_by_label("Console")
    expect(place.locator("pre")).not_to_be_empty()
    console.fill(code)
    console.press("Enter")
    expect(console).to_have_value("")
    expect(place.locator("pre")).to_have_text(output)


def test_an_image_opens_straight_into_it_and_signing_out_has_a_way_back(
    page: Page, lab: LabServer, shot: Shot
) -> None:
    page.goto(f"{lab.url}?token={lab.token}")
    expect(page).to_have_url(f"{lab.url}rstudio/")
    expect(page.get_by_role("heading", name="RStudio (stand-in)")).to_be_visible()
    run(page, 'Sys.getenv("IMAGE")', "of the container")
    run(page, "x <- 1", "")

    page.get_by_role("button", name="Sign out").click()
    heading = page.get_by_role("heading", name="You left RStudio")
    expect(heading).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        shot(page, f"rstudio-left-{scheme}")
    assert violations(page, "main") == []
    page.get_by_role("button", name="Back to RStudio").click()
    expect(page).to_have_url(f"{lab.url}rstudio/")
    run(page, "x", "1")

    # Stopped from there, it says that it saves, and what it knew is there again.
    page.get_by_role("button", name="Sign out").click()
    expect(heading).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("RStudio saves what it works on")).to_be_visible()
    shot(page, "rstudio-saving")
    expect(page.get_by_role("heading", name="RStudio is stopped")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_role("button", name="Back to RStudio").click()
    run(page, "x", "1")


def test_a_stuck_session_is_reset_in_lab(page: Page, lab: LabServer, shot: Shot) -> None:
    open_lab(page, lab)
    page.locator(".jp-LauncherCard", has_text="RStudio").click()
    frame = page.frame_locator(".jp-EinfraApps-frame:visible iframe")
    run(frame, "y <- 2", "")
    shot(page, "rstudio-in-lab")
    page.locator('[data-id="jp-running-sessions"]').click()
    shot(page, "rstudio-running")

    page.locator("#jp-running-sessions jp-button").first.focus()  # the frame has the focus
    page.keyboard.press("Control+Shift+C")
    page.keyboard.type("reset the session of rstudio")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Reset the session of RStudio?")
    expect(dialog).to_contain_text("set aside in ~/.local/share/rstudio/sessions")
    shot(page, "rstudio-reset")
    started = state(lab)["started"]
    dialog.get_by_role("button", name="Reset").click()
    wait_until(
        "it was started anew",
        lambda: state(lab)["state"] == "running" and state(lab)["started"] != started,
    )
    run(frame, "y", "not found")


def test_a_start_that_fails_offers_a_reset(page: Page, lab: LabServer, shot: Shot) -> None:
    program = lab.home.parent / "bin" / "rserver"
    script = program.read_text()
    sessions = lab.home / ".local/share/rstudio/sessions"
    (sessions / "active").mkdir(parents=True, exist_ok=True)
    # What it finds there keeps it from starting; of a real one that is its session.
    test = (
        "import os, sys\n"
        f"if os.path.exists({str(sessions / 'active')!r}) and len(sys.argv) > 2: sys.exit(9)\n"
    )
    program.write_text(script.replace("from __future__ import annotations\n", test, 1))
    try:
        page.goto(f"{lab.url}rstudio/?token={lab.token}")
        if state(lab)["state"] != "failed":
            page.get_by_role("button", name="Start", exact=True).click()
        expect(page.get_by_role("heading", name="RStudio could not be started")).to_be_visible()
        page.get_by_role("button", name="Reset the session").click()
        question = page.get_by_role("alertdialog")
        expect(question.get_by_role("button", name="Cancel")).to_be_focused()
        shot(page, "rstudio-reset-question")
        page.keyboard.press("Escape")
        expect(question).to_be_hidden()
        page.get_by_role("button", name="Reset the session").click()
        assert violations(page, "main") == []
        question.get_by_role("button", name="Reset the session").click()
        expect(page.get_by_role("heading", name="RStudio (stand-in)")).to_be_visible()
        assert [p.name for p in sessions.iterdir() if p.name.startswith("aside-")]
    finally:
        program.write_text(script)
