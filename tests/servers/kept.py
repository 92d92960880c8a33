"""Answers to whether a server will be kept, as tests make them up."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any

from msgspec.structs import replace

from jupyter_einfra.idle import reasons
from jupyter_einfra.idle.models import (
    IdleEvaluation,
    IdlePolicy,
    IdleReport,
    IdleRule,
    IdleSource,
    IdleStatus,
)

#: When all of it happens; a Tuesday.
NOW = datetime(2026, 11, 24, 14, 5, tzinfo=timezone.utc)

RULE = IdleRule(
    metric="cpu_cores",
    threshold=0.1,
    idle_at_threshold=False,
    averaging_seconds=300,
    lookback_seconds=86400,
    evaluation_seconds=86400,
    counter_limit=5,
)
POLICY = IdlePolicy(revision="2026-docs", text="What is not used is deleted.", rule=RULE)
GPU_RULE = replace(RULE, metric="gpu_busy_share", threshold=0.005, counter_limit=3)


def after(hours: float) -> datetime:
    """So many hours from then; before it if negative."""
    return NOW + timedelta(hours=hours)


def estimate(**changes: Any) -> IdleStatus:
    """A server that an estimate gives some days."""
    status = IdleStatus(
        time=NOW,
        level="kept",
        policy=POLICY,
        reason=None,
        source="estimate",
        sources=[
            IdleSource(name="file", time=None, reason=reasons.FILE_MISSING),
            IdleSource(name="estimate", time=NOW, reason=None),
        ],
        delete_at=after(62),
        is_estimate=True,
        counter=2,
        counter_limit=5,
        evaluated_at=None,
        next_evaluation_at=None,
        used_at=after(-50),
        day_maximum=0.0042,
        unseen=[],
        extension=None,
    )
    return replace(status, **changes)


def word(**changes: Any) -> IdleStatus:
    """The same as its operator's controller tells it."""
    told = {
        "source": "file",
        "sources": [
            IdleSource(name="file", time=after(-10), reason=None),
            IdleSource(name="estimate", time=NOW, reason=None),
        ],
        "is_estimate": False,
        "evaluated_at": after(-10),
        "next_evaluation_at": after(14),
    }
    return estimate(**{**told, **changes})


def report(status: IdleStatus) -> IdleReport:
    """Three days of figures with some use long ago, and the way to the deletion."""
    step = timedelta(minutes=10)
    count = 72 * 6
    quiet = 0.2 if status.level == "unsure" else 0.002
    values: list[float | None] = [
        0.7 + 0.2 * math.sin(i / 9) if i < 130 else quiet * (1 + abs(math.sin(i / 20)))
        for i in range(count)
    ]
    values[200:206] = [None] * 6
    known = status.source != "estimate"
    limit = status.counter_limit or 5
    counter = status.counter or 0
    evaluations = [
        IdleEvaluation(
            time=after(-10 - 24 * (counter - number)),
            counter=number,
            used=number == 0,
            known=known,
        )
        for number in range(counter + 1)
    ]
    if status.delete_at is not None:
        evaluations += [
            IdleEvaluation(
                time=min(after(14 + 24 * ahead), status.delete_at),
                counter=counter + ahead + 1,
                used=False,
                known=False,
            )
            for ahead in range(limit - counter)
            if after(14 + 24 * (ahead - 1)) < status.delete_at
        ]
    return IdleReport(
        status=status,
        since=NOW - step * count,
        step_seconds=step.total_seconds(),
        values=values,
        evaluations=evaluations,
    )
