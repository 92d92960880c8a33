"""``jupyter-einfra/apps...``: what there is, what runs, and what is to be done with it.

All of it is the owner's alone, as with any program of theirs; who else may use what runs is
told by `gate_handlers`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, ClassVar, cast

import msgspec
from tornado.iostream import StreamClosedError

from ..base import EinfraHandler, endpoint
from ..errors import TooManyStreams
from ..event_stream import EventStreamHandler
from ..stream import frame
from .manager import AppsManager
from .models import (
    AppAddress,
    AppInstance,
    AppLog,
    AppsEvent,
    ForgetRequest,
    InstanceQuery,
    InstanceRequest,
    LaunchEvent,
    LogEvent,
    LogQuery,
    OpenRequest,
    ShownPath,
    ShowRequest,
    UseNote,
)
from .page import presence_script
from .supervision.instance import Instance
from .supervision.tail import Tail, last_lines

#: Key of the `AppsManager` in the web application's settings.
APPS = "einfra_apps"

#: Pages that may follow one instance at once.
MOST_FOLLOWERS = 20

#: Between two looks at a log that somebody reads.
LOG_SECONDS = 0.25

#: Silence after which a comment keeps the connection alive.
HEARTBEAT_SECONDS = 15.0

#: Time that one write may take before its reader is given up.
STALL_SECONDS = 60.0

#: What a page that comes finds of a log.
FIRST_LINES = 200


class _Handler(EinfraHandler):
    auth_resource = "einfra-apps"

    @property
    def manager(self) -> AppsManager:
        """What looks after them."""
        return cast("AppsManager", self.settings[APPS])


class AppsHandler(_Handler):
    """Every application, installed or not, with its instances."""

    @endpoint(action="read", returns=AppsEvent, owner_only=True)
    async def get(self) -> AppsEvent:
        """All applications and what each of them does."""
        return await self.manager.look()


class _ActHandler(_Handler):
    """What a person does."""

    _track_activity = True


class OpenHandler(_ActHandler):
    """Opens an application, maybe on a folder or file."""

    @endpoint(action="execute", body=OpenRequest, returns=AppAddress, owner_only=True)
    async def post(self, *, body: OpenRequest) -> AppAddress:
        """Start an application if need be, and tell where it shows a folder or file."""
        return await self.manager.open(body.app, body.path, show=body.show)


class ShowHandler(_ActHandler):
    """Shows a folder or file, for who has it before them elsewhere: a terminal, the desktop."""

    @endpoint(action="execute", body=ShowRequest, returns=ShownPath, owner_only=True)
    async def post(self, *, body: ShowRequest) -> ShownPath:
        """Have an open page of JupyterLab show a folder or file."""
        return await self.manager.show(body.path)


class InstanceActHandler(_ActHandler):
    """Does one thing to one instance."""

    act: ClassVar[str]

    async def do(self, ident: str) -> AppInstance:
        """Do it, and tell what follows at once."""
        instance = self.manager.instance(ident)
        getattr(self.manager, self.act)(instance)
        return instance.told()


class StartHandler(InstanceActHandler):
    """Starts an instance that was there before."""

    act = "begin"

    @endpoint(action="execute", body=InstanceRequest, returns=AppInstance, owner_only=True)
    async def post(self, *, body: InstanceRequest) -> AppInstance:
        """Start an instance; nothing happens if it runs."""
        return await self.do(body.id)


class StopHandler(InstanceActHandler):
    """Stops an instance."""

    act = "end"

    @endpoint(action="execute", body=InstanceRequest, returns=AppInstance, owner_only=True)
    async def post(self, *, body: InstanceRequest) -> AppInstance:
        """Stop an instance, or cancel its start."""
        return await self.do(body.id)


class RestartHandler(InstanceActHandler):
    """Stops an instance and starts it anew."""

    act = "again"

    @endpoint(action="execute", body=InstanceRequest, returns=AppInstance, owner_only=True)
    async def post(self, *, body: InstanceRequest) -> AppInstance:
        """Stop an instance and start it when nothing of it is left."""
        return await self.do(body.id)


class ResetHandler(InstanceActHandler):
    """Starts an instance without what it would restore."""

    act = "afresh"

    @endpoint(action="execute", body=InstanceRequest, returns=AppInstance, owner_only=True)
    async def post(self, *, body: InstanceRequest) -> AppInstance:
        """End an instance at once, set its session aside, and start it with a new one."""
        return await self.do(body.id)


class ForgetHandler(_ActHandler):
    """Forgets a folder that an application was opened on."""

    @endpoint(action="execute", body=ForgetRequest, returns=AppsEvent, owner_only=True)
    async def post(self, *, body: ForgetRequest) -> AppsEvent:
        """Remember a folder no more."""
        self.manager.forget(body.app, body.folder)
        return self.manager.apps()


class UsedHandler(_Handler):
    """Hears from open pages that a person does something in an application."""

    @endpoint(action="execute", body=InstanceRequest, returns=UseNote)
    async def post(self, *, body: InstanceRequest) -> UseNote:
        """Count a person's use of an instance; what runs is what counts."""
        return UseNote(counted=self.manager.used(body.id))


