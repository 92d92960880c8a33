"""What happened while somebody was away, as tests make it up."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from msgspec.structs import replace

from jupyter_einfra.activity.models import (
    ActivityStatus,
    Digest,
    DigestSection,
    DigestUse,
    Fact,
)
from jupyter_einfra.models import Params

from .samples import GIB

#: Facts that are about no file.
UNNAMED = {"files_changed", "idle_day", "server_started"}

#: When the user comes back; a Friday.
NOW = datetime(2026, 11, 27, 8, 42, tzinfo=timezone.utc)

#: A name as no file should have one: markup, and a sign that turns the rest about.
HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.\n[x](y)" + "very-" * 40 + "long.ipynb"


def ago(hours: float) -> datetime:
    """So many hours before the user comes back."""
    return NOW - timedelta(hours=hours)


def status(**changes: Any) -> ActivityStatus:
    """Two and a half days away, and something needs attention."""
    made = ActivityStatus(
        time=NOW,
        away_since=ago(63),
        back_at=NOW,
        told_at=None,
        attention=1,
        news=2,
        recording=True,
        awaited=[],
    )
    return replace(made, **changes)


QUIET = status(attention=0, news=0)


def fact(code: str, hours: float | None = 1.0, **changes: Any) -> Fact:
    """A fact about train.ipynb, or about what a test wants instead."""
    params = {**({} if code in UNNAMED else {"name": "train.ipynb"}), **changes.pop("params", {})}
    made = Fact(
        id=f"{code}:{hours}",
        code=code,
        message="In English.",
        params=params,
        time=None if hours is None else ago(hours),
        severity="info",
        path=None if code in UNNAMED else str(params["name"]),
        kernel_id="k1",
        cell_id=None,
        execution_count=None,
        can_restart=False,
        sources=[],
        seen=False,
    )
    return replace(made, **changes)


OUT_OF_MEMORY = fact(
    "kernel_out_of_memory",
    53.5,
    severity="error",
    params={
        "used_bytes": 16 * GIB,
        "limit_bytes": 16 * GIB,
        "time": ago(53.5).isoformat(),
        "restarted": 0,
        "times": 1,
    },
    cell_id="c14",
    execution_count=14,
    can_restart=True,
)
IDLE = fact(
    "idle_day",
    5,
    severity="warning",
    params={
        "end": ago(-19).isoformat(),
        "estimate": 1,
        "threshold": 0.1,
        "metric": "cpu_cores",
        "maximum": 0.004,
    },
    kernel_id=None,
)
FAILED = fact(
    "run_failed",
    62.6,
    severity="error",
    params={
        "name": "report.ipynb",
        "error": "KeyError",
        "text": "'station_id'",
        "seconds": 12.0,
        "times": 3,
    },
    cell_id="c4",
    execution_count=4,
)
FINISHED = fact(
    "runs_finished",
    57,
    severity="done",
    params={"name": "features.ipynb", "cells": 9, "longest_seconds": 20_880, "failed": 0},
)
RUNNING = fact(
    "run_running",
    63,
    severity="running",
    params={"name": "sweep.ipynb", "seconds": 532_800},
    cell_id="c2",
    execution_count=2,
)
BOARD = fact(
    "program_running",
    63,
    severity="running",
    params={"name": "TensorBoard: runs", "program": "application"},
    path=None,
)
CHANGED = fact(
    "files_changed",
    50,
    params={
        "saved": 12,
        "renamed": 1,
        "copied": 0,
        "deleted": 1,
        "names": "train.ipynb\nfeatures.ipynb\nmodel.pt",
    },
)
CONTINUE = fact("continue_at", 63, cell_id="c14", execution_count=14)

USE = DigestUse(
    known_seconds=63 * 3600.0,
    scope="container",
    cpu_core_hours=26.31,
    gpu_hours=9.12,
    memory_peak_bytes=16 * GIB,
    memory_peak_at=ago(53.5),
    memory_limit_bytes=16 * GIB,
    gpu_memory_peak_bytes=71 * GIB,
    gpu_memory_total_bytes=80 * GIB,
    home_used_bytes=212 * GIB,
    home_limit_bytes=250 * GIB,
)


def digest(*sections: DigestSection, **changes: Any) -> Digest:
    """What happened in the two and a half days."""
    made = Digest(
        time=NOW,
        since=ago(63),
        until=NOW,
        started_at=ago(19 * 24),
        sections=list(sections),
        use=USE,
        recording=True,
        reason=None,
    )
    return replace(made, **changes)


def section(name: Any, *facts: Fact, more: int = 0) -> DigestSection:
    """One part of it."""
    return DigestSection(name=name, facts=list(facts), more=more)


ONE = digest(section("attention", OUT_OF_MEMORY), section("continue", CONTINUE))

USUAL = digest(
    section("attention", OUT_OF_MEMORY, IDLE, FAILED),
    section("finished", FINISHED),
    section("running", RUNNING, BOARD),
    section("files", CHANGED),
    section("continue", CONTINUE),
)


def month() -> Digest:
    """A month of everything, with names that nobody should have chosen."""
    hostile = replace(
        FAILED,
        id="hostile",
        path=f"data/{HOSTILE}",
        params={
            "name": HOSTILE,
            "error": "<b>Error</b>",
            "text": "\u202e" + "x" * 400,
            "seconds": 4000.0,
            "times": 1,
        },
    )
    causes: list[tuple[str, Params]] = [
        ("kernel_machine_out_of_memory", {}),
        ("kernel_killed", {"memory_known": 0}),
        ("kernel_crashed", {"signal_name": "SIGSEGV"}),
        ("kernel_exited", {"exit_code": 3}),
        ("kernel_died", {}),
        ("run_lost", {"seconds": 90_000.0}),
    ]
    deaths = [
        replace(
            fact(code, 30 * n + 1, severity="error", params={**more, "restarted": n % 2}),
            path=None if n == 2 else "deep/down/train.ipynb",
        )
        for n, (code, more) in enumerate(causes)
    ]
    ended = [
        fact(
            "run_stopped",
            40 * n,
            severity="warning",
            params={"seconds": 900.0 * n, "why": why},
        )
        for n, why in enumerate(("interrupted", "restarted", "shut-down", "unknown"), 1)
    ]
    return digest(
        section("attention", OUT_OF_MEMORY, IDLE, hostile, *deaths, more=4),
        section("finished", FINISHED, *ended, fact("server_started", 456)),
        section("running", RUNNING, BOARD),
        section("files", CHANGED),
        section("continue", CONTINUE),
        since=ago(24 * 31),
        use=replace(USE, known_seconds=24 * 31 * 3600 * 0.62),
    )
