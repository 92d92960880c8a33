"""One finding, and the whole report.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    subject: Annotated[str, Meta(description="What was looked at, in a few words.")]
    status: Annotated[
        Literal["ok", "note", "warning", "error"],
        Meta(
            description="note: not there and not needed everywhere; warning: works, but "
            "not as well as it could; error: something that was installed does not work."
        ),
    ]
    found: Annotated[str, Meta(description="What was found, with its version or figures.")]
    advice: Annotated[str | None, Meta(description="What to do about it; null if nothing.")] = None


class Report(Struct, frozen=True, kw_only=True):
    """Everything that was looked at, feature by feature."""

    version: Annotated[str, Meta(description="Version of jupyter-einfra.")]
    ok: Annotated[bool, Meta(description="Whether there is no error among the findings.")]
    features: Annotated[
        dict[str, list[Finding]], Meta(description="Findings by the feature they belong to.")
    ]
