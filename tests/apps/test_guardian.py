"""The guardian as a process of its own: what it starts, tells, keeps and leaves (nothing)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.apps import SCRIPT, Leavings
from servers.process import wait_until

from jupyter_einfra.apps.supervision import guardian
from jupyter_einfra.apps.supervision.guardian import KILL, STOP, Orders

Step = tuple[int, str, float, str]
TERM: list[Step] = [(signal.SIGTERM, "main", 2.0, "")]


class Guarded:
    """One guardian with its program."""

    def __init__(self, process: subprocess.Popen[bytes], directory: Path) -> None:
        self.process = process
        self.directory = directory

    @property
    def orders(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin

    def hear(self) -> tuple[str, int]:
        assert self.process.stdout is not None
        word, _, number = self.process.stdout.readline().decode().partition(" ")
        return word, int(number or 0)

    def send(self, order: bytes) -> None:
        self.orders.write(order)
        self.orders.flush()

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()


Guard = Callable[..., Any]


@pytest.fixture
def guard(short_path: Path, leavings: Leavings) -> Iterator[Guard]:
    """Start a guardian for a program, or for the fake application with some words."""
    started: list[subprocess.Popen[bytes]] = []

    @contextmanager
    def guarded(*words: str, **changes: Any) -> Iterator[Guarded]:
        directory = short_path / "run"
        directory.mkdir()
        given: dict[str, Any] = {
            "argv": [sys.executable, "-S", SCRIPT, str(directory / "s"), *words],
            "env": leavings.environ,
            "cwd": str(short_path),
            "log": str(directory / "log"),
            "log_bytes": 1_000_000,
            "steps": TERM,
            "directory": str(directory),
            "ends_with": "",
        }
        command = [sys.executable, "-I", "-S", guardian.__file__, "test"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=leavings.environ
        )
        started.append(process)
        made = Guarded(process, directory)
        made.send(Orders(**{**given, **changes}).packed())
        yield made

    yield guarded
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None and not stream.closed:
                stream.close()


def is_listening(guarded: Guarded) -> bool:
    return (guarded.directory / "s").exists()


def test_a_program_is_told_of_from_its_start_to_its_end(guard: Guard) -> None:
    with guard("print=hello", "exit=3") as guarded:
        word, pid = guarded.hear()
        assert word == "started"
        assert pid != guarded.process.pid
        word, status = guarded.hear()
        assert (word, os.waitstatus_to_exitcode(status)) == ("ended", 3)
        assert guarded.hear() == ("", 0)
        assert guarded.process.wait(5) == 0
        assert guarded.log == "hello\n"


def test_what_it_printed_is_in_the_log_before_its_end_is_told(guard: Guard) -> None:
    words = [f"print={number}" for number in range(200)]
    with guard(*words, "exit=1") as guarded:
        guarded.hear()
        assert guarded.hear()[0] == "ended"
        assert guarded.log.split() == [str(number) for number in range(200)]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"argv": ["/nonexistent/program"]}, "ENOENT"),
        ({"argv": ["/etc/passwd"]}, "EACCES"),
        ({"cwd": "/nonexistent"}, "ENOENT"),
    ],
)
def test_what_cannot_be_executed_is_told_with_the_systems_error(
    guard: Guard, changes: dict[str, Any], error: str
) -> None:
    import errno

    with guard(**changes) as guarded:
        word, number = guarded.hear()
        assert (word, errno.errorcode[number]) == ("unstartable", error)
        assert guarded.process.wait(5) == 0


class TestNothingIsLeft:
    """However it ends, whatever it started."""

    WORDS = ("child", "daemon", "deaf")

    def test_after_a_stop(self, guard: Guard, leavings: Leavings) -> None:
        with guard("child", "daemon") as guarded:
            guarded.hear()
            wait_until("it listened", lambda: is_listening(guarded))
            assert len(leavings.processes()) == 4  # guardian, program, child, daemon
            guarded.send(STOP)
            assert guarded.hear() == ("ended", signal.SIGTERM)
            assert guarded.process.wait(10) == 0
        assert leavings.processes() == []

    def test_of_a_program_that_ignores_the_signal(self, guard: Guard, leavings: Leavings) -> None:
        with guard(*self.WORDS, steps=[(signal.SIGTERM, "main", 0.2, "")]) as guarded:
            guarded.hear()
            wait_until("it listened", lambda: is_listening(guarded))
            guarded.send(STOP)
            assert guarded.hear() == ("ended", signal.SIGKILL)
            assert guarded.process.wait(10) == 0
        assert leavings.processes() == []

    def test_when_the_program_ends_by_itself(self, guard: Guard, leavings: Leavings) -> None:
        with guard("child", "daemon", "exit=0") as guarded:
            guarded.hear()
            assert guarded.hear() == ("ended", 0)
            assert guarded.process.wait(10) == 0
        assert leavings.processes() == []

    def test_when_the_server_goes(self, guard: Guard, leavings: Leavings) -> None:
        with guard("child", "daemon") as guarded:
            guarded.hear()
            wait_until("it listened", lambda: is_listening(guarded))
            guarded.orders.close()
            assert guarded.process.wait(10) == 0
            assert not guarded.directory.exists()  # nobody else would remove it
        assert leavings.processes() == []

    def test_when_it_is_to_be_killed(self, guard: Guard, leavings: Leavings) -> None:
        with guard(*self.WORDS, steps=[(signal.SIGTERM, "main", 60.0, "")]) as guarded:
            guarded.hear()
            wait_until("it listened", lambda: is_listening(guarded))
            guarded.send(STOP)
            guarded.send(KILL)
            assert guarded.hear() == ("ended", signal.SIGKILL)
            assert guarded.process.wait(10) == 0
        assert leavings.processes() == []

    def test_when_the_guardian_is_asked_to_end(self, guard: Guard, leavings: Leavings) -> None:
        with guard("child", "daemon") as guarded:
            guarded.hear()
            wait_until("it listened", lambda: is_listening(guarded))
            guarded.process.terminate()
            assert guarded.process.wait(10) == 0
        assert leavings.processes() == []

    def test_while_it_floods_its_log(self, guard: Guard, leavings: Leavings) -> None:
        with guard("flood", "deaf", steps=[(signal.SIGTERM, "main", 0.2, "")]) as guarded:
            guarded.hear()
            wait_until("it listened", lambda: is_listening(guarded))
            guarded.send(STOP)
            assert guarded.process.wait(10) == 0
        assert leavings.processes() == []


def test_steps_are_taken_one_after_the_other(guard: Guard, short_path: Path) -> None:
    script = (
        "import signal, time, sys\n"
        "def heard(number, frame):\n"
        "    print(signal.Signals(number).name, flush=True)\n"
        "    if number == signal.SIGINT: sys.exit(7)\n"
        "for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT):\n"
        "    signal.signal(number, heard)\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(60)\n"
    )
    steps = [
        (signal.SIGUSR1, "main", 0.2, ""),
        (signal.SIGUSR2, "group", 0.2, ""),
        (signal.SIGINT, "all", 5.0, ""),
        (signal.SIGTERM, "main", 5.0, ""),
    ]
    with guard(argv=[sys.executable, "-S", "-c", script], steps=steps) as guarded:
        guarded.hear()
        wait_until("it was ready", lambda: (guarded.directory / "log").exists() and guarded.log)
        guarded.send(STOP)
        word, status = guarded.hear()
        assert (word, os.waitstatus_to_exitcode(status)) == ("ended", 7)
        assert guarded.log.split() == ["ready", "SIGUSR1", "SIGUSR2", "SIGINT"]


#: A program that has a child of a name, which forks; both print the signals that they get.
PARENT = """
import os, subprocess, sys
print("ready", flush=True)
child = subprocess.Popen([sys.argv[1], "-S", "-c", sys.argv[2]])
if len(sys.argv) > 3: child.wait(); print("child ended", flush=True)
os.wait() if len(sys.argv) <= 3 else __import__("time").sleep(600)
"""
CHILD = """
import os, signal, time
def heard(number, frame):
    print("child", signal.Signals(number).name, flush=True)
    if number == signal.SIGUSR2: os._exit(0)
