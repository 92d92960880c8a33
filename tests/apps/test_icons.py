"""Drawings are put into pages as they are, so they may do nothing but draw."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_einfra.apps import icons
from jupyter_einfra.apps.icons import checked

GOOD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">{}</svg>'


@pytest.mark.parametrize(
    "path",
    sorted((Path(icons.__file__).parent / "icons").glob("*.svg")),
    ids=lambda path: path.stem,
)
def test_ours_are_plain_and_follow_the_theme(path: Path) -> None:
    svg = checked(path.read_text())
    assert "jp-icon3" in svg


@pytest.mark.parametrize(
    "inside",
    [
        "",
        '<path d="M0 0h16"/>',
        '<g class="jp-icon3" fill="#616161"><circle cx="8" cy="8" r="4"/></g>',
        "<title>A name</title>",
    ],
)
def test_shapes_pass(inside: str) -> None:
    assert checked(f'<?xml version="1.0"?>\n{GOOD.format(inside)}\n') == GOOD.format(inside)


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<path d="M0 0" onload="alert(1)"/>',
        "<path d='M0 0' onload='alert(1)'/>",
        '<path d="M0 0"onload="alert(1)"/>',
        '<a href="javascript:alert(1)"><path/></a>',
        '<image href="http://evil/"/>',
        "<style>@import 'http://evil/'</style>",
        '<path fill="url(http://evil/)"/>',
        '<path style="background:url(x)"/>',
        "<foreignObject><iframe></iframe></foreignObject>",
        "<animate/>",
        "<!-- --><path/>",
        "<![CDATA[x]]>",
        "&lt;",
        "<use href='#x'/>",
        "</svg><img src=x onerror=alert(1)>",
        "x" * 20_000,
    ],
)
def test_all_else_does_not(inside: str) -> None:
    with pytest.raises(ValueError, match="its icon"):
        checked(GOOD.format(inside))


@pytest.mark.parametrize("text", ["", "vscode", "<p>", "<svg", 'x<svg xmlns="a"></svg>'])
def test_what_is_no_drawing_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="its icon"):
        checked(text)


@pytest.mark.parametrize(
    "svg",
    [
        "<svg " + 'fill="a" ' * 900 + "!",
        "<svg " + 'xmlns="a" ' * 900 + "!>",
        GOOD.format('\n  <path d="M0 0"/>' * 200 + "\n  <defs/>\n"),
        GOOD.format(" " * 5000 + "<style>"),
        " " * 9000 + "<p>",
        "<" * 9000,
    ],
)
def test_a_drawing_that_nearly_fits_is_refused_in_no_time(svg: str) -> None:
    """No expression that takes exponential time on what is almost right."""
    with pytest.raises(ValueError, match="its icon"):
        checked(svg)
