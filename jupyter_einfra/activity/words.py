"""What a digest says, in English and as codes with the blanks of their translations.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..kernels.names import tidy
from ..kernels.signals import signal_name, signal_of, usual_reason
from ..models import Params, Reason
from ..wording import clock, duration, rfc3339
from .models import CellRun, CellsRan, KernelEvent, ProgramEvent


class Told(NamedTuple):
    """A code, its blanks, and the same in English."""

    code: str
    params: Params
    message: str


#: Of a server that is there again.
SERVER_STARTED = Told("server_started", {}, "The server was started anew.")

_WHY = {
    "interrupted": "was interrupted{at}",
    "restarted": "ended{at} when its kernel was restarted",
    "shut-down": "ended{at} when its kernel was shut down",
    "unknown": "ended{at}, and nobody saw how",
}


def name_of(path: str | None, kernel_id: str) -> str:
    """Return what people call a notebook or file, or a kernel without one."""
    if path is None:
        return f"kernel {tidy(kernel_id, 8).rstrip('…')}"
    return tidy(path.rpartition("/")[2]) or tidy(path)


def cause_of_death(exit_code: int | None) -> Reason:
    """Say why a kernel died, as far as its exit status tells.

    Parameters
    ----------
    exit_code:
        As Python tells it: below zero, the signal; None where nobody could wait for it.
    """
    number = signal_of(exit_code)
    if number == 9:
        return Reason(
            code="kernel_killed",
            message="was killed by SIGKILL; whether for want of memory is not known",
            params={"memory_known": 0},
        )
    if number is not None:
        name = signal_name(number)
        usually = f", usually {usual}" if (usual := usual_reason(name)) else ""
        return Reason(
            code="kernel_crashed",
            message=f"crashed: {name}{usually}",
            params={"signal": number, "signal_name": name},
        )
    if exit_code is not None:
        return Reason(
            code="kernel_exited",
            message=f"ended by itself, with exit status {exit_code}",
            params={"exit_code": exit_code},
        )
    return Reason(code="kernel_died", message="died; why is not known", params={})


def died(death: KernelEvent, times: int) -> Told:
    """Say that a kernel died, and of what."""
    cause = death.cause or cause_of_death(None)
    known = {name: value for name, value in cause.params.items() if name not in _OURS}
    params: Params = {
        **known,
        "name": tidy(death.name),
        "time": rfc3339(death.time),
        "restarted": 1 if death.restarted else 0,
        "times": times,
    }
    message = cause.message
    if "time" not in cause.params:  # only what its exit status told
        then = "It was started anew; its variables are lost." if death.restarted else "Restart it."
        message = f"The kernel of {tidy(death.name)} {message} ({clock(death.time)}). {then}"
    if death.execution_count is not None:
        message += f" Cell [{death.execution_count}] was running."
    if times > 1:
        message += f" It died {times} times."
    return Told(cause.code, params, message)


#: Blanks that a digest fills in itself.
_OURS = frozenset({"name", "time", "restarted", "times"})


def failed(run: CellRun, times: int, others: int) -> Told:
    """Say that an execution ended with an error."""
    name = name_of(run.path, run.kernel_id)
    error, text = run.error_name or "", run.error_text or ""
    params: Params = {
        "name": name,
        "error": error,
        "text": text,
        "seconds": run.seconds or 0.0,
        "times": times,
        "others": others,
    }
    what = ": ".join(filter(None, (error, text))) or "an error"
    often = f" ({times} times)" if times > 1 else ""
    end = "" if (what + often).endswith((".", "!", "?", "…")) else "."
    more = f" {others} other errors followed." if others else ""
    return Told("run_failed", params, f"{name} stopped{_at(run)} with {what}{often}{end}{more}")


def lost(run: CellRun) -> Told:
    """Say that an execution ended with its server."""
    name = name_of(run.path, run.kernel_id)
    return Told(
        "run_lost",
        {"name": name, "seconds": run.seconds or 0.0},
        f"{name} was running{_at(run)} when the server ended.",
    )


def stopped(run: CellRun) -> Told:
    """Say that an execution ended because somebody wanted it, or in a way that nobody saw."""
    name = name_of(run.path, run.kernel_id)
    why = run.outcome if run.outcome in _WHY else "unknown"
    return Told(
        "run_stopped",
        {"name": name, "seconds": run.seconds or 0.0, "why": why},
        f"{name} {_WHY[why].format(at=_at(run))}.",
    )


def finished(last: CellsRan | CellRun, runs: Sequence[CellsRan | CellRun], failures: int) -> Told:
    """Say what was done of one notebook."""
    name = name_of(last.path, last.kernel_id)
    cells = sum(run.cells if isinstance(run, CellsRan) else 1 for run in runs)
    longest = max(
        run.longest_seconds if isinstance(run, CellsRan) else run.seconds or 0.0 for run in runs
    )
    params: Params = {
        "name": name,
        "cells": cells,
        "longest_seconds": longest,
        "failed": failures,
    }
    many = "1 cell in" if cells == 1 else f"{cells} cells, the longest"
    errors = f"{failures} failed" if failures else "no errors"
    return Told("runs_finished", params, f"{name}: {many} {duration(longest)}, {errors}.")


def running(run: CellRun, seconds: float) -> Told:
    """Say that an execution still runs."""
    name = name_of(run.path, run.kernel_id)
    return Told(
        "run_running",
        {"name": name, "seconds": seconds},
        f"{name} is running{_at(run)}, for {duration(seconds)} now.",
    )


def program_running(event: ProgramEvent) -> Told:
    """Say that an application runs."""
    params: Params = {"name": tidy(event.name), "program": event.program}
    return Told("program_running", params, f"{tidy(event.name)} is running.")


def program_ended(event: ProgramEvent) -> Told:
    """Say that an application, a terminal or a public address has ended."""
    why = "" if event.reason is None else f" {tidy(event.reason.message, 300)}"
    params: Params = {"name": tidy(event.name), "program": event.program}
    return Told("program_ended", params, f"{tidy(event.name)} has ended.{why}")


def files(counts: Params, paths: Sequence[str]) -> Told:
    """Say how many files were changed."""
    names = [name_of(path, "") for path in paths]
    said = ", ".join(f"{count} {action}" for action, count in counts.items() if count)
    return Told(
        "files_changed", {**counts, "names": "\n".join(names)}, f"{said}: {', '.join(names)}."
    )


def go_on(path: str) -> Told:
    """Say where one may go on."""
    name = name_of(path, "")
    return Told("continue_at", {"name": name}, f"Continue in {name}.")


def _at(run: CellRun) -> str:
    return "" if run.execution_count is None else f" at cell [{run.execution_count}]"
