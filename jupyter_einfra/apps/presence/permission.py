"""Whether an application's own page may have our script in it, and which answers are pages.

An application may say which scripts its pages run. That is its right, and nothing here
weakens it: where our script is not among them, it is left out, and nobody sees from inside
the page whether it is used.

Source: https://www.w3.org/TR/CSP3/.

Pure: standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: In these, a ``<`` need not be the byte that it is in ASCII.
_NOT_ASCII = ("utf-16", "utf16", "utf-32", "utf32", "utf-7", "ucs-", "iso-10646", "unicode")
_NOT_ASCII_EITHER = ("csunicode", "iso-2022", "hz-")

_XML = "application/xhtml+xml"

_ANY = frozenset(["*", "http:", "https:"])


def is_page(status: int, headers: Mapping[str, str]) -> bool:
    """Whether an answer to a navigation is an HTML document that is shown.

    Parameters
    ----------
    status:
        Of HTTP.
    headers:
        Looked up without regard to case.
    """
    shown = headers.get("Content-Disposition", "inline").strip().lower().startswith("inline")
    coded = headers.get("Content-Encoding", "identity").strip().lower() != "identity"
    kind, charset = _kind(headers)
    is_html = kind in ("text/html", _XML)
    is_ascii = not charset.startswith(_NOT_ASCII + _NOT_ASCII_EITHER)
    return status == 200 and is_html and is_ascii and shown and not coded


def is_xml(headers: Mapping[str, str]) -> bool:
    """Whether a page is XHTML."""
    return _kind(headers)[0] == _XML


def _kind(headers: Mapping[str, str]) -> tuple[str, str]:
    """Return the media type and the charset, in small letters; empty if not told."""
    kind, *parameters = headers.get("Content-Type", "").lower().split(";")
    named = dict(parameter.strip().partition("=")[::2] for parameter in parameters)
    return kind.strip(), named.get("charset", "").strip().strip("\"'")


def allows_script(policies: Iterable[str]) -> bool:
    """Whether content-security policies let a script of the same site run, and report.

    Parameters
    ----------
    policies:
        Values of the header; each may hold several policies, and all of them count.
    """
    return all(_allows(policy) for value in policies for policy in value.split(","))


def _allows(policy: str) -> bool:
    directives: dict[str, list[str]] = {}
    for directive in policy.lower().split(";"):
        name, *values = directive.split() or [""]
        directives.setdefault(name, values)  # of two with one name, the first counts
    sandbox = directives.get("sandbox")
    if sandbox is not None and not {"allow-scripts", "allow-same-origin"} <= set(sandbox):
        return False  # without an origin, it could not say who it is
    default = directives.get("default-src")
    scripts = directives.get("script-src-elem", directives.get("script-src", default))
    reports = directives.get("connect-src", default)
    return _has_own(scripts) and _has_own(reports) and "'strict-dynamic'" not in (scripts or ())


def _has_own(sources: list[str] | None) -> bool:
    """Whether a list of sources names the site itself; none is no restriction."""
    return sources is None or "'self'" in sources or not _ANY.isdisjoint(sources)
