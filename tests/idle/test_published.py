"""What a controller publishes is believed only if it is of this server, and of now."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_einfra.idle.published import MOST_BYTES, Malformed, decode, doubt

from .made import DAY, HOUR, NOW, at, state


def doubted(**changes: Any) -> str | None:
    reason = doubt(
        decode(json.dumps(state(**changes)).encode()),
        server="alice/",
        started_at=NOW - 1.5 * DAY,
        period_seconds=DAY,
        now=NOW,
    )
    return None if reason is None else reason.code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"server": None}, None),
        ({"server": "bob/"}, "idle_state_other_server"),
        ({"server": "alice/second"}, "idle_state_other_server"),
        ({"evaluated_at": at(NOW - 1.5 * DAY)}, None),
        ({"evaluated_at": at(NOW - 1.5 * DAY - HOUR), "counter": 1}, "idle_state_older_start"),
        ({"evaluated_at": at(NOW - 1.5 * DAY - 60)}, None),
        ({"evaluated_at": at(NOW - 1.5 * DAY - 600)}, "idle_state_older_start"),
        ({"evaluated_at": at(NOW - 1.5 * DAY - 600), "counter": 1}, None),
        ({"evaluated_at": at(NOW + 100)}, None),
        ({"evaluated_at": at(NOW + 300)}, "idle_state_future"),
        ({"evaluated_at": at(NOW + HOUR)}, "idle_state_future"),
        ({"something": "new"}, None),
    ],
)
def test_whose_and_when(changes: dict[str, Any], code: str | None) -> None:
    assert doubted(**changes) == code


def test_one_evaluation_may_be_late_and_not_two() -> None:
    told = decode(json.dumps(state()).encode())
    for days, code in ((1.9, None), (2.1, "idle_state_old")):
        now = told.evaluated_at.timestamp() + days * DAY
        reason = doubt(told, server=None, started_at=None, period_seconds=DAY, now=now)
        assert (None if reason is None else reason.code) == code


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": ""},
        {"policy": "x" * 81},
        {"metric": "disk"},
        {"threshold": -1},
        {"threshold": "0.1"},
        {"counter": -1},
        {"counter": 1.5},
        {"counter": True},
        {"evaluated_at": "yesterday"},
        {"evaluated_at": "2026-11-26T12:00:00"},
        {"delete_at": 12},
        {"delete_at": "9999-12-31T23:59:59.999999Z"},
        {"evaluated_at": "0001-01-01T00:00:00+14:00"},
        {"evaluated_at": "9999-12-31T23:59:59-12:00"},
        {"text": "x" * 2001},
        {"extension": {"most_seconds": 0}},
    ],
)
def test_what_is_no_state_is_not_taken_for_one(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        decode(json.dumps(state(**changes)).encode())


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"<!doctype html>", b"\xff\xfe{", b"[" * 50_000, b"1" * MOST_BYTES * 2],
)
def test_nor_is_anything_else(content: bytes) -> None:
    with pytest.raises(Malformed):
        decode(content)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_state_or_malformed(content: bytes) -> None:
    with pytest.raises(Malformed):
        decode(content)


def test_a_truncated_one_is_malformed_wherever_it_ends() -> None:
    whole = json.dumps(state()).encode()
    for end in range(len(whole)):
        with pytest.raises(Malformed):
            decode(whole[:end])
