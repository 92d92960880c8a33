"""Instances of applications in this process, with real programs below them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_einfra.apps.application import Application
from jupyter_einfra.apps.registry import Registry
from jupyter_einfra.apps.remembered import Remembered
from jupyter_einfra.apps.supervision.instance import Instance
from jupyter_einfra.apps.supervision.supervisor import Supervisor
from jupyter_einfra.apps.supervision.surroundings import Surroundings

from .apps import Leavings


class Stage:
    """A server's surroundings without the server.

    Parameters
    ----------
    directory:
        Takes what is remembered, and is the folder that the server shows.
    apps:
        Which there are.
    """

    def __init__(self, directory: Path, leavings: Leavings, *apps: Application) -> None:
        log = logging.getLogger("einfra.stage")
        self.leavings = leavings
        self.changes = 0
        self.remembered = Remembered(directory, log=log)
        points = [_Point(app) for app in apps]
        self.around = Surroundings(
            registry=Registry(
                custom={},
                disabled=(),
                environ=leavings.environ,
                log=log,
                entry_points=lambda **kwargs: points,  # type: ignore[arg-type]
            ),
            remembered=self.remembered,
            base_url="/base/",
            root=str(directory),
            environ=leavings.environ,
            log=log,
            start_seconds=20.0,
            log_bytes=100_000,
            on_change=self._on_change,
        )
        self.around.registry.look()
        self.supervisor = Supervisor(self.around)

    def _on_change(self) -> None:
        self.changes += 1

    def instance(self, ident: str = "fake") -> Instance:
        """Return an instance that is there."""
        found = self.supervisor.get(ident)
        assert found is not None
        return found

    async def close(self) -> None:
        """End everything as a server does."""
        await self.supervisor.close()
        await asyncio.to_thread(self.around.remove_directories)


class _Point:
    def __init__(self, app: Application) -> None:
        self.name = app.name
        self.load: Callable[[], Any] = lambda: lambda: app


async def until(instance: Instance, *states: str, seconds: float = 20.0) -> None:
    """Wait until an instance is in one of some states."""

    async def look() -> None:
        with instance.watched() as changed:
            while instance.state not in states:
                await changed.wait()
                changed.clear()

    try:
        await asyncio.wait_for(look(), seconds)
    except asyncio.TimeoutError:
        raise AssertionError(
            f"{instance.id} is {instance.state} ({instance.reason}), not {states}"
        ) from None


async def until_settled(instance: Instance, seconds: float = 20.0) -> None:
    """Wait until nothing of what an instance ran is left."""

    async def look() -> None:
        while not instance.is_settled:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)

    await asyncio.wait_for(look(), seconds)
