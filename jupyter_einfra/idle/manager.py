"""The idle feature's life: what is published and what was seen go in, the outlook comes out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from traitlets import Float, Unicode

from ..config import EinfraConfigurable
from ..errors import EinfraError, InvalidParameter
from ..models import Notice, Reason
from ..notices import Board
from ..threads import in_thread
from . import reasons
from .models import IdleReport, IdleStatus, StopGrant, TimeAnswer, TimeWanted
from .notices import Spoken, next_notice
from .observed import Observed, gpus_seen
from .outlook import Known, Word, report
from .policies import NoPolicy, load, presets
from .policy import Policy
from .published import PublishedState, doubt
from .remembered import Remembered
from .sources import Controller, Source, StateFile
from .starts import server_name, start_id

#: Between two forecasts: while the history is being read, while a deletion is near, and else.
_SOON_SECONDS, _NEAR_SECONDS, _FAR_SECONDS = 2.0, 60.0, 300.0

#: Of the history, at most.
_WEEK_SECONDS = 7 * 86400.0


class IdleRefusal(EinfraError):
    """It cannot be done here; the reason says why."""

    http_status = 409

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.message)
        self.code = reason.code
        self.params = dict(reason.params)


class IdleManager(EinfraConfigurable):
    """Tells whether this server will be kept, and warns in time.

    Parameters
    ----------
    publish:
        Takes a topic and one JSON object; called from a thread of its own.
    board:
        Where notices are put up.
    past:
        Returns what was seen of this server's use between two moments, in seconds since
        1970; None if that is not known.
    directory:
        Where this server keeps its state.
    now:
        Seconds since 1970.
    """

    env_prefix = "JUPYTER_EINFRA_IDLE_"

    policy = Unicode(
        "",
        help="The policy by which servers that are not used are deleted: the name of a published "
        "one (``2022-headline``, ``2022-mechanism``, ``2026-docs``) or the absolute path of a "
        "JSON file. Empty: none is known, and nothing is said unless a controller says it.",
    ).tag(config=True)
    state_file = Unicode(
        "",
        help="Absolute path of the file that has what the operator's controller says of this "
        "server, such as an annotation that the downward API projects. Empty: there is none.",
    ).tag(config=True)
    controller_url = Unicode(
        "",
        help="Address at which the operator's controller tells the same to whoever shows it this "
        "server's token of the hub, and takes requests for more time. Empty: there is none.",
    ).tag(config=True)
    look_seconds = Float(
        30.0, min=0.05, max=86400.0, help="Seconds between two looks at the file."
    ).tag(config=True)
    ask_seconds = Float(
        300.0, min=0.05, max=86400.0, help="Seconds between two questions to the controller."
    ).tag(config=True)

    def __init__(
        self,
        *,
        publish: Callable[[str, bytes], None],
        board: Board,
        past: Callable[[float, float], Observed | None],
        directory: Path,
        now: Callable[[], float] = time.time,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._publish = publish
        self._board = board
        self._past = past
        self._now = now
        self._policies: dict[str, Policy] = {}
        self._policy: Policy | None = None
        self._policy_problem: Reason | None = None
        self._start_id = start_id(self._environ)
        self._server = server_name(self._environ)
        self._sources: list[Source] = []
        if self.state_file:
            self._sources.append(StateFile(Path(self.state_file)))
        token = self._environ.get("JUPYTERHUB_API_TOKEN", "")
        self._controller: Controller | None = None
        if self.controller_url:
            self._controller = Controller(self.controller_url, token, self.ask_seconds)
            self._sources.append(self._controller)
        self._remembered = Remembered(directory, self._start_id, now=now, log=self.log)
        self._remembered.on_read = self.look_soon
        self._told: IdleStatus | None = None
        self._notice: Notice | None = None
        self._spoken: Spoken | None = None
        self._pause = 0.0
        self._due = 0.0
        self._hub_asked: StopGrant | None = None
        self._is_hurried = False
        self._stopping = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="einfra-idle", daemon=True)

    def start(self) -> None:
        """Begin to look; without a policy and a controller there is nothing to look at."""
        if self._is_of_use:
            self._remembered.start()
            self._thread.start()
        else:
            self._tell(self._report())

    def stop(self) -> None:
        """Look no more and save what is remembered."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(2.0)
        if self._is_of_use and not self._remembered.stop(2.0):
            self.log.warning("What is known of this server's start was not written in time")

    def look_soon(self) -> None:
        """Look now: something happened. Any thread may call this."""
        self._is_hurried = True
        self._wake.set()

    # On the loop.

    async def report(self) -> IdleReport:
        """Return all that is known, as of now."""
        return await in_thread(self._report)

    async def may_stop(self) -> StopGrant:
        """Return whether this server may stop itself."""
        if self._hub_asked is None or self._hub_asked.may_stop is None:
            self._hub_asked = await in_thread(self._ask_hub, stop=False)
        return self._hub_asked

    async def stop_server(self) -> StopGrant:
        """Have the hub stop this server.

        Raises
        ------
        IdleRefusal
            It may not, or the hub does not do it.
        """
        done = await in_thread(self._ask_hub, stop=True)
        if done.reason is not None:
            raise IdleRefusal(done.reason)
        return done

    async def ask_for_time(self, wanted: TimeWanted) -> TimeAnswer:
        """Ask the controller for more time.

        Raises
        ------
        IdleRefusal
            It does not offer any, or does not answer.
        InvalidParameter
            It does not offer as much.
        """
        from .client import Unanswered  # noqa: PLC0415 - only where there is a controller

        offered = None if self._told is None else self._told.extension
        if self._controller is None or offered is None:
            raise IdleRefusal(reasons.TIME_NOT_OFFERED)
        if wanted.seconds > offered.most_seconds:
            raise InvalidParameter("seconds", f"is more than {offered.most_seconds}")
        try:
            answer = await in_thread(self._controller.more_time, wanted)
        except Unanswered as error:
            raise IdleRefusal(error.reason) from error
        for source in self._sources:
            source.forget()
        self.look_soon()
        return answer

    # In threads.

    def _ask_hub(self, *, stop: bool) -> StopGrant:
        from .client import hub_of  # noqa: PLC0415 - with an HTTP client

        hub = hub_of(self._environ)
        if hub is None:
            return StopGrant(may_stop=None, reason=reasons.STOP_NO_HUB)
        return hub.stop_server() if stop else hub.may_stop()

    @property
    def _is_of_use(self) -> bool:
        return bool(self._sources or self.policy)

    def _run(self) -> None:
        self._load_policies()
        while not self._stopping:
            self._wake.clear()
            try:
                self._look()
            except Exception:
                # It is tried again, not at once; what was told stays.
                self.log.exception("Whether this server will be kept could not be found out")
                self._wait_for(_FAR_SECONDS)
            left = self._due - self._now()
            self._wake.wait(min(self.look_seconds, left) if left > 0 else self.look_seconds)

    def _look(self) -> None:
        changed = [source.look(self._now()) for source in self._sources]
        for state in self._states():
            self._remembered.hear(state)
        hurried, self._is_hurried = self._is_hurried, False
        # Nor is it waited for if the clock was set back.
        is_due = not 0 < self._due - self._now() <= self._pause
        if hurried or any(changed) or is_due:
            told = self._report()
            self._tell(told)
            self._wait_for(self._pause_seconds(told.status))

    def _wait_for(self, seconds: float) -> None:
        self._pause, self._due = seconds, self._now() + seconds

    def _pause_seconds(self, status: IdleStatus) -> float:
        """Return the time to the next forecast; more and more of it while nothing can be told."""
        if status.reason == reasons.HISTORY_LOST:
            return min(max(_SOON_SECONDS, 2 * self._pause), _FAR_SECONDS)
        return _NEAR_SECONDS if status.level in ("day", "hour") else _FAR_SECONDS

    def _states(self) -> list[PublishedState]:
        return [w.state for w in self._words(self._now()) if w.state is not None and not w.problem]

    def _words(self, now: float) -> list[Word]:
        start = self._remembered.present
        words = []
        for source in self._sources:
            state, problem = source.state, source.problem
            if state is not None:
                policy = self._policies.get(state.policy)
                rules = [] if policy is None else policy.rules
                period = max((rule.evaluation_seconds for rule in rules), default=86400)
                problem = doubt(
                    state,
                    server=self._server,
                    # One of any age was at least there when this process was.
                    started_at=(start.first_seen if start else 0.0) or self._remembered.begun_at,
                    period_seconds=period,
                    now=now,
                )
            words.append(Word(source.name, state, problem))
        return words

    def _report(self) -> IdleReport:
        now = self._now()
        start = self._remembered.present if self._is_of_use else None
        observed = None if start is None else self._past(now - _WEEK_SECONDS, now)
        seen = gpus_seen(observed, now if start is None else start.first_seen)
        return report(
            Known(
                now=now,
                policy=self._policy,
                policies=self._policies,
                policy_problem=self._policy_problem,
                words=self._words(now),
                start=start,
                observed=observed,
                gpus=seen,
            )
        )

    def _tell(self, told: IdleReport) -> None:
        status = told.status
        is_old = self._told is not None and _is_same(self._told, status)
        if not is_old:
            self._told = status
            self._publish("idle", msgspec.json.encode(status))
        if self._is_of_use:
            self._speak(status, is_old=is_old)

    def _speak(self, status: IdleStatus, *, is_old: bool) -> None:
        start = self._remembered.present
        if start is None:
            return  # it may have been said before; that is known in a moment
        # What an earlier life of the process said is remembered; what this one said, it knows.
        spoken = self._spoken or start.spoken
        notice, self._spoken = next_notice(status, self._start_id, spoken)
        self._remembered.speak(self._spoken)
        before = self._notice
        if before is not None and (notice is None or notice.id != before.id):
            self._board.withdraw(before.id)
        if notice is not None and (before is None or notice.code != before.code or not is_old):
            self._board.post(notice)
        self._notice = notice

    def _load_policies(self) -> None:
        self._policies = presets()
        if not self.policy:
            return
        try:
            self._policy = load(self.policy)
        except NoPolicy as error:
            self.log.error("The policy for servers that are not used: %s", error)  # noqa: TRY400
            self._policy_problem = reasons.policy_invalid(str(error))
        else:
            self._policies[self._policy.revision] = self._policy


def _is_same(told: IdleStatus, status: IdleStatus) -> bool:
    """Whether nothing has changed but the time of looking."""

    def timeless(one: IdleStatus) -> IdleStatus:
        sources = [replace(source, time=None) for source in one.sources]
        # What may come at any time may a minute later, too.
        is_due = one.delete_at is not None and one.delete_at <= one.time
        delete_at = None if is_due else one.delete_at
        return replace(one, time=told.time, sources=sources, delete_at=delete_at)

    return timeless(told) == timeless(status)
