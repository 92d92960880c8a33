"""Keeps drawings to drawing: they are put into pages as they are.

Pure: standard library only.
"""

from __future__ import annotations

import re

_ELEMENTS = "svg|g|path|rect|circle|ellipse|line|polyline|polygon|title"
_ATTRIBUTES = (
    "width|height|viewBox|class|d|x|y|x1|x2|y1|y2|cx|cy|r|rx|ry|points|transform|opacity|"
    "fill|fill-rule|fill-opacity|clip-rule|stroke|stroke-width|stroke-linecap|stroke-linejoin|"
    "stroke-opacity|stroke-dasharray|aria-hidden|role|focusable"
)
_TAG = rf"<(?:{_ELEMENTS})(?:\s+(?:{_ATTRIBUTES})=\"[^\"<>&:]*\"|\s+xmlns=\"[^\"<>&]*\")*\s*/?>"

#: What stands before the drawing.
_HEAD = re.compile(r"\s*(?:<\?xml[^<>]*\?>\s*)?(?=<svg[\s>])")

#: One after the other: in one expression, a drawing with a fault would be tried in every way.
_PIECE = re.compile(r"<[^<>]*>|[^<>]+")

#: Tags of these elements with these attributes, and plain text between them.
_PLAIN = re.compile(rf"{_TAG}|</(?:{_ELEMENTS})>|[^<>&]+")

#: Larger ones are pictures, not icons.
_MOST_CHARACTERS = 10_000


def checked(svg: str) -> str:
    """Return a drawing as it may be put into a page.

    Raises
    ------
    ValueError
        It is no SVG, too large, or has something in it that a drawing does not need, such
        as a script, a style or an address.
    """
    if len(svg) > _MOST_CHARACTERS:
        raise ValueError(f"its icon has more than {_MOST_CHARACTERS} characters")
    head = _HEAD.match(svg)
    drawing = svg[head.end() :] if head else ""
    pieces = _PIECE.findall(drawing)
    if not pieces or "".join(pieces) != drawing or not all(map(_PLAIN.fullmatch, pieces)):
        raise ValueError("its icon is no plain SVG drawing of shapes, without scripts and styles")
    return drawing.strip()
