"""RStudio, with strict stand-ins for its programs: `servers.rserver`, `servers.rsession`."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from servers import rstudio
from servers.apps import Leavings
from servers.instances import Stage, until, until_settled

from jupyter_einfra.apps import rstudio as module
from jupyter_einfra.apps import rstudio_home, rstudio_session
from jupyter_einfra.apps.rstudio import RStudio
from jupyter_einfra.apps.supervision.instance import Instance

SetUp = Callable[..., Instance]
Stages = list[Stage]


@pytest.fixture(params=["our own flags", "flags of jupyter-rsession-proxy"])
def flags(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "our own flags":
        monkeypatch.setattr("jupyter_einfra.apps.vendor_setup.is_there", lambda module: False)
    return str(request.param)


@pytest.fixture
def stages() -> Stages:
    """What `set_up` has set up."""
    return []


@pytest.fixture
def set_up(
    jp_asyncio_loop: asyncio.AbstractEventLoop,
    stages: Stages,
    tmp_path: Path,
    leavings: Leavings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[SetUp]:
    """Set RStudio up with an environment; at the end nothing of it may be left."""
    rserver = rstudio.install(tmp_path / "rstudio bin's")
    monkeypatch.setenv("PATH", f"{rserver.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "RSTUDIO_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)

    def made(**environ: str) -> Instance:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        stages.append(Stage(tmp_path, leavings))
        return stages[-1].instance("rstudio")

    yield made
    for stage in stages:
        jp_asyncio_loop.run_until_complete(stage.close())
    assert leavings.processes() == []


async def ask(instance: Instance, path: str, body: str = "") -> str:
    """Ask as its page does."""
    reader, writer = await asyncio.open_unix_connection(instance.socket)
    data = body.encode()
    head = f"POST {path} HTTP/1.0\r\nContent-Length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.0 200"), answer
    return answer.partition(b"\r\n\r\n")[2].decode()


async def r(instance: Instance, code: str) -> str:
    return await ask(instance, "/rpc/console_input", code)


async def crash(instance: Instance) -> None:
    """Have R end without a word."""
    reader, writer = await asyncio.open_unix_connection(instance.socket)
    writer.write(b"POST /rpc/console_input HTTP/1.0\r\nContent-Length: 5\r\n\r\ncrash")
    await reader.read()
    writer.close()


async def run(instance: Instance) -> Instance:
    instance.start()
    await until(instance, "running", "failed")
    assert instance.state == "running", (instance.reason, log(instance))
    return instance


def log(instance: Instance) -> str:
    return instance.output.read_text() if instance.output else ""


def saved(home: Path) -> list[str]:
    return [str(p.relative_to(home)) for p in home.rglob("suspended-session-data")]


async def test_a_session_starts_suspends_and_goes_on(
    set_up: SetUp, flags: str, tmp_path: Path
) -> None:
    instance = await run(set_up())
    assert await ask(instance, "/rpc/client_init") == "ready"
    await r(instance, "x <- 42")
    directory = Path(instance.socket).parent
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "environment").stat().st_mode) == 0o600
    instance.stop()
    assert instance.reason is not None
    assert instance.reason.code == "app_saving"
    await until(instance, "stopped")
    await until_settled(instance)
    assert "suspending (asked)" in log(instance)
    assert saved(tmp_path) == [
        ".local/share/rstudio/sessions/active/session-1/suspended-session-data"
    ]
    await run(instance)
    assert await r(instance, "x") == "42"
    assert saved(tmp_path) == []


async def test_the_containers_environment_reaches_r_and_no_command_line(
    set_up: SetUp, leavings: Leavings
) -> None:
    value = "a value with 'quotes',\nlines and =; as long as a key"
    environ = {"MY_KEY": value, "LD_LIBRARY_PATH": "/opt/cuda", "R_HOME": "/ours"}
    instance = await run(set_up(**environ, RS_RPC_SECRET="of an RStudio around us"))
    assert await r(instance, 'Sys.getenv("MY_KEY")') == value
    # What rserver sets by itself has its reasons.
    assert await r(instance, 'Sys.getenv("R_HOME")') == "/usr/lib/R"
    assert await r(instance, 'Sys.getenv("RS_RPC_SECRET")') == "of this rserver"
    assert await r(instance, 'Sys.getenv("LD_LIBRARY_PATH")') == "/usr/lib/R/lib:/opt/cuda"
    names = {process.name() for process in leavings.processes()}
    assert {"rserver", "rsession"} <= names
    for process in leavings.processes():
        assert "as long as a key" not in " ".join(process.cmdline())


async def test_a_session_that_is_busy_is_interrupted_in_the_end(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking, *others = RStudio.stop_steps
    monkeypatch.setattr(RStudio, "stop_steps", (asking._replace(seconds=0.3), *others))
    instance = await run(set_up())
    await r(instance, "x <- 1")
    await r(instance, "Sys.sleep(100)")
    instance.stop()
    await until(instance, "stopped")
    await until_settled(instance)
    assert "suspending (forced)" in log(instance)
    await run(instance)
    assert await r(instance, "x") == "1"


async def test_the_servers_end_waits_for_a_session_to_be_saved(
    set_up: SetUp, stages: Stages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_einfra.apps.supervision.supervisor.STOP_SECONDS", 0.1)
    instance = set_up(RSESSION_SUSPENDS="1")
    supervisor = stages[0].supervisor
    assert supervisor.stop_seconds == pytest.approx(0.1)
    await run(instance)
    await r(instance, "x <- 1")
    assert supervisor.stop_seconds == pytest.approx(60.1)
    await supervisor.close()
    assert len(saved(tmp_path)) == 1
    assert supervisor.stop_seconds == pytest.approx(0.1)


async def test_a_folder_in_which_nothing_may_be_executed_is_told_of(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R would start, and know nothing of the container's environment."""
    found = os.statvfs("/tmp")
    flags = [*found[:8], found.f_flag | os.ST_NOEXEC, found.f_namemax]
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result(flags))
    instance = set_up()
    instance.start()
    await until(instance, "failed")
    assert instance.reason is not None
    assert instance.reason.code == "app_not_executable"


