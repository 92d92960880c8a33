"""Network figures are of this process's own interfaces."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import jupyter_einfra
from jupyter_einfra.usage.figures import Traffic, network_usage
from jupyter_einfra.usage.probes.network import NetworkProbe

HEADINGS = "Inter-|   Receive\n face |bytes    packets\n"


def write(root: Path, text: str) -> NetworkProbe:
    folder = root / "proc/self/net"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dev").write_text(text)
    return NetworkProbe(root)


def line(name: str, received: int, sent: int) -> str:
    return f"{name:>6}: {received} 1 0 0 0 0 0 0 {sent} 1 0 0 0 0 0 0\n"


def test_all_interfaces_count_but_the_loopback_one(tmp_path: Path) -> None:
    text = HEADINGS + line("lo", 9000, 9000) + line("eth0", 10, 3) + line("ib0", 20, 4)
    reading = write(tmp_path, text).read()
    assert (reading.received_bytes, reading.sent_bytes) == (30, 7)
    assert reading.interfaces == {"eth0": Traffic(10, 3), "ib0": Traffic(20, 4)}
    assert (reading.scope, reading.reason) == ("machine", None)


def test_a_container_with_no_network_has_no_traffic(tmp_path: Path) -> None:
    reading = write(tmp_path, HEADINGS + line("lo", 5, 5)).read()
    assert (reading.received_bytes, reading.sent_bytes, reading.reason) == (0, 0, None)


@pytest.mark.parametrize("text", [None, "", HEADINGS + "  eth0: 1 2", HEADINGS + "eth0: x\n"])
def test_what_cannot_be_read_is_unknown_and_says_why(tmp_path: Path, text: str | None) -> None:
    probe = NetworkProbe(tmp_path) if text is None else write(tmp_path, text)
    reading = probe.read()
    assert (reading.received_bytes, reading.sent_bytes) == (None, None)
    assert reading.reason is not None
    assert reading.reason.code == "network_unreadable"
    assert network_usage(None, reading).reason is reading.reason


def test_whose_interfaces_they_are_is_asked_each_time() -> None:
    answers = iter((False, True))
    probe = NetworkProbe(is_container=lambda: next(answers))
    assert [probe.read().scope, probe.read().scope] == ["machine", "container"]
    assert NetworkProbe(is_container=True).read().scope == "container"


def test_the_real_interfaces_are_read_and_talk_with_oneself_is_left_out() -> None:
    probe = NetworkProbe()
    before = probe.read()
    assert before.reason is None
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: drain(server))
        thread.start()
        with socket.create_connection(server.getsockname()) as client:
            client.sendall(b"x" * (64 << 20))
        thread.join()
    after = probe.read()
    assert "lo" not in after.interfaces
    assert before.received_bytes is not None
    assert after.received_bytes is not None
    assert 0 <= after.received_bytes - before.received_bytes < 32 << 20


def drain(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        while connection.recv(1 << 20):
            pass


def test_a_network_namespace_of_ones_own_is_told_alone() -> None:
    unshare = shutil.which("unshare")
    script = (
        "from jupyter_einfra.usage.probes.network import NetworkProbe\n"
        "print(sorted(NetworkProbe().read().interfaces))"
    )
    package = str(Path(jupyter_einfra.__file__).parents[1])
    if unshare is None or subprocess.run([unshare, "-rn", "true"], check=False).returncode:
        pytest.skip("no network namespace can be made here")
    done = subprocess.run(
        [unshare, "-rn", sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": package},
        check=True,
        capture_output=True,
        text=True,
    )
    assert "eth0" not in done.stdout
