"""No forecast of a notebook's is later than what a controller does, and it is of use."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from jupyter_einfra.idle.forecast import Series, forecast
from jupyter_einfra.idle.observed import certain
from jupyter_einfra.idle.policies import presets
from jupyter_einfra.idle.policy import Rule, Standing, evaluate

from .workloads import DAY, EPOCH, Controller, Floats, Notebook, Workload

RULES = {
    f"{policy.revision}-{rule.metric}": rule
    for policy in presets().values()
    for rule in policy.rules
}
ANY_RULE = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)

quick = settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])


def horizon(rule: Rule) -> int:
    """How long a workload is, so that any server that is left alone is deleted in it."""
    return (
        rule.lookback_seconds
        + (rule.counter_limit + 1) * rule.evaluation_seconds
        + rule.least_age_seconds
    )


@st.composite
def uses(draw: st.DrawFn, rule: Rule, length: int) -> Floats:
    """Draw how a metric goes: steady, in bursts, on edges, and not at all."""
    edge = rule.threshold
    levels = [0.0, 0.0, edge * 0.5, edge * 0.999, edge, edge * 1.3, edge * 3, 0.0005, 0.3, 1.0]
    spans = [60, 600, 1800, 3600, 6 * 3600, 20 * 3600, DAY, 3 * DAY]
    found = np.zeros(length)
    at = 0
    for _ in range(draw(st.integers(0, 8))):
        part = found[at : at + draw(st.sampled_from(spans))]
        part[:] = draw(st.sampled_from(levels))
        if draw(st.booleans()):
            period = draw(st.sampled_from([7, 10, 30, 60, 61, 300, 600, 3600]))
            on = draw(st.integers(1, period))
            part[(np.arange(len(part)) + draw(st.integers(0, period - 1))) % period >= on] = 0
        at += len(part)
    return found


@st.composite
def intervals(draw: st.DrawFn, length: int, most: int, longest: int) -> list[tuple[int, int]]:
    found = []
    for _ in range(draw(st.integers(0, most))):
        start = draw(st.integers(0, length - 2))
        found.append((start, min(length - 1, start + draw(st.integers(1, longest)))))
    return apart(found)


def apart(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Leave out those that run into the next."""
    found.sort()
    return [one for one, after in pairwise([*found, (2**62, 2**62)]) if one[1] < after[0]]


@st.composite
def scenes(draw: st.DrawFn, rule: Rule) -> tuple[Controller, Notebook]:
    length = horizon(rule) + draw(st.integers(0, 4 * DAY))
    metric = draw(uses(rule, length))
    gpu = np.minimum(metric, 1.0) if rule.metric == "gpu_busy_share" else np.zeros(length)
    cpu = metric if rule.metric == "cpu_cores" else np.zeros(length)
    down = draw(intervals(length, 3, 1800)) + draw(intervals(length, 20, 29))
    workload = Workload(cpu, gpu, down=apart(down))
    controller = Controller(
        rule,
        phase=draw(st.integers(0, 29)),
        evaluates_at=draw(st.integers(0, rule.evaluation_seconds - 1)),
        gaps=draw(intervals(length, 6, 3 * 3600)),
    )
    # What was done on this home before is another server's.
    earlier = draw(st.sampled_from([0, 600, 36000, 2 * DAY]))
    seen = Workload(
        np.concatenate((np.full(earlier, 1.0), workload.cpu)),
        np.concatenate((np.full(earlier, 1.0), workload.gpu)),
        down=[(start + earlier, end + earlier) for start, end in workload.down],
    )
    length += earlier
    notebook = Notebook(
        seen,
        earlier=earlier,
        phase=draw(st.integers(0, 9)),
        sees=draw(st.sampled_from(["all", "readings", "nothing"])),
        stretch=draw(st.sampled_from([1.0, 2.5, 6.0])),
        watched=apart(draw(intervals(length, 3, 6 * 3600)) + draw(intervals(length, 40, 70))),
        away=draw(intervals(length, 3, 6 * 3600)),
    )
    return controller, notebook


def of_its_own(notebook: Notebook) -> Workload:
    """Return what was done since the server's start, which is all that a controller counts."""
    whole, earlier = notebook.workload, notebook.earlier
    down = [(start - earlier, end - earlier) for start, end in whole.down]
    return Workload(whole.cpu[earlier:], whole.gpu[earlier:], down=down)


def earliest(rule: Rule, notebook: Notebook, now: int, standing: Standing | None = None) -> float:
    """Return the forecast in seconds since the server's start."""
    observed = notebook.observed(now)
    series = certain(observed, rule.metric) or [Series(observed.first, observed.width, [], [])]
    return max(
        forecast(rule, one, standing, EPOCH + now, alive_since=EPOCH).earliest - EPOCH
        for one in series
    )


@ANY_RULE
@given(data=st.data())
@quick
def test_no_forecast_is_later_than_the_deletion(rule: Rule, data: st.DataObject) -> None:
    controller, notebook = data.draw(scenes(rule))
    deleted = controller.deletes_at(of_its_own(notebook))
    assume(deleted is not None)
    assert deleted is not None
    for share in (0.05, 0.3, 0.6, 0.9, 0.999):
        now = int(deleted * share)
        told = earliest(rule, notebook, now)
        assert now <= told <= deleted, f"at {now} of {deleted}"


