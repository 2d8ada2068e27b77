"""The page's stream of the timeline: what others do appears by itself, and moves nothing that is read."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from cheeper_e2e.browser.loaded import wait_for

STREAM = re.compile(r"/timeline/stream(\?.*)?$")
MINUTE = 60_000  # milliseconds


class Traffic:
    """The requests of a page: reads of the timeline, and its streams."""

    def __init__(self, page):
        self.reads = 0
        self.streams = []
        self.closed = 0
        page.on("request", self._sent)
        page.on("requestfailed", self._ended)
        page.on("requestfinished", self._ended)

    def _sent(self, request):
        path = urlsplit(request.url).path
        self.reads += path.endswith("/timeline")
        if STREAM.search(path):
            self.streams.append(request.headers.get("last-event-id"))

    def _ended(self, request):
        self.closed += STREAM.search(urlsplit(request.url).path) is not None


@pytest.fixture
def open_home(open_page, author, url):
    """Opens the author's timeline once more, with a clock that the test may move; returns the page and its traffic."""

    def start(prepare=None):
        page = open_page(author, "#/search")
        page.clock.install()
        if prepare:
            prepare(page)
        traffic = Traffic(page)
        page.goto(f"{url}/?clock#/")  # another address, so that the page begins anew
        return page, traffic

    return start


def texts(page):
    return page.locator("cheep-card .text")


def expect_opened(page, traffic):
    """Wait until the first event of the stream has been taken, for which the timeline is read once more."""
    wait_for(page, lambda: traffic.reads >= 2)
    expect(page.locator("[aria-busy]")).to_have_count(0)


def test_what_one_posts_elsewhere_appears_by_itself(open_home, api, author):
    """Cheeps of the same author from another device come by the stream, and so do their edits and deletions."""
    page, traffic = open_home()
    expect_opened(page, traffic)
    reads = traffic.reads
    cheep = api.post(author, "From my phone")
    expect(texts(page)).to_have_text(["From my phone"])
    api.edit(author, cheep, "From my telephone")
    expect(texts(page)).to_have_text(["From my telephone"])
    api.delete(author, cheep)
    expect(texts(page)).to_have_count(0)
    assert traffic.reads == reads


def test_what_others_do_appears_by_itself(open_home, api, author, other):
    """New, edited and deleted cheeps, a follow and an unfollow are seen at once; only a follow reads the timeline."""
    api.follow(author, other)
    first = api.post(other, "First")
    page, traffic = open_home()
    expect(texts(page)).to_have_text(["First"])
    expect_opened(page, traffic)
    reads = traffic.reads
    second = api.post(other, "Second")
    expect(texts(page)).to_have_text(["Second", "First"])
    api.edit(other, first, "First, better")
    expect(texts(page)).to_have_text(["Second", "First, better"])
    api.delete(other, second)
    expect(texts(page)).to_have_text(["First, better"])
    api.unfollow(author, other)
    expect(texts(page)).to_have_count(0)
    expect(page.locator(".empty")).to_be_visible()
    assert (traffic.reads, traffic.streams) == (reads, [None])
    api.follow(author, other)
    expect(texts(page)).to_have_text(["First, better"])


