"""What a record of ninety days takes in memory, and how soon its reader is told of one."""

from __future__ import annotations

import gc
import logging
import random
import re
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec
from msgspec.structs import replace
from playwright.sync_api import BrowserContext, Page
from servers.browser import chromium
from servers.digests import ONE, status
from servers.lab import LabServer
from servers.lab_page import start_lab
from servers.played import PlayedStream
from servers.process import wait_until
from servers.samples import sample

from jupyter_einfra.activity.digest import digest
from jupyter_einfra.activity.journal import KEPT, Journal
from jupyter_einfra.activity.models import CellRun, Digest, FileEvent
from jupyter_einfra.activity.presence import Presence
from jupyter_einfra.activity.remembered import Remembered
from jupyter_einfra.state import state_directory

from .figures import Figure, median, spread

_NOW = datetime(2026, 11, 26, tzinfo=timezone.utc)

#: Events between two transactions: what comes in while many things happen.
_BATCH = 250

_MONTH = timedelta(days=30)

#: What a person with many notebooks has.
_NOTEBOOKS = 40
_CELLS = 30
_DAY_SECONDS = 8 * 3600
"""Of work."""

_ERRORS = ("KeyError", "ValueError", "FileNotFoundError", "RuntimeError", "TypeError")


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    events: int = 100_000
    digests: int = 31
    month_events: int = 2000
    loads: int = 9
    """Of Lab's page; one more warms up and is thrown away."""


def measure(directory: Path, *, size: Size) -> list[Figure]:
    """Record ninety days of work, then of what cannot be summed up as it comes; come back."""
    figures: list[Figure] = []
    for alike, what in ((True, "of work"), (False, "of errors, none like another")):
        journal, taken = _recorded(size.events, alike=alike)
        held = f"{len(journal)} records"
        figures.append(
            Figure(
                f"memory of {size.events} events {what}",
                taken / 1e6,
                "MB",
                10,
                note=held,
            )
        )
        times, told = _digests(journal, size.digests)
        lines = sum(len(section.facts) for section in told.sections)
        figures.append(
            Figure(
                f"digest of 90 days {what}, as JSON",
                median(times),
                "ms",
                100,
                note=f"{held}, {lines} lines; {spread(times, 'ms')}",
            )
        )
    return [*figures, *_told(directory, size)]


#: Notes when Lab has all of its page there, and when somebody sees what the overlay tells.
_WATCH = """
window.einfraSeen = {};
const note = name => { window.einfraSeen[name] ??= performance.now(); };
const find = () => {
  if (!window.jupyterapp) { setTimeout(find, 1); return; }
  window.jupyterapp.restored.then(() => note('restored'));
};
find();
new MutationObserver((_, observer) => {
  if (!document.querySelector('.jp-EinfraActivity li')) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => note('overlay')));
}).observe(document, { childList: true, subtree: true });
"""


def _told(directory: Path, size: Size) -> list[Figure]:
    """Open Lab after a month away, with what the server recorded and with an answer played."""
    lab = start_lab(directory / "lab")
    held = _record_month(lab, size.month_events)
    loads: dict[str, list[float]] = {"real": [], "played": []}
    with lab, chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        for turn in range(size.loads + 1):
            for way, taken in loads.items():
                after = _open(context, lab, plays=way == "played")
                if turn:
                    taken.append(after)
    what = "overlay painted after all of Lab is there"
    return [
        Figure(
            f"{what}: {size.month_events} events in a month",
            median(loads["real"]),
            "ms",
            300,
            note=f"{held} records; {spread(loads['real'], 'ms')}",
        ),
        Figure(
            f"{what}: the server's answer played",
            median(loads["played"]),
            "ms",
            300,
            note=spread(loads["played"], "ms"),
        ),
    ]


def _record_month(lab: LabServer, count: int) -> int:
    """Leave a record as the server itself would have, whose owner has been away meanwhile."""
    now = time.time()
    end = datetime.fromtimestamp(now, timezone.utc)
    remembered = Remembered(
        state_directory(lab.home / ".local/share/jupyter", {}),
        now=lambda: now,
        log=logging.getLogger(__name__),
    )
    remembered.start()
    wait_until("the new file was read", lambda: remembered.is_read)
    with remembered.journal() as journal:
        for event in _work(count, journal, end, _MONTH):
            _take(journal, event)
        held = len(journal)
    left_at = (end - _MONTH).timestamp()
    remembered.change(lambda known: replace(known, presence=Presence(left_at=left_at)))
    if not remembered.stop(10.0):
        raise RuntimeError("The record was not written.")
    return held


