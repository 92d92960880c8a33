"""Every instance of every application, found by address and by what it works on."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..application import Application
from ..folders import short_names
from .instance import Instance
from .surroundings import Surroundings

#: Of one application that run at once; each takes memory and a process or more.
MOST_RUNNING = 20

_ACTIVE = ("starting", "running", "stopping")

#: Those that stopped, whose end can still be looked up.
_MOST_KNOWN = 60

#: How long the server's end waits for programs to end in order.
STOP_SECONDS = 4.0


@dataclass(frozen=True)
class Place:
    """What an address leads to."""

    app: Application
    instance: Instance | None
    """None for an application that has one for each folder, where no folder is named."""
    rest: str
    """What follows the address of the instance, from its slash on; empty without one."""


def key_of(folder: str) -> str:
    """Name a folder in an address: readable, and the same from server to server."""
    name = re.sub(r"[^a-z0-9]+", "-", Path(folder).name.lower()).strip("-")[:24].strip("-")
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
    return f"{name}-{digest}" if name else digest


class Supervisor:
    """Knows all instances; called on the event loop."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self._instances: dict[str, Instance] = {}

    def all(self) -> list[Instance]:
        """Return every instance that was ever asked for, oldest first."""
        return list(self._instances.values())

    def of(self, app: Application) -> list[Instance]:
        """Return those of one application."""
        return [instance for instance in self.all() if instance.app is app]

    def get(self, ident: str) -> Instance | None:
        """Return an instance by its id; also one that an earlier server had."""
        name, _, key = ident.partition("/")
        app = self.around.registry.get(name)
        if app is None or app.per_folder != bool(key):
            return None
        if not app.per_folder:
            return self.only(app)
        if ident in self._instances:
            return self._instances[ident]
        for folder in self.around.remembered.folders(name):
            if key_of(folder) == key:
                return self._add(Instance(app, ident, folder, self.around))
        return None

    def known(self, ident: str) -> Instance | None:
        """Return an instance that was asked for before, by its id."""
        return self._instances.get(ident)

    def only(self, app: Application) -> Instance:
        """Return the one instance of an application that has no more."""
        return self._instances.get(app.name) or self._add(
            Instance(app, app.name, None, self.around)
        )

    def on(self, app: Application, folder: str) -> Instance:
        """Return the instance of an application for a folder, an absolute path."""
        ident = f"{app.name}/{key_of(folder)}"
        return self._instances.get(ident) or self._add(Instance(app, ident, folder, self.around))

    def place(self, path: str) -> Place | None:
        """Tell what an address leads to; None if to no application.

        Parameters
        ----------
        path:
            What follows the server's base URL, as it was asked for.
        """
        name, slash, rest = path.partition("/")
        app = self.around.registry.get(name)
        if app is None:
            return None
        if not app.per_folder:
            return Place(app, self.get(name), slash + rest)
        key, after, rest = rest.partition("/")
        if not key:
            return Place(app, None, slash)
        return Place(app, self.get(f"{name}/{key}"), after + rest)

    def has_room_for(self, instance: Instance) -> bool:
        """Whether an instance may run beside the others of its application."""
        others = [other for other in self.of(instance.app) if other is not instance]
        return sum(other.state in _ACTIVE for other in others) < MOST_RUNNING

    async def close(self) -> None:
        """Let all of them end with the server; wait for that as long as the server can.

        Longer only for those that save something: in a container all processes end with
        the server.
        """
        seconds = self.stop_seconds
        ending, saving = set(), set()
        for instance in self.all():
            saves = instance.stop_seconds > 0  # by then
            if (life := instance.abandon()) is not None:
                ending.add(life)
                saving.update([life] if saves else [])
        if ending:
            await asyncio.wait(ending, timeout=STOP_SECONDS)
        if saving:
            await asyncio.wait(saving, timeout=seconds - STOP_SECONDS)

    @property
    def stop_seconds(self) -> float:
        """How long `close` may take."""
        return STOP_SECONDS + max((one.stop_seconds for one in self.all()), default=0.0)

    def _add(self, instance: Instance) -> Instance:
        self._instances[instance.id] = instance
        idle = [
            i for i in self.all() if i.is_settled and i.state != "running" and i is not instance
        ]
        for old in idle[: max(0, len(self._instances) - _MOST_KNOWN)]:
            del self._instances[old.id]
            old.discard()
        siblings = {i.folder: i for i in self.of(instance.app) if i.folder is not None}
        for folder, name in short_names(siblings).items():
            siblings[folder].short_name = name
        return instance
