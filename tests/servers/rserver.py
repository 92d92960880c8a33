"""A stand-in for RStudio Server's ``rserver``, which cannot be installed where tests run.

As strict as the real one where that matters to us, with its kinds of message: it refuses
flags that it does not know, and folders of the system that it may not write; it cleans the
environment of what it starts; it listens on a socket, starts a session when a page asks for
one, and again when that was suspended. ``RSERVER_LACKS`` names flags of newer versions.

Standard library alone; `servers.rstudio` puts it where a test wants it.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

#: Of the real one's, those that have to do with us; and what they are by default.
FLAGS = {
    "server-working-dir": "/",
    "server-user": "rstudio-server",
    "server-daemonize": "1",
    "server-pid-file": "/var/run/rstudio-server.pid",
    "server-data-dir": "/var/run/rstudio-server",
    "secure-cookie-key-file": "/var/lib/rstudio-server/secure-cookie-key",
    "database-config-file": "/etc/rstudio/database.conf",
    "www-address": "0.0.0.0",
    "www-port": "",
    "www-socket": "",
    "www-root-path": "/",
    "www-frame-origin": "none",
    "www-verify-user-agent": "1",
    "www-thread-pool-size": "6",
    "auth-none": "0",
    "rsession-path": "rsession",
    "rsession-which-r": "",
    "rsession-proxy-max-wait-secs": "30",
}
LACKS = os.environ.get("RSERVER_LACKS", "").split()

#: What it hands to a session of its own environment; all else is gone.
HANDED = ("PATH", "MANPATH", "LANG", "SHELL", "HOME", "USER", "XDG_DATA_HOME")

PAGE = """<!doctype html><title>RStudio</title><style>
html {{ color-scheme: light dark; font-family: sans-serif }}
body {{ background: Canvas; color: CanvasText }}</style>
<h1>RStudio (stand-in)</h1>
<form method="post" action="auth-sign-out"><button>Sign out</button></form>
<input aria-label="Console"><pre></pre><script>
const ask = (name, text) =>
  fetch("rpc/" + name, {{method: "POST", body: text || ""}}).then(r => r.text());
const input = document.querySelector("input"), output = document.querySelector("pre");
ask("client_init").then(text => {{ output.textContent = text; poll(); }});
input.addEventListener("change", async () => {{
  output.textContent = await ask("console_input", input.value); input.value = ""; }});
async function poll() {{ while (true) {{
  try {{ await ask("get_events"); }} catch {{}} await new Promise(r => setTimeout(r, 300)); }} }}
</script>"""
SIGN_IN = "<!doctype html><title>Sign In</title><form>Username <input> Password <input></form>"


def fail(message: str) -> None:
    sys.stderr.write(message + "\n")
    sys.exit(1)


def flags() -> dict[str, str]:
    known = {name: value for name, value in FLAGS.items() if name not in LACKS}
    if sys.argv[1:] == ["--help"]:
        sys.stdout.write("command-line options:\n")
        sys.stdout.writelines(f"  --{name} arg (={value})\n" for name, value in known.items())
        sys.exit(0)
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write('2026.05.1+7 "Stand-In" (00000000, 2026-05-01) for Tests\n')
        sys.exit(0)
    given = dict(known)
    for word in sys.argv[1:]:
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name not in known:
            fail(f"unrecognised option '{word.partition('=')[0]}'")
        if not equals:
            fail(f"the required argument for option '--{name}' is missing")
        given[name] = value
    return given


def must_be_private(name: str, path: str) -> None:
    if path.startswith(("/var", "/etc", "/run")) or not os.access(Path(path).parent, os.W_OK):
        fail(f"ERROR system error 13 (Permission denied) [path: {path}] ({name})")


GIVEN = flags()
if GIVEN["auth-none"] != "1":
    fail("ERROR PAM is not there for a user who is not root")
if os.geteuid() == 0 and GIVEN["server-daemonize"] != "0":
    fail("ERROR it became a daemon, which nobody looks after")
if GIVEN["www-frame-origin"] != "same":
    fail("ERROR nobody could show this in a frame")
if not GIVEN["www-socket"] or GIVEN["www-port"]:
    fail("ERROR system error 98 (Address already in use)")
for needed in ("server-data-dir", "secure-cookie-key-file", "database-config-file"):
    must_be_private(needed, GIVEN[needed])
DATABASE = Path(GIVEN["database-config-file"]).read_text()
if not re.search(r"^provider=sqlite$", DATABASE, re.MULTILINE):
    fail("ERROR database-config-file has no provider")
must_be_private("database", re.findall(r"^directory=(.*)$", DATABASE, re.MULTILINE)[0] + "/x")
DATA = Path(GIVEN["server-data-dir"])
if not DATA.is_dir():
    fail(f"ERROR system error 2 (No such file or directory) [path: {DATA}]")
DATA.chmod(0o777)  # as the real one does
Path(GIVEN["secure-cookie-key-file"]).write_text("a key")
STREAM = DATA / "session-stream"
LOCK = threading.Lock()
sessions: list[subprocess.Popen[bytes]] = []
"""The last one is that which runs, or ran."""


class OnSocket(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(float(GIVEN["rsession-proxy-max-wait-secs"]))
        self.sock.connect(str(STREAM))


def launch() -> None:
    """Start a session if none runs."""
    with LOCK:
        if sessions and sessions[-1].poll() is None:
            return
        STREAM.unlink(missing_ok=True)
        env = {name: os.environ[name] for name in HANDED if name in os.environ}
        env.update(
            R_HOME="/usr/lib/R",
            LD_LIBRARY_PATH="/usr/lib/R/lib",
            RS_RPC_SECRET="of this rserver",
            RS_SESSION_TMP_DIR=str(DATA),
            RSTUDIO_SESSION_STREAM=str(STREAM),
        )
        path = GIVEN["rsession-path"]
        path = path if path.startswith("/") else str(Path(sys.argv[0]).parent / path)
        words = ["-u", GIVEN["server-user"], "--session-root-path", GIVEN["www-root-path"]]
        sessions.append(subprocess.Popen([path, *words, "--launcher-token", "1A2B"], env=env))


def forward(path: str, body: bytes) -> bytes:
    launch()
    while True:
        try:
            connection = OnSocket("session")
            connection.request("POST", path, body)
            return connection.getresponse().read()
        except (FileNotFoundError, ConnectionRefusedError):
            if sessions[-1].poll() is not None:
                raise
            time.sleep(0.02)  # it starts


class Handler(BaseHTTPRequestHandler):
    def answer(self, status: int, text: bytes, kind: str = "text/html", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self) -> None:
        if self.path.startswith("/auth-sign-in"):
            self.answer(200, SIGN_IN.encode())
        elif self.path == "/":
            self.answer(200, PAGE.format().encode())
        else:
            self.answer(404, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/auth-sign-out":
            self.answer(302, b"", Location=f"{GIVEN['www-root-path']}auth-sign-in")
            return
        try:
            self.answer(200, forward(self.path, body), "text/plain")
        except OSError as error:
            self.answer(503, str(error).encode())

    def address_string(self) -> str:
        return "socket"


class Server(ThreadingHTTPServer):
    address_family = socket.AF_UNIX
    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        return  # who asked is gone

    def server_bind(self) -> None:
        self.socket.bind(GIVEN["www-socket"])
        Path(GIVEN["www-socket"]).chmod(0o666)  # as the real one does
        self.server_name, self.server_port = "socket", 0


Server("socket", Handler).serve_forever()  # type: ignore[arg-type]
