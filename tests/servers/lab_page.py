"""JupyterLab's page as a test needs it: settings, opening, and a stream to order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from playwright.sync_api import Page, Route

from jupyter_einfra import __version__
from jupyter_einfra.models import FeatureStatus, SnapshotEvent
from jupyter_einfra.usage.models import UsageSnapshot

from .lab import LabServer

LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"
HIGH_CONTRAST = "JupyterLab Dark High Contrast"


def set_user_setting(lab: LabServer, plugin: str, **values: Any) -> None:
    """Change a setting of Lab's as its user would, before the page is opened."""
    extension, _, name = plugin.partition(":")
    folder = lab.home / ".jupyter/lab/user-settings" / extension
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(values))


def start_lab(directory: Path, *, args: Sequence[str] = (), **options: Any) -> LabServer:
    """Make a server whose page asks nothing of a first visitor."""
    lab = LabServer(directory, args=["--LabApp.expose_app_in_browser=True", *args], **options)
    set_user_setting(lab, "@jupyterlab/apputils-extension:notification", fetchNews="false")
    return lab


def open_lab(page: Page, lab: LabServer, path: str = "lab") -> None:
    """Open Lab and wait until it is there."""
    page.goto(f"{lab.url}{path}?token={lab.token}&reset")
    page.wait_for_selector("#jp-main-dock-panel")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    if path == "lab":
        # Lab puts the focus there late, and so takes it from whatever had it by then.
        page.wait_for_selector(".jp-Launcher:focus-within")


def play(page: Page, sample: UsageSnapshot) -> None:
    """Answer the page's stream with one sample instead of the server's.

    Built from the server's own models, so that it cannot drift from the contract.
    """
    snapshot = SnapshotEvent(
        time=sample.time,
        version=__version__,
        features=[FeatureStatus(name="usage", state="on", reason=None)],
        topics=["usage"],
        refused=[],
        events_lost=False,
    )
    body = b"".join(
        b"event: %s\ndata: %s\n\n" % (name, msgspec.json.encode(event))
        for name, event in ((b"snapshot", snapshot), (b"usage", sample))
    )

    def answer(route: Route) -> None:
        route.fulfill(status=200, content_type="text/event-stream", body=body)

    page.route("**/jupyter-einfra/stream*", answer)
