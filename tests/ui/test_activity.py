"""Start work, close the browser, come back: real kernels, a real killer, and nothing played."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from servers.groups import Groups
from servers.lab import LabServer
from servers.lab_page import DARK, LIGHT, open_lab, start_lab
from servers.limited import MIB, LimitedServer
from servers.pages import KernelSocket, open_session, write_notebook
from servers.process import wait_until

Shot = Callable[..., None]

#: JupyterLab's server and four kernels take two thirds of it.
LIMIT = 700 * MIB

PATIENCE_MS = 40_000

OVERLAY = ".jp-EinfraActivity"

#: The server only takes for an absence what is longer than this.
ENV = {"JUPYTER_EINFRA_ACTIVITY_LEAST_ABSENCE_SECONDS": "0.5"}

#: Lasts until the browser is closed.
WAIT = "while not os.path.exists('go'): time.sleep(0.05)\n"

#: What each notebook does; the last cell is the one that matters.
WORK = {
    "done.ipynb": ["import os, time", WAIT],
    "fails.ipynb": ["import os, time", WAIT + "{}['station_id']"],
    "hungry.ipynb": ["import os, time", WAIT + "[b'x' * 2**24 for _ in range(10_000)]"],
    "runs.ipynb": ["import time", "while True: time.sleep(0.1)"],
}


@pytest.fixture
def limited(tmp_path: Path, groups: Groups) -> Iterator[LimitedServer]:
    """JupyterLab with its kernels in one control group."""
    made = LimitedServer(
        lambda groups: start_lab(tmp_path, groups=groups, env=ENV), groups, memory_bytes=LIMIT
    )
    with made.lab:
        yield made


def events(lab: LabServer, **match: object) -> list[dict[str, Any]]:
    told = lab.api("GET", "jupyter-einfra/activity").raise_for_status().json()["events"]
    return [e for e in told if all(e.get(name) == value for name, value in match.items())]


def start_work(page: Page, limited: LimitedServer) -> dict[str, str]:
    """Run all cells of all notebooks; return the ids of the cells that matter, when they run."""
    cells = {path: write_notebook(limited.lab, path, *work)[-1] for path, work in WORK.items()}
    open_lab(page, limited.lab)
    for path in WORK:
        page.evaluate(
            """async path => {
                const { commands, shell } = window.jupyterapp;
                const panel = await commands.execute('docmanager:open', { path });
                await panel.context.ready;
                await panel.sessionContext.ready;
                shell.activateById(panel.id);
                void commands.execute('notebook:run-all-cells');
            }""",
            path,
        )
    wait_until(
        "all of them run, or are done",
        lambda: (
            {cells[path] for path in WORK}
            <= {e["cell_id"] for e in events(limited.lab) if e["type"] in ("run", "cells")}
        ),
    )
    # The browser saves what it shows, so that the cells are found again.
    page.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save-all') }")
    return cells


def come_back(page: Page, limited: LimitedServer) -> None:
    page.goto("about:blank")
    (limited.lab.notebooks / "go").touch()
    wait_until(
        "one is done", lambda: len(events(limited.lab, type="cells", path="done.ipynb")) == 2
    )
    wait_until("one has failed", lambda: bool(events(limited.lab, outcome="failed")))

    def is_explained() -> bool:
        return any(
            event["cause"]["code"] == "kernel_out_of_memory"
            for event in events(limited.lab, type="kernel", action="died")
        )

    wait_until("one was killed for want of memory", is_explained)
    open_lab(page, limited.lab, "lab?")  # Lab's launcher does not get the focus


def active_cell(page: Page) -> Any:
    """Return the notebook in front and the id of the cell that is active in it."""
    return page.evaluate(
        """() => {
            const { content, context } = window.jupyterapp.shell.currentWidget ?? {};
            return [context?.path ?? null, content?.activeCell?.model.id ?? null];
        }"""
    )


def test_who_comes_back_understands_what_failed_what_is_done_and_what_still_runs(
    page: Page, limited: LimitedServer, shot: Shot
) -> None:
    cells = start_work(page, limited)
    come_back(page, limited)
    overlay = page.get_by_role("dialog", name="Welcome back")
    expect(overlay).to_be_visible(timeout=PATIENCE_MS)
    attention = overlay.locator("[data-section=attention]")
    hungry = attention.get_by_role("listitem").filter(has_text="hungry.ipynb")
    expect(hungry).to_contain_text("its kernel was killed, memory reached 700.0 of 700 MiB")
    expect(hungry).to_contain_text("Cell [2] was running")
    failed = attention.get_by_role("listitem").filter(has_text="fails.ipynb")
    expect(failed).to_contain_text("cell [2] failed")
    expect(failed).to_contain_text("KeyError: 'station_id'")
    done = overlay.locator("[data-section=finished]").get_by_role("listitem")
    expect(done).to_contain_text(re.compile(r"done.ipynb: 1 cell ran, for \d+ sec.\s+No errors."))
    running = overlay.locator("[data-section=running]").get_by_role("listitem")
    expect(running).to_contain_text("runs.ipynb")
    expect(overlay.locator("[data-section=use]")).to_contain_text("most memory 700.0 of 700 MiB")
    # All of it at a glance.
    for line in (hungry, failed, done, running):
        expect(line).to_be_in_viewport(ratio=1)
    for theme in (DARK, LIGHT):
        page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme
        )
        page.wait_for_selector(f"body[data-jp-theme-name='{theme}']", state="attached")
        page.wait_for_selector("#jupyterlab-splash", state="detached")
        shot(page, f"activity-back-{theme.split()[1].lower()}")

    failed.get_by_role("button", name="Open at Cell [2]").click()
    expect(page.locator(OVERLAY)).to_have_count(0)
    wait_until(
        "the cell that failed is active",
        lambda: active_cell(page) == ["fails.ipynb", cells["fails.ipynb"]],
    )
    expect(
        page.locator(".jp-NotebookPanel:visible .jp-mod-active .jp-Cell-inputArea")
    ).to_be_visible()

    # What was shown is not shown again, whatever the browser.
    def is_seen() -> bool:
        told = limited.lab.api("GET", "jupyter-einfra/activity/digest").json()
        return all(fact["seen"] for fact in told["sections"][0]["facts"])

    wait_until("it is known that it was seen", is_seen)
    open_lab(page, limited.lab, "lab?")
    page.wait_for_selector(".jp-EinfraUsage-figure")
    expect(page.locator(OVERLAY)).to_have_count(0)


def test_a_kernel_that_its_server_keeps_though_it_is_dead_is_started_anew(
    page: Page, tmp_path: Path
) -> None:
    with start_lab(tmp_path, args=["--KernelManager.autorestart=False"]) as lab:
        kernel_id = open_session(lab, "train.ipynb")
        with KernelSocket(lab, kernel_id) as socket:
            socket.run("import os; os.kill(os.getpid(), 9)")
            wait_until("it is dead", lambda: bool(events(lab, action="died", stays=True)))
        open_lab(page, lab)
        page.evaluate("void window.jupyterapp.commands.execute('einfra-activity:open')")
        button = page.locator(OVERLAY).get_by_role("button", name="Restart")
        button.click()
        expect(button).to_have_text("Restarted")
        with KernelSocket(lab, kernel_id) as socket:
            assert socket.do("1 + 1")["status"] == "ok"
        # Nobody is asked to do it again.
        page.keyboard.press("Escape")
        page.evaluate("void window.jupyterapp.commands.execute('einfra-activity:open')")
        expect(page.locator(OVERLAY)).to_contain_text("its kernel was killed")
        expect(button).to_have_count(0)
