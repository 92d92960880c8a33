"""What ``jupyter einfra check`` says of the record: whether there may be one."""

from __future__ import annotations

import os
from collections.abc import Iterator

from traitlets import Bool

from ..check.models import Finding

_NAME = "JUPYTER_EINFRA_ACTIVITY_RECORD"


def check() -> Iterator[Finding]:
    """Look at what the environment sets; the server's own configuration is not known here."""
    text = os.environ.get(_NAME, "true")
    try:
        is_on = Bool().from_string(text)
    except ValueError as error:
        yield Finding(
            subject="record of activity",
            status="error",
            found=f"{_NAME}={text!r}: {error}",
            advice=f"set {_NAME} to true or false.",
        )
        return
    yield Finding(
        subject="record of activity",
        status="ok" if is_on else "note",
        found="on; each owner may switch it off"
        if is_on
        else "off in the environment: who comes back is told of nothing",
        advice=None if is_on else f"set {_NAME} to true.",
    )
