"""The contract: fresh on disk, and true of a server that anything may be sent to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from servers.lab import LabServer

from jupyter_einfra.app import FEATURES
from jupyter_einfra.openapi import document, handlers

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

ROOT = Path(__file__).parents[1]


def test_the_committed_document_is_fresh() -> None:
    committed = json.loads((ROOT / "openapi.json").read_text("utf-8"))
    assert committed == document(), "openapi.json is stale: run `make openapi` and commit it"


def test_every_handler_of_every_feature_is_in_it() -> None:
    paths = {f"/jupyter-einfra/{path}" for path, _ in handlers()}
    assert set(document()["paths"]) == paths
    assert paths >= {f"/jupyter-einfra/{feature}" for feature in FEATURES}


def test_every_property_says_what_it_means() -> None:
    for name, schema in document()["components"]["schemas"].items():
        assert schema["description"], name
        for field, described in schema.get("properties", {}).items():
            plain = described.get("$ref") or described.get("items", {}).get("$ref")
            if field != "type" and not plain:
                assert described.get("description"), f"{name}.{field}"


def test_every_field_is_always_sent() -> None:
    for name, schema in document()["components"]["schemas"].items():
        properties = schema.get("properties", {})
        assert sorted(properties) == sorted(schema.get("required", [])), name


def test_stream_events_are_told_apart_by_their_type() -> None:
    event = document()["components"]["schemas"]["StreamEvent"]
    references = {one["$ref"] for one in event["oneOf"]}
    assert event["discriminator"]["propertyName"] == "type"
    assert set(event["discriminator"]["mapping"].values()) == references


def test_figures_have_their_unit_in_the_name() -> None:
    units = re.compile(
        r"_(bytes|seconds|hours|cores|share|per_second)$|^(utilization|index|pid|processes|threads|oom_kills|exit_code|restarts)$"
        # Counts, and figures of whatever the metric beside them is.
        r"|^(counter|counter_limit|threshold|day_maximum|seconds)$"
        r"|^(attention|cells|execution_count|more|news|others|times)$"
    )
    for name, schema in document()["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            kinds = {described.get("type"), *(k.get("type") for k in described.get("anyOf", ()))}
            if kinds & {"number", "integer"}:
                assert units.search(field), f"{name}.{field}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    with LabServer(tmp_path_factory.mktemp("fuzz"), app="server") as started:
        yield started


#: The same examples in each run, so that a failure can be repeated.
FUZZ = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def test_nothing_that_is_sent_makes_the_server_fail(server: LabServer) -> None:
    """Schemathesis sends what the document allows, and much that it does not."""
    allowed = document()
    # The stream never ends; the next test sends to it.
    del allowed["paths"]["/jupyter-einfra/stream"]
    authorization = {"Authorization": f"token {server.token}"}
    sent = 0

    def send(case: Any) -> None:
        nonlocal sent
        sent += 1
        case.headers = {**(case.headers or {}), **authorization}
        case.call_and_validate(base_url=server.url.rstrip("/"), checks=CHECKS)

    for found in schemathesis.openapi.from_dict(allowed).get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        anything = operation.query or operation.body  # otherwise nothing to get wrong
        for mode in ("positive", "negative") if anything else ("positive",):
            FUZZ(given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))(send))()
    assert sent > 0


@FUZZ
@given(
    topics=st.text() | st.lists(st.sampled_from(["usage", "", "x"])).map(",".join),
    others=st.dictionaries(st.text(), st.text(), max_size=2),
)
def test_nothing_that_is_asked_of_the_stream_makes_it_fail(
    server: LabServer, topics: str, others: dict[str, str]
) -> None:
    headers = {"Authorization": f"token {server.token}"}
    query = {"topics": topics, **others}
    url = f"{server.url}jupyter-einfra/stream"
    with httpx.stream(
        "GET", url, params=query, headers=headers, trust_env=False, timeout=30
    ) as reply:
        assert reply.status_code == 200 or 400 <= reply.status_code < 500
