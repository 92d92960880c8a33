"""When something is stopped that nobody uses; time is an argument."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_einfra.apps.presence.policy import (
    MOST_SECONDS,
    Idle,
    Limit,
    look,
    remaining_seconds,
)

LIMIT = Limit(idle_seconds=3600.0, warning_seconds=600.0)

#: Clocks that stand, go, jump ahead by years, and back.
ELAPSED = st.one_of(st.just(60.0), st.floats(-1e9, 1e9))
LOOKS = st.lists(st.tuples(ELAPSED, st.sampled_from([False] * 9 + [True])), max_size=300)
LIMITS = st.builds(Limit, st.floats(300, 1e5), st.floats(60, 1e5))


def played(limit: Limit, looks: list[tuple[float, bool]]) -> list[str]:
    acts: list[str] = []
    idle = Idle()
    for elapsed, is_used in looks:
        idle, act = look(idle, limit, elapsed_seconds=elapsed, is_used=is_used)
        acts.append(act)
        if act == "stop":
            break
    return acts


def test_it_warns_and_stops_at_the_times_that_are_set() -> None:
    acts = played(LIMIT, [(60.0, False)] * 100)
    assert [i + 1 for i, act in enumerate(acts) if act == "warn"] == [50]
    assert [i + 1 for i, act in enumerate(acts) if act == "stop"] == [60]


def test_use_takes_the_warning_back_and_begins_anew() -> None:
    looks = [(60.0, False)] * 55 + [(60.0, True)] + [(60.0, False)] * 59
    acts = played(LIMIT, looks)
    assert acts.count("warn") == 2
    assert "stop" not in acts
    assert not look(Idle(3000.0, 0.0), LIMIT, elapsed_seconds=60.0, is_used=True)[0].is_warned
    assert played(LIMIT, [*looks, (60.0, False)])[-1] == "stop"


def test_a_warning_longer_than_the_limit_comes_at_once_and_counts() -> None:
    limit = Limit(idle_seconds=300.0, warning_seconds=900.0)
    acts = played(limit, [(60.0, False)] * 30)
    assert acts[0] == "warn"
    assert acts.index("stop") == 15


@given(LIMITS, LOOKS)
def test_nothing_is_stopped_without_a_warning_that_stood(
    limit: Limit, looks: list[tuple[float, bool]]
) -> None:
    acts = played(limit, looks)
    if "stop" not in acts:
        return
    stop = acts.index("stop")
    warn = max(i for i, act in enumerate(acts) if act == "warn")
    stood = [min(max(elapsed, 0.0), MOST_SECONDS) for elapsed, _ in looks[warn + 1 : stop + 1]]
    assert sum(stood) >= limit.warning_seconds - 1e-6
    # However clocks jump, that is so many looks at which a page could have been told.
    assert len(stood) >= limit.warning_seconds / MOST_SECONDS
    unused = [min(max(e, 0.0), MOST_SECONDS) for e, _ in looks[: stop + 1]]
    assert sum(unused) >= limit.idle_seconds - 1e-6


@given(LIMITS, LOOKS)
def test_nothing_is_stopped_at_a_look_that_finds_it_used(
    limit: Limit, looks: list[tuple[float, bool]]
) -> None:
    acts = played(limit, looks)
    for act, (_, is_used) in zip(acts, looks, strict=False):
        assert not is_used or act == "nothing"


@given(LIMITS, LOOKS)
def test_what_remains_is_told_right(limit: Limit, looks: list[tuple[float, bool]]) -> None:
    idle = Idle()
    for elapsed, is_used in looks:
        before = remaining_seconds(idle, limit)
        idle, act = look(idle, limit, elapsed_seconds=elapsed, is_used=is_used)
        if act == "stop":
            assert before <= MOST_SECONDS + 1e-6
        else:
            assert remaining_seconds(idle, limit) >= 0.0
