"""What a person is told before something goes wrong, and on the notebook after it did."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect
from servers.lab import LabServer
from servers.lab_page import DARK, LIGHT, open_lab, set_user_setting, start_lab
from servers.process import also_in, wait_until
from servers.samples import GIB

from jupyter_einfra.models import Notice, Params

ROOT = Path(__file__).parents[2]
EXTENSIONS = Path(__file__).parent / "extensions"

Shot = Callable[..., None]

TOAST = ".jp-toastContainer .Toastify__toast"
BANNER = ".jp-EinfraNotices-banner"

#: A notebook's name as its author should not have chosen it.
HOSTILE = "<svg onload=alert(1)>.ipynb"

THEMES = "@jupyterlab/apputils-extension:themes"
NOTICES = "@e-infra/jupyter-einfra:notices"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """A JupyterLab whose notices the tests put up."""
    directory = tmp_path_factory.mktemp("notices")
    enabled = directory / "etc/jupyter_server_config.d"
    enabled.mkdir(parents=True)
    extension = {"ServerApp": {"jpserver_extensions": {"einfra_notices_by_hand": True}}}
    (enabled / "einfra_notices_by_hand.json").write_text(json.dumps(extension))
    # A kernel that dies stays dead, and Jupyter soon sees it.
    config = {"KernelRestarter": {"restart_limit": 0, "time_to_dead": 0.5}}
    (enabled.parent / "jupyter_server_config.json").write_text(json.dumps(config))
    env = {
        **also_in("PYTHONPATH", EXTENSIONS),
        **also_in("JUPYTER_CONFIG_PATH", enabled.parent),
        # What this machine really lacks is not to be told here.
        "JUPYTER_EINFRA_DISABLED_FEATURES": "usage",
    }
    with start_lab(directory, env=env) as started:
        yield started


@pytest.fixture
def board(lab: LabServer) -> Iterator[Board]:
    """The notice board, empty again after the test."""
    used = Board(lab)
    yield used
    used.clear()


class Board:
    """Puts notices up on a server."""

    def __init__(self, lab: LabServer) -> None:
        self._lab = lab
        self._ids: set[str] = set()

    def post(self, notice: Notice) -> None:
        """Put a notice up, or change it."""
        self._ids.add(notice.id)
        body = msgspec.json.encode(notice)
        self._lab.api("PUT", "einfra-tests/notices", content=body).raise_for_status()

    def withdraw(self, notice_id: str) -> None:
        """Take a notice down."""
        self._ids.discard(notice_id)
        query = {"id": notice_id}
        self._lab.api("DELETE", "einfra-tests/notices", params=query).raise_for_status()

    def clear(self) -> None:
        """Take everything down."""
        for notice_id in list(self._ids):
            self.withdraw(notice_id)


def memory_high(
    used_gib: float = 14.8,
    *,
    name: str = "train.ipynb",
    kernel_id: str | None = None,
    severity: Any = "warning",
) -> Notice:
    params: Params = {
        "used_bytes": int(used_gib * GIB),
        "limit_bytes": 16 * GIB,
        "name": name,
        "kernel_bytes": int(11.8 * GIB),
    }
    return notice("memory", "memory_high", params, severity, kernel_id=kernel_id)


def memory_trend() -> Notice:
    params: Params = {
        "used_bytes": 12 * GIB,
        "limit_bytes": 16 * GIB,
        "seconds": 40,
        "bytes_per_second": 100 * 2**20,
        "name": "train.ipynb",
        "kernel_bytes": int(11.8 * GIB),
    }
    return notice("memory", "memory_trend", params, "warning", kernel_id="k")


def death(kernel_id: str, path: str, *, restarted: int = 1) -> Notice:
    params: Params = {
        "name": path.rpartition("/")[2],
        "used_bytes": 16 * GIB,
        "limit_bytes": 16 * GIB,
        "time": datetime.now(timezone.utc).isoformat(),
        "restarted": restarted,
    }
    return notice(
        f"death:{kernel_id}",
        "kernel_out_of_memory",
        params,
        "error",
        kernel_id=kernel_id,
        path=path,
    )


def notice(
    notice_id: str,
    code: str,
    params: Params,
    severity: Any,
    *,
    kernel_id: str | None = None,
    path: str | None = None,
) -> Notice:
    return Notice(
        id=notice_id,
        time=datetime.now(timezone.utc),
        feature="usage",
        severity=severity,
        code=code,
        message="English for those who know no better.",
        params=params,
        kernel_id=kernel_id,
        path=path,
    )


def write_notebook(lab: LabServer, path: str, source: str = "") -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, lab.notebooks / path)


def open_notebook(page: Page, lab: LabServer, path: str, source: str = "") -> str:
    """Write a notebook, open it, and return its kernel's id once that is idle."""
    write_notebook(lab, path, source)
    open_lab(page, lab)
    show_notebook(page, path)
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle")
    return kernel_of(lab, path)


