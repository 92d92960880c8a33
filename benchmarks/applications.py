"""What applications cost a server that has none open, and what looks after one that is."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from servers.apps import SCRIPT

from .figures import Figure, less, median, spread
from .servers import Connection, running
from .startup import Start, start

_OFF = "--EinfraFeatures.disabled_features=apps"


@dataclass(frozen=True)
class Size:
    """How much is measured; one more round fills the caches and is thrown away."""

    rounds: int = 9


def measure(directory: Path, size: Size) -> list[Figure]:
    """Start servers with and without applications in turns; then look at one guardian."""
    taken: dict[bool, list[Start]] = {True: [], False: []}
    for turn in range(size.rounds + 1):
        for on in (True, False) if turn % 2 else (False, True):
            one = start(directory / f"start-{turn}-{on}", "einfra", () if on else (_OFF,))
            if turn:
                taken[on].append(one)
    figures = []
    for what, unit, target in (("ready", "ms", 20), ("cpu", "ms", None), ("rss", "MB", 2)):
        name = f"{what}_{unit.lower()}"
        with_ = [getattr(one, name) for one in taken[True]]
        without = [getattr(one, name) for one in taken[False]]
        figures.append(
            Figure(
                f"start of a server: applications add, {_WORDS[what]}",
                median(with_) - median(without),
                unit,  # type: ignore[arg-type]
                target,
                note=f"lowest of each: {min(with_) - min(without):.1f} {unit}; "
                f"{spread(less(with_, without))}",
            )
        )
    return [*figures, *_guardian(directory)]


_WORDS = {"ready": "time to the first answer", "cpu": "CPU", "rss": "memory (RSS)"}


def _guardian(directory: Path) -> list[Figure]:
    fake = {"title": "Fake", "command": [sys.executable, SCRIPT, "{socket}"]}
    with running(
        directory, "guardian", "einfra", [f"--AppsManager.custom_apps={ {'fake': fake} }"]
    ) as server:
        body = {"app": "fake", "path": None, "show": False}
        Connection(server.port).ask("/jupyter-einfra/apps/open", "POST", body)
        time.sleep(3)
        (guardian,) = psutil.Process(server.pid).children()
        memory = guardian.memory_full_info()
        cpu = sum(guardian.cpu_times()[:2])
    return [
        Figure(
            "guardian of one application: memory of its own (USS)",
            memory.uss / 1e6,
            "MB",
            6,
            note=f"RSS {memory.rss / 1e6:.1f} MB, most of it shared; CPU so far {cpu:.2f} s",
        )
    ]
