"""The usage feature's life: settings in, samples out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from traitlets import Bool, Float

from ..config import EinfraConfigurable
from .models import UsageSnapshot
from .probes.cgroup import CgroupProbe
from .probes.nvml import GpuProbe
from .probes.system import SystemProbes
from .sampler import Sampler

#: Kubernetes may resize a container in place; a limit that is a little old does no harm.
LIMITS_SECONDS = 10.0


class UsageManager(EinfraConfigurable):
    """Samples what this container uses and publishes each sample.

    Parameters
    ----------
    publish:
        Takes a topic and one JSON object; called from the sampler's thread.
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

    def __init__(self, *, publish: Callable[[str, bytes], None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._publish = publish
        self._encode = msgspec.json.Encoder().encode
        self._latest: bytes | None = None
        gpu = GpuProbe(timeout_seconds=self.gpu_timeout_seconds, shared=self.gpus_shared)
        self._probes = SystemProbes(
            CgroupProbe(limits_seconds=LIMITS_SECONDS), gpu if self.gpus else None
        )
        self._sampler = Sampler(
            self._probes,
            self._on_sample,
            watched_seconds=self.watched_interval_seconds,
            unwatched_seconds=self.unwatched_interval_seconds,
            log=self.log,
        )

    def start(self) -> None:
        """Begin to sample."""
        self._probes.start()
        self._sampler.start()

    def stop(self) -> None:
        """Take no more samples; returns within three seconds."""
        self._sampler.stop()
        self._probes.stop()

    def on_watchers(self, count: int) -> None:
        """Sample fast while at least one page watches."""
        self._sampler.set_watched(count > 0)

    def on_detail_watchers(self, count: int) -> None:
        """Look at processes while at least one page shows them."""

    def latest(self) -> bytes | None:
        """Return the JSON of the latest `UsageSnapshot`; None before the first."""
        return self._latest

    def _on_sample(self, sample: UsageSnapshot) -> None:
        self._latest = self._encode(sample)
        self._publish("usage", self._latest)
