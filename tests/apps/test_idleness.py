"""The record of use, and what is done about instances that nobody uses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from servers.apps import FakeApp, Leavings
from servers.instances import Stage, until
from traitlets import TraitError
from traitlets.config import Config

from jupyter_einfra.apps.presence.idleness import Cores, Idleness
from jupyter_einfra.apps.presence.policy import Limit
from jupyter_einfra.apps.presence.settings import AppsIdleness
from jupyter_einfra.models import Notice

LIMIT = Limit(idle_seconds=3600.0, warning_seconds=600.0)


class Board:
    """Notices that stand, by their ids."""

    def __init__(self) -> None:
        self.notices: dict[str, Notice] = {}

    def post(self, notice: Notice) -> None:
        self.notices[notice.id] = notice

    def withdraw(self, notice_id: str) -> None:
        del self.notices[notice_id]


class Play:
    """An instance that runs, and a clock that a test turns."""

    def __init__(self, stage: Stage, *, busy_cores: float = 0.0, limit: Limit | None = LIMIT):
        self.board = Board()
        self.now = 1000.0
        self.active: list[datetime] = []
        self.changes = 0
        self.computed: float | None = 0.0
        self.asked: list[Collection[int]] = []
        self.instance = stage.instance()
        self.idleness = Idleness(
            busy_cores=busy_cores,
            limits={} if limit is None else {"fake": limit},
            instances=stage.supervisor.all,
            cores=lambda: self.cores,
            board=self.board,
            on_activity=self.active.append,
            on_change=self.change,
            log=logging.getLogger("einfra.play"),
            clock=lambda: self.now,
        )

    def cores(self, roots: Collection[int]) -> Mapping[int, float] | None:
        self.asked.append(roots)
        return None if self.computed is None else dict.fromkeys(roots, self.computed)

    def change(self) -> None:
        self.changes += 1

    async def pass_minutes(self, count: int) -> None:
        for _ in range(count):
            self.now += 60.0
            await self.idleness.look()


@pytest.fixture
def stage(
    jp_asyncio_loop: asyncio.AbstractEventLoop, tmp_path: Path, leavings: Leavings
) -> Iterator[Stage]:
    """Have one application run."""
    made = Stage(tmp_path, leavings, FakeApp())

    async def begin() -> None:
        made.instance().start()
        await until(made.instance(), "running")

    jp_asyncio_loop.run_until_complete(begin())
    yield made
    jp_asyncio_loop.run_until_complete(made.close())


class TestStopping:
    async def test_a_warning_then_an_end_that_says_why(self, stage: Stage) -> None:
        play = Play(stage)
        await play.pass_minutes(50)
        assert play.board.notices == {}
        await play.pass_minutes(1)
        (notice,) = play.board.notices.values()
        assert (notice.id, notice.code) == ("idle:fake", "app_idle")
        assert notice.params["name"] == "Fake"
        assert notice.params["since"] == play.instance.since.isoformat(timespec="seconds")
        end = datetime.fromisoformat(str(notice.params["end"]))
        assert 590 <= (end - datetime.now(timezone.utc)).total_seconds() <= 600
        await play.pass_minutes(9)
        assert play.instance.state == "running"
        await play.pass_minutes(1)
        await until(play.instance, "stopped")
        assert play.instance.reason is not None
        assert play.instance.reason.code == "app_idle_stopped"
        await play.pass_minutes(1)
        assert play.board.notices == {}
        # The next end is somebody's wish again.
        play.instance.start()
        await until(play.instance, "running")
        play.instance.stop()
        await until(play.instance, "stopped")
        assert play.instance.reason.code == "app_stopped"

    async def test_use_spares_it_at_once(self, stage: Stage) -> None:
        play = Play(stage)
        await play.pass_minutes(55)
        assert "idle:fake" in play.board.notices
        play.idleness.use(play.instance)
        assert play.board.notices == {}
        await play.pass_minutes(50)
        assert play.board.notices == {}
        assert play.instance.state == "running"

    async def test_a_new_start_begins_anew(self, stage: Stage) -> None:
        play = Play(stage)
        await play.pass_minutes(55)
        play.instance.restart()
        await until(play.instance, "running")
        await play.pass_minutes(49)
        assert play.board.notices == {}

    async def test_a_night_asleep_is_no_idleness(self, stage: Stage) -> None:
        play = Play(stage)
        await play.pass_minutes(55)
        play.now += 10 * 3600.0
        await play.pass_minutes(1)
        assert play.instance.state == "running"
        assert "idle:fake" in play.board.notices

    async def test_never_while_it_computes_or_nobody_knows(self, stage: Stage) -> None:
        play = Play(stage, busy_cores=0.5)
        play.computed = 0.6
        await play.pass_minutes(100)
        assert play.instance.use.last_busy is not None
        assert play.instance.use.last_used is None
        assert play.active
        play.computed = None
        await play.pass_minutes(100)
        assert play.board.notices == {}
        play.computed = 0.4
        await play.pass_minutes(51)
        assert "idle:fake" in play.board.notices

    async def test_without_a_limit_nothing_is_ever_stopped(self, stage: Stage) -> None:
        play = Play(stage, limit=None)
        await play.pass_minutes(10000)
        assert play.instance.state == "running"
        assert play.board.notices == {}
        assert play.asked == []  # nor looked at

    @pytest.mark.parametrize(("busy_cores", "limit"), [(0.0, None), (1.0, None), (0.0, LIMIT)])
    async def test_nothing_wakes_up_where_there_is_nothing_to_do(
        self, stage: Stage, busy_cores: float, limit: Limit | None
    ) -> None:
        play = Play(stage, busy_cores=busy_cores, limit=limit)
        before = asyncio.all_tasks()
        play.idleness.start()
        begun = asyncio.all_tasks() - before
        assert len(begun) == (busy_cores > 0 or limit is not None)
        play.idleness.stop()
        await asyncio.gather(*begun, return_exceptions=True)


async def test_pages_are_told_of_few_of_many_uses(stage: Stage) -> None:
    play = Play(stage)
    for _ in range(1000):
        play.idleness.use(play.instance)
    assert play.changes == 1
    assert len(play.active) == 1000
    play.now += 60
    play.idleness.use(play.instance)
    assert play.changes == 2


async def test_that_use_is_hidden_is_said_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    play = Play(stage)
    for _ in range(3):
        play.idleness.hide(play.instance)
    assert play.instance.told().hides_use
    assert [r.levelname for r in caplog.records if r.name == "einfra.play"] == ["WARNING"]


class TestSettings:
    def test_all_is_off_by_default(self) -> None:
        settings = AppsIdleness(environ={})
        assert (settings.busy_cores, settings.limits()) == (0.0, {})

    def test_the_environment_may_say(self) -> None:
        environ = {
            "JUPYTER_EINFRA_APPS_IDLENESS_STOP_SECONDS": '{"rstudio": 86400, "vscode": 0}',
            "JUPYTER_EINFRA_APPS_IDLENESS_WARNING_SECONDS": "900",
        }
        assert AppsIdleness(environ=environ).limits() == {"rstudio": Limit(86400.0, 900.0)}

    @pytest.mark.parametrize("seconds", [-1, 5, 299.9, float("nan"), float("inf"), "a day"])
    def test_too_short_a_time_is_refused(self, seconds: Any) -> None:
        config = Config({"AppsIdleness": {"stop_seconds": {"rstudio": seconds}}})
        with pytest.raises(TraitError, match="stop_seconds"):
            AppsIdleness(config=config, environ={}).limits()


def test_what_makes_cores_is_of_the_shape_that_is_asked_for() -> None:
    from jupyter_einfra.app import _tree_cores

    cores: Cores = _tree_cores()
    assert cores([1]) is None
