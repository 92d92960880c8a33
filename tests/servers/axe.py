"""What a blind person or one without a mouse would stumble over, found by axe-core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_SCRIPT = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Page, selector: str) -> list[Any]:
    """Return what breaks WCAG 2.2 AA in a part of a page, with the elements."""
    # Not as a script element: a page of ours forbids those of others.
    page.evaluate(_SCRIPT.read_text("utf-8"))
    result: dict[str, Any] = page.evaluate(
        "([include, values]) => axe.run({ include }, { runOnly: { type: 'tag', values } })",
        [[[selector]], _TAGS],
    )
    assert result["passes"]
    return [(v["id"], [node["html"] for node in v["nodes"]]) for v in result["violations"]]
