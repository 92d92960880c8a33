"""``python -m benchmarks``: measure everything and print a table in Markdown."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from . import (
    applications,
    cells,
    desktop,
    digests,
    forecasts,
    history,
    opening,
    page_size,
    panel,
    polling,
    proxying,
    recording,
    requests,
    startup,
    storage,
    streams,
)
from .figures import Figure, table
from .surroundings import compile_all, describe, peer_directory

#: Nothing here may take longer than that altogether.
_LIMIT_SECONDS = 2400

_Size = TypeVar("_Size")

_QUICK_WARNING = "**Quick: too few rounds to be quoted.**"


def main() -> None:
    """Measure what was asked for, one benchmark after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("only", nargs="*", help="names of benchmarks; all if left out")
    parser.add_argument("--quick", action="store_true", help="to try the scripts themselves")
    options = parser.parse_args()
    benchmarks = _benchmarks(quick=options.quick)
    if unknown := set(options.only) - benchmarks.keys():
        parser.error(f"no benchmark {sorted(unknown)}; there are {', '.join(benchmarks)}")

    for ending in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(ending, signal.default_int_handler)
    signal.alarm(_LIMIT_SECONDS)
    # Before anything is measured, for it may install the peer.
    peer_directory()
    compile_all()
    print("\n\n".join([*describe(), *([_QUICK_WARNING] if options.quick else [])]))
    for name, measure in benchmarks.items():
        if options.only and name not in options.only:
            continue
        begin = time.monotonic()
        print(f"{name} ...", end=" ", flush=True, file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="einfra-benchmark-") as directory:
            figures = measure(Path(directory))
        print(f"{time.monotonic() - begin:.0f} s", file=sys.stderr)
        print(f"\n### {name}\n\n{table(figures)}", flush=True)


def _benchmarks(*, quick: bool) -> dict[str, Callable[[Path], list[Figure]]]:
    def size(full: _Size, small: _Size) -> _Size:
        return small if quick else full

    few = panel.Size(kernels=5, processes=20, window_seconds=10)
    return {
        "requests": partial(requests.measure, size=size(requests.Size(), requests.Size(2, 30, 3))),
        "polling": partial(polling.measure, size=size(polling.Size(), polling.Size(1, 4))),
        "streams": partial(streams.measure, size=size(streams.Size(), streams.Size(1, 10))),
        "panel": partial(panel.measure, size=size(panel.Size(), few)),
        "history": partial(history.measure, size=size(history.Size(), history.Size(5, 2, 2))),
        "storage": partial(storage.measure, size=size(storage.Size(), storage.Size(10, 1))),
        "startup": partial(startup.measure, size=size(startup.Size(), startup.Size(1))),
        "applications": partial(
            applications.measure, size=size(applications.Size(), applications.Size(1))
        ),
        "opening": partial(opening.measure, size=size(opening.Size(), opening.Size(1))),
        "proxying": partial(proxying.measure, size=size(proxying.Size(), proxying.Size(2, 50, 16))),
        "desktop": partial(desktop.measure, size=size(desktop.Size(), desktop.Size(2, 40))),
        "forecasts": partial(forecasts.measure, size=size(forecasts.Size(), forecasts.Size(3))),
        "recording": partial(
            recording.measure, size=size(recording.Size(), recording.Size(1, 1000, 50))
        ),
        "cells": partial(cells.measure, size=size(cells.Size(), cells.Size(1, 50, 100))),
        "digests": partial(
            digests.measure, size=size(digests.Size(), digests.Size(10_000, 5, loads=2))
        ),
        "page-size": page_size.measure,
    }


if __name__ == "__main__":
    main()
