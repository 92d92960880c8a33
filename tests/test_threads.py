"""Threads for what may hang hold up nobody else, and not the end of the process either."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from jupyter_einfra.threads import in_thread


async def test_what_is_returned_or_raised_comes_back() -> None:
    assert await in_thread(divmod, 7, 2) == (3, 1)
    assert await in_thread(int, "11", base=2) == 3
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)
    with pytest.raises(asyncio.CancelledError):  # whatever it is
        await in_thread(_cancelled)


def _cancelled() -> None:
    raise asyncio.CancelledError


async def test_many_that_hang_hold_up_no_other() -> None:
    released = threading.Event()
    hung = [asyncio.ensure_future(in_thread(released.wait)) for _ in range(50)]
    try:
        assert await asyncio.wait_for(in_thread(lambda: 1), 10) == 1
        assert await asyncio.wait_for(asyncio.to_thread(lambda: 1), 10) == 1
        hung[0].cancel()  # who gives up hears no more of it
    finally:
        released.set()
    results = await asyncio.gather(*hung, return_exceptions=True)
    assert results[1:] == [True] * 49
    assert isinstance(results[0], asyncio.CancelledError)


def test_one_that_hangs_keeps_no_process_from_ending() -> None:
    script = (
        "import asyncio, threading\n"
        "from jupyter_einfra.threads import in_thread\n"
        "async def main():\n"
        "    hung = asyncio.ensure_future(in_thread(threading.Event().wait))\n"
        "    await asyncio.sleep(0)\n"
        "asyncio.run(main())\n"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=30, check=False).returncode == 0
