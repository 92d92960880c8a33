"""Signed in is not enough: who may see what on a shared server, and for how long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers.events import HeldStream
from servers.hub import RealHub
from servers.lab import LabServer
from servers.process import also_in, wait_until

EXTENSIONS = Path(__file__).parent / "extensions"

#: How soon a single-user server notices that a share is gone: it looks this often, and
#: believes the hub's last answer for this long.
REAUTHORIZE_SECONDS = 0.5
CACHE_SECONDS = 1

AUTHORIZER = "--ServerApp.authorizer_class=einfra_authorizers.UsageForAlice"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    """Give alice and anna servers of their own, and bob none."""
    directory = tmp_path_factory.mktemp("sharing")
    enabled = directory / "etc/jupyter_server_config.d"
    enabled.mkdir(parents=True)
    extension = {"ServerApp": {"jpserver_extensions": {"einfra_owner_only": True}}}
    (enabled / "einfra_owner_only.json").write_text(json.dumps(extension))
    env = {
        **also_in("PYTHONPATH", EXTENSIONS),
        **also_in("JUPYTER_CONFIG_PATH", enabled.parent),
        "JUPYTER_EINFRA_STREAM_REAUTHORIZE_SECONDS": str(REAUTHORIZE_SECONDS),
    }
    with RealHub(
        directory / "hub",
        users=["alice", "anna", "bob"],
        env=env,
        access_cache_seconds=CACHE_SECONDS,
    ) as running:
        running.start_server("alice")
        running.share("alice", with_user="bob")
        yield running


@pytest.fixture
def alice(hub: RealHub) -> str:
    return hub.token_for("alice")


@pytest.fixture
def bob(hub: RealHub) -> str:
    return hub.token_for("bob")


def error(reply: httpx.Response) -> tuple[int, str]:
    """Return what a refusal says to a program."""
    body: dict[str, Any] = reply.json()
    assert set(body) == {"message", "reason", "code", "params"}
    return reply.status_code, body["code"]


def refusal(url: str, token: str, topics: str | None) -> tuple[int, str]:
    """Return what a refused stream says to a program."""
    with pytest.raises(httpx.HTTPStatusError) as caught, HeldStream(url, token, topics):
        pass
    return error(caught.value.response)


def test_a_guest_sees_what_the_shared_server_uses(hub: RealHub, bob: str) -> None:
    reply = hub.ask("alice", "GET", "jupyter-einfra/usage", token=bob)

    assert reply.status_code == 200
    assert reply.json()["memory"]["working_set_bytes"] > 0
    with HeldStream(hub.server_url("alice"), bob) as stream:
        assert stream.wait_for("snapshot")["topics"] == ["usage"]
        assert stream.wait_for("usage")["memory"]["working_set_bytes"] > 0


def test_a_guest_is_refused_what_is_the_owners_alone(hub: RealHub, alice: str, bob: str) -> None:
    for path in ("usage/history", "usage/history.csv", "apps"):
        assert error(hub.ask("alice", "GET", f"jupyter-einfra/{path}", token=bob))[0] == 403
        owners = hub.ask("alice", "GET", f"jupyter-einfra/{path}", token=alice)
        assert owners.status_code == 200
    for topic in ("notices", "usage-details", "apps"):
        assert refusal(hub.server_url("alice"), bob, topic) == (403, "forbidden")
    assert error(hub.ask("alice", "GET", "einfra-tests/secret", token=bob)) == (403, "forbidden")
    owners = hub.ask("alice", "GET", "einfra-tests/secret", token=alice)
    assert owners.json() == {"type": "secret", "secret": "for the owner alone"}


def test_a_guest_is_refused_the_topics_of_the_owner(hub: RealHub, alice: str, bob: str) -> None:
    url = hub.server_url("alice")

    assert refusal(url, bob, "secret") == (403, "forbidden")
    with HeldStream(url, bob, "usage,secret") as named, HeldStream(url, bob, None) as unnamed:
        snapshot = named.wait_for("snapshot")
        assert snapshot["topics"] == ["usage"]
        assert [(r["topic"], r["reason"]["code"]) for r in snapshot["refused"]] == [
            ("secret", "forbidden")
        ]
        assert unnamed.wait_for("snapshot")["topics"] == ["usage"]
        with HeldStream(url, alice, "secret") as owners:
            owners.wait_for("secret", more_than=2)
        assert named.events("secret") == unnamed.events("secret") == []


def test_a_stranger_is_refused_a_server_that_nobody_shared(hub: RealHub) -> None:
    anna = hub.token_for("anna")

    reply = hub.ask("alice", "GET", "jupyter-einfra/usage", token=anna)

    assert error(reply) == (403, "forbidden")
    assert refusal(hub.server_url("alice"), anna, "usage") == (403, "forbidden")


def test_an_open_stream_ends_when_the_share_is_revoked(hub: RealHub) -> None:
    url = hub.start_server("anna")
    hub.share("anna", with_user="bob")
    with (
        HeldStream(url, hub.token_for("anna")) as owners,
        HeldStream(url, hub.token_for("bob")) as guests,
    ):
        # Long enough for several checks while the share stands.
        guests.wait_for("usage", more_than=4)
        assert not guests.ended

        hub.revoke("anna", with_user="bob")

        # Due within REAUTHORIZE_SECONDS + CACHE_SECONDS, on a machine that has the time.
        wait_until("the guest's stream ended", lambda: guests.ended)
        owners.wait_for("usage", more_than=len(owners.events("usage")) + 2)
        assert not owners.ended
    assert refusal(url, hub.token_for("bob"), "usage") == (403, "forbidden")


def test_the_operators_own_authorizer_is_obeyed_under_a_hub(tmp_path: Path) -> None:
    with RealHub(
        tmp_path, users=["alice", "bob"], args=[AUTHORIZER], env=also_in("PYTHONPATH", EXTENSIONS)
    ) as hub:
        url = hub.start_server("alice")
        hub.share("alice", with_user="bob")
        assert_only_alice_sees_usage(url, hub.token_for("alice"), hub.token_for("bob"))


def test_the_operators_own_authorizer_is_obeyed_without_a_hub(tmp_path: Path) -> None:
    args = [AUTHORIZER, "--ServerApp.identity_provider_class=einfra_authorizers.NamesAsTokens"]
    with LabServer(
        tmp_path, app="server", args=args, env=also_in("PYTHONPATH", EXTENSIONS), token="alice"
    ) as server:
        assert_only_alice_sees_usage(server.url, "alice", "bob")


def assert_only_alice_sees_usage(url: str, alice: str, bob: str) -> None:
    def usage(token: str) -> httpx.Response:
        headers = {"Authorization": f"token {token}"}
        return httpx.get(f"{url}jupyter-einfra/usage", headers=headers, trust_env=False)

    assert usage(alice).status_code == 200
    with HeldStream(url, alice) as stream:
        stream.wait_for("usage")

    assert error(usage(bob)) == (403, "forbidden")
    assert refusal(url, bob, "usage") == (403, "forbidden")
    with HeldStream(url, bob, None) as stream:
        # What else there is depends on whether bob is a guest, or there are none.
        assert set(stream.wait_for("snapshot")["topics"]) <= {"activity", "apps", "idle"}
    with HeldStream(url, bob, "usage,nothing") as stream:
        refused = stream.wait_for("snapshot")["refused"]
        assert {r["topic"]: r["reason"]["code"] for r in refused} == {
            "usage": "forbidden",
            "nothing": "unknown_topic",
        }
