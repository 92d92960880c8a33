"""Will my server be kept? Told in time, told why, and told by whom, as a person meets it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect
from servers.axe import violations
from servers.kept import GPU_RULE, NOW, POLICY, after, estimate, report, word
from servers.lab import LabServer
from servers.lab_page import DARK, HIGH_CONTRAST, LIGHT, open_lab, set_user_setting, start_lab
from servers.played import PlayedStream
from servers.samples import sample

from jupyter_einfra.idle import reasons
from jupyter_einfra.idle.models import IdleExtension, IdlePolicy, IdleSource, IdleStatus, TimeAnswer
from jupyter_einfra.idle.notices import next_notice
from jupyter_einfra.models import Notice, NoticesEvent

Shot = Callable[..., None]

ITEM = ".jp-EinfraIdle-item"
TAB = "#einfra-idle-page"
TOAST = ".jp-toastContainer .Toastify__toast"
THEMES = "@jupyterlab/apputils-extension:themes"
SETTINGS = "@e-infra/jupyter-einfra:idle"


@pytest.fixture(autouse=True)
def usual(lab: LabServer) -> Iterator[None]:
    yield
    set_user_setting(lab, THEMES)
    set_user_setting(lab, SETTINGS)


class Played:
    """A page at a time of the test's own, whose server says what the test wants."""

    def __init__(self, page: Page, status: IdleStatus, *, clock_stands: bool = True) -> None:
        self.page = page
        self.status = status
        self.asked: list[tuple[str, str, Any]] = []
        self.replies: dict[str, tuple[int, Any]] = {
            "idle/stop": (200, {"may_stop": None, "reason": None})
        }
        if clock_stands:
            page.clock.set_fixed_time(NOW)
        self.stream = PlayedStream(page, sample(), status, features=("usage", "idle"))
        page.route(re.compile("/jupyter-einfra/idle"), self._answer)

    def _answer(self, route: Route) -> None:
        path = route.request.url.partition("/jupyter-einfra/")[2].partition("?")[0]
        body = route.request.post_data
        self.asked.append((route.request.method, path, json.loads(body) if body else None))
        status, told = self.replies.get(path, (200, report(self.status)))
        route.fulfill(
            status=status, content_type="application/json", body=msgspec.json.encode(told)
        )

    def tell(self, status: IdleStatus) -> None:
        """Say something else from now on."""
        self.status = status
        self.stream.send(status)

    def open(self, lab: LabServer) -> Locator:
        """Open Lab and the page."""
        open_lab(self.page, lab)
        self.page.locator(ITEM).get_by_role("button").click()
        tab = self.page.locator(TAB)
        expect(tab.locator("svg[role=img]").or_(tab.get_by_role("alert"))).to_be_visible()
        return tab


LEVELS = {
    "kept": (estimate(), "Kept at least until Fri 4:05 AM", "Yes, at least until Friday 4:05 AM."),
    "kept-word": (word(), "Kept until Fri 4:05 AM", "Yes, until Friday 4:05 AM"),
    "unsure": (
        estimate(
            level="unsure",
            delete_at=after(14),
            policy=msgspec.structs.replace(POLICY, rule=GPU_RULE),
            counter_limit=3,
            day_maximum=0.21,
            unseen=[reasons.GPU_MOMENTS],
        ),
        "Seems to be in use",
        "Probably: it seems to be used",
    ),
    "day": (
        word(level="day", delete_at=after(14), counter=4),
        "Deleted unless used: Wed 4:05 AM",
        "Only if it is used before tomorrow 4:05 AM.",
    ),
    "hour": (
        word(level="hour", delete_at=after(2 / 3), counter=4),
        "Deleted in 40 min unless used",
        "Only if it is used within 40 min.",
    ),
}


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_each_level_is_told_and_drawn(page: Page, lab: LabServer, shot: Shot, theme: str) -> None:
    set_user_setting(lab, THEMES, theme=theme)
    played = Played(page, LEVELS["kept"][0])
    tab = played.open(lab)
    for level, (status, brief, answer) in LEVELS.items():
        played.tell(status)
        expect(page.locator(ITEM)).to_contain_text(brief)
        expect(tab.get_by_role("heading", level=2)).to_contain_text(answer)
        expect(tab.locator("[aria-busy=false]")).to_be_visible()
        shot(page, f"idle-{level}-{'dark' if theme == DARK else 'light'}")
        if theme == LIGHT:
            assert violations(page, TAB) == []


