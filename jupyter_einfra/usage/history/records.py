"""The records that a run leaves when its memory runs out.

Each has a fixed size and a checksum, so that one which was being written when the
process died can be told.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from .runs import Counters
from .series import SERIES

_MAGIC = b"einfraLW"
#: Run, number, time, used, limit, two counters, their group, figures; -1: unknown number.
_BODY = struct.Struct(f"<8sqqdqqqqq{len(SERIES)}d")
_CHECKSUM = struct.Struct("<I")
RECORD_BYTES = _BODY.size + _CHECKSUM.size


class Word(NamedTuple):
    """One sample of one run."""

    run: int
    number: int
    """How many samples the run had taken with this one."""
    at_seconds: float
    figures: tuple[float, ...]
    used_bytes: int | None
    limit_bytes: int | None
    counters: Counters


def encode(word: Word) -> bytes:
    """Pack a record."""
    counters = word.counters
    counted = (counters.oom_kills, counters.limit_hits, counters.origin)
    numbers = (word.used_bytes, word.limit_bytes, *counted)
    whole = (-1 if number is None else number for number in numbers)
    body = _BODY.pack(_MAGIC, word.run, word.number, word.at_seconds, *whole, *word.figures)
    return body + _CHECKSUM.pack(zlib.crc32(body))


def decode(record: bytes) -> Word | None:
    """Unpack a record; None for one that is empty, torn or not ours."""
    if len(record) != RECORD_BYTES:
        return None
    body = record[: _BODY.size]
    if not body.startswith(_MAGIC) or _CHECKSUM.unpack(record[_BODY.size :])[0] != zlib.crc32(body):
        return None
    _, run, number, at_seconds, *rest = _BODY.unpack(body)
    used, limit, *counted = (None if value < 0 else int(value) for value in rest[:5])
    kills, hits, origin = counted
    counters = Counters(oom_kills=kills, limit_hits=hits, origin=origin)
    return Word(run, number, at_seconds, tuple(rest[5:]), used, limit, counters)
