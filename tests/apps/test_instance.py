"""An instance from its start to its end, with real programs, well and badly behaved."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from servers.apps import FakeApp, Leavings
from servers.instances import Stage, until, until_settled

from jupyter_einfra.apps.application import Launch, StopStep
from jupyter_einfra.apps.supervision import lifecycle
from jupyter_einfra.apps.supervision.instance import Instance
from jupyter_einfra.threads import in_thread

SetUp = Callable[..., Stage]


@pytest.fixture
def set_up(
    jp_asyncio_loop: asyncio.AbstractEventLoop, tmp_path: Path, leavings: Leavings
) -> Iterator[SetUp]:
    """Set up an application; at the end nothing of it may be left."""
    stages: list[Stage] = []

    def made(*words: str, app: FakeApp | None = None, **attributes: Any) -> Stage:
        stages.append(Stage(tmp_path, leavings, app or FakeApp(words=words, **attributes)))
        return stages[-1]

    yield made
    for stage in stages:
        jp_asyncio_loop.run_until_complete(stage.close())
    assert leavings.processes() == []


class Odd(str):
    """Text to everybody but those who look closely."""

    __slots__ = ()


class Hanging(FakeApp):
    """One whose preparation takes until it is released."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__("hanging", **attributes)
        self.directories: list[Path] = []
        self.hangs = threading.Event()
        self.released = threading.Event()

    def prepare(self, launch: Launch) -> None:
        self.directories.append(launch.directory)
        self.hangs.set()
        self.released.wait(60)


async def ask(instance: Instance, path: str) -> dict[str, Any]:
    """Ask the program itself."""
    reader, writer = (
        await asyncio.open_unix_connection(instance.socket)
        if instance.socket
        else await asyncio.open_connection("127.0.0.1", instance.port)
    )
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return json.loads(answer.partition(b"\r\n\r\n")[2]) if answer else {}


async def until_it_has_a_guardian(instance: Instance) -> None:
    async def look() -> None:
        while instance.guardian_pid is None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)

    await asyncio.wait_for(look(), 10)


def lines(instance: Instance) -> list[str]:
    assert instance.output is not None
    return instance.output.read_text().splitlines()


async def test_it_starts_runs_and_stops(set_up: SetUp) -> None:
    stage = set_up("print=hello")
    instance = stage.instance()
    assert (instance.state, instance.reason, instance.told().started) == ("stopped", None, None)
    instance.start()
    assert (instance.state, instance.elapsed_seconds is None) == ("starting", False)
    await until(instance, "running")
    assert (instance.state, instance.elapsed_seconds) == ("running", None)
    assert (await ask(instance, "/x"))["path"] == "/x"
    assert lines(instance) == ["hello"]
    told = instance.told()
    assert told.started is not None
    assert told.last_start_seconds is not None
    instance.stop()
    assert instance.state == "stopping"
    await until(instance, "stopped")
    assert instance.reason is not None
    assert instance.reason.code == "app_stopped"
    assert stage.leavings.processes() == []
    assert lines(instance) == ["hello"]  # can still be looked up


async def test_it_runs_where_and_as_it_should(set_up: SetUp, tmp_path: Path) -> None:
    class Curious(FakeApp):
        def environment(self, launch: Launch) -> dict[str, str | None]:
            return {"MINE": launch.url, "HOME": None}

    instance = set_up(app=Curious("curious")).instance("curious")
    instance.start()
    await until(instance, "running")
    process = psutil.Process((await ask(instance, "/"))["pid"])
    environment = process.environ()
    assert environment["MINE"] == "/base/curious/"
    assert "HOME" not in environment
    assert process.cwd() == str(tmp_path)
    assert process.ppid() == instance.guardian_pid
    # What others on this machine may not reach.
    assert Path(instance.socket).parent.stat().st_mode & 0o777 == 0o700
    assert len(os.fsencode(instance.socket)) <= 107


async def test_a_port_is_of_this_machine_alone(set_up: SetUp) -> None:
    stage = set_up(listens="port")
    instance = stage.instance()
    instance.start()
    await until(instance, "running")
    assert instance.socket == ""
    pid = (await ask(instance, "/"))["pid"]
    (listening,) = [c for c in psutil.Process(pid).net_connections() if c.status == "LISTEN"]
    assert listening.laddr == ("127.0.0.1", instance.port)


