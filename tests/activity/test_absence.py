"""Who comes is told where things stand, whatever became of the file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from jupyter_einfra.activity import absence as module
from jupyter_einfra.activity.absence import Absence
from jupyter_einfra.activity.models import ActivityStatus
from jupyter_einfra.activity.presence import Presence
from jupyter_einfra.activity.remembered import Remembered

from .kept import LOG, NOON, life, read
from .told import turns

Counts = tuple[int, int]


class Pages:
    """What all pages are told."""

    def __init__(self, kept: Remembered, count: Callable[[datetime], Awaitable[Counts]]) -> None:
        self.told: asyncio.Queue[ActivityStatus] = asyncio.Queue()
        self.absence = Absence(
            kept,
            count=count,
            publish=lambda topic, data: self.told.put_nowait(
                msgspec.json.decode(data, type=ActivityStatus)
            ),
            least_absence_seconds=900,
            now=lambda: NOON,
            log=LOG,
        )


async def nothing(since: datetime) -> Counts:
    return 0, 0


def test_a_page_is_told_also_when_another_server_has_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AGAIN_SECONDS", 0.05)

    async def come(kept: Remembered) -> ActivityStatus:
        pages = Pages(kept, nothing)
        pages.absence.on_watchers(1)
        assert kept.is_being_read
        kept.start()
        told = await asyncio.wait_for(pages.told.get(), 20)
        pages.absence.end()
        return told

    with life(tmp_path) as first:
        read(first)
        second = Remembered(tmp_path, now=lambda: NOON, log=LOG)
        assert asyncio.run(come(second)).recording
    assert second.stop(5.0)


def test_what_was_erased_while_it_was_counted_is_not_told(tmp_path: Path) -> None:
    kept = Remembered(tmp_path, now=lambda: NOON, log=LOG, allowed=False)
    away = Presence().come(NOON - 7200, 900).leave(NOON - 3600)
    kept.change(lambda known: replace(known, presence=away))

    async def erase() -> list[int]:
        counting, go_on = asyncio.Event(), asyncio.Event()

        async def count(since: datetime) -> Counts:
            counting.set()
            await go_on.wait()
            return 3, 2

        pages = Pages(kept, count)
        pages.absence.on_watchers(1)
        await counting.wait()
        pages.absence.forget()
        go_on.set()
        await turns()
        pages.absence.tell()
        return [pages.told.get_nowait().attention for _ in range(pages.told.qsize())]

    assert set(asyncio.run(erase())) == {0}