def show_notebook(page: Page, path: str) -> None:
    open_it = "await window.jupyterapp.commands.execute('docmanager:open', { path });"
    page.evaluate(f"async path => {{ {open_it} }}", path)  # what it returns is no JSON


def run_all_cells(page: Page) -> None:
    # Not waiting for its end: running a cell ends with the cell.
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")


def kernel_of(lab: LabServer, path: str) -> str:
    sessions = lab.api("GET", "api/sessions").json()
    [kernel_id] = {s["kernel"]["id"] for s in sessions if s["path"] == path}
    return str(kernel_id)


def kernel_state(lab: LabServer, kernel_id: str) -> str:
    return str(lab.api("GET", f"api/kernels/{kernel_id}").json()["execution_state"])


def toast(page: Page, text: str) -> Locator:
    return page.locator(TOAST, has_text=text)


def test_a_notice_is_shown_once_changed_in_place_and_taken_down(
    page: Page, lab: LabServer, board: Board
) -> None:
    open_lab(page, lab)
    board.post(memory_high(14.8))
    shown = toast(page, "14.8 of 16 GiB of memory in use")
    expect(shown).to_contain_text("Biggest: train.ipynb, 11.8 GiB.")
    board.post(memory_high(15.2))
    expect(toast(page, "15.2 of 16 GiB of memory in use")).to_have_count(1)
    expect(page.locator(TOAST)).to_have_count(1)
    board.withdraw("memory")
    expect(page.locator(TOAST)).to_have_count(0)


def test_what_is_known_is_not_shown_again(page: Page, lab: LabServer, board: Board) -> None:
    open_lab(page, lab)
    board.post(memory_high())
    expect(toast(page, "memory in use")).to_be_visible()
    page.reload()
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    board.post(notice("disk", "disk_full", DISK, "warning"))
    expect(toast(page, "Your home is nearly full")).to_be_visible()
    expect(page.locator(TOAST)).to_have_count(1)


DISK: Params = {
    "disk": "home",
    "path": "/home/jovyan",
    "used_bytes": 98 * GIB,
    "limit_bytes": 100 * GIB,
}


def test_one_that_was_closed_stays_closed_until_it_gets_worse(
    page: Page, lab: LabServer, board: Board
) -> None:
    open_lab(page, lab)
    board.post(memory_high(14.8))
    toast(page, "14.8 of 16").locator(".jp-Notification-Toast-Close").click()
    expect(page.locator(TOAST)).to_have_count(0)
    board.post(memory_high(15.2))
    page.click(".jp-Notification-Status")
    expect(page.locator(".jp-Notification-List-Item")).to_contain_text("15.2 of 16 GiB")
    expect(page.locator(TOAST)).to_have_count(0)
    page.get_by_role("button", name="Hide notifications").click()
    board.post(memory_high(15.7, severity="error"))
    expect(toast(page, "15.7 of 16 GiB")).to_be_visible()


