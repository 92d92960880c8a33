"""Kills that the kernel counted are tied to the deaths that Jupyter told of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_einfra.usage.alerts.deaths import Counters
from jupyter_einfra.usage.alerts.losses import LATE_SECONDS, NOTICED_SECONDS, Losses


def counted(*kills: int | None, origin: str = "/") -> Losses:
    """Losses that took one sample a second, from second 0 on."""
    losses = Losses()
    for second, kill in enumerate(kills):
        losses.count(float(second), Counters(kill, 0), origin)
    return losses


def test_a_death_is_compared_with_what_was_counted_before_it_can_have_happened() -> None:
    losses = counted(*[2] * 8, *[3] * 4)
    loss = losses.death(11.0, killed=True)
    assert (loss.before.oom_kills, loss.after.oom_kills) == (2, 3)


def test_an_old_kill_is_not_blamed_for_a_new_death() -> None:
    losses = counted(2, *[3] * 20)
    assert losses.unexplained(10.0) is not None
    loss = losses.death(1.1 + LATE_SECONDS, killed=True)
    assert not loss.was_told
    assert (loss.before.oom_kills, loss.after.oom_kills) == (3, 3)


def test_soon_after_the_start_the_first_count_has_to_do() -> None:
    assert counted(0, 1).death(1.0, killed=True).before.oom_kills == 0


def test_without_any_count_nothing_is_known() -> None:
    assert Losses().death(0.0, killed=True).after == Counters()


def test_a_kill_that_no_dead_kernel_explains_is_told_once_and_not_too_soon() -> None:
    losses = counted(0, 0, 1)
    assert losses.unexplained(2.0 + NOTICED_SECONDS - 0.1) is None
    loss = losses.unexplained(2.0 + NOTICED_SECONDS)
    assert loss is not None
    assert (loss.at_seconds, loss.before.oom_kills, loss.after.oom_kills) == (2.0, 0, 1)
    assert losses.unexplained(100.0) is None


def test_a_kernel_that_was_killed_explains_the_kill() -> None:
    losses = counted(0, 0, 1)
    losses.death(4.0, killed=True)
    assert losses.unexplained(100.0) is None


@pytest.mark.parametrize("is_told", [False, True])
def test_a_death_noticed_late_is_compared_with_what_was_counted_before_the_kill(
    is_told: bool,
) -> None:
    losses = counted(0, 0, *[1] * 12)
    if is_told:
        assert losses.unexplained(8.0) is not None
    loss = losses.death(11.0, killed=True)
    assert (loss.before.oom_kills, loss.after.oom_kills, loss.was_told) == (0, 1, is_told)
    assert losses.unexplained(100.0) is None


def test_all_that_were_noticed_late_are_compared() -> None:
    losses = counted(0, 0, *[2] * 12)
    losses.unexplained(8.0)
    for _ in range(2):
        assert losses.death(2.0 + LATE_SECONDS, killed=True).before.oom_kills == 0


def test_a_late_death_that_was_no_kill_is_not_compared_with_an_old_one() -> None:
    losses = counted(0, 0, *[1] * 12)
    losses.unexplained(8.0)
    loss = losses.death(11.0, killed=False)
    assert (loss.before.oom_kills, loss.was_told) == (1, False)


def test_a_new_kill_explains_a_death_before_an_old_one_does() -> None:
    losses = counted(0, *[1] * 12, 2)
    losses.unexplained(8.0)
    loss = losses.death(13.0, killed=True)
    assert (loss.before.oom_kills, loss.was_told) == (1, False)


def test_a_told_kill_of_another_group_explains_nothing() -> None:
    losses = counted(0, 1)
    losses.unexplained(8.0)
    for second in range(9, 20):
        losses.count(float(second), Counters(7, 0), "/other")
    assert losses.death(20.0, killed=True).before.oom_kills == 7


def test_a_kernel_that_crashed_beside_a_kill_does_not_explain_it() -> None:
    losses = counted(0, 0, 1)
    losses.death(4.0, killed=False)
    assert losses.unexplained(100.0) is not None


def test_a_server_moved_to_another_group_begins_anew() -> None:
    losses = counted(0, 0)
    losses.count(2.0, Counters(7, 0), "/other")
    assert losses.unexplained(100.0) is None
    assert losses.death(100.0, killed=True).before.oom_kills == 7


@given(st.lists(st.none() | st.integers(0, 5), max_size=60), st.booleans())
def test_what_cannot_be_compared_is_never_a_kill(kills: list[int | None], killed: bool) -> None:
    losses = counted(*kills)
    loss = losses.unexplained(1000.0)
    if loss is not None:
        before, later = loss.before.oom_kills, kills[int(loss.at_seconds)]
        assert before is not None
        assert later is not None
        assert later > before
    losses.death(1000.0, killed=killed)
