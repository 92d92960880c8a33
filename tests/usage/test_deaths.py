"""A death is explained as far as it is known, and no further."""

from __future__ import annotations

import signal
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.samples import GIB

from jupyter_einfra.models import Notice, Reason
from jupyter_einfra.usage.alerts.deaths import (
    CAUSES,
    Counters,
    Death,
    cause_of,
    event_of,
    explain,
    killed_elsewhere,
    shrunk,
)
from jupyter_einfra.usage.alerts.endings import previous_run_notice
from jupyter_einfra.usage.models import Program, Run

NOW = datetime(2026, 11, 20, 3, 12, 5, tzinfo=timezone.utc)
LIMIT = 16 * GIB

TRAIN = Death(
    time=NOW,
    kernel_id="k1",
    name="train.ipynb",
    path="work/train.ipynb",
    exit_code=-9,
    gave_up=False,
)
QUIET = Counters(oom_kills=0, limit_hits=40)
ONE_KILL = Counters(oom_kills=1, limit_hits=41)


def told(
    exit_code: int | None,
    after: Counters = QUIET,
    before: Counters = QUIET,
    *,
    gave_up: bool = False,
) -> Notice:
    return explain(replace(TRAIN, exit_code=exit_code, gave_up=gave_up), before, after, LIMIT)


def test_a_kernel_that_met_the_memory_limit_is_told_so() -> None:
    notice = told(-9, ONE_KILL)
    assert notice.code == "kernel_out_of_memory"
    assert notice.params == {
        "name": "train.ipynb",
        "time": "2026-11-20T03:12:05.000Z",
        "restarted": 1,
        "limit_bytes": LIMIT,
        "used_bytes": LIMIT,
    }
    assert (notice.kernel_id, notice.path) == ("k1", "work/train.ipynb")
    assert (notice.severity, notice.time) == ("error", NOW)
    assert notice.message == (
        "Kernel of train.ipynb was killed at 03:12 UTC: the container reached 16.0 of 16 GiB. "
        "It was started anew; its variables are lost. Run its cells again, or run on a larger "
        "server."
    )


def test_a_kernel_that_stays_dead_is_told_so() -> None:
    notice = told(-9, ONE_KILL, gave_up=True)
    assert notice.params["restarted"] == 0
    assert notice.message.endswith("16 GiB. Restart it, or run on a larger server.")


def test_whose_memory_it_was_is_said() -> None:
    assert (
        "its control group reached"
        in explain(TRAIN, QUIET, ONE_KILL, LIMIT, scope="cgroup").message
    )


def test_the_whole_machine_may_run_out_of_memory() -> None:
    hungry_neighbours = Counters(oom_kills=1, limit_hits=40)
    notice = explain(TRAIN, QUIET, hungry_neighbours, LIMIT, (NOW, 3 * GIB))
    assert notice.code == "kernel_machine_out_of_memory"
    assert notice.params["used_bytes"] == 3 * GIB
    assert "limit_bytes" not in notice.params
    assert "the whole machine ran out of memory" in notice.message
    # Nor can a limit be met that is not there.
    assert explain(TRAIN, QUIET, ONE_KILL, None).code == "kernel_machine_out_of_memory"


def test_a_limit_whose_hits_nobody_counts_is_still_the_likely_one() -> None:
    counted = Counters(oom_kills=1)
    assert told(-9, counted, Counters(oom_kills=0)).code == "kernel_out_of_memory"


def test_a_kill_that_was_not_for_memory_is_not_blamed_on_it() -> None:
    notice = told(-9)
    assert notice.code == "kernel_killed"
    assert notice.params["memory_known"] == 1
    assert "not for want of memory" in notice.message


@pytest.mark.parametrize(
    ("before", "after"),
    [(Counters(), Counters()), (QUIET, Counters()), (Counters(oom_kills=5), ONE_KILL)],
)
def test_where_nothing_counts_nothing_is_claimed(before: Counters, after: Counters) -> None:
    notice = told(-9, after, before)
    assert notice.code == "kernel_killed"
    assert notice.params["memory_known"] == 0
    assert "is not known" in notice.message


