"""Chromium of the system, driven by Playwright. tests-e2e/browser.lock has Playwright, which nothing else needs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def missing() -> str | None:
    """Return the sentence that says what the tests of the web client lack here, or None."""
    if find_spec("playwright") is None:
        return "The tests of the web client need Playwright: make browser-tools installs it."
    if _found() is None:
        return "The tests of the web client need Chromium: apt-get install chromium."
    return None


def _found() -> str | None:
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window. Raise ImportError or LookupError if it is not installed."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it is not installed everywhere

    found = _found()
    if found is None:
        raise LookupError(missing())
    with sync_playwright() as playwright:
        # In CI everything runs as root, for whom Chromium has no sandbox.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()
