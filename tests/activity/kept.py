"""A record in a folder of the test's own, from one life of a server to the next."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from servers.process import wait_until

from jupyter_einfra.activity.remembered import Remembered

from .made import at

LOG = logging.getLogger("tests.activity")
NOON = at(720).timestamp()


@contextmanager
def life(directory: Path, now: float = NOON, **options: Any) -> Iterator[Remembered]:
    kept = Remembered(directory, now=lambda: now, log=LOG, retry_seconds=(0.05, 0.1), **options)
    kept.start()
    try:
        yield kept
    finally:
        kept.stop(5.0)


def read(kept: Remembered) -> Remembered:
    wait_until("it was read", lambda: kept.is_read)
    return kept
