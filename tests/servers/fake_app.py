"""An application that does what it is told: a script of its own, standard library alone.

``python fake_app.py SOCKET_OR_PORT [WORD ...]``. The words are what it does at its start, one
after the other:

    print=TEXT        print a line
    sleep=SECONDS     take its time
    flood             print without end, as fast as it can, from now on
    child             start a child that stays
    daemon            start a grandchild that detaches itself: another session, no parent
    scrub             start a child that takes all marks from its environment
    lost              start one that does both
    deaf              ignore SIGTERM
    exit=CODE         end
    signal=NUMBER     end by a signal
    busy              listen, and answer every request with an error of its own
    mute              listen, and never answer

Then it listens. ``GET /do?WORD&WORD`` does the same later; ``GET /page?HEADER`` answers an HTML
page with a header of one's own, quoted; ``GET /anything`` answers what it was asked as JSON;
WebSockets echo what they are sent, after their headers if that is ``/headers``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import unquote

PAGE = (
    b"<!doctype html><html><head><title>Page</title></head><body>A page<br>"
    b"<input><div style='height: 4000px'></div></body></html>"
)

#: Does nothing for long; the last word tells whose it is, even without an environment.
SLEEPER = [
    *(sys.executable, "-S", "-c", "import time; time.sleep(600)"),
    os.environ.get("EINFRA_TESTS_APP", ""),
]


def do(word: str) -> None:
    name, _, value = word.partition("=")
    if name == "print":
        print(value, flush=True)
    elif name == "sleep":
        time.sleep(float(value))
    elif name == "flood":
        threading.Thread(target=flood, daemon=True).start()
    elif name == "child":
        subprocess.Popen(SLEEPER)
    elif name == "scrub":
        subprocess.Popen(SLEEPER, env={})
    elif name in ("daemon", "lost"):
        detach(scrub=name == "lost")
    elif name == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif name == "exit":
        sys.stdout.flush()
        os._exit(int(value))
    elif name == "signal":
        os.kill(os.getpid(), int(value))
    else:
        raise SystemExit(f"fake_app.py does not know the word {word!r}")


def flood() -> None:
    line = b"x" * 1000 + b"\n"
    while True:
        os.write(1, 64 * line)


def detach(*, scrub: bool) -> None:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            env = {} if scrub else dict(os.environ)
            os.execve(SLEEPER[0], SLEEPER, env)
        os._exit(0)
    os.wait()


def answer(connection: socket.socket, manner: str) -> None:
    with connection, connection.makefile("rb") as stream:
        while request := stream.readline():
            method, path, _ = request.decode("latin-1").split(" ", 2)
            headers = {}
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            body = stream.read(int(headers.get("content-length", 0)))
            if manner == "mute":
                time.sleep(600)
            if headers.get("upgrade", "").lower() == "websocket":
                first = json.dumps(headers).encode() if path.endswith("/headers") else b""
                echo(connection, stream, headers["sec-websocket-key"], first)
                return
            if path.partition("?")[0].endswith("/do"):
                for word in path.partition("?")[2].split("&"):
                    do(word)
            told = {"method": method, "path": path, "headers": headers, "body": body.decode()}
            text = json.dumps({**told, "pid": os.getpid(), "argv": sys.argv[1:]}).encode()
            kind = "application/json"
            if path.partition("?")[0].endswith("/page"):
                text, kind = PAGE, f"text/html\r\n{unquote(path.partition('?')[2]) or 'X-A: b'}"
            status = "500 No" if manner == "busy" else "200 OK"
            head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n"
            size = f"Content-Length: {len(text)}\r\n\r\n"
            connection.sendall((head + size).encode() + (b"" if method == "HEAD" else text))
            if headers.get("connection", "").lower() == "close":
                return


def echo(connection: socket.socket, stream: object, key: str, first: bytes) -> None:
    """Speak as much of RFC 6455 as an echo takes."""
    accept = base64.b64encode(
        hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    ).decode()
    connection.sendall(
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n"
        ).encode()
    )
    if first:
        connection.sendall(b"\x81\x7e" + len(first).to_bytes(2, "big") + first)
    read = stream.read  # type: ignore[attr-defined]
    while head := read(2):
        size = head[1] & 0x7F
        if size == 126:
            size = int.from_bytes(read(2), "big")
        elif size == 127:
            size = int.from_bytes(read(8), "big")
        mask, data = read(4), read(size)
        data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        if head[0] & 0x0F == 8:
            return
        if size < 126:
            length = bytes([size])
        elif size < 2**16:
            length = bytes([126]) + size.to_bytes(2, "big")
        else:
            length = bytes([127]) + size.to_bytes(8, "big")
        connection.sendall(head[:1] + length + data)


def main() -> None:
    place, words = sys.argv[1], sys.argv[2:]
    manner = next((word for word in words if word in ("busy", "mute")), "")
    for word in words:
        if word != manner:
            do(word)
    if place.isdigit():
        listener = socket.create_server(("127.0.0.1", int(place)))
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(place)
        listener.listen(64)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection, manner), daemon=True).start()


if __name__ == "__main__":
    main()
