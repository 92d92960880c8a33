"""Real kernels on a real server: what is recorded of them, and what is not."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.events import HeldStream
from servers.kernels import write_kernelspec
from servers.lab import LabServer
from servers.pages import KernelSocket, open_session, write_notebook
from servers.process import wait_until
from servers.xeus import install_xeus

Event = dict[str, Any]

#: Runs until it is stopped.
FOREVER = "import time\nwhile True: time.sleep(0.05)"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    directory = tmp_path_factory.mktemp("recording")
    env = {"JUPYTER_EINFRA_ACTIVITY_LEAST_ABSENCE_SECONDS": "0.2"}
    with LabServer(directory, app="server", env=env) as started:
        yield started


def events(lab: LabServer, **match: object) -> list[Event]:
    """Return what was recorded that has these fields."""
    told = lab.api("GET", "jupyter-einfra/activity").raise_for_status().json()["events"]
    return [e for e in told if all(e.get(name) == value for name, value in match.items())]


def seen(lab: LabServer, **match: object) -> Event:
    """Wait until something was recorded; return the last such event."""
    name = ", ".join(f"{name}={value}" for name, value in match.items())
    found: list[Event] = wait_until(f"{name} was recorded", lambda: events(lab, **match) or None)
    return found[-1]


def facts(lab: LabServer, section: str, code: str) -> list[Event]:
    told = lab.api("GET", "jupyter-einfra/activity/digest").raise_for_status().json()
    return [
        fact
        for each in told["sections"]
        if each["name"] == section
        for fact in each["facts"]
        if fact["code"] == code
    ]


@pytest.fixture
def page(lab: LabServer) -> Iterator[Callable[..., KernelSocket]]:
    """Open notebooks of the test's own, each with its page; what they run ends with it."""
    opened: list[KernelSocket] = []

    def open_page(name: str, **options: str) -> KernelSocket:
        socket = KernelSocket(lab, open_session(lab, name), **options)
        opened.append(socket.__enter__())
        return socket

    yield open_page
    for socket in opened:
        socket.__exit__(None, None, None)
        lab.api("DELETE", f"api/kernels/{socket.kernel_id}")


@pytest.mark.parametrize("protocol", ["v1.kernel.websocket.jupyter.org", ""])
def test_cells_are_counted_and_known_by_their_ids(
    lab: LabServer, page: Callable[..., KernelSocket], protocol: str
) -> None:
    path = f"counted{len(protocol)}.ipynb"
    socket = page(path, protocol=protocol)
    for number in range(3):
        socket.do("1 + 1", f"cell-{number}")
    told = wait_until(
        "all cells were recorded",
        lambda: next((e for e in events(lab, type="cells", path=path) if e["cells"] >= 4), None),
    )
    assert told["cell_id"] == "cell-2"
    assert told["kernel_id"] == socket.kernel_id
    assert 0 < told["longest_seconds"] <= told["seconds"] < 30


def test_an_error_is_recorded_by_its_name_and_a_short_message(
    lab: LabServer, page: Callable[..., KernelSocket]
) -> None:
    socket = page("fails.ipynb")
    hostile = "<img src=x onerror=alert(1)>" + "\\u202e\\x1b[31m\\n" + "y" * 5000
    reply = socket.do(f"class Odd(Exception): pass\nraise Odd('{hostile}')", "cell-4")
    assert reply["status"] == "error"
    told = seen(lab, type="run", outcome="failed", path="fails.ipynb")
    assert (told["error_name"], told["cell_id"]) == ("Odd", "cell-4")
    assert told["error_text"].startswith("<img src=x onerror=alert(1)> [31m yyy")
    assert len(told["error_text"]) <= 200
    [fact] = facts(lab, "attention", "run_failed")
    assert fact["params"]["error"] == "Odd"


def test_neither_sources_nor_outputs_are_recorded(
    lab: LabServer, page: Callable[..., KernelSocket]
) -> None:
    socket = page("private.ipynb")
    socket.do("SECRET_SOURCE = 'SECRET_' + 'OUTPUT'\nprint(SECRET_SOURCE)\nSECRET_SOURCE", "c")
    seen(lab, type="cells", path="private.ipynb")
    answers = [
        lab.api("GET", f"jupyter-einfra/{path}").text for path in ("activity", "activity/digest")
    ]
    [file] = lab.home.rglob("activity.sqlite")
    kept = [file.read_bytes(), lab.log.read_bytes()]
    for text in [*(answer.encode() for answer in answers), *kept]:
        assert b"SECRET_SOURCE" not in text
        assert b"SECRET_OUTPUT" not in text
    assert all(path.stat().st_mode & 0o077 == 0 for path in file.parent.glob("activity.*"))