async def test_without_a_session_it_stops_at_once(set_up: SetUp) -> None:
    instance = await run(set_up())
    instance.stop()
    await until(instance, "stopped", seconds=5)


async def test_r_that_crashes_is_started_again_by_its_server(set_up: SetUp) -> None:
    instance = await run(set_up())
    assert await ask(instance, "/rpc/client_init") == "ready"
    await crash(instance)
    assert await ask(instance, "/rpc/client_init") == "ready"
    assert instance.state == "running"


async def test_a_session_that_is_never_restored_is_set_aside_by_a_reset(
    set_up: SetUp, tmp_path: Path
) -> None:
    instance = await run(set_up())
    await r(instance, "x <- 1")
    await r(instance, "get stuck")
    instance.stop()
    await until(instance, "stopped")
    await run(instance)
    waiting = asyncio.ensure_future(ask(instance, "/rpc/client_init"))
    await asyncio.wait({waiting}, timeout=0.5)
    assert not waiting.done()
    instance.reset()
    await until(instance, "running")
    with pytest.raises((AssertionError, OSError)):
        await waiting
    assert await ask(instance, "/rpc/client_init") == "ready"
    assert await r(instance, "x") == "not found"
    (aside,) = saved(tmp_path)
    assert aside.startswith(".local/share/rstudio/sessions/aside-2")


async def test_a_server_without_a_flag_that_we_need_is_told_of(set_up: SetUp, flags: str) -> None:
    instance = set_up(RSERVER_LACKS="www-socket database-config-file")
    instance.start()
    await until(instance, "failed")
    assert instance.reason is not None
    assert instance.reason.code == "app_too_old"
    assert instance.reason.params["flags"] == "--www-socket, --database-config-file"


async def test_a_server_that_does_not_work_is_told_of(set_up: SetUp, tmp_path: Path) -> None:
    instance = set_up()
    (tmp_path / "rstudio bin's" / "rserver").write_text("#!/bin/sh\necho no libR.so >&2; exit 127")
    instance.start()
    await until(instance, "failed")
    assert instance.reason is not None
    assert instance.reason.code == "app_broken"
    assert "no libR.so" in instance.reason.message


