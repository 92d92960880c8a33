"""What means little is told in few records, and there is an end to how many there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jupyter_einfra.activity import journal as module
from jupyter_einfra.activity.journal import Journal, ended, utc
from jupyter_einfra.activity.models import ActivityEvent, CellRun, CellsRan, FileEvent, KernelEvent

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


def test_a_record_of_quick_cells_lasts_an_hour_at_most(journal: Journal) -> None:
    for minute in range(0, 120, 5):
        journal.ran(run(minute, minute + 0.1))
    assert len(journal) == 2


def test_cells_after_the_owner_has_gone_are_told_apart(journal: Journal) -> None:
    journal.ran(run(0, 0.1))
    journal.cut()
    journal.ran(run(1, 1.1))
    assert len(journal) == 2


def test_a_long_execution_is_a_record_of_its_own(journal: Journal) -> None:
    journal.ran(run(0, 0.1))
    journal.ran(run(1, 3))
    journal.ran(run(4, 4.1))
    assert sorted(type(event).__name__ for event in journal) == ["CellRun", "CellsRan"]


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


def test_the_kernels_that_fail_are_not_remembered_for_ever(journal: Journal) -> None:
    for number in range(3000):
        journal.ran(failed(0, 0, kernel_id=f"k{number}"))
    assert len(journal._errors) <= 1000
    assert len(journal._latest) <= 1000


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


def test_saves_in_a_row_are_one_and_renames_are_not(journal: Journal) -> None:
    for minute in range(5):
        journal.changed(file(minute, "saved", "a.ipynb"))
        journal.changed(file(minute, "renamed", "b.ipynb", "a.ipynb"))
    saved = [e for e in journal if isinstance(e, FileEvent) and e.action == "saved"]
    assert [(event.times, event.until) for event in saved] == [(5, at(4))]
    assert len(journal) == 6


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
    full.load([run(minute, minute + 5) for minute in range(25)])
    assert len(full) == 10


def test_texts_without_end_take_no_more_than_so_much(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 20_000)
    for minute in range(100):
        journal.put(file(minute, "saved", f"{minute}" * 1000))
    assert 1 < len(journal) < 20


def test_what_is_too_old_is_forgotten_but_not_what_still_runs(journal: Journal) -> None:
    journal.put(run(0, 5))
    journal.put(started := run(0))
    journal.put(run(100, 105))
    journal.forget_before(at(50))
    assert len(journal) == 2
    assert journal.get(started.id) is not None


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


def test_what_is_gone_takes_no_memory_while_the_disk_is_full(journal: Journal) -> None:
    for minute in range(5000):
        journal.remove(journal.put(run(minute, minute + 5)))
    journal.put(last := run(0, 5))
    changes = journal.changes()
    assert (changes.events, changes.gone, changes.is_anew) == ([last], [], True)


def test_what_was_recorded_before_comes_first(journal: Journal) -> None:
    journal.put(present := run(100, 105))
    older, oldest = run(50, 55), run(0, 5)
    journal.load([oldest, older])
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
