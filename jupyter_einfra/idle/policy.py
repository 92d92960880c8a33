"""The rules by which a server that is not used is deleted, as data, and what follows from them.

A controller looks at each server once in a while (`evaluate`): was the highest mean of a
metric, over the time that it looks back on, below a threshold? Then a counter goes up, and
at a limit the server is deleted. Rules have changed with the years, so they are data.

A notebook does not know when the controller looks, nor all that it sees. `forecast` tells
from the least use that is certain when the server could be deleted at the earliest.

What a rule's figures mean, for whoever measures (``average``, ``step`` ... are its fields):

- CPU at a step: increase of the container's CPU time over the ``averaging`` time before it,
  by that time. GPU: mean of the device's busy share over that time, each scrape telling of
  the time since the scrape before; of several GPUs the busiest counts.
- Scrapes come every ``step``. A step counts if it has all scrapes of its averaging time.
- The maximum is that of all steps that count, over the ``lookback`` time or the server's
  life if that is shorter; the coverage is the share of those steps that count.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

Metric = Literal["cpu_cores", "gpu_busy_share"]

#: Whether a server had GPUs since it started.
Gpus = Literal["never", "sometimes", "always"]

#: Of one evaluation.
Verdict = Literal["idle", "used", "unseen", "young"]

_MOST_SECONDS = 366 * 86400

_Seconds = Annotated[int, Meta(ge=1, le=_MOST_SECONDS)]


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a server counts as not used, and when it is deleted for that."""

    metric: Metric
    threshold: Annotated[float, Meta(ge=0, le=1e6, description="In cores, or a share from 0 to 1.")]
    idle_at_threshold: Annotated[
        bool, Meta(description="Whether what is exactly at the threshold is idle, too.")
    ] = False
    averaging_seconds: Annotated[_Seconds, Meta(description="Time of which means are made.")] = 300
    lookback_seconds: Annotated[_Seconds, Meta(description="Time whose highest mean counts.")]
    step_seconds: Annotated[
        _Seconds, Meta(description="Time from one mean, and from one scrape, to the next.")
    ] = 30
    evaluation_seconds: Annotated[
        _Seconds, Meta(description="Time from one evaluation to the next.")
    ] = 86400
    counter_limit: Annotated[
        int, Meta(ge=1, le=1000, description="The server is deleted when its counter gets there.")
    ]
    reset: Annotated[
        Literal["to-zero", "one-less"],
        Meta(description="What an evaluation that finds use does to the counter."),
    ] = "to-zero"
    least_coverage: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="An evaluation with less than this share of its steps proves nothing, "
            "and the counter begins anew.",
        ),
    ] = 0.98
    least_age_seconds: Annotated[
        int, Meta(ge=0, le=366 * 86400, description="Younger servers are not evaluated.")
    ] = 0


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All rules of one revision."""

    version: Annotated[Literal[1], Meta(description="Of this format.")]
    revision: Annotated[
        str, Meta(min_length=1, max_length=80, description="The policy's own name, never reused.")
    ]
    text: Annotated[str, Meta(max_length=2000, description="The rules in words, for users.")]
    source: Annotated[str, Meta(max_length=500, description="Where they were published.")] = ""
    rules: Annotated[list[Rule], Meta(min_length=1, max_length=2)]
    gpu_only_if_requested: Annotated[
        bool,
        Meta(description="Whether on a server with a GPU only the rule for GPUs holds."),
    ] = True

    def __post_init__(self) -> None:
        """See that the rules make sense together."""
        metrics = [rule.metric for rule in self.rules]
        if len(set(metrics)) < len(metrics):
            raise ValueError("there are two rules for one metric")
        for rule in self.rules:
            if rule.averaging_seconds < 2 * rule.step_seconds:
                raise ValueError("averaging_seconds must be at least twice step_seconds")
            if rule.counter_limit * rule.evaluation_seconds > _MOST_SECONDS:
                raise ValueError("counter_limit times evaluation_seconds must be at most a year")
            if rule.lookback_seconds < rule.averaging_seconds:
                raise ValueError("lookback_seconds must not be less than averaging_seconds")

    def rules_for(self, gpus: Gpus) -> list[Rule]:
        """Return the rules that hold, or may hold, for a server.

        Parameters
        ----------
        gpus:
            Whether GPUs were seen since the server started. If they come and go, each rule
            may be the one.
        """
        if gpus == "never":
            return [rule for rule in self.rules if rule.metric == "cpu_cores"]
        if gpus == "always" and self.gpu_only_if_requested:
            return [rule for rule in self.rules if rule.metric == "gpu_busy_share"]
        return self.rules


class Standing(Struct, frozen=True, kw_only=True):
    """What an evaluation left behind; times in seconds since 1970."""

    counter: int
    evaluated_at: float | None = None
    verdict: Verdict | None = None
    maximum: float | None = None
    is_due: bool = False
    """Whether the server is to be deleted."""


def is_use(rule: Rule, value: float) -> bool:
    """Whether a mean of the metric is use."""
    return value > rule.threshold if rule.idle_at_threshold else value >= rule.threshold


def evaluate(
    rule: Rule,
    maximum: float | None,
    coverage: float,
    standing: Standing,
    now: float,
    *,
    started_at: float,
) -> Standing:
    """Evaluate a server, as a controller does.

    Parameters
    ----------
    rule:
        The one that holds for the server.
    maximum:
        Highest mean of the steps that count, see above; None if none does.
    coverage:
        Share of the steps that count, 0 to 1.
    standing:
        What the evaluation before left behind; a counter of 0 for a new server.
    now, started_at:
        When this is, and when the server was started, in seconds since 1970.
    """
    counter = standing.counter
    verdict: Verdict
    known = maximum if maximum is not None and maximum == maximum else None  # noqa: PLR0124 - NaN
    if now - started_at < rule.least_age_seconds:
        verdict = "young"
    elif known is not None and is_use(rule, known):
        verdict = "used"
        counter = 0 if rule.reset == "to-zero" else max(0, counter - 1)
    elif known is None or not coverage >= rule.least_coverage:
        verdict, counter = "unseen", 0
    else:
        verdict = "idle"
        counter += 1
    return replace(
        standing,
        counter=counter,
        evaluated_at=now,
        verdict=verdict,
        maximum=known,
        is_due=counter >= rule.counter_limit,
    )
