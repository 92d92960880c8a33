"""A real server that is told to end: streams end with it, and nothing holds it up."""

from __future__ import annotations

import time
from pathlib import Path

from servers.events import HeldStream
from servers.lab import LabServer
from servers.process import wait_until


def test_a_stopping_server_ends_open_streams_and_itself(tmp_path: Path) -> None:
    with (
        LabServer(tmp_path, app="server") as server,
        HeldStream(server.url, server.token) as stream,
    ):
        stream.wait_for("usage")
        begun = time.monotonic()
        status = server.stop()
        took = time.monotonic() - begun
        wait_until("the stream ended", lambda: stream.ended)
    assert status == 0
    assert took < 10  # it was not killed after its patience of 20 s ran out
    assert "Traceback" not in server.log.read_text()


def test_a_wrong_setting_is_named_in_the_log_and_the_server_starts(tmp_path: Path) -> None:
    arguments = ["--UsageManager.watched_interval_seconds=often"]
    env = {"JUPYTER_EINFRA_STREAM_MAX_READERS": "many"}
    with LabServer(tmp_path, app="server", args=arguments, env=env) as server:
        reply = server.api("GET", "jupyter-einfra/usage")
        log = server.log.read_text()
    assert (reply.status_code, reply.json()["code"]) == (404, "feature_failed")
    assert "watched_interval_seconds" in log
    assert "JUPYTER_EINFRA_STREAM_MAX_READERS='many'" in log
    assert "Traceback" not in log
