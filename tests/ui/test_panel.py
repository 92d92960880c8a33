"""What a person sees and does in the usage panel."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest
from playwright.sync_api import Locator, Page, Route, expect
from servers.lab import LabServer
from servers.lab_page import DARK, HIGH_CONTRAST, LIGHT, open_lab, set_user_setting, start_lab
from servers.nvidia import StandInDriver
from servers.played import (
    PlayedStream,
    details,
    memory_notice,
    play_history,
    program,
    reason,
)
from servers.process import wait_until
from servers.samples import GIB, SHARED, SLICE, WHOLE, sample

from jupyter_einfra.models import TopicRefusal
from jupyter_einfra.usage.models import DiskUsage, Program, Run, UsageEvent, UsageSnapshot

ROOT = Path(__file__).parents[2]
THEMES = "@jupyterlab/apputils-extension:themes"
USAGE = "@e-infra/jupyter-einfra:usage"
GPUS = (WHOLE, SHARED, SLICE)

Shot = Callable[..., None]

#: The panel at the side; the tab has another one.
SIDE = "#einfra-usage-panel"
TAB = "#einfra-usage-tab"


def chart(key: str) -> str:
    return f"{SIDE} [data-chart='{key}']"


def slider(key: str) -> str:
    return f"{chart(key)} [role=slider]"


@pytest.fixture
def theme(request: pytest.FixtureRequest, lab: LabServer) -> Iterator[str]:
    """The theme that the user has chosen, for one test."""
    set_user_setting(lab, THEMES, theme=request.param)
    yield request.param
    set_user_setting(lab, THEMES, theme=LIGHT)


def name_of(theme: str) -> str:
    return theme.removeprefix("JupyterLab ").lower().replace(" ", "-")


def command(page: Page, name: str) -> None:
    page.wait_for_function("name => window.jupyterapp?.commands.hasCommand(name)", arg=name)
    page.evaluate("name => void window.jupyterapp.commands.execute(name)", name)


def open_panel(page: Page, lab: LabServer, path: str = "lab") -> Locator:
    open_lab(page, lab, path)
    command(page, "einfra-usage:open-panel")
    panel = page.locator(SIDE)
    expect(panel.locator(".jp-EinfraUsagePanel-toolbar")).to_be_visible()
    return panel


def busy_sample(gpus: tuple[Any, ...] = ()) -> UsageSnapshot:
    made = sample(12.4, gpus=gpus)
    (home,) = made.disks
    tmp = DiskUsage(
        name="tmp",
        path="/tmp",
        used_bytes=3 * GIB,
        limit_bytes=20 * GIB,
        scope="filesystem",
        time=home.time,
        reason=None,
    )
    return msgspec.structs.replace(made, disks=[home, tmp])


def programs(gpu_memory: int | None = None) -> list[Program]:
    now = datetime.now(timezone.utc)
    quiet: dict[str, Any] = {"state": None, "since": None, "processes": 1, "threads": 3}
    return [
        program(gpu_memory_bytes=gpu_memory),
        program(
            ident="k2",
            name="sweep with a rather long name.ipynb",
            path="sweep with a rather long name.ipynb",
            cpu_cores=0.1,
            memory_bytes=4 * 10**8,
            since=now - timedelta(days=6),
        ),
        program(
            ident="k3",
            name="report.ipynb",
            path="report.ipynb",
            cpu_cores=0.0,
            memory_bytes=2 * 10**8,
            state="idle",
            since=now - timedelta(days=3),
        ),
        program("terminal", "1", name="terminal 1", cpu_cores=0.0, memory_bytes=10**7, **quiet),
        program("server", "server", name="-", cpu_cores=0.1, memory_bytes=10**8, **quiet),
        program("other", "other", name="-", cpu_cores=0.0, memory_bytes=10**7, **quiet),
    ]


def play_full(page: Page, gpus: tuple[Any, ...] = (), *, notice: bool = False) -> PlayedStream:
    """Give the page a server on which much has happened."""
    now = datetime.now(timezone.utc)
    died = UsageEvent(
        time=now - timedelta(minutes=4),
        code="kernel_out_of_memory",
        message="-",
        params={
            "name": "sweep.ipynb",
            "time": (now - timedelta(minutes=4)).isoformat(),
            "used_bytes": 16 * GIB,
            "limit_bytes": 16 * GIB,
        },
    )
    before = Run(
        started=now - timedelta(days=9),
        ended=now - timedelta(minutes=13),
        ending="out-of-memory",
        reason=None,
    )
    present = Run(started=now - timedelta(minutes=12), ended=None, ending="running", reason=None)
    play_history(page, gpus, events=[died], runs=[before, present])
    return PlayedStream(
        page,
        busy_sample(gpus),
        details(*programs(17 * GIB if gpus else None), gpus=gpus, previous_run=before),
        *([memory_notice()] if notice else []),
    )


def drawn(page: Page, key: str) -> int:
    """Count the points of a chart's canvas that are not blank."""
    count: int = page.locator(f"{chart(key)} canvas").evaluate(
        "canvas => { const { data } = canvas.getContext('2d')"
        ".getImageData(0, 0, canvas.width, canvas.height);"
        " return data.filter((value, index) => index % 4 === 3 && value > 0).length }"
    )
    return count


