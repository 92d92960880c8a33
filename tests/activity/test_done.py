"""Who waits for a notebook is told once, of each, and nothing that was overtaken."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_einfra.activity import done as module

from .made import at, run
from .told import Told, turns


def test_of_each_notebook_of_a_kernel_that_died() -> None:
    told = Told("a.ipynb", "b.ipynb", "c.ipynb")
    told.done.died("k1", ["a.ipynb", "b.ipynb"], at(10))
    assert told.notices == [("run_died", "a.ipynb"), ("run_died", "b.ipynb")]
    assert told.awaited == {"c.ipynb"}


def test_of_each_notebook_that_was_done_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.0)
    told = Told("a.ipynb", "b.ipynb")

    async def end() -> None:
        for path in ("a.ipynb", "b.ipynb"):
            told.done.recorded(run(1, 2, path=path))
        await turns()

    asyncio.run(end())
    assert told.notices == [("run_finished", "a.ipynb"), ("run_finished", "b.ipynb")]


def test_of_a_long_run_of_a_kernel_without_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it ends well or not."""
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.0)
    told = Told()

    async def end(outcome: str) -> None:
        told.done.recorded(run(1, 3, path=None, outcome=outcome))
        if outcome == "died":
            told.done.died("k1", [], at(3))
        await turns()

    asyncio.run(end("finished"))
    assert told.notices == [("run_finished", "")]
    asyncio.run(end("died"))
    assert told.notices == [("run_died", "")]


def test_of_what_goes_on_though_a_word_of_its_kernel_was_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.0)
    told = Told("a.ipynb")

    async def end() -> None:
        told.done.recorded(run(1, 2, path="a.ipynb", outcome="unknown", seconds=1.0))
        told.done.recorded(run(2, 3, path="a.ipynb", seconds=1.0))
        await turns()

    asyncio.run(end())
    assert told.notices == [("run_finished", "a.ipynb")]
    assert not told.awaited