def test_what_is_read_stays_where_it_is(open_home, api, author, other):
    """A line offers what is new to a reader who has scrolled; an edit and a deletion further up move nothing either."""
    api.follow(author, other)
    api.post_all(other, [f"Cheep {number:02}" for number in range(20)])
    ids = [each["cheep_id"] for each in api.get(f"/author/{other.author_id}/cheeps")["cheeps"]]
    page, traffic = open_home()
    expect(texts(page)).to_have_count(20)
    expect_opened(page, traffic)
    read = page.locator("cheep-card", has_text="Cheep 08")
    page.mouse.wheel(0, 1_200)
    wait_for(page, lambda: page.evaluate("scrollY") > 600)
    expect(read).to_be_in_viewport()
    before = read.bounding_box()["y"]
    api.post(other, "New one")
    expect(page.get_by_role("button", name="1 new cheep")).to_be_in_viewport()
    api.post(other, "New two")
    expect(page.get_by_role("button", name="2 new cheeps")).to_be_in_viewport()
    api.edit(other, ids[1], "Long " * 50)
    expect(texts(page).nth(1)).to_contain_text("Long Long")
    api.delete(other, ids[0])
    expect(texts(page)).to_have_count(19)
    page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
    assert read.bounding_box()["y"] == pytest.approx(before, abs=2)
    page.get_by_role("button", name="2 new cheeps").click()
    expect(texts(page).first).to_have_text("New two")
    expect(texts(page).nth(1)).to_have_text("New one")
    wait_for(page, lambda: page.evaluate("scrollY") == 0)
    expect(page.locator(".news")).to_be_hidden()


def test_a_stream_that_ends_is_resumed_behind_its_last_event(open_home, api, author, other):
    """The next connection names the last event; a position that the server does not know is dropped."""
    answered = []

    def end_the_first(route):
        answered.append(route)
        if len(answered) > 1:
            return route.continue_()
        body = "retry: 100\n\nid: foreign\nevent: refresh\ndata: {}\n\n"
        return route.fulfill(body=body, content_type="text/event-stream")

    api.follow(author, other)
    page, traffic = open_home(lambda page: page.route(STREAM, end_the_first))
    wait_for(page, lambda: len(traffic.streams) == 3)
    assert traffic.streams == [None, "foreign", None]
    expect_opened(page, traffic)
    api.post(other, "Heard")
    expect(texts(page)).to_have_text(["Heard"])


def test_without_a_place_for_its_stream_the_page_polls(open_home, api, author, other):
    """Retry-After of a 503 is respected; until then the timeline is read each half minute, and then by the stream."""

    def refuse(route):
        body = '{"data": {"message": "Full", "code": "overloaded"}, "meta": {}}'
        route.fulfill(status=503, body=body, headers={"Retry-After": "50", "Content-Type": "application/json"})

    api.follow(author, other)
    api.post(other, "Old")
    page, traffic = open_home(lambda page: page.route(STREAM, refuse))
    expect(texts(page)).to_have_text(["Old"])
    wait_for(page, lambda: traffic.closed == 1)
    api.post(other, "Polled")
    page.clock.fast_forward(MINUTE // 2)
    expect(texts(page)).to_have_text(["Polled", "Old"])
    assert len(traffic.streams) == 1
    page.unroute(STREAM)
    page.clock.fast_forward(MINUTE)
    wait_for(page, lambda: len(traffic.streams) == 2)
    expect_opened(page, traffic)
    api.post(other, "Streamed")
    expect(texts(page).first).to_have_text("Streamed")


def test_a_stream_ends_when_nobody_needs_it(open_home, api, author, other):
    """It ends when the page is hidden for a minute, and in another view; a reader who comes back has it resumed."""
    api.follow(author, other)
    page, traffic = open_home()
    expect_opened(page, traffic)
    see(page, "hidden")
    page.clock.fast_forward(2 * MINUTE)
    wait_for(page, lambda: traffic.closed == 1)
    api.post(other, "Meanwhile")
    see(page, "visible")
    expect(texts(page)).to_have_text(["Meanwhile"])
    wait_for(page, lambda: len(traffic.streams) == 2)
    assert traffic.streams[1] is not None
    page.get_by_role("link", name="Search").click()
    wait_for(page, lambda: traffic.closed == 2)
    page.get_by_role("link", name="Home", exact=True).click()
    wait_for(page, lambda: len(traffic.streams) == 3)
    page.get_by_role("link", name="Settings").click()
    wait_for(page, lambda: traffic.closed == 3)
    page.get_by_role("button", name="Change author").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to Cheeper")
    assert len(traffic.streams) == 3


def see(page, state):
    """Let the page believe that it is hidden, or visible again."""
    page.evaluate(
        """(state) => {
            Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        state,
    )
