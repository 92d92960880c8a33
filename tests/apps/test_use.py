"""What counts as use of an application: reports of it, and nothing that a page does by itself."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from jupyter_server.serverapp import ServerApp
from servers.apps import SCRIPT, Leavings
from servers.fake_app import PAGE
from servers.instances import until
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import WebSocketClientConnection, websocket_connect

from jupyter_einfra.apps.handlers import APPS
from jupyter_einfra.apps.manager import AppsManager
from jupyter_einfra.apps.presence.element import script_element

Fetch = Callable[..., Awaitable[HTTPResponse]]

#: Where Jupyter takes it for activity.
KEY = "einfra_apps_last_activity"

SHOWN = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}


#: Has a page name its version.
TAGGED = quote('ETag: "1"')


@pytest.fixture
def jp_server_config(jp_server_config: dict[str, Any], leavings: Leavings) -> dict[str, Any]:
    command = [sys.executable, "-S", "-E", SCRIPT, "{socket}"]
    apps = {
        "fake": {"command": command},
        "raw": {"command": command, "raw_socket": True, "ready_path": None},
    }
    return {**jp_server_config, "AppsManager": {"custom_apps": apps}}


@pytest.fixture
def manager(
    jp_asyncio_loop: asyncio.AbstractEventLoop, listening: ServerApp, leavings: Leavings
) -> Iterator[AppsManager]:
    found: AppsManager = listening.web_app.settings[APPS]

    async def begin() -> None:
        await asyncio.to_thread(found.registry.look)
        for ident in ("fake", "raw"):
            found.instance(ident).start()
            await until(found.instance(ident), "running")

    jp_asyncio_loop.run_until_complete(begin())
    yield found
    jp_asyncio_loop.run_until_complete(found.supervisor.close())
    assert leavings.processes() == []


@pytest.fixture
def activity(listening: ServerApp) -> Callable[[], Any]:
    """All that Jupyter takes for activity."""
    web_app = listening.web_app

    def read() -> Any:
        keys = [key for key in web_app.settings if key.endswith("_last_activity")]
        values = [web_app.settings[key] for key in sorted(keys)]
        return web_app.last_activity(), values, dict(web_app.settings["last_activity_times"])

    return read


@pytest.fixture
def url(listening: ServerApp) -> str:
    return f"http://127.0.0.1:{listening.port}{listening.base_url}"


@pytest.fixture
def get(url: str, jp_auth_header: dict[str, str]) -> Fetch:
    async def fetch(path: str, headers: dict[str, str] | None = None, **more: Any) -> HTTPResponse:
        return await AsyncHTTPClient().fetch(
            url + path, headers={**jp_auth_header, **(headers or {})}, raise_error=False, **more
        )

    return fetch


async def report(get: Fetch, body: object, headers: dict[str, str] | None = None) -> HTTPResponse:
    return await get("jupyter-einfra/apps/used", headers, method="POST", body=json.dumps(body))


class TestReports:
    async def test_use_is_in_our_record_and_in_jupyters(
        self, get: Fetch, manager: AppsManager, activity: Callable[[], Any], listening: ServerApp
    ) -> None:
        assert manager.instance("fake").told().last_used is None
        before = activity()
        answer = await report(get, {"id": "fake"})
        assert json.loads(answer.body) == {"counted": True}
        last_used = manager.instance("fake").told().last_used
        assert last_used is not None
        assert listening.web_app.settings[KEY] == last_used
        assert activity()[0] == last_used > before[0]
        assert manager.instance("raw").told().last_used is None

    @pytest.mark.parametrize("ident", ["vscode", "fake/x", "none", ""])
    async def test_what_does_not_run_is_not_used(
        self, get: Fetch, manager: AppsManager, activity: Callable[[], Any], ident: str
    ) -> None:
        before, known = activity(), len(manager.supervisor.all())
        answer = await report(get, {"id": ident})
        assert json.loads(answer.body) == {"counted": False}
        assert activity() == before
        assert len(manager.supervisor.all()) == known

    async def test_nor_is_what_was_stopped(self, get: Fetch, manager: AppsManager) -> None:
        manager.instance("fake").stop()
        await until(manager.instance("fake"), "stopped")
        assert json.loads((await report(get, {"id": "fake"})).body) == {"counted": False}

    @pytest.mark.parametrize("body", [{}, {"id": 1}, {"id": "fake", "more": 1}, [], "fake", None])
    async def test_nonsense_is_refused(
        self, get: Fetch, manager: AppsManager, activity: Callable[[], Any], body: object
    ) -> None:
        before = activity()
        answer = await report(get, body)
        assert (answer.code, json.loads(answer.body)["code"]) == (400, "invalid_parameter")
        assert activity() == before

    async def test_strangers_count_for_nothing(
        self, url: str, manager: AppsManager, activity: Callable[[], Any]
    ) -> None:
        before = activity()
        for path, options in (
            ("jupyter-einfra/apps/used", {"method": "POST", "body": '{"id": "fake"}'}),
            ("jupyter-einfra/apps/presence.js", {}),
        ):
            answer = await AsyncHTTPClient().fetch(url + path, raise_error=False, **options)
            assert answer.code == 403
        assert activity() == before

    async def test_other_sites_cannot_make_a_browser_report(
        self, url: str, get: Fetch, manager: AppsManager, activity: Callable[[], Any]
    ) -> None:
        signed_in = await get("fake/page", SHOWN)
        cookies = [c.partition(";")[0] for c in signed_in.headers.get_list("Set-Cookie")]
        token = next(c.partition("=")[2] for c in cookies if c.startswith("_xsrf="))
        before = activity()

        async def ask(**headers: str) -> int:
            answer = await AsyncHTTPClient().fetch(
                url + "jupyter-einfra/apps/used",
                method="POST",
                body='{"id": "fake"}',
                headers={"Cookie": "; ".join(cookies), **headers},
                raise_error=False,
            )
            return answer.code

        assert await ask() == 403
        assert await ask(**{"X-XSRFToken": "made-up"}) == 403
        assert activity() == before
        assert await ask(**{"X-XSRFToken": token}) == 200
        assert activity() != before


class TestTheScript:
    async def test_comes_as_what_it_is(self, get: Fetch, manager: AppsManager) -> None:
        answer = await get("jupyter-einfra/apps/presence.js")
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "max-age" in answer.headers["Cache-Control"]
        assert b"einfraApp" in answer.body

    async def test_is_in_pages_that_are_shown(
        self, get: Fetch, manager: AppsManager, listening: ServerApp
    ) -> None:
        script = script_element(listening.base_url, "fake")
        answer = await get("fake/page", SHOWN)
        assert answer.body == PAGE.replace(b"<head>", b"<head>" + script)
        assert "Content-Length" not in answer.headers or int(
            answer.headers["Content-Length"]
        ) == len(answer.body)
        assert any("_xsrf=" in line for line in answer.headers.get_list("Set-Cookie"))
        etag = await get("fake/page?" + TAGGED, SHOWN)
        assert etag.headers["ETag"] == 'W/"1"'
        assert etag.headers["Vary"] == "Sec-Fetch-Dest, Accept"

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Dest": "empty"},
            {"Sec-Fetch-Dest": "script"},
            {**SHOWN, "Range": "bytes=0-"},
            {"Accept": "*/*"},
        ],
    )
    async def test_is_in_no_other_answer(
        self, get: Fetch, manager: AppsManager, headers: dict[str, str]
    ) -> None:
        answer = await get("fake/page?" + TAGGED, headers)
        assert answer.body == PAGE
        assert answer.headers["ETag"] == '"1"'
        assert int(answer.headers["Content-Length"]) == len(PAGE)
        assert "Vary" not in answer.headers
        assert "_xsrf" not in "".join(answer.headers.get_list("Set-Cookie"))

    async def test_is_in_no_head_of_an_answer(self, get: Fetch, manager: AppsManager) -> None:
        answer = await get("fake/page", SHOWN, method="HEAD")
        assert int(answer.headers["Content-Length"]) == len(PAGE)

    async def test_asks_the_program_for_what_is_not_packed(
        self, get: Fetch, manager: AppsManager
    ) -> None:
        for headers, asked in ((SHOWN, "identity"), ({"Sec-Fetch-Dest": "empty"}, "br, x")):
            given = {**headers, "Accept-Encoding": "br, x"}
            answer = await get("fake/x", given, decompress_response=False)
            assert json.loads(answer.body)["headers"]["accept-encoding"] == asked

    @pytest.mark.parametrize(
        ("header", "hidden"),
        [
            ("Content-Security-Policy: script-src 'nonce-x'", True),
            ("Content-Security-Policy: sandbox", True),
            ("Content-Disposition: attachment", False),
            ("Content-Encoding: br", False),
        ],
    )
    async def test_is_left_out_where_it_is_not_wanted(
        self, get: Fetch, manager: AppsManager, header: str, hidden: bool
    ) -> None:
        answer = await get(f"fake/page?{quote(header)}", SHOWN, decompress_response=False)
        assert answer.body == PAGE
        name, _, value = header.partition(": ")
        assert answer.headers[name] == value
        assert manager.instance("fake").told().hides_use is hidden


@pytest.fixture
def connected(
    url: str, jp_auth_header: dict[str, str]
) -> Callable[[str], Awaitable[WebSocketClientConnection]]:
    """Open a WebSocket."""

    async def connect(path: str) -> WebSocketClientConnection:
        address = url.replace("http", "ws", 1) + path
        return await websocket_connect(HTTPRequest(address, headers=jp_auth_header))

    return connect


class TestWhatIsNoActivity:
    async def test_requests_of_a_page(
        self, get: Fetch, manager: AppsManager, activity: Callable[[], Any]
    ) -> None:
        before = activity()
        for headers in (SHOWN, {"Sec-Fetch-Dest": "empty"}):
            for path in ("fake/", "fake/page", "fake/do?print=x"):
                assert (await get(path, headers)).code == 200
        assert (await get("fake/x", method="POST", body="x")).code == 200
        assert activity() == before

    async def test_websockets_and_their_pings(
        self,
        connected: Callable[[str], Awaitable[WebSocketClientConnection]],
        manager: AppsManager,
        activity: Callable[[], Any],
    ) -> None:
        before = activity()
        socket = await connected("fake/socket")
        await socket.write_message("hello")
        assert await socket.read_message() == "hello"
        assert socket.protocol is not None
        socket.protocol.write_ping(b"x")
        await socket.write_message("again")
        assert await socket.read_message() == "again"
        socket.close()
        assert activity() == before

    async def test_byte_streams(
        self,
        connected: Callable[[str], Awaitable[WebSocketClientConnection]],
        manager: AppsManager,
        activity: Callable[[], Any],
    ) -> None:
        before = activity()
        socket = await connected("raw/")
        await socket.write_message(b"GET /x HTTP/1.1\r\n\r\n", binary=True)
        answer = await socket.read_message()
        assert isinstance(answer, bytes)
        assert answer.startswith(b"HTTP/1.1 200")
        socket.close()
        assert activity() == before

    async def test_to_start_one_is_an_act_of_its_user(
        self, get: Fetch, manager: AppsManager, activity: Callable[[], Any]
    ) -> None:
        before = activity()
        body = json.dumps({"app": "fake", "path": None, "show": False})
        assert (await get("jupyter-einfra/apps/open", method="POST", body=body)).code == 200
        assert activity()[0] > before[0]
        assert manager.instance("fake").told().last_used is not None
