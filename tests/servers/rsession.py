"""A stand-in for RStudio's ``rsession``: R, as far as it matters how it is stopped.

It is told what to do by ``console_input``: ``x <- 1`` sets a variable, ``x`` shows it,
``Sys.getenv("A")`` shows one of the environment, ``Sys.sleep(100)`` is busy, ``crash`` ends
it, ``get stuck`` makes a state that is never restored.

SIGUSR1 suspends it once it is not busy, SIGUSR2 at once; else what it knows is lost. The
state is removed when it is restored. ``RSESSION_SUSPENDS`` is how many seconds that takes.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

if sys.argv[1:2] != ["-u"] or "--launcher-token" not in sys.argv or "R_HOME" not in os.environ:
    sys.exit("ERROR it was not started by rserver")
STREAM = os.environ["RSTUDIO_SESSION_STREAM"]
HOME = Path(os.environ.get("XDG_DATA_HOME") or Path(os.environ["HOME"], ".local", "share"))
FOLDER = Path(os.environ.get("RSTUDIO_DATA_HOME") or HOME / "rstudio", "sessions/active/session-1")
STATE = FOLDER / "suspended-session-data"

known: dict[str, str] = {}
busy = threading.Event()
wanted = threading.Event()
forced = threading.Event()


def say(what: str) -> None:
    sys.stdout.write(what + "\n")
    sys.stdout.flush()


def suspend(how: str) -> None:
    say(f"suspending ({how})")
    time.sleep(float(os.environ.get("RSESSION_SUSPENDS", "0")))
    FOLDER.mkdir(parents=True, exist_ok=True)
    STATE.write_text(json.dumps(known))
    say("suspended")
    os._exit(0)


def console(code: str) -> str:
    if found := re.fullmatch(r"(\w+) <- (.*)", code):
        known[found[1]] = found[2]
        return ""
    if found := re.fullmatch(r'Sys\.getenv\("(\w+)"\)', code):
        return os.environ.get(found[1], "")
    if found := re.fullmatch(r"Sys\.sleep\((\d+)\)", code):
        busy.set()
        threading.Timer(float(found[1]), busy.clear).start()
        return "busy"
    if code == "crash":
        os._exit(139)
    if code == "get stuck":
        known["stuck"] = "yes"
    return known.get(code, "not found")


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        told = "ready" if self.path.endswith("client_init") else ""
        if self.path.endswith("console_input"):
            told = console(body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(told.encode())))
        self.end_headers()
        self.wfile.write(told.encode())

    def address_string(self) -> str:
        return "rserver"

    def log_message(self, *args: object) -> None:
        return


class Server(ThreadingHTTPServer):
    address_family = socket.AF_UNIX
    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        return  # who asked is gone

    def server_bind(self) -> None:
        self.socket.bind(STREAM)
        self.server_name, self.server_port = "rsession", 0


signal.signal(signal.SIGUSR1, lambda *_: wanted.set())
signal.signal(signal.SIGUSR2, lambda *_: forced.set())
if STATE.exists():
    known.update(json.loads(STATE.read_text()))
    while "stuck" in known:  # not even signals help
        wanted.clear()
        time.sleep(0.1)
    STATE.unlink()
    say("restored")
threading.Thread(target=Server(STREAM, Handler).serve_forever, daemon=True).start()  # type: ignore[arg-type]
while True:
    if forced.wait(0.05):
        suspend("forced")
    if wanted.is_set() and not busy.is_set():
        suspend("asked")
