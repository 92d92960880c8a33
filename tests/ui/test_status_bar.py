"""What a person sees and does with the figures in JupyterLab's status bar."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest
from playwright.sync_api import Page, expect
from servers.groups import Groups
from servers.lab import LabServer
from servers.lab_page import DARK, LIGHT, open_lab, play, set_user_setting, start_lab
from servers.nvidia import StandInDriver
from servers.process import wait_until
from servers.samples import GIB, SHARED, SLICE, WHOLE, sample

from jupyter_einfra.models import Reason

ROOT = Path(__file__).parents[2]

Shot = Callable[..., None]

ITEM = ".jp-EinfraUsage"
BUTTON = ".jp-EinfraUsage-button"
POPUP = ".jp-EinfraUsage-popup"

THEMES = "@jupyterlab/apputils-extension:themes"


def figure(kind: str) -> str:
    return f".jp-EinfraUsage-figure[data-kind={kind}]"


def shown(page: Page, kind: str) -> float:
    """The figure in use, as it stands in the bar: 1.9 of "1.9/2"."""
    text = page.locator(f"{figure(kind)} .jp-EinfraUsage-compact").first.inner_text()
    match = re.match(r"([\d.]+)/", text)
    assert match, text
    return float(match[1])


@pytest.fixture
def theme(request: pytest.FixtureRequest, lab: LabServer) -> Iterator[str]:
    """The theme that the user has chosen, for one test."""
    set_user_setting(lab, THEMES, theme=request.param)
    yield request.param
    set_user_setting(lab, THEMES, theme=LIGHT)


def usage(lab: LabServer) -> dict[str, Any]:
    """What the server itself says."""
    answer: dict[str, Any] = lab.api("GET", "jupyter-einfra/usage").json()
    return answer


def run_command(page: Page, command: str) -> None:
    has = "command => window.jupyterapp?.commands.hasCommand(command)"
    page.wait_for_function(has, arg=command)
    # Not waiting for its end: running a cell ends with the cell.
    page.evaluate("command => void window.jupyterapp.commands.execute(command)", command)


BURN = """
import time
ballast = b"x" * (600 * 2**20)
stop = time.time() + 60
while time.time() < stop: pass
"""


@pytest.fixture
def limited_lab(tmp_path: Path, groups: Groups) -> Iterator[LabServer]:
    """A JupyterLab with one core and two GiB, as a container would have it."""
    limits = groups.make(cores=1, memory_bytes=2 * GIB)
    with start_lab(tmp_path, groups=set(limits.values())) as started:
        yield started


def test_the_figures_follow_a_kernel_that_works(
    page: Page, limited_lab: LabServer, shot: Shot
) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(BURN.strip())],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, limited_lab.notebooks / "burn.ipynb")
    open_lab(page, limited_lab, "lab/tree/burn.ipynb")
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle")
    wait_until("it is quiet", lambda: shown(page, "cpu") <= 0.3)
    expect(page.locator(figure("cpu"))).to_contain_text("/1")
    expect(page.locator(figure("memory"))).to_contain_text("/2 GiB")
    memory_before = shown(page, "memory")
    run_command(page, "notebook:run-all-cells")
    wait_until("the CPU figure rose", lambda: shown(page, "cpu") >= 0.5)
    wait_until("the memory figure rose", lambda: shown(page, "memory") >= memory_before + 0.4)
    shot(page, "working-kernel")
    run_command(page, "notebook:interrupt-kernel")
    wait_until("the CPU figure fell", lambda: shown(page, "cpu") <= 0.3)


@pytest.mark.parametrize("theme", [LIGHT, DARK], indirect=True)
def test_the_item_and_its_popup_in_both_themes(
    page: Page, lab: LabServer, shot: Shot, theme: str
) -> None:
    play(page, sample(gpus=(WHOLE, SLICE)))
    open_lab(page, lab)
    name = theme.split()[1].lower()
    assert page.get_attribute("body", "data-jp-theme-light") == str(theme == LIGHT).lower()
    page.click(BUTTON)
    expect(page.locator(POPUP)).to_be_visible()
    page.wait_for_selector(".jp-Launcher-body")
    clip = {"x": 0, "y": 380, "width": 1000, "height": 420}
    shot(page, f"status-bar-{name}", clip=clip)


def test_the_popup_by_keyboard_alone(page: Page, lab: LabServer) -> None:
    open_lab(page, lab)
    page.wait_for_selector(figure("memory"))
    page.focus(BUTTON)
    page.keyboard.press("Enter")
    popup = page.locator(POPUP)
    expect(popup).to_be_visible()
    expect(popup).to_contain_text("Memory")
    expect(popup).to_contain_text("GiB")
    expect(popup).to_be_focused()  # which comes a moment after it is there
    page.keyboard.press("Escape")
    expect(popup).to_be_hidden()
    expect(page.locator(BUTTON)).to_be_focused()


def test_the_tooltip_has_exact_figures_scope_and_source(page: Page, lab: LabServer) -> None:
    play(page, sample(gpus=(SHARED,)))
    open_lab(page, lab)
    memory = page.locator(figure("memory"))
    expect(memory).to_have_attribute("title", re.compile(r"3\.1 of 16 GiB"))
    expect(memory).to_have_attribute("title", re.compile("this container"))
    expect(memory).to_have_attribute("title", re.compile("cgroup v2"))
    gpu = page.locator(figure("gpu"))
    expect(gpu).to_have_attribute("title", re.compile("neighbours"))


@pytest.mark.parametrize(
    ("used_gib", "level"), [(3.1, "normal"), (13.5, "warning"), (15.5, "critical")]
)
def test_memory_near_its_limit_is_seen_and_heard(
    page: Page, lab: LabServer, shot: Shot, used_gib: float, level: str
) -> None:
    play(page, sample(used_gib))
    open_lab(page, lab)
    expect(page.locator(figure("memory"))).to_have_class(re.compile(f"jp-mod-{level}"))
    label = page.locator(BUTTON).get_attribute("aria-label") or ""
    heard = page.locator(".jp-EinfraUsage-announcement")
    if level == "normal":
        assert "near its limit" not in label
        expect(heard).to_be_empty()
    else:
        assert f"near its limit: {used_gib} of 16 GiB" in label
        expect(heard).to_contain_text("near its limit")
        shot(page, f"memory-{level}")


def test_what_is_not_known_says_why_and_is_never_0(page: Page, lab: LabServer) -> None:
    why = Reason(code="cgroup_unreadable", message="-", params={"path": "/sys/x", "error": "gone"})
    play(page, sample(reason=why, gpus=(SLICE,)))
    open_lab(page, lab)
    cpu = page.locator(figure("cpu"))
    expect(cpu).to_have_attribute("title", re.compile("/sys/x"))
    assert "0/2" not in cpu.inner_text()
    expect(page.locator(figure("gpu"))).not_to_contain_text("%")


def test_three_gpus_and_many(page: Page, lab: LabServer, shot: Shot) -> None:
    play(page, sample(gpus=(WHOLE, SHARED, SLICE)))
    open_lab(page, lab)
    expect(page.locator(figure("gpu"))).to_have_count(3)
    shot(page, "three-gpus")
    many = tuple(msgspec.structs.replace(WHOLE, index=i, uuid=f"GPU-{i}") for i in range(8))
    page.unroute_all()
    play(page, sample(gpus=many))
    page.reload()
    expect(page.locator(figure("gpu"))).to_have_count(1)
    page.click(BUTTON)
    expect(page.locator(f"{POPUP} tbody")).to_have_count(10)
    shot(page, "eight-gpus")


def test_a_hostile_device_name_is_only_text(page: Page, lab: LabServer) -> None:
    name = '<img src=x onerror="document.title=1">"\'${0}'
    play(page, sample(gpus=(msgspec.structs.replace(WHOLE, name=name),)))
    open_lab(page, lab)
    page.click(BUTTON)
    expect(page.locator(POPUP)).to_contain_text("<img src=x")
    assert page.locator(f"{POPUP} img").count() == 0


@pytest.mark.parametrize("width", [1280, 1000, 800])
def test_narrow_windows_keep_the_status_bar_whole(
    page: Page, lab: LabServer, shot: Shot, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 600})
    play(page, sample(13.5, gpus=(WHOLE,)))
    open_lab(page, lab)
    expect(page.locator(figure("memory"))).to_be_visible()
    wait_until(
        "nothing overflows",
        lambda: page.evaluate(
            "() => { const bar = document.querySelector('#jp-main-statusbar');"
            " return bar.scrollWidth <= bar.clientWidth }"
        ),
    )
    shot(page, f"width-{width}")


def test_numbers_come_back_after_a_reload(page: Page, lab: LabServer) -> None:
    open_lab(page, lab)
    page.wait_for_selector(figure("memory"))
    page.reload()
    page.wait_for_selector(figure("memory"))
    assert shown(page, "memory") > 0


def seconds_between_samples(lab: LabServer) -> float:
    seconds: float = usage(lab)["interval_seconds"]
    return seconds


def make_visible(page: Page, *, visible: bool) -> None:
    """Do to the page what another tab in front of it does."""
    page.evaluate(
        "state => { Object.defineProperty(document, 'visibilityState',"
        " { value: state, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')) }",
        "visible" if visible else "hidden",
    )


def test_a_hidden_page_closes_its_stream_and_comes_back(page: Page, lab: LabServer) -> None:
    open_lab(page, lab)
    page.wait_for_selector(figure("memory"))
    wait_until("the server samples fast", lambda: seconds_between_samples(lab) == 1)
    make_visible(page, visible=False)
    wait_until("the server samples slowly", lambda: seconds_between_samples(lab) == 10)
    make_visible(page, visible=True)
    wait_until("the server samples fast again", lambda: seconds_between_samples(lab) == 1)
    assert page.locator(ITEM).get_by_text("No data").count() == 0


def test_the_user_can_switch_it_off_and_on(page: Page, lab: LabServer) -> None:
    open_lab(page, lab)
    page.wait_for_selector(figure("memory"))
    run_command(page, "einfra-usage:toggle")
    expect(page.locator(BUTTON)).to_be_hidden()
    wait_until("no figures are sent", lambda: seconds_between_samples(lab) == 10)
    page.reload()
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    expect(page.locator(BUTTON)).to_be_hidden()
    run_command(page, "einfra-usage:toggle")
    page.wait_for_selector(figure("memory"))


@pytest.mark.parametrize("theme", [LIGHT, DARK, "JupyterLab Dark High Contrast"], indirect=True)
def test_axe_finds_nothing_to_complain_of(page: Page, lab: LabServer, theme: str) -> None:
    play(page, sample(15.5, gpus=(WHOLE, SLICE)))
    open_lab(page, lab)
    page.wait_for_selector(figure("memory"))
    page.add_script_tag(path=ROOT / "node_modules/axe-core/axe.min.js")
    page.click(BUTTON)
    page.wait_for_selector(POPUP)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    result: dict[str, Any] = page.evaluate(
        "([include, values]) => axe.run({ include }, { runOnly: { type: 'tag', values } })",
        [[[ITEM], [POPUP]], tags],
    )
    assert result["passes"]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in result["violations"]] == []


@pytest.fixture
def own_lab(tmp_path: Any) -> Iterator[LabServer]:
    """A JupyterLab that the test may stop and start."""
    with start_lab(tmp_path) as started:
        yield started


def test_a_restart_of_the_server_is_told_and_survived(
    page: Page, own_lab: LabServer, shot: Shot
) -> None:
    open_lab(page, own_lab)
    page.wait_for_selector(figure("memory"))
    own_lab.stop()
    stale = page.locator(BUTTON).get_by_text("No data since")
    expect(stale).to_be_visible(timeout=20_000)
    expect(stale).to_contain_text(re.compile(r"\d{1,2}:\d{2}"))
    expect(page.locator(figure("memory"))).to_have_count(0)
    shot(page, "no-data")
    own_lab.start()
    page.wait_for_selector(figure("memory"), timeout=45_000)
    assert shown(page, "memory") > 0


def test_gpus_of_a_driver_reach_the_page_and_a_hung_one_is_told(
    page: Page, tmp_path: Path, driver: StandInDriver, shot: Shot
) -> None:
    driver.behave("gpus=2")
    env = {**driver.environ, "JUPYTER_EINFRA_USAGE_GPU_TIMEOUT_SECONDS": "1"}
    with start_lab(tmp_path / "lab", env=env) as lab:
        open_lab(page, lab)
        first, second = page.locator(figure("gpu")).first, page.locator(figure("gpu")).last
        expect(first).to_contain_text("GPU 0")
        expect(first).to_contain_text("1.0/80 GiB")
        expect(first).to_contain_text("29")
        expect(second).to_contain_text("2.0/80 GiB")
        driver.behave("gpus=2 hang")
        expect(first).to_have_attribute("title", re.compile("has not answered"))
        expect(first).not_to_contain_text("1.0/80")
        shot(page, "gpu-driver-hangs")
        before = usage(lab)["time"]
        wait_until("CPU and memory go on", lambda: usage(lab)["time"] != before)
        assert usage(lab)["memory"]["working_set_bytes"] > 0
        expect(page.locator(figure("memory"))).to_contain_text("GiB")
        assert lab.stop() == 0  # nor does the driver hold up the server's end


def test_a_feature_that_is_off_leaves_no_trace(page: Page, tmp_path: Any) -> None:
    with start_lab(tmp_path, env={"JUPYTER_EINFRA_DISABLED_FEATURES": "usage"}) as lab:
        with page.expect_response("**/jupyter-einfra/stream*") as reply:
            open_lab(page, lab)
        assert reply.value.status == 200
        expect(page.locator("#jp-main-statusbar")).to_be_visible()
        page.wait_for_timeout(1500)  # longer than the item waits before it says "waiting"
        assert page.locator(f"{ITEM} button").count() == 0
