"""Who comes back sees what happened, goes on where they were, and is never disturbed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import pytest
from msgspec.structs import replace
from playwright.sync_api import Locator, Page, Route, expect
from servers.axe import violations
from servers.digests import (
    CONTINUE,
    IDLE,
    NOW,
    ONE,
    OUT_OF_MEMORY,
    QUIET,
    USUAL,
    ago,
    digest,
    month,
    section,
    status,
)
from servers.kept import estimate
from servers.lab import LabServer
from servers.lab_page import DARK, HIGH_CONTRAST, LIGHT, open_lab, set_user_setting
from servers.played import PlayedStream, play_history
from servers.process import wait_until
from servers.samples import sample

from jupyter_einfra.activity.models import ActivityStatus, Digest
from jupyter_einfra.models import FeatureStatus, Notice, NoticesEvent

Shot = Callable[..., None]

OVERLAY = ".jp-EinfraActivity"
CARD = ".jp-LauncherCard"
TOAST = ".jp-toastContainer .Toastify__toast"
SETTINGS = "@e-infra/jupyter-einfra:activity"
THEMES = "@jupyterlab/apputils-extension:themes"
NOTICES = "@e-infra/jupyter-einfra:notices"
CZECH = Path(__file__).parents[2] / "jupyter_einfra/locale/cs_CZ/LC_MESSAGES/jupyter_einfra.json"
LANGUAGE = "@jupyterlab/translation-extension:plugin"


@pytest.fixture(autouse=True)
def usual(lab: LabServer) -> Iterator[None]:
    yield
    for plugin in (SETTINGS, NOTICES, LANGUAGE, THEMES):
        set_user_setting(lab, plugin)


class Played:
    """A page at a time of the test's own, whose server says what the test wants."""

    def __init__(self, page: Page, told: ActivityStatus, what: Digest, *notices: Notice) -> None:
        self.page = page
        self.status = told
        self.digest = what
        self.asked: list[tuple[str, str, Any]] = []
        self.fails = False
        self.scripts: list[str] = []
        page.clock.set_fixed_time(NOW)
        features = ("usage", "idle", "activity", "notices")
        standing = NoticesEvent(notices=list(notices))
        self.stream = PlayedStream(page, sample(), told, standing, estimate(), features=features)
        self.history = play_history(page)
        page.on("request", lambda r: self.scripts.append(r.url) if "/static/" in r.url else None)
        page.route(re.compile("/jupyter-einfra/activity"), self._answer)

    def _answer(self, route: Route) -> None:
        request = route.request
        path = request.url.partition("/jupyter-einfra/activity")[2].partition("?")[0]
        wish: Any = json.loads(request.post_data) if request.post_data else None
        self.asked.append((request.method, path, wish))
        if self.fails:
            refusal = {"message": "x", "reason": "x", "code": "internal_error", "params": {}}
            route.fulfill(status=500, json=refusal)
            return
        if path == "/awaited":
            awaited = [wish["path"]] if wish["wanted"] else []
            self.status = replace(self.status, awaited=awaited)
        elif path == "/recording":
            self.status = replace(self.status, recording=wish["recording"])
        elif path == "/seen":
            self.status = replace(self.status, away_since=None, told_at=NOW, attention=0, news=0)
        told = self.digest if path == "/digest" else self.status
        route.fulfill(status=200, content_type="application/json", body=msgspec.json.encode(told))

    def requests(self, path: str) -> list[Any]:
        """What was asked for there, by now."""
        self.page.evaluate("0")  # the answers are given while somebody speaks to the page
        return [wish for _, asked, wish in self.asked if asked == path]

    def run(self, command: str, **args: Any) -> None:
        """Execute one of Lab's commands, without waiting for its end."""
        self.page.evaluate(
            "([id, args]) => void window.jupyterapp.commands.execute(id, args)", [command, args]
        )

    def open(self) -> Locator:
        """Ask for the overlay."""
        self.run("einfra-activity:open")
        overlay = self.page.locator(OVERLAY)
        expect(overlay).to_be_visible()
        return overlay


#: What a notification says of what the overlay says, too.
DEATH = Notice(
    id="kernel-death:k1:1",
    time=ago(53.5),
    feature="usage",
    severity="error",
    code="kernel_out_of_memory",
    message="x",
    params=OUT_OF_MEMORY.params,
    kernel_id="k1",
    path="train.ipynb",
)