def test_it_explains_itself_in_a_narrow_window_and_in_high_contrast(
    page: Page, lab: LabServer, shot: Shot
) -> None:
    set_user_setting(lab, THEMES, theme=HIGH_CONTRAST)
    page.set_viewport_size({"width": 800, "height": 900})
    played = Played(page, LEVELS["hour"][0])
    tab = played.open(lab)
    shot(page, "idle-narrow")
    assert tab.evaluate("node => node.scrollWidth <= node.clientWidth")
    picture = tab.locator("svg[role=img]")
    told = picture.get_attribute("aria-label") or ""
    assert "0.1 cores" in told
    assert "counter 4" in told
    tab.get_by_text("All evaluations in words").click()
    expect(tab.get_by_role("row")).not_to_have_count(0)
    # No word lies on another.
    boxes = picture.locator("text").evaluate_all(
        "all => all.map(one => { const {left, right, top, bottom} = one.getBoundingClientRect();"
        " return {left, right, top: top + 2, bottom: bottom - 2, text: one.textContent}; })"
    )
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            apart = (
                one["right"] <= other["left"]
                or other["right"] <= one["left"]
                or one["bottom"] <= other["top"]
                or other["bottom"] <= one["top"]
            )
            assert apart, (one["text"], other["text"])


def test_without_a_policy_nothing_is_shown(page: Page, lab: LabServer) -> None:
    nothing = estimate(
        level="unknown", policy=None, reason=reasons.NO_POLICY, source=None, delete_at=None
    )
    Played(page, nothing)
    open_lab(page, lab)
    page.wait_for_selector(".jp-EinfraUsage-figure")
    expect(page.locator(ITEM)).to_be_hidden()
    enabled = (
        "() => ['open', 'stop', 'ask'].map(n => jupyterapp.commands.isVisible(`einfra-idle:${n}`))"
    )
    assert page.evaluate(enabled) == [False, False, False]


def test_a_revision_that_is_not_known_is_told_in_the_operator_s_words(
    page: Page, lab: LabServer, shot: Shot
) -> None:
    hostile = "<img src=x onerror=alert(1)> **New** rules."
    status = word(
        level="unknown",
        policy=IdlePolicy(revision="2027", text=hostile, rule=None),
        reason=reasons.revision_unknown("2027"),
        delete_at=None,
    )
    Played(page, status)
    open_lab(page, lab)
    page.locator(ITEM).get_by_role("button").click()
    tab = page.locator(TAB)
    expect(tab).to_contain_text("It cannot be told from here.")
    expect(tab.locator("blockquote")).to_have_text(hostile)
    assert tab.locator("img").count() == 0
    shot(page, "idle-unknown")


def test_each_source_has_its_name_and_its_age(page: Page, lab: LabServer) -> None:
    doubted = reasons.other_server("bob/")
    silent = reasons.controller_unreachable("ConnectError")
    played = Played(page, word())
    tab = played.open(lab)
    expect(tab).to_contain_text("controller wrote into this server (4:05 AM)")
    expect(tab).to_contain_text("own word.")
    played.tell(
        word(
            source="controller",
            sources=[
                IdleSource(name="file", time=after(-10), reason=doubted),
                IdleSource(name="controller", time=after(-1), reason=None),
            ],
        )
    )
    expect(tab).to_contain_text("controller (1:05 PM)")
    expect(tab).to_contain_text("bob/")
    played.tell(
        estimate(
            sources=[
                IdleSource(name="file", time=after(-10), reason=doubted),
                IdleSource(name="controller", time=None, reason=silent),
                IdleSource(name="estimate", time=NOW, reason=None),
            ]
        )
    )
    expect(tab).to_contain_text("An estimate made here from the use that was seen (2:05 PM)")
    expect(tab).to_contain_text("ConnectError")
    expect(tab).to_contain_text("This is an estimate")


def test_time_goes_on_while_nobody_says_anything(page: Page, lab: LabServer) -> None:
    page.clock.install(time=NOW)
    status = word(level="hour", delete_at=after(2 / 3), counter=4)
    Played(page, status, clock_stands=False).open(lab)
    expect(page.locator(ITEM)).to_contain_text("Deleted in 40 min unless used")
    page.clock.fast_forward("10:00")
    expect(page.locator(ITEM)).to_contain_text("Deleted in 30 min unless used")


