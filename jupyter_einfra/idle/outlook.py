"""From all that is known: whether this server will be kept, and how that is told.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Literal, NamedTuple

from msgspec.structs import replace

from ..models import Reason
from . import reasons
from .forecast import CLOCK_SECONDS, Evaluation, Forecast, Series, forecast
from .models import (
    IdleEvaluation,
    IdleExtension,
    IdlePolicy,
    IdleReport,
    IdleRule,
    IdleSource,
    IdleStatus,
    SourceName,
)
from .observed import Observed, certain, visible
from .picture import Curve, curve
from .policy import Gpus, Policy, Rule, Standing
from .published import PublishedState
from .starts import Start

DAY_SECONDS = 86400.0
HOUR_SECONDS = 3600.0

#: Of the time since the start; less of a history has parts that are worth a word.
_FULL = 0.95


class Word(NamedTuple):
    """What one of those who know better has to say."""

    name: SourceName
    state: PublishedState | None
    problem: Reason | None
    """Why it is not relied on."""


class Known(NamedTuple):
    """All that is known."""

    now: float
    policy: Policy | None
    """What the operator configured."""
    policies: Mapping[str, Policy]
    """All that are known, by their revisions."""
    policy_problem: Reason | None
    words: Sequence[Word]
    """Best first."""
    start: Start | None
    """None while what is remembered of it cannot be read."""
    observed: Observed | None
    gpus: Gpus
    """Whether GPUs were seen since the server started."""


class _Likely(NamedTuple):
    """A rule with what comes of it."""

    rule: Rule
    told: Forecast
    at_face_value: float
    """The earliest deletion if what the driver says of moments holds for all the time."""


def report(known: Known) -> IdleReport:
    """Tell all of it."""
    for word in known.words:
        if word.state is not None and word.problem is None:
            return _by_word(known, word.name, word.state)
    if known.policy is None:
        return _empty(known, known.policy_problem or reasons.NO_POLICY)
    return _by_estimate(known, known.policy)


def _by_word(known: Known, source: SourceName, state: PublishedState) -> IdleReport:
    policy = known.policies.get(state.policy)
    evaluated_at = state.evaluated_at.timestamp()
    # What the controller says of itself goes before what the policy says.
    rules = [
        replace(
            rule,
            threshold=state.threshold,
            counter_limit=state.counter_limit or rule.counter_limit,
        )
        for rule in (() if policy is None else policy.rules)
        if rule.metric == state.metric
    ]
    standing = Standing(counter=state.counter, evaluated_at=evaluated_at)
    likely = [_likely(known, rule, standing) for rule in rules]
    delete_at = None if state.delete_at is None else state.delete_at.timestamp()
    is_estimate = bool(likely) and (delete_at is None or _is_averted(likely[0].told, delete_at))
    if is_estimate:
        delete_at = likely[0].told.earliest
    status = IdleStatus(
        time=_time(known.now),
        level=_level(delete_at, known.now),
        policy=IdlePolicy(
            revision=state.policy,
            text=state.text or ("" if policy is None else policy.text),
            rule=_rule_of(rules[0]) if rules else None,
        ),
        reason=None if rules else reasons.revision_unknown(state.policy),
        source=source,
        sources=_sources(known),
        delete_at=_maybe(delete_at),
        is_estimate=is_estimate,
        counter=state.counter,
        counter_limit=state.counter_limit or (rules[0].counter_limit if rules else None),
        evaluated_at=state.evaluated_at,
        next_evaluation_at=_next(evaluated_at, rules[0], known.now) if rules else None,
        used_at=_maybe(likely[0].told.used_until) if likely else None,
        day_maximum=state.last_max,
        unseen=_unseen(known, rules) if rules else [],
        extension=None
        if state.extension is None
        else IdleExtension(
            most_seconds=state.extension.most_seconds,
            granted_until=state.extension.granted_until,
            text=state.extension.text,
        ),
    )
    way = [
        evaluation
        for evaluation in (likely[0].told.evaluations if likely else ())
        if evaluated_at < evaluation.at and (delete_at is None or evaluation.at <= delete_at)
    ]
    return _drawn(known, status, rules[0] if rules else None, way)


def _is_averted(told: Forecast, delete_at: float) -> bool:
    """Whether an evaluation before a deletion that was announced certainly finds use."""
    return any(one.used and one.at <= delete_at + CLOCK_SECONDS for one in told.evaluations)


def _by_estimate(known: Known, policy: Policy) -> IdleReport:
    rules = policy.rules_for(known.gpus)
    if known.start is None or known.observed is None:
        return _empty(known, reasons.HISTORY_LOST, policy)
    if not rules:
        return _empty(known, reasons.NO_RULE, policy)
    likely = [_likely(known, rule, None) for rule in rules]
    soonest = min(likely, key=lambda one: one.told.earliest)
    rule, told = soonest.rule, soonest.told
    level = _level(told.earliest, known.now)
    if level in ("day", "hour"):
        at_face_value = min(one.at_face_value for one in likely)
        is_blind = rule.metric == "gpu_busy_share" and not visible(known.observed)
        if is_blind or _level(at_face_value, known.now) == "kept":
            level = "unsure"
    status = IdleStatus(
        time=_time(known.now),
        level=level,
        policy=IdlePolicy(revision=policy.revision, text=policy.text, rule=_rule_of(rule)),
        reason=None,
        source="estimate",
        sources=_sources(known),
        delete_at=_time(told.earliest),
        is_estimate=True,
        counter=told.counter,
        counter_limit=rule.counter_limit,
        evaluated_at=None,
        next_evaluation_at=None,
        used_at=_maybe(told.used_until),
        day_maximum=None,
        unseen=_unseen(known, rules),
        extension=None,
    )
    return _drawn(known, status, rule, told.evaluations)


def _empty(known: Known, reason: Reason, policy: Policy | None = None) -> IdleReport:
    shown = None
    if policy is not None:
        shown = IdlePolicy(revision=policy.revision, text=policy.text, rule=None)
    status = IdleStatus(
        time=_time(known.now),
        level="unknown",
        policy=shown,
        reason=reason,
        source=None,
        sources=_sources(known),
        delete_at=None,
        is_estimate=False,
        counter=None,
        counter_limit=None,
        evaluated_at=None,
        next_evaluation_at=None,
        used_at=None,
        day_maximum=None,
        unseen=[],
        extension=None,
    )
    return IdleReport(
        status=status, since=_time(known.now), step_seconds=60.0, values=[], evaluations=[]
    )


def _likely(known: Known, rule: Rule, standing: Standing | None) -> _Likely:
    """Make the forecasts of one rule: of several devices, the one that is used most counts."""
    alive_since = -math.inf if known.start is None else known.start.first_seen

    def told(series: Series) -> Forecast:
        return forecast(rule, series, standing, known.now, alive_since=alive_since)

    nothing = Series(known.now, 60.0, [], [])
    observed = known.observed
    proven = [] if observed is None else certain(observed, rule.metric)
    best = _latest(told, proven or [nothing])
    if observed is None or not any(device.sees == "readings" for device in observed.gpus):
        return _Likely(rule, best, best.earliest)
    seen = certain(observed, rule.metric, at_face_value=True)
    return _Likely(rule, best, _latest(told, seen or [nothing]).earliest)


def _latest(told: Callable[[Series], Forecast], series: Sequence[Series]) -> Forecast:
    return max(map(told, series), key=lambda one: (one.earliest, one.used_until or 0.0))


def _level(
    delete_at: float | None, now: float
) -> Literal["unknown", "kept", "unsure", "day", "hour"]:
    if delete_at is None:
        return "unknown"
    left = delete_at - now
    return "hour" if left <= HOUR_SECONDS else "day" if left <= DAY_SECONDS else "kept"


def _next(evaluated_at: float, rule: Rule, now: float) -> datetime:
    """Return when the controller evaluates next; one that is late is expected any time."""
    return _time(max(now, evaluated_at + rule.evaluation_seconds))


def _rule_of(rule: Rule) -> IdleRule:
    return IdleRule(
        metric=rule.metric,
        threshold=rule.threshold,
        idle_at_threshold=rule.idle_at_threshold,
        averaging_seconds=rule.averaging_seconds,
        lookback_seconds=rule.lookback_seconds,
        evaluation_seconds=rule.evaluation_seconds,
        counter_limit=rule.counter_limit,
    )


def _sources(known: Known) -> list[IdleSource]:
    found = [
        IdleSource(
            name=word.name,
            time=None if word.state is None else word.state.evaluated_at,
            reason=word.problem,
        )
        for word in known.words
    ]
    missing = None
    if known.policy is None:
        missing = known.policy_problem or reasons.NO_POLICY
    elif known.start is None or known.observed is None:
        missing = reasons.HISTORY_LOST
    time = None if missing else _time(known.now)
    return [*found, IdleSource(name="estimate", time=time, reason=missing)]


def _unseen(known: Known, rules: Sequence[Rule]) -> list[Reason]:
    found = []
    metrics = {rule.metric for rule in rules}
    observed = known.observed
    if "gpu_busy_share" in metrics and observed is not None:
        seen = visible(observed)
        if any(device.sees == "nothing" for device in observed.gpus):
            found.append(reasons.GPU_SHARED)
        elif not seen:
            found.append(reasons.GPU_HIDDEN)
        if any(device.sees == "readings" for device in seen):
            found.append(reasons.GPU_MOMENTS)
    if len(metrics) > 1 and observed is not None and observed.gpus:
        found.append(reasons.GPUS_CHANGE)
    if observed is not None and known.start is not None:
        back = max(rule.counter_limit * rule.evaluation_seconds for rule in rules)
        if _known_share(observed, max(known.start.first_seen, known.now - back), known.now) < _FULL:
            found.append(reasons.HISTORY_SHORT)
    return found


def _known_share(observed: Observed, since: float, until: float) -> float:
    """Return the share of a time of which anything was recorded."""
    wanted = (until - since) / observed.width
    begin = max(0, math.ceil((since - observed.first) / observed.width))
    return sum(map(bool, observed.cpu.samples[begin:])) / wanted if wanted >= 1 else 1.0


def _drawn(
    known: Known, status: IdleStatus, rule: Rule | None, way: Sequence[Evaluation]
) -> IdleReport:
    """Add what it takes to draw it."""
    told = [] if known.start is None else known.start.told
    evaluations = [
        IdleEvaluation(time=_time(one.at), counter=one.counter, used=one.counter == 0, known=True)
        for one in told
        if status.source != "estimate"
    ]
    evaluations += [
        IdleEvaluation(time=_time(e.at), counter=e.counter, used=e.used, known=False) for e in way
    ]
    drawn: Curve | None = None
    if rule is not None and known.observed is not None:
        first = evaluations[0].time.timestamp() if evaluations else known.now
        since = min(known.now - DAY_SECONDS, first)
        drawn = curve(known.observed, rule, since, known.now)
    maximum = drawn.maximum(known.now - DAY_SECONDS) if drawn else None
    return IdleReport(
        status=status if maximum is None else replace(status, day_maximum=maximum),
        since=_time(drawn.since if drawn else known.now),
        step_seconds=drawn.step if drawn else 60.0,
        values=drawn.values if drawn else [],
        evaluations=evaluations,
    )


def _time(moment: float) -> datetime:
    """Make a time of seconds since 1970, to the second."""
    return datetime.fromtimestamp(round(moment), timezone.utc)


def _maybe(moment: float | None) -> datetime | None:
    return None if moment is None else _time(moment)
