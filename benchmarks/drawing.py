"""How long the panel draws, in a real browser: from the answer until it can be seen."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page
from servers.browser import chromium
from servers.lab_page import open_lab, start_lab

from .figures import Figure, median

_PANEL = "#einfra-usage-panel"

#: Notes when an answer was there, when the last line was put on a canvas, and when the
#: browser had painted the frame after that.
_WATCH = """
(() => {
  const seen = (window.einfraDrawing = { answered: 0, drawn: 0, painted: 0, points: 0 });
  const channel = new MessageChannel();
  channel.port1.onmessage = () => { seen.painted = performance.now(); };
  const onCanvas = () => {
    seen.drawn = performance.now();
    if (!seen.waiting) {
      seen.waiting = true;
      requestAnimationFrame(() => { seen.waiting = false; channel.port2.postMessage(0); });
    }
  };
  const context = CanvasRenderingContext2D.prototype;
  for (const name of ['stroke', 'fill', 'fillText', 'clearRect']) {
    const draw = context[name];
    context[name] = function (...args) { draw.apply(this, args); onCanvas(); };
  }
  const fetched = window.fetch.bind(window);
  window.fetch = async (input, init) => {
    const response = await fetched(input, init);
    if (new URL(input.url ?? input, location.href).pathname.endsWith('/usage/history')) {
      const json = response.json.bind(response);
      response.json = async () => {
        const body = await json();
        seen.points = body.offsets_seconds.length;
        seen.answered = performance.now();
        return body;
      };
    }
    return response;
  };
})();
"""

#: It is drawn, and nothing more has been for a while.
_QUIET = """
() => {
  const { answered, drawn, painted } = window.einfraDrawing;
  return answered > 0 && drawn >= answered && painted >= drawn
    && performance.now() - drawn > 250;
}
"""


def draw(directory: Path, rounds: int) -> Iterator[Figure]:
    """Switch a panel to and fro; the home may have a history already."""
    with start_lab(directory) as lab, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.add_init_script(_WATCH)
        open_lab(page, lab)
        page.evaluate("() => void window.jupyterapp.commands.execute('einfra-usage:open-panel')")
        page.wait_for_selector(f"{_PANEL} canvas")
        taken: dict[str, list[tuple[float, float]]] = {"6 h": [], "7 d": [], "90 d": []}
        points: dict[str, int] = {}
        for turn in range(rounds + 1):
            for name, times in taken.items():
                drawn, painted, points[name] = _switch(page, name)
                if turn:  # the first is for the code to be compiled
                    times.append((drawn, painted))
        charts = page.locator(f"{_PANEL} canvas").count()
    for name, times in taken.items():
        seen = [painted for _, painted in times]
        yield Figure(
            f"panel, {name}: from the answer until it is drawn and painted",
            median(seen),
            "ms",
            100,
            note=f"p95 {statistics.quantiles(seen, n=20)[18]:.0f} ms; on the canvas after "
            f"{median([drawn for drawn, _ in times]):.0f} ms; {charts} charts of "
            f"{points[name]} points",
        )


def _switch(page: Page, name: str) -> tuple[float, float, int]:
    page.evaluate("() => Object.assign(window.einfraDrawing, { answered: 0, drawn: 0 })")
    page.locator(_PANEL).get_by_text(name, exact=True).click()
    page.wait_for_function(_QUIET, polling=50)
    seen = page.evaluate("window.einfraDrawing")
    answered = seen["answered"]
    return seen["drawn"] - answered, seen["painted"] - answered, seen["points"]