@pytest.mark.parametrize(
    ("number", "name", "usually"),
    [
        (signal.SIGSEGV, "SIGSEGV", "a fault in compiled code"),
        (signal.SIGBUS, "SIGBUS", "/dev/shm"),
        (signal.SIGTERM, "SIGTERM", "asked it to end"),
        (99, "signal 99", "signal 99."),
    ],
)
def test_a_crash_names_its_signal(number: int, name: str, usually: str) -> None:
    notice = told(-number, ONE_KILL)
    assert notice.code == "kernel_crashed"
    assert (notice.params["signal"], notice.params["signal_name"]) == (number, name)
    assert usually in notice.message


def test_a_kernel_inside_a_shell_dies_of_the_same() -> None:
    assert told(137, ONE_KILL).code == "kernel_out_of_memory"
    assert told(139).params["signal_name"] == "SIGSEGV"


@pytest.mark.parametrize("status", [0, 1, 2, 127, 128, 200, 255])
def test_a_kernel_that_ended_by_itself_tells_its_status(status: int) -> None:
    notice = told(status, ONE_KILL)
    assert notice.code == "kernel_exited"
    assert notice.params["exit_code"] == status
    assert notice.severity == ("info" if status == 0 else "error")


def test_what_nobody_could_see_is_not_known() -> None:
    notice = told(None, ONE_KILL)
    assert notice.code == "kernel_died"
    assert "Why is not known" in notice.message


def test_a_row_of_deaths_is_one_event() -> None:
    later = replace(TRAIN, time=NOW + timedelta(seconds=3), gave_up=True, first=NOW)
    first, last = (explain(death, QUIET, ONE_KILL, LIMIT) for death in (TRAIN, later))
    assert first.id == last.id
    assert told(-9).id != explain(replace(TRAIN, kernel_id="k2"), QUIET, QUIET, LIMIT).id


def test_a_kernel_without_a_notebook_is_not_said_to_have_one() -> None:
    death = replace(TRAIN, name="Console 1", path=None)
    assert explain(death, QUIET, QUIET, LIMIT).message.startswith("Kernel Console 1 was")


counts = st.none() | st.integers(0, 3)
counters = st.builds(Counters, oom_kills=counts, limit_hits=counts)


@given(
    st.builds(
        Death,
        time=st.datetimes(timezones=st.just(timezone.utc)),
        kernel_id=st.text(max_size=5),
        name=st.text(max_size=5),
        path=st.none() | st.text(max_size=5),
        exit_code=st.none() | st.integers(-200, 300),
        gave_up=st.booleans(),
    ),
    counters,
    counters,
    st.none() | st.integers(1, 2**50),
    st.none() | st.tuples(st.just(NOW), st.integers(0, 2**50)),
)
def test_every_death_has_an_explanation(
    death: Death,
    before: Counters,
    after: Counters,
    limit: int | None,
    peak: tuple[datetime, int] | None,
) -> None:
    notice = explain(death, before, after, limit, peak)
    assert cause_of(notice) in CAUSES
    event = event_of(notice)
    assert (event.time, event.code, event.params) == (death.time, notice.code, notice.params)
    if notice.code == "kernel_out_of_memory":
        assert (after.oom_kills or 0) > (before.oom_kills or 0)
        assert limit is not None
    msgspec.json.encode(notice)


def test_a_program_killed_beside_the_kernels_is_told() -> None:
    notice = killed_elsewhere(QUIET, ONE_KILL, ["train.ipynb"], NOW)
    assert notice is not None
    assert notice.code == "process_out_of_memory"
    assert notice.params == {"time": "2026-11-20T03:12:05.000Z", "name": "train.ipynb"}
    assert "A process of train.ipynb" in notice.message


@pytest.mark.parametrize("names", [[], ["train.ipynb", "terminal 1"]])
def test_of_several_that_it_may_have_been_none_is_named(names: list[str]) -> None:
    notice = killed_elsewhere(QUIET, ONE_KILL, names, NOW)
    assert notice is not None
    assert "name" not in notice.params


def test_whether_a_kernel_died_is_not_claimed() -> None:
    notice = killed_elsewhere(QUIET, ONE_KILL, [], NOW)
    assert notice is not None
    assert notice.message == (
        "A process was killed at 03:12 UTC for want of memory. Look whether what it did is "
        "complete; use less memory or a larger server."
    )


def test_without_a_kill_there_is_nothing_to_tell() -> None:
    assert killed_elsewhere(QUIET, QUIET, ["x"], NOW) is None
    assert killed_elsewhere(Counters(), ONE_KILL, ["x"], NOW) is None