def test_what_runs_is_told_while_it_runs_by_the_present_name_of_its_notebook(
    lab: LabServer, page: Callable[..., KernelSocket]
) -> None:
    [cell] = write_notebook(lab, "running.ipynb", FOREVER)
    socket = page("running.ipynb")
    socket.run(FOREVER, cell)
    told = seen(lab, type="run", outcome="running", path="running.ipynb")
    assert told["cell_id"] == cell
    lab.api("PATCH", "api/contents/running.ipynb", json={"path": "renamed.ipynb"})
    fact = wait_until(
        "the new name is told",
        lambda: next(
            (f for f in facts(lab, "running", "run_running") if f["path"] == "renamed.ipynb"), None
        ),
    )
    assert fact["kernel_id"] == socket.kernel_id
    lab.api("DELETE", "api/contents/renamed.ipynb").raise_for_status()
    gone = [f["path"] for f in facts(lab, "running", "run_running")]
    assert gone == [None]
    lab.api("POST", f"api/kernels/{socket.kernel_id}/interrupt")
    told = seen(lab, type="run", outcome="interrupted")
    assert told["id"] == events(lab, type="run", kernel_id=socket.kernel_id)[-1]["id"]


def test_what_else_a_kernel_is_asked_ends_no_cell(
    lab: LabServer, page: Callable[..., KernelSocket]
) -> None:
    """Jupyter takes it for idle then, though a cell runs."""
    socket = page("asked.ipynb")
    socket.run(wait_for("asked") + "raise ValueError", "cell-1")
    seen(lab, type="run", outcome="running", path="asked.ipynb")
    socket.send("control", "usage_request", {}, {})
    wait_until("Jupyter takes it for idle", lambda: state(lab, socket.kernel_id) == "idle")
    for _ in range(3):
        assert events(lab, type="run", path="asked.ipynb")[0]["outcome"] == "running"
    (lab.notebooks / "asked").touch()
    told = seen(lab, type="run", outcome="failed", path="asked.ipynb")
    assert told["error_name"] == "ValueError"
    assert len(events(lab, type="run", path="asked.ipynb")) == 1


def wait_for(name: str) -> str:
    """Write a cell that goes on when a file is there."""
    return f"import os, time\nwhile not os.path.exists({name!r}): time.sleep(0.05)\n"


def state(lab: LabServer, kernel_id: str) -> str:
    quietly = {"no_track_activity": "1"}
    told = lab.api("GET", f"api/kernels/{kernel_id}", params=quietly).json()
    return str(told["execution_state"])


def test_requests_of_extensions_are_no_cells(
    lab: LabServer, page: Callable[..., KernelSocket]
) -> None:
    socket = page("inspected.ipynb")
    socket.do("1", "cell-1")
    before = seen(lab, type="cells", path="inspected.ipynb", cell_id="cell-1")
    for _ in range(3):
        socket.do("dir()")
    socket.do("2", "cell-2")
    after = seen(lab, type="cells", path="inspected.ipynb", cell_id="cell-2")
    assert after["cells"] == before["cells"] + 1


def test_an_error_long_after_an_interrupt_is_one(
    lab: LabServer, page: Callable[..., KernelSocket]
) -> None:
    socket = page("caught.ipynb")
    socket.run("import time\ntry: time.sleep(60)\nexcept KeyboardInterrupt: time.sleep(6)\n1/0")
    seen(lab, type="run", outcome="running", path="caught.ipynb")
    lab.api("POST", f"api/kernels/{socket.kernel_id}/interrupt").raise_for_status()
    told = seen(lab, type="run", outcome="failed", path="caught.ipynb")
    assert told["error_name"] == "ZeroDivisionError"