@pytest.mark.parametrize("theme", [LIGHT, DARK], indirect=True)
def test_an_empty_panel_says_what_it_is_for(
    page: Page, lab: LabServer, shot: Shot, theme: str
) -> None:
    play_history(page, filled=0)
    server = details(program("server", "server", name="-", state=None))
    stream = PlayedStream(page, sample(), server)
    panel = open_panel(page, lab)
    expect(panel).to_contain_text("No kernel is running.")
    expect(panel).to_contain_text("Run a notebook, and what it uses is listed here.")
    expect(panel.get_by_role("rowheader", name="JupyterLab itself")).to_be_visible()
    # A sample from before the history says nothing of when that begins.
    expect(panel.locator("[aria-busy=false]")).to_be_visible()
    stream.send(sample())
    expect(panel).to_contain_text("Recorded since")
    expect(page.locator(chart("cpu"))).to_contain_text("0.4 of 2 cores")
    shot(page, f"panel-empty-{name_of(theme)}")


@pytest.mark.parametrize("theme", [LIGHT, DARK, HIGH_CONTRAST], indirect=True)
def test_a_full_panel_in_every_theme(page: Page, lab: LabServer, shot: Shot, theme: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 1100})
    play_full(page, notice=True)
    panel = open_panel(page, lab)
    # Lab's own notification of the same lies over it.
    page.add_style_tag(content="#react-toastify-container { display: none }")
    expect(panel).to_contain_text("Memory grows by")
    expect(panel.get_by_role("button", name="Interrupt train.ipynb")).to_be_visible()
    expect(panel.get_by_role("status")).to_have_text("")
    expect(panel).to_contain_text("The server was killed because its memory was full.")
    expect(page.locator(chart("cpu"))).to_contain_text(
        re.compile(r"Throttled \d+ % of the time in the last 15 minutes")
    )
    expect(page.locator(chart("memory"))).to_contain_text("12.4 of 16 GiB")
    expect(page.locator(chart("disk"))).to_contain_text("3.0 of 20 GiB")
    expect(panel.get_by_role("row", name=re.compile("train.ipynb"))).to_contain_text("busy 2 hr")
    keys = ("cpu", "memory", "disk", "network")
    wait_until("all is drawn", lambda: all(drawn(page, key) > 500 for key in keys))
    shot(page, f"panel-full-{name_of(theme)}")


@pytest.mark.parametrize("theme", [LIGHT, DARK], indirect=True)
def test_three_gpus_one_of_them_a_slice(page: Page, lab: LabServer, shot: Shot, theme: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 1400})
    play_full(page, GPUS)
    panel = open_panel(page, lab)
    expect(page.locator(chart("GPU-0"))).to_contain_text("63 % · 30.0 of 48 GiB")
    expect(page.locator(chart("GPU-1"))).to_contain_text("neighbours are counted too")
    part = page.locator(chart("MIG-2"))
    expect(part).to_contain_text("does not report the utilization of a MIG slice")
    expect(part).not_to_contain_text("%")
    panel.get_by_text("What can be told of the GPUs here").click()
    table = panel.locator(".jp-EinfraUsagePanel-gpus")
    expect(table.locator("tbody tr")).to_have_count(6)
    expect(table).to_contain_text("GPU 2")
    expect(table).to_contain_text("does not report the utilization of a MIG slice")
    shot(page, f"panel-gpus-{name_of(theme)}")


