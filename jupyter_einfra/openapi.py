"""Prints the OpenAPI 3.1 document of everything the browser may ask.

``python -m jupyter_einfra.openapi > openapi.json``; the browser's types are made
from it. Paths come from the handlers, schemas from the models, so there is nothing
to keep in step by hand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, get_args

import msgspec

from .activity.models import ActivityStatus
from .app import FEATURES
from .apps.models import AppsEvent
from .base import NAMESPACE, Endpoint
from .idle.models import IdleStatus
from .models import ErrorBody, NoticesEvent, SnapshotEvent
from .stream_handler import default_handlers as stream_handlers
from .usage.models import UsageDetails, UsageSnapshot

#: What the stream carries: the snapshot, then one model per topic, told apart by ``type``.
StreamEvent = (
    SnapshotEvent
    | NoticesEvent
    | UsageSnapshot
    | UsageDetails
    | AppsEvent
    | IdleStatus
    | ActivityStatus
)

METHODS = ("get", "post", "put", "patch", "delete")

_REF = "#/components/schemas/{name}"


def handlers() -> list[tuple[str, type[Any]]]:
    """Every path below `NAMESPACE` with its handler, feature by feature."""
    found: list[tuple[str, type[Any]]] = list(stream_handlers)
    for feature in FEATURES:
        found += import_module(f"jupyter_einfra.{feature}.handlers").default_handlers
    return found


def document() -> dict[str, Any]:
    """Build the whole document."""
    events = get_args(StreamEvent)
    endpoints = {
        (path, method): (getattr(handler, method), getattr(handler, method).endpoint)
        for path, handler in handlers()
        for method in METHODS
        if hasattr(getattr(handler, method), "endpoint")
    }
    returned = {
        model
        for _, endpoint in endpoints.values()
        for model in get_args(endpoint.returns) or (endpoint.returns,)
    } - {str}
    bodies = {endpoint.body for _, endpoint in endpoints.values()} - {None}
    models = {ErrorBody, *events, *returned, *bodies}
    in_order = sorted(models, key=lambda model: model.__name__)
    _, schemas = msgspec.json.schema_components(in_order, ref_template=_REF)
    schemas["StreamEvent"] = {"description": "One event of the stream.", **_one_of(events)}
    paths: dict[str, dict[str, Any]] = {}
    for (path, method), (function, endpoint) in endpoints.items():
        operation = _operation(f"{method}_{path}", function.__doc__, endpoint)
        paths.setdefault(f"/{NAMESPACE}/{path}", {})[method] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jupyter-einfra",
            # The contract's own version: a release that changes nothing here must not
            # make the committed document stale.
            "version": "1",
            "description": "What the server half of jupyter-einfra answers to the browser.",
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": "/", "description": "The Jupyter server's base URL."}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": {
                "Error": {
                    "description": "What went wrong and what to do next.",
                    "content": {"application/json": {"schema": _ref(ErrorBody)}},
                }
            },
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token <the server's token>`; a signed-in browser needs none.",
                }
            },
        },
    }


def _operation(name: str, doc: str, endpoint: Endpoint) -> dict[str, Any]:
    streams = endpoint.media_type == "text/event-stream"
    schema: dict[str, Any] = {"type": "string"}
    if streams and get_args(endpoint.returns):
        schema = _one_of(get_args(endpoint.returns))
    elif streams:
        schema = {"$ref": _REF.format(name="StreamEvent")}
    elif endpoint.returns is not str:
        schema = _ref(endpoint.returns)
    operation: dict[str, Any] = {
        "operationId": name.replace("/", "_"),
        "summary": doc.strip().splitlines()[0],
        "x-action": endpoint.action,
        "x-owner-only": endpoint.owner_only,
        "responses": {
            "200": {"description": "OK", "content": {endpoint.media_type: {"schema": schema}}},
            **{
                status: {"$ref": "#/components/responses/Error"}
                for status in ("400", "403", "404", "405", "409", "429", "503")
            },
        },
    }
    if endpoint.query is not None:
        operation["parameters"] = _parameters(endpoint.query)
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(endpoint.body)}},
        }
    return operation


def _one_of(models: Sequence[type[Any]]) -> dict[str, Any]:
    """Describe models that are told apart by their ``type``."""
    return {
        "oneOf": [_ref(model) for model in models],
        "discriminator": {
            "propertyName": "type",
            "mapping": {_tag(model): _ref(model)["$ref"] for model in models},
        },
    }


def _parameters(query: type[msgspec.Struct]) -> list[dict[str, Any]]:
    _, components = msgspec.json.schema_components([query], ref_template=_REF)
    schema = components[query.__name__]
    parameters = []
    for name, field in schema["properties"].items():
        given = dict(field)
        # Left out of the query string is how null is said there.
        kinds = [kind for kind in given.pop("anyOf", []) if kind != {"type": "null"}]
        description = given.pop("description")
        given.pop("default", None)
        parameters.append(
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", []),
                "description": description,
                "schema": {**given, **(kinds[0] if kinds else {})},
            }
        )
    return parameters


def _ref(model: type[Any]) -> dict[str, str]:
    return {"$ref": _REF.format(name=model.__name__)}


def _tag(model: type[Any]) -> str:
    return str(model.__struct_config__.tag)


def main() -> None:
    """Print the document as it is committed."""
    sys.stdout.write(json.dumps(document(), indent=2) + "\n")


if __name__ == "__main__":
    main()
