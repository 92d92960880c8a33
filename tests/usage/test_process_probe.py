"""Real processes, read from the real /proc; and what a /proc may do while it is read."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from servers.process import wait_until

import jupyter_einfra
from jupyter_einfra.usage.probes import processes
from jupyter_einfra.usage.probes.processes import ProcessProbe
from jupyter_einfra.usage.programs.processes import Process, ProcessTable, RosterEntry, programs

MIB = 1 << 20
NAME = b") R (1 2\xff\n"

#: Runs one command after the other that it is sent, in processes of its own.
PARENT = f"""
import ctypes, json, mmap, os, sys, threading, time

kept = []
def rename(name):
    ctypes.CDLL(None).prctl(15, ctypes.c_char_p(name), 0, 0, 0)
def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        sum(range(1000))
def child(act):
    ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        act()
        os.write(ready[1], b"x")
        while True:
            time.sleep(1000)
    os.read(ready[0], 1)
    return pid
def named():
    rename({NAME!r})
    kept.append(bytearray(b"x") * (48 << 20))
    for _ in range(3):
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
def shared():
    kept.append(mmap.mmap(-1, 64 << 20))
    kept[-1].write(b"x" * (64 << 20))
def file():
    with open(sys.argv[1], "rb") as opened:
        kept.append(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
    sum(kept[-1][::4096])
def short(seconds):
    pid = os.fork()
    if pid == 0:
        burn(seconds)
        os._exit(0)
    os.waitpid(pid, 0)
def orphan():
    ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        grandchild = child(lambda: None)
        os.write(ready[1], str(grandchild).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    return int(os.read(ready[0], 20))
def zombie():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    return pid
for line in sys.stdin:
    print(json.dumps(eval(line)), flush=True)
"""


class Parent:
    """A process whose family does as it is told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def do(self, expression: str) -> Any:
        """Let it compute something and return that."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(expression + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Parent]:
    big = tmp_path / "big"
    big.write_bytes(b"x" * (64 * MIB))
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(big)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Parent(process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def read(probe: ProcessProbe | None = None) -> ProcessTable:
    table = (probe or ProcessProbe()).read()
    assert table.reason is None
    return table


def cores(before: ProcessTable, now: ProcessTable, parent: Parent) -> float:
    """Seconds of CPU time that the parent's tree is told to have used."""
    roster = [RosterEntry("kernel", "k", "k", pid=parent.pid)]
    told = programs(
        before,
        now,
        roster,
        server_pid=os.getpid(),
        others=True,
        gpu_memory=None,
        gpu_reason=None,
    )
    (program,) = (p for p in told if p.id == "k")
    assert program.cpu_cores is not None
    return program.cpu_cores * (now.at_seconds - before.at_seconds)


def test_a_tree_is_read_as_it_is_whatever_its_processes_are_named(parent: Parent) -> None:
    empty = parent.do("child(lambda: None)")
    named = parent.do("child(named)")
    table = read()
    assert table.processes[parent.pid].ppid == os.getpid()
    found = table.processes[named]
    assert (found.pid, found.ppid, found.threads, found.ended) == (named, parent.pid, 4, False)
    assert found.started_ticks >= table.processes[parent.pid].started_ticks
    plain = table.processes[empty]
    assert found.memory_bytes is not None
    assert plain.memory_bytes is not None
    assert found.memory_bytes - plain.memory_bytes == pytest.approx(48 * MIB, rel=0.05)


def test_memory_is_what_no_file_backs(parent: Parent) -> None:
    empty = parent.do("child(lambda: None)")
    shared = parent.do("child(shared)")
    mapped = parent.do("child(file)")
    sizes = {pid: p.memory_bytes or 0 for pid, p in read().processes.items()}
    assert sizes[shared] - sizes[empty] == pytest.approx(64 * MIB, rel=0.05)
    assert sizes[mapped] - sizes[empty] < 2 * MIB


def test_cpu_time_is_that_of_the_tree_with_what_was_born_in_between(parent: Parent) -> None:
    before = read()
    parent.do("burn(0.2)")
    parent.do("child(lambda: burn(0.3))")
    assert cores(before, read(), parent) == pytest.approx(0.5, abs=0.1)


def test_short_commands_count(parent: Parent) -> None:
    before = read()
    for _ in range(4):
        parent.do("short(0.1)")
    now = read()
    assert cores(before, now, parent) == pytest.approx(0.4, abs=0.1)
    assert now.processes[parent.pid].collected_seconds == pytest.approx(0.4, abs=0.1)


def test_a_child_that_ended_is_gone_and_its_past_is_not_counted_again(parent: Parent) -> None:
    child = parent.do("child(lambda: burn(0.5))")
    before = read()
    parent.do(f"(os.kill({child}, 9), os.waitpid({child}, 0), burn(0.2))")
    now = read()
    assert child in before.processes
    assert child not in now.processes
    assert cores(before, now, parent) == pytest.approx(0.2, abs=0.1)


def test_a_child_that_nobody_waits_for_has_ended(parent: Parent) -> None:
    child = parent.do("zombie()")
    found = wait_until("it ended", lambda: ended(child))
    assert (found.memory_bytes, found.ppid) == (0, parent.pid)


def ended(pid: int) -> Process | None:
    found = read().processes.get(pid)
    return found if found is not None and found.ended else None


def test_an_orphan_is_not_below_its_grandparent(parent: Parent) -> None:
    orphan = parent.do("orphan()")
    try:
        table = read()
        assert table.processes[orphan].ppid != parent.pid
        told = programs(
            None,
            table,
            [RosterEntry("kernel", "k", "k", pid=parent.pid)],
            server_pid=os.getpid(),
            others=True,
            gpu_memory={orphan: 5},
            gpu_reason=None,
        )
        owners = [program.kind for program in told if program.gpu_memory_bytes == 5]
        assert owners in (["other"], ["server"])  # wherever a reaper is
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_a_process_that_did_nothing_is_not_read_again(
    parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = parent.do("child(lambda: None)")
    probe = ProcessProbe()

    def settled() -> bool:
        return read(probe).processes[idle] is read(probe).processes[idle]

    wait_until("it was idle", settled, every_seconds=0.01)
    opened: list[str] = []
    real = os.open

    def noting(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        opened.append(str(path))
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr("os.open", noting)
    read(probe)
    assert [path for path in opened if path.startswith(f"{idle}/")] == [f"{idle}/stat"]
    assert {path.partition("/")[2] for path in opened} <= {"proc", "stat", "statm", "status"}


def test_nothing_is_left_open() -> None:
    probe = ProcessProbe()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        read(probe)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# A /proc that misbehaves.

FIELDS = "S 1 7 7 0 -1 0 {faults} 0 0 0 {ticks} 0 0 0 20 0 2 0 55 9999 30 0 0\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    for pid in (7, 8):
        folder = tmp_path / "proc" / str(pid)
        folder.mkdir(parents=True)
        (folder / "stat").write_text(f"{pid} (x) " + FIELDS.format(faults=3, ticks=100))
        (folder / "statm").write_text("90 30 10 1 0 5 0\n")
    (tmp_path / "proc" / "meminfo").write_text("")
    return tmp_path / "proc"


def test_a_process_is_what_its_files_say(proc: Path) -> None:
    table = ProcessProbe(proc.parent).read()
    page, ticks = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
    assert table.processes[7] == Process(7, 1, 55, 100 / ticks, 2, 20 * page)
    assert set(table.processes) == {7, 8}


def test_a_thread_of_the_systems_own_is_no_program(proc: Path) -> None:
    stat = "7 (kworker/0:1) " + FIELDS.format(faults=0, ticks=0).replace("-1 0", "-1 69238880", 1)
    (proc / "7" / "stat").write_text(stat)
    assert set(ProcessProbe(proc.parent).read().processes) == {8}


def test_a_process_whose_first_thread_ended_goes_on(proc: Path) -> None:
    for pid, threads in ((7, 1), (8, 2)):
        text = (
            FIELDS.format(faults=0, ticks=0).replace("S", "Z", 1).replace("0 2 0", f"0 {threads} 0")
        )
        (proc / str(pid) / "stat").write_text(f"{pid} (x) {text}")
    table = ProcessProbe(proc.parent).read()
    assert [table.processes[pid].ended for pid in (7, 8)] == [True, False]


def test_a_process_that_ran_is_read_anew(proc: Path) -> None:
    probe = ProcessProbe(proc.parent)
    before = probe.read().processes
    (proc / "7" / "statm").write_text("90 99 10 1 0 5 0\n")
    assert probe.read().processes == before  # it did not run, so that cannot be
    (proc / "7" / "stat").write_text("7 (x) " + FIELDS.format(faults=4, ticks=100))
    now = probe.read().processes
    assert now[7].memory_bytes == 89 * os.sysconf("SC_PAGE_SIZE")
    assert now[8] is before[8]


@pytest.mark.parametrize("lost", ["stat", "statm"])
def test_a_process_that_ends_while_it_is_read_is_left_out(proc: Path, lost: str) -> None:
    (proc / "7" / lost).unlink()
    table = ProcessProbe(proc.parent).read()
    assert (set(table.processes), table.reason) == ({8}, None)


@contextmanager
def failing(
    monkeypatch: pytest.MonkeyPatch, refuses: Callable[[str], Exception | None]
) -> Iterator[None]:
    real = processes._contents

    def contents(path: str, folder: int) -> bytes:
        if (error := refuses(path)) is not None:
            raise error
        return real(path, folder)

    with monkeypatch.context() as patch:
        patch.setattr(processes, "_contents", contents)
        yield


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(24, "Too many open files")]
)
def test_processes_that_cannot_be_read_are_told_by_their_number(
    proc: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with failing(monkeypatch, lambda path: error if path.startswith("7/") else None):
        table = ProcessProbe(proc.parent).read()
    assert set(table.processes) == {8}
    assert table.reason is not None
    assert (table.reason.code, table.reason.params) == ("processes_hidden", {"count": 1})


def test_memory_that_may_not_be_read_is_unknown(
    proc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = PermissionError(13, "Permission denied")
    with failing(monkeypatch, lambda path: refused if path == "7/statm" else None):
        table = ProcessProbe(proc.parent).read()
    assert (table.processes[7].memory_bytes, table.reason) == (None, None)


@pytest.mark.parametrize(
    "text", ["", "7", "7 (x", "7 (x) S 1", "7 (x) " + FIELDS.format(faults="x", ticks="y")[:-1]]
)
def test_rubbish_is_counted_as_unread(proc: Path, text: str) -> None:
    (proc / "7" / "stat").write_text(text)
    table = ProcessProbe(proc.parent).read()
    assert set(table.processes) == {8}
    assert table.reason is not None
    assert table.reason.code == "processes_hidden"


def test_without_proc_there_is_a_reason(tmp_path: Path) -> None:
    table = ProcessProbe(tmp_path).read()
    assert table.processes == {}
    assert table.reason is not None
    assert table.reason.code == "processes_unreadable"
    assert table.reason.params == {"error": "No such file or directory"}


@pytest.mark.parametrize(
    ("options", "user", "hidden"),
    [
        ("rw,nosuid", 1000, False),
        ("rw,hidepid=2,gid=7", 1000, True),
        ("rw,hidepid=invisible", 1000, True),
        ("rw,hidepid=0", 1000, False),
        ("rw,hidepid=off", 1000, False),
        ("rw,hidepid=2", 0, False),
    ],
)
def test_a_proc_that_hides_others_in_silence_is_told(
    proc: Path, monkeypatch: pytest.MonkeyPatch, options: str, user: int, hidden: bool
) -> None:
    (proc / "self").mkdir()
    mounts = f"proc /proc proc {options} 0 0\ntmpfs /proc/kcore tmpfs rw,hidepid=2 0 0\n"
    (proc / "self" / "mounts").write_text(mounts)
    monkeypatch.setattr("os.geteuid", lambda: user)
    table = ProcessProbe(proc.parent).read()
    assert (table.reason is processes.INVISIBLE) is hidden
    assert set(table.processes) == {7, 8}


@pytest.mark.parametrize(
    ("option", "code"), [("noaccess", "processes_hidden"), ("invisible", "processes_invisible")]
)
def test_a_real_proc_that_hides_others_is_told(option: str, code: str) -> None:
    unshare, mount = shutil.which("unshare"), shutil.which("mount")
    script = (
        "import os\n"
        "from jupyter_einfra.usage.probes.processes import ProcessProbe\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "table = ProcessProbe().read()\n"
        "print(table.reason.code, os.getpid() in table.processes, 1 in table.processes)"
    )
    enter = [str(unshare), "-m", "sh", "-ec"]
    remount = f'"$0" -t proc -o hidepid={option} proc /proc; shift 0; exec "$@"'
    if unshare is None or mount is None:
        pytest.skip("no namespace can be made here")
    if subprocess.run([*enter, remount, mount, "true"], check=False, stderr=-3).returncode:
        pytest.skip("no /proc can be mounted here")
    done = subprocess.run(
        [*enter, remount, mount, sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(Path(jupyter_einfra.__file__).parents[1])},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [code, "True", "False"]