def test_the_tab_has_the_same_in_two_columns_and_comes_back(
    page: Page, lab: LabServer, shot: Shot
) -> None:
    stream = play_full(page)
    open_lab(page, lab)
    with page.expect_response(
        lambda answer: answer.request.method == "PUT" and "/api/workspaces/" in answer.url
    ):
        command(page, "einfra-usage:open-tab")
    tab = page.locator(TAB)
    expect(tab.locator(".jp-EinfraUsagePanel-chart")).to_have_count(4)
    table = tab.get_by_role("table", name="Kernels, terminals and applications")
    expect(table.get_by_role("columnheader", name="Threads")).to_be_visible()
    expect(table.get_by_role("row", name=re.compile("train.ipynb"))).to_contain_text("62")
    tab.get_by_text("7 d", exact=True).click()
    first, second = (tab.locator(f"[data-chart={key}]") for key in ("cpu", "memory"))
    top = "node => node.getBoundingClientRect().top"
    wait_until("they stand abreast", lambda: 0 < first.evaluate(top) == second.evaluate(top))
    shot(page, "panel-tab")
    assert "usage-details" in stream.topics[-1]
    page.goto(f"{lab.url}lab?token={lab.token}")
    expect(page.locator(f"{TAB} .jp-EinfraUsagePanel-chart").first).to_be_visible()


def test_nothing_is_loaded_or_asked_for_before_the_panel_is_seen(
    page: Page, lab: LabServer
) -> None:
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    stream = PlayedStream(page, sample(), details())
    asked = play_history(page)
    open_lab(page, lab)
    page.wait_for_selector(".jp-EinfraUsage-figure")
    before = len(urls)
    assert asked == []
    assert not any("usage-details" in topics for topics in stream.topics)
    command(page, "einfra-usage:open-panel")
    page.wait_for_selector(chart("cpu"))
    ours = [url for url in urls[before:] if "/jupyter-einfra/static/" in url]
    assert ours, "the panel is a part of its own"
    assert not set(ours) & set(urls[:before])
    assert len(asked) == 1
    assert "usage-details" in stream.topics[-1]


def test_a_hidden_panel_lets_go_and_asks_anew_when_it_is_shown(page: Page, lab: LabServer) -> None:
    stream = PlayedStream(page, sample(), details())
    asked = play_history(page)
    open_panel(page, lab)
    wait_until("it listens", lambda: "usage-details" in stream.topics[-1])
    command(page, "application:toggle-right-area")
    wait_until("it let go", lambda: "usage-details" not in stream.topics[-1])
    command(page, "einfra-usage:open-panel")
    wait_until("it listens again", lambda: "usage-details" in stream.topics[-1])
    wait_until("it asked again", lambda: len(asked) == 2)


def test_figures_go_on_without_asking(page: Page, lab: LabServer) -> None:
    stream = PlayedStream(page, sample(3.1), details())
    asked = play_history(page)
    open_panel(page, lab)
    expect(page.locator(chart("memory"))).to_contain_text("3.1 of 16 GiB")
    stream.send(sample(5.2))
    expect(page.locator(chart("memory"))).to_contain_text("5.2 of 16 GiB")
    assert len(asked) == 1


def test_the_mouse_reads_exact_figures(page: Page, lab: LabServer, shot: Shot) -> None:
    play_full(page)
    open_panel(page, lab)
    page.hover(slider("memory"))
    tooltip = page.locator(f"{SIDE} .jp-EinfraUsagePanel-tooltip")
    expect(tooltip).to_have_count(1)
    expect(tooltip).to_contain_text(re.compile(r"\d+:\d\d:\d\d"))
    expect(tooltip).to_contain_text(re.compile(r"programs \d+\.\d\d GiB"))
    shot(page, "panel-hover")
    page.mouse.move(10, 10)
    expect(tooltip).to_have_count(0)


