"""Of a kernel that floods, what it runs is known, and nothing of the flood is heard."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest
import zmq
from jupyter_client.ioloop.manager import AsyncIOLoopKernelManager
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.session import Session

from jupyter_einfra.activity.iopub import Ear
from jupyter_einfra.activity.messages import Message

LOG = logging.getLogger("tests.activity")

#: Made with ipykernel as those of other languages are: what it prints has no topic.
OTHER = """
import sys
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

class Other(Kernel):
    implementation = implementation_version = language = banner = "other"
    language_info = {"name": "other", "mimetype": "text/plain", "file_extension": ".txt"}

    async def do_execute(self, code, silent, store_history=True, *args, **kwargs):
        told = {"status": "ok", "execution_count": self.execution_count}
        for _ in range(int(code or 0)):
            self.send_response(self.iopub_socket, "stream", {"name": "stdout", "text": "x" * 100})
        if int(code or 0) > 1:
            error = {"ename": "Flooded", "evalue": "", "traceback": []}
            self.send_response(self.iopub_socket, "error", error)
        return {**told, "payload": [], "user_expressions": {}}

IPKernelApp.launch_instance(kernel_class=Other)
"""


class Heard:
    """A kernel with an ear on it and nobody else's."""

    def __init__(self, manager: Any) -> None:
        self.manager = manager
        self.messages: list[Message] = []
        self._said = asyncio.Event()
        self.ear = Ear(manager, self._hear, LOG)
        self._session = Session(key=manager.session.key)
        self._shell: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        self._shell.setsockopt(zmq.LINGER, 0)
        self._shell.connect(f"tcp://{manager.ip}:{manager.shell_port}")

    def _hear(self, message: Message) -> None:
        self.messages.append(message)
        self._said.set()

    async def do(self, code: str) -> list[Message]:
        """Run a cell and wait until its end was heard; return what was heard of it."""
        request = self._session.msg("execute_request", {"code": code, "allow_stdin": False})
        ident = request["header"]["msg_id"]
        self._session.send(self._shell, request)
        while not any(m.kind == "idle" and m.parent_id == ident for m in self.messages):
            self._said.clear()
            await self._said.wait()
        return [message for message in self.messages if message.parent_id == ident]

    async def begin(self, code: str) -> None:
        """Listen, and run cells until one was heard."""
        self.ear.open()
        for _ in range(600):
            try:
                await asyncio.wait_for(self.do(code), 0.5)
            except asyncio.TimeoutError:
                continue
            return
        raise TimeoutError

    def close(self) -> None:
        self.ear.close()
        self._shell.close()


@asynccontextmanager
async def listening(kind: str) -> AsyncIterator[Heard]:
    """Start a kernel that nobody listens to but an ear of ours, and run a cell."""
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    if kind == "other":
        argv = [sys.executable, "-c", OTHER, "-f", "{connection_file}"]
    manager = AsyncIOLoopKernelManager(kernel_name="made")
    manager._kernel_spec = KernelSpec(argv=argv, display_name="made", language="any")
    await manager.start_kernel()
    made = Heard(manager)
    try:
        await made.begin("pass" if kind == "python" else "0")
        yield made
    finally:
        made.close()
        await manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("kind", ["python", "other"])
async def test_a_flood_costs_no_memory_and_its_end_is_known(kind: str) -> None:
    async with listening(kind) as heard:
        assert not heard.ear.hears_all
        before = psutil.Process().memory_info().rss
        # A gigabyte of Python's prints; of the other's, more than any queue has room for.
        prints = "for _ in range(1000): print('x' * 1_000_000)\nraise ValueError"
        flood = prints if kind == "python" else "30000"
        said = await asyncio.wait_for(heard.do(flood), 120)
        assert [message.kind for message in said if message.kind != "error"] == ["input", "idle"]
        if kind == "python":
            assert [m.error_name for m in said if m.kind == "error"] == ["ValueError"]
        assert psutil.Process().memory_info().rss - before < 100_000_000
        assert len(heard.messages) < 1000


@pytest.mark.parametrize("kind", ["python", "other"])
async def test_an_error_is_heard_whether_it_has_a_topic_or_not(kind: str) -> None:
    async with listening(kind) as heard:
        fails = "1/0" if kind == "python" else "2"

        async def until_heard() -> list[str]:
            """Run it again until what has no topic is listened to, which takes a moment."""
            names: list[str] = []
            while not names:
                names = [m.error_name for m in await heard.do(fails) if m.error_name]
            return names

        names = await asyncio.wait_for(until_heard(), 60)
        assert names == ["ZeroDivisionError" if kind == "python" else "Flooded"]
        for _ in range(20):  # and it never comes too late
            assert "error" in [message.kind for message in await heard.do(fails)]


class Elsewhere:
    """What a gateway's manager gives for a kernel of which this machine knows no port."""

    def connect_iopub(self) -> zmq.Socket[bytes]:
        made: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
        made.connect("tcp://127.0.0.1:0")
        return made


async def test_a_kernel_that_runs_elsewhere_is_not_listened_to() -> None:
    ear = Ear(Elsewhere(), print, LOG)
    ear.open()
    assert not ear.is_open
