"""One kernel that is listened to, with what is known of it for the moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..kernels.watch import KernelWatch
from ..models import Reason
from .executions import Executions
from .iopub import Ear


@dataclass
class Ended:
    """What was recorded of a kernel's end, which may turn out to be a restart."""

    at: float
    events: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)


class Kernel:
    """One kernel that is listened to."""

    def __init__(self, manager: Any, watch: KernelWatch, ear: Ear) -> None:
        self.manager = manager
        self.watch = watch
        self.ear = ear
        self.executions = Executions()
        self.interrupted_at = float("-inf")
        self.clear_since = float("-inf")
        """Since when what is asked for and not begun is still to come."""
        self.restarts_itself = False
        """Whether the next restart is the end of a death."""
        self.ended: Ended | None = None
        self.has_cells = False
        """Whether a page has named cells of it."""
        self.opened_at = float("-inf")
        self.ended_at = float("-inf")
        """When it was listened to, and when its last execution ended."""
        self.notebooks: dict[str, str] = {}
        """Of cells, where several notebooks share the kernel."""
        self.stopped_short: tuple[float, str] | None = None
        """When an execution was interrupted that nobody asked to be, and its record: a kernel
        that is to end interrupts what it does."""
        self.is_named = False
        self.pid: int | None = None
        """Of its process, when it was last looked at."""
        self.explanation: tuple[float, Reason] | None = None
        """Of a death that was not heard of yet."""

    def close(self) -> None:
        """Listen no more."""
        self.ear.close()
        self.watch.detach()
