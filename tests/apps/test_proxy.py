"""The addresses of applications: to the program, to a page of ours, or refused."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyter_server.serverapp import ServerApp
from jupyter_server_proxy import handlers as jsp
from jupyter_server_proxy.api import ServersInfoHandler
from jupyter_server_proxy.rawsocket import RawSocketHandler
from servers.apps import SCRIPT, FakeApp, Leavings
from servers.instances import until, until_settled
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError

from jupyter_einfra.apps.application import Launch
from jupyter_einfra.apps.handlers import APPS
from jupyter_einfra.apps.manager import AppsManager
from jupyter_einfra.apps.proxy_handlers import AppProxyHandler, AppRawSocketHandler
from jupyter_einfra.apps.vendor_handlers import servers_of
from jupyter_einfra.base import STATUSES
from jupyter_einfra.models import FeatureStatus, Reason

Fetch = Callable[..., Awaitable[HTTPResponse]]

PERSON = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}
FRAME = {**PERSON, "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "same-origin"}
STRANGER = {**PERSON, "Sec-Fetch-Site": "cross-site"}
SCRIPTED = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}


def fake(*words: str, **more: Any) -> dict[str, Any]:
    return {"command": [sys.executable, "-S", "-E", SCRIPT, "{socket}", *words], **more}


@pytest.fixture
def jp_server_config(jp_server_config: dict[str, Any], leavings: Leavings) -> dict[str, Any]:
    return {
        **jp_server_config,
        "AppsManager": {
            "custom_apps": {
                "fake": fake("print=hello"),
                "slow": fake("sleep=60"),
                "whole": fake(absolute_url=True),
                "many": fake(per_folder=True, absolute_url=True),
                "raw": fake(raw_socket=True, ready_path=None),
                "rawport": {
                    "command": [sys.executable, "-S", "-E", SCRIPT, "{port}"],
                    "raw_socket": True,
                    "ready_path": None,
                },
                "port": {"command": [sys.executable, "-S", "-E", SCRIPT, "{port}"]},
            }
        },
    }


@pytest.fixture
def manager(jp_serverapp: ServerApp) -> AppsManager:
    found: AppsManager = jp_serverapp.web_app.settings[APPS]
    return found


@pytest.fixture
def nothing_is_left(
    jp_asyncio_loop: asyncio.AbstractEventLoop,
    manager: AppsManager,
    leavings: Leavings,
    logged: list[str],
) -> Iterator[None]:
    yield
    assert not [line for line in logged if line.endswith("Traceback")]
    jp_asyncio_loop.run_until_complete(manager.supervisor.close())
    assert leavings.processes() == []


pytestmark = pytest.mark.usefixtures("nothing_is_left")


@pytest.fixture
def get(listening: ServerApp, jp_auth_header: dict[str, str]) -> Fetch:
    """Go to an address, as it is written; whatever comes back is returned, redirects too."""
    client = AsyncHTTPClient()
    base = f"http://127.0.0.1:{listening.port}{listening.base_url}"

    async def fetch(
        path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> HTTPResponse:
        return await client.fetch(
            base + path,
            headers={**jp_auth_header, **(headers or {})},
            follow_redirects=False,
            raise_error=False,
            **options,
        )

    return fetch


@pytest.fixture
def running(manager: AppsManager) -> Callable[[str], Awaitable[None]]:
    async def run(ident: str) -> None:
        instance = manager.instance(ident)
        instance.start()
        await until(instance, "running")

    return run


def told(response: HTTPResponse) -> Any:
    return json.loads(response.body)


def page_data(response: HTTPResponse) -> Any:
    found = re.search(r'id="einfra-data">(.*?)</script>', response.body.decode())
    assert found, response.body
    return json.loads(found[1])


def refuses(*args: Any, **options: Any) -> None:
    raise WebSocketClosedError


class TestHeaders:
    """What a program wants of every request, and browsers never see."""

    async def test_the_program_gets_them_with_requests_and_with_websockets(
        self, get: Fetch, jp_ws_fetch: Any, manager: AppsManager, running: Any
    ) -> None:
        class Guarded(FakeApp):
            def request_headers(self, launch: Launch) -> dict[str, str]:
                return {"X-Token": "the secret"}

        manager.registry._apps["fake"] = Guarded()
        await running("fake")
        answer = await get("fake/x", {"X-Token": "a guess"})
        assert told(answer)["headers"]["x-token"] == "the secret"
        assert "the secret" not in str(answer.headers)
        socket: WebSocketClientConnection = await jp_ws_fetch("fake/headers")
        message = await socket.read_message()
        assert message is not None
        assert json.loads(message)["x-token"] == "the secret"
        socket.close()
        assert "the secret" not in str(manager.instance("fake").told())

        # The next start may have others.
        manager.registry._apps["fake"] = FakeApp()
        manager.supervisor._instances.pop("fake").stop()
        await running("fake")
        assert "x-token" not in told(await get("fake/x"))["headers"]


class TestLeaving:
    """Where a program signs people out, who could not sign in again."""

    @pytest.fixture(autouse=True)
    def leaving(self, manager: AppsManager) -> None:
        manager.registry._apps["fake"] = FakeApp(leave_paths=("/sign-out",))

    async def test_a_page_shows_the_way_back(self, get: Fetch, running: Any) -> None:
        await running("fake")
        answer = await get("fake/sign-out", PERSON, method="POST", body="x=1")
        assert (answer.code, answer.headers["Location"]) == (303, "/a%40b/fake/sign-out")
        page = page_data(await get("fake/sign-out", PERSON))
        assert (page["kind"], page["instance"]["state"]) == ("left", "running")
        assert page["url"] == "/a%40b/fake/"
        assert told(await get("fake/sign-out-of-it", PERSON))["path"] == "/sign-out-of-it"

    async def test_it_starts_nothing(self, get: Fetch, manager: AppsManager) -> None:
        page = page_data(await get("fake/sign-out", PERSON))
        assert (page["kind"], page["instance"]["state"]) == ("left", "stopped")
        assert manager.instance("fake").state == "stopped"


class TestGoingThere:
    @pytest.mark.parametrize("headers", [PERSON, FRAME])
    async def test_starts_it_and_shows_a_page_that_says_so(
        self, get: Fetch, manager: AppsManager, headers: Mapping[str, str]
    ) -> None:
        response = await get("slow/", headers=headers)
        assert response.code == 200
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        data = page_data(response)
        assert (data["kind"], data["title"], data["instance"]["state"]) == (
            *("launch", "slow", "starting"),
        )
        assert data["elapsed_seconds"] < 5
        assert not data["from_elsewhere"]
        assert manager.instance("slow").state == "starting"

    async def test_shows_the_program_once_it_runs(self, get: Fetch, running: Any) -> None:
        await running("fake")
        response = await get("fake/some/path?a=b", headers=PERSON)
        assert (response.code, told(response)["path"]) == (200, "/some/path?a=b")

    async def test_from_elsewhere_shows_a_page_and_starts_nothing(
        self, get: Fetch, manager: AppsManager, leavings: Leavings
    ) -> None:
        data = page_data(await get("fake/", headers=STRANGER))
        assert (data["instance"]["state"], data["from_elsewhere"]) == ("stopped", True)
        assert manager.instance("fake").state == "stopped"
        assert leavings.processes() == []

    async def test_the_page_may_be_framed_by_our_own_pages_and_loads_nothing(
        self, get: Fetch
    ) -> None:
        response = await get("fake/", headers=STRANGER)
        policy = response.headers["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in policy
        assert "default-src 'none'" in policy
        (nonce,) = set(re.findall(r"'nonce-([^']+)'", policy))
        assert set(re.findall(r'nonce="([^"]+)"', response.body.decode())) == {nonce}
        other = (await get("fake/", headers=STRANGER)).headers["Content-Security-Policy"]
        assert nonce not in other

    async def test_what_was_stopped_or_failed_waits_for_a_click(
        self, get: Fetch, manager: AppsManager, running: Any
    ) -> None:
        """A page that reloads itself must not bring back what its user has stopped."""
        await running("fake")
        instance = manager.instance("fake")
        instance.stop()
        await until(instance, "stopped")
        data = page_data(await get("fake/", headers=PERSON))
        assert data["instance"]["reason"]["code"] == "app_stopped"
        assert instance.state == "stopped"
        data = page_data(await get("fake/", headers=STRANGER))
        assert not data["from_elsewhere"]  # it was stopped, wherever one comes from

    async def test_an_address_without_its_slash_leads_to_the_one_with(self, get: Fetch) -> None:
        response = await get("fake?x=1", headers=PERSON)
        assert (response.code, response.headers["Location"]) == (302, "/a%40b/fake/?x=1")

    async def test_the_servers_token_does_not_reach_the_program(
        self, get: Fetch, running: Any, jp_serverapp: ServerApp
    ) -> None:
        token = jp_serverapp.identity_provider.token
        response = await get(f"fake/?token={token}&x=1", headers=PERSON)
        assert (response.code, response.headers["Location"]) == (302, "/a%40b/fake/?x=1")
        await running("fake")
        response = await get(f"fake/?x=1&token={token}", headers=SCRIPTED)
        assert told(response)["path"] == "/?x=1"

    async def test_what_is_not_installed_is_told_on_the_page(
        self, get: Fetch, manager: AppsManager
    ) -> None:
        manager.registry._apps["fake"] = FakeApp("fake", program=None)
        await get("fake/", headers=PERSON)
        await until(manager.instance("fake"), "failed")
        data = page_data(await get("fake/", headers=PERSON))
        assert data["instance"]["reason"]["code"] == "app_not_installed"

    async def test_a_name_with_markup_stays_text(self, get: Fetch, manager: AppsManager) -> None:
        evil = "</script><script>alert(1)</script>"
        manager.registry._apps["fake"] = FakeApp("fake", title=evil)
        body = (await get("fake/", headers=STRANGER)).body.decode()
        assert evil not in body
        assert page_data(await get("fake/", headers=STRANGER))["title"] == evil


class TestAsking:
    """What pages do by themselves."""

    @pytest.mark.parametrize(
        "options",
        [
            {"headers": SCRIPTED},
            {"headers": {"Sec-Purpose": "prefetch", **PERSON}},
            {"headers": PERSON, "method": "POST", "body": "x"},
            {"headers": {}},
        ],
    )
    async def test_is_refused_and_starts_nothing(
        self, get: Fetch, manager: AppsManager, options: dict[str, Any], logged: list[str]
    ) -> None:
        response = await get("fake/x", **options)
        assert response.code == 503
        assert response.headers["Content-Type"] == "application/json"
        assert told(response) == {
            "code": "app_not_running",
            "message": "fake does not run. Open its address in the browser to start it.",
            "params": {"name": "fake"},
            "reason": "Service Unavailable",
        }
        assert manager.instance("fake").state == "stopped"
        # A page that was left open asks for ever.
        assert not [line for line in logged if line.startswith("503 ")]

    async def test_by_websocket_is_refused_before_the_upgrade(
        self, jp_ws_fetch: Any, manager: AppsManager
    ) -> None:
        with pytest.raises(HTTPClientError) as caught:
            await jp_ws_fetch("fake/socket")
        assert caught.value.code == 503
        assert manager.instance("fake").state == "stopped"

    async def test_does_not_bring_back_what_was_stopped(
        self, get: Fetch, jp_ws_fetch: Any, manager: AppsManager, running: Any
    ) -> None:
        await running("fake")
        socket: WebSocketClientConnection = await jp_ws_fetch("fake/socket")
        await socket.write_message("hello")
        assert await socket.read_message() == "hello"
        instance = manager.instance("fake")
        instance.stop()
        assert await socket.read_message() is None  # closed
        socket.close()
        for _ in range(5):  # as the page's code tries again
            assert (await get("fake/x", headers=SCRIPTED)).code == 503
            with pytest.raises(HTTPClientError):
                await jp_ws_fetch("fake/socket")
        await until_settled(instance)
        assert instance.state == "stopped"

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"])
    async def test_what_runs_gets_every_request_as_it_is(
        self, get: Fetch, running: Any, method: str
    ) -> None:
        await running("fake")
        body = "some text" if method in ("POST", "PUT", "PATCH") else None
        response = await get("fake/a%20b/%C5%BE", method=method, body=body, headers=SCRIPTED)
        assert response.code == 200
        if method != "HEAD":
            answer = told(response)
            assert (answer["method"], answer["path"]) == (method, "/a%20b/%C5%BE")
            assert answer["body"] == (body or "")

    async def test_a_program_that_has_just_died_is_told_from_one_that_does_not_answer(
        self, get: Fetch, manager: AppsManager, running: Any
    ) -> None:
        await running("fake")
        instance = manager.instance("fake")
        os.unlink(instance.socket)  # noqa: PTH108
        response = await get("fake/", headers=SCRIPTED)
        assert (response.code, told(response)["code"]) == (502, "app_not_answering")
        assert "fake does not answer" in told(response)["message"]
        await get("fake/", headers=SCRIPTED)

    async def test_whoever_leaves_while_it_is_decided_asks_the_program_nothing(
        self, get: Fetch, running: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await running("fake")
        decided: list[AppProxyHandler] = []
        let_through = AppProxyHandler._let_through

        def leave(self: AppProxyHandler, instance: Any, rest: str) -> None:
            let_through(self, instance, rest)
            decided.append(self)
            self.on_connection_close()

        monkeypatch.setattr(AppProxyHandler, "_let_through", leave)
        await get("fake/", headers=SCRIPTED)
        assert [handler._passing for handler in decided] == [None]

    async def test_whoever_leaves_before_the_answer_ends_it_at_the_program(
        self,
        listening: ServerApp,
        jp_auth_header: dict[str, str],
        manager: AppsManager,
        running: Any,
        short_path: Path,
    ) -> None:
        await running("fake")
        asked, left = asyncio.Event(), asyncio.Event()

        async def never_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()
            await reader.read()
            left.set()
            writer.close()

        path = str(short_path / "socket")
        manager.instance("fake").socket = path
        url = f"http://127.0.0.1:{listening.port}{listening.base_url}fake/x"
        async with (
            await asyncio.start_unix_server(never_answers, path),
            httpx.AsyncClient(headers=jp_auth_header, trust_env=False) as client,
        ):
            waits = asyncio.ensure_future(client.get(url))
            await asked.wait()
            waits.cancel()
            await asyncio.wait_for(left.wait(), 10)


class TestPlaces:
    async def test_a_program_that_needs_its_whole_address_gets_it(
        self, get: Fetch, running: Any
    ) -> None:
        await running("whole")
        assert told(await get("whole/x", headers=SCRIPTED))["path"] == "/a%40b/whole/x"

    async def test_one_at_a_port_is_reached_too(self, get: Fetch, running: Any) -> None:
        await running("port")
        assert told(await get("port/x", headers=SCRIPTED))["path"] == "/x"

    async def test_whoever_has_the_same_port_at_another_address_hears_nothing(
        self, get: Fetch, jp_ws_fetch: Any, manager: AppsManager, running: Any
    ) -> None:
        heard: list[bytes] = []

        async def listens(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.readline())
            writer.close()

        for ident in ("port", "rawport"):
            await running(ident)
            port = manager.instance(ident).port
            async with await asyncio.start_server(listens, "::1", port):
                for _ in range(4):  # some take turns
                    if ident == "port":
                        assert (await get("port/x", headers=SCRIPTED)).code == 200
                    socket: WebSocketClientConnection = await jp_ws_fetch(f"{ident}/socket")
                    socket.close()
        assert heard == []

    async def test_what_browsers_do_not_send_arrives_all_the_same(
        self, listening: ServerApp, jp_auth_header: dict[str, str], running: Any
    ) -> None:
        await running("fake")
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        token = jp_auth_header["Authorization"]
        asked = f"{listening.base_url}fake/a#ž?q=é#b".encode()
        writer.write(b"GET " + asked + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n")
        writer.write(f"Authorization: {token}\r\n\r\n".encode())
        answer = json.loads((await reader.read()).partition(b"\r\n\r\n")[2])
        assert answer["path"] == "/a%23%C5%BE?q=%C3%A9%23b"
        writer.close()

    async def test_a_byte_stream_crosses_a_websocket(
        self, get: Fetch, jp_ws_fetch: Any, running: Any
    ) -> None:
        await running("raw")
        socket: WebSocketClientConnection = await jp_ws_fetch("raw/socket")
        await socket.write_message(b"GET /raw HTTP/1.1\r\n", binary=True)
        await socket.write_message(b"Connection: close\r\n\r\n", binary=True)
        answer = await socket.read_message()
        assert isinstance(answer, bytes)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        socket.close()

    async def test_a_websocket_that_is_closed_on_one_side_is_closed_on_the_other(
        self, jp_ws_fetch: Any, running: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        """Also if something is to be said into it before that is known."""
        await running("fake")
        opened: list[AppProxyHandler] = []
        begin = AppProxyHandler.open

        async def open_(self: AppProxyHandler, *args: Any, **options: Any) -> None:
            opened.append(self)
            await begin(self, *args, **options)

        async def connected() -> WebSocketClientConnection:
            socket: WebSocketClientConnection = await jp_ws_fetch("fake/socket")
            await socket.write_message("x")
            assert await socket.read_message() == "x"
            return socket

        monkeypatch.setattr(AppProxyHandler, "open", open_)
        socket = await connected()
        monkeypatch.setattr(opened[0].ws, "write_message", refuses)
        await socket.write_message("y")
        assert await socket.read_message() is None
        socket.close()

        socket = await connected()
        monkeypatch.setattr(opened[1].ws_connection, "write_message", refuses)
        await opened[1].write_message("y")
        assert opened[1].ws.protocol is None  # which is how it is closed
        socket.close()
        assert "Uncaught" not in caplog.text

    async def test_each_folder_has_its_own(
        self, get: Fetch, manager: AppsManager, jp_root_dir: Path
    ) -> None:
        urls = []
        for name in ("first", "ž second 'one'"):
            (jp_root_dir / name).mkdir()
            address = await manager.open("many", name, show=False)
            urls.append(address.url)
            await until(manager.instance(address.instance.id), "running")
        assert len(set(urls)) == 2
        for url in urls:
            answer = told(await get(url + "x", headers=SCRIPTED))
            assert answer["path"] == f"/a%40b/{url}x"

    async def test_the_address_above_lists_them(
        self, get: Fetch, manager: AppsManager, jp_root_dir: Path
    ) -> None:
        (jp_root_dir / "runs").mkdir()
        address = await manager.open("many", "runs", show=False)
        data = page_data(await get("many/", headers=PERSON))
        assert data["kind"] == "choose"
        assert data["choices"] == [
            {"id": address.instance.id, "folder": str(jp_root_dir / "runs"), "state": "starting"}
        ]

    async def test_one_of_an_earlier_server_comes_back_at_its_address(
        self, get: Fetch, manager: AppsManager, jp_root_dir: Path
    ) -> None:
        (jp_root_dir / "runs").mkdir()
        url = (await manager.open("many", "runs", show=False)).url
        await manager.supervisor.close()
        manager.supervisor._instances.clear()
        data = page_data(await get(url, headers=PERSON))
        assert data["instance"]["folder"] == str(jp_root_dir / "runs")
        assert data["instance"]["state"] == "starting"

    @pytest.mark.parametrize("url", ["many/nothing-like-it/", "many/%2e%2e/", "many/a/b/c"])
    async def test_one_that_never_was_leads_to_the_list(self, get: Fetch, url: str) -> None:
        assert page_data(await get(url, headers=PERSON))["kind"] == "choose"
        response = await get(url, headers=SCRIPTED)
        assert (response.code, told(response)["code"]) == (503, "app_not_running") or (
            response.code,
            told(response)["code"],
        ) == (404, "no_such_instance")

    async def test_other_addresses_are_not_ours(self, get: Fetch) -> None:
        for path in ("fakes", "fak", "unknown/x"):
            assert (await get(path, headers=PERSON)).code == 404


class TestWhoMay:
    async def test_nobody_who_is_not_signed_in(self, get: Fetch, manager: AppsManager) -> None:
        for headers in (PERSON, SCRIPTED):
            response = await get("fake/", headers={**headers, "Authorization": "token wrong"})
            assert response.code in (302, 403)
        assert manager.instance("fake").state == "stopped"

    async def test_nobody_whom_the_authorizer_refuses(
        self, get: Fetch, running: Any, jp_serverapp: ServerApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await running("fake")
        asked = []

        async def is_authorized(handler: Any, user: Any, action: str, resource: str) -> bool:
            asked.append((action, resource))
            return False

        monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", is_authorized)
        response = await get("fake/", headers=SCRIPTED)
        assert (response.code, told(response)["code"]) == (403, "forbidden")
        assert asked == [("execute", "einfra-apps")]

    async def test_a_guest_uses_what_runs_and_starts_nothing(
        self, get: Fetch, running: Any, manager: AppsManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("JUPYTERHUB_USER", "the-owner")
        assert page_data(await get("fake/", headers=PERSON))["kind"] == "guest"
        assert manager.instance("fake").state == "stopped"
        # Not even which folders were opened.
        data = page_data(await get("many/", headers=PERSON))
        assert (data["kind"], data["choices"], data["instance"]) == ("guest", [], None)
        await running("fake")
        assert (await get("fake/", headers=SCRIPTED)).code == 200


async def test_a_feature_that_could_not_start_opens_nothing(
    get: Fetch, jp_serverapp: ServerApp, manager: AppsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = Reason(code="feature_failed", message="It could not start.", params={})
    failed = FeatureStatus(name="apps", state="failed", reason=reason)
    monkeypatch.setitem(jp_serverapp.web_app.settings[STATUSES], "apps", failed)
    for headers in (PERSON, SCRIPTED):
        response = await get("fake/", headers=headers)
        assert (response.code, told(response)["code"]) == (404, "feature_failed")
    assert manager.instance("fake").state == "stopped"


class TestBesideTheProxy:
    """jupyter-server-proxy is loaded, with a server of another package for the same program."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        vendor = {"command": ["false"], "launcher_entry": {"title": "Vendor's"}}
        return {
            **jp_server_config,
            "ServerApp": {
                "jpserver_extensions": {"jupyter_einfra": True, "jupyter_server_proxy": True}
            },
            "ServerProxy": {"servers": {"code-server": vendor, "fake": vendor, "theirs": vendor}},
        }

    async def test_its_classes_are_those_that_ours_stand_on(self) -> None:
        """Ours rely on more than is promised; this tells when it changes."""
        assert AppProxyHandler.__mro__[3:5] == (jsp.NamedLocalProxyHandler, jsp.LocalProxyHandler)
        assert AppRawSocketHandler.__mro__[3] is RawSocketHandler
        assert RawSocketHandler.__mro__[1] is jsp.NamedLocalProxyHandler
        for name in (
            "prepare",
            "proxy",
            "proxy_open",
            "http_get",
            "open",
            "_record_activity",
            "check_xsrf_cookie",
        ):
            assert callable(getattr(jsp.NamedLocalProxyHandler, name))
        assert "prepare" in jsp.ProxyHandler.__dict__
        handler = jsp.NamedLocalProxyHandler
        for attribute in ("unix_socket", "port", "mappath"):
            assert hasattr(handler, attribute)

    async def test_our_addresses_come_before_its_own(
        self, jp_serverapp: ServerApp, get: Fetch, running: Any
    ) -> None:
        assert servers_of(jp_serverapp.web_app) is not None  # it is there
        await running("fake")
        assert told(await get("fake/x", headers=SCRIPTED))["path"] == "/x"

    async def test_tiles_of_others_for_our_programs_are_gone(
        self, get: Fetch, manager: AppsManager
    ) -> None:
        manager.registry._apps["vscode"] = FakeApp("vscode", vendor_names=("code-server",))
        manager.registry.look()
        answer = told(await get("server-proxy/servers-info"))
        assert [server["name"] for server in answer["server_processes"]] == ["theirs"]

    async def test_those_for_programs_that_we_do_not_find_stay(
        self, get: Fetch, manager: AppsManager
    ) -> None:
        missing = FakeApp("vscode", vendor_names=("code-server",), program=None)
        manager.registry._apps["vscode"] = missing
        manager.registry.look()
        answer = told(await get("server-proxy/servers-info"))
        names = [server["name"] for server in answer["server_processes"]]
        assert names == ["code-server", "theirs"]

    async def test_their_addresses_lead_to_ours(self, get: Fetch, manager: AppsManager) -> None:
        manager.registry._apps["vscode"] = FakeApp("vscode", vendor_names=("code-server",))
        manager.registry.look()
        for path, ours in (
            ("code-server/", "vscode/"),
            ("code-server", "vscode/"),
            ("code-server/a/b?folder=%2Fx", "vscode/a/b?folder=%2Fx"),
        ):
            response = await get(path, headers=PERSON)
            assert (response.code, response.headers["Location"]) == (302, f"/a%40b/{ours}")


async def test_without_the_proxy_its_list_of_tiles_is_not_there_either(get: Fetch) -> None:
    assert (await get("server-proxy/servers-info")).code == 404
    assert ServersInfoHandler.get is not None


async def test_a_program_that_is_killed_from_outside_is_started_again(
    manager: AppsManager, running: Any, get: Fetch
) -> None:
    await running("fake")
    pid = told(await get("fake/", headers=SCRIPTED))["pid"]
    os.kill(pid, signal.SIGSEGV)
    instance = manager.instance("fake")
    await until(instance, "starting")
    await until(instance, "running")
    assert told(await get("fake/", headers=SCRIPTED))["pid"] != pid
