"""An execution begins when the kernel says so, and ends when it does, whatever comes between."""

from __future__ import annotations

from jupyter_einfra.activity.executions import Executions
from jupyter_einfra.activity.messages import Message


def begin(executions: Executions, ident: str = "r1", when: float = 100.0) -> None:
    begun, ended = executions.hear(Message("input", ident, 3), when, when, "c1")
    assert begun is not None
    assert ended is None


def test_an_execution_ends_with_its_idle() -> None:
    executions = Executions()
    begin(executions)
    begun, ended = executions.hear(Message("idle", "r1"), 160.0, 160.0, None)
    assert begun is None
    assert ended is not None
    assert (ended.began, ended.execution_count, ended.cell_id, ended.error) == (100, 3, "c1", None)
    assert executions.running == []


def test_an_error_is_of_the_execution_that_it_names() -> None:
    executions = Executions()
    begin(executions, "r1")
    begin(executions, "r2")
    executions.hear(Message("error", "r1", None, "KeyError", "'a'"), 101.0, 101.0, None)
    _, second = executions.hear(Message("idle", "r2"), 102.0, 102.0, None)
    _, first = executions.hear(Message("idle", "r1"), 103.0, 103.0, None)
    assert first is not None
    assert second is not None
    assert (first.error, second.error) == (("KeyError", "'a'"), None)


def test_what_was_not_seen_to_begin_does_not_end() -> None:
    executions = Executions()
    for message in (Message("idle", "r1"), Message("error", "r1", None, "E", "")):
        assert executions.hear(message, 1.0, 1.0, None) == (None, None)


def test_a_beginning_that_is_told_twice_is_one() -> None:
    executions = Executions()
    begin(executions)
    assert executions.hear(Message("input", "r1", 3), 105.0, 105.0, "c1") == (None, None)
    assert [execution.began for execution in executions.running] == [100.0]


def test_with_its_kernel_all_of_it_ends() -> None:
    executions = Executions()
    begin(executions, "r1")
    begin(executions, "r2")
    assert [execution.request_id for execution in executions.end()] == ["r1", "r2"]
    assert executions.running == []


def test_a_kernel_gone_wild_takes_no_memory_without_end() -> None:
    executions = Executions()
    for number in range(1000):
        executions.hear(Message("input", f"r{number}", 1), 0.0, 0.0, None)
    assert len(executions.running) == 50