async def test_the_stand_in_is_strict(tmp_path: Path) -> None:
    """Or these tests would say nothing of the flags."""
    program = rstudio.install(tmp_path / "bin")
    for words, said in (
        (["--nonsense=1"], "unrecognised option '--nonsense'"),
        (["--auth-none"], "the required argument"),
        (["--auth-none=1", "--server-daemonize=0", "--www-frame-origin=same"], "Address"),
    ):
        process = await asyncio.create_subprocess_exec(
            str(program), *words, stderr=asyncio.subprocess.PIPE
        )
        _, error = await process.communicate()
        assert process.returncode == 1
        assert said in error.decode()


class TestOpening:
    async def test_the_first_session_opens_a_project(self, set_up: SetUp, tmp_path: Path) -> None:
        project = tmp_path / "it's" / "a $(b) é.Rproj"
        project.parent.mkdir()
        project.touch()
        instance = set_up()
        instance.start(str(project))
        await until(instance, "running")
        assert await ask(instance, "/rpc/client_init") == "ready"
        assert await r(instance, 'Sys.getenv("RS_INITIAL_PROJECT")') == str(project)
        # Which project is opened after that is the user's choice.
        await crash(instance)
        assert await r(instance, 'Sys.getenv("RS_INITIAL_PROJECT")') == ""

    @pytest.mark.parametrize(
        ("opened", "name", "value"),
        [
            ("work", "WD", "work"),
            ("work/fit.R", "WD", "work"),
            ("one", "PROJECT", "one/one.Rproj"),  # as its folder is opened by hand
            ("one/one.Rproj", "PROJECT", "one/one.Rproj"),
            ("two", "WD", "two"),
        ],
    )
    def test_of_other_files_the_folder_is_where_it_works(
        self, tmp_path: Path, opened: str, name: str, value: str
    ) -> None:
        for file in ("work/fit.R", "one/one.Rproj", "two/a.Rproj", "two/b.Rproj"):
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).touch()
        told = rstudio_session._opened(str(tmp_path / opened))
        assert told == f"RS_INITIAL_{name}={tmp_path / value}"


class TestFind:
    def test_it_is_found_where_its_packages_put_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = rstudio.install(tmp_path / "lib")
        monkeypatch.setattr(module, "_FOLDERS", (str(tmp_path / "none"), str(program.parent)))
        assert RStudio().find({"PATH": "/nonexistent"}) == str(program)

    def test_its_session_may_be_another_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        configuration = tmp_path / "rserver.conf"
        monkeypatch.setattr(rstudio_session, "_CONFIGURATION", configuration)
        server = str(tmp_path / "bin" / "rserver")
        assert rstudio_session._program(server) == str(tmp_path / "bin/rsession")
        configuration.write_text("# rsession-path=/not\nauth-none=1\nrsession-path = /opt/r.sh\n")
        assert rstudio_session._program(server) == "/opt/r.sh"


class TestSetAside:
    def test_nothing_is_lost_even_within_a_second(self, tmp_path: Path) -> None:
        environ = {"HOME": str(tmp_path)}
        assert rstudio_home.set_aside(environ) is None
        active = tmp_path / ".local/share/rstudio/sessions/active"
        for number in range(3):
            active.mkdir(parents=True)
            (active / "state").write_text(str(number))
            aside = rstudio_home.set_aside(environ)
            assert aside is not None
            assert (aside / "active" / "state").read_text() == str(number)
        assert not active.exists()

    @pytest.mark.parametrize(
        ("environ", "expected"),
        [
            ({"HOME": "/h"}, "/h/.local/share/rstudio"),
            ({"HOME": "/h", "XDG_DATA_HOME": "/d"}, "/d/rstudio"),
            ({"HOME": "/h", "XDG_DATA_HOME": "/d", "RSTUDIO_DATA_HOME": "/r"}, "/r"),
        ],
    )
    def test_it_is_where_rstudio_keeps_it(self, environ: dict[str, str], expected: str) -> None:
        assert rstudio_home.data_folder(environ) == Path(expected)
