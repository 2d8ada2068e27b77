"""The web page in Chromium: its first paint and its weight, by the browser's own performance API.

The home timeline of an author is opened on the whole stack. The browser reports when it painted first, when the largest
of what is in view was painted, how far what was painted has moved since, and how many bytes the gateway sent for it.

- *first visit*: a browser that has nothing of the page; *next visit*: one that has its files, and asks for each if it
  has changed.

Fair, since the browser measures itself as it does for its users, from the beginning of the navigation; nothing is
throttled, and browser and servers share the machine. "Seen" is the time until no part of the view waits for data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from cheeper_bench.environment import graph
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.graph import Graph
from cheeper_bench.environment.stack import whole
from cheeper_bench.measuring.bench import Bench, Figures, Length, Missing, Reach, Sides
from cheeper_contracts.http.routes import SEARCH
from cheeper_e2e.browser.chromium import chromium, missing
from cheeper_e2e.browser.loaded import wait_until_loaded
from cheeper_local.system.ports import HOST

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

_AUTHORS: Final[dict[Length, int]] = {"tiny": 20, "short": 200, "long": 200}
_FOLLOWS, _CHEEPS, _READER = 10, 5, 7
_FIRST, _NEXT = "first visit", "next visit"
_FIGURES: Final = """
() => new Promise((resolve) => {
    const found = { moved: 0, largest: 0 };
    const take = (entries) => {
        for (const each of entries) {
            if (each.entryType === "layout-shift") found.moved += each.value;
            else found.largest = each.startTime;
        }
    };
    const observer = new PerformanceObserver((list) => take(list.getEntries()));
    for (const type of ["layout-shift", "largest-contentful-paint"]) observer.observe({ type, buffered: true });
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    const loaded = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const seen = performance.now();
    requestAnimationFrame(() => requestAnimationFrame(() => {
        take(observer.takeRecords());
        resolve({
            "first paint ms": paint.startTime,
            "largest paint ms": found.largest,
            "seen ms": seen,
            "layout shift": found.moved,
            "KiB": loaded.reduce((sum, each) => sum + each.transferSize, 0) / 1024,
        });
    }));
})
"""


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    if reason := missing():
        yield {_FIRST: Missing(reason), _NEXT: Missing(reason)}
        return
    world = graph.power_law(_AUTHORS[length], follows=_FOLLOWS, cheeps=_CHEEPS)
    with whole(environment, world) as stack, chromium() as browser:
        visits = _Visits(browser, f"http://{HOST}:{stack.port}", world)
        yield {_FIRST: visits.first, _NEXT: visits.next}


class _Visits:
    """Visits of one author to its home timeline."""

    def __init__(self, browser: Browser, address: str, world: Graph) -> None:
        self._browser, self._address = browser, address
        author = {"author_id": world.author_id(_READER), "username": world.username(_READER)}
        self._caller = f"localStorage['cheeper.author'] ??= {json.dumps(json.dumps(author))}"

    def first(self) -> Figures:
        """Measure a visit of a browser that has nothing."""
        context = self._context()
        try:
            return self._visit(context)
        finally:
            context.close()

    def next(self) -> Figures:
        """Measure a visit of a browser that was there before."""
        context = self._context()
        try:
            self._visit(context)
            return self._visit(context)
        finally:
            context.close()

    def _context(self) -> BrowserContext:
        context = self._browser.new_context()
        context.add_init_script(self._caller)
        return context

    def _visit(self, context: BrowserContext) -> Figures:
        page = context.new_page()
        page.goto(f"{self._address}/#/")
        wait_until_loaded(page)
        figures: Figures = page.evaluate(_FIGURES)
        page.goto(f"{self._address}{SEARCH.path}")  # no stream stays open behind it
        page.close()
        return figures


BENCH: Final = Bench(
    name="first_paint",
    title="The web page in the browser",
    open=_open,
    reaches=(
        Reach(label="first paint", side=_FIRST, figure="first paint ms", wanted=1_000, at="most", unit="ms"),
        Reach(label="page and data", side=_FIRST, figure="KiB", wanted=100, at="most", unit="KiB"),
        Reach(label="layout shift", side=_FIRST, figure="layout shift", wanted=0.1, at="most", unit=""),
    ),
)
