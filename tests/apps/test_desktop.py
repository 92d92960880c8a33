"""The desktop: the real TigerVNC with sessions to order, and what is at its address."""

from __future__ import annotations

import asyncio
import html
import json
import logging
import os
import re
import shutil
import signal
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from jupyter_server.serverapp import ServerApp
from servers.apps import Leavings
from servers.instances import Stage, until, until_settled
from servers.process import wait_until
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_einfra.apps.check import check
from jupyter_einfra.apps.desktop import SESSION, Desktop
from jupyter_einfra.apps.desktop import session as session_of
from jupyter_einfra.apps.handlers import APPS
from jupyter_einfra.apps.launchers.desktop_session import BRIEF_SECONDS
from jupyter_einfra.apps.manager import AppsManager
from jupyter_einfra.apps.registry import Registry
from jupyter_einfra.apps.supervision.instance import Instance
from jupyter_einfra.apps.supervision.tail import last_lines

LOG = logging.getLogger(__name__)

XVNC = shutil.which("Xtigervnc")

real = pytest.mark.skipif(XVNC is None, reason="there is no TigerVNC; `make setup` installs it")


def script(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


class TestFind:
    """With programs that only say what they are."""

    @pytest.fixture
    def look(self, tmp_path: Path) -> Callable[..., Any]:
        def found(**more: str) -> Any:
            environ = {"PATH": str(tmp_path), **more}
            registry = Registry(custom={}, disabled=(), environ=environ, log=LOG)
            registry.look()
            app = registry.get("desktop")
            assert app is not None
            return registry.found(app)

        return found

    def test_nothing_is_there(self, look: Any) -> None:
        reason = look().reason
        assert reason.code == "app_not_installed"
        assert "apt-get install" in reason.params["command"]

    def test_another_x_server_of_the_name_is_not_it(self, look: Any, tmp_path: Path) -> None:
        xvnc = script(tmp_path, "Xvnc", "echo 'Xvnc TightVNC-1.3.10'")
        script(tmp_path, "openbox", "")
        assert look().reason.code == "app_not_installed"
        # Somebody installs the right one.
        script(tmp_path, "Xvnc", "echo; echo 'Xvnc TigerVNC 1.13.1 - built 2023' >&2")
        assert look() == (xvnc, None)

    def test_what_it_is_is_asked_once(self, look: Any, tmp_path: Path) -> None:
        script(tmp_path, "Xvnc", f"echo asked >> {tmp_path}/asked; echo Xvnc TigerVNC 1.13")
        script(tmp_path, "openbox", "")
        look()
        look()
        assert (tmp_path / "asked").read_text() == "asked\n"

    def test_there_is_no_session(self, look: Any, tmp_path: Path) -> None:
        script(tmp_path, "Xtigervnc", "")
        reason = look().reason
        assert reason.code == "app_incomplete"
        assert "xfce4-session" in reason.params["programs"]
        assert "apt-get install" in reason.message

    def test_the_most_complete_session_is_taken(self, tmp_path: Path) -> None:
        openbox = script(tmp_path, "openbox", "")
        assert session_of({"PATH": str(tmp_path)}) == [openbox]
        xfce = script(tmp_path, "xfce4-session", "")
        assert session_of({"PATH": str(tmp_path)}) == [xfce]
        script(tmp_path, "mine", "")
        said = {"PATH": str(tmp_path), SESSION: "mine --with 'two words'"}
        assert session_of(said) == ["mine", "--with", "two words"]

    def test_the_session_that_the_image_names_is_not_there(self, look: Any, tmp_path: Path) -> None:
        script(tmp_path, "Xtigervnc", "")
        script(tmp_path, "openbox", "")
        reason = look(**{SESSION: "nowhere --at all"}).reason
        assert reason.code == "app_incomplete"
        assert reason.params["programs"] == "nowhere"
        assert SESSION in reason.params["command"]

    def test_the_session_that_the_image_names_is_no_command(
        self, look: Any, tmp_path: Path
    ) -> None:
        script(tmp_path, "Xtigervnc", "")
        reason = look(**{SESSION: "open 'it"}).reason
        assert reason.code == "app_unusable"
        assert SESSION in reason.message

    def test_check_says_what_to_install(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def said() -> Any:
            return next(finding for finding in check() if finding.subject == "Desktop")

        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv(SESSION, "openbox")
        assert said().status == "note"
        assert "tigervnc-standalone-server" in said().advice
        script(tmp_path, "Xtigervnc", "echo; echo 'Xvnc TigerVNC 1.12.0 - built 2023' >&2")
        assert said().status == "error"
        assert "apt-get install" in said().advice
        script(tmp_path, "openbox", "")
        assert said().status == "ok"
        assert said().found.startswith("1.12.0, ")
        script(tmp_path, "Xtigervnc", "echo 'Xvnc TigerVNC 1.7.1'")
        assert "1.8 or newer" in said().advice


@pytest.fixture
def session(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Set what the session does, as the lines of a shell script."""
    (short_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(short_path / "home"))

    def set_session(text: str) -> None:
        monkeypatch.setenv(SESSION, script(short_path, "session", text))

    set_session(f"env > {short_path}/env; exec sleep 600")
    return set_session


def setup_request(*, name: bytes = b"", cookie: bytes = b"") -> bytes:
    """Return what an X client begins with. Source: X protocol, section 8."""
    head = struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(cookie))
    return head + b"".join(part + bytes(-len(part) % 4) for part in (name, cookie))


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def exists(path: str) -> bool:
    return Path(path).exists()


def cookie_of(env: dict[str, str]) -> bytes:
    return Path(env["XAUTHORITY"]).read_bytes()[-16:]


def x_answers(display: str, **credentials: bytes) -> bool:
    """Return whether an X server lets a client in."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"/tmp/.X11-unix/X{display.lstrip(':')}")
        client.sendall(setup_request(**credentials))
        return client.recv(1) == b"\x01"


def environment_of(short_path: Path) -> dict[str, str]:
    """Return what the session has in its environment, once it has begun."""
    file = short_path / "env"
    text = wait_until("the session began", lambda: file.exists() and file.read_text())
    file.unlink()
    return dict(line.split("=", 1) for line in str(text).splitlines() if "=" in line)


def x_server(instance: Instance) -> psutil.Process:
    assert instance.guardian_pid is not None
    below = psutil.Process(instance.guardian_pid).children(recursive=True)
    return next(process for process in below if process.name() == "Xtigervnc")


@real
class TestSession:
    @pytest.fixture
    def begin(
        self, short_path: Path, leavings: Leavings, session: Any, jp_asyncio_loop: Any
    ) -> Any:
        """Start a desktop on a server of its own; all of them end with the test."""
        made: list[Stage] = []

        def start() -> Instance:
            # The folder of each server's sockets is made below this one.
            stage = Stage(short_path, leavings)
            made.append(stage)
            instance = stage.instance("desktop")
            instance.start()
            return instance

        yield start
        for stage in made:
            jp_asyncio_loop.run_until_complete(stage.close())
        assert leavings.processes() == []

    async def test_nobody_else_gets_in(self, begin: Any, short_path: Path) -> None:
        instance = begin()
        await until(instance, "running")
        env = environment_of(short_path)
        path = Path(instance.socket)
        assert mode_of(path) == 0o600
        assert mode_of(path.parent) == 0o700
        # Not over the network, ...
        below = psutil.Process(instance.guardian_pid).children(recursive=True)
        assert [c for process in below for c in process.net_connections("inet")] == []
        # ... nor over X's own socket, which is everybody's, without the cookie.
        assert mode_of(Path(env["XAUTHORITY"])) == 0o600
        assert not x_answers(env["DISPLAY"])
        assert not x_answers(env["DISPLAY"], name=b"MIT-MAGIC-COOKIE-1", cookie=bytes(16))
        assert x_answers(env["DISPLAY"], name=b"MIT-MAGIC-COOKIE-1", cookie=cookie_of(env))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(instance.socket)
            assert client.recv(12) == b"RFB 003.008\n"

    async def test_what_the_session_finds(
        self, begin: Any, short_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("LANG", "LC_ALL", "LC_CTYPE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/somebody/elses")
        monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
        monkeypatch.setenv("XDG_CONFIG_DIRS", "/etc/mine")
        instance = begin()
        await until(instance, "running")
        env = environment_of(short_path)
        assert env["LC_CTYPE"] == "C.UTF-8"
        assert "WAYLAND_DISPLAY" not in env
        if shutil.which("dbus-run-session"):
            assert env["DBUS_SESSION_BUS_ADDRESS"] != "unix:path=/somebody/elses"
        assert mode_of(Path(env["XDG_RUNTIME_DIR"])) == 0o700
        ours, theirs = env["XDG_CONFIG_DIRS"].split(":")
        assert theirs == "/etc/mine"
        # What the home has beside that is the user's own.
        locker = await asyncio.to_thread(
            Path(ours, "autostart/xfce4-screensaver.desktop").read_text
        )
        assert "Hidden=true" in locker
        assert list((short_path / "home").iterdir()) == []

    async def test_two_never_meet(self, begin: Any, short_path: Path) -> None:
        first = begin()
        await until(first, "running")
        one = environment_of(short_path)
        second = begin()
        await until(second, "running")
        other = environment_of(short_path)
        for name in ("DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR"):
            assert one[name] != other[name]
        credentials = {"name": b"MIT-MAGIC-COOKIE-1", "cookie": cookie_of(one)}
        assert x_answers(one["DISPLAY"], **credentials)
        assert not x_answers(other["DISPLAY"], **credentials)
        first.stop()
        await until(first, "stopped")
        assert second.state == "running"
        assert not exists(f"/tmp/.X11-unix/X{one['DISPLAY'].lstrip(':')}")

    @pytest.mark.parametrize(
        ("text", "how"),
        [
            ("echo 'no such theme' >&2; exit 3", "with status 3"),
            # Such as `openbox &`: what the image names has to stay.
            ("echo 'no such theme'; sleep 600 & exit 0", "with status 0"),
            ("echo 'no such theme'; kill -9 $$", "ended after"),
        ],
    )
    async def test_one_that_ends_at_once_has_failed(
        self, begin: Any, session: Any, text: str, how: str
    ) -> None:
        session(text)
        instance = begin()
        await until(instance, "failed")
        assert instance.reason is not None
        assert instance.reason.code == "app_start_failed"
        assert instance.output is not None
        await until_settled(instance)
        printed = "\n".join(last_lines(instance.output, 50))
        assert "no such theme" in printed
        assert "The session (" in printed
        assert how in printed

    async def test_to_log_out_is_to_stop(
        self, begin: Any, session: Any, short_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        session(f"env > {short_path}/env; sleep 600 & read line < {short_path}/out; exit 0")
        os.mkfifo(short_path / "out")
        instance = begin()
        await until(instance, "running")
        display = environment_of(short_path)["DISPLAY"]
        await asyncio.sleep(BRIEF_SECONDS)  # sooner, it would have failed
        (short_path / "out").write_text("\n")
        await until(instance, "stopped")
        assert instance.reason is not None
        assert instance.reason.code == "app_ended"
        await until_settled(instance)
        assert not exists(f"/tmp/.X{display.lstrip(':')}-lock")

    async def test_the_end_of_the_x_server_is_a_fault(self, begin: Any) -> None:
        instance = begin()
        await until(instance, "running")
        x_server(instance).send_signal(signal.SIGKILL)
        await until(instance, "starting")
        assert instance.reason is not None
        assert instance.reason.code == "app_restarting"
        assert instance.output is not None
        printed = "\n".join(last_lines(instance.output, 50))
        assert "The X server ended, by signal 9." in printed
        await until(instance, "running")

    async def test_an_x_server_that_cannot_start_says_so(
        self, begin: Any, short_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script(short_path, "Xtigervnc", "echo 'no room for me' >&2; exit 1")
        monkeypatch.setattr(Desktop, "find", lambda *_: str(short_path / "Xtigervnc"))
        instance = begin()
        await until(instance, "failed")
        assert instance.output is not None
        printed = "\n".join(last_lines(instance.output, 50))
        assert "no room for me" in printed
        assert "The X server did not start." in printed


PERSON = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}
SCRIPTED = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}


@real
class TestAddress:
    @pytest.fixture
    def manager(self, session: Any, leavings: Leavings, jp_serverapp: ServerApp) -> AppsManager:
        found: AppsManager = jp_serverapp.web_app.settings[APPS]
        return found

    @pytest.fixture
    def get(
        self, manager: AppsManager, listening: ServerApp, jp_auth_header: dict[str, str]
    ) -> Callable[..., Awaitable[httpx.Response]]:
        base = f"http://127.0.0.1:{listening.port}{listening.base_url}"

        async def fetch(path: str, **headers: str) -> httpx.Response:
            async with httpx.AsyncClient(timeout=20) as client:
                return await client.get(base + path, headers={**jp_auth_header, **headers})

        return fetch

    @pytest.fixture
    def open_socket(self, listening: ServerApp, jp_auth_header: dict[str, str]) -> Any:
        base = f"ws://127.0.0.1:{listening.port}{listening.base_url}"

        async def connect(path: str, **headers: str) -> Any:
            given = {**jp_auth_header, **headers}
            return await websocket_connect(HTTPRequest(base + path, headers=given))

        return connect

    @pytest.fixture
    def run(self, manager: AppsManager, jp_asyncio_loop: Any, leavings: Leavings) -> Any:
        async def start() -> Instance:
            instance = manager.instance("desktop")
            instance.start()
            await until(instance, "running")
            return instance

        yield start
        jp_asyncio_loop.run_until_complete(manager.supervisor.close())
        assert leavings.processes() == []

    async def test_its_page_is_ours(self, get: Any, run: Any) -> None:
        await run()
        reply = await get("desktop/", **PERSON)
        assert reply.status_code == 200
        assert reply.headers["Cache-Control"] == "no-store"
        policy = reply.headers["Content-Security-Policy"]
        (nonce,) = set(re.findall(r"'nonce-([^']+)'", policy))
        assert set(re.findall(r'nonce="([^"]*)"', reply.text)) == {nonce}
        for directive in ("default-src 'none'", "connect-src 'self'", "frame-ancestors 'self'"):
            assert directive in policy
        assert nonce not in (await get("desktop/", **PERSON)).text
        data = re.search(r'id="einfra-desktop-data">(.*?)</script>', reply.text)
        assert data is not None
        assert json.loads(html.unescape(data[1]))["socket"] == "websockify"

    async def test_what_it_loads_is_kept_by_browsers(self, get: Any, run: Any) -> None:
        await run()
        page = await get("desktop/", **PERSON)
        addresses = re.findall(r'(?:src|href)="(assets/[^"]+)"', page.text)
        assert sorted(address.rpartition(".")[2] for address in addresses) == ["css", "js"]
        for address in addresses:
            reply = await get(f"desktop/{address}", **SCRIPTED)
            assert reply.status_code == 200
            assert "immutable" in reply.headers["Cache-Control"]
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
            kind = {"js": "text/javascript", "css": "text/css"}[address.rpartition(".")[2]]
            assert reply.headers["Content-Type"].startswith(kind)
            # Another version's, or none of ours.
            other = re.sub("/[0-9a-f]{16}/", f"/{'0' * 16}/", address)
            for wrong in (other, address.replace("desktop.", "page.")):
                assert (await get(f"desktop/{wrong}", **SCRIPTED)).status_code == 404

    async def test_nothing_else_is_there(self, get: Any, run: Any, open_socket: Any) -> None:
        await run()
        for path in ("websockify", "vnc.html", "assets/", "assets/../desktop.html", "page.html"):
            assert (await get(f"desktop/{path}", **SCRIPTED)).status_code == 404
        with pytest.raises(HTTPClientError) as refusal:
            await open_socket("desktop/elsewhere")
        assert refusal.value.code == 404

    async def test_while_it_does_not_run(self, get: Any, open_socket: Any) -> None:
        """Its page asks whether it does; nothing starts by that."""
        reply = await get("desktop/websockify", **SCRIPTED)
        assert (reply.status_code, reply.json()["code"]) == (503, "app_not_running")
        with pytest.raises(HTTPClientError) as refusal:
            await open_socket("desktop/websockify")
        assert refusal.value.code == 503

    async def test_the_socket_carries_vnc(self, run: Any, open_socket: Any) -> None:
        await run()
        opened = await open_socket("desktop/websockify")
        assert await opened.read_message() == b"RFB 003.008\n"
        await opened.write_message(b"RFB 003.008\n", binary=True)
        assert await opened.read_message() == bytes([1, 1])  # one way in: no password
        opened.close()

    async def test_the_socket_is_for_nobody_else(
        self, run: Any, get: Any, listening: ServerApp
    ) -> None:
        await run()
        here = f"127.0.0.1:{listening.port}"
        # As a browser is known: by its cookie, which goes along with what other sites ask for.
        cookies = (await get("desktop/", **PERSON)).headers.get_list("Set-Cookie")
        cookie = "; ".join(cookie.partition(";")[0] for cookie in cookies)

        async def connect(**headers: str) -> bytes:
            url = f"ws://{here}{listening.base_url}desktop/websockify"
            opened = await websocket_connect(HTTPRequest(url, headers=headers))
            said = await opened.read_message()
            opened.close()
            assert isinstance(said, bytes)
            return said

        assert await connect(Cookie=cookie, Origin=f"http://{here}") == b"RFB 003.008\n"
        for headers in ({"Origin": "https://elsewhere.example", "Cookie": cookie}, {}):
            with pytest.raises(HTTPClientError) as refusal:
                await connect(**headers)
            assert refusal.value.code == 403