if os.fork() == 0:
    signal.signal(signal.SIGUSR1, lambda *_: print("forked", flush=True))
    time.sleep(600)
signal.signal(signal.SIGUSR1, heard)
signal.signal(signal.SIGUSR2, heard)
print("child ready", flush=True)
while True: time.sleep(60)
"""


def with_child(short_path: Path, name: str, *more: str) -> list[str]:
    program = short_path / name
    program.symlink_to(sys.executable)
    return [sys.executable, "-S", "-c", PARENT, str(program), CHILD, *more]


def test_a_step_for_programs_of_a_name_ends_with_them(
    guard: Guard, short_path: Path, leavings: Leavings
) -> None:
    steps = [
        (signal.SIGUSR1, "named", 0.3, "a program's (long) name"),
        (signal.SIGUSR2, "named", 60.0, "a program's (long) name"),
        (signal.SIGTERM, "main", 5.0, ""),
    ]
    argv = with_child(short_path, "a program's (long) name", "stays")
    with guard(argv=argv, steps=steps) as guarded:
        guarded.hear()
        wait_until("the child was ready", lambda: "child ready" in read(guarded))
        begun = time.monotonic()
        guarded.send(STOP)
        assert guarded.hear() == ("ended", signal.SIGTERM)
        assert time.monotonic() - begun < 20
        heard = guarded.log.splitlines()
        # What it has forked is its own, and gets no signal.
        assert heard[:4] == ["ready", "child ready", "child SIGUSR1", "child SIGUSR2"]
        assert guarded.process.wait(10) == 0
    assert leavings.processes() == []


def test_a_step_for_programs_of_a_name_is_over_at_once_if_there_are_none(guard: Guard) -> None:
    steps = [(signal.SIGUSR1, "named", 60.0, "rsession"), *TERM]
    with guard(steps=steps) as guarded:
        guarded.hear()
        wait_until("it listened", lambda: is_listening(guarded))
        guarded.send(STOP)
        assert guarded.hear() == ("ended", signal.SIGTERM)


def test_a_program_without_its_partner_ends_without_an_error(
    guard: Guard, short_path: Path, leavings: Leavings
) -> None:
    argv = with_child(short_path, "partner", "stays")
    with guard(argv=argv, ends_with="partner") as guarded:
        guarded.hear()
        wait_until("the child was ready", lambda: "child ready" in read(guarded))
        waits = psutil.Process(guarded.process.pid).num_ctx_switches
        before = waits().voluntary
        wait_until("the guardian has looked", lambda: waits().voluntary >= before + 2)
        for process in leavings.processes():
            if process.name() == "partner":
                process.kill()
        assert guarded.hear() == ("ended", 0)
        assert guarded.hear() == ("", 0)
        assert guarded.process.wait(10) == 0
    assert leavings.processes() == []


def read(guarded: Guarded) -> str:
    log = guarded.directory / "log"
    return log.read_text() if log.exists() else ""


def test_the_program_starts_with_signals_as_programs_expect_them(guard: Guard) -> None:
    script = "print(open('/proc/self/status').read())"
    with guard(argv=[sys.executable, "-S", "-c", script]) as guarded:
        guarded.hear()
        guarded.hear()
        status = dict(line.split(":\t") for line in guarded.log.strip().splitlines())
    # Python itself ignores SIGPIPE and SIGXFSZ as it starts; others are the C library's own.
    told = signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}
    assert not [number for number in told if int(status["SigIgn"], 16) >> (number - 1) & 1]
    assert int(status["SigBlk"], 16) == 0


def test_the_program_has_no_way_to_the_pipes(guard: Guard) -> None:
    script = "import os; print(sorted(os.listdir('/proc/self/fd')), os.readlink('/proc/self/fd/0'))"
    with guard(argv=[sys.executable, "-S", "-c", script]) as guarded:
        guarded.hear()
        guarded.hear()
        # The fourth is that of the listing itself.
        assert guarded.log == "['0', '1', '2', '3'] /dev/null\n"


def test_a_flood_stays_within_its_bounds_and_costs_little(guard: Guard) -> None:
    with guard("flood", log_bytes=200_000) as guarded:
        guarded.hear()
        log, older = guarded.directory / "log", guarded.directory / "log.1"
        wait_until("a second log began", older.exists)
        for _ in range(20):
            time.sleep(0.02)
            for path in (log, older):
                with suppress(FileNotFoundError):  # a new one is about to begin
                    # One piece may come on top, the last before the size is looked at.
                    assert path.stat().st_size <= 200_000 + 65536
        assert set(guarded.directory.iterdir()) <= {log, older, guarded.directory / "s"}


def test_a_log_that_cannot_be_written_holds_nobody_up(guard: Guard, short_path: Path) -> None:
    with guard("print=lost", "exit=0", log=str(short_path / "missing" / "log")) as guarded:
        guarded.hear()
        assert guarded.hear() == ("ended", 0)
        assert guarded.process.wait(5) == 0


def test_a_full_disk_holds_nobody_up(guard: Guard) -> None:
    with guard("flood", log="/dev/full") as guarded:
        guarded.hear()
        wait_until("it listened", lambda: is_listening(guarded))
        guarded.send(STOP)
        assert guarded.hear()[0] == "ended"


def test_a_guardian_takes_at_most_six_megabytes(guard: Guard) -> None:
    with guard() as guarded:
        guarded.hear()
        wait_until("it listened", lambda: is_listening(guarded))
        # What it has for itself; the interpreter's own pages are the server's, too.
        assert psutil.Process(guarded.process.pid).memory_full_info().uss <= 6_000_000


def test_a_server_that_goes_before_it_gave_orders_leaves_nothing(leavings: Leavings) -> None:
    command = [sys.executable, "-I", "-S", guardian.__file__, "test"]
    done = subprocess.run(
        command, input=b"\0\0", capture_output=True, env=leavings.environ, check=False, timeout=10
    )
    assert done.returncode != 0
    assert leavings.processes() == []


@given(
    argv=st.lists(st.text(), min_size=1),
    env=st.dictionaries(st.text(), st.text()),
    log_bytes=st.integers(min_value=0, max_value=2**40),
    after=st.binary(max_size=3),
)
def test_orders_cross_the_pipe_whole_and_take_nothing_with_them(
    argv: list[str], env: dict[str, str], log_bytes: int, after: bytes
) -> None:
    read, write = os.pipe()
    sent = Orders(
        argv=argv,
        env=env,
        cwd="\udce9",
        log="/l",
        log_bytes=log_bytes,
        steps=[(2, "all", 0.5, ""), (10, "named", 1.5, "rsession")],
        directory="/d",
        ends_with="p",
    )
    try:
        os.write(write, sent.packed()[:60000] + after)
        os.close(write)
        received = Orders.read(read)
        assert vars(received) == vars(sent)
        assert os.read(read, 10) == after
    finally:
        os.close(read)


def test_descendants_are_found_below_sessions_of_their_own(leavings: Leavings) -> None:
    script = "import subprocess, sys; subprocess.run(['setsid', sys.executable, '-c', sys.argv[1]])"
    sleeper = "import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script, sleeper], env=leavings.environ) as process:
        wait_until(
            "the child ran",
            lambda: any("time.sleep" in " ".join(p.cmdline()) for p in leavings.processes()[1:]),
        )
        found = guardian.descendants(os.getpid())
        assert {p.pid for p in leavings.processes()} <= set(found)
        process.kill()