def _take(journal: Journal, event: CellRun | FileEvent) -> None:
    """Record it as the recorder does."""
    if isinstance(event, CellRun):
        journal.ran(event)
    else:
        journal.changed(event)


def _open(context: BrowserContext, lab: LabServer, *, plays: bool) -> float:
    """Return how long after Lab the overlay is there, in milliseconds; it is not closed."""
    with context.new_page() as page:
        page.add_init_script(_WATCH)
        if plays:
            _play(page)
        page.goto(f"{lab.url}lab?token={lab.token}&reset")
        page.wait_for_function(
            "() => window.einfraSeen.overlay && window.einfraSeen.restored", polling=50
        )
        after: float = page.evaluate("window.einfraSeen.overlay - window.einfraSeen.restored")
        return after


def _play(page: Page) -> None:
    PlayedStream(page, sample(), status(), features=("usage", "activity"))
    page.route(
        re.compile("/jupyter-einfra/activity"),
        lambda route: route.fulfill(
            status=200, content_type="application/json", body=msgspec.json.encode(ONE)
        ),
    )


def _recorded(count: int, *, alike: bool) -> tuple[Journal, int]:
    """Return a journal with all of it, and the bytes that it keeps."""
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        journal = Journal("5f0c1d2e3a4b")
        events = _work(count, journal) if alike else _errors(count, journal)
        for i, event in enumerate(events):
            _take(journal, event)
            if i % _BATCH == 0:
                # As its keeper does for each transaction.
                journal.forget_before(event.time - KEPT)
                journal.changes()
        del events, event
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return journal, after - before


def _digests(journal: Journal, count: int) -> tuple[list[float], Digest]:
    taken = []
    for _ in range(count):
        begin = time.perf_counter()
        told = digest(list(journal), None, [], now=_NOW, since=_NOW - KEPT, started_at=_NOW)
        msgspec.json.encode(told)
        taken.append((time.perf_counter() - begin) * 1e3)
    return taken, told


def _work(
    count: int, journal: Journal, end: datetime = _NOW, length: timedelta = KEPT
) -> Iterator[CellRun | FileEvent]:
    """Yield what a person does who works each day: goes of cells, some errors, and saves."""
    chance = random.Random(7)
    for at in _moments(count, end, length):
        # Somebody is at one notebook for a while, a few of them a day.
        notebook = (int(at.timestamp()) // 2400 * 7 + at.day) % _NOTEBOOKS
        die = chance.random()
        if die < 0.08:
            yield _saved(journal, at, f"project-{notebook % 6}/analysis-{notebook}.ipynb")
        elif die < 0.12:
            yield _run(journal, at, notebook, chance, failed=True)
        else:
            seconds = chance.uniform(60, 7200) if die > 0.99 else chance.expovariate(1.0)
            yield _run(journal, at, notebook, chance, seconds=seconds)


def _errors(count: int, journal: Journal) -> Iterator[CellRun]:
    chance = random.Random(7)
    for i, at in enumerate(_moments(count, _NOW, KEPT)):
        text = f"{chance.getrandbits(640):0200d}"
        yield _run(journal, at, i % _NOTEBOOKS, chance, failed=True, text=text)


def _moments(count: int, end: datetime, length: timedelta) -> Iterator[datetime]:
    for i in range(count):
        day, share = divmod(i * length.days / count, 1)
        yield end - length + timedelta(days=day, seconds=share * _DAY_SECONDS + 8 * 3600)


def _run(
    journal: Journal,
    at: datetime,
    notebook: int,
    chance: random.Random,
    *,
    seconds: float = 0.5,
    failed: bool = False,
    text: str | None = None,
) -> CellRun:
    cell = chance.randrange(_CELLS)
    if failed and text is None:
        text = f"'column_{chance.randrange(500)}' is not in the table, which has 12 columns"
    return CellRun(
        id=journal.new_id(),
        time=at,
        until=at + timedelta(seconds=seconds),
        kernel_id=f"6a1f3c52-9d0e-4b7a-8c35-{notebook:012d}",
        path=f"project-{notebook % 6}/analysis-{notebook}.ipynb",
        cell_id=f"b7e2d4a0-{notebook:04d}-4c19-a6f8-{cell:012d}",
        execution_count=cell,
        seconds=seconds,
        outcome="failed" if failed else "finished",
        error_name=chance.choice(_ERRORS) if failed else None,
        error_text=text,
        times=1,
        others=0,
    )


def _saved(journal: Journal, at: datetime, path: str) -> FileEvent:
    return FileEvent(
        id=journal.new_id(),
        time=at,
        until=at,
        action="saved",
        path=path,
        source_path=None,
        times=1,
    )
