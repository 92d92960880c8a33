"""The usage feature at work: settings in; samples, details, history and notices out."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from traitlets import TraitError

from jupyter_einfra.notices import NoticeBoard
from jupyter_einfra.usage.alerts.deaths import Death
from jupyter_einfra.usage.manager import UsageManager
from jupyter_einfra.usage.models import HistoryQuery, UsageDetails, UsageSnapshot
from jupyter_einfra.usage.programs.processes import RosterEntry
from jupyter_einfra.usage.programs.roster import Roster

#: Longer than any test: a pace at which no sample comes by itself.
NEVER = 600.0


class Published:
    """What was published, by topic."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._topics: dict[str, asyncio.Queue[dict[str, Any]]] = {}

    def __call__(self, topic: str, data: bytes) -> None:
        self._loop.call_soon_threadsafe(self._queue(topic).put_nowait, json.loads(data))

    def _queue(self, topic: str) -> asyncio.Queue[dict[str, Any]]:
        return self._topics.setdefault(topic, asyncio.Queue())

    async def next(self, topic: str) -> dict[str, Any]:
        return await asyncio.wait_for(self._queue(topic).get(), 20)

    async def until(self, topic: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while not wanted(found := await self.next(topic)):
            pass
        return found


@asynccontextmanager
async def managing(
    directory: Path, *, roster: Roster | None = None, **settings: Any
) -> AsyncIterator[tuple[UsageManager, Published]]:
    published = Published()
    manager = UsageManager(
        publish=published,
        board=NoticeBoard(published),
        roster=roster or Roster(None, None, lambda: None, logging.getLogger("test")),
        directory=directory,
        gpus=False,
        **{"watched_interval_seconds": 0.2, "unwatched_interval_seconds": NEVER, **settings},
    )
    manager.start()
    try:
        yield manager, published
    finally:
        await asyncio.to_thread(manager.stop)


async def test_every_sample_is_published_and_the_latest_kept(tmp_path: Path) -> None:
    async with managing(tmp_path) as (manager, published):
        first = await published.next("usage")
        assert (first["type"], first["cpu"]["used_cores"]) == ("usage", None)
        second = await published.next("usage")
        assert second["interval_seconds"] == NEVER
        assert manager.latest() is not None
        manager.on_watchers(2)
        await published.until("usage", lambda told: told["interval_seconds"] == 0.2)
        manager.on_watchers(0)
        await published.until("usage", lambda told: told["interval_seconds"] == NEVER)
        latest = manager.latest()
        assert latest is not None
        assert msgspec.json.decode(latest, type=UsageSnapshot).interval_seconds == NEVER


async def test_details_come_only_while_somebody_looks_at_them(tmp_path: Path) -> None:
    async with managing(tmp_path) as (manager, published):
        for _ in range(2):
            await published.next("usage")
        manager.on_detail_watchers(1)
        told = [await published.next("usage-details") for _ in range(2)]
        details = msgspec.convert(told[1], UsageDetails)
        server = next(program for program in details.programs if program.kind == "server")
        assert server.memory_bytes
        assert server.cpu_cores is not None
        manager.on_detail_watchers(0)
        await published.until("usage", lambda sample: sample["interval_seconds"] == NEVER)


async def test_what_was_sampled_is_in_the_history_also_after_a_restart(tmp_path: Path) -> None:
    async with managing(tmp_path) as (manager, published):
        await published.next("usage")
        manager.on_watchers(1)
        for _ in range(3):
            sample = await published.next("usage")
    async with managing(tmp_path) as (manager, published):
        manager.on_detail_watchers(1)
        details = await published.until("usage-details", lambda told: bool(told["previous_run"]))
        assert details["previous_run"]["ending"] == "stopped"
        history = manager.recorder.select(HistoryQuery())
        kept = history.memory_working_set_bytes
        used = sample["memory"]["working_set_bytes"]
        # Samples of one second share a point.
        assert any(
            least is not None and most is not None and least <= used <= most
            for least, most in zip(kept.minimum, kept.maximum, strict=True)
        )
        assert [run.ending for run in history.runs] == ["stopped", "running"]


async def test_a_dead_kernel_is_explained_at_once(tmp_path: Path) -> None:
    async with managing(tmp_path) as (manager, published):
        first = msgspec.convert(await published.next("usage"), UsageSnapshot)
        death = Death(
            time=first.time,
            kernel_id="k",
            name="a.ipynb",
            path="a.ipynb",
            exit_code=-11,
            gave_up=False,
        )
        manager._roster.on_death(death)
        told = await published.next("notices")
        assert [notice["code"] for notice in told["notices"]] == ["kernel_crashed"]
        events = manager.recorder.select(HistoryQuery()).events
        assert [event.code for event in events] == ["kernel_crashed"]


async def test_who_is_there_is_known_before_the_first_look(tmp_path: Path) -> None:
    class Slow(Roster):
        refreshed = asyncio.Event()

        async def refresh(self) -> list[RosterEntry]:
            await self.refreshed.wait()
            return [RosterEntry(kind="terminal", id="1", name="terminal 1", pid=None)]

    roster = Slow(None, None, lambda: None, logging.getLogger("test"))
    async with managing(tmp_path, roster=roster) as (manager, published):
        await published.next("usage")
        manager.on_watchers(1)
        manager.on_detail_watchers(1)
        for _ in range(3):
            await published.next("usage")
        roster.refreshed.set()
        told = await published.next("usage-details")
        assert "terminal 1" in [program["name"] for program in told["programs"]]


async def test_warnings_do_not_depend_on_names(tmp_path: Path, logged: list[str]) -> None:
    async with managing(tmp_path) as (manager, published):
        await published.next("usage")
        manager._details.programs = []

        def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError("a name that cannot be told")

        manager._details.look = fail  # type: ignore[method-assign]
        manager.on_detail_watchers(1)
        before = msgspec.convert(await published.next("usage"), UsageSnapshot)
        death = Death(
            time=before.time, kernel_id="k", name="a", path=None, exit_code=-11, gave_up=False
        )
        manager._roster.on_death(death)
        told = await published.until("notices", lambda told: bool(told["notices"]))
        assert told["notices"][0]["code"] == "kernel_crashed"
    assert "Processes could not be looked at Traceback" in logged


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("watched_interval_seconds", 0.0),
        ("watched_interval_seconds", 0.1),
        ("unwatched_interval_seconds", -1.0),
        ("warn_memory_share", 1.5),
        ("home_quota_bytes", -1),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(
    tmp_path: Path, setting: str, value: float
) -> None:
    publish: Any = print
    settings: dict[str, Any] = {setting: value}
    with pytest.raises(TraitError):
        UsageManager(
            publish=publish,
            board=NoticeBoard(publish),
            roster=Roster(None, None, lambda: None, logging.getLogger("test")),
            directory=tmp_path,
            **settings,
        )
