"""What waits to be known by its notebook is recorded once, whatever comes in between."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jupyter_einfra.activity import done as module
from jupyter_einfra.activity.kernel import Kernel
from jupyter_einfra.activity.messages import Message
from jupyter_einfra.activity.models import CellRun
from jupyter_einfra.activity.remembered import Remembered
from jupyter_einfra.activity.requests import Requests
from jupyter_einfra.activity.runs import Runs

from .kept import LOG, NOON
from .made import at
from .told import Told, turns


class Slow:
    """Sessions that are looked up until `known` is set."""

    def __init__(self) -> None:
        self.known = asyncio.Event()
        self.are_old = False

    @property
    def are_coming(self) -> bool:
        return not self.known.is_set()

    async def come(self) -> None:
        await self.known.wait()

    def look_up(self) -> None:
        """They are being looked up."""

    def paths(self, kernel_id: str) -> list[str]:
        return ["a.ipynb"]


class Following:
    """The runs of one kernel."""

    def __init__(self, directory: Path, told: Told) -> None:
        self.seconds = 0.0
        self.sessions = Slow()
        self.remembered = Remembered(directory, now=lambda: NOON, log=LOG)
        ear = SimpleNamespace(hears_all=False, is_open=True)
        self.kernel = Kernel(None, cast("Any", None), cast("Any", ear))
        self.runs = Runs(
            {"k1": self.kernel},
            sessions=cast("Any", self.sessions),
            requests=Requests(),
            remembered=self.remembered,
            watcher=told.done,
            now=lambda: NOON + self.seconds,
            monotonic=lambda: self.seconds,
        )

    def ran(self, seconds: float) -> None:
        """Have the kernel tell of an execution, from its beginning to its end."""
        self.runs.hear("k1", Message("input", "r1", 1))
        self.seconds += seconds
        self.runs.hear("k1", Message("idle", "r1"))

    @property
    def outcomes(self) -> list[str]:
        events = self.remembered.events()
        return [event.outcome for event in events if isinstance(event, CellRun)]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.0)


def test_a_death_is_the_last_that_is_told_of_a_notebook(tmp_path: Path) -> None:
    """The cell before was long, and the next one killed the kernel at once."""
    told = Told("a.ipynb")

    async def die() -> list[str]:
        following = Following(tmp_path, told)
        following.ran(70.0)
        assert following.outcomes == []
        following.runs.hear("k1", Message("input", "r2", 2))
        following.runs.end_all("k1", following.kernel, "died")
        told.done.died("k1", ["a.ipynb"], at(10))
        following.sessions.known.set()
        await turns()
        following.runs.stop()
        return following.outcomes

    assert asyncio.run(die()) == ["finished", "died"]
    assert told.notices == [("run_died", "a.ipynb")]


def test_what_was_just_recorded_is_not_recorded_again_when_the_server_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()

    async def end() -> list[str]:
        following = Following(tmp_path, told)
        stop = partial(asyncio.get_running_loop().call_soon, following.runs.stop)
        monkeypatch.setattr(told.done, "recorded", lambda run: stop())
        following.ran(70.0)
        following.sessions.known.set()
        await turns()
        return following.outcomes

    assert asyncio.run(end()) == ["finished"]
