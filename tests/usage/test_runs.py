"""How a run ended, and how sure that is."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jupyter_einfra.usage.history.log import MOST_EVENTS, MOST_RUNS, Log
from jupyter_einfra.usage.history.records import Word
from jupyter_einfra.usage.history.runs import (
    MOST_OPEN,
    Counters,
    RunRecord,
    judge,
    origin_of,
    stopped,
    told,
    worth_naming,
)
from jupyter_einfra.usage.models import UsageEvent

GIB = 2**30
STARTED = datetime(2026, 3, 4, 1, 0, tzinfo=timezone.utc)
SEEN = datetime(2026, 3, 4, 3, 12, 5, tzinfo=timezone.utc)
NOTHING = Counters()


def run(used_gib: float | None = None, limit_gib: float | None = 16, token: int = 1) -> RunRecord:
    return RunRecord(
        token=token,
        started=STARTED.timestamp(),
        seen=SEEN.timestamp(),
        samples=10,
        used_bytes=None if used_gib is None else int(used_gib * GIB),
        limit_bytes=None if limit_gib is None else int(limit_gib * GIB),
        counters=Counters(oom_kills=3, limit_hits=7),
        boot="b",
    )


def word(number: int, used_gib: float, token: int = 1, at: float | None = None) -> Word:
    at = SEEN.timestamp() + number if at is None else at
    return Word(token, number, at, (1.0,) * 13, int(used_gib * GIB), 16 * GIB, NOTHING)


@pytest.mark.parametrize(
    ("used", "limit", "now", "boot", "ending"),
    [
        (15.9, 16, NOTHING, None, "out-of-memory"),
        (0.97 * 16 + 0.001, 16, NOTHING, None, "out-of-memory"),
        (15.3, 16, NOTHING, None, "killed"),
        (1, 16, NOTHING, None, "killed"),
        (None, 16, NOTHING, None, "killed"),
        (15.9, None, NOTHING, None, "killed"),
        (15.9, 0, NOTHING, None, "killed"),
        # The same group counted on.
        (1, 16, Counters(oom_kills=4), "b", "out-of-memory"),
        (1, 16, Counters(oom_kills=3), "b", "killed"),
        (1, 16, Counters(limit_hits=8), "b", "killed"),
        (15, 16, Counters(limit_hits=8), "b", "out-of-memory"),
        (15, 16, Counters(limit_hits=7), "b", "killed"),
        # Another group, or another life of the machine.
        (1, 16, Counters(oom_kills=0), "b", "killed"),
        (1, 16, Counters(oom_kills=4), "c", "killed"),
        (1, 16, Counters(oom_kills=4), None, "killed"),
    ],
)
def test_an_unclosed_run_lacked_memory_only_if_something_says_so(
    used: float | None, limit: float | None, now: Counters, boot: str | None, ending: str
) -> None:
    assert judge(run(used, limit), now, boot).ending == ending


def test_a_run_that_died_at_the_limit_is_told_with_its_last_figure() -> None:
    ended = told(judge(run(15.9), NOTHING, None))
    assert ended.ending == "out-of-memory"
    assert (ended.started, ended.ended) == (STARTED, SEEN)
    assert ended.reason is not None
    assert ended.reason.code == "run_out_of_memory"
    assert ended.reason.message == (
        "The server was probably killed for want of memory; last seen at 2026-03-04 03:12 UTC. "
        "Its last figure was 15.9 of 16 GiB of memory."
    )
    assert ended.reason.params == {
        "ended": "2026-03-04T03:12:05.000Z",
        "used_bytes": int(15.9 * GIB),
        "limit_bytes": 16 * GIB,
    }


def test_a_run_of_whose_death_the_counters_tell_says_so() -> None:
    ended = told(judge(run(8), Counters(oom_kills=4), "b"))
    assert ended.reason is not None
    assert "After that the system counted a shortage of memory." in ended.reason.message


def test_a_run_that_ended_otherwise_claims_nothing() -> None:
    ended = told(judge(run(8), NOTHING, None))
    assert ended.reason is not None
    assert ended.reason.code == "run_killed"
    assert "without a word" in ended.reason.message
    assert "8.0 of 16 GiB" in ended.reason.message
    unlimited = told(judge(run(8, None), NOTHING, None))
    assert unlimited.reason is not None
    assert "Its last figure was 8.0 GiB" in unlimited.reason.message
    assert "limit_bytes" not in unlimited.reason.params
    unknown = told(judge(run(None), NOTHING, None))
    assert unknown.reason is not None
    assert "figure" not in unknown.reason.message


def test_a_run_that_was_asked_to_end_was_stopped() -> None:
    ended = told(stopped(run(15.9), SEEN.timestamp() + 60))
    assert ended.ending == "stopped"
    assert ended.reason is not None
    assert ended.reason.code == "run_stopped"
    assert ended.reason.message == "The server was stopped at 2026-03-04 03:13 UTC."


def test_the_present_run_has_no_end() -> None:
    present = told(run(1))
    assert (present.ended, present.ending, present.reason) == (None, "running", None)


@given(
    st.builds(
        RunRecord,
        token=st.integers(0, 2**62),
        started=st.floats(),
        seen=st.floats(),
        used_bytes=st.none() | st.integers(0, 2**62),
        limit_bytes=st.none() | st.integers(0, 2**62),
        counters=st.builds(
            Counters, oom_kills=st.none() | st.integers(0), limit_hits=st.none() | st.integers(0)
        ),
    )
)
def test_every_run_can_be_judged_and_told(record: RunRecord) -> None:
    if record.started == record.started and record.seen == record.seen:
        ended = told(judge(record, NOTHING, None))
        assert ended.reason is not None


def test_open_notebooks_are_bounded() -> None:
    assert len(worth_naming(["n" * 300] * 10_000)) == MOST_OPEN


def test_a_notebook_that_cannot_be_told_whole_is_left_out() -> None:
    names = ["a.ipynb", "n" * 301, "b\n.ipynb", "\ud800.ipynb", "ř.ipynb"]
    assert worth_naming(names) == ("a.ipynb", "ř.ipynb")


def test_counters_of_another_group_do_not_compare() -> None:
    ours, others = origin_of("/sys/fs/cgroup/a"), origin_of("/sys/fs/cgroup/b")
    before = replace(run(1), counters=Counters(oom_kills=3, origin=ours))
    assert judge(before, Counters(oom_kills=4, origin=ours), "b").ending == "out-of-memory"
    assert judge(before, Counters(oom_kills=4, origin=others), "b").ending == "killed"
    assert judge(before, Counters(oom_kills=4), "b").ending == "killed"


def test_a_group_of_any_name_is_told_by_a_small_number() -> None:
    assert origin_of("") is None
    long = [origin_of("/" + "x" * 10_000 + end) for end in ("", "1", "\udcff")]
    assert len(set(long)) == 3
    assert all(number is not None and 0 <= number < 2**48 for number in long)


# Runs and events together.


def present() -> Log:
    return Log(RunRecord(token=99, started=SEEN.timestamp() + 100, seen=SEEN.timestamp() + 100))


def load(
    log: Log,
    runs: dict[int, RunRecord] | None = None,
    words: list[Word] | None = None,
    events: dict[int, UsageEvent] | None = None,
) -> list[Word]:
    return log.load(events or {}, runs or {}, words or [], counters=NOTHING, boot="b")


def endings(log: Log) -> list[str]:
    return [record.ending for record in log.runs()]


def test_last_words_are_news_only_if_the_file_lacks_them() -> None:
    log = present()
    words = [word(9, 15.0), word(10, 15.1), word(11, 15.8), word(12, 15.9)]
    assert load(log, {0: run(1)}, words) == words[2:]
    assert endings(log) == ["out-of-memory", "running"]
    assert log.previous is not None
    assert log.previous.used_bytes == int(15.9 * GIB)
    assert log.previous.seen == words[-1].at_seconds


def test_last_words_that_are_less_full_tell_against_a_shortage() -> None:
    log = present()
    load(log, {0: run(15.9)}, [word(11, 15.0)])
    assert endings(log) == ["killed", "running"]


def test_last_words_of_a_closed_run_are_old() -> None:
    log = present()
    assert load(log, {0: stopped(run(1), 5.0)}, [word(11, 15.9)]) == []
    assert endings(log) == ["stopped", "running"]


def test_a_run_that_never_reached_the_file_is_known_by_its_last_words() -> None:
    log = present()
    words = [word(1, 15.0, token=5), word(2, 15.9, token=5)]
    assert load(log, {3: stopped(run(1), 5.0)}, words) == words
    assert endings(log) == ["stopped", "out-of-memory", "running"]
    assert log.previous is not None
    assert log.previous.started == words[0].at_seconds


def test_last_words_of_a_run_long_forgotten_are_passed_over() -> None:
    log = present()
    assert load(log, {0: stopped(run(1), 5.0)}, [word(1, 15.9, token=5, at=1.0)]) == []
    assert endings(log) == ["stopped", "running"]


def test_several_crashes_in_a_row_keep_their_runs_up_to_a_number() -> None:
    stored: dict[int, RunRecord] = {}
    for token in range(MOST_RUNS + 5):
        log = Log(RunRecord(token=token, started=token, seen=token))
        load(log, stored)
        _, changed = log.changes()
        stored.update(dict(changed.values()))
        assert max(changed) < MOST_RUNS
    assert endings(log) == ["killed"] * (MOST_RUNS - 1) + ["running"]


def test_only_the_run_before_is_asked_for_its_notebooks() -> None:
    log = present()
    first = replace(run(1), open=("a",))
    second = replace(run(1, token=2), open=("b",))
    load(log, {0: first, 1: second})
    assert log.previous is not None
    assert log.previous.open == ("b",)
    assert [record.open for record in log.runs()] == [(), (), ()]
    _, changed = log.changes()
    assert set(changed) == {0, 1, 2}


def event(n: int, message: str = "") -> UsageEvent:
    return UsageEvent(time=SEEN, code=f"e{n}", message=message, params={"n": n})


def test_events_from_before_and_of_this_run_follow_each_other() -> None:
    log = present()
    log.record(event(7))
    load(log, events={4: event(1), 5: event(2)})
    log.record(event(8))
    assert [e.code for e in log.events(SEEN)] == ["e1", "e2", "e7", "e8"]
    changed, _ = log.changes()
    assert {slot: number for slot, (number, _) in changed.items()} == {6: 6, 7: 7}


def test_events_are_bounded_in_number_age_and_size() -> None:
    log = present()
    for n in range(MOST_EVENTS + 10):
        log.record(event(n))
    assert len(log.events(SEEN)) == MOST_EVENTS
    changed, _ = log.changes()
    assert len(changed) == MOST_EVENTS
    assert log.events(SEEN.replace(year=2027)) == []
    log.record(event(1, "m" * 10_000))
    assert len(log.events(SEEN)[-1].message) == 200


def test_what_could_not_be_written_comes_again() -> None:
    log = present()
    load(log)
    log.record(event(1))
    changed = log.changes()
    assert log.changes() == ({}, {})
    log.put_back(*changed)
    assert log.changes() == changed


def test_a_new_file_lacks_all_and_the_same_nothing() -> None:
    log = present()
    load(log, {0: run(1)}, events={0: event(1)})
    events, runs = log.changes()
    log.reload(dict(events.values()) | {0: event(1)}, dict(runs.values()))
    assert log.changes() == ({}, {})
    log.reload({}, {})
    lacking = log.changes()
    assert (len(lacking[0]), len(lacking[1])) == (1, 2)


def test_the_present_run_is_written_only_when_more_is_known() -> None:
    log = present()
    load(log)
    log.changes()
    log.update(replace(log.run))
    assert log.changes() == ({}, {})
    log.update(replace(log.run, samples=1))
    assert len(log.changes()[1]) == 1
