"""A page whose figures a test makes up: the stream stays open, the history is given.

Built from the server's own models, so that it cannot drift from the contract.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from playwright.sync_api import Page, Route

from jupyter_einfra import __version__
from jupyter_einfra.activity.models import ActivityStatus
from jupyter_einfra.idle.models import IdleStatus
from jupyter_einfra.models import (
    FeatureStatus,
    Notice,
    NoticesEvent,
    Reason,
    SnapshotEvent,
    TopicRefusal,
)
from jupyter_einfra.usage.models import (
    Band,
    GpuDetails,
    GpuFigure,
    GpuHistory,
    GpuUsage,
    Program,
    Run,
    UsageDetails,
    UsageEvent,
    UsageHistory,
    UsageSnapshot,
)

from .samples import GIB

#: What a stream can carry.
Played = UsageSnapshot | UsageDetails | NoticesEvent | IdleStatus | ActivityStatus

#: Takes the place of `fetch` for the stream only; what a test sends goes to every stream
#: that is open, and to those that are opened later.
_STREAM = """
(() => {
  const fetched = window.fetch.bind(window);
  const latest = new Map();
  const open = new Set();
  const encoder = new TextEncoder();
  // A page may take long to open, and a sample is taken when it is sent.
  const fresh = (type, data) => type !== 'usage' ? data
    : JSON.stringify({ ...JSON.parse(data), time: new Date().toISOString() });
  const write = ([type, data]) =>
    encoder.encode(`event: ${type}\\ndata: ${fresh(type, data)}\\n\\n`);
  window.einfraStreams = [];
  window.einfraSend = (type, data) => {
    latest.set(type, data);
    open.forEach(stream => stream.enqueue(write([type, data])));
  };
  window.fetch = (input, init) => {
    const url = new URL(input.url ?? input, location.href);
    if (!url.pathname.endsWith('/jupyter-einfra/stream')) return fetched(input, init);
    window.einfraStreams.push(url.searchParams.get('topics'));
    const signal = init?.signal ?? input.signal;
    const body = new ReadableStream({
      start(stream) {
        [...latest].forEach(event => stream.enqueue(write(event)));
        open.add(stream);
        signal?.addEventListener('abort', () => {
          open.delete(stream);
          stream.error(signal.reason);
        });
      }
    });
    const headers = { 'Content-Type': 'text/event-stream' };
    return Promise.resolve(new Response(body, { headers }));
  };
  INITIAL.forEach(([type, data]) => latest.set(type, data));
})();
"""


class PlayedStream:
    """The page's stream, to which a test sends what it likes.

    Parameters
    ----------
    page:
        Not opened yet.
    events:
        What every stream begins with.
    state, refused:
        Of the features, and the topics that are not carried.
    features:
        Those that the server has.
    """

    def __init__(
        self,
        page: Page,
        *events: Played,
        state: Any = "on",
        refused: Sequence[TopicRefusal] = (),
        features: Sequence[str] = ("usage",),
    ) -> None:
        self._page = page
        snapshot = SnapshotEvent(
            time=datetime.now(timezone.utc),
            version=__version__,
            features=[FeatureStatus(name=name, state=state, reason=None) for name in features],
            topics=["activity", "idle", "notices", "usage", "usage-details"],
            refused=list(refused),
            events_lost=False,
        )
        initial = [_wire(event) for event in (snapshot, *events)]
        page.add_init_script(_STREAM.replace("INITIAL", json.dumps(initial)))

    @property
    def topics(self) -> list[str]:
        """The topics that every stream so far was opened with."""
        topics: list[str] = self._page.evaluate("window.einfraStreams")
        return topics

    def send(self, event: Played) -> None:
        """Let the page have one event more."""
        self._page.evaluate("event => window.einfraSend(...event)", _wire(event))


def _wire(event: msgspec.Struct) -> list[str]:
    text = msgspec.json.encode(event).decode()
    return [json.loads(text)["type"], text]


def play_history(
    page: Page,
    gpus: Sequence[GpuUsage] = (),
    *,
    events: Sequence[UsageEvent] = (),
    runs: Sequence[Run] = (),
    filled: float = 1.0,
) -> list[str]:
    """Answer for the history with curves, the last `filled` part of what was asked for.

    Returns a list to which every address is added that the page asks for.
    """
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        query = parse_qs(urlsplit(route.request.url).query)
        until = datetime.now(timezone.utc)
        since = datetime.fromisoformat(query["since"][0].replace("Z", "+00:00"))
        made = history(since, until, gpus, events=events, runs=runs, filled=filled)
        body = msgspec.json.encode(made)
        route.fulfill(status=200, content_type="application/json", body=body)

    page.route("**/jupyter-einfra/usage/history?*", answer)
    return asked


def history(
    since: datetime,
    until: datetime,
    gpus: Sequence[GpuUsage] = (),
    *,
    events: Sequence[UsageEvent] = (),
    runs: Sequence[Run] = (),
    filled: float = 1.0,
) -> UsageHistory:
    """Make curves up, with a gap in them."""
    seconds = (until - since).total_seconds()
    resolution = next(r for r in (1, 10, 60, 600, 3600) if seconds / r <= 2200)
    first = math.ceil(seconds * (1 - filled) / resolution)
    points = [
        point
        for point in range(first, int(seconds / resolution))
        if not 0.30 < point * resolution / seconds < 0.36
    ]
    turns = [point * resolution / seconds * 6 * math.pi for point in points]

    def band(of: Any, spread: float = 0.0) -> Band:
        mean = [of(turn) for turn in turns]
        return Band(
            minimum=[None if v is None else max(v - spread * v, 0) for v in mean],
            mean=mean,
            maximum=[None if v is None else v + spread * v for v in mean],
        )

    def gpu_history(gpu: GpuUsage) -> GpuHistory:
        known, used = gpu.utilization is not None, gpu.memory_used_bytes or 0
        return GpuHistory(
            uuid=gpu.uuid,
            index=gpu.index,
            name=gpu.name,
            scope=gpu.scope,
            memory_total_bytes=gpu.memory_total_bytes,
            utilization=band(lambda t: 0.5 + 0.4 * math.sin(5 * t) if known else None),
            memory_used_bytes=band(lambda t: used * (0.6 + t / 50)),
        )

    return UsageHistory(
        since=since,
        until=until,
        resolution_seconds=resolution,
        gap_seconds=2.5 * resolution,
        offsets_seconds=[float(point * resolution) for point in points],
        cpu_used_cores=band(lambda t: 1.1 + 0.8 * math.sin(t), 0.05 if resolution > 1 else 0),
        cpu_limit_cores=band(lambda t: 2.0),
        cpu_throttled_share=band(lambda t: 0.6 if math.sin(t) > 0.9 else 0.0),
        memory_working_set_bytes=band(lambda t: (4 + t / 4) * GIB),
        memory_anon_shmem_bytes=band(
            lambda t: (3 + t / 2 + 0.2 * math.sin(9 * t)) * GIB, 0.08 if resolution > 1 else 0
        ),
        memory_cache_bytes=band(lambda t: 1.5 * GIB),
        memory_limit_bytes=band(lambda t: 16.0 * GIB),
        home_used_bytes=band(lambda t: (38 + t / 8) * GIB),
        home_limit_bytes=band(lambda t: 100.0 * GIB),
        tmp_used_bytes=band(lambda t: 2.0 * GIB),
        tmp_limit_bytes=band(lambda t: 20.0 * GIB),
        network_received_bytes_per_second=band(lambda t: 2e5 * (1 + math.sin(3 * t))),
        network_sent_bytes_per_second=band(lambda t: 5e4 * (1 + math.cos(3 * t))),
        gpus=[gpu_history(gpu) for gpu in gpus],
        events=list(events),
        runs=list(runs),
        reason=None,
    )


def program(kind: Any = "kernel", ident: str = "k1", **change: Any) -> Program:
    """Make a kernel that has been busy for two hours, or what a test wants instead."""
    made = Program(
        kind=kind,
        id=ident,
        name="train.ipynb",
        path="train.ipynb" if kind == "kernel" else None,
        language="python3" if kind == "kernel" else None,
        pid=4711,
        cpu_cores=1.8,
        memory_bytes=int(11.8 * GIB),
        processes=9,
        threads=62,
        gpu_memory_bytes=None,
        gpu_reason=None,
        state="busy" if kind == "kernel" else None,
        since=datetime.now(timezone.utc) - timedelta(hours=2),
        reason=None,
    )
    return msgspec.structs.replace(made, **change)


def details(*programs: Program, gpus: Sequence[GpuUsage] = (), **change: Any) -> UsageDetails:
    """Make the details of a server that runs these programs."""
    made = UsageDetails(
        time=datetime.now(timezone.utc),
        interval_seconds=1,
        programs=list(programs),
        programs_reason=None,
        gpus=[
            GpuDetails(
                uuid=gpu.uuid,
                figures=[
                    GpuFigure(
                        figure="utilization", source=gpu.utilization_source, reason=gpu.reason
                    ),
                    GpuFigure(figure="memory", source="nvml", reason=None),
                ],
            )
            for gpu in gpus
        ],
        previous_run=None,
        history_reason=None,
    )
    return msgspec.structs.replace(made, **change)


def memory_notice(**change: Any) -> NoticesEvent:
    """Make the warning that memory meets its limit soon."""
    notice = Notice(
        id="memory-1",
        time=datetime.now(timezone.utc),
        feature="usage",
        severity="warning",
        code="memory_trend",
        message="Memory grows by 0.9 GiB a minute and meets the limit in about 4 minutes.",
        params={
            "bytes_per_second": 0.9 * GIB / 60,
            "seconds": 240,
            "name": "train.ipynb",
            "kernel_bytes": int(11.8 * GIB),
        },
        kernel_id="k1",
        path="train.ipynb",
    )
    return NoticesEvent(notices=[msgspec.structs.replace(notice, **change)])


def reason(code: str, **params: Any) -> Reason:
    """Make a reason that has words in the browser only."""
    return Reason(code=code, message="-", params=params)