def test_only_one_of_two_tabs_shows_it(page: Page, lab: LabServer, board: Board) -> None:
    open_lab(page, lab)
    with page.context.expect_page() as opened:
        page.evaluate("() => { window.open('about:blank') }")
    other = opened.value
    # Another workspace, as Lab itself would choose for a second tab.
    open_lab(other, lab, "lab/workspaces/other")
    board.post(memory_high())
    both = page.locator(TOAST), other.locator(TOAST)
    wait_until("one of them shows it", lambda: sum(tab.count() for tab in both) > 0)
    board.post(notice("disk", "disk_full", DISK, "warning"))
    wait_until("both were told", lambda: sum(tab.count() for tab in both) >= 2)
    assert sum(tab.count() for tab in both) == 2


BUSY = "while True: pass"


def test_interrupting_from_the_notice_ends_what_the_kernel_does(
    page: Page, lab: LabServer, board: Board
) -> None:
    kernel_id = open_notebook(page, lab, "busy.ipynb", BUSY)
    run_all_cells(page)
    wait_until("the kernel is busy", lambda: kernel_state(lab, kernel_id) == "busy")
    board.post(memory_high(name="busy.ipynb", kernel_id=kernel_id))
    page.get_by_role("button", name="Interrupt busy.ipynb").click()
    wait_until("the kernel is idle", lambda: kernel_state(lab, kernel_id) == "idle")
    expect(page.locator(".jp-Notebook")).to_contain_text("KeyboardInterrupt")
    expect(page.locator(TOAST)).to_have_count(0)


def test_an_interrupt_that_fails_is_told(page: Page, lab: LabServer, board: Board) -> None:
    open_lab(page, lab)
    board.post(memory_high(kernel_id="00000000-0000-0000-0000-000000000000"))
    page.get_by_role("button", name="Interrupt train.ipynb").click()
    expect(toast(page, "train.ipynb could not be interrupted")).to_be_visible()


@pytest.fixture
def theme(request: pytest.FixtureRequest, lab: LabServer) -> Iterator[str]:
    """The theme that the user has chosen, for one test."""
    set_user_setting(lab, THEMES, theme=request.param)
    yield request.param
    set_user_setting(lab, THEMES, theme=LIGHT)


@pytest.mark.parametrize("theme", [LIGHT, DARK], indirect=True)
def test_notices_and_explanations_in_both_themes(
    page: Page, lab: LabServer, board: Board, shot: Shot, theme: str
) -> None:
    kernel_id = open_notebook(page, lab, "train.ipynb", "frames = load_all()")
    board.post(memory_trend())
    board.post(notice("cpu", "cpu_throttled", CPU, "info"))
    board.post(death(kernel_id, "train.ipynb"))
    banner = page.locator(BANNER)
    expect(banner).to_contain_text("Kernel of train.ipynb was killed (")
    expect(page.locator(TOAST)).to_have_count(2)
    name = theme.split()[1].lower()
    for shown in page.locator(TOAST).all():
        expect(shown).to_be_in_viewport(ratio=1)
    shot(page, f"notices-{name}")
    assert complaints(page, [[BANNER], [".jp-toast-message"]]) == []


CPU: Params = {"limit_cores": 2, "throttled_share": 0.43, "seconds": 300}


def complaints(page: Page, include: list[list[str]]) -> list[Any]:
    """What axe has to say."""
    page.add_script_tag(path=ROOT / "node_modules/axe-core/axe.min.js")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    result: dict[str, Any] = page.evaluate(
        "([include, values]) => axe.run({ include }, { runOnly: { type: 'tag', values } })",
        [include, tags],
    )
    assert result["passes"]
    return [(v["id"], [n["html"] for n in v["nodes"]]) for v in result["violations"]]


