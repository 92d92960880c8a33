"""What a program prints, made safe to show: it may print anything.

Pure: standard library only.
"""

from __future__ import annotations

import re

#: Longer lines are cut: nobody reads them, and a page has to draw them.
LONGEST_LINE = 2000

#: Sequences by which a program moves the cursor, colours text or names the window.
#: Source: ECMA-48, sections 5.3 to 5.6.
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])"
)

#: Also those that turn the direction of text around.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def lines_of(data: bytes) -> list[str]:
    """Split output into lines without anything that is not seen.

    A line that is written over, as progress bars do, is what it was at last.
    """
    text = _ESCAPES.sub("", data.decode("utf-8", "replace"))
    return [_line(line) for line in text.split("\n")]


def _line(line: str) -> str:
    line = line.rstrip("\r").rpartition("\r")[2].expandtabs(8)
    line = _CONTROLS.sub("", line)
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


class LineReader:
    """Turns output that comes in pieces into whole lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Take a piece and return the lines that it completes."""
        whole, ending, rest = (self._rest + data).rpartition(b"\n")
        if not ending:
            whole, rest = b"", self._rest + data
        # One line without an end must not grow without one.
        if len(rest) > 4 * LONGEST_LINE:
            whole, ending, rest = whole + ending + rest, b"\n", b""
        self._rest = rest
        return lines_of(whole) if ending else []

    def end(self) -> list[str]:
        """Return what is left when nothing more comes."""
        rest, self._rest = self._rest, b""
        return lines_of(rest) if rest else []
