"""Why the history is not on disk, in words.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from .models import Params, Reason


def reason(kind: str, detail: str, folder: str) -> Reason:
    """Word a fault of the store.

    Parameters
    ----------
    kind, detail:
        Of the `store.Fault`.
    folder:
        Where the history is kept.
    """
    params: Params = {"folder": folder}
    unreachable = Reason(
        code="history_in_memory_unreachable",
        message=f"The history cannot be kept in {folder} ({detail}). It is kept in memory until "
        "it can.",
        params={**params, "detail": detail},
    )
    worded = {
        "opening": Reason(
            code="history_loading", message="The history is being read. Ask again.", params={}
        ),
        "second": Reason(
            code="history_in_memory_second",
            message="Another server of yours keeps the history on disk. This one keeps its own "
            "in memory until that one ends.",
            params=params,
        ),
        "busy": Reason(
            code="history_in_memory_busy",
            message=f"Another program has opened the history in {folder}. It is kept in memory "
            "until that program closes it.",
            params=params,
        ),
        "full": Reason(
            code="history_in_memory_full",
            message=f"The disk of {folder} is full. The history is kept in memory until there "
            "is space: delete what you do not need.",
            params=params,
        ),
        "read-only": Reason(
            code="history_in_memory_read_only",
            message=f"{folder} cannot be written. The history is kept in memory until it can.",
            params=params,
        ),
        "hung": Reason(
            code="history_in_memory_hung",
            message=f"The disk of {folder} does not answer. The history is kept in memory until "
            "it does.",
            params=params,
        ),
    }
    return worded.get(kind, unreachable)
