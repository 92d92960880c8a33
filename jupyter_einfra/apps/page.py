"""The pages that are shown in place of an application that does not run.

One document without anything to load, so that it is painted at once wherever it is shown:
in a tab of JupyterLab, in one of the browser, or as the first page of a server.
"""

from __future__ import annotations

import html
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from jupyter_server.base.handlers import JupyterHandler

from ..base import NAMESPACE
from ..errors import EinfraError
from .application import Application
from .supervision.instance import Instance
from .supervision.supervisor import key_of

_PAGES = Path(__file__).parent / "pages"
_UNBUILT = 'document.body.textContent = "This page was not built: run `jlpm build`.";'
_LOCALES = Path(__file__).parents[1] / "locale"

#: The page is ours alone: nothing is loaded, and nobody else may frame it.
_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src data:; style-src 'nonce-{nonce}'; "
    "script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a page has to say."""

    kind: Literal["launch", "left", "choose", "guest"]
    app: Application
    icon: str
    instance: Instance | None = None
    error: EinfraError | None = None
    choices: Sequence[Mapping[str, Any]] = ()

    def rendered(self, handler: JupyterHandler) -> tuple[str, str]:
        """Return the document and its content-security policy."""
        instance, base = self.instance, handler.base_url
        title = self.app.title if instance is None else instance.title
        data = {
            "kind": self.kind,
            "name": self.app.name,
            "title": title,
            "icon": self.icon,
            "instance": None if instance is None else msgspec.to_builtins(instance.told()),
            "elapsed_seconds": None if instance is None else instance.elapsed_seconds,
            "error": None
            if self.error is None
            else {
                "code": self.error.code,
                "message": self.error.message,
                "params": self.error.params,
            },
            # Who goes there from here, starts it; so nobody did.
            "from_elsewhere": instance is not None
            and self.error is None
            and instance.may_start_by_itself,
            "choices": self.choices,
            "base": base,
            # As Lab shows it; relative paths begin there.
            "root": handler.settings.get("server_root_dir"),
            "url": None if instance is None else base + instance.url,
            "kept_in": self.app.kept_in or None,
            "api": f"{base}{NAMESPACE}/",
            "lab": f"{base}lab" if "jupyterlab" in handler.settings else base,
            "hub": hub(),
            # On a navigation this sets the cookie that goes with it.
            "xsrf": handler.xsrf_token.decode("ascii"),
            "catalogues": catalogues("page.js"),
        }
        nonce = secrets.token_urlsafe(16)
        text = _template().format(
            nonce=nonce,
            title=html.escape(title),
            name=html.escape(self.app.name),
            style=asset("page.css"),
            script=asset("page.js"),
            # Nothing in it may end the element.
            data=json.dumps(data).replace("<", "\\u003c"),
        )
        return text, _POLICY.format(nonce=nonce)


def launch(instance: Instance, icon: str, error: EinfraError | None = None) -> Page:
    """Show one instance as it starts, or why it does not run."""
    return Page(kind="launch", app=instance.app, icon=icon, instance=instance, error=error)


def left(instance: Instance, icon: str) -> Page:
    """Show the way back to somebody who signed out of an instance that runs on."""
    return Page(kind="left", app=instance.app, icon=icon, instance=instance)


def guest(app: Application, icon: str) -> Page:
    """Say that nothing is there for anybody but the owner, and no more than that."""
    return Page(kind="guest", app=app, icon=icon)


def chooser(
    app: Application, icon: str, *, running: Sequence[Instance], recent: Sequence[str]
) -> Page:
    """Show the folders that an application runs on, ran on, or may be opened on."""
    known = {i.folder: i for i in running if i.folder is not None}
    folders = dict.fromkeys([*known, *recent])
    choices = [
        {
            "id": f"{app.name}/{key_of(folder)}",
            "folder": folder,
            "state": known[folder].state if folder in known else "stopped",
        }
        for folder in folders
    ]
    return Page(kind="choose", app=app, icon=icon, choices=choices)


def hub() -> str | None:
    """Return the address of the hub's own page, where there is a hub."""
    prefix = os.environ.get("JUPYTERHUB_BASE_URL")
    if not prefix:
        return None
    return os.environ.get("JUPYTERHUB_HOST", "").rstrip("/") + f"{prefix.rstrip('/')}/hub/home"


def presence_script() -> str:
    """Return the script that tells of a person's use; see `presence.element`."""
    return asset("presence.js", "")  # unbuilt, it must not harm a page of somebody else's


@cache
def _template() -> str:
    return asset("page.html")


@cache
def asset(name: str, unbuilt: str = _UNBUILT) -> str:
    """Return a file; one that is built may be missing while somebody works on it."""
    try:
        return (_PAGES / name).read_text("utf-8")
    except FileNotFoundError:
        return unbuilt


@cache
def catalogues(name: str) -> dict[str, dict[str, Any]]:
    """Return those of our texts in other languages that a page's script has."""
    script = asset(name)
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(_LOCALES.glob("*/LC_MESSAGES/jupyter_einfra.json")):
        texts = json.loads(path.read_text("utf-8"))
        found[path.parents[1].name] = {
            text: said for text, said in texts.items() if not text or text in script
        }
    return found
