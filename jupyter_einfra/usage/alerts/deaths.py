"""Why a kernel or another program died, as far as it is known.

The exit status says which signal it was; only the control group's counters say whether
the signal came for want of memory. What they do not say is not claimed.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from ...kernels.signals import signal_name, signal_of, usual_reason
from ...models import Notice, Params
from ...wording import clock, rfc3339, share, size
from ..models import Program, Scope, UsageEvent

Cause = Literal["out-of-memory", "machine-out-of-memory", "killed", "crashed", "exited", "unknown"]
CAUSES: tuple[Cause, ...] = get_args(Cause)

_CAUSE_OF: dict[str, Cause] = {
    "kernel_out_of_memory": "out-of-memory",
    "kernel_machine_out_of_memory": "machine-out-of-memory",
    "kernel_killed": "killed",
    "kernel_crashed": "crashed",
    "kernel_exited": "exited",
}

_WHERE = {"container": "the container", "cgroup": "its control group", "machine": "the machine"}


@dataclass(frozen=True)
class Death:
    """A kernel that ended and was not asked to."""

    time: datetime
    kernel_id: str
    name: str
    """Of its notebook, for people."""
    path: str | None
    exit_code: int | None
    """As Python tells it: below zero, the signal; None where nobody could wait for it."""
    gave_up: bool
    """It was not started anew."""
    first: datetime | None = None
    """When it first died, if it died again and again within seconds."""


@dataclass(frozen=True)
class Counters:
    """What the memory group counted so far; None where nothing counts it."""

    oom_kills: int | None = None
    limit_hits: int | None = None


def rose(before: int | None, after: int | None) -> bool | None:
    """Tell whether a counter rose; None where it is not known, or was made anew."""
    if before is None or after is None or after < before:
        return None
    return after > before


def explain(
    death: Death,
    before: Counters,
    after: Counters,
    limit_bytes: int | None,
    peak: tuple[datetime, int] | None = None,
    *,
    scope: Scope = "container",
) -> Notice:
    """Say why a kernel died.

    Parameters
    ----------
    death:
        The kernel that died.
    before, after:
        What was counted while it lived, and when it was dead.
    limit_bytes:
        The limit of the memory group.
    peak:
        The most memory that was seen in use shortly before, and when.
    scope:
        Whose memory the limit is.
    """
    memory = _Memory(before, after, limit_bytes, peak, scope)
    why = _why(death.exit_code, clock(death.time), memory)
    whose = f"Kernel {death.name}" if death.path is None else f"Kernel of {death.name}"
    return Notice(
        id=f"kernel-death:{death.kernel_id}:{rfc3339(death.first or death.time)}",
        time=death.time,
        feature="usage",
        severity="info" if death.exit_code == 0 else "error",
        code=why.code,
        message=f"{whose} {why.text} {_what_next(death, why.code)}",
        params={
            "name": death.name,
            "time": rfc3339(death.time),
            "restarted": 0 if death.gave_up else 1,
            **why.params,
        },
        kernel_id=death.kernel_id,
        path=death.path,
    )


class _Memory(NamedTuple):
    before: Counters
    after: Counters
    limit_bytes: int | None
    peak: tuple[datetime, int] | None
    scope: Scope


class _Why(NamedTuple):
    code: str
    params: Params
    text: str


def _why(exit_code: int | None, at: str, memory: _Memory) -> _Why:
    number = signal_of(exit_code)
    if number == signal.SIGKILL:
        return _why_killed(at, memory)
    if number is not None:
        name = signal_name(number)
        usually = f", usually {usual}" if (usual := usual_reason(name)) else ""
        params: Params = {"signal": number, "signal_name": name}
        return _Why("kernel_crashed", params, f"crashed at {at}: {name}{usually}.")
    if exit_code is not None:
        text = f"ended at {at} by itself, with exit status {exit_code}."
        return _Why("kernel_exited", {"exit_code": exit_code}, text)
    return _Why("kernel_died", {}, f"died at {at}. Why is not known.")


def _why_killed(at: str, memory: _Memory) -> _Why:
    starved = rose(memory.before.oom_kills, memory.after.oom_kills)
    if not starved:
        text = f"was killed at {at} by SIGKILL" + (
            ". Whether that was for want of memory is not known."
            if starved is None
            else ", which some program sent: as far as is known not for want of memory."
        )
        return _Why("kernel_killed", {"memory_known": 0 if starved is None else 1}, text)
    limit = memory.limit_bytes
    # A group that did not meet its own limit lost a process to others' hunger.
    if limit is not None and rose(memory.before.limit_hits, memory.after.limit_hits) is not False:
        return _Why(
            "kernel_out_of_memory",
            {"limit_bytes": limit, "used_bytes": limit},
            f"was killed at {at}: {_WHERE[memory.scope]} reached {share(limit, limit)}.",
        )
    text = f"was killed at {at}: the whole machine ran out of memory."
    if memory.peak is None:
        return _Why("kernel_machine_out_of_memory", {}, text)
    used = memory.peak[1]
    text += f" This server used {size(used)} of it."
    return _Why("kernel_machine_out_of_memory", {"used_bytes": used}, text)


def _what_next(death: Death, code: str) -> str:
    larger = ", or run on a larger server" if code.endswith("out_of_memory") else ""
    if death.gave_up:
        return f"Restart it{larger}."
    return f"It was started anew; its variables are lost. Run its cells again{larger}."


def killed_elsewhere(
    before: Counters,
    after: Counters,
    names: Sequence[str],
    now: datetime,
) -> Notice | None:
    """Tell of a process killed for want of memory that was no kernel.

    Parameters
    ----------
    before, after:
        What was counted.
    names:
        Programs that have fewer processes than before; a single one is named.
    now:
        The moment of the later count.
    """
    if not rose(before.oom_kills, after.oom_kills):
        return None
    params: Params = {"time": rfc3339(now)}
    what = "A process"
    if len(names) == 1:
        params["name"] = names[0]
        what = f"A process of {names[0]}"
    return Notice(
        id=f"process-out-of-memory:{rfc3339(now)}",
        time=now,
        feature="usage",
        severity="error",
        code="process_out_of_memory",
        message=f"{what} was killed at {clock(now)} for want of memory. "
        "Look whether what it did is complete; use less memory or a larger server.",
        params=params,
        kernel_id=None,
        path=None,
    )


def shrunk(before: Sequence[Program], after: Sequence[Program]) -> list[str]:
    """Return the names of programs that have fewer processes than they had."""
    had = {(program.kind, program.id): program.processes for program in before}
    return [
        program.name
        for program in after
        if (was := had.get((program.kind, program.id))) is not None
        and program.processes is not None
        and program.processes < was
    ]


def event_of(notice: Notice) -> UsageEvent:
    """Return the mark on a chart for something that a notice tells."""
    return UsageEvent(
        time=notice.time, code=notice.code, message=notice.message, params=notice.params
    )


def cause_of(notice: Notice) -> Cause:
    """Return why a kernel died in one of few words, as it is counted."""
    return _CAUSE_OF.get(notice.code, "unknown")
