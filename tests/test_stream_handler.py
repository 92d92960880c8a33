"""The stream over HTTP: snapshot first, access checked and checked again, clean ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from jupyter_server.auth import Authorizer, IdentityProvider
from jupyter_server.serverapp import ServerApp

from jupyter_einfra import __version__
from jupyter_einfra.stream import EinfraStream, Topic
from jupyter_einfra.stream_handler import STREAM

Refused = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]


@pytest.fixture
def stream(listening: ServerApp) -> EinfraStream:
    found: EinfraStream = listening.web_app.settings[STREAM]
    found.add_topic(Topic("news", "demo", kind="event"))
    found.add_topic(Topic("diary", "demo", owner_only=True))
    return found


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a state, ten seconds at most."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to be")


async def test_the_snapshot_comes_first_and_the_latest_state_follows(
    stream: EinfraStream, open_stream: Any
) -> None:
    async with open_stream("?topics=usage") as events:
        snapshot = await events.next()
        usage = await events.next()
    assert snapshot["type"] == "snapshot"
    assert snapshot["version"] == __version__
    assert snapshot["topics"] == ["usage"]
    assert snapshot["features"] == [
        {"name": name, "state": "on", "reason": None}
        for name in ("usage", "apps", "idle", "activity")
    ]
    assert snapshot["refused"] == []
    assert usage["type"] == "usage"
    assert usage["id"] is None


async def test_numbers_come_at_the_watched_pace_and_the_server_sees_who_watches(
    stream: EinfraStream, open_stream: Any
) -> None:
    async with open_stream("?topics=usage") as events:
        while (await events.next("usage"))["interval_seconds"] != 1.0:
            pass
        assert len(stream._readers) == 1
    await until(lambda: not stream._readers)


async def test_topics_left_out_means_all_that_may_be_read(
    stream: EinfraStream, open_stream: Any
) -> None:
    async with open_stream() as events:
        assert (await events.next())["topics"] == [
            "activity",
            "apps",
            "diary",
            "idle",
            "news",
            "notices",
            "usage",
            "usage-details",
        ]


async def test_an_unknown_topic_is_refused_and_the_rest_is_sent(
    stream: EinfraStream, open_stream: Any
) -> None:
    async with open_stream("?topics=usage,gone") as events:
        snapshot = await events.next()
    assert snapshot["topics"] == ["usage"]
    [refusal] = snapshot["refused"]
    assert (refusal["topic"], refusal["reason"]["code"]) == ("gone", "unknown_topic")


async def test_what_is_the_owners_alone_is_refused_to_others(
    stream: EinfraStream, open_stream: Any, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "alice")
    async with open_stream("?topics=usage,diary") as events:
        snapshot = await events.next()
    assert snapshot["topics"] == ["usage"]
    assert snapshot["refused"][0]["reason"]["code"] == "forbidden"
    async with open_stream() as events:
        assert "diary" not in (await events.next())["topics"]
    code, _ = await refused("jupyter-einfra", "stream", params={"topics": "diary"})
    assert code == 403


async def test_a_list_of_topics_has_an_end(stream: EinfraStream, refused: Refused) -> None:
    topics = ",".join(f"t{number}" for number in range(51))
    code, body = await refused("jupyter-einfra", "stream", params={"topics": topics})
    assert (code, body["params"]) == (400, {"parameter": "topics"})


async def test_missed_events_come_again_after_a_reconnect(
    stream: EinfraStream, open_stream: Any
) -> None:
    async with open_stream("?topics=news") as events:
        await events.next("snapshot")
        stream.publish("news", b'{"type":"news","n":1}')
        first = await events.next("news")
    stream.publish("news", b'{"type":"news","n":2}')
    async with open_stream("?topics=news", {"Last-Event-ID": first["id"]}) as events:
        snapshot = await events.next()
        assert snapshot["events_lost"] is False
        assert (await events.next("news"))["n"] == 2


@pytest.mark.parametrize("header", ["99", "x", "-1", "1e3", "9" * 400])
async def test_an_id_nobody_gave_out_does_no_harm(
    stream: EinfraStream, open_stream: Any, header: str
) -> None:
    async with open_stream("?topics=news", {"Last-Event-ID": header}) as events:
        snapshot = await events.next()
    assert snapshot["events_lost"] is (header == "99")


class TestPace:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        stream = {"heartbeat_seconds": 0.1, "max_readers": 2, "stall_seconds": 0.3}
        return {**jp_server_config, "EinfraStream": stream}

    async def test_silence_is_filled_with_comments(
        self, stream: EinfraStream, open_stream: Any
    ) -> None:
        async with open_stream("?topics=news") as events:
            await events.next("snapshot")
            await until(lambda: events.comments >= 2)

    async def test_too_many_streams_are_refused_in_words(
        self, stream: EinfraStream, open_stream: Any, refused: Refused
    ) -> None:
        async with open_stream("?topics=news") as one, open_stream("?topics=news") as other:
            await one.next("snapshot")
            await other.next("snapshot")
            code, body = await refused("jupyter-einfra", "stream")
        assert (code, body["code"]) == (429, "too_many_streams")

    async def test_a_page_that_stops_reading_is_dropped_and_memory_stays(
        self, stream: EinfraStream, jp_serverapp: ServerApp, jp_auth_header: dict[str, str]
    ) -> None:
        token = jp_auth_header["Authorization"]
        _, writer = await asyncio.open_connection("127.0.0.1", jp_serverapp.port, limit=1024)
        path = f"{jp_serverapp.base_url}jupyter-einfra/stream?topics=news"
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {token}\r\n\r\n".encode()
        )
        await until(lambda: bool(stream._readers))
        [held] = stream._readers
        # Far more than the socket's buffers take; the client reads nothing.
        big = json.dumps({"type": "news", "x": "y" * 500_000}).encode()
        for _ in range(40):
            stream.publish("news", big)
            await asyncio.sleep(0.02)
            waiting = sum(map(len, held._events))
            assert waiting <= stream.backlog_bytes
        await until(lambda: not stream._readers)
        writer.close()


class Fickle(Authorizer):
    """Allows until it is told not to."""

    allowed = True
    asked = 0

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        type(self).asked += 1
        return type(self).allowed or resource != "einfra-usage"


class Leaving(IdentityProvider):
    """Knows its user until it is told not to, or fails as a hub that is away does."""

    behaviour = "known"
    asked = 0

    def get_user(self, handler: Any) -> Any:
        from tornado.web import HTTPError

        type(self).asked += 1
        if type(self).behaviour == "gone":
            return None
        if type(self).behaviour == "away":
            raise HTTPError(503, "The hub is away")
        return super().get_user(handler)


class TestAccessEnds:
    @pytest.fixture
    def jp_server_config(
        self, jp_server_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> dict[str, Any]:
        monkeypatch.setattr(Fickle, "allowed", True)
        monkeypatch.setattr(Leaving, "behaviour", "known")
        server = {
            **jp_server_config["ServerApp"],
            "authorizer_class": Fickle,
            "identity_provider_class": Leaving,
        }
        return {"ServerApp": server, "EinfraStream": {"reauthorize_seconds": 0.1}}

    async def test_a_stream_is_cut_when_the_authorizer_changes_its_mind(
        self, stream: EinfraStream, open_stream: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_stream("?topics=usage") as events:
            await events.next("usage")
            monkeypatch.setattr(Fickle, "allowed", False)
            await asyncio.wait_for(events.ended, 10)  # and without an error

    async def test_a_stream_of_other_topics_goes_on(
        self, stream: EinfraStream, open_stream: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_stream("?topics=news") as events:
            await events.next("snapshot")
            monkeypatch.setattr(Fickle, "allowed", False)
            seen = Fickle.asked
            await until(lambda: Fickle.asked >= seen + 3)
            stream.publish("news", b'{"type":"news"}')
            await events.next("news")

    async def test_a_stream_is_cut_when_its_user_is_signed_out(
        self, stream: EinfraStream, open_stream: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_stream("?topics=usage") as events:
            await events.next("usage")
            monkeypatch.setattr(Leaving, "behaviour", "gone")
            await asyncio.wait_for(events.ended, 10)

    async def test_a_hub_that_does_not_answer_cuts_nobody(
        self, stream: EinfraStream, open_stream: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_stream("?topics=news") as events:
            await events.next("snapshot")
            monkeypatch.setattr(Leaving, "behaviour", "away")
            seen = Leaving.asked
            await until(lambda: Leaving.asked >= seen + 3)
            stream.publish("news", b'{"type":"news"}')
            await events.next("news")


class TestTokenRevoked:
    """With Jupyter's own identity provider, which remembers whom it saw."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        return {**jp_server_config, "EinfraStream": {"reauthorize_seconds": 0.1}}

    async def test_a_stream_is_cut_when_its_token_is_revoked(
        self, stream: EinfraStream, open_stream: Any, listening: ServerApp
    ) -> None:
        async with open_stream("?topics=usage") as events:
            await events.next("usage")
            listening.identity_provider.token = "another"
            await asyncio.wait_for(events.ended, 10)
