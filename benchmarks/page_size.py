"""What JupyterLab loads from us before the user does anything, and when the panel is opened."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Request
from servers.browser import chromium
from servers.lab_page import open_lab, start_lab

from .figures import Figure
from .surroundings import ROOT

_STATIC = ROOT / "jupyter_einfra" / "labextension" / "static"
_ADDRESS = "/jupyter-einfra/static/"


def measure(directory: Path) -> list[Figure]:
    """See in a browser which of our scripts are asked for."""
    asked: list[str] = []

    def on_request(request: Request) -> None:
        path = urlsplit(request.url).path
        if _ADDRESS in path and path.endswith(".js"):
            asked.append(path.rpartition("/")[2])

    with start_lab(directory / "lab") as lab, chromium() as browser:
        page = browser.new_page()
        page.on("request", on_request)
        open_lab(page, lab)
        page.wait_for_selector(".jp-EinfraUsage-figure")
        at_start = sorted(set(asked))
        page.evaluate("() => void window.jupyterapp.commands.execute('einfra-usage:open-panel')")
        page.wait_for_selector("#einfra-usage-panel canvas")
        later = sorted(set(asked) - set(at_start))
    return [
        _figure("page: our scripts and styles at the start, gzip", at_start, 60),
        _figure("page: more when the panel is opened first, gzip", later),
    ]


def _figure(what: str, names: Iterable[str], target: float | None = None) -> Figure:
    sizes = {name: _gzip_kb(_STATIC / name) for name in names}
    note = ", ".join(f"{name.split('.')[0]} {kb:.1f}" for name, kb in sizes.items())
    return Figure(what, sum(sizes.values()), "kB", target, note=note)


def _gzip_kb(path: Path) -> float:
    return len(gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)) / 1e3
