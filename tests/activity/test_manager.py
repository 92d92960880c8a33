"""What has ended does not begin again."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_einfra.activity import remembered as module
from jupyter_einfra.activity.manager import ActivityManager
from jupyter_einfra.activity.models import ActivityEvent
from jupyter_einfra.activity.recorder import Server
from jupyter_einfra.activity.records import Records
from jupyter_einfra.notices import NoticeBoard
from jupyter_einfra.threads import in_thread


class Events:
    """A server's own events, and who listens to them."""

    def __init__(self) -> None:
        self.listeners: set[str] = set()
        self.left = asyncio.Event()

    def add_listener(self, *, schema_id: str, listener: Any) -> None:
        self.listeners.add(schema_id)

    def remove_listener(self, *, schema_id: str, listener: Any) -> None:
        self.listeners.discard(schema_id)
        if not self.listeners:
            self.left.set()


def test_a_file_that_is_read_while_the_server_ends_has_nobody_listen_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def slowly(found: list[ActivityEvent]) -> Records:
        reading.set()
        go_on.wait(20)
        return Records(found)

    monkeypatch.setattr(module, "Records", slowly)

    async def live() -> set[str]:
        events = Events()
        manager = ActivityManager(
            publish=lambda topic, data: None,
            board=NoticeBoard(lambda topic, data: None),
            standing=list,
            use=lambda since, until: None,
            programs=list,
            are_deaths_told=lambda: False,
            server=Server(
                kernel_manager=SimpleNamespace(list_kernel_ids=list),
                session_manager=SimpleNamespace(list_sessions=list),
                event_logger=events,
                terminal_manager=lambda: None,
                settings=dict,
                root=tmp_path,
            ),
            directory=tmp_path / "state",
        )
        manager.start()
        await in_thread(reading.wait, 20)
        assert events.listeners
        stopping = asyncio.ensure_future(in_thread(manager.stop))
        await asyncio.wait_for(events.left.wait(), 20)
        go_on.set()
        await stopping
        await asyncio.sleep(0)
        return events.listeners

    assert asyncio.run(live()) == set()
