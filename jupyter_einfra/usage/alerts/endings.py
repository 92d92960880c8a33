"""How the server's last run ended, told to who comes back.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...kernels.names import tidy
from ...models import Notice, Params
from ...wording import clock, day, rfc3339, share
from ..models import Run

#: As many notebooks as people read in one sentence, and as are told to their pages.
MOST_NAMES = 10
MOST_PATHS = 50


def previous_run_notice(run: Run, open_names: Sequence[str], now: datetime) -> Notice | None:
    """Say how the server's last run ended, if it was not asked to end.

    Parameters
    ----------
    run:
        The last run.
    open_names:
        Paths of notebooks whose kernels ran then.
    now:
        The present moment.
    """
    if run.ending not in ("out-of-memory", "killed"):
        return None
    starved = run.ending == "out-of-memory"
    known = run.reason.params if run.reason is not None else {}
    params: Params = {}
    for name in ("used_bytes", "limit_bytes"):
        if isinstance(known.get(name), int):
            params[name] = known[name]
    at = ""
    if run.ended is not None:
        params["ended"] = rfc3339(run.ended)
        at = f" on {day(run.ended)} at {clock(run.ended)}"
    used, limit = params.get("used_bytes"), params.get("limit_bytes")
    if starved and isinstance(used, int) and isinstance(limit, int):
        why = f": memory had reached {share(used, limit)}"
    else:
        why = ": it ran out of memory" if starved else " and could not say why"
    lost = ""
    if open_names:
        more = len(open_names) - MOST_NAMES
        named = ", ".join(tidy(name) for name in open_names[:MOST_NAMES])
        kernels = named + (f" and {more} more" if more > 0 else "")
        params["kernels"] = kernels
        params["paths"] = "\n".join(filter(_is_one_line, open_names[:MOST_PATHS]))
        lost = f" Variables of these are lost: {kernels}."
    then = " Use less memory, or start a larger server." if starved else ""
    return Notice(
        id=f"previous-run:{rfc3339(run.started)}",
        time=run.ended or now,
        feature="usage",
        severity="error" if starved else "warning",
        code="previous_run_out_of_memory" if starved else "previous_run_killed",
        message=f"Your server was killed{at}{why}.{lost}{then}",
        params=params,
        kernel_id=None,
        path=None,
    )


def _is_one_line(path: str) -> bool:
    """Whether a path can be told as a line of text, which names of files need not be."""
    return "\n" not in path and not any("\ud800" <= c <= "\udfff" for c in path)
