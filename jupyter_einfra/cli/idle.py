"""``jupyter einfra idle [--json]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..idle.models import IdleSource, IdleStatus

_WHOSE = {
    "file": "the operator's controller, in a file",
    "controller": "the operator's controller",
    "estimate": "an estimate from what was seen here",
}


def add_parser(commands: Any) -> None:
    """Add the command to ``jupyter einfra``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "idle",
        help="show whether this server will be kept",
        description="Shows when the server may be deleted if it is not used, who says so, and "
        "what counts as use.",
    )
    parser.add_argument("--json", action="store_true", help="print what the server says, as JSON")
    parser.add_argument("--server", metavar="URL", help="which server, where several run")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what is known; 1 if the server cannot be asked, or refuses."""
    import msgspec  # noqa: PLC0415 - `--help` needs none of it

    from ..idle.models import IdleReport  # noqa: PLC0415 - as above
    from .client import NoServer, Refused, find_server  # noqa: PLC0415 - as above

    try:
        told = find_server(arguments.server).ask("GET", "idle")
    except (NoServer, Refused) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if arguments.json:
        text = msgspec.json.format(msgspec.json.encode(told), indent=2).decode()
    else:
        text = "\n".join(lines(msgspec.convert(told, IdleReport).status))
    sys.stdout.write(text + "\n")
    return 0


def lines(status: IdleStatus) -> Iterator[str]:
    """Say a status in words, one thing a line."""
    from ..idle.notices import use_in_words  # noqa: PLC0415 - as above

    yield _answer(status)
    if status.counter is not None:
        most = " at most" if status.source == "estimate" else ""
        limit = "" if status.counter_limit is None else f" of {status.counter_limit}"
        yield _line("Found unused", f"{status.counter}{limit} times{most}")
    rule = None if status.policy is None else status.policy.rule
    if rule is not None:
        yield _line("What counts", use_in_words(rule, status).strip())
    if status.used_at is not None:
        yield _line("Last use", _when(status.used_at))
    if status.next_evaluation_at is not None:
        yield _line("Next look", _when(status.next_evaluation_at))
    if status.policy is not None:
        yield _line("Policy", f"{status.policy.revision}. {status.policy.text}".strip())
    for source in status.sources:
        yield _line("Source", _source(source, used=source.name == status.source))
    for reason in status.unseen:
        yield _line("Not seen", reason.message)


def _answer(status: IdleStatus) -> str:
    if status.level == "unknown" or status.delete_at is None:
        why = "" if status.reason is None else f" {status.reason.message}"
        return f"Whether this server will be kept is not known.{why}"
    if status.delete_at <= status.time:
        return "Unless it is used, this server may be deleted at any moment. Save your work."
    end = _when(status.delete_at)
    told = "an estimate, at the earliest" if status.is_estimate else "as the controller says"
    if status.level == "kept":
        return f"This server is kept until {end} ({told}), and longer if it is used."
    if status.level == "unsure":
        return (
            f"This server seems to be used, which cannot be proven from here. If it is not, it "
            f"may be deleted on {end} ({told})."
        )
    return f"Unless it is used, this server is deleted on {end} ({told}). Save your work."


def _source(source: IdleSource, *, used: bool) -> str:
    time = "" if source.time is None else f", of {_when(source.time)}"
    if source.reason is not None:
        return f"{_WHOSE[source.name]}{time}: not used. {source.reason.message}"
    return f"{_WHOSE[source.name]}{time}{'' if used else ' (not needed)'}"


def _when(moment: datetime) -> str:
    return f"{moment.astimezone():%a %d %b %Y %H:%M}"


def _line(label: str, text: str) -> str:
    return f"{label:<13} {text}"
