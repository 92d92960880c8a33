"""NVIDIA GPUs, read in a thread that nothing ever waits long for.

A driver call may take seconds (the first one, without persistence mode) or never
return (a GPU that fell off the bus). So the driver is only ever touched by one
daemon thread: `GpuProbe.request` asks it for a new reading and `GpuProbe.latest`
returns what is known, with the reason when that is old. A hung thread is left alone;
when its call returns after all, it goes on.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone

import msgspec

from ...models import Reason
from ..models import GpuDetails, GpuStatus
from .driver import Driver, GpuReading

#: A driver that is missing or broken is tried again after these pauses.
FIRST_RETRY_SECONDS = 10.0
LAST_RETRY_SECONDS = 300.0

STARTING = Reason(
    code="nvml_starting", message="The GPU driver is being asked for the first time.", params={}
)


class GpuProbe:
    """Keeps the latest figures of every GPU that this container may see.

    Parameters
    ----------
    timeout_seconds:
        Age at which an unanswered question is reported.
    shared:
        Whether neighbours run on the same GPUs (time slicing, MPS).
    """

    def __init__(self, *, timeout_seconds: float = 5.0, shared: bool = False) -> None:
        self._timeout_seconds = timeout_seconds
        self._shared = shared
        self._reading = GpuReading([], GpuStatus(driver=None, reason=STARTING))
        self._retry_at = 0.0
        self._asked: float | None = None
        self._asked_time = datetime.now(timezone.utc)
        self._with_processes = False
        self._wanted = threading.Event()
        self._answered = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="einfra-nvml", daemon=True)

    def start(self) -> None:
        """Start the thread; the driver is touched at the first request."""
        self._thread.start()

    def stop(self, wait_seconds: float = 0.5) -> None:
        """End the thread if it answers in time, else leave it to the process's end."""
        self._stopping = True
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join(wait_seconds)

    def request(self, *, processes: bool = False) -> None:
        """Ask for a new reading.

        Without effect while the last request is unanswered, and while a driver that is
        missing or broken is left in peace; but a wish for ``processes`` is kept until the
        next reading.
        """
        self._with_processes = self._with_processes or processes
        if self._asked is None and time.monotonic() >= self._retry_at:
            self._asked_time = datetime.now(timezone.utc)
            self._asked = time.monotonic()
            self._answered.clear()
            self._wanted.set()

    def latest(self, wait_seconds: float = 0.0) -> GpuReading:
        """Return the last reading, waiting a moment for the one under way.

        After ``timeout_seconds`` without an answer the figures are unknown, and the
        reason says since when.
        """
        asked = self._asked
        if asked is not None and time.monotonic() - asked < self._timeout_seconds:
            self._answered.wait(wait_seconds)
            asked = self._asked
        if asked is None or (waited := time.monotonic() - asked) < self._timeout_seconds:
            return self._reading
        since = self._asked_time.strftime("%Y-%m-%dT%H:%M:%SZ")
        reason = Reason(
            code="nvml_not_answering",
            message=f"The GPU driver has not answered since {since}.",
            params={"since": since, "seconds": round(waited)},
        )
        return _unknown(self._reading, reason)

    def _run(self) -> None:
        driver = Driver(shared=self._shared)
        pause = FIRST_RETRY_SECONDS
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._stopping:
                driver.close()
                return
            with_processes = self._with_processes
            if with_processes:
                self._with_processes = False
            reading = driver.read(processes=with_processes)
            if driver.is_open:
                self._retry_at, pause = 0.0, FIRST_RETRY_SECONDS
            else:
                self._retry_at = time.monotonic() + pause
                pause = min(pause * 2, LAST_RETRY_SECONDS)
            # GPUs that were there stay listed while the driver is away.
            self._reading = (
                reading
                if driver.is_open or not self._reading.gpus or reading.status.reason is None
                else _unknown(self._reading, reading.status.reason)
            )
            self._asked = None
            self._answered.set()


def _unknown(reading: GpuReading, reason: Reason) -> GpuReading:
    return GpuReading(
        [
            msgspec.structs.replace(
                gpu,
                utilization=None,
                utilization_source=None,
                memory_used_bytes=None,
                reason=reason,
            )
            for gpu in reading.gpus
        ],
        GpuStatus(driver=reading.status.driver, reason=reason),
        [
            GpuDetails(
                uuid=one.uuid,
                figures=[
                    msgspec.structs.replace(figure, source=None, reason=reason)
                    for figure in one.figures
                ],
            )
            for one in reading.details
        ],
        None,
        reason if reading.gpus else None,
    )
