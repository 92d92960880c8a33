"""A real desktop, TigerVNC with openbox and xterm, as its user meets it in a browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect
from servers.axe import violations
from servers.lab import LabServer
from servers.lab_apps import instances
from servers.lab_page import open_lab, start_lab
from servers.process import wait_until

from jupyter_einfra.apps.desktop import SESSION
from jupyter_einfra.apps.launchers.desktop_session import BRIEF_SECONDS

Shot = Callable[..., None]

NEEDED = ("Xtigervnc", "openbox", "xterm", "xclip", "vncconfig", "gio")

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, NEEDED)),
    reason="there is no desktop to look at; `make setup` installs one",
)

#: A window manager, and in it a terminal that has the keyboard.
STARTS = """#!/bin/sh
[ -e ~/broken ] && { echo "the theme is broken" >&2; exit 3; }
export PS1='$ '
exec openbox --startup "xterm -fa 'DejaVu Sans Mono' -fs 12 -geometry 70x12+60+60 -e sh"
"""

NOTEBOOK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})

CONNECTED = "body[data-state=connected]"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    directory = tmp_path_factory.mktemp("desktop")
    session = directory / "session"
    session.write_text(STARTS)
    session.chmod(0o755)
    with start_lab(directory, env={SESSION: str(session), "LC_ALL": "C.UTF-8"}) as started:
        yield started


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser whose user has nothing against the clipboard."""
    made = browser.new_context(viewport={"width": 1000, "height": 700})
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    yield made
    made.close()


@pytest.fixture
def desktop(context: BrowserContext, lab: LabServer) -> Page:
    """A browser tab with the desktop, which has the keyboard."""
    page = context.new_page()
    open_desktop(page, lab)
    return page


def open_desktop(page: Page, lab: LabServer) -> None:
    page.goto(f"{lab.url}desktop/?token={lab.token}")
    page.wait_for_selector(CONNECTED)
    wait_for_terminal(page)


def wait_for_terminal(page: Page | Frame) -> None:
    """Wait until the terminal has the keyboard: then the bar above it is blue."""
    page.wait_for_function(
        """() => {
          const canvas = document.querySelector('main canvas');
          const [red, , blue] = canvas.getContext('2d').getImageData(500, 70, 1, 1).data;
          return blue > red + 30;
        }"""
    )


def state(lab: LabServer) -> tuple[str, str | None]:
    """Return what the desktop does, and the code of why."""
    (instance,) = instances(lab, "desktop")
    return instance["state"], instance["reason"] and instance["reason"]["code"]


def inside(lab: LabServer) -> dict[str, str] | None:
    """Return the environment of the terminal's shell, once there is one."""
    for process in psutil.Process(lab.pid).children(recursive=True):
        with suppress(psutil.Error):
            if process.name() == "sh" and "WINDOWID" in process.environ():
                return {**os.environ, **process.environ()}
    return None


def x_server(lab: LabServer) -> psutil.Process:
    below = psutil.Process(lab.pid).children(recursive=True)
    (found,) = [process for process in below if process.name() == "Xtigervnc"]
    return found


def run(lab: LabServer, *command: str, given: str | None = None) -> str:
    """Run a program on the desktop; return what it prints."""
    env = inside(lab)
    assert env is not None
    # Those that stay behind must not hold what they would print to.
    output = subprocess.DEVNULL if given is not None else subprocess.PIPE
    done = subprocess.run(
        command, env=env, input=given, stdout=output, text=True, check=False, timeout=20
    )
    return done.stdout or ""


def written(lab: LabServer, name: str) -> str:
    """Return what a shell on the desktop wrote into a file at home."""
    path = lab.home / name
    return str(wait_until(f"{name} was written", lambda: path.exists() and read(path)))


def read(path: Path) -> str | None:
    """Return what is in a file; None while it is empty, as whoever writes it makes it first."""
    return path.read_text() or None


def pixels(page: Page | Frame) -> str:
    """Return the picture."""
    url: str = page.evaluate("document.querySelector('main canvas').toDataURL()")
    return url


