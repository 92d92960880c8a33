"""What a digest says: the worst first, all of it from what was recorded, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from jupyter_einfra.activity.digest import counted, digest
from jupyter_einfra.activity.models import ActivityEvent, Digest, DigestUse, Fact
from jupyter_einfra.models import Notice, Reason

from .made import DAY, at, cells, failed, file, kernel, notice, program, run

#: Left at midnight, came back at noon.
LEFT, NOW = at(0), at(720)


def told(
    *events: ActivityEvent, standing: Sequence[Notice] = (), since: datetime = LEFT, **options: Any
) -> Digest:
    return digest(events, None, standing, now=NOW, since=since, started_at=DAY, **options)


def facts(told: Digest, name: str) -> list[Fact]:
    return [fact for section in told.sections if section.name == name for fact in section.facts]


def said(told: Digest, name: str) -> list[str]:
    return [fact.message for fact in facts(told, name)]


def test_of_nothing_nothing_is_said() -> None:
    assert told().sections == []
    assert count() == (0, 0)


def test_a_digest_says_of_what_time_it_is_and_whether_all_was_recorded() -> None:
    plain = told()
    assert (plain.time, plain.since, plain.until, plain.recording) == (NOW, LEFT, NOW, True)
    reason = Reason(code="x", message="x", params={})
    other = told(until=at(600), recording=False, reason=reason)
    assert (other.until, other.recording, other.reason) == (at(600), False, reason)


def test_what_was_before_is_not_told() -> None:
    before = told(cells(-90, -60), failed(-30, -20), kernel(-10), program(-5, "stopped"))
    assert [section.name for section in before.sections] == ["continue"]


def test_what_ended_at_the_moment_of_leaving_was_seen() -> None:
    seen: list[ActivityEvent] = [
        *(cells(-10, 0), failed(-10, 0, cell_id="x"), kernel(0), program(0, "stopped"))
    ]
    assert [section.name for section in told(*seen).sections] == ["continue"]
    news = told(*seen, since=at(-1))
    assert [section.name for section in news.sections] == ["attention", "finished", "continue"]


def test_a_dead_kernel_says_why_and_what_it_was_doing() -> None:
    [fact] = facts(told(kernel(192)), "attention")
    assert fact.code == "kernel_exited"
    assert fact.message == (
        "The kernel of train.ipynb ended (03:12 UTC). It was started anew; its variables are "
        "lost. Cell [14] was running."
    )
    assert (fact.path, fact.cell_id, fact.execution_count) == ("train.ipynb", "c1", 14)
    assert fact.time == at(192)
    assert not fact.can_restart


def test_what_the_usage_feature_found_out_is_said_in_its_words() -> None:
    cause = Reason(
        code="kernel_out_of_memory",
        message="Kernel of train.ipynb was killed at 03:12 UTC: the container reached 16 GiB.",
        params={"limit_bytes": 2**34, "used_bytes": 2**34, "name": "x", "time": "2026-11-20"},
    )
    [fact] = facts(told(kernel(192, cause=cause)), "attention")
    assert fact.code == "kernel_out_of_memory"
    assert fact.message.startswith(cause.message)
    assert fact.params["limit_bytes"] == 2**34
    assert fact.params["name"] == "train.ipynb"


@pytest.mark.parametrize(
    ("later", "can"),
    [
        ([], True),
        ([kernel(200, "restarted")], False),
        ([kernel(200, "shut-down")], False),
        ([program(200, "started", "server", "server")], False),
        ([kernel(200, "restarted", kernel_id="k2")], True),
    ],
)
def test_only_a_kernel_that_is_dead_and_there_can_be_restarted(
    later: list[ActivityEvent], can: bool
) -> None:
    dead = kernel(192, restarted=False, stays=True)
    [fact] = facts(told(dead, *later), "attention")
    assert fact.can_restart is can
    [fact] = facts(told(kernel(192, restarted=False), *later), "attention")
    assert not fact.can_restart  # its server has dropped it


def test_what_was_before_a_death_does_not_keep_a_kernel_from_being_restarted() -> None:
    restarted, server = kernel(191, "restarted"), program(191, "started", "server", "server")
    dead = kernel(192, restarted=False, stays=True)
    [fact] = facts(told(restarted, server, dead, program(200, "started")), "attention")
    assert fact.can_restart
    for at_once in (kernel(192, "restarted"), program(192, "started", "server", "server")):
        [fact] = facts(told(dead, at_once), "attention")
        assert not fact.can_restart


def test_deaths_of_one_kernel_are_one_fact() -> None:
    [fact] = facts(told(kernel(100), kernel(200, times=3), kernel(150)), "attention")
    assert fact.time == at(200)
    assert fact.params["times"] == 5
    assert fact.message.endswith("It died 5 times.")
    assert len(fact.sources) == 3


def test_a_notice_of_a_death_that_was_recorded_says_nothing_new() -> None:
    same = notice(192, id="kernel-death:k1", code="kernel_exited", kernel_id="k1", severity="error")
    assert len(facts(told(kernel(192), standing=[same]), "attention")) == 1
    other = notice(192, id="kernel-death:k2", code="kernel_exited", kernel_id="k2")
    assert len(facts(told(kernel(192), standing=[same, other]), "attention")) == 2


@pytest.mark.parametrize(
    ("minutes", "code", "action", "told_twice"),
    [
        (5, "kernel_exited", "died", False),
        (-5, "kernel_exited", "died", False),
        (5.01, "kernel_exited", "died", True),
        (-5.01, "kernel_exited", "died", True),
        (0, "disk_full", "died", True),
        (0, "kernel_exited", "restarted", True),
    ],
)
def test_a_notice_is_of_a_death_within_five_minutes(
    minutes: float, code: str, action: str, told_twice: bool
) -> None:
    other = notice(192 + minutes, code=code, kernel_id="k1")
    attention = facts(told(kernel(192, action), standing=[other]), "attention")
    assert ([fact.code for fact in attention if fact.sources == [other.id]] == [code]) is told_twice


def test_an_error_is_told_with_its_cell_and_how_often() -> None:
    [fact] = facts(told(failed(100, 101), failed(200, 205, times=3)), "attention")
    assert fact.message == (
        "train.ipynb stopped at cell [14] with KeyError: 'station_id' (4 times)."
    )
    assert (fact.code, fact.time, fact.cell_id) == ("run_failed", at(205), "c1")


def test_a_fact_is_of_the_moment_at_which_something_ended() -> None:
    over = told(
        *(failed(10, 50), run(10, 40, outcome="server-ended")),
        *(run(10, 30, outcome="interrupted"), cells(10, 20, path="b.ipynb")),
    )
    times = {fact.code: fact.time for section in over.sections for fact in section.facts}
    del times["continue_at"]
    assert times == {
        "run_failed": at(50),
        "run_lost": at(40),
        "run_stopped": at(30),
        "runs_finished": at(20),
    }
    # And for what only ended, no kernel is to be restarted.
    assert not any(fact.can_restart for section in over.sections for fact in section.facts)


@pytest.mark.parametrize(
    ("outcome", "section"),
    [("failed", "attention"), ("server-ended", "attention"), ("interrupted", "finished")],
)
def test_what_ended_last_comes_first_however_late_it_began(outcome: str, section: str) -> None:
    early = run(20, 30, outcome=outcome)
    late = run(10, 40, outcome=outcome, cell_id="c2")
    assert [fact.time for fact in facts(told(early, late), section)] == [at(40), at(30)]


@pytest.mark.parametrize(
    ("outcome", "section"), [("failed", "attention"), ("finished", "finished")]
)
def test_a_fact_of_many_is_of_the_one_that_ended_last(outcome: str, section: str) -> None:
    late = run(10, 40, outcome=outcome, execution_count=1)
    early = run(20, 30, outcome=outcome, execution_count=2)
    [fact] = facts(told(early, late), section)
    assert (fact.time, fact.execution_count) == (at(40), 1)


def test_what_was_done_comes_before_what_was_stopped_and_what_ended() -> None:
    over = told(
        program(60, "stopped"),
        run(40, 50, outcome="interrupted", kernel_id="k2"),
        cells(10, 20),
    )
    codes = [fact.code for fact in facts(over, "finished")]
    assert codes == ["runs_finished", "run_stopped", "program_ended"]


def test_a_notebook_has_the_name_that_it_had_when_its_cells_ended() -> None:
    moved = file(20, "renamed", "old.ipynb", "train.ipynb")
    ran = told(cells(10, 30), moved, cells(40, 50))
    [fact] = facts(ran, "finished")
    assert fact.message.startswith("train.ipynb: 6 cells")
    assert [fact.path for fact in facts(ran, "continue")] == ["train.ipynb"]


def test_the_same_error_of_a_notebook_is_one_whatever_its_kernel_and_else_of_each_kernel() -> None:
    runs = [failed(10, 20), failed(30, 40, kernel_id="k2")]
    [fact] = facts(told(*runs), "attention")
    assert fact.params["times"] == 2
    nameless = [replace(run, path=None) for run in runs]
    assert [fact.kernel_id for fact in facts(told(*nameless), "attention")] == ["k2", "k1"]


def test_errors_of_two_cells_are_two() -> None:
    attention = facts(told(failed(100, 101), failed(200, 205, cell_id="c2")), "attention")
    assert [fact.cell_id for fact in attention] == ["c2", "c1"]


def test_what_ended_with_the_server_is_lost_and_says_so() -> None:
    lost = run(-600, 300, outcome="server-ended")
    assert said(told(lost), "attention") == [
        "train.ipynb was running at cell [14] when the server ended."
    ]


def test_what_a_kernel_took_with_it_is_told_with_its_death_alone() -> None:
    died = told(kernel(192), run(0, 192, outcome="died"))
    assert len(facts(died, "attention")) == 1
    assert facts(died, "finished") == []


def test_the_worst_comes_first() -> None:
    disk = notice(10)
    hour = notice(700, id="idle", feature="idle", code="idle_hour", severity="error")
    counter = notice(700, id="idle-1", feature="idle", code="idle_counted", severity="info")
    attention = facts(
        told(
            failed(500, 510),
            kernel(192),
            run(0, 600, outcome="server-ended", kernel_id="k2"),
            standing=[counter, disk, hour],
        ),
        "attention",
    )
    codes = [fact.code for fact in attention]
    assert codes == [
        *("idle_hour", "kernel_exited", "run_lost", "run_failed", "disk_full", "idle_counted")
    ]


def test_of_what_is_as_bad_the_latest_comes_first() -> None:
    attention = facts(
        told(*(kernel(minute, kernel_id=f"k{minute}") for minute in (10, 30, 20))), "attention"
    )
    assert [fact.time for fact in attention] == [at(30), at(20), at(10)]


def test_a_notice_is_told_as_bad_as_it_is_and_by_the_present_name() -> None:
    standing = [
        notice(10, id="e", severity="error", path="train.ipynb", kernel_id="k1"),
        notice(10, id="w"),
        notice(10, id="i", severity="info", feature="idle"),
    ]
    renamed = file(20, "renamed", "new.ipynb", "train.ipynb")
    attention = facts(told(renamed, standing=standing, seen=["w"]), "attention")
    assert [(fact.severity, fact.seen) for fact in attention] == [
        *(("error", False), ("warning", True), ("warning", False))
    ]
    assert (attention[0].path, attention[0].kernel_id) == ("new.ipynb", "k1")
    assert not any(fact.can_restart for fact in attention)


def test_news_without_consequence_and_our_own_notices_need_no_attention() -> None:
    own = notice(10, feature="activity", code="run_failed")
    info = notice(10, severity="info", code="kernel_exited", kernel_id=None)
    assert told(standing=[own, info]).sections == []


def test_what_finished_is_one_line_for_each_notebook() -> None:
    finished = facts(
        told(
            cells(10, 20, count=8),
            run(20, 368),
            failed(400, 401),
            cells(30, 40, count=1, path="report.ipynb", kernel_id="k2", longest_seconds=2.0),
        ),
        "finished",
    )
    assert [fact.message for fact in finished] == [
        "train.ipynb: 9 cells, the longest 5 h 48 min, 1 failed.",
        "report.ipynb: 1 cell in 2.0 s, no errors.",
    ]
    assert finished[0].time == at(368)
    assert {fact.severity for fact in finished} == {"done"}


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("interrupted", "train.ipynb was interrupted at cell [14]."),
        ("restarted", "train.ipynb ended at cell [14] when its kernel was restarted."),
        ("shut-down", "train.ipynb ended at cell [14] when its kernel was shut down."),
        ("unknown", "train.ipynb ended at cell [14], and nobody saw how."),
    ],
)
def test_what_somebody_stopped_is_no_error(outcome: str, words: str) -> None:
    stopped = told(run(-60, 60, outcome=outcome))
    assert said(stopped, "finished") == [words]
    assert facts(stopped, "attention") == []


def test_a_notebook_is_told_by_its_present_name() -> None:
    renamed = told(cells(10, 20), file(30, "renamed", "new.ipynb", "train.ipynb"), cells(40, 50))
    [first, second] = facts(renamed, "finished")
    assert {first.path, second.path} == {"new.ipynb", "train.ipynb"}
    gone = told(failed(10, 20), file(30, "deleted", "train.ipynb"))
    [fact] = facts(gone, "attention")
    assert fact.path is None
    assert fact.params["name"] == "train.ipynb"
    assert facts(gone, "continue") == []


def test_what_still_runs_is_told_since_when() -> None:
    running = told(run(-8928), program(-100, "started"), program(-50, "started", "RStudio"))
    assert said(running, "running") == [
        "train.ipynb is running at cell [14], for 6 d 16 h now.",
        "RStudio is running.",
        "TensorBoard is running.",
    ]


def test_programs_end_with_their_server() -> None:
    restarted = [
        program(100, "stopped", "server", "server"),
        program(101, "started", "server", "server"),
    ]
    again = told(program(-100, "started"), *restarted)
    assert facts(again, "running") == []
    assert said(again, "finished") == ["The server was started anew."]


def test_the_first_start_of_a_server_is_not_one_anew() -> None:
    assert told(program(10, "started", "server", "server")).sections == []


def test_a_server_that_ran_before_the_absence_was_started_anew_in_it() -> None:
    before, now = (program(minute, "started", "server", "server") for minute in (-100, 100))
    assert said(told(before, now), "finished") == ["The server was started anew."]
    application = program(-100, "started")
    assert said(told(application, now), "finished") == []


def test_the_end_of_a_server_is_told_by_its_next_start_alone() -> None:
    before = program(-100, "started", "server", "server")
    stopped = program(100, "stopped", "server", "server")
    assert told(before, stopped).sections == []


def test_only_what_was_started_before_its_server_ended_with_it() -> None:
    restarted = program(100, "started", "server", "server")
    again = told(restarted, program(101, "started"), program(101, "started", "bash", "terminal"))
    assert said(again, "running") == ["TensorBoard is running."]


def test_an_application_that_ended_is_told() -> None:
    ended = told(program(-100, "started"), program(100, "stopped"))
    assert said(ended, "finished") == ["TensorBoard has ended."]
    assert facts(ended, "running") == []


def test_files_are_counted_and_named() -> None:
    changed = told(
        *(file(minute, "saved", f"data/{minute}.csv") for minute in range(1, 9)),
        file(20, "saved", "data/1.csv"),
        file(21, "renamed", "b.csv", "a.csv"),
        file(22, "deleted", "old.csv"),
    )
    [fact] = facts(changed, "files")
    assert fact.message == ("8 saved, 1 renamed, 1 deleted: old.csv, b.csv, 1.csv, 8.csv, 7.csv.")


def test_a_file_is_counted_once_and_told_by_its_present_name() -> None:
    changed = told(
        file(10, "saved", "a.csv"),
        file(20, "saved", "a.csv"),
        file(30, "copied", "c.csv", "a.csv"),
        file(40, "renamed", "b.csv", "a.csv"),
    )
    [fact] = facts(changed, "files")
    assert fact.message == "1 saved, 1 renamed, 1 copied: b.csv, c.csv."
    assert fact.time == at(40)
    assert len(fact.sources) == 4


def test_the_way_back_is_to_the_latest_notebook_and_its_last_cell() -> None:
    going = told(
        cells(-3000, -2900, path="old.ipynb", cell_id="c8"),
        cells(10, 20, cell_id="c3"),
        file(500, "saved", "notes.txt"),
        file(600, "saved", "train.ipynb"),
        cells(100, 110, path="report.ipynb", cell_id="c5"),
        run(700, None, path=None),
    )
    places = [(fact.path, fact.cell_id) for fact in facts(going, "continue")]
    assert places == [("train.ipynb", "c3"), ("report.ipynb", "c5"), ("old.ipynb", "c8")]


def test_the_way_back_is_to_what_runs_and_then_to_what_was_used_last() -> None:
    going = told(
        run(-100, None, path="running.ipynb"),
        cells(10, 20, path="a.ipynb", cell_id="c1"),
        cells(10, 20, path="a.ipynb", cell_id="c2"),
        cells(30, 40, path="script.py"),
        saved := file(50, "saved", "b.ipynb"),
        file(60, "renamed", "c.ipynb", "a.ipynb"),
        file(600, "copied", "d.ipynb", "b.ipynb"),
    )
    places = [(fact.path, fact.cell_id) for fact in facts(going, "continue")]
    assert places == [("running.ipynb", "c1"), ("b.ipynb", None), ("c.ipynb", "c2")]
    assert facts(going, "continue")[1].sources == [saved.id]


def test_a_save_that_is_older_than_the_last_run_is_not_what_one_goes_back_to() -> None:
    saved, ran = file(15, "saved", "train.ipynb"), cells(10, 20)
    [fact] = facts(told(saved, ran), "continue")
    assert (fact.time, fact.sources) == (at(20), [ran.id])
    later = file(25, "saved", "train.ipynb")
    [fact] = facts(told(saved, ran, later), "continue")
    assert (fact.time, fact.sources) == (at(25), [later.id, ran.id])


def test_only_so_many_facts_are_told_and_how_many_more_there_are() -> None:
    many = told(*(failed(n, n + 1, cell_id=f"c{n}") for n in range(30)))
    [section] = [section for section in many.sections if section.name == "attention"]
    assert (len(section.facts), section.more) == (8, 22)


def test_each_section_has_as_many_lines_as_a_person_reads() -> None:
    ran = [cells(n, n + 1, path=f"{n}.ipynb") for n in range(10)]
    runs = [run(n, None, path=f"{n}.ipynb", kernel_id=f"k{n}") for n in range(10, 20)]
    lines = {one.name: (len(one.facts), one.more) for one in told(*ran, *runs).sections}
    assert lines == {"finished": (6, 4), "running": (6, 4), "continue": (3, 0)}
    six = told(*ran[:6], *runs[:6])
    assert [section.more for section in six.sections] == [0, 0, 0]


def test_a_fact_names_the_latest_of_many_events_that_it_is_of() -> None:
    events = [failed(n, n + 1) for n in range(60)]
    [fact] = facts(told(*events), "attention")
    assert fact.sources == [event.id for event in reversed(events[10:])]


def count(
    *events: ActivityEvent,
    standing: Sequence[Notice] = (),
    until: datetime = NOW,
    seen: Sequence[str] = (),
) -> tuple[int, int]:
    return counted(events, standing, since=LEFT, until=until, seen=seen)


def test_only_what_happened_in_the_absence_is_news() -> None:
    both: list[ActivityEvent] = [
        *(failed(100, 101), kernel(200, kernel_id="k3")),
        *(cells(100, 110, path="a.ipynb", kernel_id="k2"), run(300, None, kernel_id="k4")),
    ]
    assert count(*both) == (2, 2)
    assert count(*both, until=at(150)) == (1, 1)
    seen = [fact.id for fact in facts(told(*both), "attention")]
    assert count(*both, seen=seen) == (0, 2)


def test_what_the_owner_sees_go_on_after_they_came_back_hides_nothing() -> None:
    ran = run(100, 500)
    assert count(ran, until=at(300)) == (0, 1)
    again = [failed(100, 101, cell_id="c1"), failed(400, 401, cell_id="c1")]
    assert count(*again, until=at(300)) == (1, 0)
    many = [failed(400 + n, 401 + n, cell_id=f"c{n}") for n in range(20)]
    assert count(failed(100, 101, cell_id="x"), *many, until=at(300)) == (1, 0)


def test_what_is_not_listed_for_want_of_room_is_news_too() -> None:
    many = [failed(n, n + 1, cell_id=f"c{n}") for n in range(1, 21)]
    assert count(*many) == (20, 0)
    listed = [fact.id for fact in facts(told(*many), "attention")]
    assert count(*many, seen=listed) == (12, 0)


def test_what_somebody_stopped_is_no_news() -> None:
    stopped, ended = run(10, 20, outcome="interrupted"), program(30, "stopped")
    assert len(facts(told(stopped, ended), "finished")) == 2
    assert count(stopped, ended) == (0, 0)


def test_an_absence_ends_with_the_moment_of_coming_back() -> None:
    assert count(failed(100, 300), cells(100, 300, path="b.ipynb"), until=at(300)) == (1, 1)
    assert count(run(300, None), until=at(300)) == (0, 1)
    assert count(run(300.1, None), until=at(300)) == (0, 0)
    # It was still running, so it had not failed.
    assert count(failed(100, 300.1), until=at(300)) == (0, 1)


def test_a_danger_that_the_owner_saw_begin_is_no_news() -> None:
    assert count(standing=[notice(-10)]) == (0, 0)
    assert count(standing=[notice(10)]) == (1, 0)
    assert count(standing=[notice(10)], until=at(5)) == (0, 0)


def test_a_danger_that_begins_as_the_owner_comes_is_news_and_as_they_leave_is_none() -> None:
    assert count(standing=[notice(0)]) == (0, 0)
    assert count(standing=[notice(300)], until=at(300)) == (1, 0)


def test_who_only_finds_what_they_left_open_is_told_nothing() -> None:
    assert count(program(-100, "started"), file(10, "saved", "a")) == (0, 0)


def test_an_application_that_ended_unseen_does_not_run() -> None:
    events = [program(-100, "started"), program(-50, "started", "RStudio")]
    assert said(told(*events, programs=["RStudio"]), "running") == ["RStudio is running."]


def test_a_notebook_whose_kernel_died_did_not_end_well() -> None:
    died = told(cells(10, 20), run(30, 192, outcome="died"), kernel(192))
    assert said(died, "finished") == ["train.ipynb: 3 cells, the longest 4.0 s, 1 failed."]


def test_errors_of_which_no_more_is_known_are_counted() -> None:
    [fact] = facts(told(failed(10, 20, times=2, others=7)), "attention")
    assert fact.message.endswith("(2 times). 7 other errors followed.")
    assert (fact.params["times"], fact.params["others"]) == (2, 7)


def test_a_notebook_tells_how_many_errors_there_were_also_of_those_that_are_only_counted() -> None:
    errors = told(cells(10, 20), failed(30, 40, times=3, others=2), failed(50, 60, cell_id="c2"))
    assert said(errors, "finished") == ["train.ipynb: 3 cells, the longest 4.0 s, 6 failed."]


def test_a_fact_that_was_seen_and_happens_again_is_new() -> None:
    [before] = facts(told(failed(10, 20, id="e")), "attention")
    [again] = facts(told(failed(10, 30, id="e", times=2), seen=[before.id]), "attention")
    assert not again.seen


def test_a_clock_that_was_ahead_tells_nothing_of_the_future() -> None:
    future = told(cells(5000, 5010), failed(6000, 6001), kernel(7000), run(8000))
    for section in future.sections:
        for fact in section.facts:
            assert fact.time is not None
            assert fact.time <= NOW


def test_memory_that_killed_a_kernel_was_in_use() -> None:
    """Between two samples it is full and free again."""
    cause = Reason(
        code="kernel_out_of_memory",
        message="-",
        params={"used_bytes": 2**34, "limit_bytes": 2**34},
    )
    use = DigestUse(
        known_seconds=3600,
        scope="container",
        cpu_core_hours=1.0,
        gpu_hours=None,
        memory_peak_bytes=2**30,
        memory_peak_at=at(10),
        memory_limit_bytes=2**34,
        gpu_memory_peak_bytes=None,
        gpu_memory_total_bytes=None,
        home_used_bytes=None,
        home_limit_bytes=None,
    )
    before, now = kernel(-10, cause=cause), kernel(192, cause=cause)
    for events, peak in (([before], (2**30, at(10))), ([before, now], (2**34, at(192)))):
        made = digest(events, use, [], now=NOW, since=LEFT, started_at=DAY).use
        assert made is not None
        assert (made.memory_peak_bytes, made.memory_peak_at) == peak


@pytest.mark.parametrize(
    ("params", "peak"),
    [
        ({"used_bytes": 3, "limit_bytes": 9}, (3, at(192), 9)),
        ({"used_bytes": 2, "limit_bytes": 9}, (2, at(10), 8)),
        ({"used_bytes": 3}, (2, at(10), 8)),
        ({"used_bytes": "3", "limit_bytes": 9}, (2, at(10), 8)),
    ],
)
def test_a_peak_is_only_replaced_by_one_that_is_higher_and_known(
    params: dict[str, Any], peak: tuple[int, datetime, int]
) -> None:
    cause = Reason(code="kernel_out_of_memory", message="-", params=params)
    use = DigestUse(
        known_seconds=3600,
        scope="container",
        cpu_core_hours=None,
        gpu_hours=None,
        memory_peak_bytes=2,
        memory_peak_at=at(10),
        memory_limit_bytes=8,
        gpu_memory_peak_bytes=None,
        gpu_memory_total_bytes=None,
        home_used_bytes=None,
        home_limit_bytes=None,
    )
    events = [kernel(192, cause=cause), kernel(200, cause=None)]
    made = digest(events, use, [], now=NOW, since=LEFT, started_at=DAY).use
    assert made is not None
    assert (made.memory_peak_bytes, made.memory_peak_at, made.memory_limit_bytes) == peak


NAMES = ["a.ipynb", "b.ipynb", "d/c.ipynb", None]
minutes = st.integers(-1000, 1000)


@st.composite
def happenings(draw: Any) -> ActivityEvent:
    start = draw(minutes)
    end = start + draw(st.integers(0, 300))
    path = draw(st.sampled_from(NAMES))
    kernel_id = draw(st.sampled_from(["k1", "k2", "k3"]))
    kind = draw(st.integers(0, 5))
    if kind == 0:
        return cells(start, end, path=path, kernel_id=kernel_id)
    if kind == 1:
        outcomes = ["finished", "failed", "died", "interrupted", "server-ended", "unknown"]
        outcome = draw(st.sampled_from(outcomes))
        return run(start, end, path=path, kernel_id=kernel_id, outcome=outcome)
    if kind == 2:
        return run(start, None, path=path, kernel_id=kernel_id)
    if kind == 3:
        action = draw(st.sampled_from(["died", "restarted", "started", "shut-down"]))
        return kernel(start, action, path=path, kernel_id=kernel_id)
    if kind == 4:
        action = draw(st.sampled_from(["saved", "renamed", "deleted"]))
        source = draw(st.sampled_from(NAMES[:3])) if action == "renamed" else None
        return file(start, action, draw(st.sampled_from(["a.ipynb", "b.ipynb", "d"])), source)
    kind = draw(st.sampled_from(["application", "terminal", "server"]))
    return program(start, draw(st.sampled_from(["started", "stopped", "failed"])), kind=kind)


notices = st.builds(
    notice,
    minutes,
    id=st.sampled_from(["n1", "n2"]),
    severity=st.sampled_from(["info", "warning", "error"]),
    code=st.sampled_from(["disk_full", "kernel_exited"]),
    kernel_id=st.sampled_from(["k1", None]),
)


@settings(max_examples=max(300, settings().max_examples))
@given(st.lists(happenings(), max_size=25), st.lists(notices, max_size=3), st.randoms())
def test_whatever_happened(
    happened: list[ActivityEvent], standing: list[Notice], luck: random.Random
) -> None:
    first = told(*happened, standing=standing)
    shuffled = happened[:]
    luck.shuffle(shuffled)
    # The order in which it was recorded does not matter.
    assert told(*shuffled, standing=standing) == first
    known = {event.id for event in happened} | {one.id for one in standing}
    order = ["attention", "finished", "running", "files", "continue"]
    names = [section.name for section in first.sections]
    assert names == [name for name in order if name in names]
    for section in first.sections:
        assert section.facts
        assert len({fact.id for fact in section.facts}) == len(section.facts) or standing
        for fact in section.facts:
            # No fact without an event.
            assert fact.sources
            assert set(fact.sources) <= known
            assert fact.time is None or fact.time <= NOW
            if section.name in ("finished", "files"):
                assert fact.time is not None
                assert fact.time > LEFT
    attention, _ = count(*happened, standing=standing)
    if not any(section.name == "attention" for section in first.sections):
        assert attention == 0
