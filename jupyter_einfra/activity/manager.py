"""The activity feature's life: what happens goes in; digests and notices come out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace
from traitlets import Bool, Float

from ..config import EinfraConfigurable
from ..errors import EinfraError
from ..models import Notice, Reason
from ..notices import Board
from ..threads import in_thread
from ..usage.models import UsageHistory
from .digest import counted, digest
from .done import Done
from .journal import KEPT
from .models import (
    ActivityList,
    ActivityQuery,
    ActivityStatus,
    Awaited,
    Digest,
    DigestUse,
    ProgramAction,
    ProgramKind,
    Seen,
)
from .moments import ended, utc
from .recorder import Recorder, Server
from .remembered import MOST_SEEN, Remembered, Standing
from .use import use_of

#: What is asked for from before, is asked for from then.
_EARLIEST = utc(0) + timedelta(days=2)

#: Without an absence, what is told of.
_DAY = timedelta(days=1)

_LOOK_SECONDS = 60.0

_Result = TypeVar("_Result")


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
    history:
        Returns what was used between two moments; None if that is not known.
    programs:
        Returns the ids of all applications and the like that run.
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
        history: Callable[[datetime, datetime], UsageHistory | None],
        programs: Callable[[], Collection[str]],
        server: Server,
        directory: Path,
        now: Callable[[], float] = time.time,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._publish = publish
        self._standing = standing
        self._history = history
        self._programs = programs
        self._now = now
        self._started_at = utc(now())
        self._remembered = Remembered(
            directory,
            now=now,
            log=self.log,
            on_read=self._on_read,
            least_absence_seconds=self.least_absence_seconds,
        )
        self._done = Done(board, is_awaited=self._is_awaited, settle=self._settle)
        self._recorder = Recorder(server, self._remembered, self._done, self.log, now=now)
        self._is_listening = False
        self._watchers = 0
        self._counts = (0, 0)
        self._told_away = False
        self._digesting = asyncio.Lock()
        self._counting: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to record; called on the server's loop."""
        self._loop = asyncio.get_running_loop()
        if not self.record:
            self._tell()
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
        if self.is_recording and not self._is_listening:
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
        now = self._now()
        self._remembered.change(lambda known: replace(known, presence=known.presence.leave(now)))

    def _look(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look)
        self._done.look(utc(self._now()))
        if self._told_away and self._remembered.standing.presence.away_since is None:
            self._tell()  # who comes next is not told of an absence that is over

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
        if self.is_recording:
            self._listen()
        else:
            self._end_recording()
        self._on_presence()

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
        self._watchers = count
        self._on_presence()

    def _on_presence(self) -> None:
        if self.record and self._remembered.is_being_read:
            return  # it comes again in a moment
        now, before = self._now(), self._remembered.standing.presence
        is_here, least = self._watchers > 0, self.least_absence_seconds

        def turn(known: Standing) -> Standing:
            presence = known.presence
            moved = presence.settled(now).come(now, least) if is_here else presence.leave(now)
            return replace(known, presence=moved)

        if self._remembered.change(turn).presence != before:
            with self._remembered.journal() as journal:
                journal.cut()
            self._remembered.flush()
        if self._watchers > 0:
            self._count_and_tell()

    def _count_and_tell(self) -> None:
        """Tell pages whether there is something to tell."""
        if self._counting is None or self._counting.done():
            self._counting = asyncio.ensure_future(self._count())

    async def _count(self) -> None:
        presence = self._remembered.standing.presence
        self._counts = (0, 0)
        if presence.away_since is not None:
            try:
                self._counts = await self._alone(self._count_facts, utc(presence.away_since))
            except Exception:
                self.log.exception("What happened meanwhile could not be summed up")
        self._tell()

    def _tell(self) -> ActivityStatus:
        status = self._status()
        self._told_away = status.away_since is not None
        self._publish("activity", msgspec.json.encode(status))
        return status

    def _status(self) -> ActivityStatus:
        standing = self._remembered.standing
        presence = standing.presence
        attention, news = self._counts if presence.away_since is not None else (0, 0)
        return ActivityStatus(
            time=utc(self._now()),
            away_since=_maybe(presence.away_since),
            back_at=_maybe(presence.back_at),
            attention=attention,
            news=news,
            recording=self.is_recording,
            awaited=standing.awaited,
        )

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

    @property
    def is_recording(self) -> bool:
        """Whether what happens is recorded."""
        return self.record and self._remembered.standing.recording

    async def events(self, query: ActivityQuery) -> bytes:
        """Return the JSON of an `ActivityList`."""
        self._look_now()
        return await in_thread(self._events, query)

    def _events(self, query: ActivityQuery) -> bytes:
        until = max(query.until or utc(self._now()), _EARLIEST)
        since = query.since or until - _DAY
        found = [
            event
            for event in self._remembered.events()
            if event.time <= until and (ended(event) or until) >= since
        ]
        found.sort(key=lambda event: (event.time, event.id))
        told = ActivityList(
            events=found[-query.limit :],
            more=max(len(found) - query.limit, 0),
            recording=self.is_recording,
            reason=self._reason,
        )
        return msgspec.json.encode(told)

    async def digest(self, since: datetime | None) -> Digest:
        """Return what happened since a moment; since the owner was last here if left out."""
        self._look_now()
        if since is None:
            away_since = self._remembered.standing.presence.away_since
            now = self._now()
            since = utc(now) - _DAY if away_since is None else utc(away_since)
        return await self._alone(self._digest, since)

    async def _alone(self, work: Callable[[datetime], _Result], since: datetime) -> _Result:
        """Sum up in a thread, for one at a time: it takes a while of all the process's time."""
        async with self._digesting:
            return await in_thread(work, since)

    def _count_facts(self, since: datetime) -> tuple[int, int]:
        standing = self._remembered.standing
        back_at = _maybe(standing.presence.back_at) or utc(self._now())
        return counted(
            self._remembered.events(),
            self._standing(),
            since=since,
            until=back_at,
            seen=frozenset(standing.seen),
        )

    def _digest(self, since: datetime) -> Digest:
        now = utc(self._now())
        since = min(max(since, now - KEPT), now)
        standing = self._remembered.standing
        back_at = _maybe(standing.presence.back_at)
        return digest(
            self._remembered.events(),
            self._use(since, now),
            self._standing(),
            now=now,
            since=since,
            until=back_at if back_at is not None and since < back_at < now else now,
            started_at=self._started_at,
            seen=frozenset(standing.seen),
            programs=frozenset(self._programs()),
            recording=self.is_recording,
            reason=self._reason,
        )

    def _use(self, since: datetime, now: datetime) -> DigestUse | None:
        try:
            history = self._history(since, now)
            return None if history is None else use_of(history)
        except Exception:
            self.log.exception("What was used could not be summed up")
            return None

    @property
    def _reason(self) -> Reason | None:
        return self._remembered.reason if self.record else None

    async def seen(self, seen: Seen) -> ActivityStatus:
        """Take note of what the owner was shown."""

        def turn(known: Standing) -> Standing:
            presence = known.presence
            if presence.away_since is not None and seen.until.timestamp() >= presence.away_since:
                presence = presence.told()
            ids = dict.fromkeys([*known.seen, *seen.facts])
            return replace(known, presence=presence, seen=list(ids)[-MOST_SEEN:])

        self._remembered.change(turn)
        self._remembered.flush()
        self._done.withdraw_all(seen.until)
        return self._tell()

    async def erase(self) -> ActivityStatus:
        """Forget what was recorded, but for what still runs."""
        self._remembered.erase(self._programs())
        self._done.stop()
        self._counts = (0, 0)
        self._remembered.flush()
        work = self._remembered.erase_copies if self.record else self._remembered.erase_files
        try:
            await in_thread(work)
        except OSError as error:
            self.log.warning("Files of what was recorded could not be deleted: %s", error)
        return self._tell()

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
        return self._tell()

    def set_awaited(self, awaited: Awaited) -> ActivityStatus:
        """Tell, or do not tell, when a notebook is done.

        Raises
        ------
        NotRecording
            Then nobody knows when it is.
        """
        if awaited.wanted and not self.is_recording:
            raise NotRecording
        self._remembered.wait_for(awaited.path, wanted=awaited.wanted)
        self._remembered.flush()
        return self._tell()

    def _is_awaited(self, path: str) -> bool:
        return path in self._remembered.standing.awaited

    def _settle(self, path: str) -> None:
        if self._is_awaited(path):
            self._remembered.wait_for(path, wanted=False)
            self._tell()


def _maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else utc(seconds)
