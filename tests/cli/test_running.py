"""What `jupyter einfra check` says of a server that runs."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_einfra.cli import running
from jupyter_einfra.cli.client import NoServer


class Told:
    """A server that has something to say of its applications."""

    def __init__(self, *instances: dict[str, Any]) -> None:
        self.apps = {"apps": [{"instances": [one]} for one in instances]}

    def ask(self, method: str, path: str, *, timeout: float) -> Any:
        assert (method, path) == ("GET", "apps")
        return self.apps


def findings(monkeypatch: pytest.MonkeyPatch, server: object) -> list[tuple[str, str]]:
    def find(named: str | None) -> object:
        if isinstance(server, Exception):
            raise server
        return server

    monkeypatch.setattr(running, "find_server", find)
    return [(finding.status, finding.found) for finding in running.check()]


def test_pages_that_hide_their_use_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {"title": "Seen", "hides_use": False}
    strict = {"title": "Strict", "hides_use": True}
    ((status, found),) = findings(monkeypatch, Told(seen, strict))
    assert status == "warning"
    assert found.startswith("Strict: the content-security policy")
    assert [s for s, _ in findings(monkeypatch, Told(seen))] == ["ok"]


def test_without_a_server_it_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    ((status, found),) = findings(monkeypatch, NoServer("No server runs."))
    assert (status, found) == ("note", "not looked at. No server runs.")
