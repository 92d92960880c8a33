"""What an operator may configure, and what is said where it makes no sense."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_einfra.idle.policies import NoPolicy, load, presets

RULE = {"metric": "cpu_cores", "threshold": 0.1, "lookback_seconds": 86400, "counter_limit": 3}
POLICY = {"version": 1, "revision": "ours", "text": "", "rules": [RULE]}


def test_the_three_published_generations_are_there() -> None:
    found = presets()
    assert set(found) == {"2022-headline", "2022-mechanism", "2026-docs"}
    for policy in found.values():
        assert policy.text
        assert policy.source
        assert {rule.metric for rule in policy.rules} == {"cpu_cores", "gpu_busy_share"}


def test_a_policy_of_one_s_own(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(POLICY))
    (rule,) = load(str(path)).rules
    assert (rule.threshold, rule.averaging_seconds, rule.evaluation_seconds) == (0.1, 300, 86400)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "Input data was truncated"),
        ("<html>", "malformed"),
        ("[]", "Expected `object`"),
        (json.dumps({**POLICY, "version": 2}), "Invalid enum value 2"),
        (json.dumps({**POLICY, "rules": []}), "length >= 1"),
        (json.dumps({**POLICY, "rules": [RULE, RULE]}), "two rules for one metric"),
        (json.dumps({**POLICY, "rules": [{**RULE, "treshold": 1}]}), "unknown field `treshold`"),
        (json.dumps({**POLICY, "rules": [{**RULE, "threshold": -1}]}), ">= 0"),
        (json.dumps({**POLICY, "rules": [{**RULE, "step_seconds": 200}]}), "at least twice"),
        (json.dumps({**POLICY, "rules": [{**RULE, "lookback_seconds": 60}]}), "not be less"),
        ("[" * 100_000, "more than 65536 bytes"),
    ],
)
def test_one_that_makes_no_sense_is_named(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "policy.json"
    path.write_text(content)
    with pytest.raises(NoPolicy, match=told) as caught:
        load(str(path))
    assert str(path) in str(caught.value)


def test_a_name_that_is_not_known_is_answered_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(NoPolicy, match="or one of: 2022-headline, 2022-mechanism, 2026-docs"):
        load("2026")
    with pytest.raises(NoPolicy, match="cannot be read: No such file"):
        load(str(tmp_path / "nowhere.json"))
