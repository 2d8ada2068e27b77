"""Accessibility, layout and weight of each view."""

import gzip

import pytest
from axe_playwright_python.sync_playwright import Axe

from cheeper_e2e.browser.loaded import wait_until_loaded
from cheeper_local.settings import CLONE

VIEWS = {
    "home": "#/",
    "profile": "#/@{username}",
    "menu": "#/@{other}",
    "followers": "#/@{username}/followers",
    "thread": "#/cheep/{cheep}",
    "notifications": "#/notifications",
    "search": "#/search?q=hello",
    "authors": "#/search?q={username}&what=authors",
    "settings": "#/settings",
    "welcome": "#/",
}
WEIGHT = 100 * 1024
SHIFT = 0.02  # of the layout's 0.1 that counts as good


@pytest.fixture(scope="module")
def place(api):
    """An author with followers, cheeps and notifications, a follower, and the id of a cheep with an answer."""
    author, other = api.sign_up(name="Ann", bio="עברית 🐦", website="https://example.org"), api.sign_up()
    api.follow(other, author)
    api.follow(author, other)
    cheep = api.post(author, "Hello")
    api.answer(other, cheep, "Hello back, at some length so that the line has to be broken on a narrow screen.")
    return author, other, cheep


@pytest.fixture
def visit(open_page, place):
    """Opens a view, and waits until it is loaded."""

    def open_view(view, **options):
        author, other, cheep = place
        address = VIEWS[view].format(username=author.username, other=other.username, cheep=cheep)
        page = open_page(None if view == "welcome" else author, address, **options)
        wait_until_loaded(page)
        if view == "menu":
            page.get_by_role("button", name="More about").click()
        return page

    return open_view


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(visit, view):
    """No view breaks a rule of axe-core, in light and in dark mode and on a phone, with what was refused in it."""
    page = visit(view, reduced_motion="reduce", color_scheme="light")
    for mode, width in (("light", 1280), ("dark", 1280), ("dark", 320)):
        page.emulate_media(color_scheme=mode)
        page.set_viewport_size({"width": width, "height": 720})
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("view", VIEWS)
def test_every_width_shows_all_of_it(visit, view):
    """From 320 pixels on nothing has to be scrolled sideways, and a finger meets every control."""
    page = visit(view, viewport={"width": 320, "height": 640})
    for width in (320, 639, 640, 1099, 1100, 2000):
        page.set_viewport_size({"width": width, "height": 800})
        beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert beyond <= 0, width
    small = page.evaluate(
        """Array.from(document.querySelectorAll("button, input:not([type=radio]), textarea, side-nav a"))
            .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 24)
            .map((each) => each.outerHTML)"""
    )
    assert small == []


@pytest.mark.parametrize("view", ["home", "profile", "thread"])
def test_nothing_moves_while_it_loads(visit, view):
    """The places of what is loaded are held: the cumulative layout shift is next to nothing."""
    page = visit(view)
    shift = page.evaluate(
        """new Promise((resolve) => {
            const seen = (list) => resolve(list.getEntries());
            new PerformanceObserver(seen).observe({ type: "layout-shift", buffered: true });
            requestAnimationFrame(() => requestAnimationFrame(() => resolve([])));
        }).then((entries) => entries.reduce((sum, each) => sum + each.value, 0))"""
    )
    assert shift < SHIFT


def test_the_client_is_light(visit):
    """All files together are at most 100 KB gzipped, and the page loads no others."""
    files = [path for path in (CLONE / "services" / "web").rglob("*") if path.is_file()]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < WEIGHT
    page = visit("home")
    origins = page.evaluate(
        "[...new Set(performance.getEntriesByType('resource').map((each) => new URL(each.name).origin))]"
    )
    assert origins == [page.evaluate("location.origin")]


def test_what_moves_stands_still_for_who_asks_for_it(visit):
    """With reduced motion nothing is animated."""
    page = visit("home", reduced_motion="reduce")
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.evaluate("getComputedStyle(document.querySelector('.primary')).transitionDuration") == "0s"
