"""The real VS Code, as its user meets it in a browser."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest
from playwright.sync_api import FrameLocator, Page, expect
from servers import filesystems
from servers.code_server import code_server_folder, with_code_server
from servers.lab import LabServer
from servers.lab_apps import instances
from servers.lab_page import open_lab, start_lab
from servers.process import also_in, wait_until
from servers.vsix import install, pack

Shot = Callable[..., None]

#: Its first start reads 100 MB of scripts.
PATIENCE = 60_000

SAYS = """
const vscode = require('vscode');
exports.activate = async () => {
  const item = vscode.window.createStatusBarItem(vscode.StatusBarAlignment.Left);
  const address = vscode.Uri.parse('http://localhost:%d/');
  item.text = `Program at ${await vscode.env.asExternalUri(address)}`;
  item.show();
};
"""

EINFRA = str(Path(sys.executable).parent / "jupyter-einfra")

ODD = "data of 'May' (ž)"


@pytest.fixture(scope="module")
def program() -> Iterator[int]:
    """A program of the user's own that listens on a port of this machine; the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"from the user's program")

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, program: int) -> Iterator[LabServer]:
    """An image with VS Code and an extension, for a user who has neither seen before."""
    directory = tmp_path_factory.mktemp("vscode")
    data = directory / "image/share/jupyter"
    vsix = directory / "says.vsix"
    pack(vsix, "says", SAYS % program)
    extensions = data / "einfra/vscode/extensions"
    install(code_server_folder() / "code-server", vsix, extensions, directory)
    (data / "einfra/vscode/settings.json").write_text('{"editor.fontSize": 19}')
    env = {**with_code_server(), **also_in("JUPYTER_PATH", data)}
    with start_lab(directory, env=env) as started:
        (started.notebooks / ODD).mkdir()
        (started.notebooks / ODD / "a file.txt").write_text("what is in it\n")
        yield started


@pytest.fixture(autouse=True)
def nothing_runs(lab: LabServer) -> Iterator[None]:
    yield
    if vscode(lab) is not None:
        lab.api("POST", "jupyter-einfra/apps/stop", json={"id": "vscode"})
        wait_until("it stopped", lambda: vscode(lab) == "stopped")
    wait_until(
        "no wish was left", lambda: not lab.api("GET", "jupyter-einfra/apps").json()["wishes"]
    )
    # Without a folder in the address it goes where its user was last.
    (lab.home / ".local/share/code-server/coder.json").unlink(missing_ok=True)


def vscode(lab: LabServer) -> str | None:
    """Return what VS Code does."""
    return next((instance["state"] for instance in instances(lab, "vscode")), None)


def open_app(lab: LabServer) -> None:
    """Start it and wait until it runs."""
    body = {"app": "vscode", "path": None, "show": False}
    lab.api("POST", "jupyter-einfra/apps/open", json=body).raise_for_status()
    wait_until("it ran", lambda: vscode(lab) == "running")


