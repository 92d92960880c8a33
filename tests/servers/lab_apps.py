"""What a server says of its applications."""

from __future__ import annotations

from typing import Any

from .lab import LabServer


def instances(lab: LabServer, app: str | None = None) -> list[dict[str, Any]]:
    """Return what is told of all instances, or of those of one application."""
    apps = lab.api("GET", "jupyter-einfra/apps").raise_for_status().json()["apps"]
    if app is not None:
        apps = [told for told in apps if told["name"] == app]
        assert apps, f"there is no application {app}"
    return [instance for told in apps for instance in told["instances"]]