@ANY_RULE
@given(data=st.data())
@quick
def test_nor_is_one_that_knows_the_counter(rule: Rule, data: st.DataObject) -> None:
    controller, notebook = data.draw(scenes(rule))
    deleted = controller.deletes_at(of_its_own(notebook))
    assume(deleted is not None)
    assert deleted is not None
    for at, _, counter in controller.verdicts[-3:-1]:
        now = at + data.draw(st.integers(0, rule.evaluation_seconds - 1))
        skew = data.draw(st.integers(-110, 110))  # of the controller's clock
        standing = Standing(counter=counter, evaluated_at=float(EPOCH + at + skew))
        assert now <= earliest(rule, notebook, now, standing) <= deleted


@ANY_RULE
@pytest.mark.parametrize("sees", ["all", "readings"])
@given(
    level=st.floats(0.7, 1.0),
    on=st.integers(55, 60),
    hours=st.integers(0, 15 * 24),
)
@quick
def test_a_busy_server_raises_no_alarm(
    rule: Rule, sees: str, level: float, on: int, hours: int
) -> None:
    length = 15 * DAY + 3600
    use = np.full(length, level)
    use[np.arange(length) % 60 >= on] = 0.0
    notebook = Notebook(Workload(use, use), phase=hours % 10, sees=sees)
    now = hours * 3600 + 600
    assert earliest(rule, notebook, now) > now + DAY


@ANY_RULE
def test_a_server_that_is_left_alone_is_told_its_end_days_before(rule: Rule) -> None:
    length = horizon(rule)
    use = np.zeros(length)
    use[: 6 * 3600] = 1.0
    notebook = Notebook(Workload(use, use), sees="all")
    deletions = [
        Controller(rule, phase=3, evaluates_at=at).deletes_at(notebook.workload)
        for at in range(0, rule.evaluation_seconds, 900)
    ]
    soonest = min(deleted for deleted in deletions if deleted is not None)
    told = earliest(rule, notebook, 6 * 3600 + 600)
    unseen = (1 - rule.least_coverage) * rule.lookback_seconds  # may be what the use was in
    assert soonest - unseen - 3600 < told <= soonest


@ANY_RULE
def test_use_that_the_controller_may_have_missed_is_not_counted_on(rule: Rule) -> None:
    """It scrapes nothing for as long as it may without starting anew."""
    use = np.zeros(horizon(rule))
    gap = int((1 - rule.least_coverage) * rule.lookback_seconds) - 400
    begin = rule.least_age_seconds + rule.lookback_seconds // 2
    use[begin + 200 : begin + gap - 200] = 1.0
    notebook = Notebook(Workload(use, use), sees="all")
    for at in range(0, rule.evaluation_seconds, 7200):
        controller = Controller(rule, phase=3, evaluates_at=at, gaps=[(begin, begin + gap)])
        deleted = controller.deletes_at(notebook.workload)
        assert deleted is not None
        now = min(deleted, begin + gap + 600)
        assert earliest(rule, notebook, now) <= deleted


@ANY_RULE
@given(data=st.data())
@quick
def test_a_forecast_does_not_wander(rule: Rule, data: st.DataObject) -> None:
    """While nothing is done, each says what the one before said, or that the time has come."""
    _, notebook = data.draw(scenes(rule))
    use = of_its_own(notebook)
    at = data.draw(st.integers(0, len(use) - 7200))
    use.cpu[at:], use.gpu[at:] = 0, 0
    notebook = Notebook(use, sees=notebook.sees)
    first = earliest(rule, notebook, at + 1200)
    now = at + 1200 + data.draw(st.integers(0, 3600))
    assert earliest(rule, notebook, now) == max(now, first)


@ANY_RULE
@given(data=st.data())
@quick
def test_evaluations_are_the_controller_s(rule: Rule, data: st.DataObject) -> None:
    """What our own controller will run says what the text does."""
    standing = Standing(counter=0)
    for _ in range(data.draw(st.integers(1, 12))):
        maximum = data.draw(
            st.sampled_from([None, 0.0, rule.threshold, rule.threshold * 2 + 0.01, float("nan")])
        )
        coverage = data.draw(st.sampled_from([0.0, 0.5, 0.979, 0.98, 1.0]))
        age = data.draw(st.sampled_from([0, rule.least_age_seconds, rule.least_age_seconds + 1]))
        before = standing.counter
        standing = evaluate(rule, maximum, coverage, standing, 1e9 + age, started_at=1e9)
        known = maximum is not None and maximum == maximum  # noqa: PLR0124 - not NaN
        if age < rule.least_age_seconds:
            expected = ("young", before)
        elif known and not (
            maximum == 0.0 or (maximum == rule.threshold and rule.idle_at_threshold)
        ):
            expected = ("used", 0)
        elif not known or coverage < 0.98:
            expected = ("unseen", 0)
        else:
            expected = ("idle", before + 1)
        assert (standing.verdict, standing.counter) == expected
        assert standing.is_due == (standing.counter >= rule.counter_limit)
