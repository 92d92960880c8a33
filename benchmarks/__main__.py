"""``python -m benchmarks``: measure everything and print a table in Markdown."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from . import history, page_size, panel, polling, requests, startup, storage, streams
from .figures import Figure, table
from .surroundings import compile_all, describe, peer_directory

#: Nothing here may take longer than that altogether.
_LIMIT_SECONDS = 1200

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
    sizes = (
        (
            requests.Size(2, 30, 3),
            polling.Size(1, 4),
            streams.Size(1, 10),
            panel.Size(kernels=5, processes=20, window_seconds=10),
            history.Size(5, 2, 2),
            storage.Size(10, 1),
            startup.Size(1),
        )
        if quick
        else (
            requests.Size(),
            polling.Size(),
            streams.Size(),
            panel.Size(),
            history.Size(),
            storage.Size(),
            startup.Size(),
        )
    )
    of_requests, of_polling, of_streams, of_panel, of_history, of_storage, of_startup = sizes
    return {
        "requests": lambda directory: requests.measure(directory, of_requests),
        "polling": lambda directory: polling.measure(directory, of_polling),
        "streams": lambda directory: streams.measure(directory, of_streams),
        "panel": lambda directory: panel.measure(directory, of_panel),
        "history": lambda directory: history.measure(directory, of_history),
        "storage": lambda directory: storage.measure(directory, of_storage),
        "startup": lambda directory: startup.measure(directory, of_startup),
        "page-size": page_size.measure,
    }


if __name__ == "__main__":
    main()
