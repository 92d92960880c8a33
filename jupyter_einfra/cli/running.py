"""What ``jupyter einfra check`` says of the server that runs here: whether use can be seen."""

from __future__ import annotations

from collections.abc import Iterator

from ..check.models import Finding
from .client import NoServer, Refused, find_server

_SUBJECT = "use of applications"

#: A server that is well answers at once; that it looks for programs may take a while.
_TIMEOUT_SECONDS = 10.0


def check() -> Iterator[Finding]:
    """Ask the server of this terminal, or the only one that runs, which pages hide their use."""
    try:
        apps = find_server(None).ask("GET", "apps", timeout=_TIMEOUT_SECONDS)["apps"]
    except (NoServer, Refused) as error:
        yield Finding(subject=_SUBJECT, status="note", found=f"not looked at. {error}")
        return
    hiding = [one for app in apps for one in app["instances"] if one["hides_use"]]
    for instance in hiding:
        yield Finding(
            subject=_SUBJECT,
            status="warning",
            found=f"{instance['title']}: the content-security policy of its pages keeps out the "
            "script that tells of it; in a tab of the browser its use does not count",
            advice="use it in tabs of JupyterLab, or have its policy allow scripts and "
            "connections of 'self'.",
        )
    if not hiding:
        yield Finding(subject=_SUBJECT, status="ok", found="seen, as far as pages were opened")
