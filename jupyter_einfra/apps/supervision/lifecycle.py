"""When an application that ended is started again, and what its end means.

- Asked to stop: stopped, whatever it says.
- Ended without an error: stopped. It was somebody's wish, so nothing starts it again.
- Ended with an error before it was ready: failed. It would only fail again.
- Ended with an error after that: started again, at most three times, each time after a
  longer pause; a run that lasted ten minutes wipes the slate clean.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Literal

from ...models import Params, Reason

#: Pauses before it is started again by itself.
PAUSES_SECONDS = (1.0, 4.0, 16.0)

#: A run of this length shows that the error is not a lasting one.
STEADY_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class End:
    """How one run ended."""

    exit_code: int | None
    """Below zero, the signal that it took; None if nobody saw it."""
    was_ready: bool
    lasted_seconds: float
    asked: bool
    """Whether somebody had asked it to stop."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What follows from an end."""

    state: Literal["stopped", "failed", "starting"]
    restarts: int
    """How many there were in a row, with the one that follows."""
    pause_seconds: float
    """Before it is started again; 0 if it is not."""
    reason: Reason | None


def after(end: End, *, restarts: int, title: str) -> Verdict:
    """Tell what follows.

    Parameters
    ----------
    end:
        What there is to judge.
    restarts:
        How often it was started again by itself, in a row, until now.
    title:
        Of the instance, for the reason.
    """
    if end.asked:
        return _settled("stopped", _reason("app_stopped", f"{title} was stopped.", title))
    if end.exit_code == 0:
        return _settled("stopped", _reason("app_ended", f"{title} ended by itself.", title))
    if not end.was_ready:
        return _settled("failed", _failure("app_start_failed", end, title))
    if end.lasted_seconds >= STEADY_SECONDS:
        restarts = 0
    if restarts >= len(PAUSES_SECONDS):
        return _settled("failed", _failure("app_failed", end, title))
    return Verdict(
        state="starting",
        restarts=restarts + 1,
        pause_seconds=PAUSES_SECONDS[restarts],
        reason=_failure("app_restarting", end, title),
    )


def _settled(state: Literal["stopped", "failed"], reason: Reason) -> Verdict:
    return Verdict(state=state, restarts=0, pause_seconds=0.0, reason=reason)


def _reason(code: str, message: str, title: str, params: Params | None = None) -> Reason:
    return Reason(code=code, message=message, params={"name": title, **(params or {})})


_NEXT = {
    "app_start_failed": "Look at what it printed, then try again.",
    "app_failed": "It had been started again several times. Look at what it printed.",
    "app_restarting": "It is being started again.",
}


def _failure(code: str, end: End, title: str) -> Reason:
    """Word an end with an error; of exit code and signal, that is told which there was."""
    params: Params = {}
    when = " before it was ready" if code == "app_start_failed" else ""
    if end.exit_code is None:
        how = f"ended{when}; nobody saw how"
    elif end.exit_code >= 0:
        how = f"ended with exit status {end.exit_code}{when}"
        params["exit_code"] = end.exit_code
    else:
        how = f"was ended by {_signal_name(-end.exit_code)}{when}"
        params["signal_name"] = _signal_name(-end.exit_code)
    return _reason(code, f"{title} {how}. {_NEXT[code]}", title, params)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
