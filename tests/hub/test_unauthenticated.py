"""Under a hub nobody without credentials learns anything from us, not even what there is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from servers.hub import RealHub

from jupyter_einfra.base import NAMESPACE
from jupyter_einfra.openapi import METHODS, handlers

ENDPOINTS = [
    (method, f"{NAMESPACE}/{path}")
    for path, handler in handlers()
    for method in METHODS
    if hasattr(getattr(handler, method), "endpoint")
]


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a hub and give the address of a running server."""
    with RealHub(tmp_path_factory.mktemp("hub")) as hub:
        url = hub.start_server("alice")
        # The refusals below are worth something only if there is something to refuse.
        usage = hub.ask("alice", "GET", f"{NAMESPACE}/usage", token=hub.token_for("alice"))
        assert usage.status_code == 200
        yield url


def assert_refused(url: str, method: str, headers: dict[str, str] | None = None) -> None:
    client = httpx.Client(trust_env=False)
    # Only a refusal is read to its end: a stream that is let in has none.
    with client, client.stream(method.upper(), url, headers=headers) as reply:
        assert reply.status_code == 403
        assert json.loads(reply.read())["code"] == "forbidden"


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("headers", [None, {"Authorization": "token made-up"}])
def test_every_endpoint_refuses_whoever_is_not_signed_in(
    server_url: str, method: str, path: str, headers: dict[str, str] | None
) -> None:
    assert_refused(server_url + path, method, headers)


def test_addresses_without_a_feature_are_not_told_apart(server_url: str) -> None:
    assert_refused(f"{server_url}{NAMESPACE}/no-such-feature", "get")
    assert_refused(f"{server_url}{NAMESPACE}", "get")
