"""Waiting for the web client. Its network is never idle, since a stream stays open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

_FRAMES: Final = 3_000  # bounds a hang
_BUSY: Final = (".skeleton", "[aria-busy]", "follow-button.unknown")


def wait_until_loaded(page: Page) -> None:
    """Wait until the view is there, and nothing in it is still loaded."""
    page.wait_for_selector("#view > *", state="attached")
    for busy in _BUSY:
        page.wait_for_selector(busy, state="detached")


def wait_for(page: Page, holds: Callable[[], bool]) -> None:
    """Wait for what a page does, frame by frame, while its events are handled. Raise AssertionError."""
    for _ in range(_FRAMES):
        if holds():
            return
        page.evaluate("new Promise((resolve) => requestAnimationFrame(resolve))")
    raise AssertionError("The page never came to that state")


def wait_until_visible(card: Locator) -> None:
    """Wait until the views have a cheep: its card is there, and the mark of what is on its way is gone."""
    card.wait_for(state="visible")
    card.locator(".badge").wait_for(state="detached")
