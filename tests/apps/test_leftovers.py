"""What a guardian that was killed leaves, found by its mark and ended; nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest
from servers.apps import Leavings
from servers.process import wait_until

from jupyter_einfra.apps.supervision import leftovers
from jupyter_einfra.apps.supervision.leftovers import MARK, new_mark

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
DEAF = [
    *SLEEP[:-1],
    "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); " + SLEEP[-1],
]


class Started:
    """Processes that a test starts with one mark or another."""

    def __init__(self, leavings: Leavings) -> None:
        self._environ = leavings.environ
        self.all: list[subprocess.Popen[bytes]] = []

    def __call__(self, mark: str | None, command: list[str] = SLEEP) -> subprocess.Popen[bytes]:
        env = {**self._environ, **({} if mark is None else {MARK: mark})}
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, start_new_session=True)
        self.all.append(process)
        # Its environment is that of this test until it has executed its program.
        wait_until("it ran", lambda: psutil.Process(process.pid).cmdline() == command)
        if command is DEAF:
            assert process.stdout is not None
            process.stdout.readline()
        return process


@pytest.fixture
def start(leavings: Leavings) -> Iterator[Started]:
    made = Started(leavings)
    yield made
    for process in made.all:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def lives(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is None


def test_those_with_the_mark_are_ended_and_no_others(start: Started) -> None:
    mark, other = new_mark(), new_mark()
    meant = [start(mark), start(mark)]
    spared = [start(other), start(None), start(mark + "0"), start(mark[:-1])]
    assert leftovers.end(mark) == 2
    assert not any(map(lives, meant))
    assert all(map(lives, spared))


def test_one_that_ignores_the_polite_signal_is_killed(start: Started) -> None:
    mark = new_mark()
    deaf = start(mark, DEAF)
    assert leftovers.end(mark) == 1
    wait_until("it ended", lambda: not lives(deaf))


def test_one_without_a_mark_is_known_by_its_session(start: Started) -> None:
    """The guardian began the session, and a number is not given twice while it lasts."""
    unmarked = start(None)
    assert leftovers.end(new_mark(), unmarked.pid) == 1
    wait_until("it ended", lambda: not lives(unmarked))


def test_nothing_to_end_takes_no_time(start: Started) -> None:
    begun = time.monotonic()
    assert leftovers.end(new_mark()) == 0
    assert time.monotonic() - begun < 1


def test_what_another_child_of_ours_has_to_say_is_not_taken_from_it(start: Started) -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", "raise SystemExit(7)"]) as other:
        wait_until("it ended", lambda: psutil.Process(other.pid).status() == "zombie")
        meant = start(mark := new_mark())
        assert leftovers.end(mark) == 1
        assert not lives(meant)
        assert other.wait() == 7


def test_each_start_has_a_mark_of_its_own_that_tells_whose_it_is() -> None:
    first, second = new_mark(), new_mark()
    assert first != second
    assert first.split(".")[:3] == second.split(".")[:3]
    assert first.startswith(f"{os.getpid()}.")


class TestOrphans:
    """What a server and its guardians, all killed, have left for the next server."""

    def test_are_ended_and_those_of_living_servers_are_not(self, start: Started) -> None:
        server = start(None)
        started = leftovers._started(server.pid)
        here = leftovers._namespace()
        living = start(f"{server.pid}.{started}.{here}.abc")
        before = int(started) - 1  # another had the number then
        gone = start(f"{server.pid}.{before}.{here}.abc")
        # Of a container inside this one, or around it, whose numbers say nothing here.
        elsewhere = start(f"{server.pid}.{before}.{int(here) + 1}.abc")
        ours = start(new_mark())
        odd = [start("nonsense"), start(""), start("x.y.z")]
        assert leftovers.end_orphans() >= 1
        wait_until("it ended", lambda: not lives(gone))
        assert lives(living)
        assert lives(ours)
        assert lives(elsewhere)
        assert all(map(lives, odd))

    def test_a_server_inside_an_application_spares_what_is_around_it(
        self, start: Started, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mark = f"{2**22 + 1}.1.{leftovers._namespace()}.abc"  # of no process
        monkeypatch.setenv(MARK, mark)
        around = start(mark)
        leftovers.end_orphans()
        assert lives(around)
