"""Runs inside the restricted namespaces: start a Jupyter server, ask it, stop it, tell.

First as root, to take everything away; then as an arbitrary user without a name, home
or privileges, which is how some clusters run every container. Prints one JSON object.
"""

from __future__ import annotations

import array
import fcntl
import json
import os
import pwd
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

UID = 123456


def restrict(home: Path) -> None:
    """Leave nothing writable but an empty home in memory, and no network but loopback."""
    _loopback_up()
    _mount("--make-rprivate", "/")
    _open_the_way(
        [Path(sys.base_prefix).resolve(), Path(sys.prefix), Path(__file__).parents[2]], home
    )
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for target in dict.fromkeys(_unescaped(target) for target in mounted):
        if not target.startswith(("/proc", "/dev")):
            # A mount hidden below a later one cannot be reached, so it needs no care.
            _mount("-o", "remount,bind,ro", target, check=target == "/")
    _mount("-t", "tmpfs", "-o", f"mode=0700,uid={UID},gid={UID}", "tmpfs", str(home))


def tell(home: Path, tests: Path) -> dict[str, object]:
    """Run the server and return what an outsider saw of it."""
    sys.path.insert(0, str(tests))
    from servers.lab import LabServer

    with LabServer(home / "jupyter", app="server") as server:
        reply = server.api("GET", "jupyter-einfra/usage")
        status = server.stop()
    return {
        "uid": os.getuid(),
        "named": _has_a_name(),
        "writable": [str(d) for d in (Path("/"), Path("/tmp"), tests, home) if _writable(d)],
        "network": _interfaces(),
        "http_status": reply.status_code,
        "body": reply.json(),
        "exit_status": status,
        "log": server.log.read_text(),
    }


def main() -> None:
    """Take the arguments of the test: a stage, a home and the folder of the tests."""
    stage, home, tests = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if stage == "root":
        restrict(home)
        os.chdir(home)
        drop = [f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--bounding-set=-all"]
        command = ["setpriv", *drop, "--inh-caps=-all", "--no-new-privs", sys.executable, __file__]
        os.execvp("setpriv", [*command, "user", str(home), str(tests)])
    sys.stdout.write(json.dumps(tell(home, tests)))


def _open_the_way(needed: list[Path], staging: Path) -> None:
    """Let other users reach Python and our code, even where they lie in root's own home."""
    _mount("-t", "tmpfs", "tmpfs", str(staging))
    for number, path in enumerate(needed):
        closed = [folder for folder in path.parents if not folder.stat().st_mode & 0o001]
        if not closed:
            continue
        # An open folder in the place of the closed one, with nothing in it but this.
        inside = [path for path in needed if closed[-1] in path.parents]
        for place, kept in enumerate(inside):
            aside = staging / f"{number}.{place}"
            aside.mkdir()
            _mount("--bind", str(kept), str(aside))
        _mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", str(closed[-1]))
        for place, kept in enumerate(inside):
            kept.mkdir(parents=True)
            _mount("--bind", str(staging / f"{number}.{place}"), str(kept))


def _mount(*arguments: str, check: bool = True) -> None:
    subprocess.run(["mount", *arguments], check=check, capture_output=not check)


def _unescaped(path: str) -> str:
    return path.encode().decode("unicode_escape")


def _loopback_up() -> None:
    # What `ip link set lo up` does, where there is no `ip`. Source: netdevice(7).
    get_flags, set_flags, up = 0x8913, 0x8914, 0x1
    with socket.socket() as any_socket:
        request = array.array("B", struct.pack("16sh14x", b"lo", 0))
        fcntl.ioctl(any_socket, get_flags, request)
        (flags,) = struct.unpack_from("h", request, 16)
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", flags | up))


def _interfaces() -> list[str]:
    return [name for _, name in socket.if_nameindex()]


def _writable(directory: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=directory):
            return True
    except OSError:
        return False


def _has_a_name() -> bool:
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return True


if __name__ == "__main__":
    main()
