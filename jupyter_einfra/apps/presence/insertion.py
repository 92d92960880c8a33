"""Puts one script into an HTML document while it passes, wherever its pieces begin and end.

The place is the beginning of the head: after ``<head>``, or where a browser would begin one
that is not written. It is never before the doctype, which would change how the page is laid
out. What comes after the place is passed on as it is, and not looked at.

Source: https://html.spec.whatwg.org/multipage/parsing.html.

Pure: standard library only.
"""

from __future__ import annotations

import re

#: What may come before the place; beyond it, nobody looks for one.
MOST_BYTES = 16384

_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xfe\xff", b"\xff\xfe")

#: What a browser skips on its way to the head.
_SKIPPED = re.compile(
    rb"[ \t\r\n\f]+"
    rb"|<!--(?:-?>|.*?--!?>)"  # a comment; browsers let two short ones pass
    rb"|<!(?!--)[^>]*>|<\?[^>]*>",  # the doctype, and what they take for a comment
    re.DOTALL,
)
_TAG = re.compile(rb"<(html|head)(?=[ \t\r\n\f/>])(?:\"[^\"]*\"|'[^']*'|[^\"'>])*>", re.IGNORECASE)
_BEGUN = re.compile(rb"<(?:[!?]|h(?:tml|ead)[ \t\r\n\f/])", re.IGNORECASE)

_NOWHERE = -1


class Insertion:
    """Takes a document piece by piece, and gives it back with the script in it.

    Parameters
    ----------
    script:
        The element, in ASCII.
    is_xml:
        Whether the document is XHTML, in which what is not written is not there.
    """

    def __init__(self, script: bytes, *, is_xml: bool = False) -> None:
        self._script = script
        self._is_xml = is_xml
        self._held = b""
        self._at = 0
        self._done = False

    def feed(self, piece: bytes) -> bytes:
        """Return what can be passed on; empty while the place is looked for."""
        if self._done:
            return piece
        self._held += piece
        place = self._place()
        if place is None and len(self._held) <= MOST_BYTES:
            return b""
        held = self.finish()
        if place is None or not 0 <= place <= MOST_BYTES:
            return held
        return held[:place] + self._script + held[place:]

    def finish(self) -> bytes:
        """Return what is left of a document that ended before the place was found."""
        held, self._held, self._done = self._held, b"", True
        return held

    def _place(self) -> int | None:
        """Return where the script goes; None while that cannot be told."""
        held = self._held
        if any(len(held) < len(mark) and mark.startswith(held) for mark in (_BOM, *_UTF_16)):
            return None
        if held[:2] in _UTF_16:  # whatever was said of it
            return _NOWHERE
        self._at = self._at or (len(_BOM) if held.startswith(_BOM) else 0)
        while found := _SKIPPED.match(held, self._at) or _TAG.match(held, self._at):
            self._at = found.end()
            if (place := self._behind(found[0])) is not None:
                return place
        if self._may_grow():
            return None
        return _NOWHERE if self._is_xml else self._at

    def _behind(self, passed: bytes) -> int | None:
        """Return where the script goes if it is not further on than what was just passed."""
        is_head = passed[:5].lower() == b"<head"
        # A doctype with a part of its own may hold anything; an empty head holds nothing.
        is_odd = (passed.startswith(b"<!D") and b"[" in passed) or passed.endswith(b"/>")
        if self._is_xml and is_odd:
            return _NOWHERE
        return self._at if is_head else None

    def _may_grow(self) -> bool:
        """Whether the end is reached, or that of something to be passed has not come yet."""
        begun = self._held[self._at : self._at + 6].lower()
        is_part = len(begun) < 6 and (b"<html".startswith(begun) or b"<head".startswith(begun))
        return is_part or _BEGUN.match(begun) is not None
