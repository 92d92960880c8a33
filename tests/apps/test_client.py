"""What is passed on to a program and back, and how it ends."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyter_server_proxy.websocket import WebSocketHandlerMixin
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from jupyter_einfra.apps.client import Amend, Unanswered, pass_on
from jupyter_einfra.apps.presence.insertion import Insertion

#: What a program does with a request: its head and body, and where the answer goes.
Answer = Callable[[str, bytes, asyncio.StreamWriter], Awaitable[None]]


class Front(WebSocketHandlerMixin, RequestHandler):  # type: ignore[misc] # has no types
    """Passes everything on; tells what could not be with a status of its own.

    As ours, it stands on what jupyter-server-proxy makes of Tornado's.
    """

    amend: Amend | None = None

    SUPPORTED_METHODS = (*RequestHandler.SUPPORTED_METHODS, "PROPFIND")

    def initialize(self, socket: str, prefix: str) -> None:
        self.socket, self.prefix = socket, prefix

    async def answer(self) -> None:
        self.set_header("X-Ours", "must not show")
        try:
            await pass_on(
                self,
                f"http://localhost:0{self.request.uri}",
                socket=self.socket,
                headers={"X-Forwarded-Prefix": self.prefix},
                prefix=self.prefix,
                amend=self.amend,
            )
        except Unanswered as error:
            self.clear()
            self.set_status(502)
            self.finish(str(error))

    http_get = head = post = put = delete = patch = propfind = answer


@pytest.fixture
def proxied(short_path: Path) -> Any:
    @asynccontextmanager
    async def made(answer: Answer, prefix: str = "/base/app") -> AsyncIterator[httpx.AsyncClient]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                sizes = [
                    int(line.partition(":")[2])
                    for line in head.splitlines()
                    if line.lower().startswith("content-length:")
                ]
                await answer(head, await reader.readexactly(sum(sizes)), writer)
            writer.close()

        path = str(short_path / "socket")
        program = await asyncio.start_unix_server(serve, path, limit=2**20)
        front = HTTPServer(Application([(".*", Front, {"socket": path, "prefix": prefix})]))
        (listener,) = bind_sockets(0, "127.0.0.1")
        front.add_sockets([listener])
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
                yield client
        finally:
            program.close()
            front.stop()
            await front.close_all_connections()

    return made


def says(*lines: str, body: bytes = b"") -> Answer:
    """Answer always the same."""

    async def answer(head: str, asked: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write("".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + body)
        await writer.drain()

    return answer


OK = ("HTTP/1.1 200 OK", "Content-Length: 2")


class TestTheRequest:
    @pytest.fixture
    def heard(self) -> list[tuple[str, bytes]]:
        return []

    @pytest.fixture
    def hears(self, heard: list[tuple[str, bytes]]) -> Answer:
        async def answer(head: str, asked: bytes, writer: asyncio.StreamWriter) -> None:
            heard.append((head, asked))
            await says(*OK, body=b"ok")(head, asked, writer)

        return answer

    @pytest.mark.parametrize("size", [0, 1, 3 * 2**20])
    async def test_comes_with_its_whole_body(
        self, proxied: Any, hears: Answer, heard: list[tuple[str, bytes]], size: int
    ) -> None:
        body = bytes(range(256)) * (size // 256 + 1)
        async with proxied(hears) as client:
            await client.post("/x", content=body[:size])
        assert heard[0][1] == body[:size]
        assert f"content-length: {size}\r\n" in heard[0][0].lower()

    async def test_of_unknown_size_gets_one(
        self, proxied: Any, hears: Answer, heard: list[tuple[str, bytes]]
    ) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"some"
            yield b"thing"

        async with proxied(hears) as client:
            await client.put("/x", content=pieces())
        assert heard[0][1] == b"something"
        assert "transfer-encoding" not in heard[0][0].lower()

    async def test_keeps_its_headers_but_those_of_the_connection(
        self, proxied: Any, hears: Answer, heard: list[tuple[str, bytes]]
    ) -> None:
        headers = [
            ("Host", "cloud.example"),
            ("X-Twice", "one"),
            ("X-Twice", "two"),
            ("X-Name", "žluťoučký".encode()),
            ("Connection", "keep-alive, X-Private"),
            ("X-Private", "mine"),
            ("TE", "trailers"),
            ("Expect", "100-continue"),
        ]
        async with proxied(hears) as client:
            client.headers.clear()
            await client.get("/a%2Fb/%C5%BE?q=%20;'", headers=headers)
        first, *lines = heard[0][0].splitlines()
        # The very letters: what is decoded and encoded again is not always the same.
        assert first == "GET /a%2Fb/%C5%BE?q=%20;' HTTP/1.1"
        told = sorted(line.encode("latin-1").decode() for line in lines if line)
        assert told == [
            "Connection: close",
            "Host: cloud.example",
            "X-Forwarded-Prefix: /base/app",
            "X-Name: žluťoučký",
            "X-Twice: one",
            "X-Twice: two",
        ]

    async def test_may_have_any_method(
        self, proxied: Any, hears: Answer, heard: list[tuple[str, bytes]]
    ) -> None:
        async with proxied(hears) as client:
            await client.request("PROPFIND", "/x")
        assert heard[0][0].startswith("PROPFIND /x ")


class TestTheAnswer:
    async def test_keeps_status_headers_and_body(self, proxied: Any) -> None:
        body = gzip.compress(b"text")
        lines = [
            "HTTP/1.1 203 Made Up",
            f"Content-Length: {len(body)}",
            "Content-Encoding: gzip",
            "Set-Cookie: a=1",
            "Set-Cookie: b=2",
            'ETag: "theirs"',
            "Connection: close, X-Private",
            "X-Private: theirs",
            "Keep-Alive: timeout=5",
        ]
        async with proxied(says(*lines, body=body)) as client:
            response = await client.get("/x")
        assert (response.status_code, response.reason_phrase) == (203, "Made Up")
        assert response.text == "text"
        assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert response.headers["etag"] == '"theirs"'
        assert response.headers["content-length"] == str(len(body))
        assert not {"x-ours", "x-private", "server", "keep-alive"} & set(response.headers)

    @pytest.mark.parametrize(
        ("method", "status", "size"),
        [("HEAD", "200 OK", "12345"), ("GET", "304 Not Modified", "12345"), ("GET", "204 No", "0")],
    )
    async def test_may_have_no_body(
        self, proxied: Any, method: str, status: str, size: str
    ) -> None:
        lines = [f"HTTP/1.1 {status}", 'ETag: "theirs"', "Content-Type: text/x-theirs"]
        if size != "0":
            lines.append(f"Content-Length: {size}")
        async with proxied(says(*lines)) as client:
            for _ in range(2):  # the connection is still good for the next one
                response = await client.request(method, "/x")
                assert response.status_code == int(status[:3])
                assert response.headers["content-type"] == "text/x-theirs"
                assert response.headers["etag"] == '"theirs"'
                assert response.headers.get("content-length", "0") == size
                assert response.content == b""

    async def test_of_unknown_size_ends_where_it_ends(self, proxied: Any) -> None:
        body = b"5\r\nhello\r\n0\r\n\r\n"
        for lines in (("Transfer-Encoding: chunked",), ()):
            answer = says("HTTP/1.1 200 OK", *lines, body=body if lines else b"hello")
            async with proxied(answer) as client:
                assert (await client.get("/x")).content == b"hello"

    @pytest.mark.parametrize(
        ("location", "told"),
        [
            ("/login?next=/x", "/base/app/login?next=/x"),
            ("/base/app/login", "/base/app/login"),
            ("/base/app", "/base/app"),
            ("/base/app?x=1", "/base/app?x=1"),
            ("/base/apples", "/base/app/base/apples"),
            ("login", "login"),
            ("https://elsewhere.example/", "https://elsewhere.example/"),
            ("//elsewhere.example/", "//elsewhere.example/"),
            # It knows its path, and not how one comes to it.
            ("http://127.0.0.1:80/base/app/x?y=1#z", "/base/app/x?y=1#z"),
            ("https://127.0.0.1/base/app", "/base/app"),
            ("http://127.0.0.1:80/base/apples", "http://127.0.0.1:80/base/apples"),
            ("http://127.0.0.1:80/elsewhere", "http://127.0.0.1:80/elsewhere"),
            ("http://127.0.0.1.example/base/app/", "http://127.0.0.1.example/base/app/"),
            ("http://a@127.0.0.1/base/app/", "http://a@127.0.0.1/base/app/"),
        ],
    )
    async def test_redirects_to_where_the_program_is(
        self, proxied: Any, location: str, told: str
    ) -> None:
        lines = ("HTTP/1.1 302 Found", "Content-Length: 0", f"Location: {location}")
        async with proxied(says(*lines)) as client:
            assert (await client.get("/x")).headers["location"] == told
        async with proxied(says(*lines), prefix="") as client:
            assert (await client.get("/x")).headers["location"] == location

    async def test_comes_as_it_is_made(self, proxied: Any) -> None:
        heard = asyncio.Event()

        async def answer(head: str, asked: bytes, writer: asyncio.StreamWriter) -> None:
            await says("HTTP/1.1 200 OK", "Content-Length: 8", body=b"tick")(head, asked, writer)
            await heard.wait()  # it goes on only when the reader has what there is
            writer.write(b"tock")

        async with proxied(answer) as client, client.stream("GET", "/x") as response:
            pieces = response.aiter_raw()
            assert await anext(pieces) == b"tick"
            heard.set()
            assert await anext(pieces) == b"tock"

    async def test_is_made_no_faster_than_it_is_read(self, proxied: Any) -> None:
        """Also, one of more than 100 MB is passed on at all."""
        size, written, stuck = 150 * 10**6, 0, asyncio.Event()

        async def answer(head: str, asked: bytes, writer: asyncio.StreamWriter) -> None:
            nonlocal written
            await says("HTTP/1.1 200 OK", f"Content-Length: {size}")(head, asked, writer)
            piece = bytes(250_000)
            while written < size:
                writer.write(piece)
                written += len(piece)
                try:
                    await asyncio.wait_for(writer.drain(), 1.0)
                except asyncio.TimeoutError:
                    stuck.set()
                    await writer.drain()

        async with proxied(answer) as client, client.stream("GET", "/x") as response:
            assert response.headers["content-length"] == str(size)
            await stuck.wait()
            assert written < 40 * 10**6  # what all the buffers on the way hold
            assert sum([len(piece) async for piece in response.aiter_raw()]) == size

    @pytest.mark.parametrize(
        "lines",
        [
            ("Content-Length: 100",),
            ("Transfer-Encoding: chunked",),
        ],
    )
    async def test_that_breaks_off_is_not_taken_for_a_whole_one(
        self, proxied: Any, lines: tuple[str, ...]
    ) -> None:
        body = b"5\r\nhello\r\n" if "chunked" in lines[0] else b"hello"
        async with proxied(says("HTTP/1.1 200 OK", *lines, body=body)) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/x")

    @pytest.mark.parametrize(
        "answer",
        [
            says(),
            says("no HTTP at all"),
            says("HTTP/1.1 200 OK", "Content-Length: many"),
            says("HTTP/1.1 101 Switching Protocols", "Upgrade: surprise", "Connection: upgrade"),
            says("HTTP/1.1 200 OK", "Content-Length: 2", f"X-Long: {'x' * 100_000}", body=b"ok"),
        ],
    )
    async def test_that_is_none_is_told(self, proxied: Any, answer: Answer) -> None:
        async with proxied(answer) as client:
            response = await client.get("/x")
        assert response.status_code == 502
        assert response.text

    async def test_with_bytes_that_are_no_letters_passes(self, proxied: Any) -> None:
        lines = ("HTTP/1.1 200 \xff\xfe", "Content-Length: 2", "X-Name: \xc5\xbe\xff")
        async with proxied(says(*lines, body=b"ok")) as client:
            response = await client.get("/x")
        assert response.content == b"ok"
        assert (b"X-Name", b"\xc5\xbe\xff") in response.headers.raw


async def test_a_reader_of_long_ago_is_told_where_the_answer_ends(proxied: Any) -> None:
    """Of HTTP/1.0, with a connection that it would like to keep."""
    answer = says("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", body=b"2\r\nok\r\n0\r\n\r\n")
    async with proxied(answer) as client:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(b"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (await asyncio.wait_for(reader.read(), 10)).endswith(b"\r\n\r\nok")
        writer.close()


async def test_nobody_listens(proxied: Any, short_path: Path) -> None:
    async with proxied(says(*OK)) as client:
        (short_path / "socket").unlink()
        assert (await client.get("/x")).status_code == 502


async def test_a_reader_who_leaves_ends_it_at_the_program(proxied: Any) -> None:
    left = asyncio.Event()

    async def answer(head: str, asked: bytes, writer: asyncio.StreamWriter) -> None:
        await says("HTTP/1.1 200 OK", "Content-Length: 99999999")(head, asked, writer)
        with suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(bytes(1000))
                await writer.drain()
                await asyncio.sleep(0.01)
        left.set()

    async with proxied(answer) as client:
        async with client.stream("GET", "/x") as response:
            await anext(response.aiter_raw())
        await asyncio.wait_for(left.wait(), 10)


class TestAnAnswerThatIsAddedTo:
    @pytest.fixture(autouse=True)
    def added(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def amend(status: int, headers: object) -> Insertion:
            return Insertion(b"<s>")

        monkeypatch.setattr(Front, "amend", staticmethod(amend))

    async def test_has_no_header_that_does_not_hold_any_more(self, proxied: Any) -> None:
        page = b"<html><head><p>"
        answer = says(
            "HTTP/1.1 200 OK",
            f"Content-Length: {len(page)}",
            'ETag: "1"',
            "Accept-Ranges: bytes",
            "Content-MD5: x",
            "Set-Cookie: a=b",
            "Vary: Cookie",
            body=page,
        )
        async with proxied(answer) as client:
            got = await client.get("/x")
        assert got.content == b"<html><head><s><p>"
        assert got.headers["ETag"] == 'W/"1"'
        assert got.headers["Vary"] == "Cookie, Sec-Fetch-Dest, Accept"
        assert got.headers["Set-Cookie"] == "a=b"
        for name in ("Content-Length", "Accept-Ranges", "Content-MD5"):
            assert name not in got.headers

    async def test_comes_piece_by_piece_and_is_not_gathered(self, proxied: Any) -> None:
        released = asyncio.Event()

        async def answer(head: str, asked: bytes, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in (b"<he", b"ad>", b"first"):
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                await writer.drain()
            await asyncio.wait_for(released.wait(), 10)
            writer.write(b"4\r\nlast\r\n0\r\n\r\n")

        async with proxied(answer) as client, client.stream("GET", "/x") as got:
            text = ""
            async for piece in got.aiter_text():
                text += piece
                if text == "<head><s>first":
                    released.set()
        assert text == "<head><s>firstlast"

    @pytest.mark.parametrize("page", [b"", b"<hea", b"<!-- never ends"])
    async def test_is_whole_though_it_ends_before_the_place(
        self, proxied: Any, page: bytes
    ) -> None:
        async with proxied(says("HTTP/1.1 200 OK", body=page)) as client:
            assert (await client.get("/x")).content == page

    async def test_breaks_off_where_the_program_does(self, proxied: Any) -> None:
        answer = says("HTTP/1.1 200 OK", "Content-Length: 100", body=b"<head>and")
        async with proxied(answer) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/x")
