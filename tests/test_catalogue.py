"""Every code that the server can send has words in the browser's catalogue."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: Reasons are built with `code="..."`, errors declare `code = "..."`.
DECLARED = re.compile(r"""\bcode(?:: str)? ?= ?"([a-z_]+)\"""")


def server_codes() -> set[str]:
    codes = set()
    for path in (ROOT / "jupyter_einfra").rglob("*.py"):
        codes.update(DECLARED.findall(path.read_text("utf-8")))
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


def browsers_own_codes() -> set[str]:
    """What only the browser can notice, such as a server that cannot be reached."""
    sources = (ROOT / "labextension/src").rglob("*.ts")
    texts = [p.read_text("utf-8") for p in sources if ".spec." not in p.name]
    return {code for text in texts for code in re.findall(r"\bcode: '([a-z_]+)'", text)}


def browser_codes() -> set[str]:
    text = (ROOT / "labextension/src/api/messages.ts").read_text("utf-8")
    return set(re.findall(r"^  ([a-z_]+): ", text, re.MULTILINE))


def test_the_browser_has_words_for_every_code() -> None:
    codes = server_codes()
    assert {"nvml_missing", "forbidden", "feature_off", "http_error"} <= codes
    assert codes - browser_codes() == set()


def test_the_browser_has_no_words_for_codes_nobody_sends() -> None:
    assert browser_codes() - server_codes() - browsers_own_codes() == set()
