"""What follows from an end: again, or not, and in which words."""

from __future__ import annotations

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_einfra.apps.supervision.lifecycle import (
    PAUSES_SECONDS,
    STEADY_SECONDS,
    End,
    Verdict,
    after,
)

ends = st.builds(
    End,
    exit_code=st.none() | st.integers(min_value=-64, max_value=255),
    was_ready=st.booleans(),
    lasted_seconds=st.floats(min_value=0, max_value=1e7),
    asked=st.booleans(),
)


def judged(exit_code: int | None = 1, *, restarts: int = 0, **changes: object) -> Verdict:
    given = {"was_ready": True, "lasted_seconds": 5.0, "asked": False, **changes}
    return after(End(exit_code=exit_code, **given), restarts=restarts, title="Fake")  # type: ignore[arg-type]


@given(end=ends, restarts=st.integers(min_value=0, max_value=3))
def test_every_end_has_a_verdict_that_explains_itself(end: End, restarts: int) -> None:
    verdict = after(end, restarts=restarts, title="Fake")
    assert verdict.reason is not None
    assert verdict.reason.message.startswith("Fake ")
    assert verdict.reason.params["name"] == "Fake"
    assert (verdict.pause_seconds > 0) == (verdict.state == "starting")
    assert verdict.restarts <= len(PAUSES_SECONDS)


@given(end=ends, restarts=st.integers(min_value=0, max_value=3))
def test_nothing_starts_by_itself_what_was_stopped_or_never_ran(end: End, restarts: int) -> None:
    if end.asked or end.exit_code == 0 or not end.was_ready:
        assert after(end, restarts=restarts, title="Fake").state != "starting"


@given(ends_in_a_row=st.lists(ends, max_size=30))
def test_it_is_started_again_at_most_three_times_in_a_row(ends_in_a_row: list[End]) -> None:
    restarts = in_a_row = 0
    for end in ends_in_a_row:
        if end.lasted_seconds >= STEADY_SECONDS:
            in_a_row = 0
        verdict = after(end, restarts=restarts, title="Fake")
        if verdict.state != "starting":
            return
        in_a_row += 1
        restarts = verdict.restarts
        assert in_a_row <= 3


def test_pauses_grow_and_the_fourth_error_is_the_last() -> None:
    pauses, restarts = [], 0
    while (verdict := judged(1, restarts=restarts)).state == "starting":
        pauses.append(verdict.pause_seconds)
        restarts = verdict.restarts
    assert pauses == [1.0, 4.0, 16.0]
    assert verdict.state == "failed"


def test_a_long_run_wipes_the_slate_clean() -> None:
    verdict = judged(1, restarts=3, lasted_seconds=STEADY_SECONDS)
    assert (verdict.state, verdict.restarts) == ("starting", 1)


@pytest.mark.parametrize(
    ("exit_code", "changes", "state", "code", "words"),
    [
        (0, {}, "stopped", "app_ended", "ended by itself"),
        (0, {"was_ready": False}, "stopped", "app_ended", "ended by itself"),
        (3, {"asked": True}, "stopped", "app_stopped", "was stopped"),
        (
            3,
            {"was_ready": False},
            "failed",
            "app_start_failed",
            "exit status 3 before it was ready.",
        ),
        (-9, {"was_ready": False}, "failed", "app_start_failed", "by SIGKILL before it was ready."),
        (None, {"was_ready": False}, "failed", "app_start_failed", "ready; nobody saw how."),
        (3, {}, "starting", "app_restarting", "being started again"),
        (-11, {"restarts": 3}, "failed", "app_failed", "SIGSEGV"),
        (-63, {"restarts": 3}, "failed", "app_failed", "signal 63"),
    ],
)
def test_each_end_has_its_own_words(
    exit_code: int | None, changes: dict[str, object], state: str, code: str, words: str
) -> None:
    restarts = int(changes.pop("restarts", 0))  # type: ignore[call-overload]
    verdict = judged(exit_code, restarts=restarts, **changes)
    assert verdict.reason is not None
    assert (verdict.state, verdict.reason.code) == (state, code)
    assert words in verdict.reason.message


def test_signals_are_named_and_numbers_are_numbers() -> None:
    verdict = judged(-signal.SIGTERM, restarts=3)
    assert verdict.reason is not None
    assert verdict.reason.params["signal_name"] == "SIGTERM"
    verdict = judged(7, restarts=3)
    assert verdict.reason is not None
    assert verdict.reason.params["exit_code"] == 7
