"""What means little is told in few records, and there is an end to how many there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jupyter_einfra.activity import records as module
from jupyter_einfra.activity.journal import Journal
from jupyter_einfra.activity.models import ActivityEvent, CellRun, CellsRan, FileEvent, KernelEvent
from jupyter_einfra.activity.moments import ended, utc
from jupyter_einfra.activity.records import Records
from jupyter_einfra.models import Reason

from .made import DAY, at, failed, file, kernel, program, run


@pytest.fixture
def journal() -> Journal:
    return Journal("life")


def only(journal: Journal) -> ActivityEvent:
    [event] = journal
    return event


def test_quick_cells_in_a_row_are_one_record(journal: Journal) -> None:
    for minute in range(5):
        journal.ran(run(minute, minute + 0.1, execution_count=minute, cell_id=f"c{minute}"))
    event = only(journal)
    assert isinstance(event, CellsRan)
    assert (event.cells, event.execution_count, event.cell_id) == (5, 4, "c4")
    assert (event.time, event.until) == (at(0), at(4.1))
    assert event.longest_seconds == pytest.approx(6)
    assert event.seconds == pytest.approx(30)


def test_after_a_pause_a_new_record_begins(journal: Journal) -> None:
    journal.ran(run(0, 0.1))
    journal.ran(run(11, 11.1))
    assert len(journal) == 2


@pytest.mark.parametrize(("minutes", "records"), [(10, 1), (10.01, 2), (-0.2, 2)])
def test_a_pause_is_longer_than_ten_minutes_or_a_clock_that_was_set_back(
    journal: Journal, minutes: float, records: int
) -> None:
    first, then = run(-0.1, 0), run(minutes, minutes + 0.1)
    journal.ran(first)
    journal.ran(then)
    assert len(journal) == records
    told = Journal("other")
    told.changed(file(0, "saved", "a.ipynb"))
    told.changed(file(minutes, "saved", "a.ipynb"))
    assert len(told) == records


def test_a_record_of_quick_cells_lasts_an_hour_at_most(journal: Journal) -> None:
    for minute in range(0, 120, 5):
        journal.ran(run(minute, minute + 0.1))
    assert len(journal) == 2


@pytest.mark.parametrize(("last", "records"), [(60, 1), (60.01, 2)])
def test_a_record_lasts_an_hour_from_its_beginning_to_its_end(
    journal: Journal, last: float, records: int
) -> None:
    for minute in (*range(0, 60, 6), last - 0.5):
        journal.ran(run(minute, minute + 0.5))
    assert len(journal) == records
    saves = Journal("other")
    for minute in (*range(0, 60, 6), last):
        saves.changed(file(minute, "saved", "a.ipynb"))
    assert len(saves) == records


def test_quick_cells_of_two_notebooks_and_of_none_are_told_apart(journal: Journal) -> None:
    for minute, path in enumerate(["a.ipynb", "b.ipynb", None, "a.ipynb"]):
        journal.ran(run(minute, minute + 0.1, path=path))
    told = {event.path: event.cells for event in journal if isinstance(event, CellsRan)}
    assert told == {"a.ipynb": 2, "b.ipynb": 1, None: 1}


def test_the_longest_of_many_cells_is_told_wherever_it_was(journal: Journal) -> None:
    for minute, seconds in enumerate([5, 20, 10]):
        journal.ran(run(minute, minute + seconds / 60))
    event = only(journal)
    assert isinstance(event, CellsRan)
    assert event.longest_seconds == pytest.approx(20)


def test_cells_after_the_owner_has_gone_are_told_apart(journal: Journal) -> None:
    journal.ran(run(0, 0.1))
    journal.cut()
    journal.ran(run(1, 1.1))
    assert len(journal) == 2


def test_all_but_deaths_in_a_row_is_told_apart_after_the_owner_has_gone(journal: Journal) -> None:
    for minute in range(2):
        journal.ran(failed(minute, minute))
        journal.changed(file(minute, "saved", "a.ipynb"))
        journal.happened(kernel(minute, "interrupted"))
        journal.died(kernel(minute), again=True)
        journal.cut()
    assert len(journal) == 7
    death = journal.latest_death("k1")
    assert death is not None
    assert death.times == 2


def test_a_long_execution_is_a_record_of_its_own(journal: Journal) -> None:
    journal.ran(run(0, 0.1))
    journal.ran(run(1, 3))
    journal.ran(run(4, 4.1))
    assert sorted(type(event).__name__ for event in journal) == ["CellRun", "CellsRan"]


def test_an_execution_is_a_long_one_from_a_minute_on(journal: Journal) -> None:
    journal.ran(run(0, 1, seconds=59.9))
    journal.ran(long := run(1, 2, seconds=60.0))
    assert [type(event) for event in journal] == [CellsRan, CellRun]
    assert journal.get(long.id) == long


def test_what_was_recorded_while_it_ran_is_replaced_when_it_ends(journal: Journal) -> None:
    started = run(0)
    journal.put(started)
    journal.ran(run(0, 0.1, id=started.id))
    assert isinstance(only(journal), CellsRan)
    journal.put(started := run(5))
    journal.ran(run(5, 60, id=started.id))
    assert journal.get(started.id) is not None


def test_the_same_error_again_and_again_is_one_record(journal: Journal) -> None:
    for second in range(100):
        journal.ran(failed(second / 60, second / 60))
    event = only(journal)
    assert isinstance(event, CellRun)
    assert event.times == 100
    assert event.time == at(0)


def test_other_errors_are_told_by_themselves_up_to_a_number(journal: Journal) -> None:
    for second in range(500):
        journal.ran(failed(second / 60, second / 60, error_text=f"{second}"))
    told = [event for event in journal if isinstance(event, CellRun)]
    assert [event.error_text for event in told] == [f"{second}" for second in range(10)]
    assert {event.times for event in told} == {1}
    assert [event.others for event in told] == [0] * 9 + [490]


@pytest.mark.parametrize(("minutes", "told"), [(10, 10), (10.01, 11)])
def test_errors_are_told_by_themselves_again_after_ten_minutes(
    journal: Journal, minutes: float, told: int
) -> None:
    for number in range(10):
        journal.ran(failed(0, number, error_text=f"{number}"))
    journal.ran(failed(minutes, minutes, error_text="later"))
    assert len(journal) == told
    if told == 11:  # and there may be as many of them
        for number in range(20):
            journal.ran(failed(minutes + 1, minutes + 1, error_text=f"{number}"))
        assert len(journal) == 20


def test_an_error_that_is_the_first_of_its_notebook_is_told_whatever_its_kernel_said(
    journal: Journal,
) -> None:
    for number in range(20):
        journal.ran(failed(0, 0, error_text=f"{number}"))
    journal.ran(failed(1, 1, path="other.ipynb"))
    assert [event.path for event in journal if isinstance(event, CellRun)][10:] == ["other.ipynb"]


def test_the_same_error_ends_with_its_last_time(journal: Journal) -> None:
    journal.ran(first := failed(0, 1))
    journal.ran(failed(2, 3, seconds=7.0))
    assert only(journal) == replace(first, until=at(3), seconds=7.0, times=2)
    journal.ran(failed(4, 5, cell_id="c2"))
    journal.ran(failed(6, 7, cell_id="c2", error_name="ValueError"))
    assert len(journal) == 3


def test_the_kernels_that_fail_are_not_remembered_for_ever(journal: Journal) -> None:
    for number in range(3000):
        journal.ran(failed(0, 0, kernel_id=f"k{number}"))
    assert len(journal._errors) <= 1000
    assert len(journal._latest) <= 1000


def test_of_too_many_kernels_the_one_that_began_last_is_still_followed(journal: Journal) -> None:
    journal.ran(run(0, 0.1, kernel_id="first"))
    journal.ran(run(0, 0.1, kernel_id="busy"))
    for number in range(998):
        journal.ran(run(0, 0.1, kernel_id=f"k{number}"))
    journal.ran(run(20, 20.1, kernel_id="busy"))  # anew, after a pause
    followed = ("busy", "new", "newer")
    for name in followed[1:]:
        journal.ran(run(20, 20.1, kernel_id=name))
    before = len(journal)
    for name in followed:
        journal.ran(run(20.1, 20.2, kernel_id=name))
    assert len(journal) == before


def test_errors_of_two_notebooks_are_two(journal: Journal) -> None:
    journal.ran(failed(0, 0))
    journal.ran(failed(1, 1, path="other.ipynb", kernel_id="k2"))
    assert len(journal) == 2


def test_deaths_in_a_row_are_one_that_happened_often(journal: Journal) -> None:
    journal.died(kernel(0), again=False)
    journal.died(kernel(0.1, execution_count=None, cell_id=None), again=True)
    journal.died(kernel(0.2, restarted=False), again=True)
    event = only(journal)
    assert isinstance(event, KernelEvent)
    assert (event.times, event.time, event.restarted) == (3, at(0), False)
    assert event.execution_count == 14
    journal.died(kernel(60), again=False)
    assert len(journal) == 2


def test_of_deaths_in_a_row_the_last_says_of_what_and_what_was_running(journal: Journal) -> None:
    first, last = kernel(0, restarted=True), kernel(1, restarted=False, stays=True)
    last = replace(last, cause=None, cell_id="c2", execution_count=15)
    assert journal.died(first, again=True) == first.id  # none was known
    assert journal.died(last, again=True) == first.id
    assert journal.latest_death("k1") == replace(last, id=first.id, time=at(0), times=2)
    assert journal.latest_death("k2") is None
    journal.died(kernel(2, kernel_id="k2"), again=True)
    assert len(journal) == 2


def test_saves_in_a_row_are_one_and_renames_are_not(journal: Journal) -> None:
    for minute in range(5):
        journal.changed(file(minute, "saved", "a.ipynb"))
        journal.changed(file(minute, "renamed", "b.ipynb", "a.ipynb"))
    saved = [e for e in journal if isinstance(e, FileEvent) and e.action == "saved"]
    assert [(event.times, event.until) for event in saved] == [(5, at(4))]
    assert len(journal) == 6


@pytest.mark.parametrize(("seconds", "told"), [(4.9, ["copied"]), (5.0, ["saved", "copied"])])
def test_a_copy_is_not_told_as_saved_too(journal: Journal, seconds: float, told: list[str]) -> None:
    journal.changed(file(0, "saved", "copy.csv"))
    journal.changed(file(seconds / 60, "copied", "copy.csv", "a.csv"))
    assert [event.action for event in journal if isinstance(event, FileEvent)] == told


def test_what_is_saved_by_itself_stays_when_another_file_is_copied(journal: Journal) -> None:
    journal.changed(file(0, "saved", "a.csv"))
    journal.changed(file(0, "copied", "copy.csv", "a.csv"))
    assert len(journal) == 2


def test_a_session_that_follows_its_kernel_names_what_was_recorded(journal: Journal) -> None:
    journal.put(kernel(0, "started", path=None, name="python3"))
    journal.ran(run(0, 0.1, path=None))
    journal.put(kernel(0, "started", path=None, name="other", kernel_id="k2"))
    ours = Journal("life")
    for event in journal:
        ours.put(replace(event, id=ours.new_id()))
    ours.name("k1", "train.ipynb", "train.ipynb")
    paths = {getattr(event, "kernel_id", ""): getattr(event, "path", "") for event in ours}
    assert paths == {"k1": "train.ipynb", "k2": None}
    assert "python3" not in repr(list(ours))


def test_what_goes_on_when_a_kernel_is_named_is_of_the_same_record(journal: Journal) -> None:
    journal.ran(run(0, 0.1, path=None))
    journal.ran(failed(1, 2, id=journal.new_id(), path=None))
    journal.ran(run(0, 0.1, path=None, kernel_id="k2"))
    journal.name("k1", "train.ipynb", "train.ipynb")
    journal.ran(run(3, 3.1))
    journal.ran(failed(4, 5))
    journal.ran(run(3, 3.1, path=None, kernel_id="k2"))
    assert [e.cells for e in journal if isinstance(e, CellsRan)] == [2, 2]
    assert [e.times for e in journal if isinstance(e, CellRun)] == [2]


def test_only_what_had_no_name_in_this_life_is_named(journal: Journal) -> None:
    former = run(0, 5, id="former-1", path=None)
    named = kernel(5, "started", id=journal.new_id(), path="a.ipynb", name="a.ipynb")
    journal.load(Records([former]))
    journal.put(named)
    journal.put(program(6, "started"))
    journal.changes()
    journal.name("k1", "b.ipynb", "b.ipynb")
    assert journal.get(former.id) == former
    assert journal.get(named.id) == named
    assert journal.changes().events == []


def test_what_happens_to_a_kernel_again_and_again_is_one_record(journal: Journal) -> None:
    for minute in range(5):
        journal.happened(kernel(minute, "interrupted"))
    journal.happened(kernel(5, "restarted"))
    told = [(e.action, e.times, e.time) for e in journal if isinstance(e, KernelEvent)]
    assert told == [("interrupted", 5, at(4)), ("restarted", 1, at(5))]


def test_there_are_never_more_than_so_many_and_the_rare_ones_stay(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_EVENTS", 10)
    journal.put(rare := kernel(0))
    for minute in range(25):
        journal.put(run(minute, minute + 5))
    assert [e.time for e in journal if isinstance(e, CellRun)] == [at(m) for m in range(16, 25)]
    assert journal.get(rare.id) == rare
    full = Journal("other")
    full.load(Records([run(minute, minute + 5) for minute in range(25)]))
    assert len(full) == 10


def test_there_may_be_as_many_as_so_many_and_none_less(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_EVENTS", 10)
    for minute in range(10):
        journal.put(run(minute, minute + 5))
    assert len(journal) == 10


def test_texts_without_end_take_no_more_than_so_much(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 20_000)
    for minute in range(100):
        journal.put(file(minute, "saved", f"{minute}" * 1000))
    assert 1 < len(journal) < 20


LONG = "x" * 10_000


@pytest.mark.parametrize(
    "event",
    [
        failed(0, 1, error_text=LONG),
        file(0, "renamed", "b.ipynb", LONG),
        file(0, "saved", LONG),
        kernel(0, cause=Reason(code="kernel_died", message=LONG, params={})),
        replace(program(0, "failed"), reason=Reason(code="x", message=LONG, params={})),
    ],
    ids=["error", "former name", "name", "cause", "reason"],
)
def test_every_text_that_may_be_long_counts(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, event: Any
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 50_000)
    for number in range(20):
        journal.put(replace(event, id=f"{number}"))
    assert len(journal) == 4
    assert journal.get("19") is not None


def test_what_was_changed_or_removed_takes_no_room(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 50_000)
    journal.put(first := file(0, "saved", LONG))
    for minute in range(20):
        journal.put(replace(first, until=at(minute)))
        journal.remove(journal.put(file(minute, "saved", LONG)))
    journal.put(file(30, "saved", LONG))
    journal.load(Records([file(-1, "saved", LONG)]))  # which counts anew
    assert [event.path for event in journal if isinstance(event, FileEvent)] == [LONG] * 3


def test_what_is_loaded_makes_room_for_what_is_newer(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 50_000)
    journal.put(present := file(30, "saved", LONG))
    journal.load(Records([file(minute, "saved", LONG) for minute in range(20)]))
    assert [event.time for event in journal] == [at(17), at(18), at(19), at(30)]
    assert len(journal.changes().gone) == 17
    assert journal.get(present.id) == present


def test_records_of_one_notebook_hold_its_name_once(journal: Journal) -> None:
    for minute in range(0, 60, 5):
        journal.put(run(minute, minute + 5, path="".join(["data/", "train.ipynb"])))
    assert len({id(event.path) for event in journal if isinstance(event, CellRun)}) == 1


def test_what_is_too_old_is_forgotten_but_not_what_still_runs(journal: Journal) -> None:
    journal.put(run(0, 5))
    journal.put(started := run(0))
    journal.put(run(100, 105))
    journal.forget_before(at(50))
    assert len(journal) == 2
    assert journal.get(started.id) is not None


def test_what_ended_at_the_moment_is_not_too_old(journal: Journal) -> None:
    journal.put(run(0, 5))
    journal.forget_before(at(5))
    assert len(journal) == 1


def test_erasing_leaves_only_what_still_runs(journal: Journal) -> None:
    journal.put(started := run(0))
    journal.put(kernel(0))
    journal.ran(run(0, 0.1))
    journal.put(program(0, "started", "ended"))
    journal.put(opened := program(0, "started"))
    journal.erase(["TensorBoard"])
    assert {event.id for event in journal} == {started.id, opened.id}
    journal.remove(opened.id)
    journal.ran(run(0.2, 0.3))  # begins a new record
    assert len(journal) == 2


def test_after_erasing_errors_are_told_by_themselves_again(journal: Journal) -> None:
    for number in range(20):
        journal.ran(failed(0, 0, error_text=f"{number}"))
    journal.erase()
    for number in range(20):
        journal.ran(failed(1, 1, error_text=f"{number}"))
    assert len(journal) == 10


def test_after_erasing_nothing_is_added_to_what_still_runs(journal: Journal) -> None:
    journal.put(running := run(0))
    journal.happened(kernel(0, "interrupted"))
    journal.died(kernel(0), again=False)
    journal.erase()
    assert journal.latest_death("k1") is None
    assert [event.id for event in journal] == [running.id]


def test_changes_are_what_the_file_lacks(journal: Journal) -> None:
    journal.put(first := run(0, 5))
    journal.put(second := run(5, 10))
    assert {event.id for event in journal.changes().events} == {first.id, second.id}
    assert journal.changes() == ([], [], False)
    journal.remove(first.id)
    changes = journal.changes()
    assert (changes.events, changes.gone) == ([], [first.id])
    journal.put_back([second.id, first.id], [first.id], is_anew=False)
    changes = journal.changes()
    assert ([event.id for event in changes.events], changes.gone) == ([second.id], [first.id])


def test_what_was_removed_and_is_there_again_is_not_gone(journal: Journal) -> None:
    journal.put(event := run(0, 5))
    journal.changes()
    journal.remove(event.id)
    journal.put(event)
    assert journal.changes() == ([event], [], False)


def test_what_was_removed_is_not_loaded(journal: Journal) -> None:
    journal.remove(journal.put(event := run(0, 5)))
    journal.load(Records([event, other := run(5, 10)]))
    assert [one.id for one in journal] == [other.id]


def test_a_file_is_replaced_by_all_there_is_and_only_once(journal: Journal) -> None:
    journal.load(Records([old := run(0, 5)]))
    journal.remove(journal.put(run(5, 10)))
    journal.rewrite()
    assert journal.changes() == ([old], [], True)
    assert journal.changes() == ([], [], False)
    journal.put_back([], [], is_anew=True)
    assert journal.changes() == ([old], [], True)
    journal.rewrite()
    journal.put_back([], [], is_anew=False)
    assert journal.changes().is_anew


def test_what_was_not_written_is_not_undone_by_what_came_since(journal: Journal) -> None:
    journal.put(kept := run(0, 5))
    journal.remove(journal.put(gone := run(5, 10)))
    journal.changes()
    # In the meantime the one is gone, and the other is back.
    journal.remove(kept.id)
    journal.put(gone)
    journal.put_back([kept.id], [gone.id], is_anew=False)
    assert journal.changes() == ([gone], [kept.id], False)


def test_what_is_gone_takes_no_memory_while_the_disk_is_full(journal: Journal) -> None:
    for minute in range(5000):
        journal.remove(journal.put(run(minute, minute + 5)))
    journal.put(last := run(0, 5))
    changes = journal.changes()
    assert (changes.events, changes.gone, changes.is_anew) == ([last], [], True)


def test_up_to_a_number_what_is_gone_is_known_one_by_one(journal: Journal) -> None:
    for minute in range(2000):
        journal.remove(journal.put(run(minute, minute + 5)))
    assert len(journal._dirty) == 0
    assert len(journal._gone) == 2000
    journal.remove(journal.put(run(0, 5)))
    assert len(journal._gone) == 0
    assert journal.changes() == ([], [], True)


def test_what_was_recorded_before_comes_first(journal: Journal) -> None:
    journal.put(present := run(100, 105))
    older, oldest = run(50, 55), run(0, 5)
    journal.load(Records([oldest, older]))
    assert [event.id for event in journal] == [oldest.id, older.id, present.id]


moments = st.integers(0, 3000).map(lambda tenths: tenths / 10)


@st.composite
def endings(draw: Any) -> CellRun:
    start = draw(moments)
    end = start + draw(st.sampled_from([0.01, 0.5, 5]))
    outcome = draw(st.sampled_from(["finished", "finished", "failed", "interrupted"]))
    text = draw(st.sampled_from(["a", "b"]))
    name = draw(st.sampled_from(["k1", "k2"]))
    return run(start, end, outcome=outcome, error_text=text, kernel_id=name, path=f"{name}.ipynb")


@given(st.lists(endings(), max_size=60))
def test_however_they_are_put_together_no_execution_is_lost(runs: list[CellRun]) -> None:
    journal = Journal("life")
    for one in sorted(runs, key=lambda one: one.until or DAY):
        journal.ran(one)
    told = sum(event.cells if isinstance(event, CellsRan) else 1 for event in journal)
    again = sum(e.times - 1 + e.others for e in journal if isinstance(e, CellRun))
    assert told + again == len(runs)
    seconds = sum(event.seconds or 0 for event in journal if isinstance(event, CellsRan))
    quick = [one for one in runs if one.outcome == "finished" and (one.seconds or 0) < 60]
    assert seconds == pytest.approx(sum(one.seconds or 0 for one in quick))


def test_ids_are_of_one_life_and_none_is_given_twice(journal: Journal) -> None:
    ids = [journal.new_id() for _ in range(3)]
    assert len(set(ids)) == 3
    assert all(map(journal.is_ours, ids))
    assert not any(map(Journal("lif").is_ours, ids))


def test_a_life_that_is_forgotten_leaves_those_before(journal: Journal) -> None:
    journal.load(Records([former := run(0, 5)]))
    journal.put(run(5, 10, id=journal.new_id()))
    journal.forget_ours()
    assert only(journal) == former


def test_every_kind_of_event_has_an_end() -> None:
    assert ended(run(0)) is None
    assert ended(run(0, 5)) == at(5)
    assert ended(kernel(7)) == at(7)
    assert ended(program(8, "started")) == at(8)
    assert ended(file(9, "saved", "a")) == at(9)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1e30, 1e30])
def test_a_time_that_is_none_breaks_nothing(seconds: float) -> None:
    assert utc(seconds) == utc(0)
    assert utc(0) + timedelta(days=1) == utc(86400)