#: Also those that are there for a moment only.
COUNT_TOASTS = f"""
window.toasts = 0;
new MutationObserver(() => {{
  window.toasts = Math.max(window.toasts, document.querySelectorAll('{TOAST}').length);
}}).observe(document, {{ childList: true, subtree: true }});
"""


def change_theme(page: Page, theme: str) -> None:
    change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
    page.evaluate(change, theme)
    expect(page.locator("body")).to_have_attribute("data-jp-theme-name", theme)
    page.wait_for_selector("#jupyterlab-splash", state="detached")


def shot_in_both(page: Page, shot: Shot, name: str) -> None:
    for theme in (DARK, LIGHT):
        change_theme(page, theme)
        shot(page, f"{name}-{theme.split()[1].lower()}", animations="disabled")


def test_who_has_not_asked_is_told_only_what_is_worth_it(
    page: Page, lab: LabServer, shot: Shot
) -> None:
    played = Played(page, QUIET, digest(use=None))
    open_lab(page, lab)
    nothing_is_told(played)
    it_opens_when_asked(played, shot)
    a_failure_is_told(played, shot)
    who_has_begun_something_is_asked_once(played)
    the_focus_stays_inside(played)
    it_is_told_once(played)
    the_user_decides(played)
    what_is_not_offered_leaves_no_trace(played)


def nothing_is_told(played: Played) -> None:
    page = played.page
    page.wait_for_selector(".jp-EinfraUsage-figure")
    expect(page.locator(CARD, has_text="While You Were Away")).to_be_visible()
    expect(page.locator(OVERLAY)).to_have_count(0)
    assert played.requests("/digest") == []
    assert not any("overlay" in url for url in played.scripts)


def it_opens_when_asked(played: Played, shot: Shot) -> None:
    page, overlay = played.page, played.page.locator(OVERLAY)
    page.locator(CARD, has_text="While You Were Away").click()
    expect(overlay).to_contain_text("Nothing has happened since")
    expect(overlay.get_by_role("heading", level=1)).to_be_focused()
    shot_in_both(page, shot, "activity-nothing")
    assert violations(page, OVERLAY) == []
    page.keyboard.press("Escape")
    expect(overlay).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('.jp-Launcher') !== null")


def a_failure_is_told(played: Played, shot: Shot) -> None:
    page = played.page
    played.fails = True
    overlay = played.open()
    expect(overlay).to_contain_text("It cannot be told now.")
    shot_in_both(page, shot, "activity-failed")
    assert violations(page, OVERLAY) == []
    played.fails = False
    overlay.get_by_role("button", name="Try Again").click()
    expect(overlay).to_contain_text("Nothing has happened since")
    page.mouse.click(20, 400)  # the veil
    expect(overlay).to_have_count(0)
    assert played.requests("/seen") == []  # nothing was new


def who_has_begun_something_is_asked_once(played: Played) -> None:
    page, overlay = played.page, played.page.locator(OVERLAY)
    played.digest = ONE
    played.stream.send(status())
    toast = page.locator(TOAST, has_text="while you were away")
    expect(toast).to_be_visible()
    expect(overlay).to_have_count(0)
    toast.get_by_role("button", name="Show").click()
    expect(overlay).to_contain_text("Cell [14] was running.")


def the_focus_stays_inside(played: Played) -> None:
    page, overlay = played.page, played.page.locator(OVERLAY)
    expect(overlay.get_by_role("heading", level=1)).to_be_focused()
    first = overlay.get_by_role("button", name="Close")
    last = overlay.get_by_role("button", name="Continue in train.ipynb")
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(last).to_be_focused()
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    expect(overlay).to_have_count(0)


def it_is_told_once(played: Played) -> None:
    wait_until("it was noted", lambda: len(played.requests("/seen")) == 1)
    [seen] = played.requests("/seen")
    assert seen["facts"] == [ONE.sections[0].facts[0].id]
    before = len(played.requests("/digest"))
    played.stream.send(status(attention=2))  # the same absence
    expect(played.page.locator(TOAST)).to_have_count(0)
    assert len(played.requests("/digest")) == before