def test_a_page_that_cannot_be_loaded_says_so_and_can_be_tried_again(
    page: Page, lab: LabServer
) -> None:
    Played(page, LEVELS["kept"][0])
    open_lab(page, lab)
    item = page.locator(ITEM).get_by_role("button")
    item.wait_for()
    scripts = re.compile(r"/jupyter-einfra/static/.*\.js")
    page.route(scripts, lambda route: route.abort())
    item.click()
    dialog = page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("This cannot be loaded.")
    dialog.get_by_role("button").click()
    page.unroute(scripts)
    item.click()
    expect(page.locator(TAB).locator("svg[role=img]")).to_be_visible()


def test_a_server_that_fails_says_so_and_can_be_asked_again(
    page: Page, lab: LabServer, shot: Shot
) -> None:
    played = Played(page, estimate())
    refusal = {"message": "x", "reason": "x", "code": "internal_error", "params": {}}
    played.replies["idle"] = (500, refusal)
    open_lab(page, lab)
    page.locator(ITEM).get_by_role("button").click()
    tab = page.locator(TAB)
    expect(tab).to_contain_text("It cannot be told now.")
    shot(page, "idle-failed")
    del played.replies["idle"]
    tab.get_by_role("button", name="Try Again").click()
    expect(tab.get_by_role("heading", level=2)).to_contain_text("Yes, at least until")


class TestActs:
    def test_all_is_saved(self, page: Page, lab: LabServer) -> None:
        (lab.notebooks / "notes.md").write_text("old")
        tab = Played(page, word(level="day", delete_at=after(14))).open(lab)
        page.evaluate(
            "path => jupyterapp.commands.execute('docmanager:open', {path, factory: 'Editor'})",
            "notes.md",
        )
        editor = page.locator(".jp-FileEditor .cm-content")
        editor.fill("new")
        page.evaluate("() => jupyterapp.commands.execute('einfra-idle:open')")
        with page.expect_response(
            lambda reply: reply.request.method == "PUT" and "notes.md" in reply.url
        ):
            tab.get_by_role("button", name="Save All").click()
        assert (lab.notebooks / "notes.md").read_text() == "new"

    def test_without_a_hub_there_is_nothing_to_stop_it_with(
        self, page: Page, lab: LabServer
    ) -> None:
        tab = Played(page, word(level="day", delete_at=after(14))).open(lab)
        expect(tab.get_by_role("button", name="Save All")).to_be_visible()
        expect(tab.get_by_text("Stop My Server")).to_have_count(0)
        expect(tab.get_by_text("Control Panel")).to_have_count(0)

    @pytest.mark.parametrize("granted", [True, False])
    def test_more_time_is_asked_for_and_the_answer_shown(
        self, page: Page, lab: LabServer, shot: Shot, granted: bool
    ) -> None:
        offer = IdleExtension(most_seconds=14 * 86400, granted_until=None, text="Once a year.")
        played = Played(page, word(level="day", delete_at=after(14), extension=offer))
        until = after(24 * 7) if granted else None
        answer = TimeAnswer(granted=granted, until=until, text="<b>Ask again</b> in May.")
        played.replies["idle/time"] = (200, answer)
        tab = played.open(lab)
        tab.get_by_role("button", name="Ask for More Time").click()
        dialog = page.locator(".jp-Dialog")
        expect(dialog).to_contain_text("Once a year.")
        dialog.get_by_label("How long").select_option("604800")
        ask = dialog.get_by_role("button", name="Ask")
        expect(ask).to_be_disabled()
        dialog.get_by_label("What for").fill("a long run")
        shot(page, "idle-ask")
        ask.click()
        expect(dialog).to_contain_text("<b>Ask again</b> in May.")
        if granted:
            expect(dialog).to_contain_text("Dec 1")
        wanted = {"seconds": 604800, "why": "a long run"}
        assert ("POST", "idle/time", wanted) in played.asked

    def test_a_request_that_fails_says_why(self, page: Page, lab: LabServer) -> None:
        offer = IdleExtension(most_seconds=86400, granted_until=None, text="")
        played = Played(page, word(level="day", delete_at=after(14), extension=offer))
        reason = reasons.controller_unreachable("ReadTimeout")
        refusal = {"message": reason.message, "reason": "Conflict", "code": reason.code}
        played.replies["idle/time"] = (409, {**refusal, "params": reason.params})
        tab = played.open(lab)
        tab.get_by_role("button", name="Ask for More Time").click()
        dialog = page.locator(".jp-Dialog")
        dialog.get_by_label("What for").fill("a long run")
        dialog.get_by_role("button", name="Ask").click()
        expect(dialog).to_contain_text("ReadTimeout")