def test_keys_alone_are_enough(page: Page, lab: LabServer) -> None:
    play_full(page)
    panel = open_panel(page, lab)
    expect(panel.get_by_role("radio", name="15 min")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(panel.get_by_role("radio", name="6 h")).to_be_checked()
    expect(panel.locator(".jp-EinfraUsagePanel-body")).to_have_attribute("aria-busy", "false")
    cpu = page.locator(slider("cpu"))
    cpu.focus()
    page.keyboard.press("End")
    last = cpu.get_attribute("aria-valuetext") or ""
    assert re.search(r"\d+:\d\d:\d\d.*in use [\d.]+ cores", last), last
    page.keyboard.press("ArrowLeft")
    expect(cpu).not_to_have_attribute("aria-valuetext", last)
    expect(cpu).not_to_have_attribute("aria-valuetext", re.compile("Arrow keys"))
    now = "node => Number(node.getAttribute('aria-valuenow'))"
    end = cpu.evaluate(now)
    page.keyboard.press("Home")
    wait_until("it is at the oldest time", lambda: cpu.evaluate(now) < end - 600)
    tooltip = panel.locator(".jp-EinfraUsagePanel-tooltip")
    expect(tooltip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tooltip).to_have_count(0)
    expect(cpu).to_have_attribute("aria-valuetext", "Arrow keys read the figures.")
    acts = panel.get_by_role("button", name="What to do with train.ipynb")
    acts.focus()
    page.keyboard.press("Enter")
    menu = page.locator(".lm-Menu")
    expect(menu).to_be_focused()
    expect(menu).to_contain_text("Interrupt")
    page.keyboard.press("Escape")
    expect(acts).to_be_focused()


@pytest.mark.parametrize("theme", [LIGHT, DARK, HIGH_CONTRAST], indirect=True)
def test_axe_finds_nothing_to_complain_of(page: Page, lab: LabServer, theme: str) -> None:
    play_full(page, GPUS)
    panel = open_panel(page, lab)
    panel.get_by_text("What can be told of the GPUs here").click()
    panel.get_by_text(re.compile("events? in this time")).click()
    page.locator(slider("cpu")).focus()
    page.keyboard.press("End")
    page.add_script_tag(path=ROOT / "node_modules/axe-core/axe.min.js")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    result: dict[str, Any] = page.evaluate(
        "([include, values]) => axe.run({ include }, { runOnly: { type: 'tag', values } })",
        [[[SIDE]], tags],
    )
    assert result["passes"]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in result["violations"]] == []


def test_a_narrow_window_keeps_it_whole(page: Page, lab: LabServer, shot: Shot) -> None:
    page.set_viewport_size({"width": 800, "height": 900})
    play_full(page, GPUS)
    panel = open_panel(page, lab)
    expect(panel.get_by_role("row", name=re.compile("train.ipynb"))).to_be_visible()
    overflow = "node => node.scrollWidth - node.clientWidth"
    assert panel.locator(".jp-EinfraUsagePanel-view").evaluate(overflow) <= 0
    shot(page, "panel-800")
    panel.get_by_role("row", name=re.compile("train.ipynb")).scroll_into_view_if_needed()
    shot(page, "panel-800-programs")


def test_the_popup_of_the_status_bar_leads_here(page: Page, lab: LabServer) -> None:
    play_full(page)
    open_lab(page, lab)
    page.click(".jp-EinfraUsage-button")
    page.get_by_role("button", name="Show Usage Panel").click()
    expect(page.locator(chart("cpu"))).to_be_visible()
    expect(page.locator(".jp-EinfraUsage-popup")).to_have_count(0)


def test_the_view_menu_leads_here(page: Page, lab: LabServer) -> None:
    play_full(page)
    open_lab(page, lab)
    page.get_by_role("menuitem", name="View", exact=True).click()
    page.get_by_role("menuitem", name="Show Usage Panel").click()
    expect(page.locator(chart("cpu"))).to_be_visible()


def test_a_hostile_name_is_only_text(page: Page, lab: LabServer) -> None:
    name = '<img src=x onerror="document.title=1">"\'${0}'
    play_history(page)
    PlayedStream(page, sample(), details(program(name=name, path=name)))
    panel = open_panel(page, lab)
    expect(panel).to_contain_text("<img src=x")
    assert panel.locator("img").count() == 0


def fail(page: Page, status: int, code: str) -> None:
    body = json.dumps({"message": "-", "reason": "-", "code": code, "params": {}})

    def answer(route: Route) -> None:
        route.fulfill(status=status, content_type="application/json", body=body)

    page.route("**/jupyter-einfra/usage/history?*", answer)


def test_a_failure_is_told_and_can_be_tried_again(page: Page, lab: LabServer, shot: Shot) -> None:
    PlayedStream(page, sample(), details())
    fail(page, 503, "not_yet")
    panel = open_panel(page, lab)
    expect(panel).to_contain_text("The history cannot be shown.")
    expect(page.locator(chart("cpu"))).to_contain_text("0.4 of 2 cores")
    shot(page, "panel-failed")
    page.unroute_all()
    play_history(page)
    panel.get_by_role("button", name="Try Again").click()
    expect(panel).not_to_contain_text("The history cannot be shown.")
    wait_until("it is drawn", lambda: drawn(page, "cpu") > 500)


