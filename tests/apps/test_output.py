"""What programs print, made safe to show."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_einfra.apps.supervision.output import LONGEST_LINE, LineReader, lines_of


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (b"plain\n", ["plain", ""]),
        (b"\x1b[1;31mred\x1b[0m", ["red"]),
        (b"\x1b]0;a new title\x07text", ["text"]),
        (b"\x1b]8;;http://evil/\x1b\\link\x1b]8;;\x1b\\", ["link"]),
        (b"10 %\r55 %\r100 %\r\n", ["100 %", ""]),
        (b"a\tb", ["a       b"]),
        ("žluťoučký kůň".encode(), ["žluťoučký kůň"]),
        (b"\xff\xfe broken", ["\ufffd\ufffd broken"]),
        ("gpj.\u202etxt".encode(), ["gpj.txt"]),
        (b"nul\0 bell\x07", ["nul bell"]),
        (b"\x9b31mred", ["\ufffd31mred"]),
    ],
)
def test_only_what_is_seen_is_shown(printed: bytes, shown: list[str]) -> None:
    assert lines_of(printed) == shown


@given(st.binary(max_size=2000))
def test_nothing_unseen_is_left(printed: bytes) -> None:
    for line in lines_of(printed):
        assert len(line) <= LONGEST_LINE
        for sign in line:
            assert unicodedata.category(sign) != "Cc"
            assert unicodedata.bidirectional(sign) not in {"RLO", "LRO", "RLE", "LRE", "PDF"}


def test_a_long_line_is_cut() -> None:
    (line,) = lines_of(b"x" * 10_000)
    assert len(line) == LONGEST_LINE
    assert line.endswith("…")


@given(
    lines=st.lists(st.text(st.characters(categories=["L", "N"]), max_size=20), max_size=20),
    cuts=st.lists(st.integers(min_value=0, max_value=300), max_size=10),
)
def test_lines_are_whole_wherever_the_pieces_were_cut(lines: list[str], cuts: list[int]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    reader = LineReader()
    found: list[str] = []
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        found += reader.feed(data[start:end])
    assert found == lines
    assert reader.end() == []


def test_a_last_line_without_an_end_is_kept_for_later() -> None:
    reader = LineReader()
    assert reader.feed(b"one\ntw") == ["one"]
    assert reader.feed(b"o") == []
    assert reader.end() == ["two"]
    assert reader.end() == []


def test_a_line_without_any_end_does_not_grow_for_ever() -> None:
    reader = LineReader()
    shown = [line for _ in range(100) for line in reader.feed(b"x" * 1000)]
    assert shown
    assert all(len(line) <= LONGEST_LINE for line in shown)
