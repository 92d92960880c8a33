"""Where the script goes in a page, and in which pages it goes at all."""

from __future__ import annotations

from collections.abc import Iterable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_einfra.apps.presence.element import script_element
from jupyter_einfra.apps.presence.insertion import MOST_BYTES, Insertion
from jupyter_einfra.apps.presence.permission import allows_script, is_page, is_xml
from jupyter_einfra.apps.requests import shows_answer

PAGES = Path(__file__).parents[2] / "jupyter_einfra/apps/pages"

S = b"<script></script>"


def put(pieces: Iterable[bytes], *, is_xml: bool = False) -> bytes:
    insertion = Insertion(S, is_xml=is_xml)
    return b"".join([*map(insertion.feed, pieces), insertion.finish()])


#: Documents, with | where the script goes; without, nowhere.
DOCUMENTS = [
    b"<!doctype html><html><head>|<title>x</title></head>",
    b"<!DOCTYPE html>\n<!-- <head> -->\n<html lang='>' class=\"<head>\">\n<HEAD data-x=1>|<meta>",
    b"<html><head/>|<title>",
    b"\xef\xbb\xbf<!doctype html><head>|x",
    b"<!doctype html>|<meta charset=utf-8><p>no head</p>",
    b"<!doctype html><html>|<body>",
    b"<html>|<frameset>",
    b"<?xml version='1.0'?><!DOCTYPE html><html><head>|x",
    b"<!-->|<p>a comment that is one at once",
    b"<!--->|<p>and another",
    b"<!-- -- --!>|<p>and one that ends oddly",
    b"<!-- a > b --><! odd >|<header>not a head",
    b"|<header>not a head",
    b"|<headline>nor this",
    b"|just text",
    b"\r\n\t |<h1>",
    b"|</head>",
    b"<!-- never ends <head>",
    b"<html",
    b"<html lang='never ends><head>",
    b"<hea",
    b"<!",
    b"",
    b"\xef\xbb",
    b"\xff\xfe<\x00h\x00e\x00a\x00d\x00>\x00",
    b"\xfe\xff\x00<\x00h",
    b" " * (MOST_BYTES + 1) + b"<head>",
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: repr(document[:40]))
def test_it_goes_to_the_beginning_of_the_head(document: bytes) -> None:
    assert put([document.replace(b"|", b"")]) == document.replace(b"|", S)


@given(st.sampled_from(DOCUMENTS), st.lists(st.integers(0, 120)), st.binary(max_size=40))
def test_pieces_may_begin_and_end_anywhere(document: bytes, cuts: list[int], more: bytes) -> None:
    whole = document.replace(b"|", b"") + more
    places = [0, *sorted(cuts), len(whole)]
    pieces = [whole[a:b] for a, b in pairwise(places)]
    assert b"".join(pieces) == whole
    assert put(pieces) == put([whole])


_TOKENS = st.sampled_from(
    [
        b"<html>",
        b"<head>",
        b"<body>",
        b"<!-- c -->",
        b"<!doctype html>",
        b"<head",
        b" a='>'",
        b">",
        b"text",
        b"\n",
        b"<p>",
        b"<!--",
        b"-->",
        b"<",
        b"'",
        b"\xef\xbb\xbf",
        b"\xff",
        b"/",
    ]
)


@given(st.lists(_TOKENS).map(b"".join), st.booleans())
def test_nothing_else_is_changed_whatever_the_page_holds(document: bytes, xml: bool) -> None:
    done = put([document[i : i + 1] for i in range(len(document))], is_xml=xml)
    places = range(len(document) + 1)
    assert done in {document, *(document[:i] + S + document[i:] for i in places)}


@pytest.mark.parametrize(
    "document",
    [
        b"<?xml version='1.0'?>\n<html xmlns='http://www.w3.org/1999/xhtml'><head>|<title/>",
        b"<html xmlns='x'><head/><body/></html>",
        b"<html xmlns='x'><body/></html>",
        b"<!DOCTYPE html [<!ENTITY e '<head>'>]><html><head>",
    ],
)
def test_in_xhtml_only_into_a_head_that_is_written(document: bytes) -> None:
    assert put([document.replace(b"|", b"")], is_xml=True) == document.replace(b"|", S)


def test_no_more_is_held_than_is_needed() -> None:
    insertion = Insertion(S)
    assert insertion.feed(b"<head>a") == b"<head>" + S + b"a"
    large = b"x" * 10**6
    assert insertion.feed(large) is large
    assert insertion.finish() == b""


