"""The owner comes and goes, servers end and begin, and what is told of it is told once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.events import HeldStream
from servers.kernels import NotebookKernel
from servers.lab import LabServer
from servers.process import wait_until

Status = dict[str, Any]

ENV = {"JUPYTER_EINFRA_ACTIVITY_LEAST_ABSENCE_SECONDS": "0"}
FOREVER = "import time\nwhile True: time.sleep(0.05)"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[LabServer]:
    with LabServer(tmp_path, app="server", env=ENV) as started:
        yield started


def ask(lab: LabServer, method: str, path: str = "", **options: Any) -> Any:
    reply = lab.api(method, f"jupyter-einfra/activity{path}", **options)
    return reply.raise_for_status().json()


def events(lab: LabServer, **match: object) -> list[dict[str, Any]]:
    told = ask(lab, "GET")["events"]
    return [e for e in told if all(e.get(name) == value for name, value in match.items())]


def facts(digest: Any) -> list[dict[str, Any]]:
    """Return those that need attention."""
    sections = [each for each in digest["sections"] if each["name"] == "attention"]
    return [fact for each in sections for fact in each["facts"]]


def visit(lab: LabServer, enough: Callable[[Status], bool] = lambda status: True) -> Status:
    """Come to the server, look, and go; a page that is open is a person who is here."""
    with HeldStream(lab.url, lab.token, "activity") as stream:
        return await_status(stream, enough)


def await_status(stream: HeldStream, enough: Callable[[Status], bool]) -> Status:
    """Wait until a page is told something."""
    found: Status = wait_until(
        "the page was told",
        lambda: status if enough(status := stream.wait_for("activity")) else None,
    )
    return found


def heard(lab: LabServer, path: str) -> NotebookKernel:
    """Make a kernel that is listened to."""
    kernel = NotebookKernel(lab, path)

    def is_heard() -> bool:
        kernel.do("None")
        return bool(events(lab, type="cells", path=path))

    wait_until("the kernel is heard", is_heard)
    return kernel


def is_back(status: Status) -> bool:
    return status["away_since"] is not None


def failed(lab: LabServer, kernel: NotebookKernel) -> None:
    kernel.run("1/0")
    wait_until("it failed", lambda: bool(events(lab, path=kernel.path, outcome="failed")))


def test_of_an_absence_in_which_something_failed_each_page_is_told_until_one_has_shown_it(
    lab: LabServer,
) -> None:
    kernel = heard(lab, "train.ipynb")
    assert visit(lab)["away_since"] is None
    failed(lab, kernel)
    assert visit(lab, is_back)["told_at"] is None
    with (
        HeldStream(lab.url, lab.token, "activity") as first,
        HeldStream(lab.url, lab.token, "activity") as second,
    ):
        for stream in (first, second):
            await_status(stream, lambda status: status["attention"] == 1)
        digest = ask(lab, "GET", "/digest")
        body = {"until": digest["time"], "facts": [fact["id"] for fact in facts(digest)]}
        told = ask(lab, "POST", "/seen", json=body)
        assert told["away_since"] is None
        for stream in (first, second):
            await_status(stream, lambda status: status["told_at"] == told["told_at"] is not None)
    # A reload tells nothing, and the fact is marked as seen.
    assert visit(lab)["attention"] == 0
    [fact] = facts(ask(lab, "GET", "/digest", params={"since": digest["since"]}))
    assert fact["seen"]


def test_who_was_shown_what_happened_was_told_also_when_the_absence_is_over(
    lab: LabServer,
) -> None:
    """As of somebody who reads for long: their other windows wait to hear of it."""
    with HeldStream(lab.url, lab.token, "activity") as stream:
        assert await_status(stream, lambda status: not is_back(status))["told_at"] is None
        body = {"until": ask(lab, "GET", "/digest")["time"], "facts": []}
        told = ask(lab, "POST", "/seen", json=body)["told_at"]
        await_status(stream, lambda status: status["told_at"] == told is not None)


def test_an_absence_goes_on_until_it_was_told(lab: LabServer) -> None:
    kernel = heard(lab, "train.ipynb")
    visit(lab)
    failed(lab, kernel)
    left = visit(lab, is_back)["away_since"]
    again = visit(lab, is_back)
    assert (again["away_since"], again["attention"]) == (left, 1)
    lab.restart()
    after = visit(lab, is_back)
    assert (after["away_since"], after["attention"]) == (left, 1)


def test_a_server_that_ends_takes_what_runs_with_it_and_says_so(lab: LabServer) -> None:
    kernel = heard(lab, "train.ipynb")
    visit(lab)
    kernel.run(FOREVER)
    wait_until("it runs", lambda: bool(events(lab, type="run", outcome="running")))
    lab.restart()
    status = visit(lab, is_back)
    assert status["attention"] == 1
    [run] = events(lab, type="run")
    assert run["outcome"] == "server-ended"
    told = ask(lab, "GET", "/digest")["sections"]
    assert [fact["code"] for fact in told[0]["facts"]] == ["run_lost"]
    assert "server_started" in [fact["code"] for s in told[1:] for fact in s["facts"]]


def test_a_server_that_is_killed_takes_what_runs_with_it_and_says_so(lab: LabServer) -> None:
    kernel = heard(lab, "train.ipynb")
    kernel.run(FOREVER)
    [state] = lab.home.rglob("activity.sqlite")

    def is_written() -> bool:
        return b'"outcome":"running"' in state.read_bytes()

    wait_until("it is on disk that it runs", is_written)
    process = kernel.process()
    lab.stop(with_signal=signal.SIGKILL)
    if process is not None:
        process.kill()
    lab.start()
    wait_until("it was lost", lambda: bool(events(lab, type="run", outcome="server-ended")))


def test_who_switches_recording_off_is_not_recorded_after_a_restart_either(
    lab: LabServer,
) -> None:
    kernel = heard(lab, "train.ipynb")
    body = {"recording": False}
    assert not ask(lab, "PUT", "/recording", json=body)["recording"]
    before = ask(lab, "GET")["events"]
    kernel.do("None")
    lab.api("PUT", "api/contents/a.txt", json={"type": "file", "format": "text", "content": ""})
    awaited = {"path": "train.ipynb", "wanted": True}
    refused = lab.api("PUT", "jupyter-einfra/activity/awaited", json=awaited)
    assert (refused.status_code, refused.json()["code"]) == (409, "activity_not_recorded")
    lab.restart()
    wait_until("that is known again", lambda: not visit(lab)["recording"])
    kernel = NotebookKernel(lab, "other.ipynb")
    kernel.do("None")
    assert ask(lab, "GET")["events"] == before
    assert ask(lab, "PUT", "/recording", json={"recording": True})["recording"]
    heard(lab, "third.ipynb")  # by its name


def test_what_is_erased_is_gone_but_for_what_still_runs(lab: LabServer) -> None:
    kernel = heard(lab, "train.ipynb")
    failed(lab, kernel)
    kernel.run(FOREVER)
    wait_until("it runs", lambda: bool(events(lab, outcome="running")))
    ask(lab, "DELETE")
    assert [event["outcome"] for event in ask(lab, "GET")["events"]] == ["running"]
    lab.api("POST", f"api/kernels/{kernel.id}/interrupt")
    wait_until("its end is recorded", lambda: bool(events(lab, outcome="interrupted")))


def test_two_servers_of_one_user_know_nothing_of_each_other(tmp_path: Path) -> None:
    hub = {**ENV, "JUPYTERHUB_API_URL": "http://hub.example:8081/hub/api"}
    with LabServer(tmp_path / "one", app="server", env=hub) as one:
        named = {**hub, "JUPYTERHUB_SERVER_NAME": "gpu"}
        two = LabServer(tmp_path / "two", app="server", env=named)
        two.home = one.home
        two.notebooks.mkdir(parents=True)
        with two:
            failed(one, heard(one, "one.ipynb"))
            failed(two, heard(two, "two.ipynb"))
            for server, mine in ((one, "one.ipynb"), (two, "two.ipynb")):
                paths = {event["path"] for event in events(server, type="run")}
                assert paths == {mine}
                assert ask(server, "GET")["reason"] is None
        two.start()
        wait_until("it is known again", lambda: bool(events(two, path="two.ipynb")))
        assert events(two, path="one.ipynb") == []
        two.stop()
    assert len(list(one.home.rglob("activity.sqlite"))) == 2


def test_an_operator_may_have_nothing_recorded(tmp_path: Path) -> None:
    env = {"JUPYTER_EINFRA_ACTIVITY_RECORD": "false"}
    with LabServer(tmp_path, app="server", env=env) as lab:
        NotebookKernel(lab, "train.ipynb")
        told = ask(lab, "GET")
        assert (told["events"], told["recording"], told["reason"]) == ([], False, None)
        assert ask(lab, "GET", "/digest")["sections"] == []
        assert not visit(lab)["recording"]
        refused = lab.api("PUT", "jupyter-einfra/activity/recording", json={"recording": True})
        assert refused.status_code == 409
        assert not list(lab.home.rglob("activity.sqlite"))


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "", {"params": {"since": "yesterday"}}),
        ("GET", "", {"params": {"limit": "0"}}),
        ("GET", "/digest", {"params": {"until": "2026-01-01T00:00:00Z"}}),
        ("GET", "/digest", {"params": {"since": "2026-01-01T00:00:00"}}),
        ("POST", "/seen", {"json": {"until": "2026-01-01T00:00:00Z"}}),
        ("POST", "/seen", {"json": {"until": "2026-01-01T00:00:00Z", "facts": ["x" * 2000]}}),
        ("PUT", "/recording", {"json": {"recording": "maybe"}}),
        ("PUT", "/awaited", {"json": {"path": "", "wanted": True}}),
        ("PUT", "/awaited", {"content": b"\xff"}),
    ],
)
def test_what_makes_no_sense_is_refused(
    bare: LabServer, method: str, path: str, options: dict[str, Any]
) -> None:
    reply = bare.api(method, f"jupyter-einfra/activity{path}", **options)
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_parameter")


def test_any_time_may_be_asked_about(bare: LabServer) -> None:
    for since in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00+14:00"):
        for path in ("", "/digest"):
            ask(bare, "GET", path, params={"since": since})


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    with LabServer(tmp_path_factory.mktemp("bare"), app="server") as started:
        yield started
