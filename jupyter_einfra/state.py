"""Where a server keeps its state: in a folder that is its own, whatever hub it is of."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

#: An address as JupyterHub makes them.
_URL = re.compile(r"(?P<scheme>\w+://)(?P<host>\[[^]]*\]|[^/:]*)(?P<rest>.*)", re.DOTALL)

#: Hosts that come and go with a container: numbers of the network, and Docker's own names.
_PASSING = re.compile(r"\d+\.\d+\.\d+\.\d+|\[.*\]|[0-9a-f]{12}|[0-9a-f]{64}", re.DOTALL)


def state_directory(data_dir: Path, environ: Mapping[str, str]) -> Path:
    """Name the folder where this server keeps its state.

    Servers of one user on one home differ by hub, user and server name; without a hub
    all servers on the home share one. Nothing is read or made.

    A hub is known by its public name, where it has been told one. Else by the address of
    its API: on Kubernetes that is a service, whose name stays. Where it is the address or
    the number of a container, which do not outlive it, only port and path count.
    """
    hub = _hub(environ)
    if hub is None:
        return data_dir / "einfra" / "local"
    names = ("JUPYTERHUB_USER", "JUPYTERHUB_SERVER_NAME")
    key = "\0".join((hub, *(environ.get(name, "") for name in names)))
    return data_dir / "einfra" / hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16]


def _hub(environ: Mapping[str, str]) -> str | None:
    base = environ.get("JUPYTERHUB_BASE_URL", "")
    public = environ.get("JUPYTERHUB_PUBLIC_HUB_URL")  # since JupyterHub 5
    host = environ.get("JUPYTERHUB_HOST")
    if not public and host:
        public = f"{host.rstrip('/')}/{base.strip('/')}".rstrip("/") + "/hub"
    if public:
        return public.rstrip("/")
    internal = (environ.get("JUPYTERHUB_API_URL") or base).rstrip("/")
    if not internal:
        return base or None
    parts = _URL.fullmatch(internal)
    if parts and _PASSING.fullmatch(parts["host"]):
        return f"{parts['scheme']}{parts['rest']}"
    return internal