def the_user_decides(played: Played) -> None:
    page, overlay = played.page, played.open()
    overlay.get_by_role("button", name="Do Not Record").click()
    expect(overlay).to_contain_text("is not recorded now")
    assert played.requests("/recording") == [{"recording": False}]
    expect(overlay.get_by_role("button", name="Record Again")).to_be_visible()
    box = overlay.get_by_role("checkbox", name="Show this after 4 hours away")
    expect(box).to_be_checked()
    with page.expect_response(lambda r: "api/settings" in r.url and r.request.method == "PUT"):
        box.uncheck()
    page.keyboard.press("Escape")
    before = len(played.requests("/digest"))
    played.stream.send(status(away_since=ago(30)))
    played.run("einfra-activity:record")
    wait_until("it was heard", lambda: len(played.requests("/recording")) == 2)
    assert len(played.requests("/digest")) == before


def what_is_not_offered_leaves_no_trace(played: Played) -> None:
    page = played.page
    off = FeatureStatus(name="activity", state="off", reason=None)
    page.evaluate(
        "feature => window.einfraSend('snapshot', JSON.stringify({type: 'snapshot', time: '',"
        " version: '', features: [feature], topics: [], refused: [], events_lost: false}))",
        msgspec.to_builtins(off),
    )
    expect(page.locator(CARD, has_text="While You Were Away")).to_have_count(0)
    ids = ["open", "record", "erase", "await"]
    visible = "ids => ids.map(id => jupyterapp.commands.isVisible(`einfra-activity:${id}`))"
    assert page.evaluate(visible, ids) == [False] * 4


def write_long_notebook(lab: LabServer) -> None:
    cells = [nbformat.v4.new_code_cell("pass\n" * 9, id=f"c{n}") for n in range(30)]
    spec = {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec})
    nbformat.write(notebook, lab.notebooks / "train.ipynb")


def test_what_can_be_done_about_it_is_done(page: Page, lab: LabServer, shot: Shot) -> None:
    write_long_notebook(lab)
    page.add_init_script(COUNT_TOASTS)
    played = Played(page, status(), ONE, DEATH)
    page.goto(f"{lab.url}lab?token={lab.token}&reset")
    overlay = page.locator(OVERLAY)
    expect(overlay).to_contain_text("You were last here on Tuesday at 5:42 PM, 2 days and 15 hours")
    expect(overlay.locator("svg[role=img]")).to_have_attribute(
        "aria-label", re.compile("Use of the CPU since .* 1 event is marked")
    )
    page.wait_for_selector(CARD)
    # The launcher, which comes late, does not take the focus away.
    expect(overlay.get_by_role("heading", level=1)).to_be_focused()
    shot_in_both(page, shot, "activity-one")
    assert "resolution=600" in played.history[0]
    no_notification_says_the_same(played)
    the_kernel_is_restarted_in_place(played)
    the_figures_of_that_moment_are_shown(played)
    the_notebook_opens_at_its_cell(played)
    a_cell_that_is_gone_is_told(played)
    the_bell_is_rung(played, shot)
    what_is_done_is_told_to_who_asked(played)
    what_keeps_the_server_is_at_hand(played)
    what_was_recorded_is_erased_after_a_question(played)


def no_notification_says_the_same(played: Played) -> None:
    page = played.page
    listed = page.locator(".jp-Notification-Status")
    expect(listed).to_have_text("1")
    assert page.evaluate("window.toasts") == 0
    again = replace(DEATH, id="kernel-death:k1:2", time=NOW + timedelta(seconds=1))
    played.stream.send(NoticesEvent(notices=[DEATH, again]))
    expect(page.locator(TOAST, has_text="Kernel of train.ipynb")).to_have_count(1)
    played.stream.send(NoticesEvent(notices=[]))
    expect(page.locator(TOAST)).to_have_count(0)


def the_kernel_is_restarted_in_place(played: Played) -> None:
    page, overlay = played.page, played.page.locator(OVERLAY)
    answers = [404, 200]
    page.route(
        "**/api/kernels/k1/restart*",
        lambda route: route.fulfill(
            status=answers.pop(0), json={"id": "k1", "name": "python3", "message": "It is gone."}
        ),
    )
    overlay.get_by_role("button", name="Restart Kernel").click()
    expect(overlay.get_by_role("alert")).to_contain_text("It is gone.")
    overlay.get_by_role("button", name="Restart Kernel").click()
    expect(overlay.get_by_role("button", name="Restarted")).to_be_visible()
    expect(overlay.get_by_role("alert")).to_have_count(0)


