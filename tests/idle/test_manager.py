"""The feature at work: what changes is told once, and what can be done is done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from servers.controller import StandInController
from servers.process import wait_until

from jupyter_einfra.errors import InvalidParameter
from jupyter_einfra.idle.manager import IdleManager, IdleRefusal
from jupyter_einfra.idle.models import TimeWanted
from jupyter_einfra.idle.starts import server_name, start_id
from jupyter_einfra.models import Notice

from .made import DAY, HOUR, NOW, at, observed, state

HUB = {"JUPYTERHUB_USER": "alice", "JUPYTERHUB_SERVER_NAME": "", "JUPYTERHUB_API_TOKEN": "secret"}


class Scene:
    """A server around the feature, whose clock moves when told."""

    def __init__(self, directory: Path, environ: Mapping[str, str], **traits: Any) -> None:
        self.now = NOW
        self.told: list[dict[str, Any]] = []
        self.notices: dict[str, Notice] = {}
        self.posted: list[str] = []
        self.use = [1.0] * 3000
        self.looked = 0
        self.manager = IdleManager(
            publish=self._publish,
            board=self,
            past=self._past,
            directory=directory,
            now=lambda: self.now,
            environ={**HUB, **environ},
            look_seconds=0.05,
            **traits,
        )

    def _publish(self, topic: str, event: bytes) -> None:
        assert topic == "idle"
        self.told.append(json.loads(event))

    def _past(self, since: float, until: float) -> Any:
        assert until - since == 7 * DAY
        self.looked += 1
        return observed(self.use, until=self.now)

    def post(self, notice: Notice) -> None:
        self.notices[notice.id] = notice
        self.posted.append(notice.code)

    def withdraw(self, notice_id: str) -> None:
        del self.notices[notice_id]

    def wait_for(self, level: str, source: str | None) -> dict[str, Any]:
        def is_there() -> bool:
            last = self.told[-1:]
            return [(one["level"], one["source"]) for one in last] == [(level, source)]

        wait_until(f"it was {level}", is_there)
        return self.told[-1]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    made: list[Scene] = []

    def begin(environ: Mapping[str, str] | None = None, **traits: Any) -> Scene:
        one = Scene(tmp_path / "state", environ or {}, **traits)
        made.append(one)
        one.manager.start()
        return one

    yield begin
    for one in made:
        one.manager.stop()


def test_without_a_policy_it_is_told_once_and_nothing_runs(
    scene: Callable[..., Scene], tmp_path: Path
) -> None:
    one = scene()
    assert [(told["level"], told["policy"]) for told in one.told] == [("unknown", None)]
    assert one.looked == 0
    assert not (tmp_path / "state").exists()


def test_an_estimate_is_told_and_while_nothing_changes_no_more(
    scene: Callable[..., Scene],
) -> None:
    one = scene({"JUPYTER_EINFRA_IDLE_POLICY": "2026-docs"})
    one.wait_for("kept", "estimate")
    go_around(one)  # it may just have heard that its memory was read
    looked, told = one.looked, len(one.told)
    one.now += 200  # less than from one forecast to the next
    go_around(one)
    assert (one.looked, len(one.told)) == (looked, told)
    one.now += 200
    wait_until("it looked again", lambda: one.looked > looked)


def go_around(one: Scene) -> None:
    """Have it look three times whether there is anything to do."""
    for _ in range(3):
        # Each time around it clears what woke it.
        one.manager._wake.set()
        wait_until("it looked", lambda: not one.manager._wake.is_set())


def test_a_wrong_policy_is_told_and_stops_nothing(scene: Callable[..., Scene]) -> None:
    one = scene(policy="2027", state_file="/nowhere.json")
    told = one.wait_for("unknown", None)
    assert told["reason"]["code"] == "idle_policy_invalid"


def test_the_file_is_followed_and_each_state_has_its_notice(
    scene: Callable[..., Scene], tmp_path: Path
) -> None:
    path = tmp_path / "state.json"
    one = scene(state_file=str(path))
    one.wait_for("unknown", None)
    path.write_text(json.dumps(state(evaluated_at=at(NOW))))
    assert one.wait_for("kept", "file")["counter"] == 2
    assert [notice.code for notice in one.notices.values()] == ["idle_counted"]
    path.write_text(json.dumps(state(evaluated_at=at(NOW), delete_at=at(NOW + DAY / 2))))
    one.wait_for("day", "file")
    wait_until("it was replaced", lambda: one.posted[-1] == "idle_day")
    assert [notice.code for notice in one.notices.values()] == ["idle_day"]
    path.write_text(json.dumps(state(counter=0, evaluated_at=at(NOW), delete_at=None)))
    one.wait_for("kept", "file")
    wait_until("it was taken down", lambda: not one.notices)
    path.write_text(json.dumps(state(server="bob/")))
    one.wait_for("unknown", None)


def test_the_hour_comes_without_anybody_s_doing(
    scene: Callable[..., Scene], tmp_path: Path
) -> None:
    path = tmp_path / "state.json"
    path.write_text(json.dumps(state(evaluated_at=at(NOW), delete_at=at(NOW + 2 * HOUR))))
    one = scene(state_file=str(path))
    one.wait_for("day", "file")
    one.now += HOUR + 1
    one.wait_for("hour", "file")


def test_a_fault_that_lasts_is_not_met_again_at_once(
    scene: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(Scene, "_past", fail)
    one = scene({"JUPYTER_EINFRA_IDLE_POLICY": "2026-docs"})
    one.now += 3  # it looks again soon until what is remembered was read
    wait_until("it failed", lambda: one.manager._due >= NOW + 300)
    assert one.manager._due <= one.now + 300


def test_without_a_memory_nothing_is_called_safe_and_nothing_said_twice(
    scene: Callable[..., Scene], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").write_text("no folder")
    monkeypatch.setattr(Scene, "_past", lambda self, _, until: observed([0.0] * 3000, until=until))
    one = scene({"JUPYTER_EINFRA_IDLE_POLICY": "2026-docs"})
    one.now += 3
    one.wait_for("hour", "estimate")
    wait_until("it was said", lambda: bool(one.notices))
    first = set(one.notices)
    for _ in range(3):
        one.now += 400
        go_around(one)
    assert set(one.notices) == first


def test_what_was_said_is_not_said_again_by_the_next_life(
    scene: Callable[..., Scene], tmp_path: Path
) -> None:
    path = tmp_path / "state.json"
    path.write_text(json.dumps(state(evaluated_at=at(NOW), delete_at=at(NOW + DAY / 2))))
    one = scene(state_file=str(path))
    one.wait_for("day", "file")
    wait_until("it was said", lambda: bool(one.notices))
    one.manager.stop()
    other = scene(state_file=str(path))
    other.now += HOUR
    other.wait_for("day", "file")
    wait_until("it is said", lambda: set(other.notices) == set(one.notices))


def test_a_clock_that_is_set_back_stops_nothing(scene: Callable[..., Scene]) -> None:
    one = scene({"JUPYTER_EINFRA_IDLE_POLICY": "2026-docs"})
    one.wait_for("kept", "estimate")
    looked = one.looked
    one.now -= DAY
    wait_until("it looked again", lambda: one.looked > looked)


def test_more_time_is_asked_for_only_where_it_is_offered(scene: Callable[..., Scene]) -> None:
    wanted = TimeWanted(seconds=3600, why="a long run")
    with StandInController() as controller:
        now = at(NOW)
        controller.state = state(evaluated_at=now)
        one = scene(controller_url=controller.url)
        one.wait_for("kept", "controller")
        with pytest.raises(IdleRefusal) as caught:
            asyncio.run(one.manager.ask_for_time(wanted))
        assert caught.value.code == "idle_time_not_offered"
        assert not any(method == "POST" for method, _ in controller.asked)

        controller.state = state(evaluated_at=now, extension={"most_seconds": 7 * 86400})
        one.now += 301
        wait_until("it was offered", lambda: one.told[-1]["extension"])
        controller.answer = {"granted": True, "until": at(NOW + DAY), "text": "Good luck."}
        controller.state = state(evaluated_at=now, extension={"most_seconds": 3600})
        answer = asyncio.run(one.manager.ask_for_time(wanted))
        assert answer.granted
        # What the controller says now is known at once.
        wait_until("it was known", lambda: one.told[-1]["extension"]["most_seconds"] == 3600)
        with pytest.raises(InvalidParameter):
            asyncio.run(one.manager.ask_for_time(TimeWanted(seconds=3601, why="more")))

        controller.answer = b"<html>"
        with pytest.raises(IdleRefusal) as caught:
            asyncio.run(one.manager.ask_for_time(wanted))
        assert caught.value.code == "idle_controller_malformed"


def test_without_a_hub_nothing_can_stop_the_server(scene: Callable[..., Scene]) -> None:
    one = scene()
    assert asyncio.run(one.manager.may_stop()).may_stop is None
    with pytest.raises(IdleRefusal) as caught:
        asyncio.run(one.manager.stop_server())
    assert caught.value.code == "idle_stop_no_hub"


def test_a_hub_that_does_not_answer_is_told(scene: Callable[..., Scene]) -> None:
    one = scene({"JUPYTERHUB_API_URL": "http://127.0.0.1:1/hub/api"})
    grant = asyncio.run(one.manager.may_stop())
    assert grant.may_stop is None
    assert grant.reason is not None
    assert grant.reason.code == "idle_hub_unreachable"
    with pytest.raises(IdleRefusal):
        asyncio.run(one.manager.stop_server())


def test_a_start_has_the_name_of_its_token_and_no_token_in_it() -> None:
    assert start_id(HUB) == start_id({**HUB, "OTHER": "x"})
    assert start_id(HUB) != start_id({**HUB, "JUPYTERHUB_API_TOKEN": "another"})
    assert "secret" not in start_id(HUB)
    assert start_id({}) == "local"


def test_a_server_is_called_as_the_hub_calls_it() -> None:
    assert server_name({}) is None
    assert server_name(HUB) == "alice/"
    assert server_name({**HUB, "JUPYTERHUB_SERVER_NAME": "gpu"}) == "alice/gpu"
