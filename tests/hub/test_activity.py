"""The trap: what we do must not look like the user's activity, or no idle server is ever ended.

All clocks are turned down so far that a violation would show within the seconds that
these tests look on, and each test ends with an act that does move the same clocks.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_core.utils import ensure_event_loop
from servers.apps import SCRIPT
from servers.events import HeldStream
from servers.hub import RealHub
from servers.process import wait_until

NEVER = {"title": "Never", "command": [sys.executable, SCRIPT, "{socket}", "sleep=600"]}

LookedOn = dict[Callable[[RealHub], None], Future[None]]

#: Long for a hub that learns of activity every second, short for a test.
HELD_SECONDS = 20.0


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    """Give each test a user of its own, with a server that nobody has used.

    The servers look often whether a stream's user may still see it, and at the hub.
    """
    with RealHub(
        tmp_path_factory.mktemp("hub"),
        users=["alice", "anna", "ada", "bob"],
        args=[f"--AppsManager.custom_apps={ {'never': NEVER} }"],
        env={"JUPYTER_EINFRA_STREAM_REAUTHORIZE_SECONDS": "0.5"},
        activity_seconds=1,
        access_cache_seconds=1,
    ) as running:
        yield running


class Clocks(NamedTuple):
    """Every record of somebody's activity around one server."""

    hub_user: str
    hub_server: str
    server: str
    kernels: tuple[str, ...]


def clocks(hub: RealHub, user: str) -> Clocks:
    """Read all clocks, as a service and behind the proxy's back, which moves none."""
    activity = hub.activity(user)
    quietly = {"params": {"no_track_activity": "1"}}
    status = hub.ask_directly(user, "GET", "api/status", **quietly).raise_for_status()
    kernels = hub.ask_directly(user, "GET", "api/kernels", **quietly).raise_for_status()
    return Clocks(
        activity.user.isoformat(),
        activity.server.isoformat(),
        status.json()["last_activity"],
        tuple(kernel["last_activity"] for kernel in kernels.json()),
    )


def at_rest(hub: RealHub, user: str) -> Clocks:
    """Wait until the acts before have reached every clock: none moves for some seconds."""
    seen, since, until = clocks(hub, user), time.monotonic(), time.monotonic() + 30

    while time.monotonic() - since < 4:
        time.sleep(0.5)
        now = clocks(hub, user)
        if now != seen:
            if time.monotonic() > until:
                pytest.fail(f"something keeps moving the clocks: {seen} {now}")
            seen, since = now, time.monotonic()
    return seen


def look_on(hub: RealHub, user: str, before: Clocks, seconds: float) -> None:
    """Assert that no clock moves, and say at once which one did."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert clocks(hub, user) == before
        time.sleep(1)


def only_hold_our_stream(hub: RealHub) -> None:
    url = hub.start_server("alice")
    token = hub.token_for("alice")
    kernel = hub.ask_directly("alice", "POST", "api/kernels", json={}).raise_for_status().json()

    with HeldStream(url, token) as stream:
        # Connecting is an act of the user; what is asked is what comes after it.
        stream.wait_for("usage")
        before = at_rest(hub, "alice")
        sent = len(stream.events("usage"))
        look_on(hub, "alice", before, HELD_SECONDS)
        assert len(stream.events("usage")) > sent + HELD_SECONDS / 2
        assert not stream.ended
    look_on(hub, "alice", before, 5)

    # The same clocks do move: by one request through the proxy, though the handler
    # tracks no activity ...
    usage = hub.ask("alice", "GET", "jupyter-einfra/usage", token=token)
    assert usage.status_code == 200
    wait_until(
        "the hub's clocks had moved",
        lambda: (
            (now := clocks(hub, "alice")).hub_user > before.hub_user
            and now.hub_server > before.hub_server
        ),
    )
    assert clocks(hub, "alice").server == before.server
    # ... and by work that the kernel does.
    run_a_cell(next((hub.directory / "homes/alice").rglob(f"kernel-{kernel['id']}.json")))
    wait_until(
        "the server's clocks had moved",
        lambda: (
            (now := clocks(hub, "alice")).server > before.server and now.kernels > before.kernels
        ),
    )


def run_a_cell(connection_file: Path) -> None:
    """Run something in a kernel, as its notebook would."""
    client = BlockingKernelClient(connection_file=str(connection_file))
    client.load_connection_file()
    client.start_channels()
    try:
        client.execute("1 + 1", reply=True, timeout=20)
    finally:
        client.stop_channels()
        ensure_event_loop().close()  # the client's, of this thread


def show_a_start(hub: RealHub) -> None:
    url = hub.start_server("anna")
    token = hub.token_for("anna")
    body = {"app": "never", "path": None, "show": False}
    opened = hub.ask("anna", "POST", "jupyter-einfra/apps/open", token=token, json=body)
    assert opened.status_code == 200
    with HeldStream(url, token, path="apps/launch?id=never") as stream:
        stream.wait_for("launch")
        before = at_rest(hub, "anna")
        look_on(hub, "anna", before, HELD_SECONDS)
        assert not stream.ended
    look_on(hub, "anna", before, 3)
    # To cancel it is an act of its user.
    body = {"id": "never"}
    hub.ask("anna", "POST", "jupyter-einfra/apps/stop", token=token, json=body)
    wait_until(
        "the clocks had moved",
        lambda: (
            (now := clocks(hub, "anna")).hub_user > before.hub_user and now.server > before.server
        ),
    )


def check_an_open_stream_again(hub: RealHub) -> None:
    url = hub.start_server("ada")
    hub.share("ada", with_user="bob")
    with (
        HeldStream(url, hub.token_for("ada")) as owners,
        HeldStream(url, hub.token_for("bob")) as guests,
    ):
        owners.wait_for("usage")
        guests.wait_for("usage")
        before = at_rest(hub, "ada")
        look_on(hub, "ada", before, 10)
        # The guest's access is looked up at the hub, which records when it was. So
        # the checks do take place, and the owner's stand still because they ask nothing.
        seen = hub_user_activity(hub, "bob")
        wait_until("the guest was looked up again", lambda: hub_user_activity(hub, "bob") > seen)
        assert not owners.ended
        assert not guests.ended
    look_on(hub, "ada", before, 3)


def hub_user_activity(hub: RealHub, user: str) -> str:
    """Return when the hub last heard of a user, who may have no server."""
    return str(hub.api("GET", f"users/{user}").raise_for_status().json()["last_activity"])


@pytest.fixture(scope="module")
def looked_on(hub: RealHub) -> Iterator[LookedOn]:
    """All of the above at a time, for they do little but wait."""
    acts = (only_hold_our_stream, show_a_start, check_an_open_stream_again)
    with ThreadPoolExecutor() as threads:
        yield {act: threads.submit(act, hub) for act in acts}


def test_a_page_that_only_holds_our_stream_moves_no_clock(looked_on: LookedOn) -> None:
    looked_on[only_hold_our_stream].result()


def test_a_page_that_shows_a_start_is_no_activity(looked_on: LookedOn) -> None:
    looked_on[show_a_start].result()


def test_checking_an_open_stream_again_is_no_activity_of_the_owner(looked_on: LookedOn) -> None:
    looked_on[check_an_open_stream_again].result()