async def test_two_clicks_are_one_start(set_up: SetUp) -> None:
    stage = set_up("sleep=0.3")
    instance = stage.instance()
    instance.start()
    instance.start()
    await asyncio.sleep(0.1)
    instance.start()
    await until(instance, "running")
    instance.start()
    assert len(stage.leavings.processes()) == 2  # the guardian and one program


class TestFailing:
    @pytest.mark.parametrize(
        ("words", "code", "exit_code"),
        [
            (["print=oh no", "exit=1"], "app_start_failed", 1),
            (["print=oh no", "signal=11"], "app_start_failed", -11),
        ],
    )
    async def test_a_program_that_ends_at_once_failed(
        self, set_up: SetUp, words: list[str], code: str, exit_code: int
    ) -> None:
        instance = set_up(*words).instance()
        instance.start()
        await until(instance, "failed", seconds=5)
        assert instance.reason is not None
        assert (instance.reason.code, instance.told().exit_code) == (code, exit_code)
        assert lines(instance) == ["oh no"]
        await until_settled(instance)

    async def test_one_that_ends_at_once_without_an_error_is_stopped(self, set_up: SetUp) -> None:
        instance = set_up("exit=0").instance()
        instance.start()
        await until(instance, "stopped")
        assert instance.reason is not None
        assert instance.reason.code == "app_ended"

    async def test_one_that_is_missing_is_told_with_how_to_get_it(self, set_up: SetUp) -> None:
        instance = set_up(program=None).instance()
        instance.start()
        await until(instance, "failed")
        assert instance.reason is not None
        assert instance.reason.code == "app_not_installed"

    async def test_one_that_cannot_be_executed_is_told_why(
        self, set_up: SetUp, tmp_path: Path
    ) -> None:
        broken = tmp_path / "broken"
        broken.write_bytes(b"\x7fELF nonsense")
        broken.chmod(0o755)
        instance = set_up(program=str(broken)).instance()
        instance.start()
        await until(instance, "failed")
        assert instance.reason is not None
        assert instance.reason.code == "app_unstartable"
        assert "Exec format error" in instance.reason.message

    @pytest.mark.parametrize("manner", ["sleep=60", "busy", "mute"])
    async def test_one_that_never_gets_ready_is_given_up(self, set_up: SetUp, manner: str) -> None:
        instance = set_up("print=wait", manner, start_seconds=0.5).instance()
        instance.start()
        await until(instance, "failed", seconds=5)
        assert instance.reason is not None
        assert instance.reason.code == "app_not_ready"
        assert instance.reason.params["seconds"] == 0.5
        await until_settled(instance)

    async def test_one_whose_disk_hangs_is_given_up(self, set_up: SetUp) -> None:
        app = Hanging(start_seconds=0.2)
        instance = set_up(app=app).instance("hanging")
        instance.start()
        await until(instance, "failed", seconds=5)
        assert instance.reason is not None
        assert instance.reason.code == "app_not_ready"
        app.released.set()
        while app.directories[0].exists():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)

    async def test_a_description_that_is_faulty_is_told(
        self, tmp_path: Path, set_up: SetUp
    ) -> None:
        class Faulty(FakeApp):
            def command(self, launch: Launch) -> list[str]:
                raise KeyError("missing")

        instance = set_up(app=Faulty("faulty")).instance("faulty")
        instance.start()
        await until(instance, "failed")
        assert instance.reason is not None
        assert instance.reason.code == "app_unusable"

    async def test_a_description_that_wants_to_end_the_program_ends_nothing(
        self, tmp_path: Path, set_up: SetUp
    ) -> None:
        class Leaving(FakeApp):
            def prepare(self, launch: Launch) -> None:
                sys.exit("no way")

        instance = set_up(app=Leaving("leaving")).instance("leaving")
        instance.start()
        await until(instance, "failed")
        assert instance.reason is not None
        assert (instance.reason.code, instance.reason.params["error"]) == ("app_unusable", "no way")

    @pytest.mark.parametrize("name", ["A=B", "", Odd("A")])
    async def test_a_variable_that_cannot_be_is_told_each_time(
        self, set_up: SetUp, name: str
    ) -> None:
        class Faulty(FakeApp):
            def environment(self, launch: Launch) -> dict[str, str | None]:
                return {name: "x"}

        instance = set_up(app=Faulty("faulty")).instance("faulty")
        for _ in range(2):
            instance.start()
            await until(instance, "failed")
            assert instance.reason is not None
            assert instance.reason.code == "app_unusable"
            await until_settled(instance)

    async def test_it_can_be_let_rest(self, set_up: SetUp) -> None:
        instance = set_up("exit=1").instance()
        instance.start()
        await until(instance, "failed")
        instance.stop()
        assert (instance.state, instance.reason and instance.reason.code) == (
            "stopped",
            "app_stopped",
        )
        assert not instance.may_start_by_itself

    @pytest.mark.parametrize(
        ("number", "code"),
        [(28, "app_disk_full"), (122, "app_disk_full"), (30, "app_disk_unwritable")],
    )
    async def test_a_home_that_is_full_or_read_only_is_told(
        self, set_up: SetUp, number: int, code: str
    ) -> None:
        class Seeding(FakeApp):
            def prepare(self, launch: Launch) -> None:
                raise OSError(number, os.strerror(number), "/home/alice/.local")

        instance = set_up(app=Seeding("seeding")).instance("seeding")
        instance.start()
        await until(instance, "failed")
        assert instance.reason is not None
        assert instance.reason.code == code
        assert "/home/alice/.local" in instance.reason.message

    async def test_it_can_be_tried_again_at_once(self, set_up: SetUp) -> None:
        stage = set_up("exit=1")
        instance = stage.instance()
        instance.start()
        await until(instance, "failed")
        instance.app.words.clear()  # type: ignore[attr-defined]
        instance.start()
        await until(instance, "running")


