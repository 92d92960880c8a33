"""The last week by minutes is what was sampled, with its holes."""

from __future__ import annotations

import math

from servers.samples import SLICE, WHOLE

from jupyter_einfra.usage.history.minutes import minutes
from jupyter_einfra.usage.history.runs import RunRecord
from jupyter_einfra.usage.history.series import Device, History

NOW = 1_790_000_040.0
UNKNOWN = (math.nan,) * 12


def device(uuid: str, scope: str) -> Device:
    return Device(
        uuid=uuid,
        index=0,
        name=WHOLE.name,
        scope=scope,  # type: ignore[arg-type] # it is one of them
        memory_total_bytes=SLICE.memory_total_bytes,
        seen=NOW,
    )


def test_each_minute_has_its_samples_least_and_mean() -> None:
    history = History()
    mig = device("MIG", "mig")
    for second in (0, 10, 20):
        history.add(NOW + second, (float(second), *UNKNOWN), [(mig, (0.5, math.nan))])
    history.add(NOW + 120, (math.nan, *UNKNOWN))
    run = RunRecord(token=1, started=NOW - 5, seen=NOW + 120)
    told = minutes(history, [run], NOW - 60, NOW + 125)
    assert told.first == NOW - 60
    assert told.breaks == [NOW - 5, NOW + 120]
    assert told.cpu.samples == [0, 3, 0, 1]
    assert told.cpu.mean[1] == 10.0
    assert (told.cpu.least[1], told.cpu.highest[1]) == (0.0, 20.0)
    assert [math.isnan(value) for value in told.cpu.mean] == [True, False, True, True]
    (gpu,) = told.gpus
    assert (gpu.uuid, gpu.scope, gpu.utilization.samples) == ("MIG", "mig", [0, 3, 0, 0])
    assert gpu.utilization.mean[1] == 0.5


def test_no_more_than_a_week_is_told() -> None:
    history = History()
    history.add(NOW, (1.0, *UNKNOWN))
    told = minutes(history, [], NOW - 30 * 86400, NOW)
    assert len(told.cpu.samples) == 10080
    assert told.gpus == []
