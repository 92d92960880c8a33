"""``jupyter einfra open PATH``: a folder or file, shown in an open page of JupyterLab."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .apps import run

if TYPE_CHECKING:
    from .client import Server


def add_parser(commands: Any) -> None:
    """Add the command to ``jupyter einfra``."""
    words = "show a folder or file in an open page of JupyterLab"
    parser: argparse.ArgumentParser = commands.add_parser(
        "open",
        help=words,
        description=f"{words[0].upper()}{words[1:]}, and print the address that leads there.",
    )
    parser.add_argument("path", help="the folder or file; a file:// address will do")
    parser.add_argument("--server", metavar="URL", help="which server, where several run")
    parser.set_defaults(run=run, act=_open)


def _open(server: Server, arguments: argparse.Namespace) -> int:
    from tornado.escape import url_unescape  # noqa: PLC0415 - `--help` needs none of it

    path = arguments.path
    if path.startswith("file:///"):  # as a desktop's file manager names them
        path = url_unescape(path.removeprefix("file://"), plus=False)
    # The server's own folder is another one than this terminal's.
    body = {"path": str(Path(path).expanduser().absolute())}
    shown = server.ask("POST", "apps/show", json=body)
    sys.stdout.write(server.address(shown["url"]) + "\n")
    return 0
