"""One kernel: its state, since when, its process, and its death.

Reads attributes of the kernel's manager and listens to its own notifications, which
costs nothing while nothing happens.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from ..models import Reason
from .names import tidy

#: What Jupyter Server says when something is done to a kernel.
KERNEL_ACTIONS = "https://events.jupyter.org/jupyter_server/kernel_actions/v1"

#: A kernel that dies within this time of its last death dies of the same thing: Jupyter
#: looks every 3 s, and takes a kernel for stable after 10 s.
AGAIN_SECONDS = 15.0

ELSEWHERE = Reason(
    code="kernel_elsewhere",
    message="The kernel does not run in this container, so its processes cannot be seen.",
    params={},
)
NO_PROCESS = Reason(
    code="kernel_no_process",
    message="The kernel has no process at the moment: it is starting, or it has ended.",
    params={},
)


class KernelWatch:
    """Watches one kernel until `detach`.

    Parameters
    ----------
    manager:
        The kernel's own manager, of any make.
    on_death:
        Called with this object, the exit code and whether it stays dead.
    """

    def __init__(
        self, manager: Any, on_death: Callable[[KernelWatch, int | None, bool], None]
    ) -> None:
        self.manager = manager
        self._on_death = on_death
        self._state = _text(read(manager, "execution_state"))
        activity = read(manager, "last_activity")
        aware = isinstance(activity, datetime) and activity.tzinfo is not None
        self._since: datetime | None = activity if aware else None
        self._died_seconds = float("-inf")
        self._told_of: object = None
        self.first_death: datetime | None = None
        """The first of a row of deaths, if there was one just before."""
        with suppress(Exception):  # not every manager has traits
            if manager.has_trait("execution_state"):
                manager.observe(self._on_state, names="execution_state")

    def attach(self) -> None:
        """Hear of the kernel's death; again when it has started, for only then can it be."""
        for callback, event in ((self._on_restart, "restart"), (self._on_dead, "dead")):
            with suppress(Exception):  # as above
                self.manager.remove_restart_callback(callback, event)
            with suppress(Exception):
                self.manager.add_restart_callback(callback, event)

    def detach(self) -> None:
        """Listen no more."""
        with suppress(Exception):
            self.manager.unobserve(self._on_state, names="execution_state")
        for callback, event in ((self._on_restart, "restart"), (self._on_dead, "dead")):
            with suppress(Exception):
                self.manager.remove_restart_callback(callback, event)

    def state(self) -> tuple[str | None, datetime | None]:
        """Return the state, and since when as far as known."""
        # A manager that tells nobody of changes is compared with what it was.
        self._note(_text(read(self.manager, "execution_state")))
        return self._state, self._since

    def process(self) -> tuple[int | None, Reason | None]:
        """Return the process id, or why there is none."""
        provisioner = read(self.manager, "provisioner", ELSEWHERE)
        if provisioner is None:  # a gateway's manager never has one, ours not before its start
            is_gateway = read(self.manager, "kernels_url") or read(self.manager, "kernel_url")
            return None, ELSEWHERE if is_gateway else NO_PROCESS
        process = read(provisioner, "process", ELSEWHERE)
        if isinstance(process, subprocess.Popen):
            self._look_after(process)
            return (process.pid, None) if process.returncode is None else (None, NO_PROCESS)
        return None, NO_PROCESS if process is None else ELSEWHERE

    def died_again(self, time_now: datetime) -> datetime | None:
        """Take note of a death; return the first of a row if it is not the first."""
        now = time.monotonic()
        again = now - self._died_seconds < AGAIN_SECONDS
        self._died_seconds = now
        if not again:
            self.first_death = time_now
        return self.first_death if again else None

    def _look_after(self, process: subprocess.Popen[Any]) -> None:
        """Find out that a kernel died which nobody else looks after."""
        if (
            read(self.manager, "autorestart", True)
            or read(self.manager, "shutting_down", False)
            or self._told_of is process
            or process.poll() is None
        ):
            return
        self._told_of = process
        self._on_death(self, process.returncode, True)

    def _on_state(self, change: Any) -> None:
        self._note(_text(change["new"]))

    def _note(self, state: str | None) -> None:
        if state != self._state:
            self._state = state
            self._since = datetime.now(timezone.utc)

    # Called from a loop over the list that these are in: they must not leave it.
    def _on_restart(self) -> None:
        self._on_death(self, self._exit_code(), False)

    def _on_dead(self) -> None:
        self._on_death(self, self._exit_code(), True)

    def _exit_code(self) -> int | None:
        process = read(read(self.manager, "provisioner"), "process")
        code = read(process, "returncode")
        return code if isinstance(code, int) else None


def managers_of(kernel_manager: Any, most: int) -> dict[str, Any]:
    """Return the manager of each kernel that there is, by its id; ``most`` of them at most."""
    found: dict[str, Any] = {}
    with suppress(Exception):  # it may be of any make, or not be there
        for kernel_id in list(kernel_manager.list_kernel_ids())[:most]:
            with suppress(Exception):  # gone meanwhile
                found[kernel_id] = kernel_manager.get_kernel(kernel_id)
    return found


def read(thing: object, name: str, default: object = None) -> Any:
    """Return an attribute; one that is not there, or not yet, is the default."""
    try:
        return getattr(thing, name, default)
    except Exception:  # noqa: BLE001 - a trait without a value raises what it likes
        return default


def _text(value: object) -> str | None:
    return tidy(value, 40) if isinstance(value, str) else None
