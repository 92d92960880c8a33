"""Applications that do what a test tells them, and what is left of them."""

from __future__ import annotations

import os
import signal
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress

import psutil

from jupyter_einfra.apps.application import Application, Launch, StopStep

from . import fake_app

SCRIPT = fake_app.__file__

#: In the environment of everything that a test starts.
MARK = "EINFRA_TESTS_APP"


class FakeApp(Application):
    """An application to order; see `servers.fake_app` for the words."""

    install = "nothing"

    def __init__(self, name: str = "fake", words: Sequence[str] = (), **attributes: object) -> None:
        self.name = name
        self.title = name.capitalize()
        self.programs = (sys.executable,)
        self.stop_steps = (StopStep(signal.SIGTERM, 2.0),)
        self.words = list(words)
        for attribute, value in attributes.items():
            setattr(self, attribute, value)

    def find(self, environ: Mapping[str, str]) -> str | None:
        """Return what a test says, or Python."""
        return getattr(self, "program", sys.executable)

    def command(self, launch: Launch) -> Sequence[str]:
        """Return the script with its words."""
        place = launch.socket or str(launch.port)
        return [launch.program, "-S", "-E", SCRIPT, place, *self.words]


class Leavings:
    """Everything that runs because of one test, however it detached itself."""

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex

    @property
    def environ(self) -> dict[str, str]:
        """For what the test starts."""
        return {**os.environ, MARK: self.mark}

    def processes(self) -> list[psutil.Process]:
        """All that live."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                words = [process.environ().get(MARK, ""), *process.cmdline()]
                if self.mark in words and process.status() != "zombie":
                    found.append(process)
        return found
