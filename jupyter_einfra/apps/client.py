"""Passes a request on to a program, and the answer back while it comes.

jupyter-server-proxy would gather the whole answer in memory first, refuse one of more than
100 MB and give up after five minutes. What is downloaded here is often larger and what is
asked for may take longer. So nothing is gathered, nobody waits for a reader who does not
read, and a request whose reader is gone ends at the program as well.
"""

from __future__ import annotations

import io
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping

from aiohttp import (
    BaseConnector,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    UnixConnector,
)
from multidict import CIMultiDict, CIMultiDictProxy
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler
from yarl import URL

from .presence.insertion import Insertion

#: They belong to one connection, not to what is passed on. RFC 9110, section 7.6.1, and
#: ``Expect``, which the server has answered.
_OF_THE_CONNECTION = frozenset(
    (
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"),
    )
)

#: What the client would add by itself.
_ADDED = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")

#: Only for the connection: a computation takes as long as it takes.
_TIMEOUT = ClientTimeout(total=None, sock_connect=20.0)

#: As Tornado allows.
_MOST_HEADER_BYTES = 65536

#: A larger body is sent in pieces, with other work in between.
_LARGE_BYTES = 2**20

_REDIRECTS = frozenset((301, 302, 303, 307, 308))

#: What does not hold for a page with something in it that the program has not sent.
_OF_THE_BYTES = frozenset(
    ("content-length", "accept-ranges", "content-md5", "digest", "content-digest", "repr-digest")
)

#: Tells from status and headers of an answer what is to be put into it; None for nothing.
Amend = Callable[[int, CIMultiDictProxy[str]], "Insertion | None"]


class Unanswered(Exception):
    """The program could not be reached, or what it said is no answer."""


async def pass_on(
    handler: RequestHandler,
    url: str,
    *,
    socket: str,
    headers: Mapping[str, str],
    prefix: str,
    amend: Amend | None = None,
) -> None:
    """Answer a request as the program does.

    Parameters
    ----------
    handler:
        What is to be answered; its body has been read.
    url:
        What the program is asked for, sent as it is.
    socket:
        Where the program listens; empty if the address tells.
    headers:
        For the program, beside those that came.
    prefix:
        Put before the path to which the program redirects, if it is not there; empty if
        the program knows its address.
    amend:
        Asked once the answer begins; None for an answer that is passed on as it is, byte
        by byte.

    Raises
    ------
    Unanswered
        Nothing has been sent yet.
    """
    connector: BaseConnector = (
        # Kept connections would be lost with every restart, and are hardly faster.
        UnixConnector(socket, force_close=True) if socket else TCPConnector(force_close=True)
    )
    session = ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=_ADDED,
        timeout=_TIMEOUT,
        max_line_size=_MOST_HEADER_BYTES,
        max_field_size=_MOST_HEADER_BYTES,
    )
    async with session:
        try:
            answer = await session.request(
                handler.request.method or "GET",
                URL(url, encoded=True),
                headers=_asked(handler, headers),
                data=_body(handler),
                allow_redirects=False,
            )
            async with answer:
                insertion = amend(answer.status, answer.headers) if amend else None
                _begin(handler, answer, prefix, is_amended=insertion is not None)
                await _copy(handler, answer, insertion)
        except (ClientError, OSError, ValueError) as error:
            raise Unanswered(str(error) or type(error).__name__) from error


def _asked(handler: RequestHandler, more: Mapping[str, str]) -> CIMultiDict[str]:
    """Return the headers for the program."""
    came = handler.request.headers
    dropped = _dropped(came.get_list("Connection"))
    headers = CIMultiDict(
        (name, value.encode("latin-1", "replace").decode("utf-8", "replace"))
        for name, value in came.get_all()
        if name.lower() not in dropped
    )
    headers.update(more)
    return headers


def _dropped(named: Iterable[str]) -> frozenset[str]:
    """Return the names of headers that stay, with those that ``Connection`` names."""
    return _OF_THE_CONNECTION | {
        name.strip().lower() for value in named for name in value.split(",")
    }


def _body(handler: RequestHandler) -> bytes | io.BytesIO | None:
    body = handler.request.body
    if len(body) > _LARGE_BYTES:
        return io.BytesIO(body)
    return body or (b"" if handler.request.method in ("POST", "PUT", "PATCH") else None)


def _begin(
    handler: RequestHandler, answer: ClientResponse, prefix: str, *, is_amended: bool
) -> None:
    """Answer with the status and headers of the program, and none of our own.

    Raises
    ------
    ValueError
        They cannot be sent.
    """
    if answer.status < 200:
        raise ValueError(f"status {answer.status}")
    reason = answer.reason or ""
    handler.set_status(answer.status, reason if reason.isascii() and reason.isprintable() else None)
    for name in list(handler._headers):
        handler.clear_header(name)
    dropped = _dropped(answer.headers.getall("Connection", ()))
    if "Transfer-Encoding" in answer.headers:
        dropped |= {"content-length"}
    if is_amended:
        dropped |= _OF_THE_BYTES
    for raw_name, raw_value in answer.raw_headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        folded = name.lower()
        if folded in dropped:
            continue
        if folded == "location" and answer.status in _REDIRECTS:
            value = _within(prefix, value, handler.request.host)
        if folded == "etag" and is_amended and not value.startswith("W/"):
            value = f"W/{value}"  # the same page, not the same bytes
        handler.add_header(name, value)
    if is_amended:
        # What a script asks for comes as the program has it.
        handler.add_header("Vary", "Sec-Fetch-Dest, Accept")


def _within(prefix: str, location: str, host: str) -> str:
    """Return where a redirect leads, for a program that does not know where it is.

    One may know its path and get the rest wrong: the port or the scheme, behind a proxy.
    """
    whole = re.match(r"https?://([^/?#]*)(?=/)", location)
    if whole is not None and prefix and _name(whole[1]) == _name(host):
        path = location[whole.end() :]
        return path if f"{path}/".startswith(f"{prefix}/") else location
    if not prefix or not location.startswith("/") or location.startswith("//"):
        return location
    is_within = re.split("[?#]", location)[0] == prefix or location.startswith(f"{prefix}/")
    return location if is_within else prefix + location


def _name(host: str) -> str:
    return re.sub(r":\d*$", "", host).lower()


async def _copy(
    handler: RequestHandler, answer: ClientResponse, insertion: Insertion | None
) -> None:
    """Pass the body on at the reader's pace."""

    def flushed() -> Awaitable[None]:
        # Not the handler's own: jupyter-server-proxy puts one there that cannot be awaited.
        return RequestHandler.flush(handler)

    try:
        async for piece in answer.content.iter_any():
            if passed := insertion.feed(piece) if insertion else piece:
                handler.write(passed)
                await flushed()
        if insertion is not None:
            handler.write(insertion.finish())
        if insertion is not None or not handler._headers_written:
            await flushed()  # the rest; or an answer without a body, or about one
        if handler.request.version == "HTTP/1.0" and "Content-Length" not in handler._headers:
            handler.detach().close()  # which is how such a client knows the end
    except StreamClosedError:
        return  # nobody reads any more
    except (ClientError, OSError):
        if not handler._headers_written:
            raise
        # The only way to say that this is not all of it.
        handler.detach().close()
