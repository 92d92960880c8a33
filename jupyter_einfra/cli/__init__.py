"""``jupyter einfra ...``: everything the interface can do, without a browser.

One file per command group; each gives ``add_parser``. Nothing is imported for a
command that is not run.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .._version import __version__
from . import activity, apps, check, idle, open_path, usage


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 good, 1 a finding, 2 bad usage."""
    parser = argparse.ArgumentParser(
        prog="jupyter einfra", description="Looks after a Jupyter server on a shared cloud."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for group in (check, usage, idle, activity, apps, open_path):
        group.add_parser(commands)
    arguments = parser.parse_args(argv)
    status: int = arguments.run(arguments)
    return status
