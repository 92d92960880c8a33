"""TensorBoard on a socket, started by hand as the supervisor would; the real program."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from servers.process import wait_until

from jupyter_einfra.apps.application import Launch
from jupyter_einfra.apps.shebang import python_of
from jupyter_einfra.apps.tensorboard import TensorBoard


def script(path: Path, first: str) -> str:
    path.write_text(f"{first}\nimport tensorboard\n")
    path.chmod(0o755)
    return str(path)


class TestPythonOf:
    def test_it_is_named_in_the_first_line(self, tmp_path: Path) -> None:
        assert python_of(script(tmp_path / "tb", "#!/opt/conda/bin/python3.11")) == (
            "/opt/conda/bin/python3.11"
        )
        assert python_of(script(tmp_path / "tb", "#!/opt/bin/python -sE")) == "/opt/bin/python"

    @pytest.mark.parametrize("first", ["#!/bin/sh", "#!/usr/bin/env bash", "", "\x7fELF"])
    def test_or_lies_beside_the_script(self, tmp_path: Path, first: str) -> None:
        """Where the path is too long for a first line, a shell stands there."""
        (tmp_path / "python3").touch()
        assert python_of(script(tmp_path / "tb", first)) == str(tmp_path / "python3")

    def test_or_is_left_to_env_and_lies_beside_it(self, tmp_path: Path) -> None:
        (tmp_path / "python3").touch()
        found = python_of(script(tmp_path / "tb", "#!/usr/bin/env python3"))
        assert found == str(tmp_path / "python3")

    def test_or_is_not_to_be_found(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="which Python"):
            python_of(script(tmp_path / "tb", "#!/bin/sh"))


@pytest.fixture
def launch(short_path: Path) -> Launch:
    logdir = short_path / "a b"
    logdir.mkdir()
    program = TensorBoard().find({"PATH": str(Path(sys.executable).parent)})
    assert program is not None, "TensorBoard is not installed; `make setup` does it"
    return Launch(
        program=program,
        socket=str(short_path / "s"),
        port=0,
        directory=short_path,
        base_url="/user/a%40b/",
        url="/user/a%40b/tensorboard/runs-1234/",
        folder=str(logdir),
        environ={},
    )


@pytest.fixture
def board(launch: Launch) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        TensorBoard().command(launch), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            wait_until("its socket is there", Path(launch.socket).exists, within_seconds=60)
            yield process
        finally:
            process.kill()


def test_it_serves_its_whole_address_on_a_socket_and_on_no_port(
    board: subprocess.Popen[bytes], launch: Launch
) -> None:
    transport = httpx.HTTPTransport(uds=launch.socket)
    with httpx.Client(transport=transport, base_url="http://localhost", timeout=30) as client:

        def answers() -> httpx.Response | None:
            try:
                return client.get(launch.url)
            except httpx.TransportError:
                return None

        page = wait_until("it answered", answers)
        assert page.status_code == 200
        assert "<title>TensorBoard" in page.text or "tb-webapp" in page.text
        environment = client.get(f"{launch.url}data/environment").json()
        assert environment["data_location"] == launch.folder
        assert client.get("/").status_code == 404
    everybody = [psutil.Process(board.pid), *psutil.Process(board.pid).children(recursive=True)]
    assert [c for p in everybody for c in p.net_connections("inet")] == []
    assert Path(launch.socket).stat().st_mode & 0o777 == 0o600
    # It tells others on the machine nothing of itself.
    board.send_signal(signal.SIGTERM)
    assert board.wait(10) == 0
    assert board.stdout is not None
    assert b"private socket" in board.stdout.read()


def test_its_version_is_told_without_loading_it(launch: Launch) -> None:
    command = TensorBoard().version_command(launch.program)
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip().startswith("2.")