def the_figures_of_that_moment_are_shown(played: Played) -> None:
    page, overlay = played.page, played.page.locator(OVERLAY)
    overlay.get_by_role("button", name="Show Usage").first.click()
    expect(overlay).to_have_count(0)
    panel = page.locator("#einfra-usage-panel")
    expect(panel.get_by_role("radio", name="7 d")).to_be_checked()
    wait_until("it was noted", lambda: len(played.requests("/seen")) == 1)


def the_notebook_opens_at_its_cell(played: Played) -> None:
    page, overlay = played.page, played.open()
    overlay.get_by_role("button", name="Open at Cell [14]").first.click()
    active = page.locator(".jp-NotebookPanel .jp-Notebook-cell.jp-mod-active")
    expect(active).to_have_attribute("data-windowed-list-index", "14")
    expect(active).to_be_in_viewport(ratio=0.9)
    expect(page.locator(".jp-NotebookPanel").locator(":focus")).to_have_count(1)


def a_cell_that_is_gone_is_told(played: Played) -> None:
    page = played.page
    gone = replace(CONTINUE, id="gone", cell_id="elsewhere", execution_count=3)
    played.digest = digest(section("continue", gone))
    overlay = played.open()
    overlay.get_by_role("button", name="Continue in train.ipynb").click()
    expect(page.locator(TOAST, has_text="That cell is not in train.ipynb")).to_be_visible()


def the_bell_is_rung(played: Played, shot: Shot) -> None:
    page = played.page
    bell = page.locator(".jp-NotebookPanel-toolbar").get_by_role("button", name="Tell me when")
    expect(bell).to_have_attribute("aria-pressed", "false")
    bell.click()
    expect(bell).to_have_attribute("aria-pressed", "true")
    assert played.requests("/awaited") == [{"path": "train.ipynb", "wanted": True}]
    hint = page.locator(TOAST, has_text="Also outside of this page?")
    shot_in_both(page, shot, "activity-bell")
    with page.expect_response(lambda r: "api/settings" in r.url and r.request.method == "PUT"):
        hint.get_by_role("button", name="Let the Browser Tell Me").click()
    bell.click()
    expect(bell).to_have_attribute("aria-pressed", "false")


def what_is_done_is_told_to_who_asked(played: Played) -> None:
    done = Notice(
        id="run:1",
        time=NOW,
        feature="activity",
        severity="info",
        code="run_finished",
        message="x",
        params={"name": "train.ipynb", "seconds": 20_880, "asked": 1, "cells": 3},
        kernel_id="k1",
        path="train.ipynb",
    )
    unasked = replace(done, id="run:2", params={**done.params, "asked": 0, "name": "other"})
    played.stream.send(NoticesEvent(notices=[done, unasked]))
    toast = played.page.locator(TOAST, has_text="is done")
    expect(toast).to_have_text(re.compile("train.ipynb is done: 3 cells in 5 hr 48 min."))
    expect(toast.get_by_role("button", name="Open Notebook")).to_be_visible()
    expect(toast.get_by_role("button", name="Do Not Show Again")).to_have_count(0)


def what_keeps_the_server_is_at_hand(played: Played) -> None:
    page = played.page
    played.digest = digest(section("attention", IDLE))
    overlay = played.open()
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.model.dirty = true")
    with page.expect_request(lambda r: r.method == "PUT" and "api/contents/train.ipynb" in r.url):
        overlay.get_by_role("button", name="Save All").click()
    expect(overlay.get_by_role("button", name="Saved")).to_be_visible()
    overlay.get_by_role("button", name="Why?").click()
    expect(overlay).to_have_count(0)
    expect(page.locator("#einfra-idle-page")).to_be_visible()


def what_was_recorded_is_erased_after_a_question(played: Played) -> None:
    played.run("einfra-activity:erase")
    played.page.locator(".jp-Dialog").get_by_role("button", name="Erase").click()
    wait_until("it was erased", lambda: played.requests("") == [None])


