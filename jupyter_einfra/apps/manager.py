"""The applications' life: settings in; states, notices and addresses out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent import futures
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec
from jupyter_server.utils import url_escape
from traitlets import Dict, Float, Integer, List, Unicode

from ..config import EinfraConfigurable
from ..notices import Board
from ..threads import in_thread
from . import paths
from .application import Application
from .errors import (
    AppUnavailable,
    KeepsNothing,
    NoSuchApp,
    NoSuchInstance,
    TooManyInstances,
)
from .losses import Losses
from .models import App, AppAddress, AppsEvent, ShownPath
from .presence.idleness import Cores, Idleness, unknown_cores
from .presence.settings import AppsIdleness
from .registry import Registry
from .remembered import Remembered
from .supervision import leftovers
from .supervision.instance import Instance
from .supervision.supervisor import MOST_RUNNING, Supervisor
from .supervision.surroundings import Surroundings
from .targets import target_of
from .turns import OnTurn, Turns
from .wishes import Wishes

#: A look takes milliseconds; a home that hangs keeps nobody waiting for longer.
_LOOK_SECONDS = 3.0


class AppsManager(EinfraConfigurable):
    """Finds applications, runs those that are asked for, and tells what they do.

    Parameters
    ----------
    publish:
        Takes a topic and one JSON object.
    board:
        Where notices are put up.
    directory:
        Where this server keeps its state.
    base_url:
        Of the server; ends with a slash.
    root:
        The folder that the server shows.
    on_activity:
        Called with the time at which a person used an application, or it computed.
    cores:
        Makes what tells how much is computed below some processes.
    on_turn:
        Called when an application begins to run, and when it ends.
    """

    env_prefix = "JUPYTER_EINFRA_APPS_"

    disabled_apps = List(
        Unicode(), help="Names of applications to leave out, such as ``tensorboard``."
    ).tag(config=True)
    custom_apps = Dict(
        help="Further applications by name. Each has a ``command``, in which {socket}, {port}, "
        "{base_url}, {url}, {folder} and {opened} are filled in, and maybe ``title``, ``icon``, "
        "``environment``, ``ready_path``, ``start_seconds``, ``absolute_url``, ``per_folder``, "
        "``opens_folders``, ``file_suffixes``."
    ).tag(config=True)
    start_seconds = Float(
        120.0,
        min=1.0,
        max=3600.0,
        help="Seconds that the start of an application may take before it is given up.",
    ).tag(config=True)
    log_bytes = Integer(
        1_000_000,
        min=10_000,
        max=1_000_000_000,
        help="Bytes of what an application prints after which a new file begins; two are kept.",
    ).tag(config=True)

    def __init__(
        self,
        *,
        publish: Callable[[str, bytes], None],
        board: Board,
        directory: Path,
        base_url: str,
        root: str,
        on_activity: Callable[[datetime], None] = lambda when: None,
        cores: Callable[[], Cores] = unknown_cores,
        on_turn: OnTurn = lambda ident, title, action, reason: None,
        environ: Mapping[str, str] | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(environ=environ, **kwargs)
        self._publish = publish
        self._encode = msgspec.json.Encoder().encode
        self.registry = Registry(
            custom=self.custom_apps,
            disabled=self.disabled_apps,
            environ=self._environ,
            log=self.log,
        )
        self.remembered = Remembered(directory, log=self.log, on_loaded=self._tell_soon)
        self.supervisor = Supervisor(
            Surroundings(
                registry=self.registry,
                remembered=self.remembered,
                base_url=base_url,
                root=root,
                environ=self._environ,
                log=self.log,
                start_seconds=self.start_seconds,
                log_bytes=self.log_bytes,
                on_change=self._on_change,
            )
        )
        self._root = root
        self._loop: asyncio.AbstractEventLoop | None = None
        self._telling = False
        self._looking: asyncio.Task[None] | None = None
        self.is_closing = False
        self._losses = Losses(board)
        self._turns = Turns(on_turn)
        self._wishes = Wishes(self._on_change)
        idleness = AppsIdleness(parent=self, environ=self._environ)
        self.idleness = Idleness(
            busy_cores=idleness.busy_cores,
            limits=idleness.limits(),
            instances=self.supervisor.all,
            cores=cores,
            board=board,
            on_activity=on_activity,
            on_change=self._on_change,
            log=self.log,
        )

    # Life -------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to look for applications; called on the server's loop. Starts none."""
        self._loop = asyncio.get_running_loop()
        self.remembered.start()
        self.idleness.start()
        threading.Thread(target=self._arrive, name="einfra-apps", daemon=True).start()

    @property
    def stop_seconds(self) -> float:
        """How long `stop` may take: five seconds, unless something has to be saved."""
        return self.supervisor.stop_seconds + 1.0

    def stop(self) -> None:
        """End everything that runs, or leave it to its guardians; within `stop_seconds`."""
        self.is_closing = True
        if self._loop is not None:
            with suppress(RuntimeError):  # as below
                self._loop.call_soon_threadsafe(self.idleness.stop)
            closing = self.supervisor.close()
            try:
                closed = asyncio.run_coroutine_threadsafe(closing, self._loop)
            except RuntimeError:  # the loop is gone, and with it the guardians' pipes
                closing.close()
            else:
                with suppress(TimeoutError, futures.TimeoutError, futures.CancelledError):
                    closed.result(self.stop_seconds - 0.5)
        self.supervisor.around.remove_directories()
        self.remembered.stop(0.5)

    def _arrive(self) -> None:
        """See what there is, and end what an earlier server has left. In a thread."""
        self.registry.look()
        self._tell_soon()
        if left := leftovers.end_orphans():
            self.log.warning("%d processes of applications of an earlier server are ended", left)

    # What pages are told ----------------------------------------------------------------

    def apps(self) -> AppsEvent:
        """Return all applications and what each of them does."""
        return AppsEvent(
            apps=[self._told(app) for app in self.registry.all()],
            wishes=self._wishes.all(),
        )

    async def look(self) -> AppsEvent:
        """Look for programs anew, and return all applications.

        Whoever asks while a disk hangs gets what was known before.
        """
        await asyncio.wait({self._look_and_tell()}, timeout=_LOOK_SECONDS)
        return self.apps()

    def on_watchers(self, count: int) -> None:
        """Look for programs anew when a page comes: an image does not change, a home does."""
        if count > 0 and self._loop is not None:
            self._look_and_tell()

    def _look_and_tell(self) -> asyncio.Task[None]:
        """Look, in one thread at a time, however many ask."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
        return self._looking

    async def _look(self) -> None:
        if await in_thread(self.registry.look):
            self._tell()

    def _told(self, app: Application) -> App:
        found = self.registry.found(app)
        return App(
            name=app.name,
            title=app.title,
            icon_svg=self.registry.icon(app),
            url=f"{app.name}/",
            installed=found.program is not None,
            reason=found.reason,
            opens_folders=app.opens_folders,
            opens_files=app.opens_files,
            file_suffixes=list(app.file_suffixes),
            per_folder=app.per_folder,
            kept_in=app.kept_in or None,
            instances=[instance.told() for instance in self.supervisor.of(app)],
            recent_folders=self.remembered.folders(app.name) if app.per_folder else [],
        )

    def _tell_soon(self) -> None:
        """Publish from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._on_change)

    def _on_change(self) -> None:
        """Publish once, however much changes at a time."""
        if not self._telling and self._loop is not None:
            self._telling = True
            self._loop.call_soon(self._tell)

    def _tell(self) -> None:
        self._telling = False
        for instance in self.supervisor.all():
            self._losses.see(instance)
            self._turns.see(instance)
        self._publish("apps", self._encode(self.apps()))

    # What pages and people ask for ------------------------------------------------------

    def instance(self, ident: str) -> Instance:
        """Return an instance by its id.

        Raises
        ------
        NoSuchInstance
        """
        instance = self.supervisor.get(ident)
        if instance is None:
            raise NoSuchInstance(ident)
        return instance

    def begin(self, instance: Instance, opened: str = "") -> None:
        """Start an instance because somebody asked for it.

        Parameters
        ----------
        instance:
            What is to run; nothing happens if it does.
        opened:
            The folder or file that it is to show, of an application that opens at its start.

        Raises
        ------
        TooManyInstances
        """
        self._admit(instance)
        if instance.folder is not None:
            self.remembered.opened(instance.app.name, instance.folder)
        instance.start(opened)
        self.idleness.use(instance)

    def used(self, ident: str) -> bool:
        """Know that a person uses an instance; return whether it runs, and so counts."""
        instance = self.supervisor.known(ident)
        if instance is None or instance.state != "running":
            return False
        self.idleness.use(instance)
        return True

    def _admit(self, instance: Instance) -> None:
        """See that there is room for an instance, of whose losses nobody has to be told any more.

        Raises
        ------
        TooManyInstances
        """
        if not self.supervisor.has_room_for(instance):
            raise TooManyInstances(instance.app.title, MOST_RUNNING)
        self._losses.settle(instance)

    def end(self, instance: Instance) -> None:
        """Stop an instance because somebody asked for it."""
        self._losses.settle(instance)
        instance.stop()

    def again(self, instance: Instance) -> None:
        """Stop an instance and start it anew because somebody asked for it."""
        instance.stop()
        self.begin(instance)

    def afresh(self, instance: Instance) -> None:
        """Start an instance without what it would restore, because somebody asked for it.

        Raises
        ------
        KeepsNothing, TooManyInstances
        """
        if not instance.app.kept_in:
            raise KeepsNothing(instance.app.title)
        self._admit(instance)
        instance.reset()
        self.idleness.use(instance)

    async def open(self, name: str, path: str | None, *, show: bool) -> AppAddress:
        """Start an application and tell where a folder or file is shown in it.

        Parameters
        ----------
        name:
            Of the application.
        path:
            As a person or a page names it; None for none.
        show:
            Whether an open page of JupyterLab shall go there by itself.

        Raises
        ------
        NoSuchApp, NoSuchPath, NeedsFolder, OpensNothing, OpensOthers, AppUnavailable,
        TooManyInstances
        """
        app = self._app(name)
        target = await target_of(app, path, self.supervisor, self.log)
        await self._must_be_there(app)
        note = target.note
        self.begin(target.instance, target.opened)
        if show:
            self._wishes.for_instance(target.instance.id, target.url)
        return AppAddress(instance=target.instance.told(), url=target.url, note=note)

    async def show(self, path: str) -> ShownPath:
        """Have an open page of JupyterLab show a folder or file.

        Raises
        ------
        NoSuchPath, NotShown
        """
        shown = await in_thread(paths.shown, self._root, path)
        self._wishes.for_path(shown)
        return ShownPath(path=shown, url=f"lab/tree/{url_escape(shown)}")

    def forget(self, name: str, folder: str) -> None:
        """Remember a folder no more."""
        self._app(name)
        self.remembered.forget(name, folder)
        self._on_change()

    def _app(self, name: str) -> Application:
        """Return an application by its name.

        Raises
        ------
        NoSuchApp
        """
        app = self.registry.get(name)
        if app is None:
            raise NoSuchApp(name, [app.name for app in self.registry.all()])
        return app

    async def _must_be_there(self, app: Application) -> None:
        """See that the program is there before anybody waits for it.

        Raises
        ------
        AppUnavailable
        """
        if self.registry.found(app).program is None:
            await self.look()
        found = self.registry.found(app)
        if found.reason is not None:
            raise AppUnavailable(found.reason)