def press(page: Page, key: str, code: str) -> None:
    """Press a key of a keyboard that is not American."""
    client = page.context.new_cdp_session(page)
    for kind in ("keyDown", "keyUp"):
        more = {"text": key} if kind == "keyDown" and len(key) == 1 else {}
        client.send("Input.dispatchKeyEvent", {"type": kind, "key": key, "code": code, **more})


def clipboard(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def test_a_tile_leads_to_a_desktop_that_can_be_used(page: Page, lab: LabServer, shot: Shot) -> None:
    open_lab(page, lab)
    page.locator(".jp-LauncherCard", has_text="Desktop").click()
    page.frame_locator(".jp-EinfraApps-frame iframe").locator(CONNECTED).wait_for()
    frame = next(frame for frame in page.frames if frame.url.endswith("/desktop/"))
    wait_for_terminal(frame)
    # It has the keyboard already.
    before = pixels(frame)
    page.keyboard.type("echo typed > typed\n")
    assert written(lab, "typed") == "typed\n"
    wait_until("the picture was another one", lambda: pixels(frame) != before)
    shot(page, "desktop-in-lab")


def test_keyboards_that_are_not_american(desktop: Page, lab: LabServer) -> None:
    desktop.keyboard.type("echo '")
    for key, code in (("ě", "Digit2"), ("š", "Digit3"), ("ř", "Digit5"), ("Ů", "Semicolon")):
        press(desktop, key, code)
    # Composed: by a dead key, an input method, or a table of letters.
    client = desktop.context.new_cdp_session(desktop)
    press(desktop, "Dead", "Equal")
    client.send("Input.imeSetComposition", {"text": "ˇ", "selectionStart": 1, "selectionEnd": 1})
    client.send("Input.insertText", {"text": "ň"})
    desktop.keyboard.insert_text("Ω€")
    desktop.keyboard.type("' > letters\n")
    assert written(lab, "letters") == "ěšřŮňΩ€\n"


def test_the_clipboard_goes_both_ways(desktop: Page, lab: LabServer) -> None:
    # From here: whatever is copied elsewhere is there when the page is looked at.
    desktop.evaluate("navigator.clipboard.writeText('příliš žluťoučký\\n')")
    desktop.evaluate("window.dispatchEvent(new Event('focus'))")
    paste = ("xclip", "-o", "-selection", "clipboard")
    wait_until("the desktop had it", lambda: run(lab, *paste) == "příliš žluťoučký\n")
    # From there.
    run(lab, "xclip", "-selection", "clipboard", given="z plochy: ň")
    wait_until("the browser had it", lambda: clipboard(desktop) == "z plochy: ň")
    # Whoever may not be asked has the panel.
    desktop.get_by_role("button", name="Clipboard").click()
    field = desktop.get_by_role("textbox", name="What was copied on the desktop")
    expect(field).to_have_value("z plochy: ň")
    field.fill("written here")
    wait_until("the desktop had it", lambda: run(lab, *paste) == "written here")


def test_a_paste_arrives_before_its_keys(desktop: Page, lab: LabServer) -> None:
    """Without the permission to look; Shift+Insert is how xterm pastes."""
    desktop.context.clear_permissions()
    desktop.evaluate(
        """() => {
          const area = document.createElement('textarea');
          document.body.append(area);
          area.value = 'echo pasted > pasted\\n';
          area.select();
          document.execCommand('copy');
          area.remove();
        }"""
    )
    desktop.locator("main canvas").click(position={"x": 300, "y": 150})
    desktop.keyboard.press("Shift+Insert")
    assert written(lab, "pasted") == "pasted\n"


def test_a_paste_of_ten_megabytes_is_refused(desktop: Page, lab: LabServer) -> None:
    run(lab, "xclip", "-selection", "clipboard", given="as before")
    wait_until("the browser had it", lambda: clipboard(desktop) == "as before")
    desktop.evaluate("navigator.clipboard.writeText('x'.repeat(1e7))")
    desktop.locator("main canvas").click(position={"x": 300, "y": 150})
    desktop.keyboard.press("Control+v")
    said = desktop.get_by_role("status").filter(has_text="too long")
    expect(said).to_contain_text("9.5 MiB of at most 1.0 MiB")
    # Nor does a field that holds ten megabytes hold up the browser.
    desktop.get_by_role("button", name="Clipboard").click()
    field = desktop.get_by_role("textbox", name="What was copied on the desktop")
    field.focus()
    desktop.keyboard.press("Control+v")
    expect(field).to_have_value("as before")
    assert desktop.evaluate("document.body.dataset.state") == "connected"
    assert run(lab, "xclip", "-o", "-selection", "clipboard") == "as before"


def test_it_has_the_size_of_the_window(desktop: Page) -> None:
    def fits() -> bool:
        fitting: bool = desktop.evaluate(
            """() => {
              const { width, height } = document.querySelector('main canvas');
              const { clientWidth, clientHeight } = document.querySelector('main');
              return width === clientWidth && height === clientHeight;
            }"""
        )
        return fitting

    for width, height in ((1000, 700), (800, 500), (1111, 777)):
        desktop.set_viewport_size({"width": width, "height": height})
        wait_until(f"it had {width} by {height}", fits)


def test_a_connection_that_was_cut_comes_back(desktop: Page, lab: LabServer, shot: Shot) -> None:
    # The server does not answer either. A browser that is set to be offline would not read the
    # end of a connection that it has.
    desktop.route("**/websockify", lambda route: route.abort())
    run(lab, "vncconfig", "-disconnect")
    notice = desktop.get_by_role("status").filter(has_text="The connection was lost")
    expect(notice).to_be_visible()
    shot(desktop, "desktop-lost")
    desktop.unroute("**/websockify")
    desktop.wait_for_selector(CONNECTED)
    expect(notice).to_be_hidden()
    # Only the connection: at once, without a word.
    with desktop.expect_websocket():
        run(lab, "vncconfig", "-disconnect")
    desktop.wait_for_selector(CONNECTED)
    desktop.keyboard.type("echo back > back\n")
    assert written(lab, "back") == "back\n"


def test_a_connection_that_died_in_its_sleep_is_found_out(desktop: Page, lab: LabServer) -> None:
    """Nobody closes it; it only carries nothing any more."""
    server = x_server(lab)
    server.suspend()
    try:
        desktop.evaluate("window.dispatchEvent(new Event('online'))")
        desktop.wait_for_selector("body[data-state=lost]")
    finally:
        server.resume()
    desktop.wait_for_selector(CONNECTED)


def test_the_keyboard_can_leave(desktop: Page, lab: LabServer) -> None:
    focused = "document.activeElement.tagName + document.activeElement.textContent"
    assert desktop.evaluate(focused) == "TEXTAREA"
    desktop.keyboard.press("Tab")  # is the desktop's
    assert desktop.evaluate(focused) == "TEXTAREA"
    desktop.keyboard.press("Control+Alt+Shift")
    assert desktop.evaluate(focused) == "BUTTONKeys"
    desktop.keyboard.press("Enter")
    desktop.keyboard.press("Tab")
    assert desktop.evaluate(focused) == "BUTTONCtrl+Alt+Del"
    desktop.keyboard.press("Escape")
    assert desktop.evaluate(focused) == "BUTTONKeys"
    # Ctrl is held for the desktop until it is let go: Ctrl, then a plain C.
    desktop.locator("main canvas").click(position={"x": 300, "y": 150})
    desktop.keyboard.type("sleep 600\n")
    hold = desktop.get_by_role("button", name="Ctrl", exact=True, include_hidden=True)
    for pressed in ("true", "false"):
        desktop.get_by_role("button", name="Keys").click()
        hold.click()
        expect(hold).to_have_attribute("aria-pressed", pressed)
        desktop.keyboard.press("c")
    desktop.keyboard.press("Backspace")
    desktop.keyboard.type("echo free > free\n")
    assert written(lab, "free") == "free\n"


def test_a_notebook_on_the_desktop_is_shown_in_jupyterlab(
    desktop: Page, page: Page, lab: LabServer
) -> None:
    (lab.notebooks / "it's a.ipynb").write_text(NOTEBOOK)
    open_lab(page, lab)
    expect(page.locator(".jp-LauncherCard", has_text="Desktop")).to_be_visible()
    run(lab, "gio", "open", str(lab.notebooks / "it's a.ipynb"))
    expect(page.locator(".lm-TabBar-tab.jp-mod-current")).to_have_text("it's a.ipynb")
    # For text it is one of several.
    kinds = ("text/plain", "text/csv")
    assert all("jupyterlab.desktop" in run(lab, "gio", "mime", kind) for kind in kinds)


def test_full_screen(desktop: Page, lab: LabServer) -> None:
    desktop.get_by_role("button", name="Full screen").click()
    expect(desktop.get_by_role("button", name="Leave full screen")).to_be_attached()
    bar = desktop.locator("header")
    opacity = "e => getComputedStyle(e).opacity"
    desktop.mouse.move(300, 300)
    wait_until("the bar made room", lambda: bar.evaluate(opacity) == "0")
    desktop.keyboard.type("echo full > full\n")
    assert written(lab, "full") == "full\n"
    # The keyboard and the upper edge bring it back.
    desktop.keyboard.press("Control+Alt+Shift")
    assert bar.evaluate(opacity) == "1"
    desktop.locator("main canvas").click(position={"x": 300, "y": 150})
    wait_until("the bar made room", lambda: bar.evaluate(opacity) == "0")
    desktop.mouse.move(300, 1)
    desktop.get_by_role("button", name="Leave full screen").click()
    expect(desktop.get_by_role("button", name="Full screen", exact=True)).to_be_visible()


def test_it_is_for_everybody(desktop: Page, lab: LabServer, shot: Shot) -> None:
    desktop.get_by_role("button", name="Keys").click()
    assert violations(desktop, "body") == []
    shot(desktop, "desktop-light")
    # In dark, in Czech, and with the quality that was chosen before.
    desktop.get_by_label("Picture:").select_option("Sharp")
    desktop.evaluate("localStorage.setItem('jupyter-einfra:language', 'cs_CZ')")
    desktop.emulate_media(color_scheme="dark")
    open_desktop(desktop, lab)
    expect(desktop.get_by_label("Obraz:")).to_have_value("sharp")
    desktop.get_by_role("button", name="Schránka").click()
    assert violations(desktop, "body") == []
    shot(desktop, "desktop-dark")


def test_to_log_out_is_to_stop(desktop: Page, lab: LabServer) -> None:
    # Sooner, it would have failed.
    begun = x_server(lab).create_time()
    wait_until("it had lasted", lambda: time.time() > begun + BRIEF_SECONDS + 1)
    run(lab, "openbox", "--exit")
    heading = desktop.get_by_role("heading")
    expect(heading).to_have_text("Desktop is stopped")
    assert state(lab) == ("stopped", "app_ended")
    # Not by itself, but with a click there is a new one.
    desktop.get_by_role("button", name="Start").click()
    desktop.wait_for_selector(CONNECTED)


def test_a_session_that_ends_at_once_says_why(desktop: Page, lab: LabServer) -> None:
    (lab.home / "broken").touch()
    lab.api("POST", "jupyter-einfra/apps/stop", json={"id": "desktop"}).raise_for_status()
    expect(desktop.get_by_role("heading")).to_have_text("Desktop is stopped")
    desktop.get_by_role("button", name="Start").click()
    expect(desktop.get_by_role("log")).to_contain_text("the theme is broken")
    expect(desktop.get_by_role("button", name="Try again")).to_be_visible()
    (lab.home / "broken").unlink()
    desktop.get_by_role("button", name="Try again").click()
    desktop.wait_for_selector(CONNECTED)
