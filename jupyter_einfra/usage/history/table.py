"""The history as a file for spreadsheets.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice

from ...wording import rfc3339
from ..models import Band, GpuHistory, UsageHistory
from .series import SERIES

#: What the columns of a GPU are called, with their units.
_GPU = (("utilization", "utilization_share"), ("memory_used_bytes", "memory_used_bytes"))


#: Lines of a piece: about a millisecond, with many GPUs a few.
_LINES = 50


def table(history: UsageHistory) -> Iterator[str]:
    """Write comma-separated values: one line per point, empty where nothing is known.

    They come in pieces, for no thread else runs while a piece is written.
    """
    bands = list(_bands(history))
    names = (f"{name}_{kind}" for name, _ in bands for kind in ("min", "mean", "max"))
    yield _written([["time", *names]])
    columns = [c for _, band in bands for c in (band.minimum, band.mean, band.maximum)]
    times = (
        rfc3339(history.since + timedelta(seconds=offset)) for offset in history.offsets_seconds
    )
    rows = zip(times, *columns, strict=True)
    while piece := list(islice(rows, _LINES)):
        yield _written(piece)


def _written(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _bands(history: UsageHistory) -> Iterator[tuple[str, Band]]:
    for name in SERIES:
        yield name, getattr(history, name)
    for gpu in history.gpus:
        for attribute, name in _GPU:
            yield f"{_prefix(gpu)}_{name}", getattr(gpu, attribute)


def _prefix(gpu: GpuHistory) -> str:
    """Name a GPU: it starts with a letter, so no spreadsheet takes it for a formula."""
    uuid = "".join(c if c.isprintable() else " " for c in gpu.uuid)
    return f"gpu_{gpu.index}_{uuid}"
