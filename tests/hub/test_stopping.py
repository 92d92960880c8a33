"""Whether a server may stop itself is the hub's to say, and its owner's to use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from servers.hub import RealHub
from servers.process import wait_until

#: As an operator would: alice's server may stop itself, nobody else's.
GRANT = """
def scopes(spawner):
    granted = ["users:activity!user", "access:servers!server"]
    if spawner.user.name == "alice":
        granted.append("delete:servers!server")
    return granted

c.Spawner.server_token_scopes = scopes
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    """Give alice, who shares hers with bob, and carol a server each."""
    env = {"JUPYTER_EINFRA_IDLE_POLICY": "2026-docs"}
    with RealHub(
        tmp_path_factory.mktemp("hub"), users=["alice", "bob", "carol"], config=GRANT, env=env
    ) as running:
        running.start_server("carol")
        running.start_server("alice")
        running.share("alice", with_user="bob")
        yield running


def ask(hub: RealHub, method: str, user: str, path: str, by: str | None = None) -> httpx.Response:
    token = hub.token_for(by or user)
    return hub.ask(user, method, f"jupyter-einfra/{path}", token=token)


def told(hub: RealHub, user: str) -> dict[str, Any]:
    reply = ask(hub, "GET", user, "idle/stop").raise_for_status().json()
    return {"may_stop": reply["may_stop"], "code": reply["reason"] and reply["reason"]["code"]}


def servers(hub: RealHub, user: str) -> dict[str, Any]:
    found: dict[str, Any] = hub.api("GET", f"users/{user}").raise_for_status().json()["servers"]
    return found


def test_without_the_grant_it_is_told_and_the_server_stays(hub: RealHub) -> None:
    assert told(hub, "carol") == {"may_stop": False, "code": "idle_stop_not_granted"}
    reply = ask(hub, "POST", "carol", "idle/stop")
    assert (reply.status_code, reply.json()["code"]) == (409, "idle_stop_not_granted")
    assert servers(hub, "carol")[""]["ready"]


def test_those_with_whom_it_is_shared_learn_nothing_and_stop_nothing(hub: RealHub) -> None:
    for method, path in (("GET", "idle"), ("GET", "idle/stop"), ("POST", "idle/stop")):
        assert ask(hub, method, "alice", path, by="bob").status_code == 403
    assert servers(hub, "alice")[""]["ready"]


def test_with_the_grant_the_server_stops(hub: RealHub) -> None:

    def level() -> tuple[str, str | None]:
        status = ask(hub, "GET", "alice", "idle").raise_for_status().json()["status"]
        return status["level"], status["source"]

    wait_until("its history was read", lambda: level() == ("kept", "estimate"))
    assert told(hub, "alice") == {"may_stop": True, "code": None}
    # What is stopped may not get to answer.
    try:
        reply = ask(hub, "POST", "alice", "idle/stop")
        assert reply.status_code in (200, 502, 503), reply.text
    except httpx.TransportError:
        pass
    wait_until("it was gone", lambda: "" not in servers(hub, "alice"))
    assert "" in servers(hub, "carol")