@pytest.mark.parametrize("wait", ["", "time.sleep(0.5); "], ids=["at-once", "later"])
def test_a_kernel_that_dies_takes_its_cell_with_it_and_the_cause_is_told(
    lab: LabServer, page: Callable[..., KernelSocket], wait: str
) -> None:
    path = f"dies{len(wait)}.ipynb"
    socket = page(path)
    socket.run(f"import os, time; {wait}os.kill(os.getpid(), {signal.SIGKILL})", "cell-9")
    death = seen(lab, type="kernel", action="died", path=path)
    assert death["restarted"]
    assert death["cell_id"] == "cell-9"
    # The usage feature knows more of it than the exit status tells.
    cause = wait_until(
        "it is known whether it was for want of memory",
        lambda: seen(lab, type="kernel", action="died", path=path)["cause"]["params"].get("name"),
    )
    assert cause == path
    [fact] = [f for f in facts(lab, "attention", "kernel_killed") if f["path"] == path]
    assert (fact["cell_id"], fact["can_restart"]) == ("cell-9", False)
    # It is heard after it was started anew, under another name of its topics.
    wait_until("it runs again", lambda: _runs_again(lab, socket, path))


def _runs_again(lab: LabServer, socket: KernelSocket, path: str) -> bool:
    with KernelSocket(lab, socket.kernel_id) as other:
        other.do("1", "after")
    return bool(events(lab, type="cells", path=path, cell_id="after"))


def test_a_restart_is_its_users_and_nothing_to_attend_to(
    lab: LabServer, page: Callable[..., KernelSocket]
) -> None:
    socket = page("restarted.ipynb")
    socket.run(FOREVER, "cell-1")
    seen(lab, type="run", outcome="running", path="restarted.ipynb")
    lab.api("POST", f"api/kernels/{socket.kernel_id}/restart").raise_for_status()
    seen(lab, type="kernel", action="restarted", path="restarted.ipynb")
    run = seen(lab, type="run", outcome="restarted", path="restarted.ipynb")
    assert run["error_name"] is None
    assert events(lab, type="kernel", action="died", path="restarted.ipynb") == []
    assert [e["action"] for e in events(lab, type="kernel", path="restarted.ipynb")] == [
        "started",
        "restarted",
    ]


def test_a_shutdown_ends_what_ran(lab: LabServer, page: Callable[..., KernelSocket]) -> None:
    socket = page("shut.ipynb")
    socket.run(FOREVER, "cell-1")
    seen(lab, type="run", outcome="running", path="shut.ipynb")
    lab.api("DELETE", f"api/kernels/{socket.kernel_id}").raise_for_status()
    seen(lab, type="kernel", action="shut-down", path="shut.ipynb")
    assert seen(lab, type="run", path="shut.ipynb")["outcome"] == "shut-down"


def test_of_two_notebooks_on_one_kernel_the_one_with_the_cell_is_named(
    lab: LabServer, page: Callable[..., KernelSocket]
) -> None:
    [first] = write_notebook(lab, "one.ipynb", "1")
    [second] = write_notebook(lab, "two.ipynb", "2")
    one = page("one.ipynb")
    one.do("pass", first)
    open_session(lab, "two.ipynb", "python3", id=one.kernel_id)
    with KernelSocket(lab, one.kernel_id) as two:
        two.do("1/0", second)
        assert seen(lab, type="run", path="two.ipynb", outcome="failed")["cell_id"] == second
        one.do("1/0", first)
        assert seen(lab, type="run", path="one.ipynb", outcome="failed")["cell_id"] == first
        assert {e["cell_id"] for e in events(lab, type="run", path="two.ipynb")} == {second}


def test_a_kernel_of_another_language_is_recorded_too(
    lab: LabServer, page: Callable[..., KernelSocket]
) -> None:
    write_kernelspec(lab, "bash", sys.executable, "-m", "bash_kernel", "-f", "{connection_file}")
    with KernelSocket(lab, open_session(lab, "shell.ipynb", "bash")) as socket:
        socket.do("echo hello", "cell-1")
        socket.do("false", "cell-2")
        told = seen(lab, type="cells", path="shell.ipynb")
        assert told["kernel_id"] == socket.kernel_id
        seen(lab, type="run", path="shell.ipynb", outcome="failed", cell_id="cell-2")
        socket.run("sleep 100", "cell-3")
        seen(lab, type="run", outcome="running", path="shell.ipynb")
        lab.api("DELETE", f"api/kernels/{socket.kernel_id}")


