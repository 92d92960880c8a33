"""``jupyter einfra apps list|start|stop|restart|reset|logs``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import Server

Act = Callable[["Server", argparse.Namespace], int]


def add_parser(commands: Any) -> None:
    """Add the commands to ``jupyter einfra``."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "apps",
        help="start, stop and look at VS Code, TensorBoard and other applications",
        description="Looks after the applications of a Jupyter server: that of this terminal, "
        "or the only one that runs.",
    )
    acts = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    found = _add(acts, "list", _list, "show which applications there are and what they do")
    found.add_argument("--json", action="store_true", help="print what the server says, as JSON")

    start = _add(acts, "start", _start, "start an application, or open a folder or file in it")
    start.add_argument("app", help="its name, as in the list")
    start.add_argument("path", nargs="?", help="a folder or file to open")
    start.add_argument(
        "--no-show", action="store_true", help="do not show it in an open page of JupyterLab"
    )
    start.add_argument("--no-wait", action="store_true", help="do not wait until it is ready")

    stop = _add(acts, "stop", _stop, "stop an application")
    restart = _add(acts, "restart", _restart, "stop an application and start it anew")
    reset = _add(
        acts, "reset", _reset, "set a stuck session of RStudio aside and start with a new one"
    )
    reset.add_argument("--yes", action="store_true", help="do not ask")
    logs = _add(acts, "logs", _logs, "show what an application printed")
    for command in (stop, restart, reset, logs):
        command.add_argument("id", help="its id, as in the list")
    logs.add_argument("-n", "--lines", type=_lines, default=50, help="how many lines; 50")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")


def _add(acts: Any, name: str, act: Act, words: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = acts.add_parser(
        name, help=words, description=words[0].upper() + words[1:] + "."
    )
    parser.add_argument("--server", metavar="URL", help="which server, where several run")
    parser.set_defaults(run=run, act=act)
    return parser


def _lines(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 5000:
        raise argparse.ArgumentTypeError("has to be 1 to 5000")
    return count


def run(arguments: argparse.Namespace) -> int:
    """Run one command; 1 if the server cannot be asked, or refuses."""
    from .client import NoServer, Refused, find_server  # noqa: PLC0415 - `--help` needs none of it

    try:
        act: Act = arguments.act
        return act(find_server(arguments.server), arguments)
    except (NoServer, Refused) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _list(server: Server, arguments: argparse.Namespace) -> int:
    told = server.ask("GET", "apps")
    if arguments.json:
        import msgspec  # noqa: PLC0415 - as above

        text = msgspec.json.format(msgspec.json.encode(told), indent=2).decode()
        sys.stdout.write(text + "\n")
        return 0
    rows = list(_rows(told["apps"], datetime.now(timezone.utc)))
    width = max(len(ident) for ident, _ in rows) if rows else 0
    for ident, what in rows:
        sys.stdout.write(f"{ident:<{width}}  {what}\n")
    return 0


def _rows(apps: list[Any], now: datetime) -> Iterator[tuple[str, str]]:
    """Say what each application and each of its instances does."""
    for app in apps:
        if not app["installed"]:
            yield app["name"], f"not installed; {app['reason']['message']}"
        elif not app["instances"]:
            yield app["name"], "stopped"
        for instance in app["instances"]:
            since = datetime.fromisoformat(instance["since"].replace("Z", "+00:00"))
            words = [f"{instance['state']} for {_span((now - since).total_seconds())}"]
            if instance["folder"] is not None:
                words.append(instance["folder"])
            if instance["state"] != "running" and instance["reason"]:
                words.append(instance["reason"]["message"])
            elif instance["state"] == "running" and instance["last_used"]:
                used = datetime.fromisoformat(instance["last_used"].replace("Z", "+00:00"))
                words.append(f"last used {_span((now - used).total_seconds())} ago")
            if instance["hides_use"]:
                words.append("its pages do not let its use be seen, but in tabs of JupyterLab")
            yield instance["id"], ", ".join(words)


def _span(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _start(server: Server, arguments: argparse.Namespace) -> int:
    path = arguments.path
    body = {
        "app": arguments.app,
        # The server's own folder is another one than this terminal's.
        "path": None if path is None else str(Path(path).expanduser().absolute()),
        "show": not arguments.no_show,
    }
    address = server.ask("POST", "apps/open", json=body)
    if address["note"]:
        sys.stderr.write(f"{address['note']['message']}\n")
    status = 0 if arguments.no_wait else _wait(server, address["instance"]["id"])
    if status == 0:
        sys.stdout.write(server.address(address["url"]) + "\n")
    return status


def _wait(server: Server, ident: str) -> int:
    """Wait until it is ready; say why if it never will be."""
    for event in server.follow("apps/launch", params={"id": ident}):
        if event["type"] != "launch":
            continue
        instance = event["instance"]
        if instance["state"] == "running":
            return 0
        if instance["state"] in ("failed", "stopped") and instance["reason"]:
            sys.stderr.write(f"{instance['reason']['message']}\n")
            for line in server.ask("GET", "apps/log", params={"id": ident})["lines"]:
                sys.stderr.write(f"  {line}\n")
            return 1
    return 1


def _stop(server: Server, arguments: argparse.Namespace) -> int:
    told = server.ask("POST", "apps/stop", json={"id": arguments.id})
    if told["state"] not in ("stopped", "failed"):
        for event in server.follow("apps/launch", params={"id": arguments.id}):
            if event["type"] == "launch" and event["instance"]["state"] == "stopped":
                break
    sys.stdout.write(f"{told['title']} is stopped\n")
    return 0


def _restart(server: Server, arguments: argparse.Namespace) -> int:
    told = server.ask("POST", "apps/restart", json={"id": arguments.id})
    status = _wait(server, arguments.id)
    if status == 0:
        sys.stdout.write(server.address(told["url"]) + "\n")
    return status


def _reset(server: Server, arguments: argparse.Namespace) -> int:
    apps = server.ask("GET", "apps")["apps"]
    app = next((app for app in apps if app["name"] == arguments.id.partition("/")[0]), None)
    # The server says what is wrong with a name, or with an application that keeps nothing.
    if app is not None and app["kept_in"] and not arguments.yes:
        sys.stdout.write(
            f"{app['title']} ends at once. Its session is set aside in {app['kept_in']}, "
            "not deleted, and a new one begins. Go on? [y/N] "
        )
        sys.stdout.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            return 1
    told = server.ask("POST", "apps/reset", json={"id": arguments.id})
    status = _wait(server, arguments.id)
    if status == 0:
        sys.stdout.write(server.address(told["url"]) + "\n")
    return status


def _logs(server: Server, arguments: argparse.Namespace) -> int:
    query = {"id": arguments.id}
    if not arguments.follow:
        told = server.ask("GET", "apps/log", params={**query, "lines": arguments.lines})
        sys.stdout.writelines(f"{line}\n" for line in told["lines"])
        return 0
    for event in server.follow("apps/launch", params=query):
        if event["type"] == "log":
            if event["skipped_bytes"]:
                sys.stdout.write(f"({event['skipped_bytes']} bytes are left out)\n")
            sys.stdout.writelines(f"{line}\n" for line in event["lines"])
            sys.stdout.flush()
    return 0
