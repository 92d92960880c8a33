"""From a click until an application can be used, in a real browser behind a real hub's proxy.

Beside it: the same program started by hand and opened through jupyter-server-proxy's own
``/proxy/PORT/`` by somebody who does so the moment it listens.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import FrameLocator, Page
from servers.apps import SCRIPT
from servers.browser import chromium
from servers.code_server import code_server_folder, with_code_server
from servers.event_files import train
from servers.hub import RealHub
from servers.process import free_port, wait_until

from .figures import Figure, less, median, spread

_PATIENCE_MS = 60_000
_FRAME = ".jp-EinfraApps-frame:visible iframe"


@dataclass(frozen=True)
class Size:
    """How much is measured; one more round warms everything up and is thrown away."""

    rounds: int = 7


@dataclass(frozen=True)
class _Program:
    """An application, and how somebody starts it who has nothing but a terminal."""

    title: str
    ident: str
    target_ms: float
    usable: str
    """What is there when it can be used."""
    command: list[str]
    """By hand; with ``{port}``."""

    def address(self, prefix: str) -> str:
        return f"{prefix}{self.ident}/"


def measure(directory: Path, size: Size) -> list[Figure]:
    """Open each one in the three ways, in turns."""
    never = {"title": "Never", "command": [sys.executable, SCRIPT, "{socket}", "sleep=600"]}
    with (
        RealHub(
            directory / "hub",
            args=[f"--AppsManager.custom_apps={ {'never': never} }"],
            env=with_code_server(),
        ) as hub,
        chromium() as browser,
    ):
        hub.start_server("alice")
        home = directory / "hub/homes/alice"
        train(home / "runs")
        (home / "a file").touch()
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        lab = context.new_page()
        hub.login(lab, "alice")
        lab.wait_for_selector(".jp-Launcher")
        figures = []
        for program in _programs(hub, home):
            figures += _beside(hub, lab, program, size)
        figures += _painting(hub, lab, size)
    return figures


def _programs(hub: RealHub, home: Path) -> Iterator[_Program]:
    ask(hub, "open", app="tensorboard", path="runs", show=False)
    (board,) = [ident for ident in states(hub) if ident.startswith("tensorboard/")]
    yield _Program(
        "TensorBoard",
        board,
        4000,
        "text=loss >> nth=0",
        [
            *(sys.executable, "-m", "tensorboard.main", "--host=127.0.0.1", "--port={port}"),
            f"--logdir={home / 'runs'}",
            "--path_prefix=/user/alice/proxy/absolute/{port}",
            "--load_fast=false",
        ],
    )
    yield _Program(
        "VS Code",
        "vscode",
        6000,
        "role=treeitem[name=/a file/] >> nth=0",
        [
            *(str(code_server_folder() / "code-server"), "--config=/dev/null", "--auth=none"),
            *("--bind-addr=127.0.0.1:{port}", "--disable-telemetry", "--disable-update-check"),
            *("--disable-workspace-trust", str(home)),
        ],
    )


def _beside(hub: RealHub, lab: Page, program: _Program, size: Size) -> list[Figure]:
    """Open one of them in turns: in a tab of Lab, in one of the browser, and by hand."""
    clicks: list[float] = []
    ours: list[float] = []
    by_hand: list[float] = []
    port = free_port()  # one, for the browser keeps what it loaded by its address
    for turn in range(size.rounds + 1):
        ways: list[tuple[list[float], Callable[[], float]]] = [
            (clicks, lambda: _click(hub, lab, program)),
            (ours, lambda: _go(hub, lab, program)),
            (by_hand, lambda: _by_hand(hub, lab, program, port)),
        ]
        for values, run in ways[turn % 3 :] + ways[: turn % 3]:
            value = run()
            if turn:
                values.append(value)
    added = less(ours, by_hand)
    return [
        Figure(
            f"{program.title}: from the click in Lab until it can be used",
            median(clicks),
            "ms",
            program.target_ms,
            note=spread(clicks, "ms"),
        ),
        Figure(
            f"{program.title}: by its address, until it can be used",
            median(ours),
            "ms",
            note=spread(ours, "ms"),
        ),
        Figure(
            f"{program.title}: started by hand, until it can be used",
            median(by_hand),
            "ms",
            note=spread(by_hand, "ms"),
        ),
        Figure(
            f"{program.title}: we add, beside one started by hand",
            median(added),
            "ms",
            300,
            note=spread(added, "ms"),
        ),
    ]


def _click(hub: RealHub, lab: Page, program: _Program) -> float:
    _stop(hub, program)
    lab.goto(f"{hub.server_url('alice')}lab?reset")
    lab.wait_for_selector(".jp-Launcher")
    lab.wait_for_selector("#jupyterlab-splash", state="detached")
    if program.ident == "vscode":
        target = lab.locator(".jp-LauncherCard:visible", has_text=program.title)
    else:
        lab.locator(".jp-DirListing-item", has_text="runs").click(button="right")
        target = lab.get_by_role("menuitem", name=f"Open in {program.title}")
    target.wait_for()
    lab.wait_for_timeout(1000)  # what Lab does at its start is not ours
    begin = time.perf_counter()
    target.click()
    _usable(lab.frame_locator(_FRAME), program)
    return (time.perf_counter() - begin) * 1e3


def _go(hub: RealHub, lab: Page, program: _Program) -> float:
    """Go to its address in a page of its own; somebody had stopped it before."""
    _stop(hub, program)
    lab.goto("about:blank")  # a tab of it would show this start as well
    page = lab.context.new_page()
    begin = time.perf_counter()
    ask(hub, "start", id=program.ident)
    page.goto(program.address(hub.server_url("alice")), wait_until="commit")
    _usable(page, program)
    took = time.perf_counter() - begin
    page.close()
    return took * 1e3


def _by_hand(hub: RealHub, lab: Page, program: _Program, port: int) -> float:
    _stop(hub, program)
    lab.goto("about:blank")
    page = lab.context.new_page()
    absolute = "absolute/" if program.ident != "vscode" else ""
    url = f"{hub.server_url('alice')}proxy/{absolute}{port}/"
    begin = time.perf_counter()
    with _started([word.replace("{port}", str(port)) for word in program.command], hub):
        while not _listens(port):
            time.sleep(0.01)
        page.goto(url, wait_until="commit")
        _usable(page, program)
        took = time.perf_counter() - begin
        page.close()
    return took * 1e3


@contextmanager
def _started(command: list[str], hub: RealHub) -> Iterator[None]:
    log = (hub.directory / "by-hand.log").open("wb")
    env = {**with_code_server(), "HOME": str(hub.directory / "homes/alice")}
    process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        yield
    finally:
        processes = [process, *psutil.Process(process.pid).children(recursive=True)]
        process.terminate()
        psutil.wait_procs([p for p in processes if isinstance(p, psutil.Process)], timeout=10)
        process.wait(10)
        log.close()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _usable(where: Page | FrameLocator, program: _Program) -> None:
    where.locator(program.usable).wait_for(timeout=_PATIENCE_MS)


def _painting(hub: RealHub, lab: Page, size: Size) -> list[Figure]:
    """How soon the page that shows a start is seen, after a click in Lab and by itself."""
    clicks, goes = [], []
    for turn in range(size.rounds + 1):
        ask(hub, "stop", id="never")
        wait_until("it stopped", lambda: states(hub).get("never", "stopped") == "stopped")
        lab.goto(f"{hub.server_url('alice')}lab?reset")
        tile = lab.locator(".jp-LauncherCard:visible", has_text="Never")
        tile.wait_for()
        lab.wait_for_timeout(1000)
        lab.evaluate(
            "addEventListener('click', () => { window.einfraClicked = "
            "performance.timeOrigin + performance.now(); }, true)"
        )
        tile.click()
        frame = lab.frame_locator(_FRAME)
        frame.get_by_role("heading", name="Starting Never").wait_for()
        painted = frame.locator("body").evaluate(_PAINTED)
        click = painted - lab.evaluate("window.einfraClicked")
        page = lab.context.new_page()
        page.goto(f"{hub.server_url('alice')}never/")
        page.get_by_role("heading", name="Starting Never").wait_for()
        went = page.evaluate(f"async () => await ({_PAINTED})() - performance.timeOrigin")
        page.close()
        if turn:
            clicks.append(click)
            goes.append(went)
    return [
        Figure(
            "launch page: from the click in Lab until it is painted",
            median(clicks),
            "ms",
            300,
            note=spread(clicks, "ms"),
        ),
        Figure(
            "launch page: by its address, until it is painted",
            median(goes),
            "ms",
            300,
            note=spread(goes, "ms"),
        ),
    ]


#: When the page's first words were painted, on a clock that pages share.
_PAINTED = """
() => new Promise(resolve => new PerformanceObserver((list, watcher) => {
  for (const entry of list.getEntriesByName('first-contentful-paint')) {
    watcher.disconnect();
    resolve(performance.timeOrigin + entry.startTime);
  }
}).observe({ type: 'paint', buffered: true }))
"""


def _stop(hub: RealHub, program: _Program) -> None:
    ask(hub, "stop", id=program.ident)
    wait_until(
        "it stopped", lambda: states(hub).get(program.ident, "stopped") in ("stopped", "failed")
    )


def ask(hub: RealHub, act: str, **body: object) -> None:
    """Do something to alice's applications."""
    path = f"jupyter-einfra/apps/{act}"
    hub.ask("alice", "POST", path, token=hub.token_for("alice"), json=body)


def states(hub: RealHub) -> dict[str, str]:
    """Return what alice's instances do."""
    reply = hub.ask("alice", "GET", "jupyter-einfra/apps", token=hub.token_for("alice"))
    apps = reply.raise_for_status().json()["apps"]
    return {one["id"]: one["state"] for app in apps for one in app["instances"]}
