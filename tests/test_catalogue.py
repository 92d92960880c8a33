"""Every code that the server can send has words in the browser's catalogue."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
BROWSER = ROOT / "labextension/src"

#: The files that have words for codes.
CATALOGUES = [
    *(f"api/{name}.ts" for name in ("messages", "applications", "events", "reasons", "replies")),
    "activity/facts.ts",
]


def server_codes() -> set[str]:
    modules = [
        ast.parse(path.read_text("utf-8")) for path in (ROOT / "jupyter_einfra").rglob("*.py")
    ]
    public = {
        name: place
        for module in modules
        for name, place in places_of_codes(module).items()
        if not name.startswith("_")
    }
    codes: set[str] = set()
    for module in modules:
        codes.update(codes_in(module, public | places_of_codes(module)))
    base = ast.parse((ROOT / "jupyter_einfra/base.py").read_text("utf-8"))
    # The generic replies are (code, message) pairs.
    for node in ast.walk(base):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in {
            "_GENERIC",
            "_UNEXPECTED",
        }:
            value = ast.literal_eval(node.value)
            pairs = value.values() if isinstance(value, dict) else [value]
            codes.update(code for code, _ in pairs)
    return codes


def codes_in(module: ast.Module, places: dict[str, int]) -> Iterator[str]:
    """What a module gives as ``code``, by name or in its place among the arguments."""
    constants = {
        node.targets[0].id: node.value
        for node in ast.walk(module)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(module):
        given: list[ast.expr] = []
        if isinstance(node, ast.keyword) and node.arg == "code":
            given = [node.value]
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            given = [node.value for target in targets if getattr(target, "id", "") == "code"]
        elif isinstance(node, ast.Call):
            place = places.get(getattr(node.func, "id", ""))
            given = [] if place is None else node.args[place : place + 1]
        for expression in given:
            yield from words(constants.get(getattr(expression, "id", ""), expression))


def places_of_codes(module: ast.Module) -> dict[str, int]:
    """Which argument of a class or function is the code."""
    places = {}
    for node in ast.walk(module):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            names = arguments(node)
            if "code" in names:
                places[node.name] = names.index("code")
    return places


def arguments(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    if isinstance(node, ast.FunctionDef):
        return [argument.arg for argument in node.args.args]
    for line in node.body:
        if isinstance(line, ast.FunctionDef) and line.name == "__init__":
            return arguments(line)[1:]
    fields = [line.target for line in node.body if isinstance(line, ast.AnnAssign)]
    return [getattr(field, "id", "") for field in fields]


def words(node: ast.expr) -> Iterator[str]:
    """The texts that an expression can come to."""
    if isinstance(node, ast.IfExp):
        yield from words(node.body)
        yield from words(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def browsers_own_codes() -> set[str]:
    """What only the browser can notice, such as a server that cannot be reached."""
    sources = (ROOT / "labextension/src").rglob("*.ts")
    texts = [p.read_text("utf-8") for p in sources if ".spec." not in p.name]
    return {code for text in texts for code in re.findall(r"\bcode: '([a-z_]+)'", text)}


def browser_codes() -> set[str]:
    texts = [(BROWSER / name).read_text("utf-8") for name in CATALOGUES]
    return {
        code
        for text in texts
        for code in re.findall(r"^  ([a-z_]+): (?:trans|\(trans)", text, re.MULTILINE)
    }


def test_the_browser_has_words_for_every_code() -> None:
    codes = server_codes()
    assert {"nvml_missing", "forbidden", "feature_off", "http_error", "memory_trend"} <= codes
    assert codes - browser_codes() == set()


def test_the_browser_has_no_words_for_codes_nobody_sends() -> None:
    assert browser_codes() - server_codes() - browsers_own_codes() == set()
