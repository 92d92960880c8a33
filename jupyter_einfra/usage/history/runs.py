"""One life of the server after another, and how each ended.

A run that was not closed ended without a word. Whether it died for want of memory is
told by its last figure and by what the control group counted afterwards; neither is
a proof, so the words say "probably" and name the figure.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timezone
from itertools import islice
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from ...models import Params, Reason
from ...wording import rfc3339, share, size
from ..models import Run

#: From this share of the limit on, a run that ended without a word lacked memory.
FULL_SHARE = 0.97

#: From here on it did if the control group met its limit afterwards.
NEAR_SHARE = 0.90

#: Notebooks that are remembered of a run, and characters of each name.
MOST_OPEN = 100
_MOST_CHARACTERS = 300


#: No count or size is beyond; damage may be.
Whole = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Counters(Struct, frozen=True, kw_only=True):
    """What the control group counted so far; None where nothing counts."""

    oom_kills: Whole | None = None
    limit_hits: Whole | None = None
    origin: Whole | None = None
    """Which group counted, as `origin_of` tells it."""


class RunRecord(Struct, frozen=True, kw_only=True):
    """What is kept of a run. Times are in seconds since 1970."""

    token: Whole
    """A random number by which the run's own files know it."""
    started: float
    seen: float
    """Its last sign of life."""
    samples: Whole = 0
    """How many it had taken by then."""
    used_bytes: Whole | None = None
    """The last figure of memory that cannot be taken back."""
    limit_bytes: Whole | None = None
    counters: Counters = Counters()
    boot: str | None = None
    """The machine's life that it belongs to: only within one do counters of one group compare."""
    ending: Literal["running", "stopped", "out-of-memory", "killed"] = "running"
    open: tuple[str, ...] = ()
    """Notebooks with a kernel."""


def origin_of(name: str) -> int | None:
    """Tell a group by a number, since its name has no bound; None for one without."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:6], "big") if name else None


def worth_naming(names: Iterable[str]) -> tuple[str, ...]:
    """Choose the notebooks that are remembered; what cannot be told whole is left out."""
    told = (name for name in names if len(name) <= _MOST_CHARACTERS and name.isprintable())
    return tuple(islice(told, MOST_OPEN))


def stopped(record: RunRecord, at_seconds: float) -> RunRecord:
    """Close a run that was asked to end."""
    return replace(record, seen=at_seconds, ending="stopped")


def judge(record: RunRecord, now: Counters, boot: str | None) -> RunRecord:
    """Close a run that ended without a word.

    Parameters
    ----------
    record:
        The run with its last sign of life.
    now:
        What the control group of the run after it has counted.
    boot:
        The machine's life that the run after it belongs to.
    """
    filled = _filled(record)
    compares = boot == record.boot is not None and now.origin == record.counters.origin
    killed = compares and _rose(record.counters.oom_kills, now.oom_kills)
    hit = compares and _rose(record.counters.limit_hits, now.limit_hits)
    lacked = filled >= FULL_SHARE or killed or (hit and filled >= NEAR_SHARE)
    return replace(record, ending="out-of-memory" if lacked else "killed")


def _filled(record: RunRecord) -> float:
    if record.used_bytes is None or not record.limit_bytes:
        return 0.0
    return record.used_bytes / record.limit_bytes


def _rose(before: int | None, after: int | None) -> bool:
    return before is not None and after is not None and after > before


def told(record: RunRecord) -> Run:
    """Word a run for the wire."""
    ended = None if record.ending == "running" else moment(record.seen)
    return Run(
        started=moment(record.started),
        ended=ended,
        ending=record.ending,
        reason=None if ended is None else _reason(record, ended),
    )


def _reason(record: RunRecord, ended: datetime) -> Reason:
    when = f"{ended:%Y-%m-%d %H:%M} UTC"
    params: Params = {"ended": rfc3339(ended)}
    if record.ending == "stopped":
        message = f"The server was stopped at {when}."
        return Reason(code="run_stopped", message=message, params=params)
    figure = ""
    if record.used_bytes is not None and record.limit_bytes is not None:
        params.update(used_bytes=record.used_bytes, limit_bytes=record.limit_bytes)
        figure = f"{share(record.used_bytes, record.limit_bytes)} of memory"
    elif record.used_bytes is not None:
        params["used_bytes"] = record.used_bytes
        figure = f"{size(record.used_bytes)} of memory"
    last = f" Its last figure was {figure}." if figure else ""
    if record.ending == "killed":
        message = f"The server ended without a word; last seen at {when}.{last}"
        return Reason(code="run_killed", message=message, params=params)
    if _filled(record) < FULL_SHARE:
        last += " After that the system counted a shortage of memory."
    message = f"The server was probably killed for want of memory; last seen at {when}.{last}"
    return Reason(code="run_out_of_memory", message=message, params=params)


def moment(seconds: float) -> datetime:
    """Return a time of a record; the nearest that can be told."""
    return datetime.fromtimestamp(min(max(seconds, 0.0), 253402300799.0), timezone.utc)
