"""The composition root: which features there are, how they start and stop.

Each feature is built on its own. One that the operator switched off, or that cannot
start, is left out and says why; the others and the server go on.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from jupyter_core.paths import jupyter_data_dir
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from traitlets import List, TraitError, Unicode

from .base import NAMESPACE, STATUSES, UnknownPathHandler
from .config import EinfraConfigurable
from .models import FeatureStatus, Notice, Reason
from .notices import NOTICES, NoticeBoard
from .state import state_directory
from .stream import EinfraStream, Topic
from .stream_handler import STREAM
from .stream_handler import default_handlers as stream_handlers

if TYPE_CHECKING:
    from .activity.manager import ActivityManager
    from .activity.models import DigestUse
    from .apps.manager import AppsManager
    from .apps.presence.idleness import Cores
    from .idle.observed import Observed
    from .usage.manager import UsageManager
    from .usage.programs.processes import RosterEntry

Handlers = Sequence[tuple[str, type[Any]]]

#: How long the server waits for its features at its end.
STOP_SECONDS = 5.0


class Manager(Protocol):
    """What a feature gives to be started and stopped."""

    def start(self) -> None:
        """Begin to work; called once the server's loop runs, and must not block it."""

    def stop(self) -> None:
        """Stop working, within a few seconds; called in a thread."""


def _usage(app: EinfraApp) -> tuple[Manager, Handlers]:
    from .usage.handlers import USAGE, default_handlers  # noqa: PLC0415 - may be off
    from .usage.manager import UsageManager  # noqa: PLC0415
    from .usage.programs.roster import Roster  # noqa: PLC0415

    server = cast("ServerApp", app.serverapp)
    manager = UsageManager(
        parent=app,
        publish=app.stream.publish,
        board=app.notices,
        roster=Roster(
            server.kernel_manager,
            server.session_manager,
            # The extension that has them is loaded after this one.
            lambda: server.web_app.settings.get("terminal_manager"),
            app.log,
            event_logger=server.event_logger,
            applications=lambda: _running_applications(app),
        ),
        on_explained=lambda notice: _explain(app, notice),
        directory=state_directory(Path(jupyter_data_dir()), os.environ),
    )
    app.stream.add_topic(Topic("usage", "usage", on_watchers=manager.on_watchers))
    app.stream.add_topic(
        Topic(
            "usage-details",
            "usage",
            owner_only=True,  # names of notebooks, and how the last run ended
            fades=True,
            on_watchers=manager.on_detail_watchers,
        )
    )
    app.settings[USAGE] = manager
    return manager, default_handlers


def _running_applications(app: EinfraApp) -> list[RosterEntry]:
    from .usage.programs.processes import RosterEntry  # noqa: PLC0415 - loaded by then

    manager = app.managers.get("apps")
    if manager is None:
        return []
    return [
        RosterEntry(
            "app",
            instance.id,
            instance.title,
            pid=instance.guardian_pid,
            state=instance.state,
            since=instance.since,
        )
        for instance in cast("AppsManager", manager).supervisor.all()
        if instance.guardian_pid is not None
    ]


def _apps(app: EinfraApp) -> tuple[Manager, Handlers]:
    from .apps.handlers import APPS, default_handlers  # noqa: PLC0415 - may be off
    from .apps.manager import AppsManager  # noqa: PLC0415
    from .apps.proxy_handlers import rules  # noqa: PLC0415 - with what it proxies through
    from .apps.vendor_handlers import vendor_rules  # noqa: PLC0415

    server = cast("ServerApp", app.serverapp)

    def on_activity(when: datetime) -> None:
        # Jupyter takes every setting of such a name for activity.
        server.web_app.settings["einfra_apps_last_activity"] = when

    manager = AppsManager(
        parent=app,
        publish=app.stream.publish,
        board=app.notices,
        directory=state_directory(Path(jupyter_data_dir()), os.environ),
        base_url=server.base_url,
        root=server.root_dir,
        on_activity=on_activity,
        cores=_tree_cores,
        on_turn=lambda *turn: _tell_of_app(app, *turn),
    )
    app.stream.add_topic(Topic("apps", "apps", owner_only=True, on_watchers=manager.on_watchers))
    app.settings[APPS] = manager
    app.routes += [*rules(manager, server.base_url), *vendor_rules(manager, server.base_url)]
    return manager, default_handlers


def _idle(app: EinfraApp) -> tuple[Manager, Handlers]:
    from .idle.handlers import IDLE, default_handlers  # noqa: PLC0415 - may be off
    from .idle.manager import IdleManager  # noqa: PLC0415

    manager = IdleManager(
        parent=app,
        publish=app.stream.publish,
        board=app.notices,
        past=lambda since, until: _observed(app, since, until),
        directory=state_directory(Path(jupyter_data_dir()), os.environ),
    )
    app.stream.add_topic(Topic("idle", "idle", owner_only=True))
    app.settings[IDLE] = manager
    return manager, default_handlers