def test_a_crowded_month_can_be_read_in_every_theme(page: Page, lab: LabServer, shot: Shot) -> None:
    played = Played(page, status(away_since=ago(24 * 31)), month())
    page.goto(f"{lab.url}lab?token={lab.token}&reset")
    overlay = page.locator(OVERLAY)
    expect(overlay.locator("svg[role=img]")).to_be_visible()
    page.wait_for_selector(CARD)
    assert overlay.locator("img").count() == 0
    hostile = overlay.locator("li b", has_text="<img src=x")
    assert "\u202e" not in (hostile.text_content() or "")
    assert "\u202e" not in overlay.inner_text()
    for theme, name in ((LIGHT, "light"), (DARK, "dark"), (HIGH_CONTRAST, "contrast")):
        change_theme(page, theme)
        shot(page, f"activity-month-{name}")
        assert violations(page, OVERLAY) == [], name
    # At 200 % zoom a window of 1280 by 800 has room for half of that.
    for width, height, part in ((800, 900, "scroll"), (640, 400, "card")):
        page.set_viewport_size({"width": width, "height": height})
        scroll = overlay.locator(f".jp-EinfraActivity-{part}")
        assert scroll.evaluate("node => node.scrollWidth <= node.clientWidth")
        assert scroll.evaluate("node => node.scrollHeight > node.clientHeight")
        shot_in_both(page, shot, f"activity-month-{width}")
        for button in ("Close", "Continue in train.ipynb"):
            expect(overlay.get_by_role("button", name=button)).to_be_in_viewport(ratio=1)
    who_has_read_it_in_another_window_need_not_close_it(played)


def who_has_read_it_in_another_window_need_not_close_it(played: Played) -> None:
    over = status(away_since=None, back_at=None, attention=0, news=0)
    played.stream.send(over)  # somebody was here for long: maybe at this window
    played.page.evaluate("0")
    expect(played.page.locator(OVERLAY)).to_be_visible()
    played.stream.send(replace(over, told_at=NOW))
    expect(played.page.locator(OVERLAY)).to_have_count(0)
    assert played.requests("/seen") == []


def test_it_speaks_czech(page: Page, lab: LabServer, shot: Shot) -> None:
    set_user_setting(lab, LANGUAGE, locale="cs_CZ")
    # Lab has no other words in Czech here.
    words = {"data": {"jupyter_einfra": json.loads(CZECH.read_text("utf-8"))}, "message": ""}
    page.route("**/api/translations/cs_CZ*", lambda route: route.fulfill(json=words))
    Played(page, status(), USUAL)
    page.goto(f"{lab.url}lab?token={lab.token}&reset")
    overlay = page.locator(OVERLAY)
    expect(overlay).to_contain_text("Naposledy jste tu byli: úterý 17:42.")
    expect(overlay).to_contain_text("jádro bylo násilně ukončeno")
    expect(overlay).to_contain_text("proběhlo 9 buněk, nejdelší trvala 5 h 48 min.")
    page.wait_for_selector(CARD)
    shot_in_both(page, shot, "activity-czech")
    told = overlay.inner_text()
    assert re.findall(r"\b(?:the|was|cell|kernel|this|since|of)\b", told, re.IGNORECASE) == []


#: How well what has a colour of its own stands out from the background of all.
CONTRASTS = """() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const light = colour => {
        for (canvas.fillStyle of ['Canvas', colour]) {
            canvas.fillRect(0, 0, 1, 1);
        }
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(value =>
            value <= 10 ? value / 3294 : ((value / 255 + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const styleOf = (selector, part) => getComputedStyle(document.querySelector(selector), part);
    const colours = {
        info: styleOf('li[data-severity=info]', '::before').backgroundColor,
        running: styleOf('li[data-severity=running]', '::before').borderTopColor,
        curve: styleOf('.jp-EinfraActivity-line').stroke,
        mark: styleOf('line[data-severity=running]').stroke,
        bar: styleOf('.jp-EinfraUsage-bar > span').backgroundColor
    };
    const ground = light('Canvas');
    return Object.entries(colours).filter(([, colour]) => {
        const [low, high] = [ground, light(colour)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05) < 3;
    });
}"""


def test_forced_colours_leave_it_readable(page: Page, lab: LabServer, shot: Shot) -> None:
    Played(page, status(), USUAL)
    page.emulate_media(forced_colors="active", color_scheme="dark")
    page.goto(f"{lab.url}lab?token={lab.token}&reset")
    overlay = page.locator(OVERLAY)
    expect(overlay.locator("svg[role=img]")).to_be_visible()
    page.wait_for_selector(".jp-EinfraUsage-bar")
    for scheme in ("dark", "light"):
        page.emulate_media(forced_colors="active", color_scheme=scheme)
        shot(page, f"activity-forced-{scheme}")
        assert page.evaluate(CONTRASTS) == []
    # What can be pressed has an edge, for it has no colour.
    widths = "nodes => nodes.map(node => getComputedStyle(node).borderTopWidth)"
    assert set(overlay.locator("button").evaluate_all(widths)) == {"1px"}
