"""The usage feature's life: settings in; samples, details, history and notices out."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from concurrent import futures
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
from traitlets import Bool, Float, Integer

from ..config import EinfraConfigurable
from ..models import Notice
from ..notices import Board
from .alerts.alerts import Alerts
from .alerts.deaths import Death
from .alerts.warnings import Thresholds
from .figures import widest
from .history.recorder import Recorder
from .metrics import UsageCollector
from .models import Run, Scope, UsageDetails
from .probes.cgroup import CgroupProbe
from .probes.disks import DiskProbe, usual_places
from .probes.driver import GpuReading
from .probes.nvml import GpuProbe
from .probes.system import SystemProbes
from .programs.details import Details
from .programs.processes import RosterEntry
from .programs.roster import Roster
from .sampler import Sampler, Taken

#: Kubernetes may resize a container in place; a limit that is a little old does no harm.
LIMITS_SECONDS = 10.0

#: How often to see which kernels there are while nobody looks.
ROSTER_SECONDS = 60.0

#: How long a sample waits for the loop to say which there are, before somebody is named.
ROSTER_WAIT_SECONDS = 0.2


class UsageManager(EinfraConfigurable):
    """Samples what this container uses, publishes and keeps it, and warns.

    Parameters
    ----------
    publish:
        Takes a topic and one JSON object; called from the sampler's thread.
    board:
        Where notices are put up.
    roster:
        Knows the server's kernels and terminals.
    directory:
        Where this server keeps its state.
    on_explained:
        Called with each notice of why a kernel died, in the sampler's thread.
    """

    env_prefix = "JUPYTER_EINFRA_USAGE_"

    watched_interval_seconds = Float(
        1.0, min=0.2, max=86400.0, help="Seconds between samples while an open page shows them."
    ).tag(config=True)
    unwatched_interval_seconds = Float(
        10.0, min=0.2, max=86400.0, help="Seconds between samples while nobody looks."
    ).tag(config=True)
    gpus = Bool(True, help="Whether to ask the NVIDIA driver for GPUs.").tag(config=True)
    gpus_shared = Bool(
        False,
        help="Whether other people's programs run on the same GPUs (time slicing or MPS). "
        "Figures are then labelled as the whole GPU's, neighbours included.",
    ).tag(config=True)
    gpu_timeout_seconds = Float(
        5.0,
        min=0.1,
        help="Seconds after which a GPU driver that does not answer is reported.",
    ).tag(config=True)
    home_quota_bytes = Integer(
        0, min=0, help="Space that a user's home may take; 0: as much as its file system has."
    ).tag(config=True)
    tmp_quota_bytes = Integer(
        0, min=0, help="Space that temporary files may take; 0: as much as there is."
    ).tag(config=True)
    warn_memory_share = Float(
        0.9,
        min=0.0,
        max=1.0,
        help="Share of the memory limit from which a notice names the biggest kernel; 0: never.",
    ).tag(config=True)
    warn_memory_seconds = Float(
        60.0,
        min=0.0,
        max=3600.0,
        help="A notice comes if memory, growing as it does, meets its limit within this "
        "time; 0: never.",
    ).tag(config=True)
    warn_throttled_seconds = Float(
        300.0,
        min=0.0,
        max=86400.0,
        help="A notice comes if over this time programs used most of the CPU limit and were "
        "held back in a quarter of their turns; 0: never.",
    ).tag(config=True)
    warn_disk_share = Float(
        0.95, min=0.0, max=1.0, help="Share of a disk from which a notice comes; 0: never."
    ).tag(config=True)
    warn_gpu_unused_hours = Float(
        12.0,
        min=0.0,
        max=10000.0,
        help="Hours without any use of an assigned GPU after which a notice comes; 0: never.",
    ).tag(config=True)

    def __init__(
        self,
        *,
        publish: Callable[[str, bytes], None],
        board: Board,
        roster: Roster,
        directory: Path,
        on_explained: Callable[[Notice], None] = lambda notice: None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._publish = publish
        self._encode = msgspec.json.Encoder().encode
        self._latest: bytes | None = None
        self._scope: Scope | None = None
        gpu = GpuProbe(timeout_seconds=self.gpu_timeout_seconds, shared=self.gpus_shared)
        places = usual_places(
            home_quota_bytes=self.home_quota_bytes or None,
            tmp_quota_bytes=self.tmp_quota_bytes or None,
        )
        self._cgroup = CgroupProbe(limits_seconds=LIMITS_SECONDS)
        self._probes = SystemProbes(self._cgroup, DiskProbe(places), gpu if self.gpus else None)
        self._sampler = Sampler(
            self._probes,
            self._on_sample,
            watched_seconds=self.watched_interval_seconds,
            unwatched_seconds=self.unwatched_interval_seconds,
            log=self.log,
        )
        #: What this container used, for `handlers`.
        self.recorder = Recorder(
            directory, gap_seconds=2.5 * self.unwatched_interval_seconds, log=self.log
        )
        self._metrics = UsageCollector()
        self._alerts = Alerts(
            board=board,
            record=self.recorder.record,
            on_cause=self._metrics.count_death,
            on_explained=on_explained,
            thresholds=Thresholds(
                memory_share=self.warn_memory_share,
                trend_seconds=self.warn_memory_seconds,
                throttled_seconds=self.warn_throttled_seconds,
                disk_share=self.warn_disk_share,
                gpu_unused_seconds=self.warn_gpu_unused_hours * 3600,
            ),
        )
        self._details = Details(
            self._probes, server_pid=os.getpid(), least_seconds=self.watched_interval_seconds
        )
        self._gpus_before: GpuReading | None = None
        self._watchers = 0
        self._detail_watchers = 0
        self._details_watched = False
        self._roster = roster
        self._roster.on_death = self._on_death
        self._entries: Sequence[RosterEntry] = []
        self._entries_due = 0.0
        self._refreshing: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to sample; called on the server's loop."""
        self._loop = asyncio.get_running_loop()
        self._roster.start()
        self.recorder.start(self._on_loaded)
        self._metrics.register()
        self._probes.start()
        self._sampler.start()

    def stop(self) -> None:
        """Take no more samples and save what there is; returns within five seconds."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is gone, and all kernels with it
                self._loop.call_soon_threadsafe(self._roster.stop)
        self._sampler.stop()
        self._metrics.unregister()
        self.recorder.stop()
        self._probes.stop()

    def on_watchers(self, count: int) -> None:
        """Sample fast while at least one page watches."""
        self._watchers = count
        self._set_pace()

    def on_detail_watchers(self, count: int) -> None:
        """Look at processes while at least one page shows them."""
        begins = count > 0 and self._detail_watchers == 0
        self._detail_watchers = count
        if begins:  # who there is comes first, then what they use
            self._refresh().add_done_callback(lambda _: self._set_pace())
        else:
            self._set_pace()

    def latest(self) -> bytes | None:
        """Return the JSON of the latest `UsageSnapshot`; None before the first."""
        return self._latest

    @property
    def scope(self) -> Scope | None:
        """What figures of the CPU and the memory cover at most; None before the first."""
        return self._scope

    # In the recorder's thread.

    def _on_loaded(self, run: Run | None) -> None:
        now = datetime.now(timezone.utc)
        self._alerts.on_previous_run(run, self.recorder.previous_open, now)

    # On the loop.

    def _on_death(self, death: Death) -> None:
        self._alerts.on_death(death, time.monotonic())
        self._sampler.sample_soon()

    def _set_pace(self) -> None:
        begins = self._detail_watchers > 0 and not self._details_watched
        self._details_watched = self._detail_watchers > 0
        self._sampler.set_processes_watched(self._details_watched)
        self._sampler.set_watched(self._watchers > 0 or self._details_watched)
        if begins:
            self._sampler.sample_soon()

    def _refresh(self) -> asyncio.Task[None]:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.ensure_future(self._read_roster())
        return self._refreshing

    async def _read_roster(self) -> None:
        self._entries = await self._roster.refresh()
        self.recorder.set_open(
            [entry.path for entry in self._entries if entry.kind == "kernel" and entry.path]
        )

    # In the sampler's thread.

    def _on_sample(self, taken: Taken) -> None:
        self._latest = self._encode(taken.sample)
        self._scope = widest(taken.sample.cpu.scope, taken.sample.memory.scope)
        self._publish("usage", self._latest)
        memory = taken.memory
        self.recorder.add(
            taken.sample,
            limit_hits=memory.limit_hits,
            origin=memory.origin,
            gpus_are_new=taken.gpus is not self._gpus_before,
        )
        self._gpus_before = taken.gpus
        self._metrics.observe(taken.sample, taken.cpu, memory, taken.network)
        try:
            self._look(taken)
        except Exception:
            # Whether there is danger matters more than who is named.
            self.log.exception("Processes could not be looked at")
        self._alerts.on_sample(taken, time.monotonic())
        self._sampler.set_hurried(self._alerts.needs_fast_pace)

    def _look(self, taken: Taken) -> None:
        is_wanted = self._alerts.wants_look(taken.sample.memory, time.monotonic())
        if is_wanted or (self._details_watched and self._details.is_due()):
            if is_wanted:
                self._await_roster()
            self._details.look(
                self._entries,
                others=self._cgroup.in_container,
                gpu_memory=taken.gpus.processes,
                gpu_reason=taken.gpus.processes_reason,
            )
            self._alerts.on_look(self._details.programs, taken.sample.memory, time.monotonic())
            if self._details_watched:
                self._publish("usage-details", self._encode(self._told(taken)))
            self._entries_due = 0.0
        if time.monotonic() >= self._entries_due:
            self._entries_due = time.monotonic() + ROSTER_SECONDS
            if self._loop is not None:
                with suppress(RuntimeError):  # the loop is closed
                    self._loop.call_soon_threadsafe(self._refresh)

    def _await_roster(self) -> None:
        """See who there is now: a kernel may be as new as the danger that it is."""
        if self._loop is None:
            return
        reading = self._read_roster()
        try:
            found = asyncio.run_coroutine_threadsafe(reading, self._loop)
        except RuntimeError:  # the loop is closed
            reading.close()
            return
        try:
            found.result(ROSTER_WAIT_SECONDS)
        except (TimeoutError, futures.TimeoutError, futures.CancelledError):
            found.cancel()  # the loop is busy, or ends; who there was must do

    def _told(self, taken: Taken) -> UsageDetails:
        return UsageDetails(
            time=taken.sample.time,
            interval_seconds=self._details.interval_seconds,
            programs=self._details.programs,
            programs_reason=self._details.reason,
            gpus=taken.gpus.details,
            previous_run=self.recorder.previous_run,
            history_reason=self.recorder.reason,
        )