def test_a_dead_kernel_is_explained_on_its_own_notebook_alone(
    page: Page, lab: LabServer, board: Board
) -> None:
    kernel_id = open_notebook(page, lab, "mine.ipynb")
    write_notebook(lab, "other.ipynb")
    show_notebook(page, "other.ipynb")
    expect(page.locator(".jp-NotebookPanel")).to_have_count(2)
    board.post(death(kernel_id, "mine.ipynb"))
    # The notebook is not in front: a notification leads there.
    told = toast(page, "Kernel of mine.ipynb was killed")
    expect(told).to_contain_text("memory reached 16.0 of 16 GiB")
    banners = page.locator(BANNER)
    expect(banners).to_have_count(1)
    expect(banners).to_be_hidden()
    told.get_by_role("button", name="Open Notebook").click()
    expect(banners).to_be_visible()
    expect(banners).to_contain_text("memory reached 16.0 of 16 GiB")
    expect(banners).to_contain_text("It was restarted")
    assert banners.get_attribute("role") == "alert"
    expect(banners).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("theme", [LIGHT, DARK], indirect=True)
def test_a_dead_kernel_is_restarted_from_its_banner(
    page: Page, lab: LabServer, board: Board, shot: Shot, theme: str
) -> None:
    name = theme.split()[1].lower()
    path = f"dead-{name}.ipynb"
    kernel_id = open_notebook(page, lab, path, "import os; os.kill(os.getpid(), 9)")
    run_all_cells(page)
    # Nothing else on the page says what happened.
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Disconnected")
    board.post(death(kernel_id, path, restarted=0))
    banner = page.locator(BANNER)
    expect(banner).to_contain_text("Restart it to go on.")
    expect(banner.get_by_role("button", name="Show Usage Panel")).to_be_visible()
    shot(page, f"notices-dead-kernel-{name}")
    assert complaints(page, [[BANNER]]) == []
    banner.get_by_role("button", name="Restart Kernel").press("Enter")
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle")
    expect(banner).to_have_count(0)
    has_focus(page)
    assert kernel_of(lab, path) != kernel_id


def has_focus(page: Page) -> None:
    """Wait until the notebook itself has the focus, not what is around it."""
    expect(page.locator(".jp-Notebook:focus, .jp-Notebook :focus")).to_have_count(1)


def test_a_banner_is_dismissed_by_keyboard_and_for_good(
    page: Page, lab: LabServer, board: Board
) -> None:
    kernel_id = open_notebook(page, lab, "gone.ipynb")
    board.post(death(kernel_id, "gone.ipynb"))
    banner = page.locator(BANNER)
    banner.get_by_role("button", name="Dismiss").focus()
    page.keyboard.press("Enter")
    expect(banner).to_have_count(0)
    has_focus(page)
    # Not a reload: whether Lab has kept the open notebook by now is a matter of time.
    open_lab(page, lab)
    show_notebook(page, "gone.ipynb")
    page.wait_for_selector(".jp-Notebook")
    board.post(notice("disk", "disk_full", DISK, "warning"))
    expect(toast(page, "Your home is nearly full")).to_be_visible()
    expect(banner).to_have_count(0)


def test_a_notebook_of_the_last_run_is_told_how_it_ended(
    page: Page, lab: LabServer, board: Board
) -> None:
    open_notebook(page, lab, "last.ipynb")
    ended = datetime.now(timezone.utc).isoformat()
    params: Params = {
        "ended": ended,
        "used_bytes": 16 * GIB,
        "limit_bytes": 16 * GIB,
        "kernels": "first.ipynb, last.ipynb and 3 more",
        "paths": "first.ipynb\nlast.ipynb",
    }
    board.post(notice("run", "previous_run_out_of_memory", params, "error"))
    expect(page.locator(BANNER)).to_contain_text("Your server was killed (")
    expect(page.locator(BANNER)).to_contain_text("memory had reached 16.0 of 16 GiB")


