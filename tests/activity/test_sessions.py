"""Names of kernels are looked up whenever that is asked for, and not without end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

from jupyter_einfra.activity.sessions import Sessions

from .kept import LOG


def test_names_are_looked_up_again_by_who_begins_to_record_again(tmp_path: Path) -> None:
    listed = [{"path": "a.ipynb", "name": "", "type": "notebook", "kernel": {"id": "k1"}}]
    manager = SimpleNamespace(list_sessions=lambda: listed)

    async def paths() -> list[str]:
        sessions = Sessions(manager, tmp_path, lambda: None, LOG)
        sessions.look_up()
        sessions.stop()
        assert not sessions.are_coming
        sessions.look_up()
        await asyncio.wait_for(sessions.come(), 20)
        sessions.stop()
        return sessions.paths("k1")

    assert asyncio.run(paths()) == ["a.ipynb"]
