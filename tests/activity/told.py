"""Who waits for notebooks, and what they are told."""

from __future__ import annotations

import asyncio

from jupyter_einfra.activity.done import Done
from jupyter_einfra.notices import NoticeBoard


class Told:
    """What is told of notebooks that are waited for."""

    def __init__(self, *awaited: str) -> None:
        self.awaited = set(awaited)
        self.board = NoticeBoard(lambda topic, data: None)
        self.done = Done(
            self.board,
            is_awaited=self.awaited.__contains__,
            settle=self.awaited.discard,
            are_deaths_told=lambda: False,
        )

    @property
    def notices(self) -> list[tuple[str, str | None]]:
        return sorted((notice.code, notice.path or "") for notice in self.board.all())


async def turns() -> None:
    """Let all happen that is to happen at once."""
    for _ in range(10):
        await asyncio.sleep(0)
