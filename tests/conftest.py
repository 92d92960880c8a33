"""Fixtures that many features' tests use."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import settings
from jupyter_server.serverapp import ServerApp
from servers.groups import Groups, NoGroupsError
from servers.nvidia import NoCompilerError, StandInDriver, build_libraries
from tornado.httpclient import HTTPClientError, HTTPResponse

pytest_plugins = ["pytest_jupyter.jupyter_server"]

# How long an example takes says nothing on a machine that does something else as well, and
# who runs all tests again wants the same answer: `make properties` looks for new examples.
settings.register_profile("einfra", deadline=None, derandomize=True)
# Where a build server says that it is one, Hypothesis looks at the same ones by itself.
settings.register_profile("search", deadline=None, derandomize=False, max_examples=4000)
settings.load_profile("einfra")

Fetch = Callable[..., Awaitable[HTTPResponse]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Escape what was logged of names that are no text: workers report in UTF-8."""
    report = yield
    report.sections = [
        (title, text.encode(errors="backslashreplace").decode()) for title, text in report.sections
    ]
    return report


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    """A server that loads nothing but our extension."""
    return {"ServerApp": {"jpserver_extensions": {"jupyter_einfra": True}}}


@pytest.fixture
def groups() -> Iterator[Groups]:
    """Control groups of the test's own, removed at its end."""
    try:
        made = Groups()
    except NoGroupsError as reason:
        pytest.skip(str(reason))
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in NVIDIA driver, in ``new``, ``middle`` and ``old``."""
    folder = tmp_path_factory.mktemp("nvml")
    try:
        build_libraries(folder)
    except NoCompilerError as reason:
        pytest.skip(str(reason))
    return folder


@pytest.fixture
def driver(libraries: Path, tmp_path: Path) -> Iterator[StandInDriver]:
    """A stand-in NVIDIA driver that makes the test fail when it was misused."""
    made = StandInDriver(tmp_path, libraries / "new")
    yield made
    assert [line for line in made.log if line.startswith("misuse")] == []


@pytest.fixture
def listening(jp_serverapp: ServerApp, http_server_client: Any) -> ServerApp:
    """The server in this process, reachable over HTTP."""
    return jp_serverapp


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Everything that is logged, whichever handlers the loggers have at the time."""
    messages: list[str] = []
    make = logging.getLogRecordFactory()

    def remember(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        traced = record.exc_info and record.exc_info[0]
        messages.append(record.getMessage() + (" Traceback" if traced else ""))
        return record

    logging.setLogRecordFactory(remember)
    yield messages
    logging.setLogRecordFactory(make)


@pytest.fixture
def refused(jp_fetch: Fetch) -> Callable[..., Awaitable[tuple[int, dict[str, Any]]]]:
    """Ask for something that is refused; return the status and the error body."""

    async def ask(*path: str, **kwargs: Any) -> tuple[int, dict[str, Any]]:
        with pytest.raises(HTTPClientError) as caught:
            await jp_fetch(*path, **kwargs)
        assert caught.value.response is not None
        return caught.value.code, json.loads(caught.value.response.body)

    return ask


class EventReader:
    """Reads the stream as a browser would: whole events, in order."""

    def __init__(self, response: httpx.Response) -> None:
        self.text = ""
        self.comments = 0
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.ended = asyncio.ensure_future(self._read(response))

    async def _read(self, response: httpx.Response) -> None:
        async for chunk in response.aiter_bytes():
            self._feed(chunk)

    async def stop(self) -> None:
        """Read no more."""
        self.ended.cancel()
        await asyncio.wait([self.ended])

    def _feed(self, chunk: bytes) -> None:
        self.text += chunk.decode()
        while "\n\n" in self.text:
            block, self.text = self.text.split("\n\n", 1)
            fields = dict(
                line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")
            )
            if not fields:
                self.comments += 1
                continue
            event = json.loads(fields["data"])
            assert event["type"] == fields["event"]
            self._events.put_nowait({**event, "id": fields.get("id")})

    async def next(self, kind: str | None = None) -> dict[str, Any]:
        """Wait for the next event, or for the next of one kind."""
        while True:
            event = await asyncio.wait_for(self._events.get(), 10)
            if kind in (None, event["type"]):
                return event


@pytest.fixture
def open_stream(listening: ServerApp, jp_auth_header: dict[str, str]) -> Callable[..., Any]:
    """Open the stream; the context ends when the client goes away."""
    url = f"http://127.0.0.1:{listening.port}{listening.base_url}jupyter-einfra/stream"

    @asynccontextmanager
    async def opened(
        query: str = "", headers: dict[str, str] | None = None
    ) -> AsyncIterator[EventReader]:
        async with (
            httpx.AsyncClient(headers=jp_auth_header, timeout=60) as client,
            client.stream("GET", url + query, headers=headers or {}) as response,
        ):
            assert response.status_code == 200
            reader = EventReader(response)
            try:
                yield reader
            finally:
                await reader.stop()

    return opened
