"""Who may start an application by asking for its address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders

from jupyter_einfra.apps.requests import Visit, visit_of

HOST = "hub.example.org:8000"
HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def visit(method: str = "GET", **headers: str) -> Visit:
    given = HTTPHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    return visit_of(method, given, HOST)


def navigation(site: str, dest: str = "document", **more: str) -> dict[str, str]:
    return {
        "Sec_Fetch_Mode": "navigate",
        "Sec_Fetch_Dest": dest,
        "Sec_Fetch_Site": site,
        "Accept": HTML,
        **more,
    }


@pytest.mark.parametrize("site", ["same-origin", "none"])
@pytest.mark.parametrize("dest", ["document", "iframe"])
def test_a_person_who_goes_there_may(site: str, dest: str) -> None:
    assert visit(**navigation(site, dest)) is Visit.PERSON


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "new-in-2030"])
def test_somebody_who_comes_from_elsewhere_is_asked_first(site: str) -> None:
    assert visit(**navigation(site)) is Visit.STRANGER


@pytest.mark.parametrize(
    "dest", ["empty", "script", "image", "worker", "serviceworker", "embed", "object", "frame", ""]
)
def test_what_a_page_fetches_starts_nothing(dest: str) -> None:
    assert visit(**navigation("same-origin", dest)) is Visit.SCRIPT


@pytest.mark.parametrize(
    "purpose",
    [
        {"Sec_Purpose": "prefetch"},
        {"Sec_Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X_Moz": "prefetch"},
    ],
)
def test_what_a_browser_fetches_ahead_of_time_starts_nothing(purpose: dict[str, str]) -> None:
    assert visit(**navigation("same-origin", **purpose)) is Visit.SCRIPT


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_only_getting_a_page_starts_anything(method: str) -> None:
    assert visit(method, **navigation("same-origin")) is Visit.SCRIPT


def test_a_websocket_is_one_whatever_else_it_says() -> None:
    assert visit(Upgrade="WebSocket", **navigation("same-origin")) is Visit.SOCKET


class TestWithoutFetchMetadata:
    """Over plain HTTP to another machine, browsers do not say where one comes from."""

    @pytest.mark.parametrize(
        "referer", [f"http://{HOST}/user/a/lab", f"https://{HOST.upper()}", f"http://x@{HOST}/"]
    )
    def test_who_comes_from_a_page_of_ours_may(self, referer: str) -> None:
        assert visit(Accept=HTML, Referer=referer) is Visit.PERSON

    @pytest.mark.parametrize(
        "referer",
        [
            "",
            "http://evil.example.org/",
            f"http://evil.example.org/?{HOST}",
            f"http://evil.example.org/http://{HOST}/",
            f"http://{HOST}@evil.example.org/",
            f"http://evil.example.org#@{HOST}/",
            "http://[",
            "about:blank",
        ],
    )
    def test_who_does_not_is_asked_first(self, referer: str) -> None:
        assert visit(Accept=HTML, Referer=referer) is Visit.STRANGER

    def test_a_program_starts_nothing(self) -> None:
        assert visit(Accept="*/*") is Visit.SCRIPT
        assert visit() is Visit.SCRIPT
        assert visit(Accept=HTML, X_Requested_With="XMLHttpRequest") is Visit.SCRIPT


@given(
    method=st.sampled_from(["GET", "POST"]),
    headers=st.dictionaries(
        st.sampled_from(
            ["Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Referer", "Accept", "Upgrade"]
        ),
        st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=30)
        | st.sampled_from(["document", "iframe", "navigate", "text/html", "websocket"]),
    ),
)
def test_nobody_is_taken_for_a_person_without_proof(method: str, headers: dict[str, str]) -> None:
    if visit_of(method, headers, HOST) is Visit.PERSON:
        site = headers.get("Sec-Fetch-Site") in ("same-origin", "none")
        assert site or HOST in headers.get("Referer", "").lower()