def test_each_notice_is_shown_once_with_what_can_be_done(
    page: Page, lab: LabServer, shot: Shot
) -> None:
    cases = [
        (word(), "Found unused 2 of 5 times.", True),
        (
            word(level="day", delete_at=after(14), counter=4),
            "unless it is used (Wed 4:05 AM)",
            False,
        ),
        (word(level="hour", delete_at=after(0.5), counter=4), "deleted within the hour", False),
    ]
    played = Played(page, word())
    open_lab(page, lab)
    toasts = page.locator(TOAST)
    shown: list[Notice] = []
    spoken = None
    for status, told, silenceable in cases:
        notice, spoken = next_notice(status, "start", spoken)
        assert notice is not None
        shown = [notice]
        played.stream.send(NoticesEvent(notices=shown))
        toast = toasts.filter(has_text=told)
        expect(toast.get_by_role("button", name="Save All")).to_be_visible()
        silence = toast.get_by_role("button", name="Do Not Show Again")
        expect(silence).to_have_count(int(silenceable))
        expect(toasts).to_have_count(1)  # the one before is over
        shot(page, f"idle-notice-{notice.code}", animations="disabled")
    toasts.get_by_role("button", name="Why?").click()
    expect(page.locator(TAB).get_by_role("heading", level=2)).to_be_visible()
    # The same state again, on the next visit.
    page.reload()
    page.wait_for_selector(".jp-EinfraUsage-figure")
    played.stream.send(NoticesEvent(notices=shown))
    played.tell(estimate())  # when this is told, that was
    expect(page.locator(ITEM)).to_contain_text("Kept at least until")
    expect(toasts).to_have_count(0)


def test_the_user_may_hide_it(page: Page, lab: LabServer) -> None:
    set_user_setting(lab, SETTINGS, show=False)
    Played(page, word())
    open_lab(page, lab)
    page.wait_for_selector(".jp-EinfraUsage-figure")
    expect(page.locator(ITEM)).to_be_hidden()
    page.evaluate("() => jupyterapp.commands.execute('einfra-idle:open')")
    expect(page.locator(TAB).get_by_role("heading", level=2)).to_be_visible()


def test_what_a_real_server_says_is_shown(browser: Browser, tmp_path: Path, shot: Shot) -> None:
    """No word of it is made up here: the file, the server, the estimate."""
    state = tmp_path / "state.json"
    env = {
        "JUPYTER_EINFRA_IDLE_POLICY": "2026-docs",
        "JUPYTER_EINFRA_IDLE_STATE_FILE": str(state),
        "JUPYTER_EINFRA_IDLE_LOOK_SECONDS": "0.2",
    }
    with start_lab(tmp_path / "lab", env=env) as lab, browser.new_context() as context:
        page = context.new_page()
        open_lab(page, lab)
        expect(page.locator(ITEM)).to_contain_text("Kept at least until")
        now = datetime.now(timezone.utc)
        told = {
            "policy": "2026-docs",
            "metric": "cpu_cores",
            "threshold": 0.1,
            "counter": 4,
            "evaluated_at": now.isoformat(),
            "delete_at": (now + timedelta(minutes=30)).isoformat(),
        }
        state.write_text(json.dumps(told))
        expect(page.locator(ITEM)).to_contain_text("unless used")
        toast = page.locator(TOAST)
        expect(toast).to_contain_text("deleted within the hour")
        toast.get_by_role("button", name="Why?").click()
        expect(page.locator(TAB)).to_contain_text("4 of 5")
        state.unlink()
        expect(page.locator(ITEM)).to_contain_text("Kept at least until")
        expect(toast).to_have_count(0)