def test_a_kind_that_is_switched_off_where_it_appears_stays_off(
    page: Page, lab: LabServer, board: Board
) -> None:
    open_lab(page, lab)
    board.post(memory_high())
    toast(page, "memory in use").get_by_role("button", name="Do Not Show Again").click()
    expect(page.locator(TOAST)).to_have_count(0)
    file = lab.home / ".jupyter/lab/user-settings/@e-infra/jupyter-einfra"
    file /= "notices.jupyterlab-settings"
    wait_until("the setting is kept", lambda: file.exists() and "showMemory" in file.read_text())
    try:
        board.withdraw("memory")
        board.post(msgspec.structs.replace(memory_high(), id="memory-again"))
        board.post(notice("disk", "disk_full", DISK, "warning"))
        expect(toast(page, "Your home is nearly full")).to_be_visible()
        expect(page.locator(TOAST)).to_have_count(1)
    finally:
        set_user_setting(lab, NOTICES)


def test_a_hostile_name_is_only_text(page: Page, lab: LabServer, board: Board, shot: Shot) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    kernel_id = open_notebook(page, lab, HOSTILE)
    board.post(memory_high(name=HOSTILE, kernel_id="k"))
    board.post(death(kernel_id, HOSTILE))
    expect(toast(page, f"Biggest: {HOSTILE}")).to_be_visible()
    expect(page.locator(BANNER)).to_contain_text(f"Kernel of {HOSTILE}")
    shot(page, "notices-hostile-name")
    assert page.locator(f"{BANNER} svg[onload], {TOAST} svg[onload]").count() == 0
    assert asked == []


def test_a_user_who_wants_none_gets_none(page: Page, lab: LabServer, board: Board) -> None:
    set_user_setting(lab, NOTICES, show=False)
    try:
        with page.expect_request(re.compile("jupyter-einfra/stream")) as asked:
            open_lab(page, lab)
        assert "notices" not in asked.value.url
        board.post(memory_high())
        page.wait_for_selector(".jp-Launcher-body")
        assert page.locator(TOAST).count() == 0
    finally:
        set_user_setting(lab, NOTICES)


#: Stands in for the browser's own notifications, which no test can see, and for a tab that
#: somebody has turned away from.
OUTSIDE = """
window.einfraTold = [];
window.Notification = class extends EventTarget {
  static permission = 'granted';
  static requestPermission() { return Promise.resolve('granted'); }
  constructor(title, options) { super(); window.einfraTold.push(`${title}: ${options.body}`); }
  close() {}
};
let hidden = false;
Object.defineProperty(document, 'hidden', { get: () => hidden });
Object.defineProperty(document, 'visibilityState', { get: () => hidden ? 'hidden' : 'visible' });
window.einfraHide = value => {
  hidden = value;
  document.dispatchEvent(new Event('visibilitychange'));
};
"""


@pytest.mark.parametrize("wanted", [True, False])
def test_the_browser_tells_of_a_warning_while_the_page_is_hidden(
    page: Page, lab: LabServer, board: Board, wanted: bool
) -> None:
    streams: list[str] = []
    page.on("request", lambda sent: streams.append(sent.url) if "/stream?" in sent.url else None)
    page.add_init_script(OUTSIDE)
    set_user_setting(lab, NOTICES, browserNotifications=wanted)
    with page.expect_request("**/jupyter-einfra/stream?*"):
        open_lab(page, lab)
    before = len(streams)
    if wanted:
        with page.expect_response("**/jupyter-einfra/stream?topics=notices"):
            page.evaluate("einfraHide(true)")
    else:
        page.evaluate("einfraHide(true)")
    board.post(memory_high())
    if wanted:
        page.wait_for_function("einfraTold.length > 0")
    told = page.evaluate("einfraTold")
    assert [text.startswith("JupyterLab: 14.8 of 16 GiB of memory in use") for text in told] == [
        True
    ] * wanted
    assert len(streams) == before + wanted
    expect(page.locator(TOAST)).to_have_count(0)
    page.evaluate("einfraHide(false)")
    expect(page.locator(TOAST)).to_contain_text("14.8 of 16 GiB")
    set_user_setting(lab, NOTICES)
