"""A byte stream in WebSocket messages goes no faster than who takes it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from tornado.websocket import WebSocketClosedError

from jupyter_einfra.apps.byte_stream import ByteStream

CHUNK = b"x" * 65536


class Browser:
    """A WebSocket whose other end takes messages when the test says so."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, asyncio.Future[None]]] = []
        self.is_closed = False

    def write_message(self, data: bytes, *, binary: bool) -> asyncio.Future[None]:
        assert binary
        if self.is_closed:
            raise WebSocketClosedError
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent.append((data, taken))
        return taken

    def take_all(self) -> None:
        for _, taken in self.sent:
            if not taken.done():
                taken.set_result(None)

    def close(self) -> None:
        self.is_closed = True

    @property
    def size(self) -> int:
        return sum(len(data) for data, _ in self.sent)


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
def program() -> Any:
    """The program's end of its socket, and the other one."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours, theirs:
        yield ours, theirs


@asynccontextmanager
async def carried(browser: Browser, program: Any) -> AsyncIterator[ByteStream]:
    """Connect the two."""
    transport, made = await asyncio.get_running_loop().create_unix_connection(
        lambda: ByteStream(browser),  # type: ignore[arg-type] # all that it needs of one
        sock=program[0],
    )
    yield made
    transport.abort()
    await asyncio.sleep(0)


async def flood(theirs: socket.socket) -> int:
    """Send until nobody takes any more; return how much was taken."""
    size = 0
    for _ in range(50):
        with suppress(BlockingIOError):
            while True:
                size += theirs.send(CHUNK)
        await asyncio.sleep(0.002)
    return size


async def test_a_program_waits_for_a_browser_that_does_not_take(
    browser: Browser, program: Any
) -> None:
    async with carried(browser, program):
        _, theirs = program
        sent = await flood(theirs)
        assert 2**20 < browser.size < 2 * 2**20
        assert sent < 4 * 2**20
        # It goes on when the browser does, and what was waiting comes first.
        browser.take_all()
        before = browser.size
        await flood(theirs)
        assert browser.size > before + 2**20


async def test_a_browser_waits_for_a_program_that_does_not_take(
    browser: Browser, program: Any
) -> None:
    async with carried(browser, program) as stream:
        _, theirs = program

        async def send() -> None:
            for _ in range(1000):
                await stream.send(CHUNK)

        sending = asyncio.ensure_future(send())
        await asyncio.wait({sending}, timeout=0.5)
        assert not sending.done()
        read = 0
        while not sending.done():
            with suppress(BlockingIOError):
                read += len(theirs.recv(2**20))
            await asyncio.sleep(0)
        assert read > 900 * len(CHUNK)


async def test_others_have_their_turn_between_messages(browser: Browser, program: Any) -> None:
    async with carried(browser, program) as stream:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        another = asyncio.ensure_future(other())
        for _ in range(100):
            await stream.send(b"x")
        another.cancel()
        assert turns >= 100


async def test_the_end_of_the_program_is_the_end_of_the_socket(
    browser: Browser, program: Any
) -> None:
    async with carried(browser, program) as stream:
        program[1].close()
        for _ in range(100):
            await asyncio.sleep(0.01)
            if browser.is_closed:
                break
        assert browser.is_closed
        await stream.send(b"too late")


async def test_who_waits_to_send_is_let_go_when_the_program_ends(
    browser: Browser, program: Any
) -> None:
    async with carried(browser, program) as stream:

        async def send() -> None:
            for _ in range(1000):
                await stream.send(CHUNK)

        sending = asyncio.ensure_future(send())
        await asyncio.wait({sending}, timeout=0.2)
        program[1].close()
        await asyncio.wait_for(sending, 5)


@pytest.mark.parametrize("how", ["closed before", "fails while it is sent"])
async def test_a_browser_that_is_gone_lets_go_of_the_program(
    browser: Browser, program: Any, how: str
) -> None:
    async with carried(browser, program):
        _, theirs = program
        if how == "closed before":
            browser.close()
        theirs.send(b"hello")
        for _ in range(100):
            await asyncio.sleep(0.01)
            for _, taken in browser.sent:
                if not taken.done():
                    taken.set_exception(WebSocketClosedError())
            with suppress(BlockingIOError, ConnectionError):
                if theirs.recv(1) == b"":
                    return
        pytest.fail("the program was not told")
