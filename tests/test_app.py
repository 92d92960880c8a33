"""Features in isolation: switched off, failing, badly configured; the server goes on."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp

from jupyter_einfra import app as app_module
from jupyter_einfra.app import EinfraApp, EinfraFeatures, Handlers, Manager
from jupyter_einfra.models import FeatureStatus

Refused = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]


def einfra(server: ServerApp) -> EinfraApp:
    found: EinfraApp = server.web_app.settings["jupyter_einfra"]
    return found


def status(server: ServerApp, feature: str = "usage") -> FeatureStatus:
    return einfra(server).statuses[feature]


async def test_every_feature_is_on_by_default(jp_serverapp: ServerApp) -> None:
    found = [(s.name, s.state) for s in einfra(jp_serverapp).statuses.values()]
    assert found == [("usage", "on"), ("apps", "on"), ("idle", "on"), ("activity", "on")]


class TestSwitchedOff:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        return {**jp_server_config, "EinfraFeatures": {"disabled_features": ["usage"]}}

    async def test_a_feature_that_is_off_says_so_and_runs_nothing(
        self, jp_serverapp: ServerApp, refused: Refused, open_stream: Any
    ) -> None:
        assert status(jp_serverapp).state == "off"
        assert list(einfra(jp_serverapp).managers) == ["apps", "idle", "activity"]
        code, body = await refused("jupyter-einfra", "usage")
        assert (code, body["code"], body["params"]) == (404, "feature_off", {"feature": "usage"})
        async with open_stream("?topics=usage") as events:
            snapshot = await events.next("snapshot")
        assert snapshot["topics"] == []
        assert snapshot["features"][0]["state"] == "off"
        assert snapshot["refused"][0]["reason"]["code"] == "feature_off"


async def test_the_environment_switches_features_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_EINFRA_DISABLED_FEATURES", "usage, idle")
    assert EinfraFeatures().disabled_features == ["usage", "idle"]


class TestUnknownSwitch:
    @pytest.fixture
    def jp_server_config(
        self, jp_server_config: dict[str, Any], logged: list[str]
    ) -> dict[str, Any]:
        return {**jp_server_config, "EinfraFeatures": {"disabled_features": ["usgae"]}}

    async def test_a_misspelt_feature_is_named_and_the_others_run(
        self, jp_serverapp: ServerApp, logged: list[str]
    ) -> None:
        assert status(jp_serverapp).state == "on"
        assert "no feature 'usgae'" in "\n".join(logged)


class TestUnreadableSwitches:
    @pytest.fixture
    def jp_server_config(
        self, jp_server_config: dict[str, Any], logged: list[str]
    ) -> dict[str, Any]:
        return {**jp_server_config, "EinfraFeatures": {"disabled_features": 3}}

    async def test_an_unreadable_list_of_features_to_switch_off_switches_all_off(
        self, jp_serverapp: ServerApp, logged: list[str]
    ) -> None:
        assert status(jp_serverapp).state == "off"
        assert "disabled_features" in "\n".join(logged)


class TestWrongTrait:
    @pytest.fixture
    def jp_server_config(
        self, jp_server_config: dict[str, Any], logged: list[str]
    ) -> dict[str, Any]:
        return {
            **jp_server_config,
            "UsageManager": {"watched_interval_seconds": "often"},
            "EinfraStream": {"heartbeat_seconds": -1},
        }

    async def test_a_wrong_setting_fails_one_feature_with_a_message_that_names_it(
        self, jp_serverapp: ServerApp, refused: Refused, logged: list[str]
    ) -> None:
        assert status(jp_serverapp).state == "failed"
        log = "\n".join(logged)
        assert "watched_interval_seconds" in log
        assert "Traceback" not in log
        code, body = await refused("jupyter-einfra", "usage")
        assert (code, body["code"]) == (404, "feature_failed")

    async def test_a_wrong_setting_of_the_stream_leaves_it_with_its_defaults(
        self, jp_serverapp: ServerApp, open_stream: Any, logged: list[str]
    ) -> None:
        assert "heartbeat_seconds" in "\n".join(logged)
        async with open_stream() as events:
            assert (await events.next())["features"][0]["state"] == "failed"


class TestStartFails:
    @pytest.fixture
    def stopped(self) -> list[str]:
        return []

    @pytest.fixture
    def jp_server_config(
        self,
        jp_server_config: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
        stopped: list[str],
    ) -> dict[str, Any]:
        class Broken:
            def start(self) -> None:
                raise RuntimeError("no room")

            def stop(self) -> None:
                stopped.append("what had started")

        from jupyter_einfra.usage.handlers import default_handlers

        monkeypatch.setitem(app_module.FEATURES, "usage", lambda app: (Broken(), default_handlers))
        return jp_server_config

    async def test_a_feature_that_cannot_start_is_reported_and_its_address_says_so(
        self, jp_serverapp: ServerApp, open_stream: Any, refused: Refused, stopped: list[str]
    ) -> None:
        async with open_stream("?topics=usage") as events:
            snapshot = await events.next("snapshot")
        assert snapshot["features"][0]["state"] == "failed"
        assert snapshot["topics"] == []
        assert snapshot["refused"][0]["reason"]["code"] == "feature_failed"
        assert "no room" not in json.dumps(snapshot)
        code, body = await refused("jupyter-einfra", "usage")
        assert (code, body["code"]) == (404, "feature_failed")
        await einfra(jp_serverapp).stop_extension()
        assert stopped == ["what had started"]


class TestBuildFails:
    @pytest.fixture
    def jp_server_config(
        self, jp_server_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> dict[str, Any]:
        def broken(app: EinfraApp) -> Any:
            raise ImportError("a library is missing")

        monkeypatch.setitem(app_module.FEATURES, "broken", broken)
        return jp_server_config

    async def test_one_feature_that_breaks_leaves_the_others_running(
        self, jp_serverapp: ServerApp, jp_fetch: Any, refused: Refused
    ) -> None:
        assert status(jp_serverapp, "usage").state == "on"
        assert status(jp_serverapp, "broken").state == "failed"
        assert (await refused("jupyter-einfra", "broken"))[1]["code"] == "feature_failed"


async def test_the_server_ends_streams_and_sampling_when_it_stops(
    jp_serverapp: ServerApp, open_stream: Any
) -> None:
    app = einfra(jp_serverapp)
    async with open_stream("?topics=usage") as events:
        await events.next("usage")
        await app.stop_extension()
        await asyncio.wait_for(events.ended, 10)  # and without an error
    assert not app.managers["usage"]._sampler._thread.is_alive()  # type: ignore[attr-defined]


class TestStopHangs:
    @pytest.fixture
    def jp_server_config(
        self,
        jp_server_config: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
        logged: list[str],
    ) -> dict[str, Any]:
        class Hanging:
            def start(self) -> None: ...

            def stop(self) -> None:
                threading.Event().wait()

        class Raising(Hanging):
            def stop(self) -> None:
                raise RuntimeError("I will not")

        def hanging(app: EinfraApp) -> tuple[Manager, Handlers]:
            return Hanging(), []

        def raising(app: EinfraApp) -> tuple[Manager, Handlers]:
            return Raising(), []

        monkeypatch.setattr(app_module, "STOP_SECONDS", 0.2)
        monkeypatch.setitem(app_module.FEATURES, "hanging", hanging)
        monkeypatch.setitem(app_module.FEATURES, "raising", raising)
        return jp_server_config

    async def test_a_feature_that_does_not_stop_holds_nobody_up(
        self, jp_serverapp: ServerApp, logged: list[str]
    ) -> None:
        await asyncio.wait_for(einfra(jp_serverapp).stop_extension(), 10)
        log = "\n".join(logged)
        assert "'hanging' did not stop in 0.2 seconds" in log
        assert "'raising' did not stop cleanly" in log


def test_the_package_enables_itself() -> None:
    config = Path(__file__).parents[1] / "etc/jupyter/jupyter_server_config.d/jupyter_einfra.json"
    assert json.loads(config.read_text())["ServerApp"]["jpserver_extensions"] == {
        "jupyter_einfra": True
    }
