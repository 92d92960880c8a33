"""How long a forecast of the server's deletion takes, and who waits for it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jupyter_einfra.idle.forecast import Series, forecast
from jupyter_einfra.idle.policies import presets
from jupyter_einfra.idle.policy import Rule

from .figures import Figure, median, spread

_NOW = 1_790_000_000.0
_DAYS = 7
_STEP_SECONDS = 30.0

#: Of a bucket's number: idle, busy, an hour in eight, and as a die falls.
_USES: dict[str, Callable[[int], float]] = {
    "idle": lambda _: 0.0,
    "busy": lambda _: 1.0,
    "an hour in eight": lambda i: float(i // 120 % 8 == 0),
    "at random": lambda i: float(random.Random(i).random() < 0.5),
}


@dataclass(frozen=True)
class Size:
    """How often each is repeated."""

    rounds: int = 41


def measure(_: Path, *, size: Size) -> list[Figure]:
    """Forecast a week of samples by each published rule."""
    rules = {
        f"{policy.revision}, {rule.metric}": rule
        for policy in presets().values()
        for rule in policy.rules
    }
    series = {name: _series(use) for name, use in _USES.items()}
    taken = {
        (rule_name, use): _milliseconds(rule, made, size.rounds)
        for rule_name, rule in rules.items()
        for use, made in series.items()
    }
    slowest = max(taken, key=lambda key: median(taken[key]))
    quickest = min(taken, key=lambda key: median(taken[key]))
    return [
        Figure(
            f"forecast: {_DAYS} days of {_STEP_SECONDS:g} s, slowest of {len(taken)}",
            median(taken[slowest]),
            "ms",
            5.0,
            note=f"{slowest[0]}, {slowest[1]}; {spread(taken[slowest], 'ms')}",
        ),
        Figure(
            "forecast: the quickest of them",
            median(taken[quickest]),
            "ms",
            note=f"{quickest[0]}, {quickest[1]}; {spread(taken[quickest], 'ms')}",
        ),
    ]


def _series(use: Callable[[int], float]) -> Series:
    count = int(_DAYS * 86400 / _STEP_SECONDS)
    floors = [use(i) for i in range(count)]
    sums = [value * _STEP_SECONDS for value in floors]
    return Series(_NOW - count * _STEP_SECONDS, _STEP_SECONDS, sums, floors)


def _milliseconds(rule: Rule, series: Series, rounds: int) -> list[float]:
    taken = []
    for _ in range(rounds):
        begin = time.perf_counter()
        forecast(rule, series, None, _NOW, alive_since=_NOW - 30 * 86400)
        taken.append((time.perf_counter() - begin) * 1e3)
    return taken
