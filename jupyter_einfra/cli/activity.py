"""``jupyter einfra activity [--since 2d] [--events] [--json] [--erase] [--record on|off]``."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..activity.models import ActivityEvent, ActivityList, Digest, DigestUse, Fact
    from .client import Server

_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}

_TITLES = {
    "attention": "Needs your attention",
    "finished": "Finished",
    "running": "Still running",
    "files": "Files changed",
    "continue": "Where to go on",
}


def add_parser(commands: Any) -> None:
    """Add the command to ``jupyter einfra``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "activity",
        help="show what happened on this server",
        description="Shows what finished, failed and still runs, what changed and what was used: "
        "since you were last here, or since a time.",
    )
    parser.add_argument(
        "--since",
        type=_since,
        metavar="TIME",
        help="how long back, such as 90m, 8h, 2d or 1w, or a moment such as 2026-11-20T08:00",
    )
    parser.add_argument("--events", action="store_true", help="every event instead of a summary")
    parser.add_argument("--json", action="store_true", help="print what the server says, as JSON")
    parser.add_argument(
        "--erase", action="store_true", help="erase all that was recorded; it cannot be undone"
    )
    parser.add_argument(
        "--record", choices=("on", "off"), help="begin or end to record what happens"
    )
    parser.add_argument("--server", metavar="URL", help="which server, where several run")
    parser.set_defaults(run=run)


def _since(text: str) -> datetime:
    """Read a time that a person gives."""
    now = datetime.now(timezone.utc)
    if match := re.fullmatch(r"(\d{1,6})([mhdw])", text):
        return now - timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone()
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: give one such as 8h, 2d or 2026-11-20T08:00"
        ) from None
    return moment


def run(arguments: argparse.Namespace) -> int:
    """Print what happened; 1 if the server cannot be asked, or refuses."""
    from .client import NoServer, Refused, find_server  # noqa: PLC0415 - `--help` needs none

    try:
        server = find_server(arguments.server)
        if arguments.record is not None:
            wanted = arguments.record == "on"
            server.ask("PUT", "activity/recording", json={"recording": wanted})
            said = "What happens is recorded." if wanted else "Nothing is recorded any more."
            sys.stdout.write(said + "\n")
        if arguments.erase:
            server.ask("DELETE", "activity")
            sys.stdout.write("What was recorded is erased, but for what still runs.\n")
        if arguments.record is None and not arguments.erase:
            sys.stdout.write(_told(server, arguments) + "\n")
    except (NoServer, Refused) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _told(server: Server, arguments: argparse.Namespace) -> str:
    import msgspec  # noqa: PLC0415 - as above

    from ..activity.models import ActivityList, Digest  # noqa: PLC0415 - as above

    since: datetime | None = arguments.since
    query = {} if since is None else {"since": since.isoformat()}
    told = server.ask("GET", "activity" if arguments.events else "activity/digest", params=query)
    if arguments.json:
        return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()
    if arguments.events:
        return "\n".join(_events(msgspec.convert(told, ActivityList)))
    return "\n".join(lines(msgspec.convert(told, Digest)))


def lines(digest: Digest) -> Iterator[str]:
    """Say a digest in words, one thing a line."""
    yield f"Since {_when(digest.since)}. This server runs since {_when(digest.started_at)}."
    if not digest.recording:
        yield "What happens is not recorded; `jupyter einfra activity --record on` begins to."
    elif digest.reason is not None:
        yield digest.reason.message
    if all(section.name == "continue" for section in digest.sections):
        yield "Nothing has happened since."
    for section in digest.sections:
        yield ""
        yield _TITLES[section.name]
        yield from (_fact(fact) for fact in section.facts)
        if section.more:
            yield f"  and {section.more} more"
    if digest.use is not None:
        yield ""
        yield _use(digest.use)


def _fact(fact: Fact) -> str:
    when = "" if fact.time is None else _when(fact.time)
    return f"  {when:<17} {fact.message}"


def _use(use: DigestUse) -> str:
    from ..wording import share, size  # noqa: PLC0415 - as above

    def most(peak: int, limit: int | None) -> str:
        return size(peak) if limit is None else share(peak, limit)

    parts = []
    if use.cpu_core_hours is not None:
        parts.append(f"{use.cpu_core_hours:.1f} CPU-hours")
    if use.gpu_hours is not None:
        parts.append(f"{use.gpu_hours:.1f} GPU-hours")
    if use.memory_peak_bytes is not None:
        parts.append(f"most memory {most(use.memory_peak_bytes, use.memory_limit_bytes)}")
    if use.gpu_memory_peak_bytes is not None:
        told = most(use.gpu_memory_peak_bytes, use.gpu_memory_total_bytes)
        parts.append(f"most GPU memory {told}")
    if use.home_used_bytes is not None and use.home_limit_bytes is not None:
        parts.append(f"home {share(use.home_used_bytes, use.home_limit_bytes)}")
    of = " (of the whole machine)" if use.scope == "machine" else ""
    return f"Used{of}: {', '.join(parts)}."


def _events(told: ActivityList) -> Iterator[str]:
    if told.more:
        yield f"({told.more} older ones are left out)"
    yield from (f"{_when(event.time)}  {_event(event)}" for event in told.events)


def _event(event: ActivityEvent) -> str:
    """Say one event in few words."""
    from ..activity.models import (  # noqa: PLC0415 - as above
        CellRun,
        CellsRan,
        FileEvent,
        KernelEvent,
    )
    from ..activity.words import name_of  # noqa: PLC0415 - as above
    from ..kernels.names import tidy  # noqa: PLC0415 - as above
    from ..wording import duration  # noqa: PLC0415 - as above

    if isinstance(event, CellsRan):
        return f"{name_of(event.path, event.kernel_id)}: {event.cells} cells ran"
    if isinstance(event, CellRun):
        took = "" if event.seconds is None else f" after {duration(event.seconds)}"
        error = "" if event.error_name is None else f": {event.error_name}"
        name = name_of(event.path, event.kernel_id)
        return f"{name}: a cell {_OUTCOMES.get(event.outcome, event.outcome)}{took}{error}"
    if isinstance(event, KernelEvent):
        return f"kernel of {tidy(event.name)}: {event.action}"
    if isinstance(event, FileEvent):
        was = "" if event.source_path is None else f" from {tidy(event.source_path)}"
        return f"{tidy(event.path)}: {event.action}{was}"
    return f"{tidy(event.name)}: {event.action}"


_OUTCOMES = {
    "running": "is running",
    "finished": "finished",
    "failed": "failed",
    "interrupted": "was interrupted",
    "died": "ended with its kernel, which died",
    "restarted": "ended with its kernel, which was restarted",
    "shut-down": "ended with its kernel, which was shut down",
    "server-ended": "ended with the server",
    "unknown": "ended unseen",
}


def _when(moment: datetime) -> str:
    return f"{moment.astimezone():%a %d %b %H:%M}"
