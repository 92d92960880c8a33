"""The history as a file for spreadsheets.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta

from ..alerts.wording import rfc3339
from ..models import Band, GpuHistory, UsageHistory
from .series import SERIES

#: What the columns of a GPU are called, with their units.
_GPU = (("utilization", "utilization_share"), ("memory_used_bytes", "memory_used_bytes"))


def table(history: UsageHistory) -> str:
    """Write comma-separated values: one line per point, empty where nothing is known."""
    bands = list(_bands(history))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    names = (f"{name}_{kind}" for name, _ in bands for kind in ("min", "mean", "max"))
    writer.writerow(["time", *names])
    columns = [c for _, band in bands for c in (band.minimum, band.mean, band.maximum)]
    times = (
        rfc3339(history.since + timedelta(seconds=offset)) for offset in history.offsets_seconds
    )
    writer.writerows(zip(times, *columns, strict=True))
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
