"""What a person at the page sees of memory that runs out: before, and after a kill.

A real kernel in a real control group, the system's own killer, and nothing played.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect
from servers.events import HeldStream
from servers.groups import Groups
from servers.kernels import NotebookKernel
from servers.lab_page import DARK, LIGHT, open_lab, start_lab
from servers.limited import MIB, LimitedServer
from servers.process import wait_until

Shot = Callable[..., None]

#: JupyterLab's server and a kernel take a third of it.
LIMIT = 500 * MIB

#: A kernel's death is noticed within three seconds, and a danger is over ten seconds
#: after it was.
PATIENCE_MS = 40_000

TOAST = ".jp-toastContainer .Toastify__toast"
BANNER = ".jp-EinfraNotices-banner"

#: Takes what a file says and keeps it until it is interrupted.
GROW = """
import time
from pathlib import Path

batches = []
try:
    while True:
        if len(batches) < int(Path("batches").read_text()):
            batches.append(b"x" * 2**20)
        else:
            time.sleep(0.05)
finally:
    batches.clear()
"""

#: Takes all that there is, at once.
EXPLODE = "frames = [b'x' * 2**24 for _ in range(10_000)]"

#: Whether a notebook is in front, and its kernel waits for cells.
IS_READY = """path => {
    const context = window.jupyterapp.shell.currentWidget?.context;
    return context?.path === path && context.sessionContext.session?.kernel?.status === 'idle';
}"""


@pytest.fixture
def limited(tmp_path: Path, groups: Groups) -> Iterator[LimitedServer]:
    """JupyterLab with its kernels in one control group."""
    made = LimitedServer(
        lambda groups: start_lab(tmp_path, groups=groups), groups, memory_bytes=LIMIT
    )
    with made.lab:
        yield made


def write_notebook(limited: LimitedServer, path: str, source: str = "") -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source.strip())],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, limited.lab.notebooks / path)


def show_notebook(page: Page, path: str) -> None:
    # Waiting for its end, but not for what it returns: all of Lab hangs on that.
    page.evaluate(
        "async path => { await window.jupyterapp.commands.execute('docmanager:open', { path }) }",
        path,
    )
    # Not what the status bar says, which may still be of the notebook before.
    page.wait_for_function(IS_READY, arg=path, timeout=PATIENCE_MS)


def run_all_cells(page: Page) -> None:
    # Not waiting for its end: running a cell ends with the cell.
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")


def shoot_in_both_themes(page: Page, shot: Shot, name: str, what: Locator) -> None:
    for theme in (DARK, LIGHT):
        page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme
        )
        page.wait_for_selector(f"body[data-jp-theme-name='{theme}']", state="attached")
        page.wait_for_selector("#jupyterlab-splash", state="detached")
        expect(what).to_be_in_viewport(ratio=1)
        shot(page, f"{name}-{theme.split()[1].lower()}")


def test_a_warning_names_the_kernel_and_its_button_gives_the_memory_back(
    page: Page, limited: LimitedServer, shot: Shot
) -> None:
    write_notebook(limited, "train.ipynb", GROW)
    open_lab(page, limited.lab)
    show_notebook(page, "train.ipynb")
    missing = limited.missing_bytes(0.94) // MIB
    (limited.lab.notebooks / "batches").write_text(f"{missing}")
    run_all_cells(page)
    toast = page.locator(TOAST, has_text="of memory in use")
    expect(toast).to_contain_text(re.compile(r"4\d\d\.\d of 500 MiB"), timeout=PATIENCE_MS)
    expect(toast).to_contain_text("Biggest: train.ipynb")
    expect(page.locator(TOAST)).to_have_count(1)
    shoot_in_both_themes(page, shot, "danger-warning", toast)
    assert limited.missing_bytes(0.9) <= 0
    toast.get_by_role("button", name="Interrupt train.ipynb").click()
    wait_until("the memory is given back", lambda: limited.missing_bytes(0.6) > 0)
    expect(page.locator(".jp-Notebook")).to_contain_text("KeyboardInterrupt")
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=PATIENCE_MS)
    with HeldStream(limited.lab.url, limited.lab.token, "notices") as stream:
        wait_until("it is over", lambda: stream.wait_for("notices")["notices"] == [])
    expect(page.locator(TOAST)).to_have_count(0)


def test_a_kernel_killed_for_want_of_memory_is_explained_on_its_notebook(
    page: Page, limited: LimitedServer, shot: Shot
) -> None:
    write_notebook(limited, "other.ipynb")
    write_notebook(limited, "train.ipynb", EXPLODE)
    open_lab(page, limited.lab)
    show_notebook(page, "other.ipynb")
    show_notebook(page, "train.ipynb")
    run_all_cells(page)
    # What Lab says by itself.
    page.get_by_role("dialog").get_by_role("button", name="Ok").click(timeout=PATIENCE_MS)
    banner = page.locator(BANNER)
    expect(banner).to_be_visible(timeout=PATIENCE_MS)
    expect(banner).to_contain_text("Kernel of train.ipynb was killed (")
    expect(banner).to_contain_text("memory reached 500.0 of 500 MiB")
    expect(banner).to_contain_text("It was restarted: its variables are lost")
    shoot_in_both_themes(page, shot, "danger-killed-kernel", banner)
    show_notebook(page, "other.ipynb")
    expect(page.locator(".jp-NotebookPanel:visible")).to_have_count(1)
    expect(page.locator(".jp-NotebookPanel:visible").locator(BANNER)).to_have_count(0)
    expect(banner).to_have_count(1)  # still there, behind


def test_a_server_that_was_killed_as_a_whole_says_so_when_it_is_back(
    page: Page, limited: LimitedServer, shot: Shot
) -> None:
    write_notebook(limited, "other.ipynb")
    write_notebook(limited, "train.ipynb")
    open_lab(page, limited.lab)
    limited.fill(NotebookKernel(limited.lab, "train.ipynb"), 0.98)
    limited.wait_for_last_words(0.97)
    limited.wait_for_names("train.ipynb")
    limited.kill()
    page.goto("about:blank")
    limited.lab.start()
    open_lab(page, limited.lab)
    toast = page.locator(TOAST, has_text="Your server was killed")
    expect(toast).to_contain_text(re.compile(r"memory had reached 4\d\d\.\d of 500 MiB"))
    expect(toast).to_contain_text("train.ipynb")
    shoot_in_both_themes(page, shot, "danger-killed-server", toast)
    show_notebook(page, "other.ipynb")
    expect(page.locator(BANNER)).to_have_count(0)
    show_notebook(page, "train.ipynb")
    expect(page.locator(BANNER)).to_contain_text("Your server was killed")
    expect(page.locator(BANNER)).to_contain_text("All kernels ended with it")
