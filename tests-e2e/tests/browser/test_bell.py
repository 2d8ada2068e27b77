"""The bell: the stream of the notifications, which one tab has for all."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from cheeper_e2e.browser.loaded import wait_for

STREAM = "/notifications/stream"


@pytest.fixture
def two_tabs(open_page, author):
    """Two tabs of one browser, each at the author's timeline, and the requests about notifications that they send."""
    first = open_page(author)
    sent = []
    first.context.on("request", lambda request: sent.append(urlsplit(request.url).path))
    expect(first.locator(".unread")).to_have_text("1 unread")  # the welcome
    second = first.context.new_page()
    second.goto(first.url)
    expect(second.locator(".unread")).to_have_text("1 unread")
    return first, second, sent


def test_every_tab_shows_what_happens_by_one_stream(two_tabs, api, author, other):
    """A new follower counts in both tabs at once, one of which has the stream, and a list that is open shows it."""
    first, second, sent = two_tabs
    second.get_by_role("link", name="Notifications").click()
    expect(first.locator(".unread")).to_have_count(0)  # what was read in one tab is read in the other
    api.follow(other, author)
    expect(second.get_by_text(f"@{other.username} follows you now.")).to_be_visible()
    assert sum(path.endswith(STREAM) for path in sent) <= 1


def test_another_tab_takes_over_the_stream(two_tabs, api, author, other):
    """When the tab that has the stream is closed, another one opens it."""
    first, second, sent = two_tabs
    first.close()
    wait_for(second, lambda: any(path.endswith(STREAM) for path in sent))
    api.follow(other, author)
    expect(second.locator(".unread")).to_have_text("2 unread")
