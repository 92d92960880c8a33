"""An open Lab page looks active to the hub whatever we do; what we own is to add nothing."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Response, WebSocket
from servers.hub import RealHub
from servers.process import also_in, wait_until

#: Lab's own polls come every 10 s, and ours would not come less often than that if it
#: had any; rarer ones come when the page's clock leaps.
WATCHED_SECONDS = 25

#: As an operator would switch us off in the server and in the page.
OFF = {
    "jupyter_server_config.d/off.json": {
        "ServerApp": {"jpserver_extensions": {"jupyter_einfra": False}}
    },
    "labconfig/page_config.json": {"disabledExtensions": {"@e-infra/jupyter-einfra": True}},
}


STREAM = "GET jupyter-einfra/stream"


class Traffic:
    """What one page asked of its user's server, by method and path below the base URL."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.requests_open: list[Request] = []
        self.answered: Counter[str] = Counter()
        self.completed: set[str] = set()
        self.seen: set[str] = set()
        self.sockets: set[str] = set()
        self._base = urlsplit(base_url).path
        page.on("request", self._asked)
        page.on("response", self._answered)
        page.on("requestfinished", self._finished)
        page.on("requestfailed", self._given_up)
        page.on("websocket", self._socket)

    @property
    def open(self) -> set[str]:
        """What has been asked and is neither answered in full nor given up."""
        return {self._kind(request.method, request.url) for request in self.requests_open}

    def is_streaming(self) -> bool:
        """Whether our stream is open, once the page's latest events have been heard."""
        rest(0.2, self)
        return STREAM in self.open

    def _asked(self, request: Request) -> None:
        self.requests_open.append(request)
        self.seen.add(self._kind(request.method, request.url))

    def _answered(self, response: Response) -> None:
        # Playwright holds a request for finished only when the page has read the reply;
        # the hub's proxy has then long counted it.
        self.answered[self._kind(response.request.method, response.url)] += 1

    def _finished(self, request: Request) -> None:
        self.requests_open.remove(request)
        self.completed.add(self._kind(request.method, request.url))

    def _given_up(self, request: Request) -> None:
        self.requests_open.remove(request)

    def _socket(self, socket: WebSocket) -> None:
        self.sockets.add(self._kind("WS", socket.url))

    def _kind(self, method: str, url: str) -> str:
        # Kernels and sessions have ids; two of the same kind are told apart by nothing else.
        path = urlsplit(url).path.removeprefix(self._base)
        return f"{method} {re.sub('[0-9a-f]{8}-[0-9a-f-]{27}', 'ID', path)}"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RealHub]:
    """Give alice a server with us and anna the same server without us."""
    for name, content in OFF.items():
        file = tmp_path / "off" / name
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(content))
    off = also_in("JUPYTER_CONFIG_PATH", tmp_path / "off")
    config = f"""
def without_us_for_anna(spawner):
    if spawner.user.name == "anna":
        spawner.environment = {{**spawner.environment, **{off!r}}}

c.Spawner.pre_spawn_hook = without_us_for_anna
"""
    with RealHub(tmp_path / "hub", users=["alice", "anna"], config=config) as running:
        yield running


def test_an_open_page_with_us_completes_no_request_that_one_without_us_does_not(
    hub: RealHub, browser: Browser
) -> None:
    with_us = open_lab(browser, hub, "alice")
    without_us = open_lab(browser, hub, "anna")

    # Opening the page is the user's own act. What comes after it is not.
    rest(8, with_us, without_us)
    wait_until("the stream was open", with_us.is_streaming)
    assert STREAM not in without_us.seen
    stream = next(request for request in with_us.requests_open if "stream" in request.url)
    with_us.answered.clear()
    without_us.answered.clear()
    rest(WATCHED_SECONDS, with_us, without_us)
    assert stream in with_us.requests_open
    assert without_us.answered["GET api/kernels"] >= 2  # or nothing was watched
    adds_nothing(with_us, without_us)

    # Rare requests come soon if the page believes that much time has passed. The
    # stream's watchdog believes so too: it hangs up and connects anew.
    for traffic in (with_us, without_us):
        traffic.page.clock.fast_forward("15:00")
    rest(5, with_us, without_us)
    wait_until("the stream was open again", with_us.is_streaming)

    assert STREAM not in with_us.completed
    adds_nothing(with_us, without_us)
    assert with_us.sockets == without_us.sockets


def adds_nothing(with_us: Traffic, without_us: Traffic) -> None:
    """Compare what was answered since the last time, and begin anew."""
    del with_us.answered[STREAM]  # answered, and never to the end
    # A kind counts from the opening on: what Lab saves late on one page, such as the
    # workspace, it may have saved early on the other.
    assert set(with_us.answered) <= without_us.seen
    # Each page's polls run to a clock of its own, so one may fall out of the window.
    assert max((with_us.answered - without_us.answered).values(), default=0) <= 1
    with_us.answered.clear()
    without_us.answered.clear()


def open_lab(browser: Browser, hub: RealHub, user: str) -> Traffic:
    """Sign in, open Lab and wait until it can be used."""
    hub.start_server(user)
    page = browser.new_context().new_page()
    page.clock.install()
    traffic = Traffic(page, hub.server_url(user))
    hub.login(page, user)
    page.wait_for_selector(".jp-Launcher", timeout=60_000)
    return traffic


def rest(seconds: float, *watched: Traffic) -> None:
    """Let time pass; the pages' events are delivered only while Playwright is asked."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for traffic in watched:
            traffic.page.wait_for_timeout(200)