class TestStopping:
    async def test_while_it_starts(self, set_up: SetUp) -> None:
        stage = set_up("sleep=30")
        instance = stage.instance()
        instance.start()
        await until_it_has_a_guardian(instance)
        instance.stop()
        await until(instance, "stopped", seconds=5)
        assert stage.leavings.processes() == []

    @pytest.mark.parametrize("seconds", [0, 0.005, 0.02, 0.05, 0.1, 0.2])
    async def test_at_any_moment(self, set_up: SetUp, seconds: float) -> None:
        stage = set_up()
        instance = stage.instance()
        instance.start()
        await asyncio.sleep(seconds)
        instance.stop()
        await until(instance, "stopped", seconds=5)
        await until_settled(instance)
        assert stage.leavings.processes() == []

    async def test_and_starting_again_before_it_is_over(self, set_up: SetUp) -> None:
        stage = set_up("child", "daemon")
        instance = stage.instance()
        instance.start()
        await until(instance, "running")
        first = {process.pid for process in stage.leavings.processes()}
        instance.restart()
        assert instance.state == "starting"
        await until(instance, "running")
        now = {process.pid for process in stage.leavings.processes()}
        assert not now & first
        assert len(now) == 4

    async def test_while_a_disk_hangs_that_it_needs(self, set_up: SetUp) -> None:
        app = Hanging()
        stage = set_up(app=app)
        instance = stage.instance("hanging")
        instance.start()
        await in_thread(app.hangs.wait, 10)
        instance.stop()
        await until(instance, "stopped", seconds=5)
        instance.start()  # the second time it comes
        app.released.set()
        await until(instance, "running")
        while app.directories[0].exists():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        assert app.directories[1].exists()

    async def test_is_quick_for_one_that_is_to_be_killed(self, set_up: SetUp) -> None:
        stage = set_up("deaf", stop_steps=(StopStep(signal.SIGTERM, 60.0),))
        instance = stage.instance()
        instance.start()
        await until(instance, "running")
        instance.kill()
        await until(instance, "stopped", seconds=5)

    async def test_leaves_nothing_of_what_detached_itself(self, set_up: SetUp) -> None:
        stage = set_up("child", "daemon", "scrub", "lost")
        instance = stage.instance()
        instance.start()
        await until(instance, "running")
        instance.stop()
        await until(instance, "stopped")
        assert stage.leavings.processes() == []


