"""Samples as a server would send them, built from its own models."""

from __future__ import annotations

from datetime import datetime, timezone

import msgspec

from jupyter_einfra.models import Reason
from jupyter_einfra.usage.models import CpuUsage, GpuStatus, GpuUsage, MemoryUsage, UsageSnapshot

GIB = 2**30


def sample(
    used_gib: float = 3.1, gpus: tuple[GpuUsage, ...] = (), reason: Reason | None = None
) -> UsageSnapshot:
    return UsageSnapshot(
        time=datetime.now(timezone.utc),
        interval_seconds=1,
        cpu=CpuUsage(
            used_cores=0.4 if reason is None else None,
            limit_cores=2,
            scope="container",
            source="cgroup-v2",
            limit_source="cgroup",
            reason=reason,
        ),
        memory=MemoryUsage(
            working_set_bytes=int(used_gib * GIB),
            limit_bytes=16 * GIB,
            scope="container",
            source="cgroup-v2",
            limit_source="cgroup",
            reason=None,
        ),
        gpus=list(gpus),
        gpu_status=GpuStatus(driver="575.51", reason=None),
    )


WHOLE = GpuUsage(
    index=0,
    uuid="GPU-0",
    name="NVIDIA A40",
    scope="gpu",
    utilization=0.63,
    memory_used_bytes=30 * GIB,
    memory_total_bytes=48 * GIB,
    source="nvml",
    reason=None,
)
SHARED = msgspec.structs.replace(WHOLE, index=1, uuid="GPU-1", scope="shared-gpu")
SLICE = GpuUsage(
    index=2,
    uuid="MIG-2",
    name="NVIDIA A100 MIG 2g.20gb",
    scope="mig",
    utilization=None,
    memory_used_bytes=17 * GIB,
    memory_total_bytes=20 * GIB,
    source="nvml",
    reason=Reason(code="mig_no_utilization", message="No utilization here.", params={}),
)
