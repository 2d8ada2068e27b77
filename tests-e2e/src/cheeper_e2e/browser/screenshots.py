"""Screenshots of the web client on a fresh stack: `make screenshots` writes those of docs/.

python -m cheeper_e2e.browser.screenshots [--to FOLDER] [--all]    (--all: each view at three widths in both modes)
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cheeper_e2e.browser.chromium import chromium, missing
from cheeper_e2e.browser.loaded import wait_until_loaded
from cheeper_e2e.browser.sample import write_sample
from cheeper_e2e.browser.writer import Api, Writer
from cheeper_local.running import RunningStack
from cheeper_local.settings import CLONE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOLDER: Final = CLONE / "docs" / "screenshots"
_WIDTHS: Final = {"narrow": 360, "medium": 800, "wide": 1280}
_HEIGHT: Final = 860
_VIEWS: Final = {
    "home": "#/",
    "profile": "#/@{username}",
    "thread": "#/cheep/{cheep}",
    "notifications": "#/notifications",
    "search": "#/search?q=swifts",
    "authors": "#/search?q=b&what=authors",
    "other": "#/@bob",
    "followers": "#/@{username}/followers",
    "settings": "#/settings",
    "welcome": "#/",
}


class Shot(NamedTuple):
    """A view at a width, in a mode (light or dark)."""

    view: str
    width: str
    mode: Literal["light", "dark"]


DOCS: Final = (
    Shot("home", "wide", "light"),
    Shot("home", "narrow", "dark"),
    Shot("profile", "medium", "light"),
    Shot("thread", "wide", "dark"),
    Shot("search", "medium", "dark"),
    Shot("notifications", "narrow", "light"),
)


def main() -> int:
    """Run the command line. Return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m cheeper_e2e.browser.screenshots", description=__doc__)
    parser.add_argument("--to", type=Path, default=FOLDER)
    parser.add_argument("--all", action="store_true", help="each view at three widths in both modes")
    options = parser.parse_args()
    if reason := missing():
        parser.exit(1, f"{reason}\n")
    options.to.mkdir(parents=True, exist_ok=True)
    shots = list(map(Shot._make, product(_VIEWS, _WIDTHS, ("light", "dark")))) if options.all else DOCS
    with RunningStack.temporary() as stack, chromium() as browser:
        api = Api(stack.gateway)
        author, cheep = write_sample(api)
        api.close()
        for shot in shots:
            _shoot(browser, stack.gateway, shot, author, cheep).rename(options.to / f"{'-'.join(shot)}.png")
    return 0


def _shoot(browser: Browser, url: str, shot: Shot, author: Writer, cheep: str) -> Path:
    path = Path(f"{'-'.join(shot)}.tmp.png")
    context = browser.new_context(
        viewport={"width": _WIDTHS[shot.width], "height": _HEIGHT}, color_scheme=shot.mode, reduced_motion="reduce"
    )
    if shot.view != "welcome":
        context.add_init_script(f"localStorage['cheeper.author'] = '{_as_json(author)}'")
    page = context.new_page()
    # The mark is held back, so that each shot has the same unread notifications.
    page.route("**/notifications/read", lambda _: None)
    address = _VIEWS[shot.view].format(username=author.username, cheep=cheep)
    page.goto(f"{url}/{address}")
    wait_until_loaded(page)
    if shot.view not in {"welcome", "notifications"}:
        page.wait_for_selector(".unread")
    if shot.view == "other":
        page.get_by_role("button", name="More about @bob").click()
    page.screenshot(path=str(path))
    page.unroute_all(behavior="ignoreErrors")
    context.close()
    return path


def _as_json(author: Writer) -> str:
    return f'{{"author_id": "{author.author_id}", "username": "{author.username}"}}'


if __name__ == "__main__":
    raise SystemExit(main())