def test_a_kernel_that_is_not_made_with_ipykernel_is_recorded_too(lab: LabServer) -> None:
    folder = install_xeus()
    write_kernelspec(
        lab,
        "xpython",
        *(sys.executable, "-m", "xpython_launcher", "-f", "{connection_file}"),
        env={"PYTHONPATH": str(folder)},
    )
    with KernelSocket(lab, open_session(lab, "xeus.ipynb", "xpython")) as socket:
        socket.do("1", "cell-1")
        socket.do("1/0", "cell-2")
        seen(lab, type="run", path="xeus.ipynb", outcome="failed", cell_id="cell-2")
        seen(lab, type="cells", path="xeus.ipynb")
        lab.api("DELETE", f"api/kernels/{socket.kernel_id}")


def test_files_and_terminals_are_recorded(lab: LabServer) -> None:
    lab.api("PUT", "api/contents/a.txt", json={"type": "file", "format": "text", "content": "1"})
    lab.api("PUT", "api/contents/a.txt", json={"type": "file", "format": "text", "content": "2"})
    lab.api("PATCH", "api/contents/a.txt", json={"path": "b.txt"})
    lab.api("POST", "api/contents", json={"copy_from": "b.txt"})
    lab.api("DELETE", "api/contents/b.txt")
    changes = [
        (e["action"], e["path"], e["source_path"], e["times"])
        for e in events(lab, type="file")
        if e["path"].endswith(".txt")
    ]
    assert changes == [
        ("saved", "a.txt", None, 2),
        ("renamed", "b.txt", "a.txt", 1),
        ("copied", "b-Copy1.txt", "b.txt", 1),
        ("deleted", "b.txt", None, 1),
    ]
    name = lab.api("POST", "api/terminals").json()["name"]
    seen(lab, type="program", program="terminal", action="started")
    lab.api("DELETE", f"api/terminals/{name}")
    seen(lab, type="program", program="terminal", action="stopped")


def test_a_name_that_is_no_text_is_recorded_as_well_as_it_can_be(lab: LabServer) -> None:
    (lab.notebooks / os.fsdecode(b"bad-\xff.txt")).write_text("1")
    lab.api("PATCH", "api/contents/bad-%FF.txt", json={"path": "good.txt"})
    assert lab.api("GET", "jupyter-einfra/activity").is_success


