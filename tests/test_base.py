"""What every handler does the same: access, queries, errors, activity."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
import pytest
from jupyter_server.auth import Authorizer
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from jupyter_einfra.base import EinfraHandler, endpoint
from jupyter_einfra.errors import EinfraError
from jupyter_einfra.models import ErrorBody
from jupyter_einfra.openapi import METHODS, handlers

Refused = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]


class DemoQuery(msgspec.Struct, kw_only=True):
    count: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    name: str | None = None


class Demo(msgspec.Struct):
    value: int


class DemoHandler(EinfraHandler):
    auth_resource = "einfra-demo"

    @endpoint(action="read", returns=Demo, query=DemoQuery)
    async def get(self, *, query: DemoQuery) -> Demo:
        """Count."""
        if query.name == "fault":
            raise RuntimeError("secret detail")
        if query.name == "refuse":
            raise EinfraError("100 % refused", why=1)
        return Demo(query.count)

    @endpoint(action="execute", returns=Demo, owner_only=True)
    async def post(self) -> Demo:
        """Act."""
        return Demo(0)


@pytest.fixture
def demo(listening: ServerApp) -> ServerApp:
    listening.web_app.add_handlers(
        ".*$", [(listening.base_url + "jupyter-einfra-demo", DemoHandler)]
    )
    return listening


async def raw(server: ServerApp, path: str, method: str = "GET", **kwargs: Any) -> HTTPResponse:
    """Ask without credentials or anything else that the fixtures would add."""
    url = f"http://127.0.0.1:{server.port}{server.base_url}{path}"
    body = b"" if method in {"POST", "PUT", "PATCH"} else None
    return await AsyncHTTPClient().fetch(
        url, method=method, body=body, raise_error=False, allow_nonstandard_methods=True, **kwargs
    )


ALL_PATHS = [*(f"jupyter-einfra/{path}" for path, _ in handlers()), "jupyter-einfra/nothing"]


@pytest.mark.parametrize("method", [m.upper() for m in METHODS] + ["HEAD"])
@pytest.mark.parametrize("path", ALL_PATHS)
async def test_nobody_who_is_not_signed_in_gets_anything(
    listening: ServerApp, path: str, method: str
) -> None:
    reply = await raw(listening, path, method)
    assert reply.code == 403
    if method != "HEAD":
        assert msgspec.json.decode(reply.body, type=ErrorBody).code == "forbidden"


@pytest.mark.parametrize("path", ALL_PATHS)
async def test_a_preflight_tells_a_stranger_nothing(listening: ServerApp, path: str) -> None:
    reply = await raw(listening, path, "OPTIONS")
    assert reply.code in {200, 204}
    assert reply.body == b""


@pytest.mark.parametrize("path", ALL_PATHS)
async def test_a_wrong_token_is_no_token(listening: ServerApp, path: str) -> None:
    reply = await raw(listening, path, headers={"Authorization": "token wrong"})
    assert reply.code == 403


def test_every_method_of_every_handler_asks_the_authorizer() -> None:
    for path, handler in handlers():
        own = [m for m in METHODS if getattr(handler, m) is not getattr(EinfraHandler, m)]
        assert own, path
        for method in own:
            assert getattr(handler, method).endpoint.action in {"read", "write", "execute"}
        assert handler.auth_resource.startswith("einfra-")


class Nobody(Authorizer):
    """Lets nobody do anything of ours, and remembers what was asked."""

    asked: list[tuple[str, str]] = []  # noqa: RUF012 - traitlets owns the constructor

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        self.asked.append((action, resource))
        return not resource.startswith("einfra")


class TestAuthorizer:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        Nobody.asked.clear()
        server = {**jp_server_config["ServerApp"], "authorizer_class": Nobody}
        return {**jp_server_config, "ServerApp": server}

    @pytest.mark.parametrize(
        ("path", "method", "action"),
        [
            (path, method.upper(), getattr(handler, method).endpoint.action)
            for path, handler in handlers()
            for method in METHODS
            if hasattr(getattr(handler, method), "endpoint")
        ],
    )
    async def test_being_signed_in_is_not_enough(
        self, jp_serverapp: ServerApp, refused: Refused, path: str, method: str, action: str
    ) -> None:
        sent = {} if method in ("GET", "DELETE") else {"body": "{}"}
        code, body = await refused("jupyter-einfra", path, method=method, **sent)
        assert (code, body["code"]) == (403, "forbidden")
        assert (action, f"einfra-{path.partition('/')[0]}") in Nobody.asked

    async def test_the_action_is_the_endpoints_own(self, demo: ServerApp, refused: Refused) -> None:
        await refused("jupyter-einfra-demo", method="POST", body="")
        await refused("jupyter-einfra-demo")
        assert Nobody.asked == [("execute", "einfra-demo"), ("read", "einfra-demo")]


async def test_a_reply_is_json_and_not_kept(demo: ServerApp, jp_fetch: Any) -> None:
    reply = await jp_fetch("jupyter-einfra-demo", params={"count": 3})
    assert json.loads(reply.body) == {"value": 3}
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("count=0", "count"),
        ("count=x", "count"),
        ("count=", "count"),
        ("count=1&count=2", "count"),
        ("cuont=1", "cuont"),
        ("name=%ff", "name"),
    ],
)
async def test_a_bad_parameter_is_named(
    demo: ServerApp, jp_auth_header: dict[str, str], query: str, parameter: str
) -> None:
    reply = await raw(demo, f"jupyter-einfra-demo?{query}", headers=jp_auth_header)
    body = msgspec.json.decode(reply.body, type=ErrorBody)
    assert (reply.code, body.code) == (400, "invalid_parameter")
    assert body.params == {"parameter": parameter}
    assert parameter in body.message


async def test_the_token_may_be_a_parameter(demo: ServerApp, jp_auth_header: Any) -> None:
    token = jp_auth_header["Authorization"].split()[1]
    reply = await raw(demo, f"jupyter-einfra-demo?token={token}")
    assert reply.code == 200


async def test_a_fault_of_ours_shows_no_detail(demo: ServerApp, refused: Refused) -> None:
    code, body = await refused("jupyter-einfra-demo", params={"name": "fault"})
    assert (code, body["code"]) == (500, "internal_error")
    assert "secret" not in json.dumps(body)
    assert set(body) == {"message", "reason", "code", "params"}


async def test_a_refusal_keeps_its_words_and_params(demo: ServerApp, refused: Refused) -> None:
    _, body = await refused("jupyter-einfra-demo", params={"name": "refuse"})
    assert body["message"] == "100 % refused"
    assert body["params"] == {"why": 1}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW", "TRACE"])
async def test_other_methods_are_refused_in_our_words(
    listening: ServerApp, jp_auth_header: dict[str, str], method: str
) -> None:
    reply = await raw(listening, "jupyter-einfra/usage", method, headers=jp_auth_header)
    assert reply.code == 405
    assert json.loads(reply.body)["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/usage/", "/usage/x", "/%ff", "/..%2fx"])
async def test_unknown_paths_are_404_in_our_words(
    listening: ServerApp, jp_auth_header: dict[str, str], path: str
) -> None:
    reply = await raw(listening, f"jupyter-einfra{path}", headers=jp_auth_header)
    expected = (400, "http_error") if path == "/%ff" else (404, "unknown_path")
    assert (reply.code, json.loads(reply.body)["code"]) == expected


async def test_answering_does_not_count_as_activity(jp_serverapp: ServerApp, jp_fetch: Any) -> None:
    await jp_fetch("api", "status")
    before = jp_serverapp.web_app.last_activity()
    await jp_fetch("jupyter-einfra", "stream", method="OPTIONS")
    for _ in range(3):
        await jp_fetch("jupyter-einfra", "usage")
    assert jp_serverapp.web_app.last_activity() == before
    await jp_fetch("api", "contents")
    assert jp_serverapp.web_app.last_activity() > before


class Other(DemoHandler):
    """Inherits a method, and has a resource of its own."""

    auth_resource = "einfra-other"


class TestInheritedMethod(TestAuthorizer):
    async def test_the_resource_is_the_handlers_own(
        self, demo: ServerApp, refused: Refused
    ) -> None:
        other = (demo.base_url + "jupyter-einfra-other", Other)
        demo.web_app.add_handlers(".*$", [other])
        await refused("jupyter-einfra-demo")
        await refused("jupyter-einfra-other")
        assert Nobody.asked == [("read", "einfra-demo"), ("read", "einfra-other")]


async def test_a_refusal_logs_no_token(
    demo: ServerApp, jp_auth_header: dict[str, str], logged: list[str]
) -> None:
    token = jp_auth_header["Authorization"].split()[1]
    reply = await raw(demo, f"jupyter-einfra-demo?token={token}&count=x")
    assert reply.code == 400
    assert token not in "\n".join(logged)


class TestOwner:
    def handler_for(self, server: ServerApp, **user: Any) -> EinfraHandler:
        handler = EinfraHandler.__new__(EinfraHandler)
        handler._current_user = type("User", (), user)()
        return handler

    async def test_without_a_hub_whoever_may_sign_in_is_the_owner(
        self, jp_serverapp: ServerApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
        assert self.handler_for(jp_serverapp, username="any").acts_for_owner()

    async def test_with_a_hub_only_the_user_of_that_name_is(
        self, jp_serverapp: ServerApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("JUPYTERHUB_USER", "alice")
        assert self.handler_for(jp_serverapp, username="alice").acts_for_owner()
        assert not self.handler_for(jp_serverapp, username="bob").acts_for_owner()
        service = {"kind": "service", "name": "alice"}
        handler = self.handler_for(jp_serverapp, username="alice", hub_user=service)
        assert not handler.acts_for_owner()

    async def test_others_are_refused_what_is_the_owners_alone(
        self, demo: ServerApp, refused: Refused, jp_fetch: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert (await jp_fetch("jupyter-einfra-demo", method="POST", body="")).code == 200
        monkeypatch.setenv("JUPYTERHUB_USER", "alice")
        code, body = await refused("jupyter-einfra-demo", method="POST", body="")
        assert (code, body["code"]) == (403, "forbidden")
        assert (await jp_fetch("jupyter-einfra-demo")).code == 200
