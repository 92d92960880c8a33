"""Samples as a server would send them, built from its own models."""

from __future__ import annotations

from datetime import datetime, timezone

import msgspec

from jupyter_einfra.models import Reason
from jupyter_einfra.usage.models import (
    CpuUsage,
    DiskUsage,
    GpuStatus,
    GpuUsage,
    MemoryUsage,
    NetworkUsage,
    UsageSnapshot,
)

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
            throttled_share=0.0,
            scope="container",
            source="cgroup-v2",
            limit_source="cgroup",
            reason=reason,
        ),
        memory=MemoryUsage(
            working_set_bytes=int(used_gib * GIB),
            limit_bytes=16 * GIB,
            anon_bytes=int(used_gib * GIB * 0.9),
            shmem_bytes=0,
            cache_bytes=GIB,
            unreclaimable_bytes=int(used_gib * GIB * 0.9),
            oom_kills=0,
            scope="container",
            source="cgroup-v2",
            limit_source="cgroup",
            reason=None,
        ),
        gpus=list(gpus),
        gpu_status=GpuStatus(driver="575.51", reason=None),
        disks=[
            DiskUsage(
                name="home",
                path="/home/jovyan",
                used_bytes=40 * GIB,
                limit_bytes=100 * GIB,
                scope="quota",
                time=datetime.now(timezone.utc),
                reason=None,
            )
        ],
        network=NetworkUsage(
            received_bytes_per_second=1000.0,
            sent_bytes_per_second=500.0,
            scope="container",
            reason=None,
        ),
    )


WHOLE = GpuUsage(
    index=0,
    uuid="GPU-0",
    name="NVIDIA A40",
    scope="gpu",
    utilization=0.63,
    utilization_source="nvml",
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
    utilization_source=None,
    memory_used_bytes=17 * GIB,
    memory_total_bytes=20 * GIB,
    source="nvml",
    reason=Reason(code="mig_no_utilization", message="No utilization here.", params={}),
)
