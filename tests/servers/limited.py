"""A server and its kernels that share one memory limit, as in a container."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import final

from jupyter_einfra.usage.history import last_words
from jupyter_einfra.usage.history.records import Word

from .groups import Groups
from .kernels import HOLDING, NotebookKernel
from .lab import LabServer
from .process import wait_until

MIB = 2**20


@final
class LimitedServer:
    """A server in control groups of its own.

    Parameters
    ----------
    make:
        Makes the server, given the groups to run it in; it is not started here.
    groups:
        Make the groups.
    memory_bytes, cores:
        Limits.
    """

    def __init__(
        self,
        make: Callable[[set[Path]], LabServer],
        groups: Groups,
        *,
        memory_bytes: int,
        cores: float = 2.0,
    ) -> None:
        made = groups.make(cores=cores, memory_bytes=memory_bytes)
        self.memory_bytes = memory_bytes
        self.group = made["memory"]
        self.lab = make(set(made.values()))
        self._groups = groups

    @property
    def state(self) -> Path:
        """The folder in which the server remembers."""
        return next(self.lab.home.rglob("usage.lock")).parent

    def missing_bytes(self, share: float) -> int:
        """What is missing until that share of the limit is in use; below zero if nothing is."""
        return int(share * self.memory_bytes) - self._groups.used_bytes(self.group)

    def fill(self, kernel: NotebookKernel, share: float) -> None:
        """Have a kernel take what is missing."""
        kernel.do(HOLDING)
        while (missing := self.missing_bytes(share)) > MIB:
            kernel.do(f"hold({missing // MIB})")

    def last_words(self) -> list[Word]:
        """Return what is in the file that survives anything."""
        return last_words.read(self.state / "usage.last-words")

    def wait_for_last_words(self, share: float) -> None:
        """Wait until a sample with so much memory in use is on disk."""
        wanted = share * self.memory_bytes
        wait_until(
            "the last words are on disk",
            lambda: any((word.used_bytes or 0) >= wanted for word in self.last_words()),
        )

    def wait_for_names(self, *paths: str) -> None:
        """Wait until notebooks that have a kernel are named on disk."""
        file, journal = self.state / "usage.sqlite", self.state / "usage.sqlite-journal"

        def are_there() -> bool:
            # Of the run: notices that name a notebook are in the file, too.
            named = re.findall(rb'"open":\[(.*?)\]', file.read_bytes())
            written = any(all(path.encode() in names for path in paths) for names in named)
            return written and not journal.stat().st_size

        wait_until("the notebooks are on disk", are_there)

    def kill(self) -> None:
        """End all of it at once, as the system does to a container."""
        self._groups.kill(self.group)
        self.lab.stop()
