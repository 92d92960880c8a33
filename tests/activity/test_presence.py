"""An absence is told of once, however often the page is loaded anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_einfra.activity.presence import SETTLED_SECONDS, Presence

LEAST = 900.0
HOUR = 3600.0


def away(left: float, hours: float) -> Presence:
    here = Presence().come(left - HOUR, LEAST).leave(left)
    return here.come(left + hours * HOUR, LEAST)


def test_who_comes_for_the_first_time_was_not_away() -> None:
    assert Presence().come(1000.0, LEAST).away_since is None


def test_an_absence_lasts_from_leaving_to_coming_back() -> None:
    back = away(10 * HOUR, 5)
    assert (back.away_since, back.back_at) == (10 * HOUR, 15 * HOUR)


def test_a_short_absence_is_none() -> None:
    assert away(10 * HOUR, 0.2).away_since is None


def test_an_absence_is_one_from_the_least_on() -> None:
    here = Presence().come(HOUR, LEAST).leave(2 * HOUR)
    assert here.come(2 * HOUR + LEAST - 1, LEAST).away_since is None
    assert here.come(2 * HOUR + LEAST, LEAST).away_since == 2 * HOUR


def test_a_reload_does_not_end_an_absence_that_was_not_told() -> None:
    back = away(10 * HOUR, 5)
    again = back.leave(15 * HOUR + 20).come(15 * HOUR + 25, LEAST)
    assert again.away_since == 10 * HOUR


def test_whoever_comes_twice_in_a_row_for_a_moment_was_away_all_the_time() -> None:
    back = away(10 * HOUR, 5)
    again = back.leave(15 * HOUR + 20).come(20 * HOUR, LEAST)
    assert (again.away_since, again.back_at) == (10 * HOUR, 20 * HOUR)


def test_whoever_stays_has_seen_what_there_is() -> None:
    back = away(10 * HOUR, 5)
    assert back.settled(15 * HOUR + SETTLED_SECONDS - 1).away_since is not None
    settled = back.settled(15 * HOUR + SETTLED_SECONDS)
    assert (settled.away_since, settled.told_at) == (None, None)
    assert back.leave(16 * HOUR).away_since is None
    tomorrow = back.leave(16 * HOUR).come(30 * HOUR, LEAST)
    assert (tomorrow.away_since, tomorrow.back_at) == (16 * HOUR, 30 * HOUR)


def test_what_was_told_is_not_told_again() -> None:
    told = away(10 * HOUR, 5).told(15 * HOUR + 5)
    assert (told.away_since, told.told_at) == (None, 15 * HOUR + 5)
    assert told.leave(15 * HOUR + 60).come(15 * HOUR + 70, LEAST).away_since is None


def test_a_server_that_was_killed_knows_when_it_last_saw_its_owner() -> None:
    here = Presence().come(1 * HOUR, LEAST).see(2 * HOUR)
    assert here.woken().come(10 * HOUR, LEAST).away_since == 2 * HOUR


def test_a_clock_that_is_set_back_makes_no_absence() -> None:
    here = Presence().come(10 * HOUR, LEAST).leave(11 * HOUR)
    assert here.come(1 * HOUR, LEAST).away_since is None


def test_an_absence_that_goes_on_after_the_clock_was_set_back_has_all_of_its_length() -> None:
    back = away(10 * HOUR, 5)
    again = back.leave(2 * HOUR).come(3 * HOUR, LEAST)
    assert (again.away_since, again.back_at) == (2 * HOUR, 3 * HOUR)


steps = st.lists(st.tuples(st.sampled_from(["come", "leave", "see", "told"]), st.floats(0, 1e6)))


@given(steps)
def test_an_absence_always_has_both_its_ends(steps: list[tuple[str, float]]) -> None:
    presence = Presence()
    for what, now in steps:
        if what == "come":
            presence = presence.come(now, LEAST)
        elif what == "leave":
            presence = presence.leave(now)
        elif what == "see":
            presence = presence.see(now).settled(now)
        else:
            presence = presence.told(now)
        assert (presence.away_since is None) == (presence.back_at is None)
        if presence.away_since is not None and presence.back_at is not None:
            assert presence.back_at - presence.away_since >= LEAST
