"""What a benchmark hands over, and the table that it becomes."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

_DECIMALS = {"ms": 2, "s": 1, "%": 3, "MB": 1, "kB": 1, "x": 2, "": 0}


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Parameters
    ----------
    what:
        Is measured, beside what.
    value, unit:
        Median of all rounds.
    target, bound:
        What the value should be at most or at least; None for what only explains.
    note:
        What else the reader should know, such as the spread.
    """

    what: str
    value: float
    unit: Literal["ms", "s", "%", "MB", "kB", "x", ""]
    target: float | None = None
    bound: Literal["at most", "at least"] = "at most"
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.bound == "at most" else self.value >= self.target


def spread(values: Sequence[float], unit: str = "") -> str:
    """Smallest and largest of the rounds, in words."""
    return f"rounds: {min(values):.3g} to {max(values):.3g}{unit and ' ' + unit}"


def ratio_of(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Divide round by round; each pair was measured side by side."""
    return [a / b if b > 0 else float("inf") for a, b in zip(above, below, strict=True)]


def less(values: Sequence[float], baseline: Sequence[float]) -> list[float]:
    """Subtract round by round."""
    return [a - b for a, b in zip(values, baseline, strict=True)]


median = statistics.median


def table(figures: Iterable[Figure]) -> str:
    """Print as Markdown."""
    lines = ["| What | Value | Target | Met | Note |", "| --- | ---: | ---: | --- | --- |"]
    for figure in figures:
        met = {None: "", True: "yes", False: "**no**"}[figure.is_met]
        target = "" if figure.target is None else f"{figure.bound} {figure.target:g} {figure.unit}"
        value = f"{figure.value:.{_DECIMALS[figure.unit]}f} {figure.unit}"
        lines.append(
            f"| {figure.what} | {value.strip()} | {target.strip()} | {met} | {figure.note} |"
        )
    return "\n".join(lines)