class TestCrashing:
    @pytest.fixture(autouse=True)
    def short_pauses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lifecycle, "PAUSES_SECONDS", (0.05, 0.1, 0.15))

    async def test_it_is_started_again_three_times_and_no_more(self, set_up: SetUp) -> None:
        stage = set_up()
        instance = stage.instance()
        instance.start()
        for restarts in range(4):
            await until(instance, "running")
            assert instance.told().restarts == restarts
            await ask(instance, "/do?exit=9")
            await until(instance, "starting", "failed")
        assert instance.state == "failed"
        assert instance.reason is not None
        assert (instance.reason.code, instance.told().exit_code) == ("app_failed", 9)

    async def test_a_wish_of_its_own_to_end_is_respected(self, set_up: SetUp) -> None:
        instance = set_up().instance()
        instance.start()
        await until(instance, "running")
        await ask(instance, "/do?exit=0")
        await until(instance, "stopped")
        await asyncio.sleep(0.3)
        assert instance.state == "stopped"

    async def test_stopping_it_between_two_starts_is_the_end(self, set_up: SetUp) -> None:
        lifecycle.PAUSES_SECONDS = (30.0, 30.0, 30.0)
        instance = set_up().instance()
        instance.start()
        await until(instance, "running")
        await ask(instance, "/do?signal=9")
        await until(instance, "starting")
        await asyncio.sleep(0.2)
        instance.stop()
        await until(instance, "stopped", seconds=5)

    async def test_what_it_left_behind_is_gone_before_it_starts_again(self, set_up: SetUp) -> None:
        stage = set_up("daemon")
        instance = stage.instance()
        instance.start()
        await until(instance, "running")
        await ask(instance, "/do?signal=11")
        await until(instance, "starting")
        await until(instance, "running")
        assert len(stage.leavings.processes()) == 3

    async def test_a_guardian_that_is_killed_takes_everything_with_it(
        self, set_up: SetUp, logged: list[str]
    ) -> None:
        stage = set_up("child", "daemon", "scrub")
        instance = stage.instance()
        instance.start()
        await until(instance, "running")
        before = stage.leavings.processes()
        assert instance.guardian_pid is not None
        os.kill(instance.guardian_pid, signal.SIGKILL)
        await until(instance, "starting")
        await until(instance, "running")
        left = {process.pid for process in before} & {p.pid for p in stage.leavings.processes()}
        assert left == set()
        assert any("guardian of fake was killed" in line for line in logged)


async def test_a_thousand_starts_would_leak_nothing(set_up: SetUp) -> None:
    """Two hundred of them do not: no process, no descriptor, no file, no memory."""
    stage = set_up()
    instance = stage.instance()
    own = psutil.Process()

    async def once() -> None:
        instance.start()
        await until(instance, "running")
        instance.stop()
        await until(instance, "stopped")
        await until_settled(instance)

    for _ in range(10):
        await once()
    descriptors, memory, tasks = own.num_fds(), own.memory_info().rss, len(asyncio.all_tasks())
    for _ in range(190):
        await once()
    assert stage.leavings.processes() == []
    assert own.num_fds() <= descriptors
    assert len(asyncio.all_tasks()) <= tasks
    assert own.memory_info().rss - memory < 8 * 2**20
    assert instance.output is not None
    assert len(list(instance.output.parents[1].iterdir())) == 1


async def test_one_that_nobody_asked_for_in_long_leaves_no_log(
    set_up: SetUp, tmp_path: Path
) -> None:
    app = FakeApp(words=("print=bye", "exit=0"), per_folder=True)
    stage = set_up(app=app)
    first = stage.supervisor.on(app, str(tmp_path))
    first.start()
    await until(first, "stopped")
    await until_settled(first)
    output = first.output
    assert output is not None
    for number in range(100):
        stage.supervisor.on(app, f"/{number}")
    assert len(stage.supervisor.all()) < 100
    while output.parent.exists():  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
    # Its address still leads to it, as from server to server.
    assert stage.supervisor.on(app, str(tmp_path)) is not first


async def test_what_was_wished_for_last_is_what_happens(set_up: SetUp) -> None:
    """Whatever is asked for in whatever order, in the end there is what was asked for last."""
    stage = set_up("daemon")
    instance = stage.instance()
    pauses = [0, 0, 0.01, 0.03, 0.1, 0, 0.2, 0.05, 0, 0.02, 0.15, 0.01]
    for number, pause in enumerate(pauses * 3):
        (instance.start, instance.stop, instance.restart)[number % 3]()
        await asyncio.sleep(pause)
    instance.start()
    await until(instance, "running")
    assert len(stage.leavings.processes()) == 3
    instance.stop()
    await until(instance, "stopped")
    await until_settled(instance)
    assert stage.leavings.processes() == []
