"""A whole server that ends, in order or not: nothing that it started is left."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from servers import rstudio
from servers.apps import MARK, SCRIPT, Leavings
from servers.lab import LabServer
from servers.process import wait_until

WORDS = ("child", "daemon", "lost")

Start = Callable[..., LabServer]


@pytest.fixture
def start(tmp_path: Path, leavings: Leavings) -> Iterator[Start]:
    """Start a server with an application that leaves behind what it can."""
    started: list[LabServer] = []

    def server(name: str = "server", *words: str, **settings: Any) -> LabServer:
        command = [sys.executable, "-S", "-E", SCRIPT, "{socket}", *(words or WORDS)]
        apps = {"fake": {"command": command}}
        arguments = [
            f"--AppsManager.custom_apps={apps}",
            # It starts programs of its own.
            "--ServerApp.jpserver_extensions={'jupyter_einfra': True, 'jupyter_lsp': False}",
            *(f"--AppsManager.{key}={value}" for key, value in settings.items()),
        ]
        made = LabServer(tmp_path / name, app="server", args=arguments, env=leavings.environ)
        started.append(made)
        return made.start()

    yield server
    for made in started:
        if made.is_running:
            made.stop()


def run(server: LabServer) -> None:
    """Have the server run its application, and wait until it does."""
    body = {"app": "fake", "path": None, "show": False}
    server.api("POST", "jupyter-einfra/apps/open", json=body).raise_for_status()
    wait_until("it runs", lambda: instance(server)["state"] == "running")


def instance(server: LabServer) -> dict[str, Any]:
    apps = server.api("GET", "jupyter-einfra/apps").raise_for_status().json()["apps"]
    (found,) = [app for app in apps if app["name"] == "fake"]
    told: dict[str, Any] = found["instances"][0]
    return told


def guardian(leavings: Leavings) -> psutil.Process:
    (found,) = [p for p in leavings.processes() if "guardian.py" in " ".join(p.cmdline())]
    return found


def nothing_is_left(leavings: Leavings) -> bool:
    return leavings.processes() == []


def temporary_folder(leavings: Leavings) -> Path:
    """Return the folder of the one application that runs, with its socket."""
    words = [word for process in leavings.processes() for word in process.cmdline()]
    (found,) = {Path(*Path(word).parts[:3]) for word in words if word.startswith("/tmp/einfra-")}
    assert found.is_dir()
    return found


def test_a_server_that_is_told_to_end_ends_everything_first(
    start: Start, leavings: Leavings
) -> None:
    server = start()
    run(server)
    folder = temporary_folder(leavings)
    assert len(leavings.processes()) == 6  # the server, the guardian, the program, its three
    assert server.stop() == 0
    assert leavings.processes() == []
    assert not folder.exists()
    assert "Traceback" not in server.log.read_text()


def test_a_server_that_is_told_to_end_waits_until_rstudio_has_saved_its_session(
    tmp_path: Path, leavings: Leavings
) -> None:
    """In a container all processes end with the server."""
    folder = rstudio.install(tmp_path / "bin").parent
    path = os.pathsep.join((str(folder), os.environ["PATH"]))
    # Longer than it waits for anything else.
    env = {MARK: leavings.mark, "PATH": path, "RSESSION_SUSPENDS": "6"}
    with LabServer(tmp_path / "server", app="server", env=env) as server:
        body = {"app": "rstudio", "path": None, "show": False}
        server.api("POST", "jupyter-einfra/apps/open", json=body).raise_for_status()
        wait_until(
            "its session runs", lambda: server.api("POST", "rstudio/rpc/client_init").is_success
        )
        server.api("POST", "rstudio/rpc/console_input", content="x <- 1").raise_for_status()
        state = server.home / ".local/share/rstudio/sessions/active/session-1"
        process = psutil.Process(server.pid)
        process.terminate()
        gone = process.wait(30)
        assert gone == 0
        assert (state / "suspended-session-data").read_text() == '{"x": "1"}'
        assert leavings.processes() == []


def test_a_server_that_is_killed_takes_everything_with_it(start: Start, leavings: Leavings) -> None:
    server = start()
    run(server)
    folder = temporary_folder(leavings)
    os.kill(server.pid, signal.SIGKILL)
    wait_until("nothing was left", lambda: nothing_is_left(leavings), within_seconds=20)
    wait_until("its folder was gone", lambda: not folder.exists())


def test_a_server_that_is_killed_while_something_starts_leaves_nothing(
    start: Start, leavings: Leavings
) -> None:
    server = start("server", "daemon", "sleep=60")
    body = {"app": "fake", "path": None, "show": False}
    server.api("POST", "jupyter-einfra/apps/open", json=body).raise_for_status()
    wait_until("it is starting", lambda: len(leavings.processes()) >= 3)
    os.kill(server.pid, signal.SIGKILL)
    wait_until("nothing was left", lambda: nothing_is_left(leavings), within_seconds=20)


def test_a_guardian_that_is_killed_is_noticed_and_its_work_done(
    start: Start, leavings: Leavings
) -> None:
    server = start("server", "child", "daemon", "scrub")
    run(server)
    before = {process.pid for process in leavings.processes()} - {server.pid}
    guardian(leavings).kill()
    wait_until("it runs again", lambda: instance(server)["restarts"] == 1)
    wait_until("it runs again", lambda: instance(server)["state"] == "running")
    assert not before & {process.pid for process in leavings.processes()}


def test_what_a_killed_server_with_a_killed_guardian_left_is_ended_by_the_next_one(
    start: Start, leavings: Leavings
) -> None:
    server = start("server", "child", "daemon")
    run(server)
    watching = guardian(leavings)
    os.kill(server.pid, signal.SIGSTOP)  # so that it does not notice
    watching.kill()
    os.kill(server.pid, signal.SIGKILL)
    wait_until("the server is gone", lambda: server.has_ended)
    assert len(leavings.processes()) == 3  # orphans
    start("next")
    wait_until("nothing was left", lambda: len(leavings.processes()) == 1)


def test_two_servers_of_one_user_do_not_meet(start: Start, leavings: Leavings) -> None:
    first, second = start("same"), start("same")
    run(first)
    run(second)
    pids = {
        server.api("GET", "fake/", follow_redirects=True).json()["pid"]
        for server in (first, second)
    }
    assert len(pids) == 2
    first.stop()
    assert second.api("GET", "fake/").is_success


def test_nothing_starts_before_it_is_asked_for(start: Start, leavings: Leavings) -> None:
    server = start()
    server.api("GET", "jupyter-einfra/apps").raise_for_status()
    assert server.api("GET", "fake/").status_code == 503
    assert [
        process.cmdline() for process in leavings.processes() if process.pid != server.pid
    ] == []


def test_a_wrong_setting_keeps_only_its_own_feature_away(start: Start, leavings: Leavings) -> None:
    server = start(start_seconds="soon")
    reply = server.api("GET", "jupyter-einfra/apps")
    assert (reply.status_code, reply.json()["code"]) == (404, "feature_failed")
    assert server.api("GET", "fake/x").status_code == 404
    assert "start_seconds" in server.log.read_text()
