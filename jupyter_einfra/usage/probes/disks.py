"""Space in the places where files are kept, each asked by a thread of its own.

To ask a file server that is away may take for ever, and nothing can end that call. So
each place has a daemon thread that asks now and then; `DiskProbe.latest` tells what is
known and, when an answer is overdue, since when. A hung thread is left alone; when its
call returns after all, it goes on.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Literal, Protocol

import msgspec

from ...models import Params, Reason
from ..models import DiskUsage
from .files import printable

#: A file system that is this much larger than the quota is still the quota's own.
QUOTA_TOLERANCE = 1.05

_MESSAGES = {
    "disk_starting": "{path} is being asked for the first time.",
    "disk_not_answering": "The file system of {path} has not answered since {since}.",
    "disk_missing": "There is no {path}.",
    "disk_unreadable": "The file system of {path} could not be asked: {error}",
    "disk_no_figures": "The file system of {path} does not say how large it is.",
    "disk_shared": (
        "{path} lies on a file system that others use, too, and it does not tell what is "
        "yours. The operator can set your quota on the file server, which then tells it."
    ),
}


@dataclass(frozen=True)
class Place:
    """A folder to tell the space of."""

    name: Literal["home", "tmp"]
    path: str
    quota_bytes: int | None = None
    """What its owner may use of the file system; None where it is all of it."""


class Space(Protocol):
    """What `os.statvfs` answers, as far as it is used here."""

    @property
    def f_frsize(self) -> int: ...

    @property
    def f_blocks(self) -> int: ...

    @property
    def f_bfree(self) -> int: ...

    @property
    def f_bavail(self) -> int: ...


def usual_places(
    *, home_quota_bytes: int | None = None, tmp_quota_bytes: int | None = None
) -> list[Place]:
    """Name the home folder and the folder for temporary files."""
    try:
        temporary = tempfile.gettempdir()
    except OSError:  # nothing can be written anywhere
        temporary = "/tmp"  # noqa: S108 - only asked for its size
    return [
        Place("home", os.path.expanduser("~"), home_quota_bytes),  # noqa: PTH111 - never raises
        Place("tmp", temporary, tmp_quota_bytes),
    ]


class DiskProbe:
    """Keeps the latest figures of some places.

    Parameters
    ----------
    places:
        What to ask for.
    interval_seconds:
        From an answer to the next question.
    timeout_seconds:
        Age at which an unanswered question is reported.
    statvfs:
        Asks the file system of a path.
    """

    def __init__(
        self,
        places: Sequence[Place],
        *,
        interval_seconds: float = 30.0,
        timeout_seconds: float = 5.0,
        statvfs: Callable[[str], Space] = os.statvfs,
    ) -> None:
        self._stopping = threading.Event()
        self._watches = [
            _Watch(place, interval_seconds, timeout_seconds, statvfs, self._stopping)
            for place in places
        ]

    def start(self) -> None:
        """Ask for the first time, and then now and then until `stop`."""
        for watch in self._watches:
            watch.thread.start()

    def stop(self, wait_seconds: float = 0.5) -> None:
        """End the threads that answer in time, leave others to the process's end."""
        self._stopping.set()
        until = time.monotonic() + wait_seconds
        for watch in self._watches:
            if watch.thread.is_alive():
                watch.thread.join(max(until - time.monotonic(), 0.0))

    def latest(self) -> list[DiskUsage]:
        """Return what is known of each place, in the order given; never waits."""
        return [watch.latest() for watch in self._watches]


class _Watch:
    """One place and its thread."""

    def __init__(
        self,
        place: Place,
        interval_seconds: float,
        timeout_seconds: float,
        statvfs: Callable[[str], Space],
        stopping: threading.Event,
    ) -> None:
        self._place = place
        self._interval_seconds = interval_seconds
        self._timeout_seconds = timeout_seconds
        self._statvfs = statvfs
        self._stopping = stopping
        self._usage = _unknown(place, None, "disk_starting")
        self._asked: tuple[float, datetime] | None = None
        self.thread = threading.Thread(
            target=self._run, name=f"einfra-disk-{place.name}", daemon=True
        )

    def latest(self) -> DiskUsage:
        usage, asked = self._usage, self._asked
        if asked is None or (waited := time.monotonic() - asked[0]) < self._timeout_seconds:
            return usage
        since = asked[1].strftime("%Y-%m-%dT%H:%M:%SZ")
        reason = _reason(self._place, "disk_not_answering", since=since, seconds=round(waited))
        return msgspec.structs.replace(usage, used_bytes=None, reason=reason)

    def _run(self) -> None:
        while not self._stopping.is_set():
            now = datetime.now(timezone.utc)
            self._asked = time.monotonic(), now
            self._usage = self._ask(now)
            self._asked = None
            self._stopping.wait(self._interval_seconds)

    def _ask(self, now: datetime) -> DiskUsage:
        place = self._place
        try:
            return _told(place, self._statvfs(place.path), now)
        except FileNotFoundError:
            return _unknown(place, now, "disk_missing")
        except Exception as error:  # noqa: BLE001 - a place that breaks must not end its thread
            text = getattr(error, "strerror", None) or str(error)
            return _unknown(place, now, "disk_unreadable", error=text)


def _told(place: Place, space: Space, now: datetime) -> DiskUsage:
    block = space.f_frsize
    total, quota = space.f_blocks * block, place.quota_bytes
    if total <= 0:
        return _unknown(place, now, "disk_no_figures")
    if quota is not None and total > quota * QUOTA_TOLERANCE:
        return _unknown(place, now, "disk_shared", total_bytes=total)
    used = max(space.f_blocks - space.f_bfree, 0) * block
    # The rest is kept for the administrator.
    limit = used + max(min(space.f_bavail, space.f_bfree), 0) * block
    return DiskUsage(
        name=place.name,
        path=printable(place.path),
        used_bytes=used,
        limit_bytes=limit if quota is None else min(limit, quota),
        scope="filesystem" if quota is None else "quota",
        time=now,
        reason=None,
    )


def _unknown(place: Place, now: datetime | None, code: str, **params: str | float) -> DiskUsage:
    return DiskUsage(
        name=place.name,
        path=printable(place.path),
        used_bytes=None,
        limit_bytes=place.quota_bytes,
        scope="filesystem" if place.quota_bytes is None else "quota",
        time=now,
        reason=_reason(place, code, **params),
    )


def _reason(place: Place, code: str, **extra: str | float) -> Reason:
    params: Params = {"path": printable(place.path), **extra}
    return Reason(code=code, message=_MESSAGES[code].format_map(params), params=params)
