"""Tells others when applications begin to run and when they end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from ..models import Reason
from .supervision.instance import Instance

#: Id and title of an instance, what became of it, and why.
OnTurn = Callable[[str, str, Literal["started", "stopped", "failed"], Reason | None], None]


class Turns:
    """Compares what instances do with what they did."""

    def __init__(self, on_turn: OnTurn) -> None:
        self._on_turn = on_turn
        self._running: set[str] = set()

    def see(self, instance: Instance) -> None:
        """Look at one instance; what is between running and not is neither."""
        ran = instance.id in self._running
        if instance.state == "running" and not ran:
            self._running.add(instance.id)
            self._on_turn(instance.id, instance.title, "started", None)
        elif ran and instance.state in ("stopped", "failed"):
            self._running.discard(instance.id)
            end: Literal["stopped", "failed"] = (
                "failed" if instance.state == "failed" else "stopped"
            )
            self._on_turn(instance.id, instance.title, end, instance.reason)
