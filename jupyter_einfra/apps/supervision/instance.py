"""One application as it starts, runs and ends: who wants it to run, and what became of it.

Everything runs on the event loop. What an instance is told shows in its state at once:
`Instance.start` makes it *starting* and `Instance.stop` *stopping*, whatever is still to be
done for that. One task at a time, its life, does it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from ...models import Reason
from ...threads import in_thread
from .. import reasons
from ..application import Application
from ..models import AppInstance
from ..presence.use import Use
from . import leftovers
from .lifecycle import End, Verdict, after
from .preparation import NotPossible, Prepared, Wanted, prepare
from .readiness import until_ready
from .run import Run, Unstartable
from .surroundings import Surroundings, remove, remove_soon

State = Literal["stopped", "starting", "running", "stopping", "failed"]


class Instance:
    """One application, or one application on one folder.

    Parameters
    ----------
    ident:
        ``<name>`` or ``<name>/<folder>``.
    folder:
        What it works on; None for the folder that the server shows.
    """

    def __init__(
        self, app: Application, ident: str, folder: str | None, around: Surroundings
    ) -> None:
        self.app = app
        self.id = ident
        self.folder = folder
        self.short_name = folder or ""
        """What the folder is called among those that the application was opened on."""
        self.opened = ""
        """What it was to show when it was last started."""
        self.state: State = "stopped"
        self.reason: Reason | None = None
        """Why it does not run; None before it is first started."""
        self.socket = ""
        """Where it listens while it runs; empty if it is at `port`."""
        self.port = 0
        self.headers: Mapping[str, str] = {}
        """What every request to it carries, which nobody else may see."""
        self._resets = False
        """Whether its next start sets aside what it would restore."""
        self.use = Use()
        self._around = around
        self.since = datetime.now(timezone.utc)
        self._started: datetime | None = None
        self._begun = 0.0
        self._restarts = 0
        self._exit_code: int | None = None
        self._wanted = False
        self._asked = False
        """Whether the present run was asked to stop, even if another one is wanted since."""
        self._asked_why: Reason | None = None
        """Why it was asked to, if not because a person wanted it."""
        self._wake = asyncio.Event()
        self._pause_seconds = 0.0
        self._run: Run | None = None
        self._life: asyncio.Task[None] | None = None
        self._watchers: set[asyncio.Event] = set()

    # What there is to know ------------------------------------------------------------

    @property
    def title(self) -> str:
        """Its name for people."""
        if self.folder is None:
            return self.app.title
        return f"{self.app.title}: {reasons.text(self.short_name)}"

    @property
    def url(self) -> str:
        """Its address, relative to the server's base URL."""
        return f"{self.id}/"

    @property
    def elapsed_seconds(self) -> float | None:
        """How long its start or its stop has taken so far; None while it does neither."""
        if self.state not in ("starting", "stopping"):
            return None
        return time.monotonic() - self._begun

    @property
    def output(self) -> Path | None:
        """Where its last start prints; None before the first."""
        return self._run.output if self._run else None

    @property
    def guardian_pid(self) -> int | None:
        """The process below which all of it runs; None while nothing does."""
        return None if self._run is None or self._run.is_over else self._run.guardian_pid

    @property
    def is_settled(self) -> bool:
        """Whether nothing is about to happen: it runs, or nothing of it is left."""
        return self.state == "running" or self._life is None or self._life.done()

    @property
    def may_start_by_itself(self) -> bool:
        """Whether going to its address is enough: it has not stopped or failed before."""
        return self.state == "stopped" and self.reason is None

    def told(self) -> AppInstance:
        """Return what a page is told of it."""
        return AppInstance(
            id=self.id,
            app=self.app.name,
            title=self.title,
            folder=None if self.folder is None else reasons.text(self.folder),
            url=self.url,
            state=self.state,
            since=self.since,
            started=self._started,
            last_start_seconds=self._around.remembered.start_seconds(self.app.name),
            restarts=self._restarts,
            exit_code=self._exit_code,
            reason=self.reason,
            last_used=self.use.last_used,
            last_busy=self.use.last_busy,
            hides_use=self.use.is_hidden,
        )

    @property
    def followers(self) -> int:
        """How many want to know of every change."""
        return len(self._watchers)

    @contextmanager
    def watched(self) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever something changes."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            yield changed
        finally:
            self._watchers.discard(changed)

    # What it can be told --------------------------------------------------------------

    def start(self, opened: str = "") -> None:
        """Have it run, and show a folder or file; nothing happens if it does, or will."""
        if self.state in ("starting", "running"):
            return
        self.opened = opened
        self._wanted = True
        self._restarts = 0
        self._begun = time.monotonic()
        self._enter("starting", None)
        if self._life is None or self._life.done():
            self._life = asyncio.ensure_future(self._live())

    def stop(self, why: Reason | None = None) -> None:
        """Have it stopped, or let it rest that it failed; else nothing happens.

        Parameters
        ----------
        why:
            What is told of it; that it was stopped, if left out.
        """
        if self.state == "failed":
            self._enter("stopped", self._stopped().reason)
        if self.state not in ("starting", "running"):
            return
        self._wanted, self._asked, self._asked_why = False, True, why
        self._wake.set()
        self._begun = time.monotonic()
        saves = self.app.saves_when_stopped and self.state == "running"
        self._enter("stopping", self._saving() if saves else None)
        if self._run is not None:
            self._run.stop()

    def kill(self) -> None:
        """End all of it at once, without its stop steps."""
        self.stop()
        if self._run is not None:
            self._run.kill()

    def restart(self) -> None:
        """Have it stopped, and started when nothing of it is left."""
        self.stop()
        self.start()

    def reset(self) -> None:
        """End it at once and start it anew, without the state that it would restore."""
        self.kill()
        self._resets = True
        self.start()

    def abandon(self) -> asyncio.Task[None] | None:
        """Let it end as if the server were gone; return what is done when it has."""
        self._wanted, self._asked = False, True
        self._wake.set()
        if self._run is not None and not self._run.is_over:
            self._run.abandon()
        return self._life

    def discard(self) -> None:
        """Remove what its last run has left; nobody can ask for it any more."""
        if self._run is not None:
            remove_soon(self._run.directory)

    # Its life -------------------------------------------------------------------------

    async def _live(self) -> None:
        """Run it for as long as it is wanted, again and again if need be."""
        while self._wanted:
            self._wake.clear()
            self._asked = False
            try:
                await self._run_once()
            except NotPossible as refusal:
                self._settle("failed", refusal.reason)
            except Unstartable as error:
                self._settle("failed", reasons.unstartable(self.app.title, error))
            except Exception as error:
                self._around.log.exception("%s could not be looked after", self.id)
                self._settle("failed", reasons.unusable(self.app.title, error))
        if self.state == "stopping":
            self._enter("stopped", self._asked_why or self._stopped().reason)

    async def _run_once(self) -> None:
        """Start it, and stay until nothing of it is left.

        Raises
        ------
        NotPossible, Unstartable
            It could not be started.
        """
        self._pause_seconds = 0.0
        if not await self._comes(self._make_room()):
            return
        wanted = Wanted(url=self.url, folder=self.folder, opened=self.opened, resets=self._resets)
        self._resets = False
        preparing = asyncio.ensure_future(prepare(self.app, wanted, self._around))
        try:
            if not await self._comes(preparing):
                return
        finally:
            if self._asked or not preparing.done():
                preparing.add_done_callback(_remove_prepared)
        prepared = preparing.result()
        launch = prepared.launch
        run = self._run = self._new_run(launch.directory)
        self._started = datetime.now(timezone.utc)
        self._exit_code = None
        await run.start(prepared.argv, prepared.env, launch.folder, self.app)
        try:
            self._stop_if_asked(run)
            self.socket, self.port = launch.socket, launch.port
            self.headers = prepared.headers
            await self._follow(run)
        except BaseException:
            run.kill()
            raise
        finally:
            await run.over()
        if self._pause_seconds and not self._asked:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._pause_seconds)

    async def _comes(self, needed: Coroutine[Any, Any, None] | asyncio.Task[Prepared]) -> bool:
        """Wait for what a start takes; return whether it came before a wish to stop.

        Raises
        ------
        NotPossible
            It takes too long, or cannot be had.
        """
        coming = asyncio.ensure_future(needed)
        stopped = asyncio.ensure_future(self._wake.wait())
        waited: set[asyncio.Future[Any]] = {coming, stopped}
        limit = self._limit_seconds
        await asyncio.wait(waited, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self._asked:
            return False
        if not coming.done():
            raise NotPossible(reasons.not_ready(self.title, limit))
        coming.result()
        return True

    def _stop_if_asked(self, run: Run) -> None:
        """Stop a run of which nobody knew while it was being started."""
        if self._asked:
            run.stop()

    async def _follow(self, run: Run) -> None:
        """Tell how it goes until its program ends, and judge that."""
        begun = time.monotonic()
        was_ready = await self._until_ready_or_ended(run)
        if was_ready is None:
            self._settle("failed", reasons.not_ready(self.title, self._limit_seconds))
            run.stop()
            return
        if was_ready and not self._asked:
            self._around.remembered.started(self.app.name, time.monotonic() - self._begun)
            self._enter("running", None)
        self._exit_code = await run.ended()
        if self._asked:
            return  # stopped when all of it is gone, whatever its program left behind
        verdict = self._verdict(
            self._exit_code, was_ready=was_ready, lasted=time.monotonic() - begun
        )
        self._restarts = verdict.restarts
        self._pause_seconds = verdict.pause_seconds
        if verdict.state == "starting":
            self._begun = time.monotonic()
            self._enter("starting", verdict.reason)
        else:
            self._settle(verdict.state, verdict.reason)

    async def _until_ready_or_ended(self, run: Run) -> bool | None:
        """Return whether it became ready before it ended; None if neither came in time."""
        path = self.app.ready_path
        if path is not None and self.app.absolute_url:
            path = self._around.base_url + self.url + path.lstrip("/")
        ready = asyncio.ensure_future(until_ready(self.socket, self.port, path))
        ended = asyncio.ensure_future(run.ended())
        stopped = asyncio.ensure_future(self._wake.wait())
        try:
            limit = self._limit_seconds
            waited = {ready, ended, stopped}
            await asyncio.wait(waited, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                await ended
            if ended.done():
                return False
            return None if not ready.done() else ready.result() is None
        finally:
            for task in waited:
                task.cancel()
            await asyncio.gather(*waited, return_exceptions=True)

    @property
    def _limit_seconds(self) -> float:
        return self.app.start_seconds or self._around.start_seconds

    async def _make_room(self) -> None:
        """Remove what the run before has left: its log, which nobody can ask for any more."""
        before = self._run
        if before is not None:
            await before.over()
            if self._run is before:
                self._run = None
            await in_thread(remove, before.directory)

    def _new_run(self, directory: Path) -> Run:
        return Run(
            self.app.name,
            directory,
            mark=leftovers.new_mark(),
            log_bytes=self._around.log_bytes,
            log=self._around.log,
            on_stuck=self._on_stuck,
        )

    def _on_stuck(self, count: int) -> None:
        self._around.log.warning("%d processes of %s do not end though killed", count, self.id)

    @property
    def stop_seconds(self) -> float:
        """How long its stop may take that the server's own end has to wait for; mostly 0."""
        if not self.app.saves_when_stopped or self._life is None or self._life.done():
            return 0.0
        return stop_seconds(self.app)

    def _saving(self) -> Reason:
        return reasons.saving(self.title, stop_seconds(self.app))

    def _stopped(self) -> Verdict:
        end = End(exit_code=None, was_ready=False, lasted_seconds=0.0, asked=True)
        return after(end, restarts=0, title=self.title)

    def _verdict(self, exit_code: int | None, *, was_ready: bool, lasted: float) -> Verdict:
        end = End(
            exit_code=exit_code, was_ready=was_ready, lasted_seconds=lasted, asked=self._asked
        )
        return after(end, restarts=self._restarts, title=self.title)

    def _settle(self, state: Literal["stopped", "failed"], reason: Reason | None) -> None:
        """Come to rest; whoever wants it to run has to say so again."""
        if not self._asked:
            self._wanted = False
            self._enter(state, reason)

    def _enter(self, state: State, reason: Reason | None) -> None:
        if (state, reason) == (self.state, self.reason):
            return
        if state != self.state:
            self.since = datetime.now(timezone.utc)
        self.state, self.reason = state, reason
        for changed in self._watchers:
            changed.set()
        self._around.on_change()


def stop_seconds(app: Application) -> float:
    """Return how long its stop may take."""
    return sum(step.seconds for step in app.stop_steps)


def _remove_prepared(preparing: asyncio.Task[Prepared]) -> None:
    """Remove what a start that is not wanted any more has made, when it comes at last."""
    if not preparing.cancelled() and preparing.exception() is None:
        remove_soon(preparing.result().launch.directory)
