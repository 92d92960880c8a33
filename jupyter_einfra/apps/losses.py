"""Notices of applications that ended while nobody asked for it, until somebody acts."""

from __future__ import annotations

from datetime import datetime, timezone

from ..models import Notice, Reason
from ..notices import Board
from .supervision.instance import Instance

#: Reasons that only who looks would learn of; a start that fails is told where it was asked for.
_LOST = frozenset(["app_failed", "app_restarting"])


def warning(ident: str, now: datetime, reason: Reason, **more: str) -> Notice:
    """Return a notice that tells a reason, with more parameters than that has."""
    return Notice(
        id=ident,
        time=now,
        feature="apps",
        severity="warning",
        code=reason.code,
        message=reason.message,
        params={**reason.params, **more},
        kernel_id=None,
        path=None,
    )


class Losses:
    """Tells of each instance what was lost of it last."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._told: dict[str, str] = {}
        """Ids of instances, and the words."""

    def see(self, instance: Instance) -> None:
        """Put up what an instance lost, once."""
        reason = instance.reason
        if reason is None or reason.code not in _LOST:
            return
        words = f"{reason.code} {reason.message}"
        if self._told.get(instance.id) == words:
            return
        self._told[instance.id] = words
        now = datetime.now(timezone.utc)
        time = now.isoformat(timespec="seconds")
        self._board.post(warning(f"app:{instance.id}", now, reason, time=time))

    def settle(self, instance: Instance) -> None:
        """Take it down: somebody acted."""
        if self._told.pop(instance.id, None) is not None:
            self._board.withdraw(f"app:{instance.id}")