def program(number: str, processes: int | None) -> Program:
    return Program(
        kind="kernel",
        id=number,
        name=f"{number}.ipynb",
        path=None,
        language=None,
        pid=None,
        cpu_cores=None,
        memory_bytes=None,
        processes=processes,
        threads=None,
        gpu_memory_bytes=None,
        gpu_reason=None,
        state=None,
        since=None,
        reason=None,
    )


def test_programs_that_lost_a_process_are_found() -> None:
    before = [program("a", 4), program("b", 2), program("c", None), program("d", 1)]
    after = [program("a", 3), program("b", 3), program("c", 1), program("new", 1)]
    assert shrunk(before, after) == ["a.ipynb"]


# --- the run before -------------------------------------------------------------------


def run(ending: str, **params: int) -> Run:
    return msgspec.convert(
        {
            "started": "2026-11-18T09:00:00Z",
            "ended": "2026-11-20T03:12:05Z",
            "ending": ending,
            "reason": {"code": "x", "message": "x", "params": params},
        },
        Run,
    )


def test_a_run_that_ran_out_of_memory_is_told_with_what_was_lost() -> None:
    ended = run("out-of-memory", used_bytes=round(15.9 * GIB), limit_bytes=LIMIT)
    notice = previous_run_notice(ended, ["train.ipynb", "eval.ipynb"], NOW)
    assert notice is not None
    assert (notice.code, notice.severity) == ("previous_run_out_of_memory", "error")
    assert notice.params == {
        "ended": "2026-11-20T03:12:05.000Z",
        "used_bytes": round(15.9 * GIB),
        "limit_bytes": LIMIT,
        "kernels": "train.ipynb, eval.ipynb",
        "paths": "train.ipynb\neval.ipynb",
    }
    assert notice.message == (
        "Your server was killed on 20 November at 03:12 UTC: memory had reached 15.9 of 16 GiB. "
        "Variables of these are lost: train.ipynb, eval.ipynb. Use less memory, or start a "
        "larger server."
    )
    again = previous_run_notice(ended, [], NOW + timedelta(days=1))
    assert again is not None
    assert (again.id, again.time) == (notice.id, notice.time)


def test_a_run_that_was_killed_otherwise_is_a_warning() -> None:
    notice = previous_run_notice(run("killed"), [], NOW)
    assert notice is not None
    assert (notice.code, notice.severity) == ("previous_run_killed", "warning")
    assert notice.params == {"ended": "2026-11-20T03:12:05.000Z"}


def test_a_run_of_which_little_is_known_claims_little() -> None:
    ended = msgspec.structs.replace(run("out-of-memory"), ended=None, reason=None)
    notice = previous_run_notice(ended, [], NOW)
    assert notice is not None
    assert notice.params == {}
    assert notice.time == NOW
    hostile = Reason(code="x", message="x", params={"used_bytes": "lots", "limit_bytes": 1})
    odd = msgspec.structs.replace(ended, reason=hostile)
    notice = previous_run_notice(odd, [], NOW)
    assert notice is not None
    assert notice.params == {"limit_bytes": 1}


@pytest.mark.parametrize("ending", ["stopped", "running"])
def test_a_run_that_ended_well_is_not_told_of(ending: str) -> None:
    assert previous_run_notice(run(ending), ["train.ipynb"], NOW) is None


def test_of_very_many_notebooks_some_are_named() -> None:
    notice = previous_run_notice(run("killed"), [f"{n}.ipynb" for n in range(500)], NOW)
    assert notice is not None
    kernels = str(notice.params["kernels"])
    assert kernels.endswith("9.ipynb and 490 more")
    assert len(kernels) < 200
    assert len(str(notice.params["paths"]).split("\n")) == 50


def test_names_that_are_no_line_of_text_break_no_list() -> None:
    names = ["train.ipynb", "two\nlines.ipynb", "half a \ud83d.ipynb", "dětské 👩‍🚀.ipynb"]
    notice = previous_run_notice(run("killed"), names, NOW)
    assert notice is not None
    assert str(notice.params["paths"]).split("\n") == ["train.ipynb", "dětské 👩‍🚀.ipynb"]
    assert "two lines.ipynb" in str(notice.params["kernels"])
    msgspec.json.encode(notice)
