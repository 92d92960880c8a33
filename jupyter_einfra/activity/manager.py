"""The activity feature's life, and what its owner decides."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from traitlets import Bool, Float

from ..config import EinfraConfigurable
from ..errors import EinfraError
from ..models import Notice, Reason
from ..notices import Board
from ..threads import in_thread
from .absence import Absence
from .answers import Answers
from .done import Done
from .models import (
    ActivityQuery,
    ActivityStatus,
    Awaited,
    Digest,
    DigestUse,
    ProgramAction,
    ProgramKind,
    Seen,
)
from .moments import utc
from .recorder import Recorder, Server
from .remembered import MOST_SEEN, Remembered, Standing

_LOOK_SECONDS = 60.0


class NotRecording(EinfraError):
    """It takes a record, and there is none."""

    code = "activity_not_recorded"
    http_status = 409

    def __init__(self) -> None:
        super().__init__(
            "What happens on this server is not recorded. Switch that on to be told of it."
        )


class ActivityManager(EinfraConfigurable):
    """Records what happens on this server, and tells who comes back.

    Parameters
    ----------
    publish:
        Takes a topic and one JSON object.
    board:
        Where notices are put up.
    standing:
        Returns the notices that hold now, of all features.
    use:
        Returns what was used between two moments; None if that is not known.
    programs:
        Returns the ids of all applications and the like that run.
    are_deaths_told:
        Whether another feature tells that a kernel died, and why.
    server:
        What of the server is listened to.
    directory:
        Where this server keeps its state.
    now:
        Seconds since 1970.
    """

    env_prefix = "JUPYTER_EINFRA_ACTIVITY_"

    record = Bool(
        True,
        help="Whether what happens on this server may be recorded for its owner: runs of cells, "
        "errors, ends of kernels, changes of files.",
    ).tag(config=True)
    least_absence_seconds = Float(
        900.0,
        min=0.0,
        max=86400.0,
        help="Seconds without an open page after which its owner was away.",
    ).tag(config=True)

    def __init__(
        self,
        *,
        publish: Callable[[str, bytes], None],
        board: Board,
        standing: Callable[[], Sequence[Notice]],
        use: Callable[[datetime, datetime], DigestUse | None],
        programs: Callable[[], Collection[str]],
        are_deaths_told: Callable[[], bool],
        server: Server,
        directory: Path,
        now: Callable[[], float] = time.time,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._programs = programs
        self._now = now
        self._remembered = Remembered(
            directory,
            now=now,
            log=self.log,
            allowed=self.record,
            on_read=self._on_read,
            least_absence_seconds=self.least_absence_seconds,
        )
        self._done = Done(
            board,
            is_awaited=self._is_awaited,
            settle=self._settle,
            are_deaths_told=are_deaths_told,
        )
        self._recorder = Recorder(server, self._remembered, self._done, self.log, now=now)
        self._answers = Answers(
            self._remembered,
            standing=standing,
            use=use,
            programs=programs,
            now=now,
            log=self.log,
        )
        self._absence = Absence(
            self._remembered,
            count=self._answers.count,
            publish=publish,
            least_absence_seconds=self.least_absence_seconds,
            now=now,
            log=self.log,
        )
        self._is_listening = False
        self._has_ended = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to record; called on the server's loop."""
        self._loop = asyncio.get_running_loop()
        if not self.record:
            self._absence.tell()
            return
        self._remembered.start()
        self._listen()
        self._recorder.program("server", "server", "server", "started")
        self._look()

    def stop(self) -> None:
        """Record no more and save what there is. In a thread."""
        if self._loop is not None and self.record:
            stopped = self._stop_listening()
            try:
                asyncio.run_coroutine_threadsafe(stopped, self._loop).result(1.0)
            except RuntimeError:  # the loop is closed
                stopped.close()
            except Exception:
                self.log.exception("The record of this server did not end cleanly")
            if not self._remembered.stop(2.0):
                self.log.warning("What happened on this server was not written in time")

    # On the loop: life --------------------------------------------------------------------

    def _listen(self) -> None:
        if self._remembered.is_recording and not self._is_listening:
            self._is_listening = True
            self._recorder.start()

    async def _stop_listening(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._is_listening:
            self._is_listening = False
            self._recorder.stop("server-ended")
            self._recorder.program("server", "server", "server", "stopped")
        self._done.stop()
        self._absence.end()
        self._has_ended = True

    def _look(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look)
        self._done.look(utc(self._now()))
        self._absence.look()

    def _look_now(self) -> None:
        """See what there is, for who asks."""
        if self._is_listening:
            self._recorder.look()

    def _on_read(self) -> None:
        """Go on with what earlier lives left. In the store's thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        if self._has_ended:
            return  # it was read as the server ended
        if self._remembered.is_recording:
            self._listen()
        else:
            self._end_recording()
        self._absence.settle()

    def _end_recording(self) -> None:
        """Record no more, and nothing of what still runs."""
        if self._is_listening:
            self._is_listening = False
            with self._remembered.journal() as journal:
                before = {event.id for event in journal}
                self._recorder.stop("unknown")
                for event in list(journal):
                    if event.id not in before:
                        journal.remove(event.id)
        self._done.stop()

    def on_watchers(self, count: int) -> None:
        """Know how many pages are open and seen: whether the owner is here."""
        self._absence.on_watchers(count)

    # From other features; any thread ---------------------------------------------------------

    def explain(self, notice: Notice) -> None:
        """Take in why a kernel died."""
        self._soon(lambda: self._recorder.explain(notice))

    def program(
        self,
        program: ProgramKind,
        program_id: str,
        name: str,
        action: ProgramAction,
        reason: Reason | None = None,
    ) -> None:
        """Take in that an application or a public address began or ended."""
        self._soon(lambda: self._recorder.program(program, program_id, name, action, reason))

    def _soon(self, work: Callable[[], None]) -> None:
        def run() -> None:
            if self._is_listening:
                work()

        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(run)

    # What is asked for -------------------------------------------------------------------------

    async def events(self, query: ActivityQuery) -> bytes:
        """Return the JSON of an `ActivityList`."""
        self._look_now()
        return await self._answers.events(query)

    async def digest(self, since: datetime | None) -> Digest:
        """Return what happened since a moment; since the owner was last here if left out."""
        self._look_now()
        return await self._answers.digest(since)

    # What the owner decides --------------------------------------------------------------------

    async def seen(self, seen: Seen) -> ActivityStatus:
        """Take note of what the owner was shown."""
        now = self._now()

        def turn(known: Standing) -> Standing:
            presence = known.presence
            # An absence that began since is another one.
            if presence.away_since is None or seen.until.timestamp() >= presence.away_since:
                presence = presence.told(now)
            ids = dict.fromkeys([*known.seen, *seen.facts])
            return replace(known, presence=presence, seen=list(ids)[-MOST_SEEN:])

        self._remembered.change(turn)
        self._remembered.flush()
        self._done.withdraw_all(seen.until)
        return self._absence.tell()

    async def erase(self) -> ActivityStatus:
        """Forget what was recorded, but for what still runs."""
        self._remembered.erase(self._programs())
        self._done.stop()
        self._absence.forget()
        self._remembered.flush()
        try:
            await in_thread(self._remembered.erase_files)
        except OSError as error:
            self.log.warning("Files of what was recorded could not be deleted: %s", error)
        return self._absence.tell()

    def set_recording(self, *, wanted: bool) -> ActivityStatus:
        """Record, or do not.

        Raises
        ------
        NotRecording
            The operator does not allow it.
        """
        if wanted and not self.record:
            raise NotRecording
        self._remembered.set_recording(wanted=wanted)
        if wanted:
            self._listen()
        else:
            self._end_recording()
            for path in self._remembered.standing.awaited:
                self._remembered.wait_for(path, wanted=False)
        self._remembered.flush()
        return self._absence.tell()

    def set_awaited(self, awaited: Awaited) -> ActivityStatus:
        """Tell, or do not tell, when a notebook is done.

        Raises
        ------
        NotRecording
            Then nobody knows when it is.
        """
        if awaited.wanted and not self._remembered.is_recording:
            raise NotRecording
        self._remembered.wait_for(awaited.path, wanted=awaited.wanted)
        self._remembered.flush()
        return self._absence.tell()

    def _is_awaited(self, path: str) -> bool:
        return path in self._remembered.standing.awaited

    def _settle(self, path: str) -> None:
        if self._is_awaited(path):
            self._remembered.wait_for(path, wanted=False)
            self._absence.tell()
