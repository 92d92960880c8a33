"""Bytes through the network interfaces of this process's network namespace."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ..figures import NetworkReading, Traffic
from . import formats
from .files import FirstReason, read

#: Talk of the machine with itself, such as the server's with its kernels.
_LOOPBACK = "lo"


class NetworkProbe:
    """Reads the traffic of every interface but the loopback one.

    Parameters
    ----------
    root:
        The file system to read, so that tests can bring their own.
    is_container:
        Whether this process runs in a container, now or as of each reading.
    """

    def __init__(
        self, root: Path = Path("/"), *, is_container: bool | Callable[[], bool] = False
    ) -> None:
        self._path = root / "proc/self/net/dev"
        self._is_container = is_container

    def read(self) -> NetworkReading:
        """Bytes so far."""
        first = FirstReason("network_unreadable")
        counts = first.attempt(lambda: read(self._path, formats.parse_net_dev))
        interfaces = {
            name: Traffic(received, sent)
            for name, (received, sent) in (counts or {}).items()
            if name != _LOOPBACK
        }
        known = counts is not None
        container = self._is_container() if callable(self._is_container) else self._is_container
        return NetworkReading(
            at_seconds=time.monotonic(),
            received_bytes=sum(t.received_bytes for t in interfaces.values()) if known else None,
            sent_bytes=sum(t.sent_bytes for t in interfaces.values()) if known else None,
            scope="container" if container else "machine",
            reason=first.reason,
            interfaces=interfaces,
        )