class TestDone:
    """Who asked is told when a notebook is done, and only then."""

    def test_of_a_notebook_that_is_waited_for(
        self, lab: LabServer, page: Callable[..., KernelSocket]
    ) -> None:
        socket = page("awaited.ipynb")
        with HeldStream(lab.url, lab.token, "activity,notices") as stream:
            body = {"path": "awaited.ipynb", "wanted": True}
            status = lab.api("PUT", "jupyter-einfra/activity/awaited", json=body).json()
            assert status["awaited"] == ["awaited.ipynb"]
            socket.run("import time; time.sleep(0.3)", "c1")
            socket.do("pass", "c2")
            notice = wait_until("it is told", lambda: self.told(stream, "run_finished"))
            assert notice["params"]["asked"] == 1
            # With the one by which the page saw that the kernel was there.
            assert notice["params"]["cells"] == 3
            assert notice["message"].startswith("awaited.ipynb is done: 3 cells in ")
            wait_until("nothing is awaited", lambda: stream.wait_for("activity")["awaited"] == [])
            # What it does then makes it old news.
            socket.do("1/0", "c3")
            wait_until("it is over", lambda: self.told(stream, "run_finished") is None)

    def test_of_one_that_fails(self, lab: LabServer, page: Callable[..., KernelSocket]) -> None:
        socket = page("fails-awaited.ipynb")
        self.wait_for_it(lab, "fails-awaited.ipynb")
        socket.do("{}['a']", "c1")
        with HeldStream(lab.url, lab.token, "notices") as stream:
            notice = wait_until("it is told", lambda: self.told(stream, "run_failed"))
        assert (notice["severity"], notice["params"]["error"]) == ("warning", "KeyError")
        assert notice["path"] == "fails-awaited.ipynb"

    @pytest.mark.parametrize("heard", [True, False])
    @pytest.mark.parametrize(
        ("disabled", "code"), [("", "kernel_killed"), ("usage", "run_died")], ids=["usage", "alone"]
    )
    def test_of_one_whose_kernel_dies_whoever_tells_it(
        self, tmp_path: Path, disabled: str, code: str, heard: bool
    ) -> None:
        env = {"JUPYTER_EINFRA_DISABLED_FEATURES": disabled}
        # One that dies at once says not even that it has begun.
        wait = wait_for("go") if heard else "pass"
        path, cell = "dies.ipynb", f"{wait}\nimport os; os.kill(os.getpid(), {signal.SIGKILL})"
        with (
            LabServer(tmp_path, app="server", env=env) as alone,
            KernelSocket(alone, open_session(alone, path)) as socket,
            HeldStream(alone.url, alone.token, "activity,notices") as stream,
        ):
            wait_until("it is heard", lambda: self.is_heard(alone, socket))
            self.wait_for_it(alone, path)
            wait_until("all before is told", lambda: self.told(stream, "run_finished"))
            self.wait_for_it(alone, path)
            socket.run(cell, "c1")
            if heard:
                wait_until("it runs", lambda: events(alone, type="run", outcome="running") or None)
                (alone.notebooks / "go").touch()
            notice = wait_until("it is told", lambda: self.told(stream, code))
            wait_until("nothing is awaited", lambda: stream.wait_for("activity")["awaited"] == [])
            if disabled:
                assert notice["message"] == "dies.ipynb is not done: its kernel died."
                assert (notice["severity"], notice["path"]) == ("warning", path)
            else:
                assert self.told(stream, "run_died") is None

    @staticmethod
    def wait_for_it(lab: LabServer, path: str) -> None:
        body = {"path": path, "wanted": True}
        lab.api("PUT", "jupyter-einfra/activity/awaited", json=body).raise_for_status()

    @staticmethod
    def is_heard(lab: LabServer, socket: KernelSocket) -> bool:
        socket.do("pass")
        return bool(events(lab, type="cells"))

    def test_of_one_that_has_another_name_by_then(
        self, lab: LabServer, page: Callable[..., KernelSocket]
    ) -> None:
        write_notebook(lab, "before.ipynb", "1")
        socket = page("before.ipynb")
        self.wait_for_it(lab, "before.ipynb")
        socket.run(wait_for("renamed"), "c1")
        seen(lab, type="run", outcome="running", path="before.ipynb")
        lab.api("PATCH", "api/contents/before.ipynb", json={"path": "after.ipynb"})
        # The page tells the server only then that its notebook has another name.
        [session] = [
            one["id"]
            for one in lab.api("GET", "api/sessions").json()
            if one["kernel"]["id"] == socket.kernel_id
        ]
        lab.api("PATCH", f"api/sessions/{session}", json={"path": "after.ipynb"})
        (lab.notebooks / "renamed").touch()
        with HeldStream(lab.url, lab.token, "notices") as stream:
            notice = wait_until(
                "it is told by its name",
                lambda: next(
                    (
                        one
                        for one in stream.wait_for("notices")["notices"]
                        if one["path"] == "after.ipynb"
                    ),
                    None,
                ),
            )
        assert notice["params"]["asked"] == 1
        [fact] = [
            fact
            for fact in facts(lab, "finished", "runs_finished")
            if fact["params"]["name"] == "after.ipynb"
        ]
        assert fact["path"] == "after.ipynb"

    def test_not_while_something_still_runs(
        self, lab: LabServer, page: Callable[..., KernelSocket]
    ) -> None:
        """A second notebook on the kernel is done; the first one is waited for."""
        [first] = write_notebook(lab, "first.ipynb", "1")
        [second] = write_notebook(lab, "second.ipynb", "1")
        one = page("first.ipynb")
        open_session(lab, "second.ipynb", "python3", id=one.kernel_id)
        self.wait_for_it(lab, "second.ipynb")
        with KernelSocket(lab, one.kernel_id) as two:
            two.run("pass", second)
            one.run(wait_for("first-is-done"), first)
            seen(lab, type="run", outcome="running", cell_id=first)
        with HeldStream(lab.url, lab.token, "activity,notices") as stream:
            assert stream.wait_for("activity")["awaited"] == ["second.ipynb"]
            (lab.notebooks / "first-is-done").touch()
            wait_until("it is told", lambda: self.told(stream, "run_finished"))
            wait_until("nothing is awaited", lambda: stream.wait_for("activity")["awaited"] == [])

    def told(self, stream: HeldStream, code: str) -> Event | None:
        notices = stream.wait_for("notices")["notices"]
        return next((notice for notice in notices if notice["code"] == code), None)