def _observed(app: EinfraApp, since: float, until: float) -> Observed | None:
    """Return what the usage feature saw of this server's use, for the idle feature to judge."""
    from .idle.observed import Device, Observed, Track  # noqa: PLC0415 - loaded by then
    from .usage.history.minutes import WIDTH_SECONDS  # noqa: PLC0415 - as above
    from .usage.probes.gpu_devices import has_gpu_devices  # noqa: PLC0415 - as above

    manager = cast("UsageManager | None", app.managers.get("usage"))
    if manager is None:
        return None
    minutes = manager.recorder.minutes(since, until)
    if minutes is None:
        return None
    sees = {"gpu": "readings", "shared-gpu": "nothing", "mig": "all"}
    return Observed(
        first=minutes.first,
        width=WIDTH_SECONDS,
        cpu=Track(*minutes.cpu),
        gpus=[
            Device(gpu.uuid, cast("Any", sees[gpu.scope]), Track(*gpu.utilization))
            for gpu in minutes.gpus
        ],
        breaks=minutes.breaks,
        paces=(manager.watched_interval_seconds, manager.unwatched_interval_seconds),
        hides_gpus=has_gpu_devices(),
    )


def _activity(app: EinfraApp) -> tuple[Manager, Handlers]:
    from .activity.handlers import ACTIVITY, default_handlers  # noqa: PLC0415 - may be off
    from .activity.manager import ActivityManager  # noqa: PLC0415
    from .activity.recorder import Server  # noqa: PLC0415

    server = cast("ServerApp", app.serverapp)
    manager = ActivityManager(
        parent=app,
        publish=app.stream.publish,
        board=app.notices,
        standing=app.notices.all,
        use=lambda since, until: _used(app, since, until),
        programs=lambda: [entry.id for entry in _running_applications(app)],
        are_deaths_told=lambda: "usage" in app.managers,
        server=Server(
            kernel_manager=server.kernel_manager,
            session_manager=server.session_manager,
            event_logger=server.event_logger,
            # The extension that has them is loaded after this one.
            terminal_manager=lambda: server.web_app.settings.get("terminal_manager"),
            settings=lambda: server.web_app.settings,
            root=Path(server.root_dir),
        ),
        directory=state_directory(Path(jupyter_data_dir()), os.environ),
    )
    app.stream.add_topic(
        Topic(
            "activity",
            "activity",
            owner_only=True,
            fades=True,  # who comes is told what is new for them
            on_watchers=manager.on_watchers,
        )
    )
    app.settings[ACTIVITY] = manager
    return manager, default_handlers


def _used(app: EinfraApp, since: datetime, until: datetime) -> DigestUse | None:
    """Sum up what the usage feature saw, for the activity feature to tell."""
    from .activity.use import use_of  # noqa: PLC0415 - loaded by then
    from .usage.models import HistoryQuery  # noqa: PLC0415 - as above

    manager = cast("UsageManager | None", app.managers.get("usage"))
    if manager is None:
        return None
    history = manager.recorder.select(HistoryQuery(since=since, until=until))
    return use_of(history, manager.scope)


def _explain(app: EinfraApp, notice: Notice) -> None:
    """Let the activity feature know why a kernel died."""
    manager = cast("ActivityManager | None", app.managers.get("activity"))
    if manager is not None:
        manager.explain(notice)


def _tell_of_app(
    app: EinfraApp,
    ident: str,
    name: str,
    action: Literal["started", "stopped", "failed"],
    reason: Reason | None,
) -> None:
    """Let the activity feature know of an application."""
    manager = cast("ActivityManager | None", app.managers.get("activity"))
    if manager is not None:
        manager.program("application", ident, name, action, reason)


def _tree_cores() -> Cores:
    from .usage.probes.processes import ProcessProbe  # noqa: PLC0415 - seldom wanted
    from .usage.programs.trees import TreeCores  # noqa: PLC0415

    return TreeCores(ProcessProbe().read)


#: Every feature, by its one name: builds it and returns what starts it and its handlers.
FEATURES: dict[str, Callable[[EinfraApp], tuple[Manager, Handlers]]] = {
    "usage": _usage,
    "apps": _apps,
    "idle": _idle,
    "activity": _activity,
}


class EinfraFeatures(EinfraConfigurable):
    """Which features this server offers."""

    env_prefix = "JUPYTER_EINFRA_"

    disabled_features = List(
        Unicode(), help="Names of features to switch off, such as ``usage``."
    ).tag(config=True)


