"""How much is computed below some processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from jupyter_einfra.usage.probes.processes import ProcessProbe
from jupyter_einfra.usage.programs.process_table import Process, ProcessTable
from jupyter_einfra.usage.programs.trees import TreeCores, cores_by_tree


def table(at_seconds: float, **cpu_seconds: float) -> ProcessTable:
    """Return processes 1 <- 2 <- 3 and 1 <- 4, and how much each has computed."""
    parents = {1: 0, 2: 1, 3: 2, 4: 1}
    processes = {
        pid: Process(
            pid=pid,
            ppid=ppid,
            started_ticks=pid,
            cpu_seconds=cpu_seconds.get(f"p{pid}", 0.0),
            threads=1,
            memory_bytes=0,
        )
        for pid, ppid in parents.items()
    }
    return ProcessTable(at_seconds, processes, None)


def test_what_is_below_counts_and_what_is_beside_does_not() -> None:
    before, now = table(0.0), table(60.0, p1=600.0, p2=30.0, p3=60.0, p4=12.0)
    assert cores_by_tree(before, now, [2, 4]) == {2: 1.5, 4: 0.2}


def test_one_that_is_gone_computes_nothing() -> None:
    assert cores_by_tree(table(0.0), table(60.0, p3=60.0), [99]) == {99: 0.0}


def test_without_two_looks_nothing_is_known() -> None:
    assert cores_by_tree(None, table(0.0), [2]) is None
    assert cores_by_tree(table(0.0), table(0.0), [2]) is None
    assert cores_by_tree(table(0.0), ProcessTable(60.0, {}, None), [2]) is None


def test_a_real_child_that_computes() -> None:
    cores = TreeCores(ProcessProbe().read)
    busy = subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"])
    try:
        assert cores([os.getpid()]) is None
        until = time.monotonic() + 10
        while (found := cores([busy.pid]) or {}).get(busy.pid, 0.0) < 0.05:
            assert time.monotonic() < until, found
            time.sleep(0.3)
    finally:
        busy.kill()
        busy.wait()
