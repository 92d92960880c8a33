"""``jupyter-einfra/apps...``: what there is, what runs, and what is to be done with it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyter_server.serverapp import ServerApp
from servers.apps import SCRIPT, FakeApp, Leavings
from servers.instances import until
from tornado.httpclient import HTTPResponse

from jupyter_einfra.apps import handlers
from jupyter_einfra.apps.application import StopStep
from jupyter_einfra.apps.handlers import APPS, LOG_SECONDS
from jupyter_einfra.apps.manager import AppsManager
from jupyter_einfra.apps.registry import BUILT_IN
from jupyter_einfra.apps.supervision.instance import Instance
from jupyter_einfra.apps.supervision.preparation import Prepared, prepare
from jupyter_einfra.apps.supervision.supervisor import MOST_RUNNING
from jupyter_einfra.apps.supervision.tail import Tail

Fetch = Callable[..., Awaitable[HTTPResponse]]
Refused = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]


def fake(*words: str, **more: Any) -> dict[str, Any]:
    return {"command": [sys.executable, "-S", "-E", SCRIPT, "{socket}", *words], **more}


@pytest.fixture
def jp_server_config(jp_server_config: dict[str, Any], leavings: Leavings) -> dict[str, Any]:
    return {
        **jp_server_config,
        "AppsManager": {
            "custom_apps": {
                "fake": fake("print=hello", title="Fake"),
                "broken": fake("print=oh no", "exit=3", title="Broken"),
                "many": fake(per_folder=True, title="Many"),
                "editor": fake("print={opened}", title="Editor", file_suffixes=[".R"]),
            }
        },
    }


@pytest.fixture
def manager(
    jp_asyncio_loop: asyncio.AbstractEventLoop, listening: ServerApp, leavings: Leavings
) -> Iterator[AppsManager]:
    found: AppsManager = listening.web_app.settings[APPS]
    yield found
    jp_asyncio_loop.run_until_complete(found.supervisor.close())
    assert leavings.processes() == []


@pytest.fixture
def get(jp_fetch: Fetch) -> Callable[..., Awaitable[Any]]:
    async def fetch(path: str = "", **params: str) -> Any:
        answer = await jp_fetch("jupyter-einfra", "apps", *path.split("/"), params=params)
        return json.loads(answer.body)

    return fetch


@pytest.fixture
def post(jp_fetch: Fetch) -> Callable[..., Awaitable[Any]]:
    async def send(act: str, **body: Any) -> Any:
        answer = await jp_fetch("jupyter-einfra", "apps", act, method="POST", body=json.dumps(body))
        return json.loads(answer.body)

    return send


@pytest.fixture
def refuse(refused: Refused) -> Refused:
    async def ask(act: str, **body: Any) -> tuple[int, dict[str, Any]]:
        return await refused("jupyter-einfra", "apps", act, method="POST", body=json.dumps(body))

    return ask


async def test_folders_of_one_name_are_told_apart(
    get: Any, post: Any, manager: AppsManager, jp_root_dir: Path
) -> None:
    for name in ("a/runs", "b/runs", "logs"):
        (jp_root_dir / name).mkdir(parents=True)
        await post("open", app="many", path=name, show=False)
    apps = {app["name"]: app for app in (await get())["apps"]}
    assert [one["title"] for one in apps["many"]["instances"]] == [
        "Many: a/runs",
        "Many: b/runs",
        "Many: logs",
    ]


async def test_while_a_disk_hangs_everybody_gets_what_was_known(
    get: Any, manager: AppsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    await get()  # once, everything was fine
    released = threading.Event()
    looks: list[bool] = []

    def hang() -> bool:
        looks.append(True)
        return not released.wait(60)

    monkeypatch.setattr(manager.registry, "look", hang)
    monkeypatch.setattr("jupyter_einfra.apps.manager._LOOK_SECONDS", 0.05)
    try:
        answers = await asyncio.gather(*(get() for _ in range(20)))
        assert all(answer["apps"][len(BUILT_IN)]["installed"] for answer in answers)
        manager.on_watchers(1)
        assert await asyncio.wait_for(asyncio.to_thread(lambda: 1), 10) == 1
        assert len(looks) == 1
    finally:
        released.set()


async def test_every_application_is_listed(get: Any, manager: AppsManager) -> None:
    answer = await get()
    apps = {app["name"]: app for app in answer["apps"]}
    assert list(apps) == [*(kind.name for kind in BUILT_IN), "fake", "broken", "many", "editor"]
    fake = apps["fake"]
    assert (fake["title"], fake["url"], fake["installed"]) == ("Fake", "fake/", True)
    assert fake["icon_svg"].startswith("<svg")
    assert fake["reason"] is None
    assert fake["instances"] == []
    assert apps["vscode"]["opens_files"]
    assert not apps["tensorboard"]["opens_files"]


async def test_one_that_is_not_installed_says_how_it_is(get: Any, manager: AppsManager) -> None:
    manager.registry._apps["vscode"] = FakeApp("vscode", program=None, install="get it")
    (app,) = [app for app in (await get())["apps"] if app["name"] == "vscode"]
    assert not app["installed"]
    assert app["reason"]["code"] == "app_not_installed"
    assert app["reason"]["params"]["command"] == "get it"


class TestActs:
    async def test_open_stop_start_restart(self, post: Any, get: Any, manager: AppsManager) -> None:
        address = await post("open", app="fake", path=None, show=False)
        assert (address["url"], address["instance"]["state"]) == ("fake/", "starting")
        instance = manager.instance("fake")
        await until(instance, "running")
        assert (await post("stop", id="fake"))["state"] == "stopping"
        await until(instance, "stopped")
        assert (await post("start", id="fake"))["state"] == "starting"
        await until(instance, "running")
        assert (await post("restart", id="fake"))["state"] == "starting"
        await until(instance, "running")
        (app,) = [app for app in (await get())["apps"] if app["name"] == "fake"]
        (told,) = app["instances"]
        assert (told["id"], told["state"], told["restarts"]) == ("fake", "running", 0)
        assert told["last_start_seconds"] > 0

    async def test_a_reset_sets_aside_what_a_start_would_restore(
        self, post: Any, refuse: Refused, manager: AppsManager, tmp_path: Path
    ) -> None:
        class Keeping(FakeApp):
            kept_in = "~/state"
            stop_steps = (StopStep(signal.SIGTERM, 60.0),)

            def reset(self, environ: Mapping[str, str]) -> None:
                (tmp_path / "state").rename(tmp_path / "aside")

        status, error = await refuse("reset", id="fake")
        assert (status, error["code"]) == (404, "keeps_nothing")

        manager.registry._apps["fake"] = Keeping("fake", words=["deaf"])
        manager.supervisor._instances.clear()
        instance = manager.instance("fake")
        instance.start()
        await until(instance, "running")
        first = instance.guardian_pid
        (tmp_path / "state").touch()
        assert (await post("reset", id="fake"))["state"] == "starting"
        await until(instance, "running")  # which does not wait for its stop steps
        assert instance.guardian_pid != first
        assert (tmp_path / "aside").exists()

        # Once only; and what cannot be set aside is told, and nothing is started.
        instance.restart()
        await until(instance, "starting")
        instance.kill()
        await until(instance, "stopped")
        await post("reset", id="fake")
        await until(instance, "failed")
        assert instance.reason is not None
        assert instance.reason.code == "app_disk_unwritable"

    async def test_a_folder_is_opened_in_an_instance_of_its_own(
        self, post: Any, get: Any, manager: AppsManager, jp_root_dir: Path
    ) -> None:
        folder = jp_root_dir / "my runs"
        folder.mkdir()
        first = await post("open", app="many", path="my runs", show=False)
        again = await post("open", app="many", path=str(folder) + "/", show=False)
        assert first["url"] == again["url"]
        assert first["url"].startswith("many/my-runs-")
        assert first["instance"]["title"] == "Many: my runs"
        assert first["instance"]["folder"] == str(folder)
        (app,) = [app for app in (await get())["apps"] if app["name"] == "many"]
        assert app["recent_folders"] == [str(folder)]
        answer = await post("forget", app="many", folder=str(folder))
        (app,) = [app for app in answer["apps"] if app["name"] == "many"]
        assert app["recent_folders"] == []

    @pytest.mark.parametrize(
        "name", ["a b", "a'b\"c", "žluť", "..", "a..b", "-rf", "$(x)", "new\nline", "🙂", "%2e%2e"]
    )
    async def test_any_folder_can_be_opened(
        self, post: Any, manager: AppsManager, jp_root_dir: Path, name: str
    ) -> None:
        (jp_root_dir / name).mkdir(exist_ok=True)
        address = await post("open", app="many", path=name, show=False)
        instance = manager.instance(address["instance"]["id"])
        await until(instance, "running")
        expected = jp_root_dir.parent if name == ".." else jp_root_dir / name
        assert instance.folder == str(expected)

    async def test_a_folder_whose_name_is_no_text_is_opened_too(
        self, manager: AppsManager, jp_root_dir: Path, get: Any
    ) -> None:
        name = b"caf\xe9".decode("utf-8", "surrogateescape")
        (jp_root_dir / name).mkdir()
        address = await manager.open("many", name, show=False)
        await until(manager.instance(address.instance.id), "running")
        (app,) = [app for app in (await get())["apps"] if app["name"] == "many"]
        assert app["instances"][0]["title"] == "Many: caf\ufffd"

    async def test_what_can_be_named_only_at_a_start_is_shown_from_there_on(
        self, post: Any, get: Any, manager: AppsManager, jp_root_dir: Path
    ) -> None:
        script, other = jp_root_dir / "Fit.R", jp_root_dir / "other.r"
        script.touch()
        other.touch()
        address = await post("open", app="editor", path="Fit.R", show=False)
        assert (address["url"], address["note"]) == ("editor/", None)
        instance = manager.instance("editor")
        await until(instance, "running")
        assert (await get("log", id="editor"))["lines"] == [str(script)]
        again = await post("open", app="editor", path="Fit.R", show=False)
        assert again["note"] is None  # it is shown
        late = await post("open", app="editor", path="other.r", show=False)
        assert late["note"]["code"] == "app_opens_at_start"
        assert late["note"]["params"] == {"name": "Editor", "path": str(other)}
        await post("restart", id="editor")  # of what is open there, nobody knows any more
        await until(instance, "running")
        assert (await get("log", id="editor"))["lines"] == [""]
        await post("stop", id="editor")
        assert (await post("open", app="editor", path="other.r", show=False))["note"] is None
        await until(instance, "running")
        assert (await get("log", id="editor"))["lines"] == [str(other)]

    async def test_a_file_is_shown_by_a_page_of_jupyterlab(
        self, post: Any, manager: AppsManager, open_stream: Any, jp_root_dir: Path
    ) -> None:
        (jp_root_dir / "a b").mkdir()
        (jp_root_dir / "a b" / "100%.ipynb").touch()
        async with open_stream("?topics=apps") as events:
            while not (await events.next("apps"))["apps"]:
                pass
            shown = await post("show", path=str(jp_root_dir / "a b" / "100%.ipynb"))
            while not (wishes := (await events.next("apps"))["wishes"]):
                pass
        assert shown == {"path": "a b/100%.ipynb", "url": "lab/tree/a%20b/100%25.ipynb"}
        (wish,) = wishes
        assert (wish["id"], wish["url"], wish["path"]) == (None, None, shown["path"])

    async def test_the_root_and_what_is_behind_links_are_shown(
        self, post: Any, manager: AppsManager, jp_root_dir: Path, tmp_path: Path
    ) -> None:
        assert (await post("show", path="."))["path"] == ""
        (jp_root_dir / "x").touch()
        link = tmp_path / "link"
        link.symlink_to(jp_root_dir)
        assert (await post("show", path=str(link / "x")))["path"] == "x"

    async def test_what_was_opened_in_a_terminal_is_shown_by_a_page(
        self, post: Any, manager: AppsManager, open_stream: Any
    ) -> None:
        async with open_stream("?topics=apps") as events:
            while not (await events.next("apps"))["apps"]:
                pass
            await post("open", app="fake", path=None, show=True)
            while not (wishes := (await events.next("apps"))["wishes"]):
                pass
        (wish,) = wishes
        assert (wish["id"], wish["url"]) == ("fake", "fake/")

    @pytest.mark.parametrize(
        ("act", "body", "status", "code"),
        [
            ("open", {"app": "nope", "path": None, "show": False}, 404, "no_such_app"),
            ("open", {"app": "many", "path": "nope", "show": False}, 404, "no_such_path"),
            ("open", {"app": "many", "path": "a\0b", "show": False}, 404, "no_such_path"),
            ("open", {"app": "many", "path": "x" * 5000, "show": False}, 404, "no_such_path"),
            ("open", {"app": "many", "path": None, "show": False}, 404, "needs_folder"),
            ("open", {"app": "many", "path": "a.txt", "show": False}, 404, "needs_folder"),
            ("open", {"app": "fake", "path": ".", "show": False}, 404, "opens_nothing"),
            ("open", {"app": "editor", "path": "a.txt", "show": False}, 404, "opens_others"),
            ("open", {"app": "editor", "path": ".", "show": False}, 404, "opens_nothing"),
            ("show", {"path": "nope"}, 404, "no_such_path"),
            ("show", {"path": "a\0b"}, 404, "no_such_path"),
            ("show", {"path": "/"}, 404, "not_shown"),
            ("show", {"path": ".."}, 404, "not_shown"),
            ("show", {"path": "~"}, 404, "not_shown"),
            ("open", {"app": "fake"}, 400, "invalid_parameter"),
            ("open", {"app": 1, "path": None, "show": False}, 400, "invalid_parameter"),
            ("start", {"id": "nope"}, 404, "no_such_instance"),
            ("start", {"id": "many"}, 404, "no_such_instance"),
            ("start", {"id": "many/../fake"}, 404, "no_such_instance"),
            ("start", {"id": "fake/x"}, 404, "no_such_instance"),
            ("stop", {"id": "many/x"}, 404, "no_such_instance"),
            ("stop", {}, 400, "invalid_parameter"),
            ("stop", {"id": "fake", "x": 1}, 400, "invalid_parameter"),
            ("forget", {"app": "nope", "folder": "/"}, 404, "no_such_app"),
        ],
    )
    async def test_what_makes_no_sense_is_refused_with_what_to_do(
        self, refuse: Refused, manager: AppsManager, *, act: str, body: Any, status: int, code: str
    ) -> None:
        Path(manager.supervisor.around.root, "a.txt").write_text("")  # noqa: ASYNC240
        answer = await refuse(act, **body)
        assert (answer[0], answer[1]["code"]) == (status, code)
        assert answer[1]["message"].endswith((".", "?"))

    async def test_what_is_not_installed_is_refused_with_how_to_get_it(
        self, refuse: Refused, manager: AppsManager
    ) -> None:
        manager.registry._apps["fake"] = FakeApp("fake", program=None)
        manager.registry.look()
        status, body = await refuse("open", app="fake", path=None, show=False)
        assert (status, body["code"]) == (409, "app_not_installed")

    @pytest.mark.parametrize("sent", [b"", b"{", b"[]", b"\xff", b"null"])
    async def test_what_is_no_json_object_is_refused(
        self, refused: Refused, manager: AppsManager, sent: bytes
    ) -> None:
        status, body = await refused("jupyter-einfra", "apps", "stop", method="POST", body=sent)
        assert (status, body["code"]) == (400, "invalid_parameter")

    async def test_there_are_bounds(
        self, refuse: Refused, manager: AppsManager, jp_root_dir: Path
    ) -> None:
        for number in range(MOST_RUNNING):
            (jp_root_dir / str(number)).mkdir()
            await manager.open("many", str(number), show=False)
        (jp_root_dir / "more").mkdir()
        status, body = await refuse("open", app="many", path="more", show=False)
        assert (status, body["code"]) == (429, "too_many_instances")
        # What runs can still be opened.
        await manager.open("many", "3", show=False)

    async def test_only_the_owner_acts(
        self,
        refuse: Refused,
        refused: Refused,
        manager: AppsManager,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("JUPYTERHUB_USER", "the-owner")
        for act, body in (
            ("open", {"app": "fake", "path": None, "show": False}),
            ("start", {"id": "fake"}),
            ("stop", {"id": "fake"}),
            ("restart", {"id": "fake"}),
            ("reset", {"id": "fake"}),
            ("forget", {"app": "fake", "folder": "/"}),
        ):
            assert (await refuse(act, **body))[0] == 403
        for path in ("", "/log", "/launch"):
            status, _ = await refused("jupyter-einfra", f"apps{path}", params={"id": "fake"})
            assert status == 403
        assert manager.instance("fake").state == "stopped"

    async def test_what_a_person_does_counts_as_use_and_what_a_page_asks_does_not(
        self, post: Any, get: Any, manager: AppsManager, jp_serverapp: ServerApp
    ) -> None:
        settings = jp_serverapp.web_app.settings
        before = settings.get("api_last_activity")
        await get()
        assert settings.get("api_last_activity") == before
        await post("open", app="fake", path=None, show=False)
        assert settings["api_last_activity"] != before


class TestLog:
    async def test_the_last_lines_are_told(self, get: Any, manager: AppsManager) -> None:
        assert (await get("log", id="broken"))["lines"] == []
        instance = manager.instance("broken")
        instance.start()
        await until(instance, "failed")
        assert (await get("log", id="broken"))["lines"] == ["oh no"]

    @pytest.mark.parametrize("lines", ["0", "-1", "5001", "x", ""])
    async def test_a_number_of_lines_that_makes_none_is_refused(
        self, refused: Refused, manager: AppsManager, lines: str
    ) -> None:
        status, body = await refused(
            "jupyter-einfra", "apps", "log", params={"id": "fake", "lines": lines}
        )
        assert (status, body["params"]["parameter"]) == (400, "lines")


class TestLaunch:
    """The stream that the launch page reads."""

    @pytest.fixture
    def follow(self, listening: ServerApp, jp_auth_header: dict[str, str]) -> Any:
        url = f"http://127.0.0.1:{listening.port}{listening.base_url}jupyter-einfra/apps/launch"

        @asynccontextmanager
        async def followed(ident: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
            async with (
                httpx.AsyncClient(headers=jp_auth_header, timeout=30, trust_env=False) as client,
                client.stream("GET", url, params={"id": ident}) as response,
            ):
                assert response.status_code == 200
                assert response.headers["Content-Type"].startswith("text/event-stream")
                yield events(response)

        async def events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

        return followed

    async def test_a_start_is_told_step_by_step(self, follow: Any, manager: AppsManager) -> None:
        instance = manager.instance("fake")
        seen: list[str] = []
        async with follow("fake") as events:
            async for event in events:
                if event["type"] == "log":
                    seen += event["lines"]
                    continue
                seen.append(event["instance"]["state"])
                if seen[-1] == "stopped" and instance.state == "stopped":
                    instance.start()
                if seen[-1] == "running":
                    break
        assert seen[0] == "stopped"
        assert [word for word in seen if word != "hello"] == ["stopped", "starting", "running"]

    async def test_a_failure_comes_with_what_was_printed_before_it(
        self, follow: Any, manager: AppsManager
    ) -> None:
        manager.begin(manager.instance("broken"))
        lines: list[str] = []
        async with follow("broken") as events:
            async for event in events:
                if event["type"] == "log":
                    lines += event["lines"]
                elif event["instance"]["state"] == "failed":
                    break
        assert lines == ["oh no"]
        assert event["instance"]["exit_code"] == 3
        assert event["instance"]["reason"]["code"] == "app_start_failed"

    async def test_the_next_start_follows_on_the_same_stream(
        self, follow: Any, manager: AppsManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def slowly(*args: Any, **options: Any) -> Prepared:
            await asyncio.sleep(2 * LOG_SECONDS)  # nothing to read meanwhile
            return await prepare(*args, **options)

        monkeypatch.setattr("jupyter_einfra.apps.supervision.instance.prepare", slowly)
        instance = manager.instance("broken")
        manager.begin(instance)
        starts: set[str] = set()
        seen: list[str] = []
        async with follow("broken") as events:
            async for event in events:
                if event["type"] == "log":
                    seen += ["begins"] * event["begins"] + event["lines"]
                elif event["instance"]["state"] == "failed" and "oh no" in seen:
                    if event["instance"]["started"] in starts:
                        continue
                    starts.add(event["instance"]["started"])
                    if len(starts) == 2:
                        break
                    manager.begin(instance)
        # A page knows which lines are of which start.
        assert seen == ["begins", "oh no", "begins", "oh no"]

    async def test_nobody_reads_a_log_that_nobody_looks_at(
        self, follow: Any, manager: AppsManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        instance = manager.instance("fake")
        instance.start()
        await until(instance, "running")
        reads = 0
        read = Tail.read

        def counted(*args: Any, **options: Any) -> Any:
            nonlocal reads
            reads += 1
            assert threading.current_thread() is not threading.main_thread()
            return read(*args, **options)

        monkeypatch.setattr(Tail, "read", counted)
        async with follow("fake") as events:
            async for event in events:
                if event["type"] == "log":
                    break
        assert reads > 0
        await gone(instance)
        before = reads
        await asyncio.sleep(0.6)
        assert reads == before

    async def test_there_is_room_for_so_many_and_no_more(
        self, follow: Any, refused: Refused, manager: AppsManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(handlers, "MOST_FOLLOWERS", 1)
        async with follow("fake") as events:
            await anext(events)
            status, body = await refused("jupyter-einfra", "apps", "launch", params={"id": "fake"})
            assert (status, body["code"]) == (429, "too_many_streams")
        await gone(manager.instance("fake"))

    async def test_it_ends_with_the_server(self, follow: Any, manager: AppsManager) -> None:
        async with follow("fake") as events:
            await anext(events)
            manager.is_closing = True
            async for _ in events:
                pass

    async def test_what_is_not_there_is_refused(
        self, refused: Refused, manager: AppsManager
    ) -> None:
        status, body = await refused("jupyter-einfra", "apps", "launch", params={"id": "nope"})
        assert (status, body["code"]) == (404, "no_such_instance")


async def gone(instance: Instance) -> None:
    """Wait until nobody follows."""

    async def look() -> None:
        while instance.followers:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)

    await asyncio.wait_for(look(), 10)


class TestNotices:
    """Nothing that runs is lost in silence."""

    async def test_an_end_that_nobody_asked_for_is_told_until_somebody_acts(
        self, manager: AppsManager, post: Any, open_stream: Any
    ) -> None:
        instance = manager.instance("fake")
        async with open_stream("?topics=notices") as events:
            instance.start()
            await until(instance, "running")
            assert instance.guardian_pid is not None
            assert instance._run is not None
            assert instance._run.pid is not None
            os.kill(instance._run.pid, signal.SIGSEGV)
            while not (notices := (await events.next("notices"))["notices"]):
                pass
            (notice,) = notices
            assert (notice["id"], notice["code"]) == ("app:fake", "app_restarting")
            assert notice["message"] == "Fake was ended by SIGSEGV. It is being started again."
            await until(instance, "running")
            await post("stop", id="fake")
            while (await events.next("notices"))["notices"]:
                pass

    async def test_a_start_that_fails_is_told_where_it_was_asked_for(
        self, manager: AppsManager, open_stream: Any
    ) -> None:
        instance = manager.instance("broken")
        async with open_stream("?topics=notices,apps") as events:
            instance.start()
            await until(instance, "failed")
            states: list[str] = []
            while "failed" not in states:
                event = await events.next()
                assert event["type"] != "notices" or event["notices"] == []
                instances = [i for app in event.get("apps", ()) for i in app["instances"]]
                states = [i["state"] for i in instances]