def test_guests_see_what_is_happening_now(page: Page, lab: LabServer) -> None:
    refusal = TopicRefusal(topic="usage-details", reason=reason("forbidden"))
    PlayedStream(page, sample(), refused=[refusal])
    fail(page, 403, "forbidden")
    panel = open_panel(page, lab)
    expect(panel).to_contain_text("Only the owner of this server sees its history.")
    expect(panel).to_contain_text("You may not do this on this server.")
    expect(panel.get_by_role("button", name="Try Again")).to_have_count(0)
    expect(page.locator(chart("cpu"))).to_contain_text("0.4 of 2 cores")


def test_it_says_what_it_waits_for(page: Page, lab: LabServer, shot: Shot) -> None:
    PlayedStream(page)
    play_history(page)
    panel = open_panel(page, lab)
    expect(panel).to_contain_text("Waiting for the first figures since")
    shot(page, "panel-waiting")


def test_no_trace_of_it_where_the_feature_is_off(page: Page, lab: LabServer) -> None:
    PlayedStream(page, state="off")
    open_lab(page, lab)
    expect(page.locator(SIDE)).to_have_count(0)
    expect(page.locator("[data-id=einfra-usage-panel]")).to_have_count(0)
    visible = "name => window.jupyterapp.commands.isVisible(name)"
    for name in ("einfra-usage:open-panel", "einfra-usage:open-tab"):
        assert not page.evaluate(visible, name)


def test_the_panel_opens_as_a_tab_where_its_icon_is_not_wanted(page: Page, lab: LabServer) -> None:
    play_full(page)
    set_user_setting(lab, USAGE, showPanel=False)
    try:
        open_lab(page, lab)
        icon = page.locator("[data-id=einfra-usage-panel]")
        expect(icon).to_have_count(0)
        command(page, "einfra-usage:open-panel")
        expect(page.locator(f"{TAB} .jp-EinfraUsagePanel-chart").first).to_be_visible()
        set_user_setting(lab, USAGE, showPanel=True)
        open_panel(page, lab)
    finally:
        set_user_setting(lab, USAGE, showPanel=True)


def test_a_toolbar_is_not_drawn_anew_with_each_sample(page: Page, lab: LabServer) -> None:
    stream = PlayedStream(page, sample(3.1), details())
    play_history(page)
    open_panel(page, lab)
    expect(page.locator(chart("memory"))).to_contain_text("3.1 of 16 GiB")
    page.evaluate(
        "window.told = 0;"
        " window.jupyterapp.commands.commandChanged.connect("
        "(_, { type }) => { window.told += type === 'changed' })"
    )
    stream.send(sample(5.2))
    expect(page.locator(chart("memory"))).to_contain_text("5.2 of 16 GiB")
    assert page.evaluate("window.told") == 0


def test_a_new_theme_is_drawn_at_once(page: Page, lab: LabServer) -> None:
    play_full(page)
    open_panel(page, lab)
    pixel = (
        "canvas => [...canvas.getContext('2d').getImageData("
        "canvas.width - 3, Math.round(canvas.height * 0.7), 1, 1).data]"
    )
    canvas = page.locator(f"{chart('memory')} canvas")
    wait_until("it is drawn", lambda: drawn(page, "memory") > 500)
    before = canvas.evaluate(pixel)
    change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
    page.evaluate(change, DARK)
    wait_until("it is drawn anew", lambda: canvas.evaluate(pixel) != before)
    # So are the system's own colours, where it puts them on everything.
    seen = [canvas.evaluate(pixel)]
    for scheme in ("dark", "light"):
        page.emulate_media(forced_colors="active", color_scheme=scheme)
        wait_until("it is drawn anew", lambda: canvas.evaluate(pixel) not in seen)
        seen.append(canvas.evaluate(pixel))


def test_the_history_is_exported(page: Page, lab: LabServer) -> None:
    play_full(page)
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=200, content_type="text/csv", body="time,cpu\n")

    page.route("**/jupyter-einfra/usage/history.csv?*", answer)
    panel = open_panel(page, lab)
    with page.expect_download() as download:
        panel.get_by_role("button", name="Export as CSV").click()
    assert download.value.suggested_filename == "usage-15min.csv"
    assert Path(download.value.path()).read_text() == "time,cpu\n"
    assert "since=" in asked[0]


