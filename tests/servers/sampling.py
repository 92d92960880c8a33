"""A process that samples as the server does, for what is kept per process (the GPU driver)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

import jupyter_einfra
from jupyter_einfra.usage.models import UsageSnapshot

DEADLINE_SECONDS = 20

#: Samples until its input ends; no pause is longer than a second.
PROGRAM = """
import asyncio, json, logging, sys, tempfile, time
from pathlib import Path
from jupyter_einfra.notices import NoticeBoard
from jupyter_einfra.usage.manager import UsageManager
from jupyter_einfra.usage.probes import nvml
from jupyter_einfra.usage.programs.roster import Roster

assert "pynvml" not in sys.modules  # nothing heavy at start
nvml.FIRST_RETRY_SECONDS, nvml.LAST_RETRY_SECONDS = 0.2, 0.5
options = dict(watched_interval_seconds=0.2, unwatched_interval_seconds=0.2)
options.update(json.loads(sys.argv[1]))

def publish(topic, data):
    if topic == "usage":
        print(data.decode(), flush=True)

async def serve(directory):
    manager = UsageManager(
        publish=publish,
        board=NoticeBoard(lambda topic, data: None),
        roster=Roster(None, None, lambda: None, logging.getLogger()),
        directory=directory,
        **options,
    )
    begun = time.monotonic()
    manager.start()
    started = time.monotonic() - begun
    await asyncio.to_thread(sys.stdin.read)
    begun = time.monotonic()
    await asyncio.to_thread(manager.stop)
    stopped = time.monotonic() - begun
    bindings = "pynvml" in sys.modules
    print(json.dumps(dict(started=started, stopped=stopped, bindings=bindings)), flush=True)

with tempfile.TemporaryDirectory() as directory:
    asyncio.run(serve(Path(directory)))
"""


class Server:
    """A process that samples, and what it published so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.samples: list[UsageSnapshot] = []
        self.arrivals: list[float] = []
        self.last_words: dict[str, Any] = {}
        self.process = process
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                if '"stopped"' in line:
                    self.last_words = json.loads(line)
                else:
                    self.samples.append(msgspec.json.decode(line, type=UsageSnapshot))
                    self.arrivals.append(time.monotonic())
                self._news.notify_all()

    def wait_for(self, wanted: Callable[[UsageSnapshot], bool]) -> UsageSnapshot:
        """Return the latest sample as soon as it is as wanted."""
        with self._news:
            there = self._news.wait_for(
                lambda: bool(self.samples) and wanted(self.samples[-1]), DEADLINE_SECONDS
            )
            latest = self.samples[-1] if self.samples else None
        assert there, f"the last of {len(self.samples)} samples was {latest}"
        assert latest is not None
        return latest

    def wait_for_more(self, count: int) -> list[float]:
        """Return when each of the next samples came."""
        with self._news:
            first = len(self.samples)
            assert self._news.wait_for(lambda: len(self.samples) >= first + count, DEADLINE_SECONDS)
            return self.arrivals[first : first + count]

    def stop(self) -> dict[str, Any]:
        """Stop it as Jupyter does; return its last words."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(DEADLINE_SECONDS) == 0
        self._thread.join(5)
        return self.last_words

    def kill(self) -> None:
        """End it whatever it does."""
        self.process.kill()
        self.process.wait()
        self._thread.join(5)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def serve(environ: dict[str, str], **options: object) -> Iterator[Server]:
    package = str(Path(jupyter_einfra.__file__).parents[1])
    search = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, json.dumps(options)],
        env={**os.environ, "PYTHONPATH": search, **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    server = Server(process)
    try:
        yield server
    finally:
        server.kill()
