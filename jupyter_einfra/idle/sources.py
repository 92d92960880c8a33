"""Where the operator's controller tells what it knows of this server.

They are looked at in a thread of their own, since a disk or a network may hang.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ..models import Reason
from . import reasons
from .files import read_start, told
from .models import SourceName, TimeAnswer, TimeWanted
from .published import MOST_BYTES, Malformed, PublishedState, decode


class Source(Protocol):
    """One of them."""

    name: SourceName
    state: PublishedState | None
    """The last word."""
    problem: Reason | None
    """Why there is none."""

    def look(self, now: float) -> bool:
        """See what is new, if that is due; return whether anything is."""

    def forget(self) -> None:
        """Look again at the next occasion: something has changed."""


class StateFile:
    """A file that the operator has projected into this container.

    Parameters
    ----------
    path:
        What is there may be exchanged at any time, or not be there.
    """

    name: SourceName = "file"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self.state: PublishedState | None = None
        self.problem: Reason | None = reasons.FILE_MISSING

    def look(self, now: float) -> bool:
        """Read the file if it is another than before."""
        before = self.state, self.problem
        try:
            status = self._path.stat()
            seen = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            if seen == self._seen:
                return False
            self._read()
            self._seen = seen
        except (FileNotFoundError, NotADirectoryError):
            self._is_not(reasons.FILE_MISSING)
        except OSError as error:
            self._is_not(reasons.file_unreadable(told(self._path), error.strerror or str(error)))
        return (self.state, self.problem) != before

    def forget(self) -> None:
        """Read it again at the next occasion."""
        self._seen = None

    def _read(self) -> None:
        content = read_start(self._path, MOST_BYTES)
        if not content.strip():
            # An annotation that was not made yet.
            self._is_not(reasons.FILE_MISSING)
            return
        try:
            self.state, self.problem = decode(content), None
        except Malformed as error:
            self._is_not(reasons.file_malformed(told(self._path), str(error)))

    def _is_not(self, problem: Reason) -> None:
        self.state, self.problem, self._seen = None, problem, None


class Controller:
    """The controller itself.

    Parameters
    ----------
    url, token:
        As for `client.ControllerClient`.
    pause_seconds:
        From one question to the next.
    """

    name: SourceName = "controller"

    def __init__(self, url: str, token: str, pause_seconds: float) -> None:
        self._url, self._token = url, token
        self._pause_seconds = pause_seconds
        self._due = 0.0
        self.state: PublishedState | None = None
        self.problem: Reason | None = reasons.CONTROLLER_SILENT

    def look(self, now: float) -> bool:
        """Ask, if that is due. While there is no answer, the last one stands."""
        from .client import ControllerClient, Unanswered  # noqa: PLC0415 - with an HTTP client

        if 0 <= self._due - now <= self._pause_seconds:
            return False
        self._due = now + self._pause_seconds
        before = self.state, self.problem
        try:
            self.state, self.problem = ControllerClient(self._url, self._token).state(), None
        except Unanswered as error:
            self.problem = error.reason
        return (self.state, self.problem) != before

    def more_time(self, wanted: TimeWanted) -> TimeAnswer:
        """Ask for more time; as `client.ControllerClient.more_time`."""
        from .client import ControllerClient  # noqa: PLC0415 - as above

        return ControllerClient(self._url, self._token).more_time(wanted)

    def forget(self) -> None:
        """Ask again at the next occasion."""
        self._due = 0.0
