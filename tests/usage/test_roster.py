"""Kernels and terminals are found and their deaths noticed, and no kernel is asked."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from jupyter_server.gateway.managers import GatewayKernelManager
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.kernelmanager import ServerKernelManager

from jupyter_einfra.kernels.names import MOST_NAME, Named, names_of_kernels, tidy
from jupyter_einfra.kernels.watch import KERNEL_ACTIONS, KernelWatch
from jupyter_einfra.usage.alerts.deaths import Death
from jupyter_einfra.usage.programs import roster as roster_module
from jupyter_einfra.usage.programs.processes import RosterEntry
from jupyter_einfra.usage.programs.roster import Roster

DEADLINE_SECONDS = 30.0
LOG = logging.getLogger("test")


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    """A server with terminals and without us, that soon sees that a kernel died."""
    return {
        "ServerApp": {"jpserver_extensions": {"jupyter_server_terminals": True}},
        "KernelRestarter": {"time_to_dead": 0.1, "restart_limit": 1},
    }


@pytest.fixture
def deaths() -> list[Death]:
    return []


@pytest.fixture
def roster(
    jp_serverapp: ServerApp, deaths: list[Death], jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[Roster]:
    """A roster that listens; all kernels end with the test."""

    async def start() -> None:
        made.start()

    async def end() -> None:
        for kernel_id in list(kernels.list_kernel_ids()):
            await is_up(jp_serverapp, kernel_id)
        await kernels.shutdown_all(now=True)

    made = Roster(
        jp_serverapp.kernel_manager,
        jp_serverapp.session_manager,
        lambda: jp_serverapp.web_app.settings["terminal_manager"],
        LOG,
        event_logger=jp_serverapp.event_logger,
        on_death=deaths.append,
    )
    kernels: Any = jp_serverapp.kernel_manager
    jp_asyncio_loop.run_until_complete(start())
    yield made
    made.stop()
    jp_asyncio_loop.run_until_complete(end())


async def until(look: Callable[[], Awaitable[Any] | Any]) -> Any:
    """Wait on the loop until there is something; return it."""

    async def again() -> Any:
        while True:
            found = look()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.02)

    return await asyncio.wait_for(again(), DEADLINE_SECONDS)


async def open_notebook(app: ServerApp, path: str = "work/train.ipynb") -> str:
    session = await app.session_manager.create_session(
        path=path, name=path.rpartition("/")[2], type="notebook", kernel_name="python3"
    )
    kernel_id: str = session["kernel"]["id"]
    return kernel_id


async def is_up(app: ServerApp, kernel_id: str) -> None:
    """Wait until a kernel is not being restarted: Jupyter cannot shut it down then."""
    manager = manager_of(app, kernel_id)
    await until(lambda: manager.has_kernel and manager.ready.done())


async def is_ready(app: ServerApp, kernel_id: str) -> None:
    """Wait until a kernel answers, as a page does."""
    client = manager_of(app, kernel_id).client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=DEADLINE_SECONDS)
    finally:
        client.stop_channels()


def manager_of(app: ServerApp, kernel_id: str) -> Any:
    return app.kernel_manager.get_kernel(kernel_id)


def pid_of(app: ServerApp, kernel_id: str) -> int:
    pid: int = manager_of(app, kernel_id).provisioner.process.pid
    return pid


async def test_a_notebooks_kernel_is_told_with_its_process(
    jp_serverapp: ServerApp, roster: Roster
) -> None:
    kernel_id = await open_notebook(jp_serverapp)
    (entry,) = await roster.refresh()
    since = entry.since
    assert since is not None
    assert since <= datetime.now(timezone.utc)
    assert entry == RosterEntry(
        kind="kernel",
        id=kernel_id,
        name="train.ipynb",
        path="work/train.ipynb",
        language="python3",
        pid=pid_of(jp_serverapp, kernel_id),
        state="starting",
        since=since,
        reason=None,
    )


async def test_a_state_counts_from_the_moment_it_changed(
    jp_serverapp: ServerApp, roster: Roster
) -> None:
    kernel_id = await open_notebook(jp_serverapp)
    await roster.refresh()
    before = datetime.now(timezone.utc)
    manager_of(jp_serverapp, kernel_id).execution_state = "busy"
    after = datetime.now(timezone.utc)
    (busy,) = await roster.refresh()
    assert busy.state == "busy"
    assert busy.since is not None
    assert before <= busy.since <= after
    (again,) = await roster.refresh()
    assert again.since == busy.since


async def test_looking_moves_nothing_and_asks_no_kernel(
    jp_serverapp: ServerApp, roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel_id = await open_notebook(jp_serverapp)
    manager = manager_of(jp_serverapp, kernel_id)
    sent: list[Any] = []
    monkeypatch.setattr("jupyter_client.session.Session.send", lambda *a, **k: sent.append(a))
    activity = manager.last_activity, jp_serverapp.kernel_manager.last_kernel_activity
    for _ in range(20):
        await roster.refresh()
    assert (manager.last_activity, jp_serverapp.kernel_manager.last_kernel_activity) == activity
    assert sent == []


async def test_kernels_that_went_are_told_no_more_and_leave_nothing(
    jp_serverapp: ServerApp, roster: Roster, deaths: list[Death]
) -> None:
    kernel_id = await open_notebook(jp_serverapp)
    manager = manager_of(jp_serverapp, kernel_id)
    await roster.refresh()
    restarter = manager._restarter
    ours = [len(restarter.callbacks[event]) for event in ("restart", "dead")]
    await jp_serverapp.kernel_manager.shutdown_kernel(kernel_id)
    assert await roster.refresh() == []
    left = [len(restarter.callbacks[event]) for event in ("restart", "dead")]
    assert left == [ours[0] - 1, ours[1] - 1]
    observers = manager._trait_notifiers["execution_state"]["change"]
    assert not any(isinstance(getattr(o, "__self__", None), KernelWatch) for o in observers)
    assert deaths == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_kernel_that_dies_is_noticed_with_its_exit_code(
    jp_serverapp: ServerApp, roster: Roster, deaths: list[Death], number: signal.Signals
) -> None:
    kernel_id = await open_notebook(jp_serverapp)
    # Nobody looked yet: the roster heard of the kernel and its notebook by itself.
    await until(lambda: roster._names)
    before = datetime.now(timezone.utc)
    os.kill(pid_of(jp_serverapp, kernel_id), number)
    await until(lambda: deaths)
    (death,) = deaths
    assert before <= death.time <= datetime.now(timezone.utc)
    assert death == Death(
        time=death.time,
        kernel_id=kernel_id,
        name="train.ipynb",
        path="work/train.ipynb",
        exit_code=-number,
        gave_up=False,
    )


async def test_a_kernel_that_dies_again_and_again_is_given_up(
    jp_serverapp: ServerApp, roster: Roster, deaths: list[Death]
) -> None:
    kernel_id = await open_notebook(jp_serverapp)
    manager = manager_of(jp_serverapp, kernel_id)
    await roster.refresh()
    first = pid_of(jp_serverapp, kernel_id)
    os.kill(first, signal.SIGKILL)

    def second() -> int | None:
        process = manager.provisioner.process
        return None if process is None or process.pid == first else int(process.pid)

    os.kill(await until(second), signal.SIGKILL)
    await until(lambda: len(deaths) == 2)
    assert [death.gave_up for death in deaths] == [False, True]
    assert [death.exit_code for death in deaths] == [-9, -9]
    assert [death.first for death in deaths] == [None, deaths[0].time]
    assert {death.name for death in deaths} == {"train.ipynb"}
    assert await roster.refresh() == []


async def test_what_its_owner_does_to_a_kernel_is_no_death(
    jp_serverapp: ServerApp, roster: Roster, deaths: list[Death]
) -> None:
    kernel_id = await open_notebook(jp_serverapp)
    manager = manager_of(jp_serverapp, kernel_id)
    pid = pid_of(jp_serverapp, kernel_id)
    await is_ready(jp_serverapp, kernel_id)
    await manager.interrupt_kernel()
    kernels: Any = jp_serverapp.kernel_manager
    await kernels.restart_kernel(kernel_id)
    (entry,) = await roster.refresh()
    assert entry.pid not in (None, pid)
    # Long enough for a restarter that looks ten times a second; then a real death, as proof.
    os.kill(pid_of(jp_serverapp, kernel_id), signal.SIGKILL)
    await until(lambda: deaths)
    assert len(deaths) == 1
    await is_up(jp_serverapp, kernel_id)
    await jp_serverapp.kernel_manager.shutdown_kernel(kernel_id)
    assert len(deaths) == 1


async def test_a_kernel_that_nobody_restarts_is_seen_to_have_died(
    jp_serverapp: ServerApp, roster: Roster, deaths: list[Death]
) -> None:
    kernel_id = await open_notebook(jp_serverapp)
    manager = manager_of(jp_serverapp, kernel_id)
    manager.stop_restarter()
    manager.autorestart = False
    os.kill(pid_of(jp_serverapp, kernel_id), signal.SIGKILL)

    async def look() -> list[Death]:
        await roster.refresh()
        return deaths

    await until(look)
    (entry,) = await roster.refresh()
    assert entry.pid is None
    assert entry.reason is not None
    assert entry.reason.code == "kernel_no_process"
    assert [(death.exit_code, death.gave_up) for death in deaths] == [(-9, True)]


@pytest.fixture
def ended() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(["true"])
    process.wait()
    return process


async def test_a_kernel_that_is_shut_down_is_not_taken_for_dead(
    ended: subprocess.Popen[bytes], deaths: list[Death]
) -> None:
    provisioner = SimpleNamespace(process=ended)
    kernel = SimpleNamespace(provisioner=provisioner, autorestart=False, shutting_down=True)
    roster = strange(kernel=kernel)
    roster.on_death = deaths.append
    await roster.refresh()
    assert deaths == []
    kernel.shutting_down = False
    await told(roster)
    assert [death.exit_code for death in deaths] == [0]


async def test_terminals_are_told_with_their_process(
    jp_serverapp: ServerApp, roster: Roster
) -> None:
    terminals = jp_serverapp.web_app.settings["terminal_manager"]
    terminals.create()
    try:
        (entry,) = await roster.refresh()
        assert (entry.kind, entry.id, entry.name) == ("terminal", "1", "terminal 1")
        assert entry.pid == terminals.terminals["1"].ptyproc.pid
        assert (entry.state, entry.path, entry.reason) == (None, None, None)
    finally:
        await terminals.terminate("1", force=True)


async def test_after_its_end_the_roster_hears_nothing(
    jp_serverapp: ServerApp, roster: Roster, deaths: list[Death]
) -> None:
    kernel_id = await open_notebook(jp_serverapp)
    await roster.refresh()
    manager = manager_of(jp_serverapp, kernel_id)
    listening = len(manager._restarter.callbacks["restart"])
    roster.stop()
    assert len(manager._restarter.callbacks["restart"]) == listening - 1
    events: Any = jp_serverapp.event_logger
    assert roster._on_action not in events._modified_listeners[KERNEL_ACTIONS]
    pid = pid_of(jp_serverapp, kernel_id)
    os.kill(pid, signal.SIGKILL)
    process = manager.provisioner
    await until(lambda: process.process is not None and process.process.pid != pid)
    assert deaths == []


# --- strange servers ------------------------------------------------------------------


def strange(
    kernel: Any = None, sessions: Any = None, terminals: Any = None, **manager: Any
) -> Roster:
    kernels = SimpleNamespace(
        list_kernel_ids=lambda: ["k1"], get_kernel=lambda kernel_id: kernel, **manager
    )
    return Roster(kernels, sessions, lambda: terminals, LOG)


async def told(roster: Roster) -> list[RosterEntry]:
    try:
        return await roster.refresh()
    finally:
        roster.stop()


async def test_a_manager_without_anything_breaks_nothing() -> None:
    roster = Roster(object(), object(), object, LOG, event_logger=object())
    roster.start()
    assert await told(roster) == []


async def test_a_kernel_without_anything_is_still_there() -> None:
    (entry,) = await told(strange(kernel=object()))
    assert (entry.id, entry.name, entry.state, entry.since) == ("k1", "k1", None, None)
    assert entry.reason is not None
    assert entry.reason.code == "kernel_elsewhere"


@pytest.mark.parametrize(
    "provisioner",
    [SimpleNamespace(pid=4711), SimpleNamespace(process=SimpleNamespace(pid=4711))],
)
async def test_a_process_on_another_machine_is_not_taken_for_one_of_ours(provisioner: Any) -> None:
    kernel = SimpleNamespace(provisioner=provisioner, kernel_name="spark")
    (entry,) = await told(strange(kernel=kernel))
    assert (entry.pid, entry.name, entry.language) == (None, "spark", "spark")
    assert entry.reason is not None
    assert entry.reason.code == "kernel_elsewhere"


async def test_a_kernel_of_a_gateway_is_elsewhere() -> None:
    kernel = GatewayKernelManager()
    assert kernel.provisioner is None
    (entry,) = await told(strange(kernel=kernel))
    assert entry.reason is not None
    assert entry.reason.code == "kernel_elsewhere"


@pytest.mark.parametrize(
    "kernel",
    [ServerKernelManager(), SimpleNamespace(provisioner=SimpleNamespace(process=None))],
    ids=["not yet launched", "launched"],
)
async def test_a_kernel_that_starts_has_no_process_yet(kernel: Any) -> None:
    (entry,) = await told(strange(kernel=kernel))
    assert entry.reason is not None
    assert entry.reason.code == "kernel_no_process"


async def test_a_kernel_whose_attributes_fail_is_still_there() -> None:
    class Failing:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    (entry,) = await told(strange(kernel=Failing()))
    assert (entry.name, entry.state, entry.pid) == ("k1", None, None)


async def test_a_kernel_that_goes_while_it_is_looked_at_is_left_out() -> None:
    def gone(kernel_id: str) -> Any:
        raise KeyError(kernel_id)

    kernels = SimpleNamespace(list_kernel_ids=lambda: ["k1"], get_kernel=gone)
    assert await told(Roster(kernels, None, lambda: None, LOG)) == []


async def test_changes_of_state_are_seen_on_managers_without_traits() -> None:
    last = datetime(2026, 11, 20, tzinfo=timezone.utc)
    kernel = SimpleNamespace(execution_state="idle", last_activity=last)
    roster = strange(kernel=kernel)
    (before,) = await roster.refresh()
    kernel.execution_state = "busy"
    (after,) = await told(roster)
    assert (before.state, before.since) == ("idle", last)
    assert after.state == "busy"
    assert after.since is not None
    assert after.since > last


async def test_sessions_far_away_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = asyncio.Event()
    asked: list[int] = []

    async def list_sessions() -> list[Any]:
        asked.append(1)
        await answered.wait()
        return [notebook("k1", "far.ipynb")]

    monkeypatch.setattr(roster_module, "NAMES_WAIT_SECONDS", 0.001)
    sessions = SimpleNamespace(list_sessions=list_sessions)
    roster = strange(kernel=SimpleNamespace(kernel_name="python3"), sessions=sessions)
    for _ in range(3):
        assert [entry.name for entry in await roster.refresh()] == ["python3"]
    assert asked == [1]
    answered.set()
    await until(lambda: roster._names)
    assert [entry.name for entry in await told(roster)] == ["far.ipynb"]


async def test_a_failing_session_manager_keeps_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster_module, "NAMES_SECONDS", 0.0)
    answers: Iterator[Any] = iter([[notebook("k1", "a.ipynb")]])
    sessions = SimpleNamespace(list_sessions=lambda: next(answers))
    roster = strange(kernel=object(), sessions=sessions)
    assert [entry.name for entry in await roster.refresh()] == ["a.ipynb"]
    assert [entry.name for entry in await told(roster)] == ["a.ipynb"]


async def test_whatever_a_terminal_or_kernel_calls_itself_can_be_told() -> None:
    """Clients name terminals, and kernels their own state."""
    terminals = SimpleNamespace(terminals=dict.fromkeys(["1", "my work", "\ud800", "x" * 9999]))
    kernel = SimpleNamespace(execution_state="\ud800busy")
    found = await told(strange(kernel=kernel, terminals=terminals))
    assert [entry.id for entry in found[1:3]] == ["1", "my work"]
    assert all(len(entry.id) <= MOST_NAME for entry in found)
    assert found[0].state == "busy"
    msgspec.json.encode([dataclasses.asdict(entry) for entry in found])


async def test_many_are_bounded() -> None:
    ids = [str(number) for number in range(2000)]
    kernels = SimpleNamespace(list_kernel_ids=lambda: ids, get_kernel=lambda i: object())
    terminals = SimpleNamespace(terminals=dict.fromkeys(ids))
    apps = [RosterEntry("app", number, number) for number in ids]
    roster = Roster(kernels, None, lambda: terminals, LOG, applications=lambda: apps)
    assert Counter(entry.kind for entry in await told(roster)) == {
        "kernel": 500,
        "terminal": 500,
        "app": 500,
    }


async def test_applications_are_told_as_they_are() -> None:
    app = RosterEntry("app", "vscode", "VS Code", pid=42, state="running")
    nothing = SimpleNamespace(list_kernel_ids=list)
    roster = Roster(nothing, None, lambda: None, LOG, applications=lambda: [app])
    assert await told(roster) == [app]


# --- names ----------------------------------------------------------------------------


def notebook(kernel_id: str, path: str, kind: str = "notebook", name: str = "") -> dict[str, Any]:
    return {"type": kind, "path": path, "name": name, "kernel": {"id": kernel_id}}


def test_a_notebook_names_a_kernel_before_its_console() -> None:
    sessions = [
        notebook("k1", "console-1-4f1c", "console", "Console 1"),
        notebook("k1", "work/train.ipynb"),
        notebook("k1", "work/train.py", "file"),
        notebook("k2", "console-2-4f1c", "console", "Console 2"),
    ]
    assert names_of_kernels(sessions) == {
        "k1": Named("train.ipynb", "work/train.ipynb"),
        "k2": Named("Console 2", None),
    }


def test_a_shared_notebooks_drive_is_no_part_of_its_name() -> None:
    assert names_of_kernels([notebook("k", "RTC:a.ipynb")])["k"] == Named("a.ipynb", "RTC:a.ipynb")


def test_malformed_sessions_are_left_out() -> None:
    odd: list[Any] = [
        None,
        {},
        {"kernel": None},
        {"kernel": {"id": 1}},
        notebook("k", ""),
        {"kernel": {}},
    ]
    assert names_of_kernels([*odd, notebook("k", "x" * 5000)]) == {}


def test_a_path_that_is_no_text_can_be_told() -> None:
    named = names_of_kernels([notebook("k", "work/\ud800.ipynb")])["k"]
    assert named == Named("?.ipynb", "work/?.ipynb")


def test_hostile_names_become_one_short_line() -> None:
    assert tidy("a\nb\x1b[31m\u202e c") == "a b [31m c"
    assert len(tidy("x" * 100_000)) == MOST_NAME
    # What was cut says so, also where spaces end it or were many; spaces alone are no loss.
    assert [tidy(text, 5) for text in ("abcde fgh", "a     bcd")] == ["abcd…", "a…"]
    assert [tidy(text, 5) for text in ("abcde", "abcde \n", "abcde    ")] == ["abcde"] * 3
    named = names_of_kernels([notebook("k", "evil\n\x00.ipynb")])["k"]
    assert named == Named("evil .ipynb", "evil\n\x00.ipynb")
