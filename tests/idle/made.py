"""States and histories that tests make up."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import Any

from jupyter_einfra.idle.observed import Device, Observed, Track

NOW = 1_790_000_000.0
DAY = 86400.0
HOUR = 3600.0


def at(moment: float) -> str:
    """Write seconds since 1970 as a controller does."""
    return datetime.fromtimestamp(moment, timezone.utc).isoformat()


def state(**changes: Any) -> dict[str, Any]:
    """What a controller says of alice's server."""
    return {
        "policy": "2026-docs",
        "metric": "cpu_cores",
        "threshold": 0.1,
        "counter": 2,
        "counter_limit": 5,
        "delete_at": at(NOW + 3 * DAY - HOUR),
        "last_max": 0.004,
        "evaluated_at": at(NOW - HOUR),
        "server": "alice/",
        **changes,
    }


def track(values: list[float]) -> Track:
    """Make a figure of minutes sampled every 10 s; NaN where nothing was sampled."""
    samples = [0 if math.isnan(value) else 6 for value in values]
    return Track(samples, values, values, values)


def observed(
    cpu: list[float], *gpus: tuple[Any, list[float]], until: float = NOW, breaks: Any = ()
) -> Observed:
    """Make a history that ends now, minute by minute."""
    return Observed(
        first=until // 60 * 60 - 60.0 * (len(cpu) - 1),
        width=60.0,
        cpu=track(cpu),
        gpus=[Device(f"GPU-{i}", sees, track(used)) for i, (sees, used) in enumerate(gpus)],
        breaks=breaks,
        paces=(1.0, 10.0),
    )
