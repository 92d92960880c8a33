"""Kernels of a measured server: real ones, that do nothing once they are there."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil

from .servers import Connection, Server

#: More at once would only wait for each other.
_AT_ONCE = 8

#: CPU time a second below which kernels are taken to have started.
_QUIET_CORES = 0.05
_PATIENCE_SECONDS = 90.0


def start_kernels(server: Server, count: int) -> float:
    """Start so many Python kernels and wait until they idle; return the cores they then use.

    Idle on purpose: what is measured is who looks at them, not what they do.
    """

    def start(_: int) -> None:
        connection = Connection(server.port, _PATIENCE_SECONDS)
        try:
            connection.ask("/api/kernels", "POST")
        finally:
            connection.close()

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(start, range(count)))
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (cores := _cores(server)) > _QUIET_CORES:
        if time.monotonic() > deadline:
            raise TimeoutError(f"The kernels do not rest: they use {cores:.2f} cores.")
    return cores


def _cores(server: Server) -> float:
    before, begin = _cpu_seconds(server), time.monotonic()
    time.sleep(2.0)
    return (_cpu_seconds(server) - before) / (time.monotonic() - begin)


def _cpu_seconds(server: Server) -> float:
    total = 0.0
    for process in psutil.Process(server.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total
