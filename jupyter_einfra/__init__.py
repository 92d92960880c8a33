"""jupyter-einfra: JupyterLab at home on a shared research cloud."""

from __future__ import annotations

from typing import Any

from ._version import __version__

__all__ = ["__version__"]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "@e-infra/jupyter-einfra"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .app import EinfraApp  # noqa: PLC0415 - Lab's discovery of the page needs no server

    return [{"module": "jupyter_einfra.app", "app": EinfraApp}]