class PresenceHandler(_Handler):
    """The script that reports it, put into the pages of applications."""

    @endpoint(action="execute", returns=str, media_type="text/javascript")
    async def get(self) -> None:
        """Return the script."""
        self.set_header("Cache-Control", "private, max-age=3600")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(presence_script(), set_content_type="text/javascript; charset=utf-8")


class LogHandler(_Handler):
    """The end of what an instance printed."""

    @endpoint(action="read", query=LogQuery, returns=AppLog, owner_only=True)
    async def get(self, *, query: LogQuery) -> AppLog:
        """The last lines that an instance printed."""
        output = self.manager.instance(query.id).output
        if output is None:
            return AppLog(lines=[])
        return AppLog(lines=await asyncio.to_thread(last_lines, output, query.lines))


class LaunchHandler(EventStreamHandler, _Handler):
    """One instance as it starts, runs and ends, with what it prints."""

    _gone = False

    @endpoint(
        action="read",
        query=InstanceQuery,
        returns=LaunchEvent | LogEvent,
        owner_only=True,
        media_type="text/event-stream",
    )
    async def get(self, *, query: InstanceQuery) -> None:
        """State and output of one instance as server-sent events."""
        instance = self.manager.instance(query.id)
        if instance.followers >= MOST_FOLLOWERS:
            raise TooManyStreams(MOST_FOLLOWERS)
        self.begin_events()
        with instance.watched() as changed:
            try:
                await self._follow(instance, changed)
            except StreamClosedError:
                return  # the page is gone

    async def _follow(self, instance: Instance, changed: asyncio.Event) -> None:
        """Send what comes until the page goes, or the server ends."""
        tail: Tail | None = None
        output, quiet = None, 0.0
        self._tell_state(instance)
        try:
            while not (self._gone or self.manager.is_closing):
                if instance.output != output:
                    if tail is not None:
                        await self._tell_log(tail, whole=True)
                        tail.close()
                    output = instance.output
                    tail = None
                    if output is not None:  # it is, between two starts
                        tail = Tail(output, FIRST_LINES)
                        self._send(LogEvent(begins=True, lines=[], skipped_bytes=0))
                # Before the state: why it ended is in the log by then.
                news = changed.is_set()
                changed.clear()
                ended = instance.state in ("stopped", "failed")
                spoken = tail is not None and await self._tell_log(tail, whole=ended)
                if news:
                    self._tell_state(instance)
                quiet = 0.0 if spoken or news else quiet + LOG_SECONDS
                if quiet >= HEARTBEAT_SECONDS:
                    self.write(b":\n\n")
                    quiet = 0.0
                await self.flush_events(STALL_SECONDS)
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(changed.wait(), LOG_SECONDS)
        finally:
            if tail is not None:
                tail.close()
        self.end_events()

    def _tell_state(self, instance: Instance) -> None:
        self._send(LaunchEvent(instance=instance.told(), elapsed_seconds=instance.elapsed_seconds))

    async def _tell_log(self, tail: Tail, *, whole: bool) -> bool:
        """Send what was printed since the last time; return whether anything was."""
        lines, skipped = await asyncio.to_thread(tail.read, whole=whole)
        if lines or skipped:
            self._send(LogEvent(begins=False, lines=lines, skipped_bytes=skipped))
        return bool(lines or skipped)

    def _send(self, event: Any) -> None:
        self.write(frame(event.__struct_config__.tag, msgspec.json.encode(event)))

    def on_connection_close(self) -> None:
        """Stop reading the log as soon as the page is gone."""
        self._gone = True
        super().on_connection_close()


default_handlers = [
    ("apps", AppsHandler),
    ("apps/open", OpenHandler),
    ("apps/show", ShowHandler),
    ("apps/start", StartHandler),
    ("apps/stop", StopHandler),
    ("apps/restart", RestartHandler),
    ("apps/reset", ResetHandler),
    ("apps/forget", ForgetHandler),
    ("apps/used", UsedHandler),
    ("apps/presence.js", PresenceHandler),
    ("apps/log", LogHandler),
    ("apps/launch", LaunchHandler),
]