class EinfraApp(ExtensionApp):
    """The one Jupyter Server extension of jupyter-einfra.

    It has no settings of its own on purpose: Jupyter ends the whole server when an
    extension's own trait is set wrong. `EinfraFeatures` and the managers have them.
    """

    name = "jupyter_einfra"

    stream: EinfraStream
    notices: NoticeBoard
    statuses: dict[str, FeatureStatus]
    managers: dict[str, Manager]
    routes: list[Any]
    """Addresses of features outside our own namespace."""

    def initialize_settings(self) -> None:
        """Build the stream and every feature that is not switched off."""
        self.managers, self.statuses, self.routes = {}, {}, []
        self._feature_handlers: list[tuple[str, type[Any]]] = []
        self._half_started: list[asyncio.Future[None]] = []
        self.stream = self._build_stream()
        self.notices = NoticeBoard(self.stream.publish)
        disabled = self._disabled_features()
        for name, build in FEATURES.items():
            if name in disabled:
                self._report(name, "off", _switched_off(name))
                continue
            try:
                manager, handlers = build(self)
            except Exception as error:  # noqa: BLE001 - contained here, so that the others run
                self._report_failure(name, error)
            else:
                self.managers[name] = manager
                self._feature_handlers += handlers
                self._report(name, "on", None)
        # Whoever may not see a feature may not learn of it from its notices either.
        self.stream.add_topic(Topic(NOTICES, NOTICES, owner_only=True, also=tuple(self.managers)))
        self.settings[STATUSES] = self.statuses
        self.settings[STREAM] = self.stream

    def initialize_handlers(self) -> None:
        """Register what was built, and a last word for every other address of ours."""
        for path, handler in [*stream_handlers, *self._feature_handlers]:
            self.handlers.append((rf"/{NAMESPACE}/{path}", handler))
        self.handlers.append((rf"/{NAMESPACE}(?:/(.*))?", UnknownPathHandler))
        server = cast("ServerApp", self.serverapp)
        server.web_app.add_handlers(".*$", self.routes)
        server.io_loop.add_callback(self._start_features)

    def _start_features(self) -> None:
        self.stream.open(asyncio.get_running_loop())
        self.notices.send()
        for name, manager in list(self.managers.items()):
            try:
                manager.start()
            except Exception as error:  # noqa: BLE001 - as above
                self._report_failure(name, error)
                # What did start must not go on, nor hold its files.
                stopping = asyncio.ensure_future(self._stop(name, self.managers.pop(name)))
                self._half_started.append(stopping)

    async def stop_extension(self) -> None:
        """End all streams and features with the server."""
        self.stream.close()
        stopping = [self._stop(name, manager) for name, manager in self.managers.items()]
        await asyncio.gather(*self._half_started, *stopping)

    async def _stop(self, name: str, manager: Manager) -> None:
        loop = asyncio.get_running_loop()
        stopped = asyncio.Event()

        def run() -> None:
            try:
                manager.stop()
            except Exception:
                self.log.exception("The feature %r did not stop cleanly", name)
            with suppress(RuntimeError):  # too late, the loop is closed
                loop.call_soon_threadsafe(stopped.set)

        # Not a pool's thread: Python waits for those at its end, even if they hang.
        threading.Thread(target=run, name=f"einfra-stop-{name}", daemon=True).start()
        # One that has to save something says so.
        seconds: float = getattr(manager, "stop_seconds", STOP_SECONDS)
        try:
            await asyncio.wait_for(stopped.wait(), seconds)
        except asyncio.TimeoutError:
            self.log.warning("The feature %r did not stop in %g seconds", name, seconds)

    def _build_stream(self) -> EinfraStream:
        try:
            return EinfraStream(parent=self)
        except TraitError as error:
            self.log.error("The live stream uses its default settings: %s", error)  # noqa: TRY400
            return EinfraStream(environ={})

    def _disabled_features(self) -> set[str]:
        try:
            disabled = set(EinfraFeatures(parent=self).disabled_features)
        except TraitError as error:
            # Which ones the operator meant is unknown, so none may run.
            self.log.error("All features are off, the list of those to switch off: %s", error)  # noqa: TRY400
            return set(FEATURES)
        for name in sorted(disabled - FEATURES.keys()):
            known = ", ".join(FEATURES)
            self.log.warning("There is no feature %r to switch off. There are: %s", name, known)
        return disabled

    def _report(
        self, name: str, state: Literal["on", "off", "failed"], reason: Reason | None
    ) -> None:
        self.statuses[name] = FeatureStatus(name=name, state=state, reason=reason)

    def _report_failure(self, name: str, error: Exception) -> None:
        # A wrong setting explains itself; anything else is a fault to be traced.
        trace = None if isinstance(error, TraitError) else error
        self.log.error("The feature %r could not start: %s", name, error, exc_info=trace)
        self.stream.remove_topics(name)
        reason = Reason(
            code="feature_failed",
            message=f"The feature {name!r} could not start. The server's log tells why.",
            params={"feature": name},
        )
        self._report(name, "failed", reason)


def _switched_off(name: str) -> Reason:
    return Reason(
        code="feature_off",
        message=f"The operator of this server switched the feature {name!r} off.",
        params={"feature": name},
    )