@pytest.fixture
def own_lab(tmp_path: Path) -> Iterator[LabServer]:
    """A JupyterLab whose kernels are the test's own."""
    with start_lab(tmp_path) as started:
        yield started


def kernels(lab: LabServer) -> list[dict[str, Any]]:
    """Return what Jupyter tells; while a kernel is being made, that is an error of its own."""

    def told() -> list[dict[str, Any]] | None:
        reply = lab.api("GET", "api/kernels")
        return reply.json() if reply.is_success else None

    return wait_until("Jupyter told its kernels", told)


def states(lab: LabServer) -> list[str]:
    return [kernel["execution_state"] for kernel in kernels(lab)]


SPIN = "spun = True\nwhile True: pass"


def test_a_kernel_is_followed_interrupted_restarted_and_shut_down(
    page: Page, own_lab: LabServer, shot: Shot
) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(SPIN)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, own_lab.notebooks / "spin.ipynb")
    panel = open_panel(page, own_lab, "lab/tree/spin.ipynb")
    row = panel.get_by_role("row", name=re.compile("spin.ipynb"))
    wait_until("its kernel is up", lambda: states(own_lab) == ["idle"])
    expect(row).to_contain_text("idle")
    command(page, "notebook:run-all-cells")
    expect(row).to_contain_text("busy")
    shot(page, "panel-real-kernel")

    acts = panel.get_by_role("button", name="What to do with spin.ipynb")
    acts.click()
    page.get_by_role("menuitem", name="Interrupt").last.click()
    expect(row).to_contain_text("idle")
    expect(page.locator(".jp-Notebook")).to_contain_text("KeyboardInterrupt")

    (before,) = kernels(own_lab)
    acts.click()
    page.get_by_role("menuitem", name="Restart…").last.click()
    dialog = page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("All its variables are lost.")
    dialog.get_by_role("button", name="Cancel").click()
    assert kernels(own_lab)[0]["id"] == before["id"]
    expect(acts).to_be_focused()

    acts.click()
    page.get_by_role("menuitem", name="Restart…").last.click()
    dialog.get_by_role("button", name="Restart").click()
    expect(acts).to_be_focused()
    wait_until("its kernel is up again", lambda: states(own_lab) == ["idle"])
    expect(row).to_contain_text("idle")
    status = "window.jupyterapp.shell.currentWidget.sessionContext.kernelDisplayStatus"
    wait_until("the notebook knows", lambda: page.evaluate(status) == "idle")

    acts.click()
    page.get_by_role("menuitem", name="Shut Down…").last.click()
    dialog.get_by_role("button", name="Shut Down").click()
    wait_until("the kernel is gone", lambda: kernels(own_lab) == [])
    expect(panel).to_contain_text("No kernel is running.")
    expect(panel.get_by_role("radio", name="15 min")).to_be_focused()


def test_what_was_used_is_there_after_a_reload(page: Page, own_lab: LabServer) -> None:
    panel = open_panel(page, own_lab)
    cpu = page.locator(slider("cpu"))
    wait_until(
        "there is something to remember",
        lambda: (
            len(own_lab.api("GET", "jupyter-einfra/usage/history").json()["offsets_seconds"]) > 3
        ),
    )
    with page.expect_response("**/jupyter-einfra/usage/history?*") as answer:
        open_panel(page, own_lab)
    assert answer.value.status == 200
    expect(panel).not_to_contain_text("The history cannot be shown.")
    expect(cpu).to_be_visible()
    for key in ("6 h", "7 d", "90 d"):
        with page.expect_response("**/jupyter-einfra/usage/history?*") as answer:
            panel.get_by_text(key, exact=True).click()
        assert answer.value.status == 200, key
    with page.expect_download() as download:
        panel.get_by_role("button", name="Export as CSV").click()
    assert Path(download.value.path()).stat().st_size > 0


def test_gpus_of_a_driver_are_charted(
    page: Page, tmp_path: Path, driver: StandInDriver, shot: Shot
) -> None:
    driver.behave("gpus=3 mig_gpu=2")
    with start_lab(tmp_path / "lab", env=driver.environ) as lab:
        panel = open_panel(page, lab)
        gpus = panel.locator("[data-chart^='GPU-'], [data-chart^='MIG-']")
        expect(gpus.first).to_contain_text("1.0 of 80 GiB")
        assert gpus.count() >= 3
        expect(panel.locator("[data-chart^='MIG-']").first).to_contain_text("MIG slice")
        shot(page, "panel-driver")
