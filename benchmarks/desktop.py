"""The desktop: from the click to a picture, and from a key to changed pixels.

Typing goes the same way twice, by the same client: straight to the X server's socket, and
through this server's WebSocket. What differs is what we add.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Page
from servers.browser import chromium
from servers.lab import LabServer
from servers.lab_page import open_lab, start_lab
from servers.process import wait_until
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_einfra.apps.desktop import SESSION

from .figures import Figure, median, spread
from .rfb import Client

_SESSION = """#!/bin/sh
exec openbox --startup "xterm -fa 'DejaVu Sans Mono' -fs 12 -geometry 80x24+60+60 +bc -e cat"
"""

_SHOWN = """() => {
  const canvas = document.querySelector('main canvas');
  return document.body.dataset.state === 'connected'
    && canvas.getContext('2d').getImageData(300, 200, 1, 1).data[0] > 200;
}"""

_KEYS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Size:
    """How much is measured; one more click warms everything up and is thrown away."""

    clicks: int = 7
    keys: int = 200


def measure(directory: Path, size: Size) -> list[Figure]:
    """Open the desktop again and again, then type on the last one."""
    session = directory / "session"
    session.write_text(_SESSION)
    session.chmod(0o755)
    with start_lab(directory, env={SESSION: str(session)}) as lab:
        with chromium() as browser:
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            page.set_default_timeout(60_000)
            clicks = [_click(lab, page) for _ in range(size.clicks + 1)][1:]
        taken = asyncio.run(_type(lab, size.keys))
    added = median(taken["through us"]) - median(taken["direct"])
    return [
        Figure(
            "the desktop's terminal is seen, from the click in Lab",
            median(clicks),
            "ms",
            2000,
            note=spread(clicks, "ms"),
        ),
        *(
            Figure(
                f"from a key to changed pixels, {way}",
                median(values),
                "ms",
                note=_quantiles(values),
            )
            for way, values in taken.items()
        ),
        Figure("of that we add, of the medians", added, "ms", 15),
    ]


def _click(lab: LabServer, page: Page) -> float:
    """Start it by its tile; return the milliseconds until the terminal is seen."""
    open_lab(page, lab)
    tile = page.locator(".jp-LauncherCard", has_text="Desktop")
    tile.wait_for()
    begun = time.perf_counter()
    tile.click()
    page.wait_for_selector(".jp-EinfraApps-frame iframe")
    content = page.main_frame.child_frames[0]
    content.wait_for_function(_SHOWN, polling=20)
    taken = (time.perf_counter() - begun) * 1000
    _do(lab, "stop")
    wait_until("it stopped", lambda: _state(lab) == "stopped")
    return taken


def _do(lab: LabServer, act: str) -> None:
    lab.api("POST", f"jupyter-einfra/apps/{act}", json={"id": "desktop"}).raise_for_status()


def _state(lab: LabServer) -> str:
    apps = lab.api("GET", "jupyter-einfra/apps").raise_for_status().json()["apps"]
    (app,) = [app for app in apps if app["name"] == "desktop"]
    return str(app["instances"][0]["state"])


async def _type(lab: LabServer, keys: int) -> dict[str, list[float]]:
    """Type in both ways in turns, on one desktop."""
    _do(lab, "start")
    wait_until("it ran", lambda: _state(lab) == "running")
    ways = {"direct": _direct(lab), "through us": _through_us(lab)}
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(4):
        for way, connect in ways.items():
            async with connect() as client:
                for number in range(keys // 4 + 1):
                    value = await client.type(ord(_KEYS[(number + turn) % len(_KEYS)]))
                    if number:  # the first one wakes it
                        taken[way].append(value * 1000)
    return taken


def _direct(lab: LabServer) -> Callable[[], AbstractAsyncContextManager[Client]]:
    """Connect to the X server's socket."""
    path = next(
        word
        for process in psutil.Process(lab.pid).children(recursive=True)
        for word in process.cmdline()
        if word.endswith("/socket")
    )

    @asynccontextmanager
    async def connect() -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_unix_connection(path)

        async def write(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        client = Client(reader.readexactly, write)
        await client.begin()
        yield client
        await client.end()
        writer.close()

    return connect


def _through_us(lab: LabServer) -> Callable[[], AbstractAsyncContextManager[Client]]:
    """Connect as the page does."""
    url = f"ws://127.0.0.1:{lab.port}/desktop/websockify"

    @asynccontextmanager
    async def connect() -> AsyncIterator[Client]:
        headers = {"Authorization": f"token {lab.token}"}
        socket = await websocket_connect(HTTPRequest(url, headers=headers))
        rest = b""

        async def read(size: int) -> bytes:
            nonlocal rest
            parts = [rest]
            there = len(rest)
            while there < size:
                message = await socket.read_message()
                assert isinstance(message, bytes), "the connection was closed"
                parts.append(message)
                there += len(message)
            data = b"".join(parts)
            rest = data[size:]
            return data[:size]

        async def write(data: bytes) -> None:
            await socket.write_message(data, binary=True)

        client = Client(read, write)
        await client.begin()
        yield client
        await client.end()
        socket.close()

    return connect


def _quantiles(values: list[float]) -> str:
    ordered = sorted(values)
    return f"p95: {ordered[int(len(ordered) * 0.95)]:.1f} ms, {len(ordered)} keys"