def test_the_element_can_stand_in_any_attribute() -> None:
    element = script_element('/user/a"b/', "x/<y>", nonce='n"')
    assert element.count(b'"') == 8
    assert b"<y>" not in element
    parser = HTMLParser()
    found: list[dict[str, str | None]] = []
    parser.handle_starttag = lambda tag, attrs: found.append(dict(attrs))  # type: ignore[method-assign]
    parser.feed(element.decode())
    assert found == [
        {
            "async": "async",
            "src": '/user/a"b/jupyter-einfra/apps/presence.js',
            "data-einfra-app": "x/<y>",
            "nonce": 'n"',
        }
    ]


def test_the_script_is_small() -> None:
    assert 0 < (PAGES / "presence.js").stat().st_size <= 2048


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        ("", True),
        ("frame-ancestors 'none'", True),
        ("script-src 'self'", True),
        ("Script-Src 'SELF' 'unsafe-eval'", True),
        ("default-src 'self'", True),
        ("default-src 'none'; script-src 'self'; connect-src 'self'", True),
        ("script-src *; connect-src https:", True),
        ("script-src-elem 'self'; script-src 'none'", True),
        ("script-src 'self' 'nonce-abc'", True),
        ("sandbox allow-scripts allow-same-origin", True),
        ("default-src 'none'", False),
        ("script-src 'none'", False),
        ("script-src", False),
        ("script-src 'nonce-abc'", False),
        ("script-src 'sha256-abc='", False),
        ("script-src 'self' 'nonce-abc' 'strict-dynamic'", False),
        ("script-src-elem 'none'; script-src 'self'", False),
        ("script-src 'self'; connect-src 'none'", False),
        ("default-src 'none'; script-src 'self'", False),
        ("script-src https://elsewhere.example/", False),
        ("sandbox", False),
        ("sandbox allow-scripts", False),
        ("script-src 'self', script-src 'none'", False),
        ("script-src 'none'; script-src 'self'", False),
    ],
)
def test_a_policy_is_respected(policy: str, allowed: bool) -> None:
    assert allows_script([policy]) is allowed
    assert allows_script(["img-src *", policy]) is allowed


HTML = {"Content-Type": "text/html"}


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, HTML, True),
        (200, {"Content-Type": 'Text/HTML; Charset="UTF-8"'}, True),
        (200, {"Content-Type": "text/html; charset=windows-1250"}, True),
        (200, {"Content-Type": "application/xhtml+xml"}, True),
        (200, {**HTML, "Content-Disposition": "inline"}, True),
        (200, {**HTML, "Content-Encoding": "identity"}, True),
        (200, {"Content-Type": "text/html; charset=utf-16"}, False),
        (200, {"Content-Type": "text/html; charset=ISO-2022-JP"}, False),
        (200, {"Content-Type": "text/plain"}, False),
        (200, {"Content-Type": "application/xml"}, False),
        (200, {}, False),
        (200, {**HTML, "Content-Disposition": "attachment; filename=x.html"}, False),
        (200, {**HTML, "Content-Encoding": "gzip"}, False),
        (206, HTML, False),
        (304, HTML, False),
        (404, HTML, False),
    ],
)
def test_which_answers_are_pages(status: int, headers: dict[str, str], expected: bool) -> None:
    assert is_page(status, headers) is expected


def test_xhtml_is_told_by_its_type() -> None:
    assert is_xml({"Content-Type": "application/xhtml+xml; charset=utf-8"})
    assert not is_xml(HTML)


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", {"Sec-Fetch-Dest": "document"}, True),
        ("GET", {"Sec-Fetch-Dest": "iframe"}, True),
        ("POST", {"Sec-Fetch-Dest": "document"}, True),
        ("GET", {"Accept": "text/html,*/*;q=0.8"}, True),
        ("GET", {"Sec-Fetch-Dest": "empty", "Accept": "text/html"}, False),
        ("GET", {"Sec-Fetch-Dest": "serviceworker"}, False),
        ("GET", {"Accept": "text/html", "X-Requested-With": "XMLHttpRequest"}, False),
        ("GET", {"Accept": "*/*"}, False),
        ("GET", {}, False),
        ("HEAD", {"Sec-Fetch-Dest": "document"}, False),
        ("GET", {"Sec-Fetch-Dest": "document", "Range": "bytes=0-9"}, False),
    ],
)
def test_which_answers_are_shown(method: str, headers: dict[str, str], expected: bool) -> None:
    assert shows_answer(method, headers) is expected
