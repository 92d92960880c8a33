"""Who uses how much, from tables of processes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_einfra.models import Reason
from jupyter_einfra.usage.models import Program
from jupyter_einfra.usage.programs.processes import (
    Process,
    ProcessTable,
    RosterEntry,
    pace_seconds,
    programs,
)

SERVER = 10
HIDDEN = Reason(code="processes_hidden", message="3 cannot be read.", params={"count": 3})
NO_PIDS = Reason(code="gpu_processes_hidden", message="Not matched.", params={})
REMOTE = Reason(code="kernel_elsewhere", message="It runs elsewhere.", params={})


def process(
    pid: int,
    ppid: int,
    cpu: float = 0.0,
    *,
    memory: int | None = 100,
    threads: int = 1,
    started: int = 5,
    collected: float = 0.0,
    ended: bool = False,
) -> Process:
    return Process(pid, ppid, started, cpu, threads, memory, collected, ended)


def table(at: float, *processes: Process, reason: Reason | None = None) -> ProcessTable:
    return ProcessTable(at, {p.pid: p for p in processes}, reason)


def kernel(pid: int | None, name: str = "train.ipynb", **more: str) -> RosterEntry:
    return RosterEntry("kernel", f"k{pid}", name, pid=pid, **more)  # type: ignore[arg-type]


def tell(
    now: ProcessTable,
    *roster: RosterEntry,
    before: ProcessTable | None = None,
    others: bool = True,
    gpu: dict[int, int] | None = None,
) -> dict[str, Program]:
    found = programs(
        before,
        now,
        roster,
        server_pid=SERVER,
        others=others,
        gpu_memory=gpu,
        gpu_reason=NO_PIDS if gpu is None else None,
    )
    told = {program.id: program for program in found}
    assert len(told) == len(found)
    return told


def code(program: Program) -> str | None:
    return None if program.reason is None else program.reason.code


#: tini, a hub's wrapper, the server, two kernels with children, a shell, an exec'd command
TREE = (
    process(1, 0, memory=1),
    process(9, 1, memory=2),
    process(SERVER, 9, memory=4),
    process(20, SERVER, memory=8, threads=3),
    process(21, 20, memory=16),
    process(22, 21, memory=32, threads=5),
    process(30, SERVER, memory=64),
    process(31, SERVER, memory=128),
    process(40, 0, memory=256),
)
ROSTER = (kernel(20), kernel(30, "b.ipynb"))


def test_a_process_belongs_to_the_nearest_kernel_or_the_server_above_it() -> None:
    told = tell(table(1, *TREE), *ROSTER)
    assert {n: (p.memory_bytes, p.processes, p.threads) for n, p in told.items()} == {
        "k20": (56, 3, 9),
        "k30": (64, 1, 1),
        "server": (132, 2, 2),
        "other": (259, 3, 3),
    }
    assert {p.kind for p in told.values()} == {"kernel", "server", "other"}
    assert (told["server"].pid, told["other"].pid) == (SERVER, None)


def test_the_biggest_comes_first_and_the_unknown_last() -> None:
    roster = (*ROSTER, kernel(77, "gone"), RosterEntry("terminal", "t", "terminal 1", pid=31))
    told = tell(table(1, *TREE), *roster)
    assert list(told) == ["other", "t", "k30", "k20", "server", "k77"]


def test_beside_a_container_the_others_are_not_the_users() -> None:
    assert set(tell(table(1, *TREE), *ROSTER, others=False)) == {"k20", "k30", "server"}


def test_without_others_there_is_no_row_for_them() -> None:
    assert set(tell(table(1, process(SERVER, 0)))) == {"server"}


def test_a_kernel_below_another_counts_for_itself_alone() -> None:
    told = tell(table(1, *TREE), *ROSTER, kernel(22, "nested.ipynb"))
    assert (told["k20"].memory_bytes, told["k22"].memory_bytes) == (24, 32)


def test_an_application_has_what_runs_below_its_guardian_but_a_kernel_of_its_own() -> None:
    app = RosterEntry("app", "vscode", "VS Code", pid=20)
    told = tell(table(1, *TREE), app, kernel(22, "nested.ipynb"))
    assert (told["vscode"].kind, told["vscode"].memory_bytes) == ("app", 24)
    assert told["k22"].memory_bytes == 32
    assert told["server"].memory_bytes == 196


def test_a_server_that_is_process_one_owns_whatever_lost_its_parent() -> None:
    now = table(1, process(1, 0), process(20, 1), process(50, 1))
    told = programs(
        None, now, [kernel(20)], server_pid=1, others=True, gpu_memory=None, gpu_reason=None
    )
    assert {p.id: p.processes for p in told} == {"k20": 1, "server": 2}


def test_what_outlived_its_kernel_is_another_program() -> None:
    told = tell(table(1, *TREE, process(60, 1, memory=1000)), *ROSTER)
    assert told["other"].memory_bytes == 1259


@pytest.mark.parametrize(
    "odd",
    [
        (process(50, 50),),  # its own parent
        (process(50, 51), process(51, 52), process(52, 50)),  # a circle
        (process(50, 999),),  # a parent that is not there
        (process(50, 0),),
        (process(50, -1),),
    ],
    ids=["self", "circle", "missing", "zero", "negative"],
)
def test_a_process_with_no_way_up_is_another_program(odd: tuple[Process, ...]) -> None:
    whole = tell(table(1, *TREE), *ROSTER)
    told = tell(table(1, *TREE, *odd), *ROSTER)
    assert told["other"].processes == (whole["other"].processes or 0) + len(odd)
    assert told["k20"] == whole["k20"]


def test_a_kernel_in_a_circle_owns_what_leads_to_it() -> None:
    told = tell(table(1, process(SERVER, 1), process(20, 21), process(21, 20)), kernel(20))
    assert told["k20"].processes == 2


# Kernels and terminals that cannot be told.

UNTOLD = ("cpu_cores", "memory_bytes", "processes", "threads", "gpu_memory_bytes")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (replace(kernel(None), reason=REMOTE), "kernel_elsewhere"),
        (kernel(None), "program_gone"),
        (kernel(77), "program_gone"),
        (kernel(0), "program_gone"),
        (kernel(-1), "program_gone"),
        (kernel(1), "program_not_apart"),  # a number in some other container
        (kernel(9), "program_not_apart"),
        (kernel(SERVER), "program_not_apart"),  # a kernel inside the server
    ],
)
def test_a_program_that_cannot_be_told_says_why(entry: RosterEntry, expected: str) -> None:
    now = table(2, *TREE)
    told = tell(now, entry, before=table(1, *TREE), gpu={})
    program = told[entry.id]
    assert [getattr(program, name) for name in UNTOLD] == [None] * 5
    assert code(program) == expected
    assert program.gpu_reason == program.reason
    rest = tell(now, before=table(1, *TREE), gpu={})
    assert {n: p for n, p in told.items() if n != entry.id} == rest


def test_two_kernels_in_one_process_are_counted_once() -> None:
    again = replace(kernel(20), id="again")
    told = tell(table(1, *TREE), kernel(20, "first"), again)
    assert told["k20"].processes == 3
    assert told["again"].processes is None
    assert told["again"].reason is not None
    assert told["again"].reason.params == {"name": "first"}


def test_a_kernel_that_only_waits_to_be_collected_is_gone() -> None:
    dead = process(20, SERVER, ended=True, memory=0)
    told = tell(table(1, *(p for p in TREE if p.pid not in {20, 21, 22}), dead), *ROSTER)
    assert code(told["k20"]) == "program_gone"
    assert told["server"].processes == 2  # nobody counts the dead


def test_where_processes_are_hidden_a_missing_one_may_be_among_them() -> None:
    now = table(1, *TREE, reason=HIDDEN)
    assert tell(now, kernel(77))["k77"].reason is HIDDEN


def test_without_any_process_every_program_says_why() -> None:
    told = tell(table(1, reason=HIDDEN), *ROSTER)
    assert [p.reason for p in told.values()] == [HIDDEN] * 3
    assert set(told) == {"k20", "k30", "server"}


def test_memory_that_could_not_be_read_is_unknown_and_not_less() -> None:
    told = tell(table(1, *TREE, process(23, 20, memory=None)), *ROSTER)
    assert (told["k20"].memory_bytes, told["k20"].processes) == (None, 4)
    assert code(told["k20"]) == "process_memory_unreadable"
    assert told["k30"].memory_bytes == 64


def test_what_the_roster_knows_is_passed_on() -> None:
    since = datetime(2026, 11, 1, tzinfo=timezone.utc)
    name = "\u202e<b>x</b>.ipynb"
    entry = RosterEntry("kernel", "id", name, "a/x.ipynb", "python3", 20, "busy", since)
    program = tell(table(1, *TREE), entry)["id"]
    known = program.name, program.path, program.language, program.pid, program.state, program.since
    assert known == (name, "a/x.ipynb", "python3", 20, "busy", since)


# GPUs.


def test_gpu_memory_is_that_of_the_whole_tree() -> None:
    told = tell(table(1, *TREE), *ROSTER, gpu={22: 100, 20: 1, 999: 7})
    assert (told["k20"].gpu_memory_bytes, told["k30"].gpu_memory_bytes) == (101, 0)
    assert {p.gpu_reason for p in told.values()} == {None}


def test_gpu_memory_that_cannot_be_matched_is_unknown() -> None:
    told = tell(table(1, *TREE), *ROSTER, gpu=None)
    for program in told.values():
        assert (program.gpu_memory_bytes, program.gpu_reason) == (None, NO_PIDS)


# CPU time.


def cores(before: Iterable[Process], now: Iterable[Process], span: float = 2.0) -> dict[str, float]:
    told = tell(table(100 + span, *now), kernel(20), before=table(100, *before))
    assert {p.reason for p in told.values()} == {None}
    return {name: p.cpu_cores for name, p in told.items() if p.cpu_cores is not None}


BASE = (process(SERVER, 0, 10), process(20, SERVER, 50), process(21, 20, 30))


def test_cores_are_cpu_time_of_the_tree_over_time() -> None:
    now = process(SERVER, 0, 10), process(20, SERVER, 51), process(21, 20, 32)
    assert cores(BASE, now) == {"k20": 1.5, "server": 0.0}


@pytest.mark.parametrize("before", [None, table(0.95, *TREE), table(1, *TREE), table(2, *TREE)])
def test_with_the_first_table_cores_are_not_known(before: ProcessTable | None) -> None:
    for program in tell(table(1, *TREE), *ROSTER, before=before).values():
        assert (program.cpu_cores, code(program)) == (None, "cpu_first_sample")


def test_a_process_born_in_between_counts_from_its_birth() -> None:
    assert cores(BASE, (*BASE, process(22, 20, 1.0, started=9))) == {"k20": 0.5, "server": 0.0}


def test_a_process_that_was_only_hidden_before_does_not_bring_its_past() -> None:
    newer = replace(BASE[0], started_ticks=100)
    assert cores((newer, *BASE[1:]), (newer, *BASE[1:], process(22, 20, 9999.0, started=9))) == {
        "k20": 0.0,
        "server": 0.0,
    }


def test_another_process_of_the_same_number_does_not_inherit() -> None:
    now = (*BASE[:2], process(21, 20, 1.0, started=900))
    assert cores(BASE, now) == {"k20": 0.5, "server": 0.0}


def test_a_counter_that_fell_is_no_negative_use() -> None:
    now = process(SERVER, 0, 9), process(20, SERVER, 51), process(21, 20, 3)
    assert cores(BASE, now) == {"k20": 0.5, "server": 0.0}


def test_short_commands_count_for_whoever_waited_for_them() -> None:
    now = (*BASE[:2], replace(BASE[2], collected_seconds=3.0))
    assert cores(BASE, now) == {"k20": 1.5, "server": 0.0}


def test_of_a_child_that_ended_only_what_is_new_counts() -> None:
    now = BASE[0], replace(BASE[1], collected_seconds=31.0)  # 21 had used 30
    assert cores(BASE, now) == {"k20": 0.5, "server": 0.0}


def test_a_kernel_that_ended_is_no_use_of_the_server() -> None:
    now = (replace(BASE[0], collected_seconds=80.5),)
    told = tell(table(102, *now), before=table(100, *BASE))
    assert told["server"].cpu_cores == 0.25


def test_a_kernel_that_ended_takes_nothing_from_a_build_elsewhere() -> None:
    shell = process(40, SERVER)
    server = replace(BASE[0], collected_seconds=80.5)
    now = table(102, server, replace(shell, collected_seconds=3.0))
    told = tell(now, kernel(40), before=table(100, *BASE, shell))
    assert (told["server"].cpu_cores, told["k40"].cpu_cores) == (0.25, 1.5)


def test_orphans_that_end_with_their_parent_are_no_sudden_use_of_their_reaper() -> None:
    """The reaper is given their whole life, and nothing says that it is theirs."""
    before = process(1, 0), *BASE
    now = replace(before[0], collected_seconds=30.5), replace(BASE[0], collected_seconds=50.5)
    told = tell(table(102, *now), before=table(100, *before))
    assert sum(p.cpu_cores or 0 for p in told.values()) <= 0.5


def test_a_child_that_nobody_waited_for_takes_its_last_use_along() -> None:
    assert cores(BASE, BASE[:2]) == {"k20": 0.0, "server": 0.0}


def test_what_hidden_children_used_is_not_guessed() -> None:
    now = (*BASE[:2], replace(BASE[2], collected_seconds=3000.0))
    told = tell(table(102, *now), kernel(20), before=table(100, *BASE, reason=HIDDEN))
    assert told["k20"].cpu_cores == 0.0


# Any table at all.

pids = st.integers(0, 30)
amounts = st.floats(0, 1e6)
some_process = st.builds(
    process,
    pids,
    st.integers(-1, 31),
    amounts,
    memory=st.integers(0, 2**40),
    threads=st.integers(0, 99),
    started=st.integers(0, 9),
    collected=amounts,
    ended=st.booleans(),
)
tables = st.builds(
    lambda at, processes, reason: table(at, *processes, reason=reason),
    st.floats(0, 100),
    st.lists(some_process, max_size=25, unique_by=lambda p: p.pid),
    st.none() | st.just(HIDDEN),
)
rosters = st.lists(
    st.builds(kernel, st.none() | st.integers(-1, 31)), max_size=6, unique_by=lambda e: e.id
)


@given(tables, rosters, st.dictionaries(pids, st.integers(0, 2**40)))
def test_every_process_is_counted_exactly_once(
    now: ProcessTable, roster: list[RosterEntry], gpu: dict[int, int]
) -> None:
    told = tell(now, *roster, gpu=gpu).values()
    living = [p for p in now.processes.values() if not p.ended]
    assert sum(p.processes or 0 for p in told) == len(living)
    assert sum(p.threads or 0 for p in told) == sum(p.threads for p in living)
    assert sum(p.memory_bytes or 0 for p in told) == sum(p.memory_bytes or 0 for p in living)
    seen = sum(amount for pid, amount in gpu.items() if pid in now.processes)
    assert sum(p.gpu_memory_bytes or 0 for p in told) == seen


@given(st.none() | tables, tables, rosters, st.booleans())
def test_every_figure_is_known_or_has_a_reason_and_none_is_negative(
    before: ProcessTable | None, now: ProcessTable, roster: list[RosterEntry], others: bool
) -> None:
    told = tell(now, *roster, before=before, others=others)
    assert {entry.id for entry in roster} | {"server"} == set(told) - {"other"}
    for program in told.values():
        assert (program.cpu_cores is None) == (program.reason is not None)
        assert (program.gpu_memory_bytes is None) == (program.gpu_reason is not None)
        for name in UNTOLD:
            assert (getattr(program, name) or 0) >= 0


@given(tables, tables)
def test_no_more_use_is_told_than_there_can_have_been(
    before: ProcessTable, now: ProcessTable
) -> None:
    told = tell(now, before=before).values()
    if any(p.cpu_cores is None for p in told):
        return
    used = sum(p.cpu_cores or 0 for p in told) * (now.at_seconds - before.at_seconds)
    most = sum(p.all_seconds for p in now.processes.values())
    assert used <= most * (1 + 1e-9) + 1e-6


# How often to look.


@pytest.mark.parametrize(
    ("cost", "least", "pace"),
    [
        (0.001, 1.0, 1.0),
        (0.001, 5.0, 5.0),
        (0.008, 1.0, 4.0),
        (10.0, 1.0, 30.0),
        (0.0, 0.2, 1.0),
        (0.0, 90.0, 30.0),
    ],
)
def test_looking_takes_a_five_hundredth_of_a_core_at_most(
    cost: float, least: float, pace: float
) -> None:
    assert pace_seconds(cost, least) == pytest.approx(pace)
