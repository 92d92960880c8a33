"""Threads for what may hang, such as everything that asks a home on NFS.

asyncio's own come from a pool: a few that hang keep all others waiting, and Python waits
for each of them at its end.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


async def in_thread(
    function: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> _Result:
    """Run a function in a thread of its own, and return or raise what it does.

    If the caller gives up, the thread goes on and nobody hears of it.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[_Result] = loop.create_future()

    def settle(result: _Result | None, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is None:
            outcome.set_result(result)  # type: ignore[arg-type] # it is one of the two
        else:
            outcome.set_exception(error)

    def run() -> None:
        result: _Result | None = None
        failure: BaseException | None = None
        try:
            result = function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - for the caller
            failure = error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, result, failure)

    name = f"einfra-{getattr(function, '__name__', 'work')}"
    threading.Thread(target=run, name=name, daemon=True).start()
    return await outcome