def programs(lab: LabServer) -> list[psutil.Process]:
    """Return everything that runs for VS Code, below the server."""
    found = []
    for process in psutil.Process(lab.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "code-server" in " ".join(process.cmdline()):
                found.append(process)
    return found


def listening(processes: list[psutil.Process]) -> list[tuple[list[str], Any]]:
    """Return what is open to other machines or users, and by which command."""
    found = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            open_ = process.net_connections("inet")  # some look for news in vain
            if ports := [port for port in open_ if port.status == psutil.CONN_LISTEN]:
                found.append((process.cmdline(), ports))
    return found


def in_tab(page: Page) -> FrameLocator:
    return page.frame_locator(".jp-EinfraApps-frame:visible iframe")


def file_named(workbench: FrameLocator | Page, name: str) -> Any:
    """Return the line of a file or folder in the list of files."""
    return workbench.get_by_role("treeitem", name=name).first


def test_a_click_leads_to_a_workbench_that_can_be_used(
    page: Page, lab: LabServer, program: int, shot: Shot
) -> None:
    open_lab(page, lab)
    page.locator(".jp-LauncherCard", has_text="VS Code").click()
    workbench = in_tab(page)
    expect(workbench.get_by_role("heading", name="Starting VS Code")).to_be_visible()
    # The folder that the server shows.
    file_named(workbench, ODD).click(timeout=PATIENCE)
    file_named(workbench, "a file.txt").click()
    expect(workbench.get_by_text("what is in it")).to_be_visible()
    # The image's settings are there, and ours where it says nothing.
    size = workbench.locator(".monaco-editor .view-lines").first.evaluate(
        "e => getComputedStyle(e).fontSize"
    )
    assert size == "19px"
    expect(workbench.locator(".part.auxiliarybar")).to_be_hidden()
    # So is its extension, and what it asks for leads through this server.
    item = workbench.locator(".statusbar-item", has_text="Program at")
    expect(item).to_be_visible(timeout=PATIENCE)
    address = item.inner_text().removeprefix("Program at ").strip()
    assert address == f"{lab.url}proxy/{program}/"
    assert page.request.get(address).text() == "from the user's program"
    shot(page, "vscode-in-lab")


def test_it_listens_on_no_port_and_on_sockets_of_its_own(page: Page, lab: LabServer) -> None:
    open_lab(page, lab)
    page.locator(".jp-LauncherCard", has_text="VS Code").click()
    file_named(in_tab(page), ODD).wait_for(timeout=PATIENCE)
    running = programs(lab)
    assert len(running) > 1
    assert listening(running) == []
    words = [word for process in running for word in process.cmdline()]
    options = dict(word.split("=", 1) for word in words if word.startswith("--") and "=" in word)
    socket, session = Path(options["--socket"]), Path(options["--session-socket"])
    assert socket.stat().st_mode & 0o777 == 0o600
    assert socket.parent.stat().st_mode & 0o777 == 0o700
    assert session.exists()
    for path in (socket, session):
        assert lab.home not in path.parents


def test_a_folder_and_a_file_are_opened_by_the_file_browser(page: Page, lab: LabServer) -> None:
    open_lab(page, lab)
    item = page.locator(".jp-DirListing-item", has_text=ODD)
    item.click(button="right")
    page.get_by_role("menuitem", name="Open in VS Code").click()
    file_named(in_tab(page), "a file.txt").wait_for(timeout=PATIENCE)

    item.dblclick()
    page.locator(".jp-DirListing-item", has_text="a file.txt").click(button="right")
    page.get_by_role("menuitem", name="Open in VS Code").click()
    expect(in_tab(page).get_by_text("what is in it")).to_be_visible(timeout=PATIENCE)
    tabs = page.locator(".lm-TabBar-tab", has_text="VS Code")
    expect(tabs).to_have_text([f"VS Code: {ODD}", "VS Code: a file.txt"])


def test_a_file_is_opened_from_a_terminal(page: Page, lab: LabServer) -> None:
    open_lab(page, lab)
    expect(page.locator(".jp-LauncherCard", has_text="VS Code")).to_be_visible()
    command = [EINFRA, "apps", "start", "vscode", "a file.txt"]
    env = {
        **with_code_server(),
        "HOME": str(lab.home),
        "JUPYTER_SERVER_URL": lab.url,
        "JUPYTER_TOKEN": lab.token,
    }
    done = subprocess.run(
        command,
        cwd=lab.notebooks / ODD,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    expect(in_tab(page).get_by_text("what is in it")).to_be_visible(timeout=PATIENCE)


def test_a_stop_under_an_open_tab_is_the_end_of_it(page: Page, lab: LabServer) -> None:
    """Its page tries to connect again and again; that starts nothing."""
    open_lab(page, lab)
    page.locator(".jp-LauncherCard", has_text="VS Code").click()
    file_named(in_tab(page), ODD).wait_for(timeout=PATIENCE)
    running = programs(lab)
    refused: list[int] = []
    page.on(
        "websocket",
        lambda socket: refused.append(1) if "/vscode/" in socket.url else None,
    )
    lab.api("POST", "jupyter-einfra/apps/stop", json={"id": "vscode"}).raise_for_status()
    _, alive = psutil.wait_procs(running, timeout=20)
    assert alive == []
    for _ in range(100):
        page.wait_for_timeout(200)
        if len(refused) > 2:
            break
    assert len(refused) > 2
    assert vscode(lab) == "stopped"
    assert programs(lab) == []


def test_a_restart_brings_the_workbench_back(page: Page, lab: LabServer) -> None:
    open_lab(page, lab)
    page.locator(".jp-LauncherCard", has_text="VS Code").click()
    file_named(in_tab(page), ODD).wait_for(timeout=PATIENCE)
    before = programs(lab)
    lab.api("POST", "jupyter-einfra/apps/restart", json={"id": "vscode"}).raise_for_status()
    psutil.wait_procs(before, timeout=20)
    wait_until("it ran again", lambda: vscode(lab) == "running")
    assert not {process.pid for process in before} & {process.pid for process in programs(lab)}
    other = page.context.new_page()
    other.goto(f"{lab.url}vscode/")
    file_named(other, ODD).wait_for(timeout=PATIENCE)


def test_two_servers_with_one_home_each_have_their_own(
    page: Page, lab: LabServer, tmp_path: Path
) -> None:
    with start_lab(tmp_path, env={**with_code_server(), "HOME": str(lab.home)}) as second:
        (second.notebooks / "of the second").mkdir()
        for server, name in ((lab, ODD), (second, "of the second")):
            open_app(server)
            (lab.home / ".local/share/code-server/coder.json").unlink(missing_ok=True)
            page.goto(f"{server.url}vscode/?token={server.token}")
            file_named(page, name).wait_for(timeout=PATIENCE)
        lab.api("POST", "jupyter-einfra/apps/stop", json={"id": "vscode"}).raise_for_status()
        wait_until("the first one stopped", lambda: vscode(lab) == "stopped")
        assert vscode(second) == "running"
        page.reload()
        file_named(page, "of the second").wait_for(timeout=PATIENCE)


def test_a_disk_that_is_full_can_be_cleared_with_it(page: Page, tmp_path: Path) -> None:
    data = tmp_path / "home/.local/share/code-server"
    data.parent.mkdir(parents=True)
    try:
        with filesystems.small(data, 2**20) as disk:
            filesystems.fill(disk)
            with start_lab(tmp_path, env=with_code_server()) as full:
                (full.notebooks / "big.dat").touch()
                page.goto(f"{full.url}vscode/?token={full.token}")
                file_named(page, "big.dat").wait_for(timeout=PATIENCE)
    except filesystems.NoFilesystemError as reason:
        pytest.skip(str(reason))


def test_it_is_a_page_of_its_own_too(page: Page, lab: LabServer) -> None:
    open_app(lab)
    page.goto(f"{lab.url}vscode?token={lab.token}")
    page.locator(".monaco-workbench").wait_for(timeout=PATIENCE)
    assert "token" not in page.url
